"""How pages say times, spans, octets and numbers (console.md 10). Also filters in templates, under the same names."""

from datetime import timedelta
from typing import Final

from mmsc.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime

_UNITS: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"))


def clock(at: int) -> str:
    """HH:MM:SS.mmm, UTC: how tables tell a moment."""
    return to_datetime(Instant(at)).strftime("%H:%M:%S.%f")[:-3]


def seconds(at: int) -> str:
    """HH:MM:SS, UTC."""
    return to_datetime(Instant(at)).strftime("%H:%M:%S")


def full(at: int) -> str:
    """The whole moment, for tooltips: `Sun 22 Nov 2026 14:02:44.118 UTC`."""
    return f"{to_datetime(Instant(at)).strftime('%a %d %b %Y %H:%M:%S.%f')[:-3]} UTC"


def iso(at: int) -> str:
    """RFC 3339, for `<time datetime>` and links."""
    return to_datetime(Instant(at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def day(at: int) -> str:
    """`Sun 22 Nov`: where a table's day changes."""
    return to_datetime(Instant(at)).strftime("%a %d %b")


def span(micros: float) -> str:
    """A span as people speak of it, at most two units: `58 s`, `3 h 12 m`, `2 d`; below a second `9 ms`."""
    whole = abs(round(micros))
    if whole < SECOND:
        return f"{whole / 1000:.0f} ms"
    if whole < 10 * SECOND:
        return f"{whole / SECOND:.1f} s".replace(".0 s", " s")
    parts: list[str] = []
    left = timedelta(microseconds=whole) // timedelta(seconds=1) * SECOND
    for size, name in _UNITS:
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {name}")
        elif parts:
            break
    return " ".join(parts[:2])


def octets(number: int) -> str:
    """Octets in a list, rounded: `812 B`, `31.9 KB`, `214 KB`, `1.2 MB`. In PDUs they are exact: `count`."""
    if number < 1000:
        return f"{number} B"
    for size, name in ((1000, "KB"), (1_000_000, "MB"), (1_000_000_000, "GB")):
        value = number / size
        if round(value) < 1000 or name == "GB":
            return f"{value:.1f} {name}" if round(value, 1) < 100 else f"{value:.0f} {name}"
    raise AssertionError("GB take all")


def count(number: int) -> str:
    """12,408"""
    return f"{number:,}"


def several(number: int, one: str, many: str = "") -> str:
    """`1 hit`, `7 hits`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


FILTERS: Final = {
    "clock": clock,
    "seconds": seconds,
    "full": full,
    "iso": iso,
    "day": day,
    "span": span,
    "octets": octets,
    "count": count,
    "several": several,
}
