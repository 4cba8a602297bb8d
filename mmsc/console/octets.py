"""Octets as rows of a hexadecimal dump, each run of octets with the number of the field that owns it; XML as text."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final

from mmsc.trace.view.fields import Dissection, Level
from protocols.records import record

COLUMNS: Final = 16
LONGEST_FIELD: Final = 4096  # octets of one field: of more only the ends are shown
ENDS: Final = 512
MOST: Final = 12 * 1024  # octets on one page; in hexadecimal and text that is 64 KB
AT_FIRST: Final = 4096  # octets, unless more are asked for; beside a long ladder fewer


@record(frozen=True, slots=True)
class Run:
    """Octets of one field in one line: its number, whether they are marked, and how they are written."""

    field: int
    marked: bool
    hexed: str
    text: str


@record(frozen=True, slots=True)
class Line:
    """Sixteen octets, `offset` from the start of the level; or `hidden` ones that are not shown, and what they are."""

    offset: int
    runs: tuple[Run, ...] = ()
    pad: str = ""
    hidden: int = 0
    what: str = ""
    end: int = 0


def lines(dissection: Dissection, level: Level, marked: range = range(0), most: int = MOST) -> list[Line]:
    """The lines of a level, about `most` octets of it; `marked` are offsets in it. Below `MOST` long fields are cut to
    their ends, too."""
    octets = dissection.buffers[level.buffer][level.start : level.end]
    runs = dissection.runs(level)
    found: list[Line] = []
    for start, end, hidden, what in _shown(dissection, runs, len(octets), most):
        if hidden:
            found.append(Line(start, hidden=hidden, what=what, end=end))
            continue
        owners = _spread(runs, start, end)
        for at in range(start, end, COLUMNS):
            stop = min(end, at + COLUMNS)
            found.append(_line(octets[at:stop], owners[at - start : stop - start], at, marked))
    return found


def _spread(runs: Sequence[tuple[int, int, int]], start: int, end: int) -> list[int]:
    """The owner of each octet in [start, end)."""
    found: list[int] = []
    for first, last, owner in runs:
        if last > start and first < end:
            found += [owner] * (min(last, end) - max(first, start))
    return found


def _line(octets: bytes, owners: Sequence[int], start: int, marked: range) -> Line:
    runs: list[Run] = []
    for (owner, is_marked), group in groupby(range(len(octets)), lambda at: (owners[at], start + at in marked)):
        members = list(group)
        hexed = " ".join(f"{octets[at]:02x}{' ' if at == 7 else ''}" for at in members)
        shown = "".join(chr(octets[at]) if 0x20 <= octets[at] < 0x7F else "." for at in members)
        runs.append(Run(owner, is_marked, hexed, shown))
    missing = COLUMNS - len(octets)
    return Line(start, tuple(runs), " " * (3 * missing + (1 if missing > COLUMNS // 2 else 0)))


def _shown(
    dissection: Dissection, runs: Sequence[tuple[int, int, int]], total: int, most: int
) -> Iterator[tuple[int, int, int, str]]:
    """(start, end, hidden octets, what they are): pieces at multiples of a line."""
    names = {node.number: f"{node.name} {node.value}".strip() for node in dissection.nodes()}
    at, budget = 0, most
    for first, last, owner in runs:
        begin, end = _up(first + ENDS), _down(last - ENDS)
        if AT_FIRST <= most < MOST and last - first >= LONGEST_FIELD and at < begin < end:
            yield at, begin, 0, ""
            yield begin, end, end - begin, names.get(owner, "")
            budget -= begin - at
            at = end
    if total - at > budget:
        tail = min(ENDS, most // 4)
        begin, end = _down(at + max(tail, budget - tail)), _down(total - tail)
        yield at, begin, 0, ""
        yield begin, end, end - begin, "octets"
        at = end
    yield at, total, 0, ""


def _up(at: int) -> int:
    return -(-at // COLUMNS) * COLUMNS


def _down(at: int) -> int:
    return at // COLUMNS * COLUMNS


def as_text(dissection: Dissection, level: Level, marked: range = range(0)) -> list[Run]:
    """XML and mail as they are written, run by run."""
    octets = dissection.buffers[level.buffer][level.start : level.end]
    found: list[Run] = []
    for start, end, owner in dissection.runs(level):
        for first, last, is_marked in _split(start, min(end, MOST), marked):
            found.append(Run(owner, is_marked, "", octets[first:last].decode("utf-8", "replace")))
    return found


def _split(start: int, end: int, marked: range) -> Iterator[tuple[int, int, bool]]:
    places = sorted({start, end, *(one for one in (marked.start, marked.stop) if start < one < end)})
    for first, last in pairwise(places):
        yield first, last, first in marked
