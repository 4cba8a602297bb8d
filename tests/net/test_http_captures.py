"""What the trace keeps of large requests."""

from dataclasses import replace

import pytest

from mmsc.clock import VirtualClock
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.trace.captures import CaptureRecord, WireTap
from tests.net.test_http import LIMITS, listening, talk

LARGE = 600 * 1024


@pytest.mark.parametrize(("mm_id", "kept"), [(7, LARGE), (None, 64 * 1024)], ids=["taken", "refused"])
async def test_a_large_body_that_was_refused_is_kept_by_its_beginning(mm_id: int | None, kept: int) -> None:
    """A few dozen of them would push everything else out of the ring."""
    seen: list[CaptureRecord] = []

    async def handler(request: HttpRequest) -> HttpAnswer:
        assert len(request.body) == LARGE
        return HttpAnswer(mm_id=mm_id)

    limits = replace(LIMITS, maximum_body_octets=LARGE)
    async with listening(handler, limits, WireTap("mm7", seen.append, VirtualClock())) as listener:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % LARGE
        await talk(listener, head + b"x" * LARGE)
    request = seen[0]
    assert len(request.octets) == len(head) + kept
    assert request.note == ("" if mm_id else f"{LARGE - kept} octets more were not kept")
