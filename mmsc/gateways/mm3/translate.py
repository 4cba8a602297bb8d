"""A mail in domain words (TS 23.140 8.3.1; RFC 4356 2.1)."""

from collections.abc import Sequence
from typing import Final

from mmsc.domain.instant import Instant, from_datetime
from mmsc.domain.message import Interface, Origin, Priority, RecipientSpec, Role, Submission
from mmsc.gateways.content import MAIL_ON_ITS_WAY, from_mime, plausible
from mmsc.gateways.repeats import repeat_key
from protocols.address import read
from protocols.mm3 import Mail

_PRIORITIES: Final = {"high": Priority.HIGH, "low": Priority.LOW}
_AUTOMATIC: Final = "Auto"


def submission_of(mail: Mail, envelope: Sequence[str], now: Instant) -> Submission:
    """The envelope says who is served, the head who is shown and how; who is only in the envelope is Bcc. Raises
    DecodeError for content that cannot be taken apart."""
    shown = {one.lower(): role for role, texts in ((Role.CC, mail.cc), (Role.TO, mail.to)) for one in texts}
    served = {one.lower() for one in envelope}
    recipients = [RecipientSpec(local_part(one), shown.get(one.lower(), Role.BCC)) for one in envelope]
    recipients += [
        RecipientSpec(one, role, display_only=True)
        for role, texts in ((Role.TO, mail.to), (Role.CC, mail.cc))
        for one in texts
        if one.lower() not in served
    ]
    content = from_mime(mail.content)
    names = ("mm3", mail.from_, mail.message_id)
    return Submission(
        origin=Origin(Interface.MM3, mail.from_.lower()),
        sender=mail.from_,
        recipients=tuple(recipients),
        content=content,
        repeat_key=repeat_key(*names, content=(content.body,)) if mail.message_id else None,
        repeats_by_recipient=True,
        subject=mail.subject,
        message_class=_AUTOMATIC if mail.is_automatic else "",
        priority=_PRIORITIES.get(mail.priority, Priority.NORMAL),
        date=plausible(None if mail.date is None else from_datetime(mail.date), now, MAIL_ON_ITS_WAY),
        foreign_id=mail.message_id or None,
    )


def local_part(mailbox: str) -> str:
    """The number or short code that a mailbox of ours stands for."""
    return read(mailbox.rpartition("@")[0]).value
