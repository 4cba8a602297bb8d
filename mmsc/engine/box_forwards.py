"""Sending an MM of the MMBox on (m-forward-req with its Content-Location): a new MM with the old content. That the
entry is forwarded, or a draft sent, is one unit with it."""

from dataclasses import replace
from typing import Final

from mmsc.domain.address import Address
from mmsc.domain.box_entry import BoxEntry, knows_sender
from mmsc.domain.message import Priority, Submission
from mmsc.domain.mmbox import BoxState
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.sendings import SENT_BEFORE, Sending, kept, sent_before
from mmsc.engine.along import LOOK_AGAIN, Along
from mmsc.engine.box_making import ATTEMPTS
from mmsc.engine.box_ports import Boxed, Place
from mmsc.engine.delivery import Desk
from mmsc.engine.forward_requests import OF_THE_CONTENT, Forwards
from mmsc.engine.mmbox import Mmboxes
from mmsc.engine.ports import Accepted, Evidence, Gone, GoneBecause
from mmsc.engine.submit import Submitter
from mmsc.store import mmbox as sql
from mmsc.trace import events as trace

_AWAY: Final = Refused(RefusalReason.STORE_UNAVAILABLE, "the store takes nothing at the moment")
_NOTHING: Final = Refused(RefusalReason.MM_UNKNOWN, "no message is there")


class BoxForwards:
    """Implements `box_ports.BoxForwarding`."""

    def __init__(self, desk: Desk, boxes: Mmboxes, submit: Submitter, forwards: Forwards) -> None:
        """`forwards` sends on what its recipient has not fetched."""
        forwards.boxed = self
        self._forwards = forwards
        self._desk = desk
        self._boxes = boxes
        self._submit = submit

    async def forward(
        self, place: Place, submission: Submission, identity: Address, evidence: Evidence, *, report_allowed: bool
    ) -> Accepted | Refused:
        """Make an MM of the one at a place of this subscriber's box; returns after the commit."""
        before = await self._submit.answer_before(submission)
        if before is not None:
            return before
        for _ in range(ATTEMPTS):
            found = await self._boxes.open(place, identity)
            if isinstance(found, Gone):
                return await self._not_there(submission, found)
            if found.waiting is not None:
                token = found.waiting.recipient.token
                forward = self._forwards.forward
                return await forward(token, submission, identity, evidence, report_allowed=report_allowed)
            outcome = await self._submit.accept(_made_of(found, submission), along=self._along(found.entry))
            if outcome is not LOOK_AGAIN:
                return outcome
        return LOOK_AGAIN

    async def has(self, token: str, identity: Address) -> bool:
        """Whether this subscriber kept what a notification told of."""
        return not isinstance(await self._boxes.open(Place(token, boxed=False), identity), Gone)

    def _along(self, entry: BoxEntry) -> Along | None:
        """The entry's new state: a draft is sent, everything else forwarded."""
        state = BoxState.SENT if entry.state is BoxState.DRAFT else BoxState.FORWARDED
        if entry.state is state:
            return None
        chronicle = self._desk.chronicle
        event = chronicle.event(trace.BoxChanged(str(entry.id), entry.owner.value, str(state), entry.flags))
        return Along(chronicle.unit(sql.change(entry, state, entry.flags), (), (event,)), lambda _: (), LOOK_AGAIN)

    async def _not_there(self, submission: Submission, gone: Gone) -> Refused:
        if gone.because is GoneBecause.STORE_AWAY:
            return _AWAY
        await self._submit.note_refused(submission.origin, _NOTHING)
        return _NOTHING


def _made_of(found: Boxed, submission: Submission) -> Submission:
    """The request with what the entry has to give it. A draft was sent by nobody before; who sent what was uploaded,
    nobody here has seen: Previously-Sent-By would name whom its owner likes (7.3.23)."""
    told = found.entry.told
    details = {name: told.details[name] for name in OF_THE_CONTENT if name in told.details}
    details |= submission.details
    if found.entry.state is not BoxState.DRAFT and knows_sender(found.entry):
        details[SENT_BEFORE] = kept((*sent_before(told.details), Sending(told.sender, told.date)))
    return replace(
        submission,
        content=found.content,
        subject=told.subject,
        message_class=told.message_class,
        priority=Priority(told.priority),
        forward_counter=told.forward_counter + (found.entry.state is not BoxState.DRAFT),
        details=details,
    )
