"""Forwarding without retrieval (m-forward-req; TS 23.140 7.1.5, 8.1.6): a recipient has an MM sent on that it did not
fetch. What is made of it is a new MM with the old content.

Its recipient ends as forwarded, and that, the report that it owes and the new MM are one unit: whoever loses to a
m-notifyresp-ind or to another forward looks again. Who has the MM already sends on what is still there, and stays
retrieved. To a VASP that withdraws or replaces it, a forward is a GET under way.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from mmsc.domain import reply_charging as charging
from mmsc.domain.address import Address
from mmsc.domain.box_entry import source_received
from mmsc.domain.message import Mm, Recipient, Submission
from mmsc.domain.mmbox import BoxState
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.runs import RUN
from mmsc.domain.sendings import SENT_BEFORE, kept, sent_on
from mmsc.domain.states import Happening
from mmsc.engine.along import LOOK_AGAIN, Along
from mmsc.engine.box_ports import BoxForwarding, Place
from mmsc.engine.delivery import Desk
from mmsc.engine.ports import Accepted, Evidence, Gone, GoneBecause, Retrievable
from mmsc.engine.retrieval import Fetching
from mmsc.engine.submit import Submitter
from mmsc.engine.transitions import Circumstances
from mmsc.ids import to_text
from mmsc.store import mmbox as box_sql
from mmsc.store.core import Statement, StoreBusy, StoreUnavailable
from mmsc.trace import events as trace

_ATTEMPTS: Final = 3  # each one lost to another answer of the same handset
# What tells about the content stays with it; what its sender arranged with us, or offered its recipients, does not.
OF_THE_CONTENT: Final = (
    *("applic_id", "reply_applic_id", "aux_applic_info", "content_class", "drm_content", "distribution_indicator"),
)
_GONE: Final = {
    GoneBecause.EXPIRED: "the message expired",
    GoneBecause.CANCELLED: "the message was withdrawn by its sender",
}
_AWAY: Final = Refused(RefusalReason.STORE_UNAVAILABLE, "the store takes nothing at the moment")


_PERHAPS_BOXED: Final = (GoneBecause.EXPIRED, GoneBecause.ENDED)


class Boxed(BoxForwarding, Protocol):
    """Forwards what its recipient kept in the box."""

    async def has(self, token: str, identity: Address) -> bool:
        """Whether there is something, by the notification that told of it."""
        ...


class Forwards:
    """Implements `ports.Forwarding`."""

    def __init__(self, desk: Desk, retrieval: Fetching, submit: Submitter) -> None:
        self.boxed: Boxed  # of what waits no more
        self._desk = desk
        self._retrieval = retrieval
        self._submit = submit

    async def forward(
        self, token: str, submission: Submission, identity: Address, evidence: Evidence, *, report_allowed: bool
    ) -> Accepted | Refused:
        """Send the MM behind a Content-Location on; returns after the commit."""
        for _ in range(_ATTEMPTS):
            found = await self._retrieval.open(token, identity, evidence)
            if isinstance(found, Gone):
                before = await self._submit.answer_before(submission)
                if before is None and found.because in _PERHAPS_BOXED and await self.boxed.has(token, identity):
                    place = Place(token, boxed=False)
                    return await self.boxed.forward(place, submission, identity, evidence, report_allowed=True)
                return before or await self._not_there(submission, found)
            self._retrieval.begun(found)
            try:
                outcome = await self._forward(found, submission, report_allowed=report_allowed)
            except (StoreBusy, StoreUnavailable):
                return _AWAY
            finally:
                self._retrieval.broken_off(found)
            if outcome is not LOOK_AGAIN:
                return outcome
            self._desk.recent.forget(found.recipient.id)
        return LOOK_AGAIN

    async def _forward(self, found: Retrievable, submission: Submission, *, report_allowed: bool) -> Accepted | Refused:
        mm, recipient, desk = found.mm, found.recipient, self._desk
        if charging.OFFERED in submission.details and charging.offer_of(mm.details) is not None:
            why = "whoever sent this MM pays for replies to it: it is forwarded without reply charging"
            refused = Refused(RefusalReason.REPLY_OFFER_FORWARDED, why)
            await self._submit.note_refused(submission.origin, refused, run=submission.details.get(RUN, ""))
            return refused
        because = "its recipient forwarded it"
        effects, also = await self._boxed(recipient)
        how = Circumstances(because=because, report_allowed=report_allowed, source="mm1", effects=effects, also=also)
        moved = desk.transitions.prepared(mm, recipient, Happening.FORWARDED, how)

        def told(made: Mm) -> Sequence[trace.Event]:
            pair = trace.MmForwarded(recipient.address.value, mm.message_id, made.message_id)
            return (
                desk.chronicle.event(pair, mm_id=made.id),
                desk.chronicle.event(pair, mm_id=mm.id, recipient_id=recipient.id),
            )

        made = _made_of(found, submission)
        if moved is None:  # it ended before, and what it has it may send on
            return await self._submit.accept(made, told=told)
        return await self._submit.accept(made, along=Along(moved, told, LOOK_AGAIN))

    async def _boxed(self, recipient: Recipient) -> tuple[tuple[Statement, ...], tuple[trace.Data, ...]]:
        """What its recipient keeps of it in the box is forwarded, too (X-Mms-MM-State, 7.3.33)."""
        entry = await box_sql.by_source(self._desk.store, source_received(recipient.id))
        if entry is None or entry.state is BoxState.FORWARDED:
            return (), ()
        changed = trace.BoxChanged(str(entry.id), entry.owner.value, str(BoxState.FORWARDED), entry.flags)
        return (box_sql.change(entry, BoxState.FORWARDED, entry.flags),), (changed,)

    async def _not_there(self, submission: Submission, gone: Gone) -> Refused:
        """What an unknown location gets, and one of somebody else."""
        if gone.because is GoneBecause.STORE_AWAY:
            return _AWAY
        refused = Refused(RefusalReason.MM_UNKNOWN, _GONE.get(gone.because, "no message is there"))
        await self._submit.note_refused(submission.origin, refused, run=submission.details.get(RUN, ""))
        return refused


def _made_of(found: Retrievable, submission: Submission) -> Submission:
    """The request with what the MM has to give it."""
    mm = found.mm
    carried = {name: mm.details[name] for name in OF_THE_CONTENT if name in mm.details}
    return replace(
        submission,
        content=found.content,
        subject=mm.subject,
        message_class=mm.message_class,
        priority=mm.priority,
        adaptation_allowed=mm.adaptation_allowed,
        forward_counter=mm.forward_counter + 1,
        forwards=to_text(found.recipient.id),
        details={**carried, **submission.details, SENT_BEFORE: kept(sent_on(mm))},
    )
