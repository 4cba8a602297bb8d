"""Pages that follow what happens: server-sent events (HTML Living Standard 9.2), gathered to at most four a second.

A page names its stream by `page(..., live="/messages/live?...")`; `console.js` opens it, one a tab, and puts what an
event carries into the element with `data-swap="NAME"` (`data-how` is htmx's way to swap; `none` for out-of-band pieces
alone). Each stream also brings the strip, and a beat. A page's own events come from `render`:

    async def _stream(request):
        async def render(items):               # those of the last quarter second; [] when nothing but time passed
            return [Push("rows", markup("rows.html", rows=...))]
        return await stream(request, control_of(request).bus, render)

Pages at the same address share one `Feed` (`feed.py`): what they are told is found and rendered once. Who opens a
stream brings its own `render`; of those that are open, the first one's is asked, so it may hold nothing of its reader
but what the address says, and what was shown last (`have`, `seen` and `after` in the query are the reader's own).

Feeds look into the bus' ring at their own pace, so that a page costs whoever publishes nothing. A reader comes back
with Last-Event-ID (or `?after=ID`): what the ring still has follows, else an event `behind`, on which the page is read
anew from the store.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from mmsc.console.feed import Content, Feed, Reader, Render, Streams, Wanted
from mmsc.console.feed import Push as Push
from mmsc.console.feed import Shown as Shown
from mmsc.console.page import control_of
from mmsc.trace.bus import Bus

STREAMS: Final = web.AppKey("streams", Streams)
_OF_THE_READER: Final = ("after", "have", "seen")  # where it stands, not what it asks for

T = TypeVar("T")


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
        run = request.query.get("run", "")
        return await _serve(request, streams, Content(source, render, wanted, every_seconds, run))
    finally:
        streams.open -= 1


async def _frame_alone(request: web.Request) -> web.StreamResponse:
    async def nothing(_: Sequence[object]) -> Iterable[Push]:
        return ()

    return await stream(request, None, nothing)


async def _serve(request: web.Request, streams: Streams, content: Content[T]) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    if request.transport is None:
        return response  # it went already
    reader = Reader(response, request.transport)
    position = _position(request, content.source)
    reader.missed = position is None
    if position is None:
        position = 0 if content.source is None else content.source.position
    try:
        with suppress(ConnectionError):
            await _fed(streams, _address(request), reader, content, position, request)
    finally:  # a handler is cancelled where its reader went
        streams.cut += reader.was_cut
    return response


async def _fed(
    streams: Streams, address: str, reader: Reader, content: Content[T], position: int, request: web.Request
) -> None:
    """Give a reader what its feed has, from its own place on. Raises ConnectionError, and what made the feed end."""
    feed = streams.feeds.get(address)
    is_first = feed is None or feed.task.done()
    if feed is None or is_first:
        feed = streams.feeds[address] = Feed(streams, control_of(request), content, position)
    feed.join(reader)
    try:
        if not is_first:
            await feed.greet(reader, content, position)
        await reader.run()
        if feed.task.done() and not feed.task.cancelled():
            feed.task.result()
    finally:
        if feed.leave(reader):
            if streams.feeds.get(address) is feed:
                del streams.feeds[address]
            feed.task.cancel()
            await asyncio.gather(feed.task, return_exceptions=True)


def _address(request: web.Request) -> str:
    """Pages with the same one are told the same."""
    query = sorted((name, value) for name, value in request.query.items() if name not in _OF_THE_READER)
    return f"{request.path}?{urlencode(query)}"


def _position(request: web.Request, source: Bus[T] | None) -> int | None:
    """Where the reader stands: at the end, or where it was before; None where that is not known any more."""
    if source is None:
        return 0
    before = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    if not before:
        return source.position
    items, _ = source.since(0)
    for back, item in enumerate(reversed(items)):
        if str(getattr(item, "id", "")) == before:
            return source.position - back
    return None
