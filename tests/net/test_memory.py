"""One budget for the octets that listeners hold: beyond it, later; what is under way goes on, and all is given back."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mmsc.clock import VirtualClock
from mmsc.net.http import HttpAnswer, HttpLimits, HttpListener, HttpRequest
from mmsc.net.octets import OctetBudget
from mmsc.net.smtp import Handler, SmtpLimits, SmtpServer
from mmsc.trace.captures import WireTap

OFF = WireTap("test", None, VirtualClock())
ROOM = 100_000
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


class Slow:
    """A handler that answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Semaphore(0)
        self.told: list[bool] = []

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        if request.path == "/large":

            async def after(whole: bool) -> None:
                self.told.append(whole)

            return HttpAnswer(body=bytes(int(request.query)), after=after)
        self.begun.release()
        await self.go.wait()
        return HttpAnswer(body=b"done")


@asynccontextmanager
async def http(slow: Slow, budget: OctetBudget) -> AsyncIterator[int]:
    limits = HttpLimits(maximum_body_octets=ROOM, stop_seconds=1.0)
    listener = HttpListener(slow.handle, "127.0.0.1", 0, limits, OFF, budget)
    await listener.start()
    try:
        yield listener.port
    finally:
        await listener.stop()


async def ask(port: int, octets: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    async with asyncio.timeout(15):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "second",
    [
        HEAD + b"Content-Length: 50000\r\n\r\n",  # not one octet of the body is waited for
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nc350\r\n" + bytes(50_000) + b"\r\n0\r\n\r\n",
        HEAD
        + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
        % (len(gzip.compress(bytes(60_000))), gzip.compress(bytes(60_000))),
        b"GET /large?60000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
    ids=["declared", "chunked", "compressed", "answer"],
)
async def test_beyond_the_budget_it_is_later_and_then_taken_again(second: bytes) -> None:
    budget, slow = OctetBudget(ROOM), Slow()
    async with http(slow, budget) as port:
        first = asyncio.create_task(ask(port, HEAD + b"Content-Length: 60000\r\n\r\n" + bytes(60_000)))
        await slow.begun.acquire()
        assert budget.held == 60_000
        refused = await ask(port, second)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in refused
        assert budget.held == 60_000
        slow.go.set()
        assert (await first).endswith(b"done")
        if b"Content-Length: 50000" in second:
            second += bytes(50_000)
        assert (await ask(port, second)).startswith(b"HTTP/1.1 200 ")
    assert budget.held == 0
    assert slow.told in ([], [False, True]), "an answer that was not sent was not fetched"


async def test_who_leaves_in_the_middle_gives_back_what_it_had() -> None:
    budget, slow = OctetBudget(ROOM), Slow()
    async with http(slow, budget) as port:
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + b"Content-Length: 90000\r\n\r\n" + bytes(50_000))
            async with asyncio.timeout(15):
                while budget.held < 50_000:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                writer.transport.abort()
                while budget.held:  # noqa: ASYNC110
                    await asyncio.sleep(0)


async def test_many_clients_at_once_never_hold_more_than_the_budget() -> None:
    """Counted at each request that got in; those that did not are told so, nobody hangs."""
    budget, slow = OctetBudget(ROOM), Slow()
    async with http(slow, budget) as port:
        body = HEAD + b"Content-Length: 30000\r\n\r\n" + bytes(30_000)
        clients = [asyncio.create_task(ask(port, body)) for _ in range(60)]
        for _ in range(3):
            await slow.begun.acquire()
        assert 90_000 <= budget.held <= ROOM
        slow.go.set()
        answers = [answer.split(b" ")[1] for answer in await asyncio.gather(*clients)]
    assert set(answers) <= {b"200", b"503"}
    assert answers.count(b"200") >= 3
    assert budget.held == 0


async def test_a_client_that_hangs_up_counts_until_its_request_is_served() -> None:
    """Otherwise requests under way would be bounded by nothing but the speed of connecting and hanging up."""
    slow = Slow()
    listener = HttpListener(slow.handle, "127.0.0.1", 0, HttpLimits(maximum_connections=2, stop_seconds=1.0), OFF)
    await listener.start()
    for _ in range(2):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
        await slow.begun.acquire()
        writer.transport.abort()
    assert (await ask(listener.port, HEAD + b"Content-Length: 0\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
    slow.go.set()
    await listener.stop()


class Mails(Handler):
    """Takes everything, when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Semaphore(0)

    async def rcpt(self, remote: str, mail_from: str, address: str) -> str:
        return "250 2.1.5 ok"

    async def data(self, remote: str, mail_from: str, recipients: object, octets: bytes) -> str:
        self.begun.release()
        await self.go.wait()
        return "250 2.0.0 taken"


@asynccontextmanager
async def smtp(mails: Mails, budget: OctetBudget) -> AsyncIterator[tuple[int, SmtpServer]]:
    limits = SmtpLimits(stop_seconds=5.0)
    server = SmtpServer(mails, "127.0.0.1", 0, hostname="mms.example", limits=limits, tap=OFF, budget=budget)
    await server.start()
    try:
        yield server.port, server
    finally:
        await server.stop()


def mail(size: int, *, declared: bool) -> bytes:
    announced = b" SIZE=%d" % size if declared else b""
    return (
        b"EHLO x.example\r\nMAIL FROM:<a@x.example>" + announced + b"\r\nRCPT TO:<b@y.example>\r\nDATA\r\n"
        b"" + b"x" * size + b"\r\n.\r\nQUIT\r\n"
    )


async def codes(port: int, octets: bytes) -> list[bytes]:
    answers = (await ask(port, octets)).split(b"\r\n")[:-1]
    return [line[:3] for line in answers if line[3:4] == b" "]


async def test_mails_beyond_the_budget_get_452() -> None:
    """RFC 1870 6.1 at MAIL where the size is told, RFC 5321 4.2.3 after DATA where it is not."""
    budget, mails = OctetBudget(200_000), Mails()
    async with smtp(mails, budget) as (port, _):
        first = asyncio.create_task(codes(port, mail(100_000, declared=True)))
        await mails.begun.acquire()
        assert budget.held >= 100_000
        assert (await codes(port, b"EHLO x.example\r\nMAIL FROM:<a@x.example> SIZE=150000\r\nQUIT\r\n"))[2] == b"452"
        assert (await codes(port, mail(150_000, declared=False)))[-2:] == [b"452", b"221"]
        mails.go.set()
        assert (await first)[-2:] == [b"250", b"221"]
        assert (await codes(port, mail(150_000, declared=False)))[-2:] == [b"250", b"221"]
    assert budget.held == 0


async def test_a_stop_lets_a_mail_be_answered_and_says_421_to_the_others() -> None:
    mails = Mails()
    async with smtp(mails, OctetBudget()) as (port, server):
        idle, idle_writer = await asyncio.open_connection("127.0.0.1", port)
        await idle.readline()
        busy = asyncio.create_task(ask(port, mail(10, declared=False).removesuffix(b"QUIT\r\n")))
        await mails.begun.acquire()
        stopping = asyncio.create_task(server.stop())
        async with asyncio.timeout(15):
            assert (await idle.read()).startswith(b"421 4.3.2 ")
        mails.go.set()
        assert [line[:3] for line in (await busy).split(b"\r\n")[-3:-1]] == [b"250", b"421"]
        await stopping
        idle_writer.close()


async def test_a_stop_tells_kept_connections_that_the_answer_is_the_last() -> None:
    slow = Slow()
    listener = HttpListener(slow.handle, "127.0.0.1", 0, HttpLimits(stop_seconds=15.0), OFF)
    await listener.start()
    asked = asyncio.create_task(ask(listener.port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"))
    await slow.begun.acquire()
    stopping = asyncio.create_task(listener.stop())
    for _ in range(10):
        await asyncio.sleep(0)
    slow.go.set()
    answer = await asked
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"done")
    await stopping
