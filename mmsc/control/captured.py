"""The captures of a message with the bodies put back that they only name."""

from collections.abc import Awaitable, Callable

from mmsc.domain.message import ContentId
from mmsc.engine.ports import Contents
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.rings import Captures


def whole_captures(
    captures: Captures | None, contents: Contents
) -> Callable[[int], Awaitable[list[tuple[CaptureRecord, bytes]]]]:
    """Reads them, in the order of their time; none where captures are off."""

    async def read(mm_id: int) -> list[tuple[CaptureRecord, bytes]]:
        records = [] if captures is None else captures.of_mm(mm_id)
        return [(one, await _whole(one, contents)) for one in records]

    return read


async def _whole(capture: CaptureRecord, contents: Contents) -> bytes:
    if capture.reference is None:
        return capture.octets
    content = await contents.content(ContentId(capture.reference.content_id))
    return capture.whole(None if content is None else content.body)
