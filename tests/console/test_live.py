"""Streams of events: gathered, resumed, bounded; whoever stalls is cut and has cost nobody anything."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from mmsc.clock import Clock
from mmsc.console import feed
from mmsc.console.feed import Push, Streams
from mmsc.console.listener import ConsoleListener
from mmsc.console.live import STREAMS, stream
from mmsc.console.page import HOLDER
from mmsc.control import Control
from mmsc.net.http import HttpLimits
from mmsc.trace.bus import Bus
from mmsc.trace.events import Event, LaneResumed
from tests.scenarios.conftest import Lab

LIMITS = HttpLimits(maximum_connections=200, request_seconds=5.0, stop_seconds=1.0)


def event(number: int) -> Event:
    return Event(number, number, None, None, 0, 0, LaneResumed(f"smsc:{number}"))


@dataclass
class Served:
    """A page with a stream of its own."""

    control: Control
    port: int = 0
    streams: Streams = field(default_factory=lambda: Streams(60))
    bus: "Bus[Event]" = field(default_factory=lambda: Bus(1000))
    pushed: str = ""
    every: float = 0.0
    rendered: list[list[int]] = field(default_factory=list)
    transports: list[asyncio.Transport] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert isinstance(request.transport, asyncio.Transport)
        self.transports.append(request.transport)

        async def render(events: Sequence[Event]) -> Iterable[Push]:
            self.rendered.append([one.id for one in events])
            return [Push("rows", self.pushed or " ".join(str(one.id) for one in events))]

        return await stream(request, self.bus, render, wanted=lambda one: one.id != 13, every_seconds=self.every)


@pytest.fixture
async def served(lab: Lab) -> AsyncIterator[Served]:
    control = lab.app.operations._holder["control"]
    made = Served(control)
    async with serving(made):
        yield made


@asynccontextmanager
async def serving(made: Served) -> AsyncIterator[None]:
    application = web.Application()
    application[HOLDER] = {"control": made.control}
    application[STREAMS] = made.streams
    application.on_shutdown.append(made.streams.close)
    application.router.add_get("/events", made.handle)
    listener = ConsoleListener(application, Clock(), "127.0.0.1", 0, LIMITS)
    await listener.start()
    made.port = listener.port
    try:
        yield
    finally:
        await listener.stop()


@asynccontextmanager
async def reading(made: Served, query: str = "", **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{made.port}/events{query}", headers=headers) as response,
    ):
        yield response


async def next_event(response: aiohttp.ClientResponse, wanted: str) -> dict[str, str]:
    """The next event of a name, with its id and data."""
    async with asyncio.timeout(10):
        while True:
            found: dict[str, str] = {}
            while line := (await response.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                found[name] = f"{found[name]}\n{value}" if name in found else value
            if found.get("event") == wanted:
                return found


async def test_who_looks_for_long_rests_and_is_told_the_rest_together(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking without end would take the loop from the engine; what comes meanwhile is not lost."""
    monkeypatch.setattr(feed, "LONG_LOOK_SECONDS", -1.0)
    monkeypatch.setattr(feed, "RESTS_TIMES", 10**9)
    monkeypatch.setattr(feed, "BEAT_SECONDS", 0.0)
    async with reading(served) as response:
        await next_event(response, "beat")
        served.bus.publish(event(1))
        await next_event(response, "rows")
        served.bus.publish(event(2))
        for _ in range(3):
            await next_event(response, "beat")
        assert served.rendered == [[1]]


async def test_a_burst_is_told_at_once(served: Served) -> None:
    async with reading(served) as response:
        assert response.content_type == "text/event-stream"
        await next_event(response, "beat")
        for number in range(1, 501):
            served.bus.publish(event(number))
        told = await next_event(response, "rows")
    assert told["id"] == "500"
    assert served.rendered == [[number for number in range(1, 501) if number != 13]]


async def test_it_goes_on_where_the_reader_was(served: Served) -> None:
    for number in range(1, 10):
        served.bus.publish(event(number))
    for place in ({"headers": {"Last-Event-ID": "6"}}, {"query": "?after=6"}):
        async with reading(served, place.get("query", ""), **place.get("headers", {})) as response:  # type: ignore[arg-type]
            assert (await next_event(response, "rows"))["data"] == "7 8 9"


async def test_pages_that_show_the_same_are_rendered_once(served: Served) -> None:
    """Who comes later is told what it missed by itself; from then on there is one rendering for all."""
    served.bus.publish(event(1))
    async with reading(served) as first, reading(served, "?after=0&q=other") as other:
        await next_event(first, "beat")
        await next_event(other, "behind")
        served.bus.publish(event(2))
        assert (await next_event(first, "rows"))["data"] == (await next_event(other, "rows"))["data"] == "2"
        assert len(served.streams.feeds) == 2
        async with reading(served, "?after=1") as second:
            assert (await next_event(second, "rows"))["data"] == "2"
            assert len(served.streams.feeds) == 2
            served.rendered.clear()
            served.bus.publish(event(3))
            told = [(await next_event(one, "rows"))["data"] for one in (first, second, other)]
    assert told == ["3", "3", "3"]
    assert served.rendered == [[3], [3]]


async def test_who_reads_on_after_a_stall_reads_the_page_anew(served: Served) -> None:
    """While it took nothing, nothing was kept for it; another page at the same address went on."""
    served.pushed, served.every = "x" * 50_000, 0.01
    stalled = _stalled(served.port)
    try:
        async with reading(served) as response, asyncio.timeout(30):
            while not served.transports[0].get_write_buffer_size():
                await next_event(response, "rows")
            for _ in range(3):
                await next_event(response, "rows")
            served.pushed = "enough"
            stalled.setblocking(False)
            octets = b""
            while b"event: behind" not in octets:
                octets = octets[-100:] + await asyncio.get_running_loop().sock_recv(stalled, 1 << 16)
        assert served.streams.cut == 0
    finally:
        stalled.close()


async def test_who_comes_too_late_reads_the_page_anew(served: Served) -> None:
    served.bus.publish(event(1))
    async with reading(served, **{"Last-Event-ID": "77"}) as response:
        await next_event(response, "behind")
        for number in range(2, 2100):  # more than the ring holds
            served.bus.publish(event(number))
        await next_event(response, "behind")
        served.bus.publish(event(3000))
        assert (await next_event(response, "rows"))["data"] == "3000"


async def test_ends_of_lines_stay_within_an_event(served: Served) -> None:
    served.pushed = "one\r\n\ntwo\u2028three\revent: four"
    async with reading(served) as response:
        await next_event(response, "beat")
        served.bus.publish(event(1))
        told = await next_event(response, "rows")
    assert told["data"].split() == ["one", "two", "three", "event:", "four"]


async def test_the_strip_is_told_when_something_is_the_matter(served: Served) -> None:
    async with reading(served) as response:
        assert "paused" not in (await next_event(response, "strip")).get("data", "")
        served.control.clock.pause()
        assert "paused" in (await next_event(response, "strip"))["data"]


async def test_one_more_than_the_limit_is_told_to_come_back(served: Served) -> None:
    served.streams.maximum = 1
    async with reading(served) as first:
        await next_event(first, "beat")
        async with reading(served) as second:
            assert second.status == 503
            assert second.headers["Retry-After"] == "10"
            assert "maximum_streams" in await second.text()
    assert served.streams.refused == 1


async def test_the_server_stops_with_pages_open(lab: Lab) -> None:
    made = Served(lab.app.operations._holder["control"])
    async with aiohttp.ClientSession() as session:
        async with serving(made):
            response = await session.get(f"http://127.0.0.1:{made.port}/events")
            await next_event(response, "beat")
        assert made.streams.open == 0
        await response.content.read()
        assert response.content.at_eof()


def _stalled(port: int) -> socket.socket:
    """A reader that asks and never reads."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect(("127.0.0.1", port))
    one.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return one


@pytest.mark.slow
async def test_fifty_that_stall_hold_a_buffer_each_and_are_cut(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """They read nothing while much is pushed: nobody who publishes has a watcher to feed, what is kept for each is
    bounded, and after their time they are gone."""
    monkeypatch.setattr(feed, "STALLED_SECONDS", 0.5)
    served.pushed, served.every = "x" * 50_000, 0.01
    sockets = [_stalled(served.port) for _ in range(50)]
    try:
        most = 0
        async with asyncio.timeout(60):
            while served.streams.cut < 50:
                waiting = [one.get_write_buffer_size() for one in served.transports if not one.is_closing()]
                most = max([most, *waiting])
                assert served.bus._watchers == []
                served.bus.publish(event(1))
                await asyncio.sleep(0.01)
        assert served.streams.open == 0
        assert 0 < most < 2 * feed.SEND_BUFFER_OCTETS + 2 * len(served.pushed)
    finally:
        for one in sockets:
            one.close()
