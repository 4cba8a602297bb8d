"""The SMS side: notifications and reports as WAP pushes, the link as text, and the receipts that come back
(OMA-TS-MMS_ENC 6.2; WAP-259-WDP; SMPP v3.4).

A push that was interrupted is repeated whole. "Throttled" and "queue full" are later, not failures. A receipt tells
about the SMS, never about the MM.
"""

from collections.abc import Callable
from typing import Final, Protocol

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import Job, Mm, TaskKind
from mmsc.domain.neighbours import Smsc
from mmsc.domain.reports import status_of
from mmsc.domain.states import Cause, RecipientState
from mmsc.engine.ports import Delivered, Directory, Failed, Later, Numbers, Outcome, Receipts, ReceiptState, Retry
from mmsc.gateways.sms.esme import Esme, SmscGone
from mmsc.gateways.sms.references import References
from mmsc.gateways.sms.translate import Notifications, delivery_ind, numbering, read_orig_ind, validity
from mmsc.ids import Ids
from protocols import mm1, smpp
from protocols.errors import EncodeError
from protocols.records import record
from protocols.smpp import CommandStatus, DataSm, DeliverSm, EsmClass, MessageState, SubmitSm, SubmitSmResp
from protocols.smpp.receipt import is_receipt, normal_forms, read_receipt
from protocols.sms.push import PushForm, push_segments
from protocols.sms.segment import segment_text
from protocols.wsp.push import mms_push

S: Final = CommandStatus
_TAKEN: Final = S.ESME_ROK  # taken once: an enumeration searches for its member each time that it is named
_NOT_BOUND: Final = S.ESME_RINVBNDSTS
_NOTIFY: Final = TaskKind.NOTIFY
_THROTTLED: Final = {S.ESME_RTHROTTLED: 2.0, S.ESME_RMSGQFUL: 10.0}  # seconds to wait
_SEEN_TWICE_SECONDS: Final = 300.0
_SOON_SECONDS: Final = 5.0  # so that a message which makes the SMSC hang up lets others go first
_AGAIN: Final = (
    S.ESME_RSYSERR,
    S.ESME_RSUBMITFAIL,
    S.ESME_RX_T_APPN,
    S.ESME_RDELIVERYFAILURE,
    S.ESME_RUNKNOWNERR,
    S.ESME_RSERTYPUNAVAIL,
)
_OUR_ACCOUNT: Final = (  # nothing about the message: it waits until the account or the session is in order
    S.ESME_RINVBNDSTS,
    S.ESME_RALYBND,
    S.ESME_RBINDFAIL,
    S.ESME_RINVPASWD,
    S.ESME_RINVSYSID,
    S.ESME_RINVSYSTYP,
    S.ESME_RSERTYPUNAUTH,
    S.ESME_RPROHIBITED,
    S.ESME_RSERTYPDENIED,
)
_PUSH_FORMS: Final = {one.value: one for one in PushForm}
_RECEIPT_STATES: Final = {
    MessageState.DELIVERED: ReceiptState.DELIVERED,
    MessageState.SCHEDULED: ReceiptState.ENROUTE,
    MessageState.ENROUTE: ReceiptState.ENROUTE,
    MessageState.ACCEPTED: ReceiptState.ENROUTE,
    MessageState.UNKNOWN: ReceiptState.ENROUTE,
}


COURIER_KINDS: Final = (
    TaskKind.NOTIFY,
    TaskKind.LINK,
    TaskKind.REPORT_MM1,
    TaskKind.READ_MM1,
    TaskKind.CANCEL_MM1,
)


@record(frozen=True, slots=True, kw_only=True)
class SmsPolicy:
    """URLs that handsets are told, the text of the link SMS (`{url}`, `{sender}`, `{subject}`), and how many octets of
    content are so many that users are asked first (0: none are)."""

    mm1_url: Callable[[], str]
    weblink_url: Callable[[], str]
    template: Callable[[], str] = lambda: "You have a picture message: {url}"
    append_transaction_id: Callable[[], bool] = lambda: False  # handsets complete the Content-Location with it
    manual_above: Callable[[], int] = lambda: 0


class Spoiling(Protocol):
    """The lab's doing: what is pushed is another PDU, or its segments leave in another order."""

    def pushed(self, job: Job, pdu: bytes) -> bytes:
        """The octets of the PDU that is pushed."""
        ...

    def ordered(self, job: Job, requests: list[SubmitSm]) -> list[SubmitSm]:
        """The submit_sm of one message, as they leave."""
        ...


class SmsCourier:
    """Carries jobs of `COURIER_KINDS` over the SMSCs' sessions."""

    def __init__(self, directory: Directory, clock: Clock, ids: Ids, policy: SmsPolicy) -> None:
        self._directory = directory
        self._clock = clock
        self._ids = ids
        self._policy = policy
        self._references = References(clock, ids)
        self._notifications = Notifications()
        self.sessions: dict[str, list[Esme]] = {}
        self._turn = 0
        self.spoiling: Spoiling | None = None

    async def deliver(self, job: Job) -> Outcome:
        """One attempt."""
        name = job.lane.removeprefix("smsc:")
        smsc = self._directory.smscs.get(name)
        if smsc is None:
            return Retry(f"SMSC {name} is not configured any more", neighbour_down=True)
        try:
            if job.kind is _NOTIFY:
                return await self._notify(job, smsc)
            if job.kind is TaskKind.LINK:
                return await self._link(job, smsc)
            if job.kind is TaskKind.CANCEL_MM1:
                return await self._cancel(job, smsc)
            if job.kind is TaskKind.READ_MM1:
                return await self._read(job, smsc)
            return await self._report(job, smsc)
        except EncodeError as error:
            return Failed(f"it cannot be written: {error.why}")

    async def _notify(self, job: Job, smsc: Smsc) -> Outcome:
        recipient = job.recipients[0]
        version = self._directory.subscriber(recipient.address).mms_version
        policy, now = self._policy, self._clock.now()
        append = policy.append_transaction_id()
        pdu = self._notifications.octets(
            job, policy.mm1_url(), now, version, policy.manual_above(), append_transaction_id=append
        )
        seconds = int(job.payload.get("validity_seconds", "0"))
        return await self._push(job, smsc, pdu, recipient.address.value, seconds)

    async def _report(self, job: Job, smsc: Smsc) -> Outcome:
        """m-delivery-ind has no answer: done when the SMSC took it."""
        mm = job.stored_mm
        status = status_of(RecipientState(job.payload["state"]), Cause(job.payload.get("cause", "")))
        version = self._spoken_by_sender(mm)
        word = status.mm1_word(version)
        if not word:
            return Delivered(note="MM1 has no word for the state: nothing sent", nothing_sent=True)
        text = job.payload.get("text", "") or status.text
        pdu = delivery_ind(job, word, Instant(int(job.payload["date"])), version, text)
        return await self._push(job, smsc, mm1.encode(pdu), mm.sender.value, 0)

    async def _read(self, job: Job, smsc: Smsc) -> Outcome:
        """m-read-orig-ind has no answer either."""
        mm = job.stored_mm
        read = job.payload["read"] == "1"
        pdu = read_orig_ind(job, Instant(int(job.payload["date"])), self._spoken_by_sender(mm), read=read)
        return await self._push(job, smsc, mm1.encode(pdu), mm.sender.value, 0)

    def _spoken_by_sender(self, mm: Mm) -> int:
        """The version that the originator's handset spoke last, else when it sent the MM."""
        known = self._directory.subscriber(mm.sender).mms_version
        return known or int(mm.details.get("mms_version", str(mm1.VERSION_1_2)))

    async def _cancel(self, job: Job, smsc: Smsc) -> Outcome:
        """m-cancel-req to a handset that has the MM; its m-cancel-conf comes over MM1."""
        pdu = mm1.MCancelReq(
            mms_version=mm1.VERSION_1_3,
            transaction_id=job.payload["transaction_id"],
            cancel_id=job.stored_mm.message_id,
        )
        return await self._push(job, smsc, mm1.encode(pdu), job.recipients[0].address.value, 0)

    async def _push(self, job: Job, smsc: Smsc, pdu: bytes, number: str, validity_seconds: int) -> Outcome:
        if self.spoiling is not None:
            pdu = self.spoiling.pushed(job, pdu)
        push = mms_push(self._ids.number(8), pdu)
        segments = push_segments(push, self._references.next(number), _PUSH_FORMS[smsc.push_form])
        period = validity(validity_seconds)
        requests = [
            self._submit_sm(
                smsc,
                number,
                esm_class=one.esm_class,
                data_coding=smsc.data_coding,
                short_message=one.short_message,
                tlvs=one.tlvs,
                validity_period=period,
                receipt=smsc.receipts and job.kind is _NOTIFY,
            )
            for one in segments
        ]
        return await self._send(job, smsc, requests)

    async def _link(self, job: Job, smsc: Smsc) -> Outcome:
        mm, recipient = job.stored_mm, job.recipients[0]
        url = f"{self._policy.weblink_url()}/w/{recipient.link_token}"
        sender = "" if mm.sender_hidden else mm.sender.value
        text = self._policy.template().format(url=url, sender=sender, subject=mm.subject)
        data_coding, has_header, pieces = segment_text(text, self._references.next(recipient.address.value))
        seconds = (mm.expires_at - self._clock.now()) // SECOND
        requests = [
            self._submit_sm(
                smsc,
                recipient.address.value,
                esm_class=EsmClass.UDHI if has_header else 0,
                data_coding=data_coding,
                short_message=piece,
                tlvs=(),
                validity_period=validity(seconds),
                receipt=bool(job.payload.get("receipt")) or smsc.receipts,
            )
            for piece in pieces
        ]
        return await self._send(job, smsc, requests)

    @staticmethod
    def _submit_sm(
        smsc: Smsc,
        number: str,
        *,
        esm_class: int,
        data_coding: int,
        short_message: bytes,
        tlvs: tuple[smpp.Tlv, ...],
        validity_period: str,
        receipt: bool,
    ) -> SubmitSm:
        ton, npi, digits = numbering(number, smsc.rewrites_out)
        return SubmitSm(
            sequence_number=0,
            source_addr_ton=smsc.source_ton,
            source_addr_npi=smsc.source_npi,
            source_addr=smsc.source,
            dest_addr_ton=ton,
            dest_addr_npi=npi,
            destination_addr=digits,
            esm_class=esm_class,
            validity_period=validity_period,
            registered_delivery=1 if receipt else 0,
            data_coding=data_coding,
            short_message=short_message,
            tlvs=tlvs,
        )

    async def _send(self, job: Job, smsc: Smsc, requests: list[SubmitSm]) -> Outcome:
        """All segments over one session, in order."""
        session = self._session(smsc.name)
        if session is None:
            return Retry(f"SMSC {smsc.name} is not bound: {self._why_not(smsc.name)}", neighbour_down=True)
        if self.spoiling is not None:
            requests = self.spoiling.ordered(job, requests)
        remote_ids: list[str] = []
        mm_id = None if job.mm is None else job.mm.id
        for request in requests:
            try:
                answer = await session.request(request, mm_id=mm_id)
            except SmscGone as error:
                down = not error.sent or not session.bound
                return Retry(error.why, neighbour_down=down, wait_seconds=_patience(job) if error.sent else 0.0)
            status = answer.command_status
            if status is _NOT_BOUND:
                session.rebind("the SMSC does not know the session any more")
            if status is not _TAKEN:
                return judge(status)
            if not isinstance(answer, SubmitSmResp):
                return Retry(f"SMSC answered submit_sm with {type(answer).__name__}")
            if answer.message_id:
                remote_ids.append(answer.message_id)
        expected = bool(remote_ids) and bool(requests[0].registered_delivery)  # which all segments have in common
        return Delivered(tuple(remote_ids), receipt_expected=expected)

    def _session(self, name: str) -> Esme | None:
        """A bound session, in turn."""
        bound = [one for one in self.sessions.get(name, ()) if one.bound]
        self._turn += 1
        return bound[self._turn % len(bound)] if bound else None

    def _why_not(self, name: str) -> str:
        return "; ".join(one.why_not for one in self.sessions.get(name, ())) or "no session"


def _patience(job: Job) -> float:
    """How long to wait after a request without a response: the SMSC may have taken it (SMPP v3.4 7.2: nobody knows).
    A second notification is harmless (same Content-Location and transaction id), so it goes out once more soon and then
    when the next is planned; a second text or report is seen by somebody."""
    if job.kind is not TaskKind.NOTIFY:
        return _SEEN_TWICE_SECONDS
    planned = float(job.payload.get("validity_seconds", "0")) if job.attempt else 0.0
    return max(_SOON_SECONDS, planned)


def judge(status: CommandStatus) -> Outcome:
    """What the SMSC's refusal means for the task (SMPP v3.4 5.1.3)."""
    told = f"SMSC answered {status.name}"
    if status in _THROTTLED:
        return Later(_THROTTLED[status], told)
    if status in _OUR_ACCOUNT:
        return Retry(told, neighbour_down=True)
    return Retry(told) if status in _AGAIN else Failed(told)


class SmsInbox:
    """What an SMSC delivers to us: receipts. Answered once they are durable."""

    def __init__(self, receipts: Receipts, numbers: Numbers) -> None:
        self._receipts = receipts
        self._numbers = numbers

    async def take(self, smsc: str, pdu: DeliverSm | DataSm) -> CommandStatus | None:
        """The status of the answer; None when no SMS of ours has the id (yet: its submit_sm_resp may be a moment
        ahead of the commit that notes it)."""
        if not is_receipt(pdu):
            return CommandStatus.ESME_RX_P_APPN  # nobody here takes mobile originated SMS
        receipt = read_receipt(pdu)
        state = _RECEIPT_STATES.get(receipt.state, ReceiptState.FAILED)
        text = receipt.text[:200]
        for message_id in receipt.message_ids:
            if await self._receipts.receipt(smsc, message_id, state, text):
                return CommandStatus.ESME_ROK
        # In another form it may be another message's id: the number decides. Some SMSCs do not swap the addresses.
        numbers = (pdu.source_addr, pdu.destination_addr)
        for form in dict.fromkeys(form for one in receipt.message_ids for form in normal_forms(one)):
            if await self._receipts.receipt(smsc, form, state, text, numbers):
                return CommandStatus.ESME_ROK
        return None
