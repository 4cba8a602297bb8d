"""An MM4_forward.REQ (TS 23.140 8.4.1) from a draft, mailed as another MMSC does."""

import re
from datetime import datetime
from typing import Final

from mmsc.control.sending.draft import BadDraft, Draft, flag, parts_of
from mmsc.control.sending.wire import Wire
from mmsc.domain.instant import Instant, to_datetime
from protocols import mm4
from protocols.content_type import ContentType
from protocols.errors import DecodeError, EncodeError, Finding
from protocols.mm4 import ForwardReq

_PEER: Final = "mmsc.peer.example"
_USER: Final = "system-user"
_DOMAIN: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")  # or an address literal (RFC 5321 4.1.3)


def forward_req(draft: Draft, place: tuple[str, int], domain: str, transaction_id: str, now: Instant) -> Wire:
    """Ready to be mailed; `domain` is ours. Raises BadDraft for what has no octets at all."""
    peer = draft.peer or _PEER
    if not _DOMAIN.fullmatch(peer):
        raise BadDraft("peer", f"{peer!r} cannot stand in EHLO and MAIL FROM")
    recipients = [*draft.to, *draft.cc, *draft.bcc]
    parts = parts_of(draft, "base64")
    message = ForwardReq(
        transaction_id=transaction_id,
        message_id=draft.message_id or f"{transaction_id}@{peer}",
        sender=f"{_USER}@{peer}",
        originator_system=f"{_USER}@{peer}",
        from_=_spelled(draft.sender, peer),
        to=tuple(_spelled(one, domain) for one in draft.to),
        cc=tuple(_spelled(one, domain) for one in draft.cc),
        date=to_datetime(now),
        subject=draft.subject,
        message_class=draft.message_class,
        expiry=_expiry(draft.expiry),
        delivery_report=flag(draft.delivery_report, "delivery_report"),
        read_reply=flag(draft.read_report, "read_report"),
        ack_request=flag(draft.ack_request, "ack_request"),
        priority=draft.priority,
    )
    media = ContentType("multipart/mixed")
    if parts and parts[0].content_type.media_type == "application/smil":
        start = (("type", "application/smil"), ("start", f"<{parts[0].content_id}>"))
        media = ContentType("multipart/related", start)
    try:
        octets = mm4.encode(message, (media, parts))
        envelope = tuple(_mailbox(_spelled(one, domain)) for one in recipients)
    except (EncodeError, ValueError) as error:
        raise BadDraft("message", str(error)) from error
    findings, refused = _judged(octets)
    return Wire(
        interface="mm4",
        body=octets,
        transaction_id=transaction_id,
        message_id=message.message_id,
        place=place,
        mail_from=f"{_USER}@{peer}",
        mail_to=envelope,
        findings=findings,
        refused=refused,
    )


def _judged(octets: bytes) -> tuple[tuple[Finding, ...], str]:
    try:
        return mm4.decode(octets).findings, ""
    except DecodeError as error:
        return (), str(error)


def _spelled(text: str, domain: str) -> str:
    """TS 23.140 8.4.5: `+NUMBER/TYPE=PLMN@DOMAIN`; a mail address stays."""
    if "@" in text or not text:
        return text
    return f"{text if '/' in text else f'{text}/TYPE=PLMN'}@{domain}"


def _mailbox(text: str) -> str:
    """What may stand in RCPT TO: nothing that would be another command (RFC 5321 4.1.2)."""
    if not text or any(char in "<> \r\n\t" or not char.isprintable() for char in text):
        raise BadDraft("to", f"{text!r} cannot stand in RCPT TO")
    return text


def _expiry(text: str) -> datetime | int | None:
    if not text:
        return None
    try:
        return int(text) if text.isdecimal() else datetime.fromisoformat(text)
    except ValueError as error:
        raise BadDraft("expiry", f"{text!r} is neither seconds nor an ISO time") from error
