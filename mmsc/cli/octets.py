"""Octets in and out of commands: files and pipes, hexadecimal text, and never binary on a terminal."""

import re
import sys
from pathlib import Path
from typing import Final

import click

MAXIMUM_OCTETS: Final = 64 * 1024 * 1024
_HEX_LINE: Final = re.compile(r"\s*(?:[0-9A-Fa-f]{2}\s*)*\s*")


def from_hex(octets: bytes) -> bytes:
    """The octets that hexadecimal text means; anything else comes back as it is."""
    try:
        lines = [line.partition("#")[0] for line in octets.decode().splitlines()]
    except UnicodeDecodeError:
        return octets
    if not all(_HEX_LINE.fullmatch(line) for line in lines) or not any(line.strip() for line in lines):
        return octets
    return bytes.fromhex("".join(lines))


def read(file: Path) -> bytes:
    """What a file holds; - is standard input. Raises ClickException, also for what is larger than 64 MiB."""
    try:
        if str(file) == "-":
            octets = sys.stdin.buffer.read(MAXIMUM_OCTETS + 1)
        else:
            with file.open("rb") as opened:
                octets = opened.read(MAXIMUM_OCTETS + 1)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error
    if len(octets) > MAXIMUM_OCTETS:
        raise click.ClickException(f"{file}: larger than {MAXIMUM_OCTETS} octets")
    return octets


def hex_lines(octets: bytes, width: int = 32) -> str:
    """Hexadecimal text, so many octets a line."""
    return "\n".join(octets[at : at + width].hex(" ") for at in range(0, len(octets), width))


def write(octets: bytes, output: Path | None, *, as_hex: bool) -> None:
    """To a file, or to standard output, which must not be a terminal. Raises ClickException."""
    if as_hex:
        octets = hex_lines(octets).encode() + b"\n"
    if output is not None and str(output) != "-":
        try:
            output.write_bytes(octets)
        except OSError as error:
            raise click.ClickException(f"{output}: {error.strerror}") from error
        return
    if not as_hex and sys.stdout.isatty():
        raise click.UsageError("binary output to a terminal: give --hex, -o FILE or a pipe")
    click.echo(octets, nl=False)
