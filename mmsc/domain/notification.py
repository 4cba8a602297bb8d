"""What to do next for a subscriber's MM: a pure decision over the recipient's state, the clock and the policy.

Total: every state and every moment has exactly one answer (a test walks the table).
"""

from typing import Final

from mmsc.domain.conditions import WHY_INCAPABLE, DeliveryCondition, requires
from mmsc.domain.instant import Instant, later
from mmsc.domain.message import Mm, Recipient
from mmsc.domain.neighbours import Verdict
from mmsc.domain.states import FINAL, Happening, RecipientState
from protocols.records import record

S = RecipientState


@record(frozen=True, slots=True, kw_only=True)
class NotificationPolicy:
    """When a notification is pushed again, and what follows when it brings nothing. Seconds.

    With `gets_ignored` only what the handset says counts: a complete GET stops nothing and ends nobody."""

    renotify_after: tuple[float, ...] = (300, 900, 3600, 14400, 86400)  # the last one repeats
    unacknowledged_after: float = 300  # a complete GET without an answer: retrieved
    unacknowledged_report: bool = True  # ... and told to the originator
    gets_ignored: bool = False
    fallback: bool = True
    fallback_after: float = 3600  # for a handset of unknown capability

    def wait_after_push(self, pushes: int) -> float:
        """Seconds from push number `pushes` (from 1) to the next."""
        return self.renotify_after[min(max(pushes, 1), len(self.renotify_after)) - 1]

    def answer_by(self, fetched_at: Instant) -> Instant:
        """Until when a complete GET may be acknowledged."""
        return later(fetched_at, self.unacknowledged_after)

    def may_oversleep(self, recipient: Recipient) -> bool:
        """Whether the task of a recipient may be due only after the answer to a GET of now."""
        if self.gets_ignored:
            return False
        asleep = recipient.state in (S.DEFERRED, S.LINK_SENT)
        return asleep or self.wait_after_push(recipient.pushes) > self.unacknowledged_after


@record(frozen=True, slots=True)
class Drop:
    """The recipient has ended; the task goes."""


@record(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`."""

    until: Instant


@record(frozen=True, slots=True)
class End:
    """The recipient ends by our own doing."""

    happening: Happening
    because: str


NEVER_ACKNOWLEDGED: Final = End(Happening.RETRIEVED, "retrieved, never acknowledged")


@record(frozen=True, slots=True)
class Begin:
    """The delivery time came: the recipient counts as accepted from now on."""


@record(frozen=True, slots=True)
class Push:
    """Push the notification; `next_at` is when the task is due again after it."""

    next_at: Instant


@record(frozen=True, slots=True)
class SendLink:
    """Send the SMS with the web link."""

    because: str


Step = Drop | Wait | End | Begin | Push | SendLink


def next_step(mm: Mm, recipient: Recipient, verdict: Verdict, policy: NotificationPolicy, now: Instant) -> Step:
    """The next step of bringing an MM to a subscriber."""
    state = recipient.state
    if state in FINAL or state is S.RELAYED:
        return Drop()
    if now >= mm.expires_at:
        return _at_expiry(recipient, policy, now)
    if state is S.SCHEDULED:
        return Wait(mm.deliver_at) if mm.deliver_at is not None and now < mm.deliver_at else Begin()
    if recipient.fetched_at is not None and not policy.gets_ignored:
        return _after_fetch(mm, recipient.fetched_at, policy, now)
    if state in (S.DEFERRED, S.LINK_SENT):
        return Wait(mm.expires_at)
    return _push_or_link(mm, recipient, verdict, policy, now)


def _at_expiry(recipient: Recipient, policy: NotificationPolicy, now: Instant) -> Step:
    if recipient.fetched_at is None or policy.gets_ignored:
        return End(Happening.EXPIRED, "not retrieved in time")
    answer_by = policy.answer_by(recipient.fetched_at)
    return Wait(answer_by) if now < answer_by else NEVER_ACKNOWLEDGED


def _after_fetch(mm: Mm, fetched_at: Instant, policy: NotificationPolicy, now: Instant) -> Step:
    answer_by = policy.answer_by(fetched_at)
    if now < answer_by:
        return Wait(answer_by)
    return NEVER_ACKNOWLEDGED


def instead_of_link(mm: Mm, because: str) -> SendLink | End:
    """The link, or the end of an MM that is for MMS-capable terminals only (TS 23.140 8.7.1, DeliveryCondition)."""
    if requires(mm.details, DeliveryCondition.MMS_CAPABLE):
        return End(Happening.CONDITION_FAILED, f"{WHY_INCAPABLE}; {because}")
    return SendLink(because)


def _push_or_link(mm: Mm, recipient: Recipient, verdict: Verdict, policy: NotificationPolicy, now: Instant) -> Step:
    if verdict is Verdict.INCAPABLE:
        if policy.fallback or requires(mm.details, DeliveryCondition.MMS_CAPABLE):
            return instead_of_link(mm, "the handset cannot take an MM")
        return End(Happening.UNDELIVERABLE, "the handset cannot take an MM, and the fallback is off")
    falls_back_at: Instant | None = None
    if verdict is Verdict.UNKNOWN and policy.fallback and recipient.pushes:
        falls_back_at = later(recipient.state_at, policy.fallback_after)
        if now >= falls_back_at:
            return instead_of_link(mm, "the notification was not answered in time and the handset is unknown")
    next_at = later(now, policy.wait_after_push(recipient.pushes + 1))
    if verdict is Verdict.UNKNOWN and policy.fallback:
        next_at = min(next_at, falls_back_at or later(now, policy.fallback_after))
    return Push(min(next_at, mm.expires_at))
