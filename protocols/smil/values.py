"""Values of SMIL attributes, as phones write them: clock values, lengths, colours (SMIL 2.0 10.3.1, 5.4; CSS2 4.3).
What cannot be read is None: the player shows the message all the same."""

import re
from typing import Final

LARGEST_PIXELS: Final = 10_000
LONGEST_MS: Final = 24 * 3600 * 1000
_NUMBER: Final = re.compile(r"(-?[0-9]{1,6}(?:\.[0-9]{0,6})?)\s*(px|%)?")
_TIMECOUNT: Final = re.compile(r"\+?([0-9]{1,9}(?:\.[0-9]{0,6})?)\s*(h|min|s|ms)?")
_FULL_CLOCK: Final = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{0,6})?)")
_FACTORS: Final = {"h": 3_600_000, "min": 60_000, "s": 1000, "ms": 1, None: 1000}
_HEX: Final = re.compile(r"#(?:[0-9a-f]{3}){1,2}")
_RGB: Final = re.compile(r"rgb\(\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*\)")
_COLOURS: Final = {  # CSS2 4.3.6
    "aqua": "#00ffff",
    "black": "#000000",
    "blue": "#0000ff",
    "fuchsia": "#ff00ff",
    "gray": "#808080",
    "green": "#008000",
    "lime": "#00ff00",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "white": "#ffffff",
    "yellow": "#ffff00",
}


def milliseconds(text: str | None) -> int | None:
    """A clock value: `5s`, `5000ms`, `1.5min`, `0:05`, or a bare number of seconds; None for anything else."""
    clean = (text or "").strip().lower()
    if found := _TIMECOUNT.fullmatch(clean):
        return min(LONGEST_MS, int(float(found[1]) * _FACTORS[found[2]]))
    if found := _FULL_CLOCK.fullmatch(clean):
        hours, minutes, seconds = int(found[1] or 0), int(found[2]), float(found[3])
        return min(LONGEST_MS, int(((hours * 60 + minutes) * 60 + seconds) * 1000))
    return None


def pixels(text: str | None, whole: float) -> float | None:
    """A length: pixels, or so much of `whole` in per cent; None for none that can be read."""
    found = _NUMBER.fullmatch((text or "").strip().lower())
    if found is None:
        return None
    value = float(found[1]) * (whole / 100 if found[2] == "%" else 1)
    return max(-LARGEST_PIXELS, min(LARGEST_PIXELS, value))


def is_absolute(text: str | None) -> bool:
    """Whether a length is one in pixels."""
    found = _NUMBER.fullmatch((text or "").strip().lower())
    return found is not None and found[2] != "%"


def colour(text: str | None) -> str:
    """As `#rrggbb`; "" for none, and for what is no colour."""
    clean = (text or "").strip().lower()
    if _HEX.fullmatch(clean):
        return clean if len(clean) == 7 else "#" + "".join(one * 2 for one in clean[1:])
    if found := _RGB.fullmatch(clean):
        return "#" + "".join(f"{min(255, int(one)):02x}" for one in found.groups())
    return _COLOURS.get(clean, "")
