"""`mmsc decode FILE`: what octets mean, field by field, with what there is to remark."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mmsc.cli.group import examples

if TYPE_CHECKING:
    from mmsc.trace.view import View

_MAXIMUM_OCTETS: Final = 64 * 1024 * 1024
_SHOWN_OCTETS: Final = 16
_HEX_LINE: Final = re.compile(r"\s*(?:[0-9A-Fa-f]{2}\s*)*\s*")


@click.command("decode", epilog=examples("decode notification.bin", "decode --json request.http", "decode - < pdu.hex"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def command(file: Path, as_json: bool) -> None:
    """Say what the octets in FILE mean (- is standard input): MMS PDU, WAP push, MM7, MM4, SMPP, bare or in HTTP.

    The file holds the octets themselves, or hexadecimal digits with white space and # comments. Exit status 1 when they
    cannot be read to the end.
    """
    from mmsc.trace.view import look

    view = look(from_hex(_read(file)))
    if as_json:
        click.echo(json.dumps(_as_object(view), indent=2, ensure_ascii=False))
    else:
        for line in _lines(view, ""):
            click.echo(line)
    raise SystemExit(1 if view.kind == "octets" or _has_problem(view) else 0)


def from_hex(octets: bytes) -> bytes:
    """The octets that hexadecimal text means; anything else comes back as it is."""
    try:
        lines = [line.partition("#")[0] for line in octets.decode("ascii").splitlines()]
    except UnicodeDecodeError:
        return octets
    if not all(_HEX_LINE.fullmatch(line) for line in lines) or not any(line.strip() for line in lines):
        return octets
    return bytes.fromhex("".join(lines))


def _read(file: Path) -> bytes:
    try:
        if str(file) == "-":
            octets = sys.stdin.buffer.read(_MAXIMUM_OCTETS + 1)
        else:
            with file.open("rb") as opened:
                octets = opened.read(_MAXIMUM_OCTETS + 1)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error
    if len(octets) > _MAXIMUM_OCTETS:
        raise click.ClickException(f"{file}: larger than {_MAXIMUM_OCTETS} octets")
    return octets


def _lines(view: "View", indent: str) -> Iterator[str]:
    yield f"{indent}{view.kind}: {view.title} ({len(view.octets)} octets)"
    width = max((len(row.name) for row in view.rows), default=0)
    for row in view.rows:
        place = f"{row.start:5}-{row.end - 1:<5}" if row.start >= 0 else " " * 11
        shown = view.octets[row.start : row.end] if row.start >= 0 else b""
        hexed = shown[:_SHOWN_OCTETS].hex(" ") + (" ..." if len(shown) > _SHOWN_OCTETS else "")
        yield f"{indent}  {place} {row.name:{width}}  {_printable(row.value)}" + (f"  [{hexed}]" if hexed else "")
    for finding in view.findings:
        place = f" at octet {finding.offset}" if finding.offset >= 0 else ""
        yield f"{indent}  finding {finding.rule}{place}: {_printable(finding.remark)} ({finding.clause})"
    if view.problem:
        yield f"{indent}  cannot be read: {_printable(view.problem)}"
    for inner in view.inside:
        yield from _lines(inner, f"{indent}  ")


def _printable(text: str) -> str:
    """On one line, and nothing that a terminal would obey."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _as_object(view: "View") -> dict[str, object]:
    return {
        "kind": view.kind,
        "title": view.title,
        "octets": len(view.octets),
        "fields": [
            {
                "name": row.name,
                "value": row.value,
                **({"start": row.start, "octets": view.octets[row.start : row.end].hex()} if row.start >= 0 else {}),
                **({"clause": row.clause} if row.clause else {}),
            }
            for row in view.rows
        ],
        "findings": [
            {"rule": one.rule, "clause": one.clause, "offset": one.offset, "remark": one.remark}
            for one in view.findings
        ],
        **({"problem": view.problem} if view.problem else {}),
        "inside": [_as_object(inner) for inner in view.inside],
    }


def _has_problem(view: "View") -> bool:
    return bool(view.problem) or any(_has_problem(inner) for inner in view.inside)
