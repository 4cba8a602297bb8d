"""Pages that follow what happens: server-sent events (HTML Living Standard 9.2), gathered to at most four a second.

A page names its stream by `page(..., live="/messages/live?...")`; `console.js` opens it, one a tab, and puts what an
event carries into the element with `data-swap="NAME"` (`data-how` is htmx's way to swap; `none` for out-of-band pieces
alone). Each stream also brings the strip, and a beat. A page's own events come from `render`:

    async def _stream(request):
        async def render(items):               # those of the last quarter second; [] when nothing but time passed
            return [Push("rows", markup("rows.html", rows=...))]
        return await stream(request, control_of(request).bus, render)

Readers look into the bus' ring at their own pace, so that one who stalls costs whoever publishes nothing, and holds no
more than its buffer. After `STALLED_SECONDS` it is cut. It comes back with Last-Event-ID (or `?after=ID`): what
the ring still has follows, else an event `behind`, on which the page is read anew from the store.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from aiohttp import web

from mmsc.console.frame import frame_of
from mmsc.console.page import control_of, markup
from mmsc.console.words import seconds
from mmsc.control import Control
from mmsc.domain.instant import SECOND
from mmsc.trace.bus import Bus
from protocols.records import record

GATHERED_SECONDS: Final = 0.25
BEAT_SECONDS: Final = 5.0  # a page whose last beat is older is not live
STRIP_SECONDS: Final = 1.0
STALLED_SECONDS: Final = 10.0  # so long a reader may take none of what is written
SEND_BUFFER_OCTETS: Final = 64 * 1024  # the kernel's, of one reader; the program's own is as large
LONG_LOOK_SECONDS: Final = 0.05  # who looks for longer looks at most a twentieth of the time
RESTS_TIMES: Final = 20
ITEMS_AT_ONCE: Final = 5000  # of one quarter second; more of them and the page is read anew

T = TypeVar("T")
Wanted = Callable[[T], bool]


@record(frozen=True, slots=True)
class Push:
    """One event of a page: its name, and markup for the elements that show it."""

    event: str
    html: str


Render = Callable[[Sequence[T]], Awaitable[Iterable[Push]]]


class Streams:
    """The streams that are open, at most `maximum`."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.open = 0
        self.cut = 0  # because they stalled
        self.refused = 0
        self.closing = asyncio.Event()

    async def close(self, _: web.Application) -> None:
        """The server stops: all of them end."""
        self.closing.set()


STREAMS: Final = web.AppKey("streams", Streams)


def routes() -> Iterator[web.RouteDef]:
    """The stream of pages that have none of their own."""
    yield web.get("/live", _frame_alone)


async def stream(
    request: web.Request,
    source: Bus[T] | None,
    render: Render[T],
    *,
    wanted: Wanted[T] | None = None,
    every_seconds: float = 0,
) -> web.StreamResponse:
    """Serve a page's stream until the reader goes. `render` is called with the items of `source` that are `wanted`, and
    every so many seconds (0: never) also without any; then it looks at whatever it shows."""
    streams = request.app[STREAMS]
    if streams.open >= streams.maximum:
        streams.refused += 1
        text = f"503: {streams.maximum} pages follow already (console.maximum_streams)\n"
        return web.Response(status=503, text=text, headers={"Retry-After": "10"})
    streams.open += 1
    try:
        return await _Stream(request, source, render, wanted, every_seconds, streams).run()
    finally:
        streams.open -= 1


async def _frame_alone(request: web.Request) -> web.StreamResponse:
    async def nothing(_: Sequence[object]) -> Iterable[Push]:
        return ()

    return await stream(request, None, nothing)


class _Stream(Generic[T]):
    """One reader."""

    def __init__(
        self,
        request: web.Request,
        source: Bus[T] | None,
        render: Render[T],
        wanted: Wanted[T] | None,
        every_seconds: float,
        streams: Streams,
    ) -> None:
        self._request = request
        self._control: Control = control_of(request)
        self._source = source
        self._render = render
        self._wanted = wanted
        self._streams = streams
        self._every = every_seconds
        self._strip: str | None = None
        self._id = ""
        self._position = 0
        self._rests_until = 0  # real time, µs
        self._due = dict.fromkeys(("page", "strip", "beat"), 0)  # real time, µs
        self._response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )

    async def run(self) -> web.StreamResponse:
        """Until the reader goes, stalls, or the server stops."""
        await self._response.prepare(self._request)
        _bound_buffer(self._request)
        try:
            await self._write(self._begin())
            while not self._streams.closing.is_set():
                await self._write([push async for push in self._turn()])
                await self._pause()
        except ConnectionError:
            pass
        except TimeoutError:
            self._streams.cut += 1
            if self._request.transport is not None:
                self._request.transport.abort()
        return self._response

    def _begin(self) -> list[Push]:
        """Where the reader stands: at the end, or where it was before."""
        if self._source is None:
            return []
        self._position = self._source.position
        before = self._request.headers.get("Last-Event-ID") or self._request.query.get("after", "")
        if not before:
            return []
        items, _ = self._source.since(0)
        for back, item in enumerate(reversed(items)):
            if _id_of(item) == before:
                self._position -= back
                return []
        return [Push("behind", "")]

    async def _turn(self) -> AsyncIterator[Push]:
        if self._control.clock.real_now() >= self._rests_until:
            for push in await self._pages_own():
                yield push
        if self._is_due("strip", STRIP_SECONDS):
            strip = markup("strip.html", frame=frame_of(self._request, self._control))
            if strip != self._strip:
                self._strip = strip
                yield Push("strip", strip)
        if self._is_due("beat", BEAT_SECONDS):
            yield Push("beat", seconds(self._control.clock.now()))

    async def _pages_own(self) -> list[Push]:
        """What is new of the page. After a long look it rests: what comes meanwhile waits in the bus."""
        items, missed = self._news()
        is_behind = bool(missed) or len(items) > ITEMS_AT_ONCE
        if is_behind:
            items = []
        elif self._wanted is not None:
            items = [item for item in items if self._wanted(item)]
        pushes = [Push("behind", "")] if is_behind else []
        if items or (self._every and self._is_due("page", self._every)):
            began = self._control.clock.real_now()
            pushes += await self._render(items)
            took = self._control.clock.real_now() - began
            if took > round(LONG_LOOK_SECONDS * SECOND):
                self._rests_until = began + RESTS_TIMES * took
        return pushes

    def _news(self) -> tuple[list[T], int]:
        if self._source is None or self._source.position == self._position:
            return [], 0
        items, missed = self._source.since(self._position)
        self._position = self._source.position
        if items:
            self._id = _id_of(items[-1])
        return items, missed

    def _is_due(self, what: str, every: float) -> bool:
        now = self._control.clock.real_now()
        if now < self._due[what]:
            return False
        self._due[what] = now + round(every * SECOND)
        return True

    async def _write(self, pushes: Sequence[Push]) -> None:
        if pushes:
            octets = b"".join(_event(push, self._id) for push in pushes)
            async with asyncio.timeout(STALLED_SECONDS):
                await self._response.write(octets)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(GATHERED_SECONDS):
                await self._streams.closing.wait()
        except TimeoutError:
            pass


def _event(push: Push, identity: str) -> bytes:
    lines = [f"event: {push.event}"]
    if identity:
        lines.append(f"id: {identity}")
    lines += [
        f"data: {line}" for line in push.html.replace("\r", "\n").split("\n")
    ]  # other ends of lines are text here
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


def _id_of(item: object) -> str:
    return str(getattr(item, "id", ""))


def _bound_buffer(request: web.Request) -> None:
    """The kernel would take megabytes for a reader that reads nothing."""
    transport = request.transport
    if transport is not None and (given := transport.get_extra_info("socket")) is not None:
        given.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_OCTETS)
        transport.set_write_buffer_limits(high=SEND_BUFFER_OCTETS)
