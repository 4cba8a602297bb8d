"""A draft that comes by REST, in domain words: it enters at the same door as what gateways translate."""

from datetime import datetime
from typing import Final

from mmsc.control.sending.draft import BadDraft, Draft, flag, parts_of
from mmsc.domain.instant import from_datetime
from mmsc.domain.message import Content, Interface, Origin, Priority, RecipientSpec, Relative, Role, Submission, When
from mmsc.domain.runs import RUN, tag_of
from mmsc.gateways.content import build
from protocols.errors import ProtocolError
from protocols.wsp.multipart import Part

_PRIORITIES: Final = {"": Priority.NORMAL, **{one.name.lower(): one for one in Priority}}
_LONGEST_RUN: Final = 100  # characters


def submission_of(draft: Draft) -> Submission:
    """Raises BadDraft for what means nothing."""
    if not draft.sender:
        raise BadDraft("sender", "who sends it is missing")
    if draft.priority.lower() not in _PRIORITIES:
        raise BadDraft("priority", f"{draft.priority!r} is none of low, normal, high")
    if len(draft.run) > _LONGEST_RUN:
        raise BadDraft("run", f"{len(draft.run)} characters, the limit is {_LONGEST_RUN}")
    recipients = [
        RecipientSpec(address, role)
        for role, addresses in ((Role.TO, draft.to), (Role.CC, draft.cc), (Role.BCC, draft.bcc))
        for address in addresses
    ]
    return Submission(
        origin=Origin(Interface.REST, ""),
        sender=draft.sender,
        recipients=tuple(recipients),
        content=_content(draft),
        identifier=draft.transaction_id,
        subject=draft.subject,
        message_class=draft.message_class,
        priority=_PRIORITIES[draft.priority.lower()],
        delivery_report=bool(flag(draft.delivery_report, "delivery_report")),
        read_report=bool(flag(draft.read_report, "read_report")),
        deliver_at=_when(draft.earliest, "earliest"),
        expires=_when(draft.expiry, "expiry"),
        details={RUN: tag_of(draft.run)} if draft.run else {},
    )


def _content(draft: Draft) -> Content | None:
    parts = parts_of(draft)
    if not parts:
        return None
    try:
        return build([Part(one.content_type, one.data, one.content_id, one.content_location) for one in parts])
    except ProtocolError as error:
        raise BadDraft("attachments", str(error)) from error


def _when(text: str, field: str) -> When | None:
    if not text:
        return None
    try:
        return Relative(int(text)) if text.isdecimal() else from_datetime(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise BadDraft(field, f"{text!r} is neither seconds nor an ISO time") from error
