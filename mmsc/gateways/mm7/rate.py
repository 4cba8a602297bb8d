"""How fast a VASP may submit: a token bucket for each, on the host's clock."""

import math
from collections.abc import Callable
from typing import Final

from mmsc.domain.instant import SECOND, Instant

_ROUNDING: Final = 1e-9  # of a token


class Buckets:
    """One bucket a name, full at first. Nodes that share a database have buckets of their own."""

    def __init__(self, real_now: Callable[[], Instant]) -> None:
        self._real_now = real_now
        self._levels: dict[str, tuple[float, Instant]] = {}  # tokens, and when that was

    def wait(self, name: str, rate: float, burst: int = 0) -> float:
        """Take a token: 0.0 when there was one, else the seconds until there is. `rate` is in tokens a second; `burst`
        fit into the bucket, 0: those of a second."""
        now = self._real_now()
        capacity = burst or max(1, math.ceil(rate))
        tokens, at = self._levels.get(name, (float(capacity), now))
        tokens = min(capacity, tokens + (now - at) * rate / SECOND)
        taken = tokens >= 1.0 - _ROUNDING
        self._levels[name] = (max(0.0, tokens - 1.0) if taken else tokens, now)
        return 0.0 if taken else (1.0 - tokens) / rate
