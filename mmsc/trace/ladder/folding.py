"""Rows that say the same are told in one: runs of the same arrow, of the same note, and retries beyond three."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import msgspec

from mmsc.trace.ladder.model import Row, RowKind
from mmsc.trace.ladder.reading import span

RETRIES_SHOWN: Final = 3
_RUN: Final = 3  # so many alike are a run
FIRST_SHOWN: Final = 60
LAST_SHOWN: Final = 40
_FOLDABLE: Final = (RowKind.PDU, RowKind.ANSWER, RowKind.NOTE)


def fold_retries(rows: Sequence[Row]) -> list[Row]:
    """Attempts after the third that ended as it did, up to the last but one, with the notes between them."""
    by_same: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if row.same and row.attempts > RETRIES_SHOWN + 1 and row.kind is RowKind.PDU:
            by_same.setdefault(row.same, []).append(index)
    found = list(rows)
    for indices in by_same.values():
        alike = _alike(rows, indices[RETRIES_SHOWN - 1 : -1])
        if len(alike) > 1:
            _fold_between(found, rows, alike)
    return [row for row in found if row.kind is not RowKind.MORE]


def _alike(rows: Sequence[Row], indices: list[int]) -> list[int]:
    """The first ones of these that ended alike."""
    first = rows[indices[0]]
    return [index for index in indices if _said(rows[index]) == _said(first) and rows[index].failed == first.failed]


def _said(row: Row) -> str:
    return row.answer.text if row.answer is not None else ""


def _fold_between(found: list[Row], rows: Sequence[Row], alike: list[int]) -> None:
    first, last = rows[alike[0]], rows[alike[-1]]
    end = alike[-1] + 1
    while end < len(rows) and rows[end].kind is RowKind.NOTE and rows[end].icon == "ring":
        end += 1
    between = [
        index
        for index in range(alike[0], end)
        if index in alike or (rows[index].kind is RowKind.NOTE and rows[index].icon == "ring" and not rows[index].state)
    ]
    step = (last.at - first.at) // (len(alike) - 1)
    told = f"attempts {first.attempt} to {last.attempt}, {_said(first)}, every {_spoken(step)}"
    for index in between:
        found[index] = msgspec.structs.replace(rows[index], kind=RowKind.MORE)
    found[alike[0]] = msgspec.structs.replace(
        first,
        key=f"f{first.key}",
        kind=RowKind.FOLD,
        text=told,
        count=len(alike),
        numbers=tuple(rows[index].number for index in alike),
        until=rows[between[-1]].at,
        until_real=rows[between[-1]].at_real,
    )


def _spoken(micros: int) -> str:
    seconds = round(micros / 1_000_000)
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size < max(1, size // 20):
            return f"{seconds // size} {unit}"
    return f"{seconds} s" if seconds else span(micros)


def fold_segments(rows: Sequence[Row]) -> list[Row]:
    """The segments of one push that were all taken, wherever others stand between them."""
    by_push: dict[str, list[Row]] = {}
    for row in rows:
        if row.segment_of and not (row.failed or row.fault or row.findings or row.attempts):
            by_push.setdefault(row.segment_of, []).append(row)
    runs = {run[0].key: run for run in by_push.values() if len(run) > 1}
    folded = {row.key for run in runs.values() for row in run}
    kept = [row for row in rows if row.key in runs or row.key not in folded]
    return [_folded(runs[row.key]) if row.key in runs else row for row in kept]


def fold_runs(rows: Sequence[Row]) -> list[Row]:
    """Runs of the same arrow with the same result, and of the same note about other recipients."""
    found: list[Row] = []
    for _, group in groupby(rows, key=_likeness):
        run = list(group)
        found += [_folded(run)] if len(run) >= _RUN else run
    return found


def _likeness(row: Row) -> tuple[object, ...]:
    if row.kind not in _FOLDABLE or row.attempts or row.fault or row.findings or row.segment_of:
        return (row.key,)
    if row.kind is RowKind.NOTE:
        return (row.kind, row.state, row.icon, row.text.removeprefix(f"{row.recipient}: "))
    beneath = row.beneath.partition(" ")[0]
    said = _said(row).rstrip("0123456789")  # answered by another number each
    return (row.kind, row.source, row.target, row.name.partition(" ")[0], beneath, said, row.failed, row.gone)


def _folded(run: list[Row]) -> Row:
    first, last = run[0], run[-1]
    if first.kind is RowKind.NOTE:
        told = first.text.removeprefix(f"{first.recipient}: ")
        return msgspec.structs.replace(
            first, text=f"{told} ×{len(run)}", count=len(run), until=last.at, until_real=last.at_real, recipient=""
        )
    what = f"{len(run)} segments" if first.beneath.startswith("segment") else first.beneath
    name = first.name if all(row.name == first.name for row in run) else first.name.partition(" ")[0]
    return msgspec.structs.replace(
        first,
        key=f"f{first.key}",
        name=f"{name} ×{len(run)}",
        beneath=what,
        count=len(run),
        numbers=tuple(row.number for row in run if row.number),
        until=last.at,
        until_real=last.at_real,
        recipient="",
    )


def windowed(rows: Sequence[Row], first: int = FIRST_SHOWN, last: int = LAST_SHOWN) -> Iterator[Row]:
    """The first and the last rows, and between them one that says how many are not shown."""
    hidden = len(rows) - first - last
    if hidden <= 1:
        yield from rows
        return
    yield from rows[:first]
    at = rows[first]
    yield Row(
        key="more",
        kind=RowKind.MORE,
        at=at.at,
        at_real=at.at_real,
        offset=at.offset,
        count=hidden,
        text=f"{hidden:,} rows more",
    )
    yield from rows[-last:]
