"""An m-send-req (OMA-TS-MMS_ENC 6.1.1) from a draft, posted as a handset behind an operator's gateway does."""

from datetime import datetime
from typing import Final, TypeVar

from mmsc.control.sending.draft import BadDraft, Draft, flag, parts_of
from mmsc.control.sending.wire import Wire
from mmsc.domain.instant import SECOND, from_datetime
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError, EncodeError, Finding
from protocols.mm1 import MSendReq
from protocols.wsp.multipart import Part, encode_multipart

_MIXED: Final = ContentType("application/vnd.wap.multipart.mixed")
_RELATED: Final = "application/vnd.wap.multipart.related"
_VERSIONS: Final = {"1.0": 0x10, "1.1": 0x11, "1.2": 0x12, "1.3": 0x13}
_CLASSES: Final = {one.name.lower(): one for one in mm1.MessageClass}
_PRIORITIES: Final = {one.name.lower(): one for one in mm1.Priority}
IDENTITY: Final = "X-MSISDN"

T = TypeVar("T")


def send_req(draft: Draft, url: str, transaction_id: str) -> Wire:
    """Ready to be posted. Raises BadDraft for what has no octets at all."""
    version = _VERSIONS.get(draft.mms_version, 0)
    if not version:
        raise BadDraft("mms_version", f"{draft.mms_version!r} is none of {', '.join(_VERSIONS)}")
    content_type, body = _content(draft)
    pdu = MSendReq(
        mms_version=version,
        transaction_id=transaction_id,
        from_=draft.sender or mm1.INSERT_ADDRESS,
        to=tuple(draft.to),
        cc=tuple(draft.cc),
        bcc=tuple(draft.bcc),
        subject=draft.subject or None,
        message_class=_CLASSES.get(draft.message_class.lower(), draft.message_class) or None,
        priority=_one_of(_PRIORITIES, draft.priority, "priority"),
        delivery_report=flag(draft.delivery_report, "delivery_report"),
        read_report=flag(draft.read_report, "read_report"),
        expiry=_moment(draft.expiry, "expiry"),
        delivery_time=_moment(draft.earliest, "earliest"),
        content_type=content_type,
        body=body,
    )
    try:
        octets = mm1.encode(pdu)
    except (EncodeError, ValueError) as error:
        raise BadDraft("message", str(error)) from error
    headers = [("Content-Type", "application/vnd.wap.mms-message"), ("Accept", "*/*")]
    if draft.user_agent:
        headers.append(("User-Agent", draft.user_agent))
    if draft.number:
        headers.append((IDENTITY, draft.number.lstrip("+")))
    if draft.run:
        headers.append(("X-MMSC-Run", draft.run))
    findings, refused = _judged(octets)
    return Wire(
        interface="mm1",
        url=url,
        headers=tuple(headers),
        body=octets,
        transaction_id=transaction_id,
        findings=findings,
        refused=refused,
    )


def _content(draft: Draft) -> tuple[ContentType, bytes]:
    parts = parts_of(draft)
    made = [Part(one.content_type, one.data, one.content_id, one.content_location) for one in parts]
    content_type = _MIXED
    if parts and parts[0].content_type.media_type == "application/smil":
        start = f"<{parts[0].content_id}>"
        content_type = ContentType(_RELATED, (("type", "application/smil"), ("start", start)))
    try:
        return content_type, encode_multipart(made)
    except (EncodeError, ValueError) as error:
        raise BadDraft("attachments", str(error)) from error


def _judged(octets: bytes) -> tuple[tuple[Finding, ...], str]:
    try:
        return mm1.decode(octets).findings, ""
    except DecodeError as error:
        return (), str(error)


def _one_of(known: dict[str, T], text: str, field: str) -> T | None:
    if not text:
        return None
    if text.lower() not in known:
        raise BadDraft(field, f"{text!r} has no octet (OMA-TS-MMS_ENC 7): {', '.join(known)}")
    return known[text.lower()]


def _moment(text: str, field: str) -> mm1.Moment | None:
    if not text:
        return None
    try:
        if text.isdecimal():
            return mm1.Moment(int(text))
        return mm1.Moment(from_datetime(datetime.fromisoformat(text)) // SECOND, relative=False)
    except (ValueError, OverflowError) as error:
        raise BadDraft(field, f"{text!r} is neither seconds nor an ISO time") from error
