"""Two test runs beside each other: their messages paired by subject and order, and whether their ladders agree."""

import msgspec

from mmsc.control.control import Control
from mmsc.control.messages import MessageRow
from mmsc.domain.searching import Field, MessageQuery, Term
from mmsc.trace.ladder import Wishes
from mmsc.trace.ladder.compare import align, marks

MOST = 200  # messages of each run


class RunPair(msgspec.Struct, frozen=True):
    """A message of each run, or of one alone; `differences` of their ladders, in words."""

    left: MessageRow | None
    right: MessageRow | None
    differences: list[str]


async def compared(control: Control, left: str, right: str) -> list[RunPair]:
    """The messages of two runs, oldest first; the n-th of a subject belongs to the n-th of the same."""
    ours, theirs = await _of_run(control, left), await _of_run(control, right)
    waiting: dict[str, list[MessageRow]] = {}
    for one in theirs:
        waiting.setdefault(one.subject, []).append(one)
    pairs: list[RunPair] = []
    for one in ours:
        other = waiting.get(one.subject, [])
        pairs.append(await _pair(control, one, other.pop(0) if other else None))
    alone = {one.mm_id for rest in waiting.values() for one in rest}
    return [*pairs, *(RunPair(None, one, ["only right"]) for one in theirs if one.mm_id in alone)]


async def _of_run(control: Control, run: str) -> list[MessageRow]:
    found = await control.messages.find(MessageQuery((Term(Field.RUN, run),)), limit=MOST)
    return list(reversed(found.rows))


async def _pair(control: Control, left: MessageRow, right: MessageRow | None) -> RunPair:
    if right is None:
        return RunPair(left, None, ["only left"])
    wishes = Wishes(notes=False, folds=False)
    ladders = [(await control.traffic.of(int(one.mm_id))).ladder(wishes).rows for one in (left, right)]
    differences: list[str] = []
    for pair in align(*ladders):
        row = pair.left or pair.right
        assert row is not None
        differences += [f"{row.name.partition(' ')[0]}: {mark}" for mark in marks(pair)]
    if left.states != right.states:
        differences.append("states")
    return RunPair(left, right, differences)
