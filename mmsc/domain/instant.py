"""Moments and spans: integer microseconds, UTC, since 1970. One unit everywhere, so nothing is converted twice."""

from datetime import UTC, datetime, timedelta
from typing import Final, NewType

Instant = NewType("Instant", int)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def later(instant: Instant, seconds: float) -> Instant:
    """The instant `seconds` after `instant`."""
    return Instant(instant + round(seconds * SECOND))


def to_datetime(instant: Instant) -> datetime:
    """Aware UTC datetime of an instant."""
    return _FIRST + timedelta(microseconds=instant)


def from_datetime(moment: datetime) -> Instant:
    """Instant of an aware datetime; a naive one is taken as UTC (TS 23.140 8.7 leaves the zone to the R/S)."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = moment.replace(microsecond=0)
    return Instant(round(whole.timestamp()) * SECOND + moment.microsecond)
