"""The same request again, and the same identifier with something else behind it (semantics 3)."""

import hashlib
from collections import OrderedDict
from dataclasses import replace
from typing import Final

from mmsc.domain.address import NotAnAddress
from mmsc.domain.instant import Instant
from mmsc.domain.message import Interface, Origin, RecipientSpec, Submission
from mmsc.engine.ports import Numbers
from mmsc.store import messages as sql
from mmsc.store.core import Store
from mmsc.trace.events import FindingNoted
from protocols.records import record

_REMEMBERED_IDENTIFIERS: Final = 20_000  # of 200 octets each
_INSTANT_OCTETS: Final = 8
_REUSED: Final = {
    Interface.MM1: ("MM1-H010", "OMA-TS-MMS_ENC 7.3.63"),
    Interface.MM4: ("MM4-R004", "TS 23.140 8.4.4"),
    Interface.MM7: ("MM7-R900", "TS 23.140 8.7.8"),
}


class Identifiers:
    """The identifiers that came lately, each with the digest of what it named: a sender that restarts its counter is
    told so. What was forgotten (a restart, or more of them than fit) only costs the remark."""

    def __init__(self, window: int) -> None:
        self.window = window
        self._digests: OrderedDict[bytes, bytes] = OrderedDict()  # name and sender: what it named, and when

    def remark(self, submission: Submission, now: Instant) -> FindingNoted | None:
        """Remember a submission's identifier; the finding when it named something else a while ago."""
        digest = submission.repeat_key
        if digest is None or not submission.identifier:
            return None
        named = f"{submission.origin.key}\0{submission.identifier}"
        key = hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        before = self._digests.pop(key, None)
        self._digests[key] = digest + now.to_bytes(_INSTANT_OCTETS, signed=True)
        if len(self._digests) > _REMEMBERED_IDENTIFIERS:
            self._digests.popitem(last=False)
        if before is None:
            return None
        named_then, at = before[:-_INSTANT_OCTETS], int.from_bytes(before[-_INSTANT_OCTETS:], signed=True)
        if named_then == digest or at < now - self.window:
            return None
        rule, clause = _REUSED[submission.origin.interface]
        why = f"{submission.identifier} was used before, for another request: taken as a new one"
        return FindingNoted(submission.origin.key, rule, clause, -1, why)


@record(frozen=True, slots=True)
class Rest:
    """What is left of a repeat whose recipients are judged one by one: the submission for those who were not served
    yet (None: everybody was), under a key of its own; keys whose window is over are free again. `answered` is the key
    of the newest request within the window: what nobody new is in, is a repeat of that one."""

    submission: Submission | None
    expired: tuple[bytes, ...]
    answered: bytes


async def rest_of(store: Store, numbers: Numbers, submission: Submission, repeat_key: bytes, oldest: Instant) -> Rest:
    """A mail that was split on its way comes as several requests with the same ids (semantics 3: judged per envelope
    recipient). The first of them has `repeat_key`, each later one that brought somebody new the next of its kind."""
    known = await sql.recipients_by_foreign_id(store, submission.foreign_id or "", submission.origin.neighbour)
    served: set[str] = set()
    expired: list[bytes] = []
    number, key, answered = 0, repeat_key, repeat_key
    while key in known:
        submitted_at, addresses = known[key]
        if submitted_at < oldest:
            expired.append(key)
        else:
            served |= addresses
            answered = key
        number += 1
        key = hashlib.sha256(repeat_key + number.to_bytes(4)).digest()
    recipients = tuple(_shown_if(spec, numbers, submission.origin, served) for spec in submission.recipients)
    if all(spec.display_only for spec in recipients):
        return Rest(None, tuple(expired), answered)
    key = expired[0] if expired else key
    # The identifier was looked at with the whole.
    left = replace(submission, recipients=recipients, repeat_key=key, identifier="")
    return Rest(left, tuple(expired), answered)


def _shown_if(spec: RecipientSpec, numbers: Numbers, origin: Origin, served: set[str]) -> RecipientSpec:
    """A recipient that was served before is only shown."""
    found = numbers.normalise(spec.text, origin.key)
    if isinstance(found, NotAnAddress) or found.address.value not in served:
        return spec
    return replace(spec, display_only=True)
