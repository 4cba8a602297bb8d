"""The recipient's side: fetching the MM over MM1 or the web link, and answering the notification."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from mmsc.domain.address import Address
from mmsc.domain.changes import is_over
from mmsc.domain.instant import MINUTE, Instant
from mmsc.domain.message import Mm, MmId, Recipient, RecipientId, TaskKind
from mmsc.domain.neighbours import Subscriber
from mmsc.domain.states import FINAL, Cause, Happening, RecipientState, move
from mmsc.engine.delivery import Desk
from mmsc.engine.directory import Neighbours
from mmsc.engine.ports import Evidence, Gone, GoneBecause, ReadSaid, ReceiptState, Retrievable
from mmsc.engine.read_reports import ReadReports
from mmsc.engine.recent import Record
from mmsc.engine.transitions import Circumstances
from mmsc.engine.withdrawal import CANCEL_PREFIX
from mmsc.ids import TRANSACTION_LETTERS, id_in
from mmsc.store import events as event_sql
from mmsc.store import messages as sql
from mmsc.store import sms as sms_sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Lost, StoreBusy, StoreUnavailable
from mmsc.trace import events as trace
from mmsc.trace.captures import about
from protocols.records import record

S = RecipientState
_log: Final = logging.getLogger(__name__)
_SHORTEST_NATIONAL: Final = 4


@record(frozen=True, slots=True, kw_only=True)
class RetrievalPolicy:
    """`retrieve_grace` (µs): how long the content can be fetched again after it was retrieved."""

    retrieve_grace: int = 10 * MINUTE
    require_identity: bool = False
    fallback: bool = True


def _gone(mm: Mm, recipient: Recipient, policy: RetrievalPolicy, now: Instant) -> Gone | None:
    """Why the content is not to be had, None when it is."""
    if is_over(recipient, mm):
        return Gone(GoneBecause.ENDED)
    match recipient.state:
        case S.CANCELLED:
            return Gone(GoneBecause.CANCELLED)
        case S.EXPIRED:
            return Gone(GoneBecause.EXPIRED, kept_until=mm.expires_at)
        case S.RETRIEVED | S.LINK_VIEWED | S.INDETERMINATE:
            fresh = now < recipient.state_at + policy.retrieve_grace
            still_open = recipient.state is not S.RETRIEVED and now < mm.expires_at
            return None if fresh or still_open else Gone(GoneBecause.ENDED)
        case state if state in FINAL or state is S.SCHEDULED:
            return Gone(GoneBecause.ENDED if state in FINAL else GoneBecause.UNKNOWN)
    return Gone(GoneBecause.EXPIRED, kept_until=mm.expires_at) if now >= mm.expires_at else None


class Fetching:
    """Implements `ports.Retrieval`."""

    def __init__(
        self,
        desk: Desk,
        neighbours: Neighbours,
        learn: Callable[[Subscriber, Evidence, Instant], Subscriber | None],
        policy: RetrievalPolicy,
        read_reports: ReadReports,
    ) -> None:
        """`learn` says what a request teaches about a subscriber (None: nothing new)."""
        self._desk = desk
        self._read_reports = read_reports
        self._neighbours = neighbours
        self._learn = learn
        self.policy = policy

    async def open(self, token: str, identity: Address | None, evidence: Evidence) -> Retrievable | Gone:
        """The MM behind a Content-Location, for this identity (None: the request carried none)."""
        try:
            return await self._open(token, identity, evidence)
        except (StoreBusy, StoreUnavailable):
            return Gone(GoneBecause.STORE_AWAY)

    async def _open(self, token: str, identity: Address | None, evidence: Evidence) -> Retrievable | Gone:
        while True:
            decided = self._desk.gets.decided
            found = await self._look_up(token, identity, evidence)
            if isinstance(found, Gone):
                return found
            decision = self._desk.gets.decision(found.recipient.id)
            if decision is not None:
                await decision.wait()  # its VASP withdraws or replaces it
            elif decided == self._desk.gets.decided:
                return found

    async def _look_up(self, token: str, identity: Address | None, evidence: Evidence) -> Retrievable | Gone:
        record = await self._desk.recent.by_token(token) or await self._appended(token)
        if record is None or not self._may(record.recipient, identity):
            return Gone(GoneBecause.UNKNOWN)
        about(record.mm.id, record.recipient.address.value)
        version = self._neighbours.subscriber(record.recipient.address).mms_version
        now = self._desk.clock.now()
        gone = _gone(record.mm, record.recipient, self.policy, now)
        if gone is not None and self._desk.store.shared:  # perhaps it only was so when it was remembered
            self._desk.recent.forget(record.recipient.id)
            record = await self._desk.recent.by_id(record.recipient.id) or record
            gone = _gone(record.mm, record.recipient, self.policy, now)
        if gone is not None:
            return replace(gone, mms_version=version)
        content = await self._desk.recent.content(record.mm.content_id)
        if content is None:
            return Gone(GoneBecause.NO_CONTENT, version)
        await self._seen(record.recipient.address, evidence, now)
        return Retrievable(record.mm, record.recipient, content, record.recipient.transaction_id, version)

    async def _appended(self, token: str) -> Record | None:
        """Some handsets append the notification's transaction id to the Content-Location, whether it waits for that
        (`mm1.append_transaction_id`) or not."""
        recent = self._desk.recent
        transaction_id = token[-TRANSACTION_LETTERS:]
        if len(token) < TRANSACTION_LETTERS:
            return None
        if token == transaction_id:
            return await recent.by_transaction_id(token)
        record = await recent.by_token(token[:-TRANSACTION_LETTERS])
        return record if record is not None and record.recipient.transaction_id == transaction_id else None

    def _may(self, recipient: Recipient, identity: Address | None) -> bool:
        """The token alone suffices unless identities are required; a different identity gets nothing."""
        if identity is None:
            return not self.policy.require_identity
        return identity == recipient.address

    def begun(self, retrievable: Retrievable) -> None:
        """An m-retrieve-conf is about to be written: `fetched` or `broken_off` follows."""
        self._desk.gets.begin(retrievable.recipient.id)

    def broken_off(self, retrievable: Retrievable) -> None:
        """It was not written whole."""
        self._desk.gets.end(retrievable.recipient.id)

    async def fetched(self, retrievable: Retrievable) -> None:
        """All octets of the m-retrieve-conf were written; returns after the commit. While the store is away nothing is
        noted: the handset's answer, or its next GET, tells the same."""
        try:
            await self._fetched(retrievable)
        except (StoreBusy, StoreUnavailable) as error:
            which = {"mm_id": retrievable.mm.id, "recipient_id": retrievable.recipient.id}
            _log.warning("a complete GET is not noted: %s", error, extra=which)
        finally:
            self._desk.gets.end(retrievable.recipient.id)

    async def _fetched(self, retrievable: Retrievable) -> None:
        mm, desk = retrievable.mm, self._desk
        record = desk.recent.peek(retrievable.recipient.id) or Record(mm, retrievable.recipient)
        recipient = record.recipient
        moment = desk.clock.moment()
        event = desk.chronicle.event(trace.MmFetched(), mm_id=mm.id, recipient_id=recipient.id, moment=moment)
        twice = recipient.fetched_at is not None and recipient.state not in FINAL
        if twice and not desk.policy.notification.gets_ignored:
            how = Circumstances(because="fetched a second time")  # which proves that the first one arrived
            await desk.store.commit(desk.chronicle.unit(None, (), (event,)))
            await desk.transitions.apply(mm, recipient, Happening.RETRIEVED, how)
            return
        if move(recipient.state, Happening.FETCHED) is None:
            await desk.store.commit(desk.chronicle.unit(None, (), (event,)))
            return
        now = moment.service
        guard = sql.move_recipient(recipient.id, Happening.FETCHED, now, Cause.NONE)
        answer_by = desk.policy.notification.answer_by(now)
        asleep = desk.policy.notification.may_oversleep(recipient)
        effects = (task_sql.hasten_delivery(recipient.id, answer_by),) if asleep else ()

        def then() -> None:
            self._keep_fetched(recipient.id, now)
            if asleep:
                desk.planned(answer_by)

        unit = desk.chronicle.unit(guard, effects, (event,), then)
        if isinstance(await desk.store.commit(unit), Lost):
            desk.recent.forget(recipient.id)
            await desk.store.commit(desk.chronicle.unit(None, (), (event,)))

    def _keep_fetched(self, recipient_id: RecipientId, now: Instant) -> None:
        record = self._desk.recent.peek(recipient_id)
        if record is not None:
            self._desk.recent.keep(record.mm, record.recipient._replace(fetched_at=now))

    async def answer(
        self,
        transaction_id: str,
        happening: Happening,
        *,
        report_allowed: bool,
        evidence: Evidence,
        identity: Address | None = None,
        acknowledged: bool = False,
    ) -> bool | Gone:
        """An m-notifyresp-ind or m-acknowledge-ind; returns after the commit."""
        try:
            return await self._answer(transaction_id, happening, report_allowed, evidence, identity, acknowledged)
        except (StoreBusy, StoreUnavailable):
            return Gone(GoneBecause.STORE_AWAY)

    async def _answer(
        self,
        transaction_id: str,
        happening: Happening,
        report_allowed: bool,
        evidence: Evidence,
        identity: Address | None,
        acknowledged: bool,
    ) -> bool:
        record = await self._desk.recent.by_transaction_id(transaction_id)
        if record is None or not self._may(record.recipient, identity):
            return False
        mm, recipient = record.mm, record.recipient
        about(mm.id, recipient.address.value)
        await self.seen(recipient.address, evidence)
        if happening is Happening.UNRECOGNISED and await self._tried_again(mm, recipient):
            return True
        pdu = "acknowledge" if acknowledged else "notifyresp"
        how = Circumstances(report_allowed=report_allowed, source="mm1", answer=pdu)
        return await self._desk.transitions.apply(mm, recipient, happening, how)

    async def _tried_again(self, mm: Mm, recipient: Recipient) -> bool:
        """Unrecognised: one more push in 1.0 form, then the fallback; False when there is nothing left to try. While
        the link is on its way the same answer again, about a push before, tells nothing new."""
        payload = await task_sql.payload_of_delivery(self._desk.store, recipient.id)
        if payload is None or (payload.get("plain") and not self.policy.fallback):
            return False
        if payload.get("link"):
            ignored = trace.AnswerIgnored(str(Happening.UNRECOGNISED), str(recipient.state), "mm1")
            note = self._desk.chronicle.note(ignored, mm_id=mm.id, recipient_id=recipient.id)
            await self._desk.store.commit(note)
            return True
        redo = {**payload, "link": "1"} if payload.get("plain") else {**payload, "plain": "1"}
        now = self._desk.clock.now()
        why = "the notification was not understood"
        remark = trace.FindingNoted("mm1", "MM1-H900", "OMA-TS-MMS_ENC 7.3.54", -1, why)
        event = self._desk.chronicle.event(remark, mm_id=mm.id, recipient_id=recipient.id)
        guard = task_sql.redo_delivery(recipient.id, now, redo)
        planned = self._desk.planned
        unit = self._desk.chronicle.unit(guard, (), (event,), lambda: planned(now))
        return not isinstance(await self._desk.store.commit(unit), Lost)

    async def meant_by(self, transaction_id: str) -> MmId | None:
        """The MM that a handset's answer is about, None for nobody's and while the store cannot be read."""
        try:
            record = await self._desk.recent.by_transaction_id(transaction_id)
        except StoreUnavailable:
            return None
        if record is None:
            return None
        about(record.mm.id, record.recipient.address.value)
        return record.mm.id

    async def read_by(self, message_id: str, address: Address | None, said: ReadSaid) -> bool | Gone:
        """An m-read-rec-ind; returns after the commit."""
        return await self._read_reports.heard(message_id, address, said)

    async def cancel_confirmed(
        self, transaction_id: str, *, understood: bool, identity: Address | None = None
    ) -> bool | Gone:
        """An m-cancel-conf; returns after the commit."""
        desk = self._desk
        try:
            recipient_id = id_in(transaction_id.removeprefix(CANCEL_PREFIX))
            found = None if recipient_id is None else await sql.by_recipient(desk.store, recipient_id)
            if found is None or not self._may(found[1], identity) or not await self._was_asked(*found):
                return False
            note = trace.CancelConfirmed(understood)
            await desk.store.commit(desk.chronicle.note(note, mm_id=found[0].id, recipient_id=found[1].id))
        except (StoreBusy, StoreUnavailable):
            return Gone(GoneBecause.STORE_AWAY)
        return True

    async def _was_asked(self, mm: Mm, recipient: Recipient) -> bool:
        """Whether an m-cancel-req is on its way or was pushed: its transaction is no secret. The handset may be faster
        than the SMSC's response, so the task is looked for first."""
        store = self._desk.store
        if await task_sql.is_there(store, recipient.id, TaskKind.CANCEL_MM1):
            return True
        return await event_sql.has(store, mm.id, recipient.id, trace.CancelPushed.kind)

    async def seen(self, address: Address, evidence: Evidence) -> None:
        """Keep what a request showed of a subscriber's handset."""
        await self._seen(address, evidence, self._desk.clock.now())

    async def _seen(self, address: Address, evidence: Evidence, now: Instant) -> None:
        learned = self._learn(self._neighbours.subscriber(address), evidence, now)
        if learned is not None:
            try:
                await self._neighbours.learn(learned)
            except (StoreBusy, StoreUnavailable):
                return  # the next request teaches it again


class WebLinks:
    """Implements `ports.Links`."""

    def __init__(self, desk: Desk, policy: RetrievalPolicy) -> None:
        self._desk = desk
        self.policy = policy

    async def open(self, link_token: str) -> Retrievable | Gone:
        """The MM behind a web link; looking does not count as viewing."""
        try:
            return await self._open(link_token)
        except (StoreBusy, StoreUnavailable):
            return Gone(GoneBecause.STORE_AWAY)

    async def _open(self, link_token: str) -> Retrievable | Gone:
        record = await self._desk.recent.by_link_token(link_token)
        if record is None:
            return Gone(GoneBecause.UNKNOWN)
        about(record.mm.id, record.recipient.address.value)
        gone = _gone(record.mm, record.recipient, self.policy, self._desk.clock.now())
        if gone is not None:
            return gone
        content = await self._desk.recent.content(record.mm.content_id)
        if content is None:
            return Gone(GoneBecause.NO_CONTENT)
        return Retrievable(record.mm, record.recipient, content, record.recipient.transaction_id)

    async def viewed(self, retrievable: Retrievable) -> Gone | None:
        """Somebody looked; returns after the commit."""
        recipient = retrievable.recipient
        if recipient.state in FINAL:
            return None  # seen again within the grace
        how = Circumstances(because="the web page was viewed", text="web link", source="web link")
        try:
            if await self._desk.transitions.apply(retrievable.mm, recipient, Happening.LINK_VIEWED, how):
                return None
            now = await self._desk.recent.by_id(recipient.id)  # somebody was faster: another view, or its VASP
        except (StoreBusy, StoreUnavailable):
            return Gone(GoneBecause.STORE_AWAY)
        return None if now is None else _gone(now.mm, now.recipient, self.policy, self._desk.clock.now())


def _is_one_of(address: Address, numbers: Collection[str]) -> bool:
    """Whether an SMSC means this address; a national number is the end of the international one."""
    spellings = (one.lstrip("+").lstrip("0") for one in numbers)
    return any(len(one) >= _SHORTEST_NATIONAL and address.value.endswith(one) for one in spellings)


class SmsReceipts:
    """Implements `ports.Receipts`."""

    def __init__(self, desk: Desk, neighbours: Neighbours) -> None:
        self._desk = desk
        self._neighbours = neighbours

    async def receipt(
        self, smsc: str, message_id: str, state: ReceiptState, text: str, numbers: Collection[str] | None = None
    ) -> bool:
        """Returns after the commit; False when no SMS of ours has this id, or none to one of `numbers` (None: whoever
        it went to). Never taken as delivery of the MM."""
        desk = self._desk
        row = await sms_sql.find(desk.store, f"smsc:{smsc}", message_id)
        if row is None:
            return False
        mm_id, recipient_id, noted = row
        purpose, _, settled = str(noted).partition(" ")
        assert isinstance(mm_id, int)
        assert isinstance(recipient_id, int)
        found = await sql.by_recipient(desk.store, recipient_id)
        if numbers is not None and (found is None or not _is_one_of(found[1].address, numbers)):
            return False
        told = trace.SmsReceipt(smsc, message_id, purpose, str(state), text)
        event = desk.chronicle.event(told, mm_id=mm_id, recipient_id=recipient_id)
        ended = state is ReceiptState.DELIVERED or (purpose == "notification" and state is ReceiptState.FAILED)
        effects = (sms_sql.settled(f"smsc:{smsc}", message_id, purpose),) if ended and not settled else ()
        await desk.store.commit(desk.chronicle.unit(None, effects, (event,)))
        if purpose != "link" or found is None or state is ReceiptState.ENROUTE:
            return True
        # A receipt that was settled already comes again when what follows was not durable: the SMSC got no answer.
        mm, recipient = found
        if state is ReceiptState.FAILED:
            how = Circumstances(because=f"the link SMS was not delivered: {text}", text="SMS not delivered")
            await desk.transitions.apply(mm, recipient, Happening.UNDELIVERABLE, how)
        elif self._neighbours.link_is_told_by_receipt(mm) and not await self._is_open(recipient_id):
            how = Circumstances(because="the SMSC delivered the link", text="web link sent by SMS")
            await desk.transitions.apply(mm, recipient, Happening.LINK_SMS_DELIVERED, how)
        return True

    async def _is_open(self, recipient_id: int) -> bool:
        """Whether a segment of the link was not delivered yet."""
        return await sms_sql.open_since(self._desk.store, recipient_id, "link") is not None
