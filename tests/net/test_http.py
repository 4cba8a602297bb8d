"""The HTTP listener and client against each other and against raw sockets: bounds, framing, what comes after."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from mmsc.clock import VirtualClock
from mmsc.net.http import Handler, HttpAnswer, HttpLimits, HttpListener, HttpRequest
from mmsc.net.http_client import ClientLimits, HttpClient, HttpUnavailable, _Request
from mmsc.net.http_target import target_of
from mmsc.trace import redact
from mmsc.trace.captures import BodyReference, CaptureRecord, Direction, WireTap

PACKED = gzip.compress(b"abc", mtime=0)
LIMITS = HttpLimits(maximum_body_octets=1000, request_seconds=0.3, idle_seconds=0.3, stop_seconds=1.0)
OFF = WireTap("test", None, VirtualClock())


async def echo(request: HttpRequest) -> HttpAnswer:
    body = f"{request.method} {request.path} {request.query}|".encode() + request.body
    return HttpAnswer(content_type="text/plain", body=body, headers=(("X-Twice", "1"), ("X-Twice", "2")))


@asynccontextmanager
async def listening(handler: Handler, limits: HttpLimits = LIMITS, tap: WireTap = OFF) -> AsyncIterator[HttpListener]:
    listener = HttpListener(handler, "127.0.0.1", 0, limits, tap)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


@asynccontextmanager
async def http_client(limits: ClientLimits, tap: WireTap) -> AsyncIterator[HttpClient]:
    client = HttpClient(limits, tap)
    try:
        yield client
    finally:
        await client.close()


async def talk(listener: HttpListener, octets: bytes) -> bytes:
    """Send octets, half-close nothing, read until the listener closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(octets)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_request_arrives_whole_and_the_answer_goes_back() -> None:
    async with listening(echo) as listener:
        said = await talk(
            listener, b"POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
        )
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.count(b"X-Twice: ") == 2
    assert body == b"POST /a%20b c=d|abc"


async def test_a_client_that_takes_us_for_a_proxy_is_understood() -> None:
    async with listening(echo) as listener:
        said = await talk(
            listener, b"GET http://mms.example/m/x?y HTTP/1.1\r\nHost: mms.example\r\nConnection: close\r\n\r\n"
        )
    assert said.endswith(b"GET /m/x y|")


async def test_chunks_and_compression_are_undone() -> None:
    packed = gzip.compress(b"a" * 900)
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n"
    head += b"Connection: close\r\n\r\n"
    async with listening(echo) as listener:
        assert (await talk(listener, head + framed)).endswith(b"|" + b"a" * 900)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n", 413),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n",
            413,
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", 415),
        (b"POST / HTTP/1.1\r\nHost: x\r\nExpect: the moon\r\nContent-Length: 1\r\n\r\nx", 417),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", 408),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
    ],
)
async def test_what_cannot_be_had_is_refused_and_the_next_client_is_served(octets: bytes, status: int) -> None:
    async with listening(echo) as listener:
        said = await talk(listener, octets)
        assert said.split(b" ")[1] == str(status).encode()
        again = await talk(listener, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert again.endswith(b"GET / |")


async def test_a_compressed_bomb_is_refused_within_the_bound() -> None:
    bomb = gzip.compress(bytes(400_000))
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with listening(echo) as listener:
        assert b" 413 " in (await talk(listener, head + bomb)).splitlines()[0]


@pytest.mark.parametrize("endless", [b"X: y\r\n" * 1000, b"x" * 6000], ids=["trailers", "one trailer"])
async def test_trailers_without_end_are_refused_and_not_kept(endless: bytes) -> None:  # RFC 9112 7.1.2
    sent = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    limits = HttpLimits(maximum_header_octets=4000, request_seconds=30)
    async with listening(echo, limits) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(sent)
        reading = asyncio.create_task(reader.readuntil(b"\r\n"))
        async with asyncio.timeout(10):
            while not reading.done():
                writer.write(endless)
                await writer.drain()
                await asyncio.wait((reading,), timeout=0.01)
        assert (await reading).startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_chunks_of_one_octet_with_a_trailer_are_a_body() -> None:
    sent = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    limits = HttpLimits(maximum_header_octets=200)
    async with listening(echo, limits) as listener:
        said = await talk(listener, sent + b"1\r\na\r\n" * 900 + b"0\r\nX: y\r\n\r\n")
    assert said.endswith(b"|" + b"a" * 900)


async def test_expect_100_is_answered_before_the_body_is_sent() -> None:
    async with listening(echo) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert (await reader.read()).endswith(b"|abc")
        writer.close()
        await writer.wait_closed()


async def test_expect_of_http_1_0_is_ignored() -> None:  # RFC 9110 10.1.1
    async with listening(echo) as listener:
        said = await talk(listener, b"POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc")
    assert said.startswith(b"HTTP/1.1 200 ")


async def test_a_head_that_dribbles_is_closed_after_the_idle_time() -> None:
    async with listening(echo) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET / HT")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()


async def test_one_connection_too_many_is_told_503() -> None:
    async with listening(echo, HttpLimits(maximum_connections=1)) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"|")
        assert (await talk(listener, b"")).startswith(b"HTTP/1.1 503 ")
        writer.close()
        await writer.wait_closed()


async def test_a_handler_that_fails_is_our_bug_and_answers_500(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: HttpRequest) -> HttpAnswer:
        raise KeyError("surprise")

    async with listening(broken) as listener:
        said = await talk(listener, b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 500 ")
    assert "GET /x: the handler failed" in caplog.text


async def _after(flags: list[bool], told: asyncio.Event) -> Callable[[bool], Awaitable[None]]:
    async def after(whole: bool) -> None:
        flags.append(whole)
        told.set()

    return after


async def test_after_is_called_when_all_octets_were_handed_over() -> None:
    flags: list[bool] = []
    told = asyncio.Event()

    async def handler(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(body=b"x" * 10_000, after=await _after(flags, told))

    async with listening(handler) as listener:
        assert len(await talk(listener, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) > 10_000
        await told.wait()
    assert flags == [True]


async def test_after_hears_of_a_client_that_left_in_the_middle() -> None:
    flags: list[bool] = []
    told = asyncio.Event()

    async def handler(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(body=bytes(50_000_000), after=await _after(flags, told))

    async with listening(handler) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        await asyncio.wait_for(told.wait(), 10)
    assert flags == [False]


async def test_after_hears_of_a_client_that_left_before_the_answer() -> None:
    flags: list[bool] = []
    told, entered, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(request: HttpRequest) -> HttpAnswer:
        entered.set()
        await gone.wait()
        return HttpAnswer(body=b"late", after=await _after(flags, told))

    async with listening(handler) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await entered.wait()
        writer.transport.abort()
        assert b" 400 " in await talk(listener, b"nonsense\r\n\r\n")  # the loss has been seen by now
        gone.set()
        await asyncio.wait_for(told.wait(), 10)
    assert flags == [False]


async def test_stop_finishes_the_answer_under_way_and_frees_the_port() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request: HttpRequest) -> HttpAnswer:
        entered.set()
        await leave.wait()
        return HttpAnswer(body=b"late")

    listener = HttpListener(slow, "127.0.0.1", 0, LIMITS, OFF)
    await listener.start()
    talking = asyncio.create_task(talk(listener, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    await entered.wait()
    stopping = asyncio.create_task(listener.stop())
    leave.set()
    assert (await talking).endswith(b"late")
    await stopping
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", listener.port)


async def test_the_tap_sees_both_halves_without_secrets_and_without_the_stored_body() -> None:
    seen: list[CaptureRecord] = []
    tap = WireTap("mm1", seen.append, VirtualClock(), redact.http)

    async def handler(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(body=b"HEAD" + b"content", mm_id=7, reference=BodyReference(3, 0, 7, 4), neighbour="n")

    async with listening(handler, tap=tap) as listener:
        asked = b"POST /q HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2VjcmV0\r\nConnection: close\r\n"
        asked += b"Content-Length: 2\r\n\r\nhi"
        said = await talk(listener, asked)
    request, answer = seen
    assert request.octets == asked.replace(b"c2VjcmV0", b"********")
    assert (request.direction, answer.direction) == (Direction.IN, Direction.OUT)
    assert request.exchange == answer.exchange
    assert answer.mm_id == 7
    assert answer.neighbour == "n"
    assert b"content" not in answer.octets
    assert answer.whole(b"content") == said
    assert request.remote.startswith("127.0.0.1:")
    assert request.local == f"127.0.0.1:{listener.port}"


async def test_head_tells_the_length_and_sends_no_body() -> None:
    seen: list[CaptureRecord] = []
    tap = WireTap("mm1", seen.append, VirtualClock())

    async def handler(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(body=b"content", reference=BodyReference(3, 0, 7, 0))

    async with listening(handler, tap=tap) as listener:
        said = await talk(listener, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert said.endswith(b"\r\n\r\n")
    assert b"Content-Length: 7\r\n" in said
    assert seen[1].whole(b"content") == said


async def test_the_client_keeps_its_connection_and_is_seen() -> None:
    seen: list[CaptureRecord] = []
    peers: set[str] = set()
    tap = WireTap("mm7", seen.append, VirtualClock(), redact.http)

    listener_tap = WireTap("x", lambda record: peers.add(record.remote), VirtualClock())
    async with listening(echo, tap=listener_tap) as listener, http_client(ClientLimits(), tap) as client:
        for _ in range(3):
            url = f"http://127.0.0.1:{listener.port}/r?s"
            headers = {"Content-Type": "text/xml", "Authorization": "Basic c2VjcmV0"}
            reply = await client.send("POST", url, headers=headers, body=b"hi", mm_id=5)
            assert reply.status == 200
            assert reply.body == b"POST /r s|hi"
            assert reply.content_type == "text/plain"
    assert len(peers) == 1
    assert len(seen) == 6
    assert seen[0].octets.startswith(b"POST /r?s HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"c2VjcmV0" not in seen[0].octets
    assert seen[1].octets.endswith(b"POST /r s|hi")
    assert all(record.mm_id == 5 for record in seen)


async def test_the_client_tells_why_there_is_no_answer(unused_tcp_port: int) -> None:
    async def slow(request: HttpRequest) -> HttpAnswer:
        await asyncio.Event().wait()
        raise AssertionError

    async def large(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(body=bytes(2000))

    limits = ClientLimits(total_seconds=0.2, maximum_body_octets=1000)
    async with http_client(limits, OFF) as client:
        with pytest.raises(HttpUnavailable, match="refused") as refused:
            await client.send("POST", f"http://127.0.0.1:{unused_tcp_port}/", headers={})
        assert not refused.value.connected
        async with listening(slow, HttpLimits(stop_seconds=0.01)) as listener:
            with pytest.raises(HttpUnavailable, match="no answer in time") as late:
                await client.send("POST", f"http://127.0.0.1:{listener.port}/", headers={})
            assert late.value.connected
        async with listening(large) as listener:
            with pytest.raises(HttpUnavailable, match="larger than 1000"):
                await client.send("POST", f"http://127.0.0.1:{listener.port}/", headers={})
        with pytest.raises(HttpUnavailable):
            await client.send("POST", "http://", headers={})


OK = b"HTTP/1.1 200 OK\r\n"
BODY = b"Content-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize(
    ("answer", "exact"),
    [
        (OK + b"x-a: 1\r\n" + BODY, True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + BODY, False),
        (b"HTTP/1.0 200 Fine\r\nX-A: 1\r\n\r\nabc", True),  # its end is that of the connection
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nTrailer: x\r\n\r\n", False),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED, False),
        (OK + BODY + b"HTTP/1.1 500 Not asked for\r\nContent-Length: 0\r\n\r\n", False),
    ],
)
async def test_answers_as_targets_write_them(answer: bytes, exact: bool) -> None:
    seen: list[CaptureRecord] = []
    asked: list[bytes] = []

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        for octet in range(len(answer)):
            writer.write(answer[octet : octet + 1])
            await writer.drain()
        if b"HTTP/1.0" in answer:
            writer.close()
        await reader.read()  # until the client closes
        writer.close()

    tap = WireTap("mm7", seen.append, VirtualClock())
    async with await asyncio.start_server(target, "127.0.0.1", 0) as server, http_client(ClientLimits(), tap) as client:
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        reply = await client.send("GET", f"http://me:p%40ss@{place}/p?q", headers={"X-B": "2"})
    assert (reply.status, reply.body) == (200, b"abc")
    assert "Trailer" not in reply.headers
    assert seen[0].octets == asked[0]
    assert asked[0].startswith(b"GET /p?q HTTP/1.1\r\nHost: " + place.encode())
    assert b"Authorization: Basic bWU6cEBzcw==\r\n" in asked[0]
    assert seen[1].octets.endswith(b"\r\n\r\nabc")
    assert (seen[1].octets == answer) == exact


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"220 mail.example ESMTP\r\n", "no HTTP answer"),
        (OK + b"X: " + b"a" * 70_000, "head of the answer is larger"),
        (OK + b"Content-Length: 10\r\n\r\nabc", "cut"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "compressed body"),
        (b"", "closed without an answer"),
    ],
)
async def test_answers_that_are_none(answer: bytes, why: str) -> None:
    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(target, "127.0.0.1", 0) as server, http_client(ClientLimits(), OFF) as client:
        with pytest.raises(HttpUnavailable, match=why) as caught:
            await client.send("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", headers={})
    assert caught.value.connected


async def test_a_late_second_attempt_connects_until_the_deadline_and_no_longer() -> None:
    """What the first one sent may have been read: only a request that was never sent is told as such."""

    with socket.create_server(("127.0.0.1", 0)) as server:
        async with http_client(ClientLimits(), OFF) as client:
            target = target_of(f"http://127.0.0.1:{server.getsockname()[1]}/")
            now = asyncio.get_running_loop().time()
            request = _Request(target, b"", b"", now + ClientLimits().total_seconds / 20, lambda *_: None)
            exchange = await client._connect(request)
            exchange.drop()
            await exchange.gone
            with pytest.raises(TimeoutError):
                await client._connect(request._replace(deadline=now - 1))


@pytest.mark.parametrize("url", ["http://", "ftp://x/", "x", "http://[/"])
async def test_a_url_that_is_none_is_told(url: str) -> None:
    async with http_client(ClientLimits(), OFF) as client:
        with pytest.raises(HttpUnavailable) as caught:
            await client.send("GET", url, headers={})
        with pytest.raises(HttpUnavailable, match="line break"):
            await client.send("GET", "http://127.0.0.1/", headers={"X": "a\r\nY: b"})
    assert not caught.value.connected


async def test_a_connection_nobody_uses_is_closed() -> None:
    gone = asyncio.Event()

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + BODY)
        await reader.read()
        gone.set()
        writer.close()

    limits = ClientLimits(keep_alive_seconds=0.05)
    async with await asyncio.start_server(target, "127.0.0.1", 0) as server, http_client(limits, OFF) as client:
        await client.send("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", headers={})
        await asyncio.wait_for(gone.wait(), 5)


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    writer.close()
    await writer.wait_closed()


async def test_a_cut_answer_is_no_answer() -> None:
    async with await asyncio.start_server(_cut, "127.0.0.1", 0) as server, http_client(ClientLimits(), OFF) as client:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(HttpUnavailable) as caught:
            await client.send("POST", f"http://127.0.0.1:{port}/", headers={})
    assert caught.value.connected


async def test_a_kept_connection_closed_in_the_same_moment_is_tried_once_more() -> None:
    """RFC 9112 9.3.1: on a new connection, though others are kept that are perhaps as old."""
    asked: list[int] = []
    closing = asyncio.Event()

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(connections)
        connections.append(writer)
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            asked.append(number)
            if closing.is_set() and number < 2:
                break
            if len(connections) > 1:
                both.set()
            await both.wait()
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    connections: list[asyncio.StreamWriter] = []
    both = asyncio.Event()
    async with await asyncio.start_server(target, "127.0.0.1", 0) as server, http_client(ClientLimits(), OFF) as client:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await asyncio.gather(*(client.send("POST", url, headers={}) for _ in range(2)))
        assert sorted(asked) == [0, 1], "two connections are kept"
        closing.set()
        reply = await client.send("POST", url, headers={})
    assert reply.status == 204
    assert asked[3:] == [2], "a new one, and no further attempt"


async def test_a_new_connection_closed_without_an_answer_is_not_tried_again() -> None:
    asked: list[bytes] = []

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with await asyncio.start_server(target, "127.0.0.1", 0) as server, http_client(ClientLimits(), OFF) as client:
        with pytest.raises(HttpUnavailable, match="closed without an answer") as caught:
            await client.send("POST", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", headers={})
    assert caught.value.connected
    assert len(asked) == 1


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_a_kept_connection_that_began_an_answer_is_not_tried_again(begun: bytes) -> None:
    asked: list[bytes] = []

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK + BODY)
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(begun)
        writer.close()

    async with await asyncio.start_server(target, "127.0.0.1", 0) as server, http_client(ClientLimits(), OFF) as client:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await client.send("POST", url, headers={})
        with pytest.raises(HttpUnavailable, match="cut") as caught:
            await client.send("POST", url, headers={})
    assert caught.value.connected
    assert len(asked) == 2


KEPT = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_requests_behind_each_other_are_answered_in_their_order() -> None:
    """RFC 9112 9.3.2; the last one comes in two pieces, behind the others."""
    posted = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    async with listening(echo) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(KEPT % 1 + KEPT % 2 + posted[:-3])
        for wanted in (b"GET /1 |", b"GET /2 |"):
            await reader.readuntil(wanted)
        writer.write(posted[-3:] + LAST)
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert b"POST /body |hello" in said
    assert said.endswith(b"GET /last |")


async def test_every_cut_of_the_octets_is_the_same_request() -> None:
    octets = b"\r\nPOST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with listening(echo, HttpLimits(idle_seconds=5)) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for cut in range(1, len(octets)):
            writer.write(octets[:cut])
            await asyncio.sleep(0)
            writer.write(octets[cut:])
            await reader.readuntil(b"POST /x |abcde")
        writer.close()
        await writer.wait_closed()


async def test_a_refusal_reaches_its_client_though_an_upgrade_stands_behind_it() -> None:
    refused = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: the moon\r\nContent-Length: 1\r\n\r\nx"
    behind = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    async with listening(echo) as listener:
        said = await talk(listener, refused + behind)
    assert said.startswith(b"HTTP/1.1 417 ")
    assert said.count(b"HTTP/1.1") == 1


async def test_an_upgrade_is_passed_over() -> None:
    """RFC 9110 7.8. Java's client asks for h2c on its first request, whatever the server is."""
    asked = b"Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    async with listening(echo) as listener:
        got = b"GET /1 HTTP/1.1\r\n" + asked + b"\r\n"
        posted = b"POST /2 HTTP/1.1\r\n" + asked + b"Content-Length: 2\r\n\r\nhi"
        said = await talk(listener, got + posted + LAST)
    for wanted in (b"GET /1 |", b"POST /2 |hi", b"GET /last |"):
        assert wanted in said


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", b"Connection: close"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"Connection: keep-alive"),
    ],
)
async def test_http_1_0_is_kept_alive_only_when_asked(asked: bytes, answered: bytes) -> None:
    async with listening(echo) as listener:
        said = await talk(listener, asked)  # the listener closes: at once, or after the idle time
    assert answered in said.partition(b"\r\n\r\n")[0].splitlines()


@pytest.mark.parametrize(
    "octets",
    [
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_was_refused_is_shown_octet_for_octet(octets: bytes) -> None:
    seen: list[CaptureRecord] = []
    async with listening(echo, tap=WireTap("mm7", seen.append, VirtualClock())) as listener:
        said = await talk(listener, octets)
    request, answer = seen
    assert request.octets == octets
    assert request.note
    assert answer.octets == said


async def test_a_client_that_leaves_inside_its_body_is_shown() -> None:
    seen: list[CaptureRecord] = []
    noted = asyncio.Event()

    def see(record: CaptureRecord) -> None:
        seen.append(record)
        noted.set()

    async with listening(echo, tap=WireTap("mm7", see, VirtualClock())) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        writer.close()
        await asyncio.wait_for(noted.wait(), 5)
    assert seen[0].octets.endswith(b"\r\n\r\nabc")
    assert "left" in seen[0].note


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb"])
async def test_no_value_breaks_out_of_its_header(value: str, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(headers=(("X-Name", value),))

    async with listening(broken) as listener:
        assert await talk(listener, KEPT % 1) == b""
        assert (await talk(listener, KEPT % 1)) == b""
    assert "a line break in a header" in caplog.text


async def test_an_answer_nobody_reads_is_given_up() -> None:
    flags: list[bool] = []
    told = asyncio.Event()

    async def handler(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(body=bytes(50_000_000), after=await _after(flags, told))

    async with listening(handler, HttpLimits(answer_seconds=0.2)) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(KEPT % 1)
        await asyncio.wait_for(told.wait(), 10)
        writer.transport.abort()
    assert flags == [False]


async def test_204_has_neither_body_nor_length() -> None:
    async def handler(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(status=204, body=b"never")

    async with listening(handler) as listener:
        said = await talk(listener, LAST)
    assert said.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert said.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in said
