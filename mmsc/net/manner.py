"""How an answer is written where that is to go wrong: late, slowly, cut short, or not at all. Faults are made of it;
who has none to make writes the answer and is done (`http.py`)."""

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from protocols.records import record

if TYPE_CHECKING:
    from mmsc.net.http import HttpAnswer
    from mmsc.net.http_received import Received

_STEP_SECONDS: Final = 0.1  # a slow answer is written ten times a second
_LOOK_SECONDS: Final = 0.2  # how often a silent one looks whether its client still waits


@record(frozen=True, slots=True, kw_only=True)
class Manner:
    """`delay_seconds` before the first octet; `octets_per_second` of the body (0: at once); behind `cut_after` octets
    of it the connection is closed (None: never); `dropped`: it is closed before any octet; `silent_seconds`: nothing
    is written, and it is closed then."""

    delay_seconds: float = 0.0
    octets_per_second: int = 0
    cut_after: int | None = None
    dropped: bool = False
    silent_seconds: float = 0.0

    def shown(self, head: bytes, body: bytes) -> tuple[bytes, bytes]:
        """What of an answer is written."""
        if self.silent_seconds or self.dropped:
            return b"", b""
        return head, body if self.cut_after is None else body[: self.cut_after]


class Outlet(Protocol):
    """A connection, as far as this is concerned."""

    is_behind: bool

    @property
    def is_open(self) -> bool:
        """Whether the client can still be written to."""
        ...

    def send(self, head: bytes, body: bytes) -> None:
        """Write."""
        ...

    async def drain(self) -> None:
        """When `is_behind`: until all was handed to the socket."""
        ...


async def write(outlet: Outlet, head: bytes, body: bytes, manner: Manner) -> bool:
    """Write an answer so; whether its client got all of it. The caller closes the connection when it did not."""
    if manner.delay_seconds:
        await asyncio.sleep(manner.delay_seconds)
    if manner.silent_seconds:
        await _be_silent(outlet, manner.silent_seconds)
        return False
    if manner.dropped:
        return False
    first, rest = manner.shown(head, body)
    step = round(manner.octets_per_second * _STEP_SECONDS) or 1
    pieces = [rest] if not manner.octets_per_second else [rest[at : at + step] for at in range(0, len(rest), step)]
    for piece in pieces or [b""]:
        outlet.send(first, piece)
        first = b""
        if outlet.is_behind:
            await outlet.drain()
        if not outlet.is_open:
            return False
        if manner.octets_per_second:
            await asyncio.sleep(len(piece) / manner.octets_per_second)
    return outlet.is_open and rest == body


async def pause(seconds: float) -> None:
    """Let network time pass: what the lab holds back."""
    await asyncio.sleep(seconds)


async def mistreat(
    manner: Manner, answer: "HttpAnswer", outlet: Outlet, received: "Received", head: bytes, body: bytes
) -> tuple[bytes, bytes, bool]:
    """Write an answer wrongly, on purpose: what of it was written, and whether that was all."""
    if manner.silent_seconds and answer.after is not None:  # what was taken goes its way meanwhile
        after, answer.after = answer.after, None
        await after(False)
    whole = await write(outlet, head, body, manner)
    if not whole:
        received.keep_alive = False
        answer.reference = None
    return *manner.shown(head, body), whole


async def _be_silent(outlet: Outlet, seconds: float) -> None:
    waited = 0.0
    while outlet.is_open and waited < seconds:
        await asyncio.sleep(_LOOK_SECONDS)
        waited += _LOOK_SECONDS
