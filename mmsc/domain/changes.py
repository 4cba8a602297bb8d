"""What a VASP may still change about an MM that it handed in: whom it can be cancelled for, and what replaces it
(TS 23.140 8.7.3). A cancel or replace that comes during a GET loses to the GET."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from mmsc.domain.instant import Instant
from mmsc.domain.limits import absolute
from mmsc.domain.message import Content, Mm, MmId, Recipient, Remark, When
from mmsc.domain.states import FINAL, Happening, RecipientState, move
from protocols.records import record

S = RecipientState
REPLACED_AT = "replaced_at"  # in an MM's details: when its content was last replaced (µs)
_CANCELS = 0x13  # m-cancel-req came with version 1.3
_NOTIFIED = (S.NOTIFIED, S.DEFERRED, S.LINK_SENT)


class Operation(StrEnum):
    """What is asked for."""

    CANCEL = "cancel"
    REPLACE = "replace"
    EXTENDED_CANCEL = "extended_cancel"  # handsets that have it are asked to forget it
    EXTENDED_REPLACE = "extended_replace"


@record(frozen=True, slots=True, kw_only=True)
class ChangePolicy:
    """`after_notification`: a recipient who was notified and has not fetched can still be served otherwise."""

    after_notification: bool = True


@record(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for what. `key` is the digest that makes a request a repeat ("": never), `identifier` its own name,
    `remarks` what there was to remark about its octets."""

    vasp: str
    message_id: str
    key: str = ""
    identifier: str = ""
    remarks: tuple[Remark, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What a ReplaceReq gives; None and what is not in `details` stays as it was. Recipients and expiry always do."""

    content: Content | None = None
    date: Instant | None = None
    deliver_at: When | None = None
    read_report: bool | None = None
    adaptation_allowed: bool | None = None
    delivery_report: bool | None = None  # this and the expiry only when it replaces what handsets have already
    expires: When | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@record(frozen=True, slots=True)
class Changed:
    """What came of it: for how many it was done, and for whom (address, why) it came too late. `details` are its
    MM's."""

    mm_id: MmId
    done: int
    late: tuple[tuple[str, str], ...] = ()
    repeat: bool = False
    details: Mapping[str, str] = field(default_factory=dict, compare=False)


class Unknown:
    """No MM of this VASP has this Message-ID."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


def too_late(recipient: Recipient, policy: ChangePolicy) -> str:
    """Why a recipient is served as it stands, "" when it can be cancelled or given other content."""
    if recipient.state is S.RELAYED:
        return "another system has it"
    if move(recipient.state, Happening.CANCELLED) is None:
        return f"{recipient.state} already"
    if recipient.fetched_at is not None:
        return "it was fetched already"
    if not policy.after_notification and recipient.state in _NOTIFIED:
        return "the recipient was notified already"
    return ""


def too_old(mms_version: int) -> str:
    """Why a handset knows no m-cancel-req, "" when it may (OMA-TS-MMS_ENC 1.3). 0: it never said what it speaks."""
    return f"its handset speaks MMS {mms_version >> 4}.{mms_version & 15}" if 0 < mms_version < _CANCELS else ""


def is_over(recipient: Recipient, mm: Mm) -> bool:
    """Whether a recipient ended with content that was replaced since: that cannot be shown again."""
    return recipient.state in FINAL and recipient.state_at < int(mm.details.get(REPLACED_AT, "0"))


def replaced(mm: Mm, change: Replacement, now: Instant) -> Mm:
    """The MM as it is from now on."""
    content = change.content
    details = {**mm.details, **change.details}
    if content is not None:
        details[REPLACED_AT] = str(now)
    deliver_at = mm.deliver_at
    if change.deliver_at is not None and deliver_at is not None:
        deliver_at = absolute(change.deliver_at, now)
    return mm._replace(
        date=mm.date if change.date is None else change.date,
        deliver_at=deliver_at,
        read_report=mm.read_report if change.read_report is None else change.read_report,
        adaptation_allowed=mm.adaptation_allowed if change.adaptation_allowed is None else change.adaptation_allowed,
        content_type=mm.content_type if content is None else content.content_type,
        size=mm.size if content is None else len(content.body),
        details=details,
    )
