"""What `mmsc store` prints, and how it reads what people type."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

if TYPE_CHECKING:
    from mmsc.domain.instant import Instant
    from mmsc.store.stats import Stats
    from mmsc.store.verify import Finding


def id_of(text: str) -> int:
    """An id as a number or in 13 letters."""
    from mmsc.ids import from_text, to_text

    try:
        return from_text(to_text(int(text))) if text.isdecimal() else from_text(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no id: {error}", param_hint="--mm") from error


def time_of(option: str, text: str | None) -> "Instant | None":
    """A date or a time of day on one, UTC unless it says otherwise."""
    from mmsc.domain.instant import from_datetime

    if text is None:
        return None
    try:
        return from_datetime(datetime.fromisoformat(text))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no time: write 2026-11-01 or 2026-11-01T12:00:00", param_hint=option
        ) from error


@contextmanager
def whole(out: Path | None) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is whole, and leaves nothing when it is not; without a name standard
    output."""
    if out is None:
        yield sys.stdout.buffer
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def finding_line(finding: "Finding") -> str:
    """What is wrong with which row."""
    from mmsc.ids import to_text

    name = f" {finding.id} ({to_text(finding.id)})" if finding.id else ""
    return f"{finding.table}{name}: {finding.what}"


def stats_lines(found: "Stats") -> Iterator[str]:
    """A page of numbers."""
    yield found.store
    yield from _table("Rows", found.rows)
    yield from _table("MMs", found.mms)
    yield from _table("Recipients by state", found.recipients)
    yield from _table("Octets", found.octets)
    yield from _table("Events by kind", found.events)
    yield "Tasks (lane, kind, state, how many, due since or from)"
    for task in found.tasks:
        yield f"  {task.lane:<20} {task.kind:<12} {task.state:<8} {task.count:>10,}  {_day(task.oldest)}"
    yield "Nodes (state, starts, seen)"
    for node in found.nodes:
        yield f"  {node.name:<20} {node.state:<8} {node.starts:>6,}  {_day(node.seen_at)}"
    if found.bodies_taken_up_to:
        from mmsc.ids import to_text

        yield f"Retention has taken bodies up to MM {to_text(found.bodies_taken_up_to)}"


def _table(title: str, numbers: dict[str, int]) -> Iterator[str]:
    yield title
    for name, number in numbers.items():
        yield f"  {name:<24} {number:>18,}"


def _day(micros: int) -> str:
    if not 0 < micros < 253_402_300_800_000_000:  # year 10000
        return "at once"
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
