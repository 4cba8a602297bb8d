"""Who pays for a reply (TS 23.140 7.1.7): the sender of an MM, where he offered to and the reply is within his limits.

One reply of each recipient: its mark is written in the unit that holds the reply, so two at once cannot both win, and
a crash leaves both or neither. Settlement is the operator's: the charging record of the reply says who pays."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.address import Address, Normalised
from mmsc.domain.message import Mm, Recipient, Submission
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.reply_charging import PAID_BY, offer_of, why_not
from mmsc.engine.along import Along
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.planning import EMPTY_CONTENT
from mmsc.engine.ports import Numbers
from mmsc.ids import id_in
from mmsc.store import messages as sql
from mmsc.store.core import Store, StoreBusy, StoreUnavailable
from mmsc.trace import events as trace

_LIMITS: Final = RefusalReason.REPLY_LIMITS
_OFF: Final = Refused(RefusalReason.REPLY_CHARGING_OFF, "reply charging is not offered")
_BEFORE: Final = Refused(_LIMITS, "a reply of this recipient was paid for before")


class ReplyCharging:
    """Judges offers and replies."""

    def __init__(self, store: Store, clock: Clock, numbers: Numbers, chronicle: Chronicle) -> None:
        self._store = store
        self._clock = clock
        self._numbers = numbers
        self._chronicle = chronicle

    async def judge(self, submission: Submission, *, offers: bool) -> tuple[Submission, Along | None] | Refused:
        """A submission that makes an offer, or wants to be paid for by one: as it is to be stored, and what is stored
        along with a reply. `offers` says whether reply charging is on."""
        if not offers:
            return _OFF
        if not submission.reply_charging_id:
            return submission, None
        try:
            return await self._reply(submission)
        except StoreBusy:
            return Refused(RefusalReason.BUSY, "too many requests wait for the store")
        except StoreUnavailable as error:
            return Refused(RefusalReason.STORE_UNAVAILABLE, str(error))

    async def _reply(self, submission: Submission) -> tuple[Submission, Along] | Refused:
        found = await self._answered(submission)
        if found is None:
            why = f"{submission.sender} was sent no MM with the Message-ID {submission.reply_charging_id!r}"
            return Refused(_LIMITS, why)
        mm, recipient = found
        now = self._clock.now()
        why = why_not(offer_of(mm.details), submission.content or EMPTY_CONTENT, now)
        if not why and not self._is_to(submission, mm.sender):
            why = "a reply that is paid for goes to the sender of the MM, and to nobody else"
        if why:
            return Refused(_LIMITS, why)
        marked = self._chronicle.unit(sql.mark_replied(recipient.id, now), (), ())

        def told(reply: Mm) -> Sequence[trace.Event]:
            pair = trace.ReplyCharged(recipient.address.value, mm.message_id, reply.message_id)
            return (
                self._chronicle.event(pair, mm_id=reply.id),
                self._chronicle.event(pair, mm_id=mm.id, recipient_id=recipient.id),
            )

        paid = replace(submission, details={**submission.details, PAID_BY: "recipient"})
        return paid, Along(marked, told, _BEFORE)

    async def _answered(self, submission: Submission) -> tuple[Mm, Recipient] | None:
        """The MM that is answered, and the sender of the reply among its recipients."""
        own = id_in(submission.reply_charging_id)
        sender = self._numbers.normalise(submission.sender, submission.origin.key)
        if own is None or not isinstance(sender, Normalised):
            return None
        return await sql.told_to(self._store, submission.reply_charging_id, sender.address, own)

    def _is_to(self, submission: Submission, wanted: Address) -> bool:
        found = [self._numbers.normalise(one.text, submission.origin.key) for one in submission.recipients]
        return bool(found) and all(isinstance(one, Normalised) and one.address == wanted for one in found)
