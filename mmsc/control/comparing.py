"""Two test runs beside each other: their messages paired by subject and order, and whether their ladders agree."""

from typing import Final

import msgspec

from mmsc.control.control import Control
from mmsc.control.messages import MessageRow
from mmsc.domain.searching import Field, MessageQuery, Term
from mmsc.trace.ladder import Wishes
from mmsc.trace.ladder.compare import align, marks
from protocols.records import record

MOST: Final = 200  # messages of each run
MOST_LADDERS: Final = 40  # pairs whose ladders are read for one page; of others their rows are compared


class RunPair(msgspec.Struct, frozen=True):
    """A message of each run, or of one alone; `differences` of their ladders, in words."""

    left: MessageRow | None
    right: MessageRow | None
    differences: list[str]


@record(frozen=True, slots=True)
class Comparison:
    """Two runs beside each other. `unread`: pairs of which no ladder was read; `longer`: the runs that have more than
    `MOST` messages, of which the newest are here."""

    pairs: tuple[RunPair, ...] = ()
    unread: int = 0
    longer: tuple[str, ...] = ()


async def compared(control: Control, left: str, right: str) -> Comparison:
    """The messages of two runs, oldest first; the n-th of a subject belongs to the n-th of the same."""
    (ours, more), (theirs, more_of_theirs) = await _of_run(control, left), await _of_run(control, right)
    longer = tuple(run for run, is_longer in ((left, more), (right, more_of_theirs)) if is_longer)
    waiting: dict[str, list[MessageRow]] = {}
    for one in theirs:
        waiting.setdefault(one.subject, []).append(one)
    pairs: list[RunPair] = []
    both = 0
    for one in ours:
        others = waiting.get(one.subject, [])
        if others:
            both += 1
            pairs.append(await _pair(control, one, others.pop(0), read=both <= MOST_LADDERS))
        else:
            pairs.append(RunPair(one, None, ["only left"]))
    alone = {one.mm_id for rest in waiting.values() for one in rest}
    pairs += (RunPair(None, one, ["only right"]) for one in theirs if one.mm_id in alone)
    return Comparison(tuple(pairs), max(0, both - MOST_LADDERS), longer)


async def _of_run(control: Control, run: str) -> tuple[list[MessageRow], bool]:
    """The newest messages of a run, oldest first, and whether it has more."""
    found = await control.messages.find(MessageQuery((Term(Field.RUN, run),)), limit=MOST)
    return list(reversed(found.rows)), found.more is not None


async def _pair(control: Control, left: MessageRow, right: MessageRow, *, read: bool) -> RunPair:
    states = ["states"] if left.states != right.states else []
    if not read:
        return RunPair(left, right, states)
    wishes = Wishes(notes=False, folds=False)
    ladders = [(await control.traffic.of(int(one.mm_id))).ladder(wishes).rows for one in (left, right)]
    differences: list[str] = []
    for pair in align(*ladders):
        row = pair.left or pair.right
        assert row is not None
        differences += [f"{row.name.partition(' ')[0]}: {mark}" for mark in marks(pair)]
    return RunPair(left, right, differences + states)
