"""A view of octets as lines of text: field by field, or as a hexadecimal dump with the fields beside."""

from collections.abc import Generator, Iterator
from typing import Final

import click

from mmsc.trace.view import Row, View
from protocols.errors import Finding

_SHOWN_OCTETS: Final = 16
_SHOWN_LINES: Final = 60  # of a text or a presentation
_DUMP_WIDTH: Final = 16
_DUMP_OCTETS: Final = 64  # of content that is no field
_HEX_WIDTH: Final = 3 * _DUMP_WIDTH
_VALUE_CHARACTERS: Final = 100  # beside a dump


def lines(view: View, indent: str = "", base: int = 0) -> Iterator[str]:
    """Field by field; offsets count from the first octet of the outermost view that holds them as they are."""
    yield indent + _title(view)
    width = max((len(row.name) for row in view.rows), default=0)
    by_row, rest = place_findings(view)
    for number, row in enumerate(view.rows):
        yield f"{indent}  {_row(view, row, width, base)}"
        for finding in by_row.get(number, ()):
            yield f"{indent}  {'':11} {_finding(finding, base)}"
    for finding in rest:
        yield f"{indent}  {_finding(finding, base)}"
    yield from _text(view, indent)
    if view.problem:
        yield f"{indent}  {click.style(f'cannot be read: {printable(view.problem)}', fg='red')}"
    for inner in view.inside:
        yield from lines(inner, f"{indent}  ", base + inner.at if inner.at >= 0 else 0)


def _title(view: View) -> str:
    return f"{click.style(f'{view.kind}: {printable(view.title)}', bold=True)} ({len(view.octets)} octets)"


def _row(view: View, row: Row, width: int, base: int) -> str:
    place = f"{base + row.start:5}-{base + row.end - 1:<5}" if row.start >= 0 else " " * 11
    shown = view.octets[row.start : row.end] if row.start >= 0 else b""
    hexed = shown[:_SHOWN_OCTETS].hex(" ") + (" ..." if len(shown) > _SHOWN_OCTETS else "")
    name = click.style(f"{printable(row.name):{width}}", fg="cyan")
    end = "  " + click.style(f"[{hexed}]", dim=True) if hexed else ""
    return f"{place} {name}  {printable(row.value)}{end}"


def _finding(finding: Finding, base: int) -> str:
    place = f" at octet {base + finding.offset}" if finding.offset >= 0 else ""
    return click.style(f"finding {finding.rule}{place}: {printable(finding.remark)} ({finding.clause})", fg="yellow")


def _text(view: View, indent: str) -> Iterator[str]:
    shown = view.text.splitlines()
    for line in shown[:_SHOWN_LINES]:
        yield f"{indent}  | {printable(line)}"
    if len(shown) > _SHOWN_LINES:
        yield f"{indent}  | ... {len(shown) - _SHOWN_LINES} lines more"


def place_findings(view: View) -> tuple[dict[int, list[Finding]], list[Finding]]:
    """The findings beside the row, by its number, in whose octets they are; and those that have no such place."""
    by_row: dict[int, list[Finding]] = {}
    rest: list[Finding] = []
    for finding in view.findings:
        rows = [number for number, row in enumerate(view.rows) if row.start <= finding.offset < row.end]
        if rows and finding.offset >= 0:
            by_row.setdefault(rows[0], []).append(finding)
        else:
            rest.append(finding)
    return by_row, rest


def hex_dump(view: View, *, whole: bool) -> Iterator[str]:
    """Every octet, sixteen a line, each field on lines of its own with its name and value beside. Of content that is no
    field only the beginning, unless it is wanted `whole`."""
    yield from _dump(view, 0, 0, whole)
    for inner in _apart(view):
        yield ""
        yield from hex_dump(inner, whole=whole)


def _apart(view: View) -> Iterator[View]:
    """What does not lie in these octets as it is."""
    for inner in view.inside:
        if inner.at < 0:
            yield inner
        else:
            yield from _apart(inner)


def _dump(view: View, base: int, depth: int, whole: bool) -> Iterator[str]:
    yield f"{'':{7 + _HEX_WIDTH}} {'  ' * depth}{_title(view)}"
    by_row, rest = place_findings(view)
    inside = sorted((one for one in view.inside if one.at >= 0), key=lambda one: one.at)
    at = 0
    for number, row in sorted(enumerate(view.rows), key=lambda one: (one[1].start, one[1].end)):
        if row.start < at or row.start >= row.end:
            continue
        if any(one.at <= row.start < one.at + len(one.octets) for one in inside):
            continue  # shown in its turn, field by field
        at = yield from _fill(view, at, row.start, inside, base, depth, whole)
        yield from _octets(view.octets, row.start, row.end, base, depth + 1, f"{row.name}: {row.value}", whole)
        for finding in by_row.get(number, ()):
            yield f"{'':{7 + _HEX_WIDTH}} {'  ' * (depth + 1)}{_finding(finding, base)}"
        at = row.end
    yield from _fill(view, at, len(view.octets), inside, base, depth, whole)
    for finding in rest:
        yield f"{'':{7 + _HEX_WIDTH}} {'  ' * depth}{_finding(finding, base)}"
    if view.problem:
        yield f"{'':{7 + _HEX_WIDTH}} {click.style(f'cannot be read: {printable(view.problem)}', fg='red')}"


def _fill(
    view: View, at: int, end: int, inside: list[View], base: int, depth: int, whole: bool
) -> Generator[str, None, int]:
    """Octets between fields: what is carried there field by field, else as they are."""
    while inside and at <= inside[0].at < end:
        inner = inside.pop(0)
        yield from _octets(view.octets, at, inner.at, base, depth + 1, "", whole)
        yield from _dump(inner, base + inner.at, depth + 1, whole)
        at = inner.at + len(inner.octets)
    yield from _octets(view.octets, at, end, base, depth + 1, "", whole)
    return max(at, end)


def _octets(octets: bytes, start: int, end: int, base: int, depth: int, words: str, whole: bool) -> Iterator[str]:
    stop = end if whole else min(end, start + _DUMP_OCTETS)
    for at in range(start, stop, _DUMP_WIDTH):
        hexed = octets[at : min(at + _DUMP_WIDTH, stop)].hex(" ")
        offset = click.style(f"{base + at:06x}", dim=True)
        beside = printable(words)[:_VALUE_CHARACTERS] if at == start else ""
        space = f"{'':{_HEX_WIDTH - len(hexed)}} {'  ' * depth}"
        yield f"{offset} {hexed}" + (f"{space}{click.style(beside, fg='cyan')}" if beside else "")
    if stop < end:
        yield f"{'':7}... {end - stop} octets more"


def printable(text: str) -> str:
    """On one line, and nothing that a terminal would obey."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
