"""MM7 words to domain words and back (TS 23.140 8.7)."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Final

from mmsc.domain.address import Address as DomainAddress
from mmsc.domain.address import Rewrite, told
from mmsc.domain.instant import DAY, SECOND, Instant, from_datetime, to_datetime
from mmsc.domain.message import (
    Content,
    Interface,
    Job,
    Origin,
    Priority,
    RecipientSpec,
    Relative,
    Role,
    Submission,
    When,
)
from mmsc.domain.neighbours import Repeats, UnknownLinkedId, Vasp
from mmsc.domain.refusal import RefusalReason
from mmsc.domain.reports import told_status_of
from mmsc.domain.states import Cause, RecipientState
from mmsc.gateways.content import from_mime
from mmsc.gateways.mm7.coded import as_named
from mmsc.gateways.repeats import repeat_key
from protocols.errors import DecodeError
from protocols.mm7 import (
    Address,
    AddressForm,
    DeliveryReportReq,
    Dialect,
    Envelope,
    Mm7Error,
    ReadReplyReq,
    StatusCode,
    SubmitReq,
)

_DURATION: Final = re.compile(
    r"(-)?P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?"
)
_DURATION_SECONDS: Final = (31_557_600, 2_592_000, 86_400, 3600, 60, 1)  # a year is 365.25 days, a month 30
_LONGEST_FIELD: Final = 1024  # characters: fields are held in memory with their MM, and told in its reports
_RARER: Final = (
    "service_code",
    "linked_id",
    "charged_party",
    "charged_party_id",
    "content_class",
    "applic_id",
    "reply_applic_id",
    "aux_applic_info",
)
_rarer: Final = attrgetter(*_RARER)
_PRIORITIES: Final = {"low": Priority.LOW, "normal": Priority.NORMAL, "high": Priority.HIGH}

STATUS_OF: Final = {
    RefusalReason.NO_RECIPIENTS: StatusCode.ADDRESS_ERROR,
    RefusalReason.ADDRESS_MALFORMED: StatusCode.ADDRESS_ERROR,
    RefusalReason.RECIPIENT_UNKNOWN: StatusCode.ADDRESS_ERROR,
    RefusalReason.TOO_MANY_RECIPIENTS: StatusCode.MESSAGE_REJECTED,
    RefusalReason.SENDER_NOT_ALLOWED: StatusCode.OPERATION_RESTRICTED,
    RefusalReason.SENDER_UNRESOLVED: StatusCode.ADDRESS_ERROR,
    RefusalReason.TOO_LARGE: StatusCode.MULTIMEDIA_CONTENT_REFUSED,
    RefusalReason.CONTENT_REFUSED: StatusCode.MULTIMEDIA_CONTENT_REFUSED,
    RefusalReason.CONTENT_CORRUPT: StatusCode.MESSAGE_FORMAT_CORRUPT,
    RefusalReason.EXPIRY_PAST: StatusCode.MESSAGE_FORMAT_CORRUPT,
    RefusalReason.LINKED_ID_UNKNOWN: StatusCode.LINKED_ID_NOT_FOUND,
    RefusalReason.MM_UNKNOWN: StatusCode.MESSAGE_ID_NOT_FOUND,  # only MM1 forwards so
    RefusalReason.REPLY_LIMITS: StatusCode.OPERATION_RESTRICTED,
    RefusalReason.REPLY_OFFER_REFUSED: StatusCode.MESSAGE_FORMAT_CORRUPT,
    RefusalReason.REPLY_OFFER_FORWARDED: StatusCode.OPERATION_RESTRICTED,
    RefusalReason.REPLY_CHARGING_OFF: StatusCode.OPERATION_RESTRICTED,
    RefusalReason.FORWARDED_TOO_OFTEN: StatusCode.MESSAGE_REJECTED,
    RefusalReason.NOT_IDENTIFIED: StatusCode.IMPROPER_IDENTIFICATION,
    RefusalReason.NOT_OFFERED: StatusCode.OPERATION_RESTRICTED,
    RefusalReason.REPORT_IMPOSSIBLE: StatusCode.GENERAL_SERVICE_ERROR,
    RefusalReason.NO_CREDIT: StatusCode.SERVICE_DENIED,
    RefusalReason.TOO_FAST: StatusCode.SERVICE_UNAVAILABLE,
    RefusalReason.BUSY: StatusCode.SERVICE_UNAVAILABLE,
    RefusalReason.STORE_UNAVAILABLE: StatusCode.SERVICE_UNAVAILABLE,
    RefusalReason.SERVER_FAILED: StatusCode.SERVER_ERROR,
}


_END_OF_DAY: Final = re.compile(r"([0-9-]+)T24:00:00(?:\.0+)?(Z|[+-][0-9:]+)?")


def read_time(text: str, where: str) -> When | None:
    """xs:dateTime (no zone: UTC) or xs:duration from reception; None for no text. Raises Mm7Error 2007."""
    if not text:
        return None
    duration = _DURATION.fullmatch(text)
    if duration is not None and text not in ("P", "-P"):
        amounts = (float(one or 0) * unit for one, unit in zip(duration.groups()[1:], _DURATION_SECONDS, strict=True))
        return Relative((-1 if duration[1] else 1) * sum(amounts))
    end_of_day = _END_OF_DAY.fullmatch(text)
    try:
        if end_of_day is not None:  # XML Schema 3.2.7: 24:00:00 is the next day's first moment
            return Instant(
                from_datetime(datetime.fromisoformat(f"{end_of_day[1]}T00:00:00{end_of_day[2] or ''}")) + DAY
            )
        return from_datetime(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        why = f"{text!r} is neither a dateTime nor a duration"
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where=where, why=why) from error


def submission_of(envelope: Envelope, request: SubmitReq, vasp: Vasp) -> Submission:
    """The request in domain words. Raises Mm7Error for values that mean nothing."""
    content = content_of(envelope, "SubmitReq/Content")
    recipients = _specs(Role.TO, request.to)
    if request.cc:
        recipients += _specs(Role.CC, request.cc)
    if request.bcc:
        recipients += _specs(Role.BCC, request.bcc)
    given = request.sender_address
    sender = "" if given is None else bounded(given.value, "SubmitReq/SenderIdentification", StatusCode.ADDRESS_ERROR)
    return Submission(
        origin=Origin(Interface.MM7, vasp.name),
        sender=sender or vasp.sender or next(iter(vasp.short_codes), "") or vasp.name,
        recipients=tuple(recipients),
        content=content,
        repeat_key=_repeat_key(envelope, vasp, content),
        identifier=f"TransactionID {envelope.transaction_id}",
        subject=request.subject,
        message_class=bounded(request.message_class, "SubmitReq/MessageClass"),
        priority=_PRIORITIES.get(request.priority.lower(), Priority.NORMAL),
        delivery_report=bool(request.delivery_report),
        read_report=bool(request.read_reply),
        adaptation_allowed=request.allow_adaptations is not False,
        deliver_at=read_time(request.earliest_delivery_time, "SubmitReq/EarliestDeliveryTime"),
        expires=read_time(request.expiry_date, "SubmitReq/ExpiryDate"),
        details=_details(envelope, request),
        linked_id=bounded(request.linked_id, "SubmitReq/LinkedID"),
        unknown_linked_id_accepted=vasp.unknown_linked_id is UnknownLinkedId.ACCEPT,
    )


def _specs(role: Role, addresses: Sequence[Address]) -> list[RecipientSpec]:
    """Recipients with what their elements say about them; the number plan does the rest."""
    specs: list[RecipientSpec] = []
    for one in addresses:
        value = one.value
        if len(value) > _LONGEST_FIELD:
            bounded(value, "SubmitReq/Recipients", StatusCode.ADDRESS_ERROR)
        if one.form is AddressForm.RFC2822_ADDRESS:
            value = value.removeprefix("mailto:")
        specs.append(RecipientSpec(value, role, one.display_only))
    return specs


def bounded(text: str, where: str, status: StatusCode = StatusCode.MESSAGE_FORMAT_CORRUPT) -> str:
    """The text, when it is one that anybody would keep. The standard sets no limit."""
    if len(text) > _LONGEST_FIELD:
        raise Mm7Error(status, where=where, why=f"{len(text)} characters, the limit is {_LONGEST_FIELD}")
    return text


def content_of(envelope: Envelope, where: str) -> Content | None:
    """The content as it is kept, None when there is none. Raises Mm7Error 2007."""
    if envelope.content is None:
        return None
    try:
        return from_mime(envelope.content)
    except DecodeError as error:
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where=where, why=error.why) from error


def _repeat_key(envelope: Envelope, vasp: Vasp, content: Content | None) -> bytes | None:
    if vasp.repeats is Repeats.OFF:
        return None
    octets = (envelope.soap, b"" if content is None else content.body) if vasp.repeats is Repeats.CONTENT else ()
    return repeat_key("mm7", vasp.name, "SubmitReq", envelope.transaction_id, content=octets)


def _details(envelope: Envelope, request: SubmitReq) -> dict[str, str]:
    """What there is to be kept with the MM; most requests say none of the rarer things."""
    given = request.sender_address
    found = {
        "mm7_transaction_id": envelope.transaction_id,
        "mm7_namespace": envelope.dialect.namespace,
        "mm7_version": request.mm7_version,
        "vasp_id": request.vasp_id,
        "vas_id": request.vas_id,
        "sender_form": "" if given is None else given.form._value_,
    }
    rarer = _rarer(request)
    if any(rarer):
        found.update(zip(_RARER, rarer, strict=True))
    if request.delivery_conditions:
        found["delivery_conditions"] = " ".join(request.delivery_conditions)
    if not all(found.values()):
        found = {name: value for name, value in found.items() if value}
    if max(map(len, found.values()), default=0) > _LONGEST_FIELD:
        for name, value in found.items():
            bounded(value, f"SubmitReq ({name})")
    return found


def date_time(at: Instant) -> str:
    """xs:dateTime in UTC, whole seconds."""
    return _second(at // SECOND)


@lru_cache(maxsize=256)  # many reports are of the same one
def _second(number: int) -> str:
    return f"{to_datetime(Instant(number * SECOND)).replace(tzinfo=None).isoformat()}Z"


def report_of(
    job: Job, spoken: Dialect, version: str, server_id: str, rewrites: tuple[Rewrite, ...] = ()
) -> DeliveryReportReq:
    """The report that a REPORT_MM7 job means, in the words of the dialect, with numbers as its VASP spells them."""
    mm, recipient, details = job.stored_mm, job.recipients[0], job.stored_mm.details
    status = told_status_of(RecipientState(job.payload["state"]), Cause(job.payload.get("cause", "")))
    applic_id, reply_applic_id = details.get("applic_id", ""), details.get("reply_applic_id", "")
    return DeliveryReportReq(
        mm7_version=version,
        mms_relay_server_id=server_id,
        message_id=mm.message_id,
        recipient=as_named(recipient.address.value, details) or _told(recipient.address, rewrites, ""),
        sender=as_named(mm.sender.value, details) or _told(mm.sender, rewrites, details.get("sender_form", "")),
        date=date_time(Instant(int(job.payload["date"]))),
        mm_status=status.mm7_rel5 if spoken.is_rel5 else status.mm7,
        mm_status_extension=status.mm7_extension,
        status_text=job.payload.get("text", "") or status.text,
        applic_id=reply_applic_id or applic_id,
        reply_applic_id=applic_id if reply_applic_id and applic_id != reply_applic_id else "",
        aux_applic_info=details.get("aux_applic_info", ""),
    )


def read_reply_of(
    job: Job, spoken: Dialect, version: str, server_id: str, rewrites: tuple[Rewrite, ...] = ()
) -> ReadReplyReq:
    """The read report that a READ_MM7 job means (8.7.6): what the recipient did, and when its handset said so."""
    mm, recipient, details = job.stored_mm, job.recipients[0], job.stored_mm.details
    applic_id, reply_applic_id = details.get("applic_id", ""), details.get("reply_applic_id", "")
    return ReadReplyReq(
        mm7_version=version,
        mms_relay_server_id=server_id,
        message_id=mm.message_id,
        recipient=as_named(recipient.address.value, details) or _told(recipient.address, rewrites, ""),
        sender=as_named(mm.sender.value, details) or _told(mm.sender, rewrites, details.get("sender_form", "")),
        time_stamp=date_time(Instant(int(job.payload["date"]))),
        mm_status="Read" if job.payload["read"] == "1" else "Deleted",
        applic_id=reply_applic_id or applic_id,
        reply_applic_id=applic_id if reply_applic_id and applic_id != reply_applic_id else "",
        aux_applic_info=details.get("aux_applic_info", ""),
    )


def _told(address: DomainAddress, rewrites: tuple[Rewrite, ...], form: str) -> Address:
    return Address(told(address, rewrites).value, _form_as_asked(address.value, form))


def _form_as_asked(value: str, asked: str) -> AddressForm:
    """The form that the SubmitReq gave its sender, where the normalised value still fits it: a number may have come as
    `+1555/TYPE=PLMN@mms.example`, and REL-5's plain text has no form."""
    form = AddressForm(asked) if asked else form_of(value)
    return form if ("@" in value) == (form is AddressForm.RFC2822_ADDRESS) else form_of(value)


def form_of(value: str) -> AddressForm:
    """The element for an address."""
    if value.startswith("+"):
        return AddressForm.NUMBER
    return AddressForm.RFC2822_ADDRESS if "@" in value else AddressForm.SHORT_CODE
