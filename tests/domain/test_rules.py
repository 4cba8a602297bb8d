"""Limits, retries and the next step for a subscriber's MM, with time handed in."""

from dataclasses import replace

import pytest

from mmsc.domain.address import Address
from mmsc.domain.instant import DAY, HOUR, SECOND, Instant
from mmsc.domain.limits import Limits, Times, check
from mmsc.domain.message import (
    Content,
    ContentId,
    Interface,
    Mm,
    MmId,
    Origin,
    Priority,
    Recipient,
    RecipientId,
    RecipientSpec,
    Relative,
    Role,
    Route,
    Submission,
)
from mmsc.domain.neighbours import Verdict
from mmsc.domain.notification import Begin, Drop, End, NotificationPolicy, Push, SendLink, Wait, next_step
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.retry import GiveUp, RetryPolicy, next_attempt
from mmsc.domain.states import FINAL, Happening, RecipientState

T0 = Instant(1_700_000_000 * SECOND)
POLICY = NotificationPolicy()
MM = Mm(
    id=MmId(1),
    message_id="m@mms.example",
    origin=Origin(Interface.MM7, "news"),
    sender=Address.of("4488"),
    subject="",
    message_class="",
    priority=Priority.NORMAL,
    delivery_report=True,
    read_report=False,
    sender_hidden=False,
    adaptation_allowed=True,
    shown_to=(),
    submitted_at=T0,
    date=T0,
    deliver_at=None,
    expires_at=Instant(T0 + DAY),
    foreign_id=None,
    forward_counter=0,
    content_id=ContentId(1),
    content_type="application/vnd.wap.multipart.mixed",
    size=1,
    details={},
)
RECIPIENT = Recipient(
    id=RecipientId(2),
    mm_id=MmId(1),
    address=Address.of("+15550100123"),
    role=Role.TO,
    route=Route.SUBSCRIBER,
    target="local",
    state=RecipientState.ACCEPTED,
    state_at=T0,
)


def at(seconds: float) -> Instant:
    return Instant(T0 + round(seconds * SECOND))


def submission(**changes: object) -> Submission:
    base = Submission(
        origin=Origin(Interface.MM7, "news"), sender="4488", recipients=(RecipientSpec("+15550100123"),), content=None
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", RecipientState)
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("fetched", [None, T0])
@pytest.mark.parametrize("seconds", [0, 299, 301, 3601, 86_399, 86_401, 900_000])
def test_every_state_at_every_moment_has_a_step(
    state: RecipientState, verdict: Verdict, fetched: Instant | None, seconds: float
) -> None:
    recipient = RECIPIENT._replace(state=state, fetched_at=fetched, pushes=1)
    step = next_step(MM, recipient, verdict, POLICY, at(seconds))
    if state in FINAL:
        assert isinstance(step, Drop)
    if isinstance(step, Wait):
        assert step.until >= at(seconds), "a wait that ends in the past spins"
    if isinstance(step, Push):
        assert at(seconds) < step.next_at <= MM.expires_at


def test_the_first_push_is_at_once_and_the_next_after_the_back_off() -> None:
    assert next_step(MM, RECIPIENT, Verdict.CAPABLE, POLICY, T0) == Push(at(300))
    second = RECIPIENT._replace(state=RecipientState.NOTIFIED, pushes=1)
    assert next_step(MM, second, Verdict.CAPABLE, POLICY, at(300)) == Push(at(1200))


def test_an_incapable_handset_gets_the_link_or_nothing() -> None:
    assert isinstance(next_step(MM, RECIPIENT, Verdict.INCAPABLE, POLICY, T0), SendLink)
    off = next_step(MM, RECIPIENT, Verdict.INCAPABLE, replace(POLICY, fallback=False), T0)
    assert isinstance(off, End)
    assert off.happening is Happening.UNDELIVERABLE


def test_an_unknown_handset_falls_back_after_its_timer() -> None:
    pushed = RECIPIENT._replace(state=RecipientState.NOTIFIED, pushes=1)
    assert isinstance(next_step(MM, pushed, Verdict.UNKNOWN, POLICY, at(3600)), SendLink)
    assert isinstance(next_step(MM, pushed, Verdict.UNKNOWN, POLICY, at(3599)), Push)


def test_a_complete_get_ends_pushing_and_later_counts_as_retrieved() -> None:
    fetched = RECIPIENT._replace(state=RecipientState.NOTIFIED, pushes=1, fetched_at=at(10))
    assert next_step(MM, fetched, Verdict.UNKNOWN, POLICY, at(11)) == Wait(at(310))
    assert next_step(MM, fetched, Verdict.UNKNOWN, POLICY, at(310)) == End(
        Happening.RETRIEVED, "retrieved, never acknowledged"
    )


def test_expiry_and_scheduled_delivery() -> None:
    assert next_step(MM, RECIPIENT, Verdict.CAPABLE, POLICY, at(86_400)) == End(
        Happening.EXPIRED, "not retrieved in time"
    )
    later = MM._replace(deliver_at=at(60))
    scheduled = RECIPIENT._replace(state=RecipientState.SCHEDULED)
    assert next_step(later, scheduled, Verdict.CAPABLE, POLICY, T0) == Wait(at(60))
    assert next_step(later, scheduled, Verdict.CAPABLE, POLICY, at(60)) == Begin()


def test_times_of_a_submission() -> None:
    assert check(submission(), Limits(), T0) == Times(None, Instant(T0 + 3 * DAY))
    assert check(submission(expires=Relative(60)), Limits(), T0) == Times(None, at(60))
    capped = check(submission(expires=Relative(10**9)), Limits(), T0)
    assert capped == Times(None, Instant(T0 + 30 * DAY), asked=at(10**9))
    scheduled = check(submission(deliver_at=at(60), expires=Relative(120)), Limits(), T0)
    assert scheduled == Times(at(60), at(120))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires": Relative(-1)}, RefusalReason.EXPIRY_PAST),
        ({"expires": Relative(10), "deliver_at": Relative(20)}, RefusalReason.EXPIRY_PAST),
        ({"deliver_at": Instant(T0 + 31 * DAY)}, RefusalReason.EXPIRY_PAST),
        ({"content": Content("x", bytes(2 << 20), ())}, RefusalReason.TOO_LARGE),
        ({"recipients": (RecipientSpec("+15550100123"),) * 1001}, RefusalReason.TOO_MANY_RECIPIENTS),
        ({"subject": "x" * 513}, RefusalReason.CONTENT_REFUSED),
        ({"forward_counter": 6}, RefusalReason.FORWARDED_TOO_OFTEN),
        ({"message_class": "x" * 1025}, RefusalReason.CONTENT_CORRUPT),
        ({"foreign_id": "x" * 1025}, RefusalReason.CONTENT_CORRUPT),
        ({"recipients": (RecipientSpec("+1555" + "-" * 1020 + "0100123"),)}, RefusalReason.ADDRESS_MALFORMED),
    ],
)
def test_too_much_is_refused_with_its_reason(changes: dict[str, object], reason: RefusalReason) -> None:
    refused = check(submission(**changes), Limits(), T0)
    assert isinstance(refused, Refused)
    assert refused.reason is reason
    assert refused.because


def test_attempts_space_out_and_end() -> None:
    policy = RetryPolicy(waits=(5, 15), lifetime=HOUR)
    assert next_attempt(policy, 1, T0, at(0)) == at(5)
    assert next_attempt(policy, 2, T0, at(5)) == at(20)
    assert next_attempt(policy, 9, T0, at(100)) == at(115)
    assert isinstance(next_attempt(policy, 9, T0, at(3600)), GiveUp)
