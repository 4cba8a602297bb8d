"""MM4 words to domain words and back (TS 23.140 8.4)."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from mmsc.domain.address import Address, AddressKind, NotAnAddress, Rewrite
from mmsc.domain.instant import SECOND, Instant, from_datetime, to_datetime
from mmsc.domain.message import Interface, Job, Mm, Origin, Priority, RecipientSpec, Relative, Role, Submission, When
from mmsc.domain.neighbours import Peer, Repeats
from mmsc.domain.refusal import RefusalReason
from mmsc.domain.reports import status_of
from mmsc.domain.states import Cause, Happening, RecipientState
from mmsc.engine.ports import Numbers
from mmsc.gateways.addresses import spelled
from mmsc.gateways.content import LONGEST_DETAIL, MAIL_ON_ITS_WAY, from_mime, plausible
from mmsc.gateways.mm4 import previously
from mmsc.gateways.repeats import repeat_key
from protocols.address import read
from protocols.mm4 import DeliveryReportReq, ForwardReq, Message, MmStatusCode, RequestStatusCode

_R: Final = RequestStatusCode
STATUS_OF: Final = {
    RefusalReason.NO_RECIPIENTS: _R.ERROR_SENDING_ADDRESS_UNRESOLVED,
    RefusalReason.ADDRESS_MALFORMED: _R.ERROR_SENDING_ADDRESS_UNRESOLVED,
    RefusalReason.RECIPIENT_UNKNOWN: _R.ERROR_SENDING_ADDRESS_UNRESOLVED,
    RefusalReason.TOO_MANY_RECIPIENTS: _R.ERROR_SERVICE_DENIED,
    RefusalReason.SENDER_NOT_ALLOWED: _R.ERROR_SERVICE_DENIED,
    RefusalReason.SENDER_UNRESOLVED: _R.ERROR_SERVICE_DENIED,
    RefusalReason.TOO_LARGE: _R.ERROR_CONTENT_NOT_ACCEPTED,
    RefusalReason.CONTENT_REFUSED: _R.ERROR_CONTENT_NOT_ACCEPTED,
    RefusalReason.CONTENT_CORRUPT: _R.ERROR_MESSAGE_FORMAT_CORRUPT,
    RefusalReason.EXPIRY_PAST: _R.ERROR_MESSAGE_FORMAT_CORRUPT,
    RefusalReason.LINKED_ID_UNKNOWN: _R.ERROR_SERVICE_DENIED,  # only MM7 has one
    RefusalReason.MM_UNKNOWN: _R.ERROR_MESSAGE_NOT_FOUND,  # only MM1 forwards so
    RefusalReason.REPLY_LIMITS: _R.ERROR_SERVICE_DENIED,  # MM4 carries no reply charging
    RefusalReason.REPLY_OFFER_REFUSED: _R.ERROR_SERVICE_DENIED,
    RefusalReason.REPLY_OFFER_FORWARDED: _R.ERROR_SERVICE_DENIED,
    RefusalReason.REPLY_CHARGING_OFF: _R.ERROR_SERVICE_DENIED,
    RefusalReason.FORWARDED_TOO_OFTEN: _R.ERROR_SERVICE_DENIED,
    RefusalReason.NOT_IDENTIFIED: _R.ERROR_SERVICE_DENIED,
    RefusalReason.NOT_OFFERED: _R.ERROR_SERVICE_DENIED,
    RefusalReason.REPORT_IMPOSSIBLE: _R.ERROR_SERVICE_DENIED,  # only VASPs need an address
    RefusalReason.NO_CREDIT: _R.ERROR_SERVICE_DENIED,
    RefusalReason.TOO_FAST: _R.ERROR_NETWORK_PROBLEM,
    RefusalReason.BUSY: _R.ERROR_NETWORK_PROBLEM,
    RefusalReason.STORE_UNAVAILABLE: _R.ERROR_NETWORK_PROBLEM,
    RefusalReason.SERVER_FAILED: _R.ERROR_NETWORK_PROBLEM,
}
HAPPENINGS: Final = {
    MmStatusCode.EXPIRED: Happening.PEER_EXPIRED,
    MmStatusCode.RETRIEVED: Happening.PEER_RETRIEVED,
    MmStatusCode.REJECTED: Happening.PEER_REJECTED,
    MmStatusCode.DEFERRED: Happening.PEER_DEFERRED,
    MmStatusCode.UNRECOGNISED: Happening.PEER_UNRECOGNISED,
    MmStatusCode.INDETERMINATE: Happening.PEER_INDETERMINATE,
    MmStatusCode.FORWARDED: Happening.PEER_FORWARDED,
}
_CARRIED: Final = ("content_class", "drm_content", "applic_id", "reply_applic_id", "aux_applic_info")
_FOR_VASPS: Final[tuple[str, ...]] = ("applic_id", "reply_applic_id", "aux_applic_info")
_REPLY_CHARGING_ID: Final = "x-mms-reply-charging-id"
_MAILBOX: Final = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]+@[A-Za-z0-9.\-:\[\]]+")  # RFC 5321 4.1.2, unquoted
_PRIORITIES: Final = {"low": Priority.LOW, "normal": Priority.NORMAL, "high": Priority.HIGH}


def mailbox(address: Address, domain: str, rewrites: tuple[Rewrite, ...] = ()) -> str:
    """An address in the envelope (8.4.5)."""
    return address.value if address.kind is AddressKind.EMAIL else f"{spelled(address, rewrites)}@{domain}"


def is_mailbox(text: str) -> bool:
    """Whether it can stand in an envelope as it is: ASCII, no blanks, no quotes."""
    return _MAILBOX.fullmatch(text) is not None


def submission_of(
    message: ForwardReq, peer: Peer, envelope: Sequence[str], numbers: Numbers, now: Instant
) -> Submission:
    """A forward in domain words. The envelope says who is served; header recipients are only shown; who is in the
    envelope and in no header, in whatever spelling, is Bcc. Raises DecodeError for content that cannot be taken
    apart."""

    def one(text: str) -> str:
        found = numbers.normalise(local_of(text), f"peer:{peer.name}")
        return _bare(text) if isinstance(found, NotAnAddress) else found.address.value

    shown = {one(text): role for role, texts in ((Role.CC, message.cc), (Role.TO, message.to)) for text in texts}
    served = {one(text) for text in envelope}
    recipients = [RecipientSpec(local_of(text), shown.get(one(text), Role.BCC)) for text in envelope]
    recipients += [
        RecipientSpec(text, role, display_only=True)
        for role, texts in ((Role.TO, message.to), (Role.CC, message.cc))
        for text in texts
        if one(text) not in served
    ]
    content = None if message.content is None else from_mime(message.content)
    return Submission(
        origin=Origin(Interface.MM4, peer.name),
        sender=local_of(message.from_),
        recipients=tuple(recipients),
        content=content,
        repeat_key=_repeat_key(message, peer, b"" if content is None else content.body),
        repeats_by_recipient=True,
        refuses_late=True,  # semantics 9: one RES for all
        identifier=f"X-Mms-Transaction-ID {message.transaction_id} with X-Mms-Message-ID {message.message_id}",
        subject=message.subject,
        message_class=message.message_class,
        priority=_PRIORITIES.get(message.priority.lower(), Priority.NORMAL),
        delivery_report=bool(message.delivery_report),
        system_report=bool(message.originator_rs_delivery_report),
        read_report=bool(message.read_reply),
        sender_hidden=message.sender_visibility.lower() == "hide",
        adaptation_allowed=message.adaptation_allowed is not False,
        date=plausible(None if message.date is None else from_datetime(message.date), now, MAIL_ON_ITS_WAY),
        expires=_expires(message.expiry),
        foreign_id=message.message_id,
        forward_counter=message.forward_counter or 0,
        details={
            "mm4_transaction_id": message.transaction_id,
            "mm4_originator_system": message.originator_system,
            "mm4_version": message.mms_version,
            "mm4_ack_request": "1" if message.ack_request else "",
            **_carried(message),
            **(previously.read(message.unknown, one) if message.unknown else {}),
        },
    )


def _carried(message: ForwardReq) -> dict[str, str]:
    """What only another MMSC understands: kept for when the MM goes on to one (8.4.4: unknown fields travel along); and
    what a DeliverReq has too, by the names of MM7."""
    fields = {name: getattr(message, name) for name in _CARRIED if getattr(message, name) not in ("", None)}
    if not fields and not message.unknown:
        return {}
    for_vasps: dict[str, str] = {name: str(fields[name]) for name in _FOR_VASPS if name in fields}
    charged = [value for name, value in message.unknown if name.lower() == _REPLY_CHARGING_ID]
    if charged:
        for_vasps["reply_charging_id"] = charged[0].strip()
    told = {name: value for name, value in for_vasps.items() if len(value) <= LONGEST_DETAIL}
    return {"mm4_carried": json.dumps({"fields": fields, "unknown": message.unknown}), **told}


def _expires(expiry: datetime | int | None) -> When | None:
    if expiry is None:
        return None
    return Relative(expiry) if isinstance(expiry, int) else from_datetime(expiry)


def request_recipients(message: ForwardReq, envelope: Sequence[str]) -> tuple[str, ...]:
    """Whom a RES is about: "" for all that the mail's head shows; by name where a relay split the mail (8.4.1)."""
    served = {_bare(text) for text in envelope}
    if served == {_bare(text) for text in (*message.to, *message.cc)}:
        return ()
    return tuple(local_of(text) for text in envelope)


def local_of(text: str) -> str:
    """A number without the MMSC's domain; e-mail addresses stay whole."""
    return str(replace(read(text), domain=""))


def _bare(text: str) -> str:
    return read(text).value.upper()


def _repeat_key(message: Message, peer: Peer, body: bytes) -> bytes | None:
    """Without the envelope: a relay may split a mail, and try each piece again."""
    if peer.repeats is Repeats.OFF:
        return None
    parts = ("mm4", peer.name, type(message).__name__, message.transaction_id, message.message_id)
    return repeat_key(*parts, content=(body,) if peer.repeats is Repeats.CONTENT else ())


def forward_req(job: Job, peer: Peer, now: Instant, numbers: Numbers, *, system_address: str) -> ForwardReq:
    """The head of the MM4_forward.REQ; expiry is counted anew at each attempt. Of Bcc recipients only a single one is
    shown, to itself. Numbers are shown as the envelope spells them, so that a peer can tell To from Bcc (8.4.5)."""
    mm = job.stored_mm

    def typed(text: str) -> str:
        found = numbers.normalise(text, mm.origin.key)
        return text if isinstance(found, NotAnAddress) else spelled(found.address, peer.rewrites_out)

    carried = json.loads(mm.details.get("mm4_carried", "{}"))
    unknown = tuple((name, value) for name, value in carried.get("unknown", ()))
    to = tuple(text for role, text in mm.shown_to if role is Role.TO)
    cc = tuple(text for role, text in mm.shown_to if role is Role.CC)
    return ForwardReq(
        mms_version=peer.mm4_version,
        transaction_id=job.payload["transaction_id"],
        message_id=mm.message_id,
        sender=system_address,
        from_=spelled(mm.sender, peer.rewrites_out),
        to=tuple(map(typed, to)) if to or cc else _alone(job, peer),
        cc=tuple(map(typed, cc)),
        date=to_datetime(mm.date),
        subject=mm.subject,
        originator_system=system_address,
        message_class=mm.message_class or "Personal",
        expiry=max(1, (mm.expires_at - now) // SECOND),
        delivery_report=mm.delivery_report,
        originator_rs_delivery_report=False,
        priority=mm.priority.name.capitalize(),
        sender_visibility="Hide" if mm.sender_hidden else "Show",
        read_reply=mm.read_report,
        ack_request=peer.ack_request,
        forward_counter=mm.forward_counter + 1,
        adaptation_allowed=mm.adaptation_allowed,
        unknown=unknown or previously.written(mm.details, peer),
        **(carried.get("fields") or _asked_for(mm)),
    )


def _asked_for(mm: Mm) -> dict[str, Any]:
    """What an originator of ours asked for that another MMSC has fields for."""
    details = mm.details
    fields: dict[str, Any] = {name: details[name] for name in _CARRIED if details.get(name)}
    if "drm_content" in fields:
        fields["drm_content"] = fields["drm_content"] == "true"
    if "content_class" in fields:
        fields["content_class"] = fields["content_class"].lower()
    return fields


def _alone(job: Job, peer: Peer) -> tuple[str, ...]:
    return (spelled(job.recipients[0].address, peer.rewrites_out),) if len(job.recipients) == 1 else ()


def delivery_report_req(job: Job, peer: Peer, *, system_address: str) -> DeliveryReportReq | None:
    """The MM4_delivery_report.REQ, None where MM4 has no word for the state. From is the MM's recipient."""
    mm = job.stored_mm
    status = status_of(RecipientState(job.payload["state"]), Cause(job.payload.get("cause", "")))
    if not status.mm4:
        return None
    return DeliveryReportReq(
        mms_version=peer.mm4_version,
        transaction_id=job.payload["transaction_id"],
        message_id=mm.message_id,
        sender=system_address,
        from_=spelled(job.recipients[0].address, peer.rewrites_out),
        to=(spelled(mm.sender, peer.rewrites_out),),
        date=to_datetime(Instant(int(job.payload["date"]))),
        mm_status_code=MmStatusCode(status.mm4),
        mm_status_extension=status.mm4_extension,
        status_text=job.payload.get("text", "") or status.text,
        forward_to_originator_ua=job.payload.get("to_originator", "1") == "1",
        ack_request=False,
    )
