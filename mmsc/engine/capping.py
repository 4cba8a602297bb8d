"""The finding about an ExpiryDate beyond what messages are kept for (TS 23.140 8.7.1): the MM is taken, its validity
cut."""

from typing import Final

from mmsc.domain.instant import to_datetime
from mmsc.domain.limits import Times
from mmsc.trace.events import FindingNoted

_RULE: Final = "MM7-R104"  # protocols.mm7.meaning_rules.EXPIRY


def capped(source: str, times: Times) -> FindingNoted:
    """Told about a submission of `source` whose times were cut (`times.asked` is not None)."""
    until = to_datetime(times.expires_at).replace(microsecond=0, tzinfo=None)
    return FindingNoted(source, _RULE, "TS 23.140 8.7.1", -1, f"the expiry is too far: kept until {until.isoformat()}Z")
