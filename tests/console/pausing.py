"""Wrong tokens without waiting for their answers."""

import pytest

from mmsc import operating


def unpaused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how many seconds each answer of a server that is started from now on would have been held back."""
    seconds: list[float] = []

    async def pause(wanted: float) -> None:
        seconds.append(wanted)

    monkeypatch.setattr(operating, "real_pause", pause)
    return seconds
