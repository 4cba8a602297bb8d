"""`mmsc decode FILE`: what octets mean, field by field, with what there is to remark."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mmsc.cli import octets
from mmsc.cli.group import examples
from mmsc.cli.octets import from_hex

if TYPE_CHECKING:
    from mmsc.trace.view import View

_KINDS: Final = ("mm1", "push", "sms", "smpp", "mm7", "mm4", "http")


@click.command(
    "decode",
    epilog=examples(
        "decode notification.bin",
        "decode --hex mm.bin",
        "decode --json request.http",
        "decode --as sms - < pdu.hex",
    ),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text: an object, or a list of several files'.")
@click.option("--hex", "as_hex", is_flag=True, help="Every octet in hexadecimal, with the fields beside.")
@click.option("--whole", is_flag=True, help="With --hex: large parts whole, too.")
@click.option("--as", "kind", type=click.Choice(_KINDS), help="What it is, instead of guessing.")
def command(files: tuple[Path, ...], as_json: bool, as_hex: bool, whole: bool, kind: str | None) -> None:
    """Say what the octets in FILES mean (- is standard input): MMS PDU, WAP push, SMS TPDU, MM7, MM4, SMPP, bare or in
    HTTP.

    A file holds the octets themselves, or hexadecimal digits with white space and # comments. Octets are counted from
    the first of the file. Exit status 1 when some cannot be read to the end.

    The JSON object has kind, title, start and octets (their number; start is null where they are in the file in other
    words), fields (name, value as JSON, text, start, end, octets in hex, clause, findings by rule), findings (rule,
    clause, offset, remark), problem, inside (what it carries), and for MMS PDUs and WAP pushes written: what `mmsc
    encode` takes, and exact: whether that gives the same octets."""
    from mmsc.cli.decode_lines import hex_dump, lines
    from mmsc.cli.decode_object import as_object
    from mmsc.trace.view import has_problem

    views = [_view(file, kind) for file in files]
    if as_json:
        told = [as_object(view) for view in views]
        click.echo(json.dumps(told[0] if len(told) == 1 else told, indent=2, ensure_ascii=False))
    else:
        for file, view in zip(files, views, strict=True):
            if len(files) > 1:
                _say(click.style(f"== {file}", bold=True))
            for line in hex_dump(view, whole=whole) if as_hex else lines(view):
                _say(line)
    raise SystemExit(1 if any(view.kind == "octets" or has_problem(view) for view in views) else 0)


def _view(file: Path, kind: str | None) -> "View":
    from mmsc.trace.view import Kind, look, look_as

    held = from_hex(octets.read(file))
    return look_as(held, Kind(kind)) if kind else look(held)


def _say(line: str) -> None:
    """In colours on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    click.echo(line, color=False if os.environ.get("NO_COLOR") else None)


__all__ = ["command", "from_hex"]
