"""Actions by hand on messages: retry now, expire now, cancel; for one recipient, a message, or many."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from mmsc.engine.acting import Acted, Action, OperatorActs

MOST_AT_ONCE: Final = 1000  # messages of one request


class NotDone(msgspec.Struct, frozen=True):
    """A recipient for whom nothing changed, and why."""

    mm_id: str
    recipient_id: str
    address: str
    because: str


class Outcome(msgspec.Struct, frozen=True):
    """What came of an action: for how many recipients it was done, for whom not, and which messages are not there."""

    action: Action
    done: int
    not_done: list[NotDone]
    unknown: list[str]


class ActingService:
    """`Control.acting`. `who` is the door that it came in by: console, rest or scenario."""

    def __init__(self, acts: OperatorActs) -> None:
        self._acts = acts

    async def act(self, action: Action, mm_id: int, who: str, recipients: Collection[int] | None = None) -> Outcome:
        """Do it for some recipients of a message, or all. Raises `StoreUnavailable` and `StoreBusy`."""
        return _outcome(action, {mm_id: await self._acts.act(action, mm_id, who, recipients)})

    async def act_on_many(self, action: Action, mm_ids: Collection[int], who: str) -> Outcome:
        """Do it for all recipients of these messages, one message after the other. ValueError for too many."""
        if len(mm_ids) > MOST_AT_ONCE:
            raise ValueError(f"{len(mm_ids)} messages: at most {MOST_AT_ONCE} at once")
        return _outcome(action, {one: await self._acts.act(action, one, who) for one in dict.fromkeys(mm_ids)})


def in_words(outcome: Outcome) -> str:
    """What came of it, in one sentence."""
    word = {Action.RETRY: "Due now", Action.EXPIRE: "Expired", Action.CANCEL: "Cancelled"}[outcome.action]
    parts = [f"{word}: {outcome.done} recipient{'' if outcome.done == 1 else 's'}."] if outcome.done else []
    reasons = list(dict.fromkeys(f"{one.address}: {one.because}" for one in outcome.not_done))
    if reasons:
        rest = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
        parts.append(f"Not done for {'; '.join(reasons[:3])}{rest}.")
    if outcome.unknown:
        parts.append(f"{len(outcome.unknown)} not there.")
    return " ".join(parts) or "No recipient is left to do it for."


def _outcome(action: Action, acted: Mapping[int, Acted | None]) -> Outcome:
    return Outcome(
        action,
        sum(len(one.done) for one in acted.values() if one is not None),
        [
            NotDone(str(mm_id), str(left.recipient_id), left.address, left.because)
            for mm_id, one in acted.items()
            if one is not None
            for left in one.not_done
        ],
        [str(mm_id) for mm_id, one in acted.items() if one is None],
    )
