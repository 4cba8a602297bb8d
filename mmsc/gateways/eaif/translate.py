"""EAIF words to domain words and back: an MMS PDU (OMA-TS-MMS_ENC 6), and X-NOKIA-MMSC headers that win over it."""

from collections.abc import Sequence
from typing import Final

from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import Content, Interface, Job, Mm, Origin, Recipient, RecipientSpec, Role, Submission
from mmsc.domain.neighbours import Repeats, Vasp
from mmsc.domain.reports import status_of
from mmsc.domain.states import Cause, RecipientState
from mmsc.gateways.addresses import spelled
from mmsc.gateways.pdus import PRIORITY_OF, class_of, content_of, retrieve_conf, shown, submission_from
from mmsc.gateways.repeats import repeat_key
from mmsc.gateways.vasp_fields import report_applications
from mmsc.ids import to_text
from protocols import address, eaif, mm1
from protocols.content_type import ContentType
from protocols.eaif import Headers, MessageType
from protocols.errors import DecodeError
from protocols.mm1 import INSERT_ADDRESS, MDeliveryInd, MReadOrigInd, MReadRecInd, MSendReq, ReadStatus
from protocols.records import record

_STATUSES: Final = {status.name.capitalize(): status for status in mm1.Status}


@record(frozen=True, slots=True)
class EaifRequest:
    """A request to an application: its HTTP headers and its body."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


# --- in ---


def submission_of(pdu: MSendReq, headers: Headers, vasp: Vasp, octets: bytes, now: Instant) -> Submission:
    """The request in domain words; `octets` are the PDU's own. Raises DecodeError for what nobody would keep."""
    given = headers.sender or (pdu.from_ if isinstance(pdu.from_, str) else "")
    name = headers.message_id or pdu.transaction_id
    kind = "X-NOKIA-MMSC-Message-Id" if headers.message_id else "X-Mms-Transaction-Id"
    known = {
        "eaif_version": headers.version,
        "eaif_message_id": headers.message_id,
        "eaif_charging": headers.charging,
        "charged_party": headers.charged_party,
    }
    _bounded(pdu, given)
    return submission_from(
        pdu,
        now,
        origin=Origin(Interface.MM7, vasp.name),
        sender=given or vasp.sender or next(iter(vasp.short_codes), "") or vasp.name,
        recipients=_recipients(pdu, headers),
        content=content_of(pdu),
        repeat_key=_repeat_key(pdu, headers, vasp, octets),
        identifier=f"{kind} {name}",
        details={key: value for key, value in known.items() if value},
    )


def _bounded(pdu: MSendReq, sender: str) -> None:
    """Fields are held in memory with their MM. Raises DecodeError for one that nobody would keep."""
    kept = (pdu.transaction_id, pdu.message_class, pdu.applic_id, pdu.reply_applic_id, pdu.aux_applic_info)
    for text in (sender, *kept, pdu.reply_charging_id, *pdu.to, *pdu.cc, *pdu.bcc):
        if isinstance(text, str) and len(text) > eaif.MAXIMUM_VALUE:
            raise DecodeError(f"a field of {len(text)} characters, the limit is {eaif.MAXIMUM_VALUE}")


def _recipients(pdu: MSendReq, headers: Headers) -> tuple[RecipientSpec, ...]:
    """Those of the headers, each in the role that the PDU gives it; whom only the PDU names is shown and not served,
    unless the headers name nobody."""
    named = [
        (text, role) for role, texts in ((Role.TO, pdu.to), (Role.CC, pdu.cc), (Role.BCC, pdu.bcc)) for text in texts
    ]
    if not headers.to:
        return tuple(RecipientSpec(text, role) for text, role in named)
    roles = {_bare(text): role for text, role in reversed(named)}
    served = {_bare(text) for text in headers.to}
    only_shown = [
        RecipientSpec(text, role, display_only=True)
        for text, role in named
        if role is not Role.BCC and _bare(text) not in served
    ]
    return (*(RecipientSpec(text, roles.get(_bare(text), Role.TO)) for text in headers.to), *only_shown)


def _bare(text: str) -> str:
    """An address to compare: without type and plus."""
    return address.read(text).value.lstrip("+").lower()


def _repeat_key(pdu: MSendReq, headers: Headers, vasp: Vasp, octets: bytes) -> bytes | None:
    """X-NOKIA-MMSC-Message-Id and X-Mms-Transaction-Id name the request; one client writes the same transaction id
    always, so the content counts."""
    if vasp.repeats is Repeats.OFF:
        return None
    names = ("eaif", vasp.name, headers.message_id, pdu.transaction_id)
    if vasp.repeats is Repeats.IDENTIFIER:
        return repeat_key(*names)
    return repeat_key(*names, headers.sender, *headers.to, content=(octets,))


# --- out ---


def message_request(
    mm: Mm, content: Content, recipients: Sequence[Recipient], transaction_id: str, vasp: Vasp
) -> EaifRequest:
    """A message to an application; `recipients` are those of this VASP, `transaction_id` is the same in every repeat.

    X-NOKIA-MMSC-Message-Id is the text of our own id of the MM, whatever its originator called it: letters and digits,
    by which an asynchronous answer finds the MM. Raises EncodeError.
    """
    headers = Headers(
        version=vasp.eaif_version,
        message_type=MessageType.MULTI_MEDIA_MESSAGE,
        message_id=to_text(mm.id),
        sender="" if mm.sender_hidden else spelled(mm.sender, vasp.rewrites_out),
        to=tuple(spelled(one.address, vasp.rewrites_out) for one in recipients),
        asynch_reply_to=vasp.eaif_asynch_reply_to,
    )
    if vasp.eaif_message == "retrieve_conf":
        head = mm1.encode_head(retrieve_conf(mm, transaction_id, mm1.VERSION_1_2))
    else:
        head = mm1.encode_head(_send_req(mm, transaction_id, headers.sender))
    return EaifRequest(eaif.write(headers), head + content.body)


def _send_req(mm: Mm, transaction_id: str, sender: str) -> MSendReq:
    return MSendReq(
        transaction_id=transaction_id,
        date=mm.date // SECOND,
        from_=sender or INSERT_ADDRESS,
        to=shown(mm, Role.TO),
        cc=shown(mm, Role.CC),
        subject=mm.subject or None,
        message_class=class_of(mm.message_class),
        priority=PRIORITY_OF[mm.priority],
        delivery_report=mm.delivery_report,
        read_report=mm.read_report,
        content_type=ContentType.parse(mm.content_type),
    )


def delivery_report_request(job: Job, vasp: Vasp) -> EaifRequest | None:
    """The report that a REPORT_MM7 job means, as m-delivery-ind (OMA-TS-MMS_ENC 6.5); None where MMS has no word for
    it. Raises EncodeError."""
    mm, recipient = job.stored_mm, job.recipients[0]
    version = _version(mm)
    word = status_of(RecipientState(job.payload["state"]), Cause(job.payload.get("cause", ""))).mm1_word(version)
    if not word:
        return None
    pdu = MDeliveryInd(
        mms_version=version,
        message_id=mm.message_id,
        to=(spelled(recipient.address, vasp.rewrites_out),),
        date=int(job.payload["date"]) // SECOND,
        status=_STATUSES[word],
        status_text=job.payload.get("text") or None,
        **report_applications(mm.details),
    )
    headers = _report_headers(mm, recipient, vasp, MessageType.DELIVERY_REPORT)
    return EaifRequest(eaif.write(headers), mm1.encode(mm1.for_version(pdu, version)))


def read_report_request(mm: Mm, recipient: Recipient, vasp: Vasp, date: Instant, *, read: bool) -> EaifRequest:
    """A read report, as m-read-orig-ind or m-read-rec-ind (OMA-TS-MMS_ENC 6.6); not `read`: deleted without being read.
    Raises EncodeError."""
    kind = MReadRecInd if vasp.eaif_read_report == "rec" else MReadOrigInd
    pdu = kind(
        mms_version=max(_version(mm), mm1.VERSION_1_1),  # 1.0 has no read report PDU
        message_id=mm.message_id,
        to=(spelled(mm.sender, vasp.rewrites_out),),
        from_=spelled(recipient.address, vasp.rewrites_out),
        date=date // SECOND,
        read_status=ReadStatus.READ if read else ReadStatus.DELETED_WITHOUT_BEING_READ,
    )
    return EaifRequest(
        eaif.write(_report_headers(mm, recipient, vasp, MessageType.READ_REPLY)),
        mm1.encode(pdu),
    )


def _version(mm: Mm) -> int:
    """What the application spoke in its m-send-req, 1.3 at most."""
    return min(int(mm.details.get("mms_version", str(mm1.VERSION_1_2))), mm1.VERSION_1_3)


def _report_headers(mm: Mm, recipient: Recipient, vasp: Vasp, kind: MessageType) -> Headers:
    """From the recipient that it is about, to the MM's sender."""
    return Headers(
        version=vasp.eaif_version,
        message_type=kind,
        message_id=mm.message_id,
        sender=spelled(recipient.address, vasp.rewrites_out),
        to=(spelled(mm.sender, vasp.rewrites_out),),
    )
