"""The limits a submission is held against, and the times it may ask for."""

from typing import Final

from mmsc.domain.address import LONGEST_ADDRESS
from mmsc.domain.instant import DAY, Instant, later
from mmsc.domain.message import Content, Relative, Submission, When
from mmsc.domain.refusal import RefusalReason, Refused
from protocols.records import record

LONGEST_NAME: Final = 1024  # characters of a Message-Class or Message-ID: each is kept and told with every recipient


@record(frozen=True, slots=True, kw_only=True)
class Limits:
    """Named limits; each is a setting."""

    maximum_octets: int = 1024 * 1024  # of the encoded content
    maximum_recipients: int = 1000
    maximum_parts: int = 100
    maximum_subject_characters: int = 512
    maximum_forward_counter: int = 5  # a loop between MMSCs (TS 23.140 8.4.1.4)
    default_validity: int = 3 * DAY
    maximum_validity: int = 30 * DAY


@record(frozen=True, slots=True)
class Times:
    """When an MM may leave, and until when it is worth leaving. `asked` is a later expiry that was asked for."""

    deliver_at: Instant | None
    expires_at: Instant
    asked: Instant | None = None


def absolute(when: When, now: Instant) -> Instant:
    """A relative time counts from reception (TS 23.140 8.1.3.2, 8.4.1.4, 8.7)."""
    return later(now, when.seconds) if isinstance(when, Relative) else when


def refusal_of(content: Content, limits: Limits) -> Refused | None:
    """Why a content is too much, None when it is not."""
    if len(content.body) > limits.maximum_octets:
        why = f"content of {len(content.body)} octets, the limit is {limits.maximum_octets}"
        return Refused(RefusalReason.TOO_LARGE, why)
    if len(content.parts) > limits.maximum_parts:
        why = f"{len(content.parts)} parts, the limit is {limits.maximum_parts}"
        return Refused(RefusalReason.CONTENT_REFUSED, why)
    return None


def check(submission: Submission, limits: Limits, now: Instant) -> Times | Refused:
    """The submission's times, or why it is too much."""
    content = submission.content
    refused = None if content is None else refusal_of(content, limits)
    if refused is not None:
        return refused
    if len(submission.recipients) > limits.maximum_recipients:
        why = f"{len(submission.recipients)} recipients, the limit is {limits.maximum_recipients}"
        return Refused(RefusalReason.TOO_MANY_RECIPIENTS, why)
    if len(submission.subject) > limits.maximum_subject_characters:
        why = f"subject of {len(submission.subject)} characters, the limit is {limits.maximum_subject_characters}"
        return Refused(RefusalReason.CONTENT_REFUSED, why)
    if len(submission.message_class) > LONGEST_NAME or len(submission.foreign_id or "") > LONGEST_NAME:
        why = f"a Message-Class or Message-ID of more than {LONGEST_NAME} characters"
        return Refused(RefusalReason.CONTENT_CORRUPT, why)
    for spec in submission.recipients:
        if len(spec.text) > LONGEST_ADDRESS:
            why = f"an address of {len(spec.text)} characters, the longest are {LONGEST_ADDRESS}"
            return Refused(RefusalReason.ADDRESS_MALFORMED, why, spec.text[:LONGEST_ADDRESS])
    if submission.forward_counter > limits.maximum_forward_counter:
        return Refused(RefusalReason.FORWARDED_TOO_OFTEN, f"forwarded {submission.forward_counter} times")
    return _times(submission, limits, now)


def _times(submission: Submission, limits: Limits, now: Instant) -> Times | Refused:
    deliver_at = None if submission.deliver_at is None else absolute(submission.deliver_at, now)
    if deliver_at is not None and deliver_at <= now:
        deliver_at = None
    ceiling = Instant(now + limits.maximum_validity)
    if deliver_at is not None and deliver_at >= ceiling:
        return Refused(RefusalReason.EXPIRY_PAST, "the delivery time lies beyond the longest validity")
    if submission.expires is None:
        expires_at = Instant((deliver_at or now) + limits.default_validity)
    else:
        expires_at = absolute(submission.expires, now)
        if expires_at <= now:
            return Refused(RefusalReason.EXPIRY_PAST, "the expiry lies in the past")
    asked = expires_at if submission.expires is not None and expires_at > ceiling else None
    expires_at = min(expires_at, ceiling)
    if deliver_at is not None and expires_at <= deliver_at:
        return Refused(RefusalReason.EXPIRY_PAST, "the expiry lies before the delivery time")
    return Times(deliver_at, expires_at, asked)
