"""An MM in a subscriber's MMBox, and what is told of it (OMA-TS-MMS_ENC 6, m-mbox-descr; TS 23.140 5.3)."""

from collections.abc import Mapping
from dataclasses import field
from typing import Final, NewType

from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.domain.message import ContentId, Mm, Priority, Role, Submission
from mmsc.domain.mmbox import BoxState
from protocols.records import record

BoxId = NewType("BoxId", int)
_UPLOADED: Final = "uploaded "
_RECEIVED: Final = "received "


@record(frozen=True, slots=True, kw_only=True)
class Told:
    """What an entry tells of its MM, in domain words. `sender` "" is one that hides; `others` are fields with a text
    name that came with an upload."""

    message_id: str = ""
    date: Instant = Instant(0)
    sender: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    message_class: str = ""
    priority: int = int(Priority.NORMAL)
    forward_counter: int = 0
    delivery_report: bool | None = None
    read_report: bool | None = None
    deliver_at: Instant | None = None
    expires_at: Instant | None = None
    content_type: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    others: tuple[tuple[str, str], ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class BoxEntry:
    """An MM in somebody's box. `token` is the end of its Content-Location, `size` the octets of its content."""

    id: BoxId
    owner: Address
    token: str
    source: str
    content_id: ContentId
    state: BoxState
    flags: tuple[str, ...]
    stored_at: Instant
    size: int
    told: Told


def source_sent(mm_id: int) -> str:
    """The entry of who submitted an MM."""
    return f"sent {mm_id}"


def source_received(recipient_id: int) -> str:
    """The entry of a recipient."""
    return f"{_RECEIVED}{recipient_id}"


def received_by(source: str) -> int | None:
    """The recipient whose entry has this source, None for one of another kind."""
    return int(source.removeprefix(_RECEIVED)) if source.startswith(_RECEIVED) else None


def source_uploaded(owner: Address, digest: bytes) -> str:
    """The entry of an upload, by what names the request and its content."""
    return f"{_UPLOADED}{owner} {digest.hex()}"


def knows_sender(entry: BoxEntry) -> bool:
    """Whether who sent its MM is more than its owner's word about somebody else."""
    return not entry.source.startswith(_UPLOADED) or entry.told.sender == entry.owner.value


def told_of(mm: Mm) -> Told:
    """What the recipient of an MM is told of it: Bcc never."""
    return Told(
        message_id=mm.message_id,
        date=mm.date,
        sender="" if mm.sender_hidden else mm.sender.value,
        to=tuple(text for role, text in mm.shown_to if role is Role.TO),
        cc=tuple(text for role, text in mm.shown_to if role is Role.CC),
        subject=mm.subject,
        message_class=mm.message_class,
        priority=int(mm.priority),
        forward_counter=mm.forward_counter,
        delivery_report=mm.delivery_report,
        read_report=mm.read_report,
        content_type=mm.content_type,
        details=mm.details,
    )


def told_of_sent(mm: Mm, submission: Submission) -> Told:
    """What the sender of an MM is told of it."""

    def named(role: Role) -> tuple[str, ...]:
        return tuple(spec.text for spec in submission.recipients if spec.role is role)

    return Told(
        message_id=mm.message_id,
        date=mm.date,
        sender=mm.sender.value,
        to=named(Role.TO),
        cc=named(Role.CC),
        bcc=named(Role.BCC),
        subject=mm.subject,
        message_class=mm.message_class,
        priority=int(mm.priority),
        forward_counter=mm.forward_counter,
        delivery_report=mm.delivery_report,
        read_report=mm.read_report,
        deliver_at=mm.deliver_at,
        expires_at=mm.expires_at,
        content_type=mm.content_type,
        details=mm.details,
    )
