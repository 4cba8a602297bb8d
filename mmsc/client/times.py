"""Lengths of time as people write them."""

import re
from typing import Final

_TIME: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(ms|s|sec|seconds?|min|minutes?|h|hours?|d|days?|)")
_ISO: Final = re.compile(
    r"P(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,7})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9}(?:\.[0-9]+)?)S)?)?"
)
_UNITS: Final = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds_of(text: str) -> float:
    """`90`, `30 s`, `5 min`, `2 h`, `1 d`, `PT1H` in seconds. Raises ValueError."""
    found = _TIME.fullmatch(text.strip())
    if found is not None:
        return float(found[1]) * _UNITS["ms" if found[2] == "ms" else found[2][:1]]
    iso = _ISO.fullmatch(text.strip())
    if iso is None or not any(iso.groups()):
        raise ValueError(f"{text!r} is no time such as 30 s, 5 min, 2 h or PT1H")
    days, hours, minutes, seconds = (float(one or 0) for one in iso.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds
