"""What a subscriber's handset can take: the verdict and its evidence, strongest first.

The operator's flag wins; then what its MM1 requests showed; then the default. A request on MM1 makes a subscriber
capable again, unless the operator says otherwise.
"""

from dataclasses import replace

from mmsc.domain.instant import HOUR, Instant
from mmsc.domain.message import MmId
from mmsc.domain.neighbours import Capability, MmsFlag, Subscriber, Verdict
from mmsc.engine.ports import Evidence
from protocols.records import record

DEFAULT_VERSION = 0x12  # understood by all common handsets
_SEEN_AGAIN = HOUR  # a request within this time of the last one teaches nothing new by itself


@record(frozen=True, slots=True)
class Decider:
    """Implements `ports.CapabilityPort`; `default` is for numbers nothing is known of."""

    default: Verdict = Verdict.UNKNOWN

    def decide(self, subscriber: Subscriber, _: MmId, /) -> Capability:
        """The verdict and the evidence for it."""
        version = subscriber.mms_version or DEFAULT_VERSION
        shown = _shown(subscriber)
        if subscriber.mms is MmsFlag.OFF:
            return Capability(Verdict.INCAPABLE, ("the operator's flag says no MMS", *shown), version)
        if subscriber.mms is MmsFlag.ON:
            return Capability(Verdict.CAPABLE, ("the operator's flag says MMS", *shown), version)
        if shown:
            return Capability(Verdict.CAPABLE, shown, version)
        return Capability(self.default, (f"nothing is known: default {self.default.value}",), version)


def _shown(subscriber: Subscriber) -> tuple[str, ...]:
    found: list[str] = []
    if subscriber.profile_url:
        found.append(f"its requests name the profile {subscriber.profile_url}")
    if subscriber.user_agent:
        found.append(f"its requests came from {subscriber.user_agent}")
    if subscriber.mms_version:
        found.append(f"it spoke MMS {subscriber.mms_version >> 4}.{subscriber.mms_version & 0xF}")
    if not found and subscriber.seen_at is not None:
        found.append("it has used MM1")
    return tuple(found)


def learn(known: Subscriber, evidence: Evidence, at: Instant) -> Subscriber | None:
    """The subscriber with what a request showed, None when that is nothing new."""
    shown = (
        evidence.user_agent or known.user_agent,
        evidence.profile_url or known.profile_url,
        evidence.mms_version or known.mms_version,
    )
    nothing_new = shown == (known.user_agent, known.profile_url, known.mms_version)
    if nothing_new and known.seen_at is not None and at - known.seen_at < _SEEN_AGAIN:
        return None
    user_agent, profile_url, mms_version = shown
    return replace(known, user_agent=user_agent, profile_url=profile_url, mms_version=mms_version, seen_at=at)
