"""Listeners and the clients that wait for them: in one turn of a busy loop, beyond a limit, and at a stop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mmsc.clock import VirtualClock
from mmsc.net import accepting, http_turned_away
from mmsc.net.accepting import Acceptor
from mmsc.net.http import HttpAnswer, HttpLimits, HttpListener, HttpRequest
from mmsc.net.listening import port_of
from mmsc.net.smtp import SmtpServer
from mmsc.net.smtp_handler import Handler, SmtpLimits
from mmsc.trace.captures import WireTap
from tests.net.loops import NewLoop, loops, run, until

_ALLOWED = Path("/proc/sys/net/core/somaxconn")
_CLIENTS = min(700, int(_ALLOWED.read_text()) if _ALLOWED.exists() else 100)  # what the system lets wait
_REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
_OFF = WireTap("test", None, VirtualClock())


async def _empty(request: HttpRequest) -> HttpAnswer:
    return HttpAnswer(status=204)


@contextlib.asynccontextmanager
async def _listening(maximum: int = 1000) -> AsyncIterator[HttpListener]:
    limits = HttpLimits(maximum_connections=maximum, stop_seconds=30.0)
    listener = HttpListener(_empty, "127.0.0.1", 0, limits, _OFF)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


def _connected(port: int, stack: contextlib.ExitStack, octets: bytes = _REQUEST) -> socket.socket:
    """A client that connected and sent this, while the loop had no turn."""
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
    client.sendall(octets)
    client.setblocking(False)
    return client


async def test_hundreds_may_connect_while_the_loop_is_busy() -> None:
    """With 900 clients at once, two hundred were not served for half a minute: the system dropped the last step of
    their connection, and they believed to be connected."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        async with _listening() as listener, asyncio.timeout(20):
            clients = [_connected(listener.port, stack) for _ in range(_CLIENTS)]
            answers = [await loop.sock_recv(client, 4096) for client in clients]
    assert {answer.partition(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 204 No Content"}


@pytest.mark.parametrize("loop", loops())
def test_all_that_wait_are_taken_in_a_few_turns(loop: NewLoop) -> None:
    async def work() -> None:
        with contextlib.ExitStack() as stack:
            async with _listening() as listener:
                for _ in range(60):
                    _connected(listener.port, stack, b"GET ")
                for _ in range(6):
                    await asyncio.sleep(0)
                assert listener.connections == 60

    run(loop, work())


@pytest.mark.parametrize("loop", loops())
def test_no_more_than_the_limit_in_one_turn(loop: NewLoop) -> None:
    async def work() -> None:
        running = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            async with _listening(10) as listener, asyncio.timeout(20):
                clients = [_connected(listener.port, stack, b"GET / HTTP/1.1\r\n") for _ in range(50)]
                answers = [await running.sock_recv(client, 4096) for client in clients[10:]]
                assert listener.connections == 10
                for client in clients:
                    client.close()
                await until(lambda: not listener.connections)
                served = await running.sock_recv(_connected(listener.port, stack), 4096)
        assert {answer[:13] for answer in answers} == {b"HTTP/1.1 503 "}
        assert served.startswith(b"HTTP/1.1 204 ")

    run(loop, work())


@pytest.mark.parametrize("loop", loops())
def test_who_is_turned_away_and_stays_is_cut(loop: NewLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_turned_away, "_LINGER_SECONDS", 0.05)
    monkeypatch.setattr(http_turned_away, "_MOST", 1)

    async def work() -> None:
        running = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            async with _listening(0) as listener, asyncio.timeout(20):
                first, second = (_connected(listener.port, stack, b"") for _ in range(2))
                assert (await running.sock_recv(first, 4096)).startswith(b"HTTP/1.1 503 ")
                with contextlib.suppress(ConnectionError):  # one more than may linger
                    assert await running.sock_recv(second, 4096) == b""
                await until(lambda: not listener._turned_away._lingering)

    run(loop, work())


async def test_a_stop_cuts_those_who_linger() -> None:
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        async with _listening(0) as listener:
            client = _connected(listener.port, stack, b"")
            assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 503 ")
        assert not listener._turned_away._lingering


async def test_a_client_that_is_turned_away_and_gone_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with _listening(0) as listener:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", listener.port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await asyncio.sleep(0.1)
        assert not listener._turned_away._lingering
    assert not caplog.records


class _Mails(Handler):
    """Takes nothing."""


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("loop", loops())
def test_a_stop_at_any_turn_leaves_nobody_and_waits_for_nobody(loop: NewLoop, turns: int) -> None:
    """uvloop's connection that is cancelled while it is made is never told that it is lost."""

    async def work() -> None:
        mails = SmtpServer(
            _Mails(), "127.0.0.1", 0, hostname="x.example", limits=SmtpLimits(stop_seconds=30.0), tap=_OFF
        )
        await mails.start()
        with contextlib.ExitStack() as stack:
            async with asyncio.timeout(5):
                async with _listening() as listener:
                    for _ in range(3):
                        _connected(listener.port, stack, b"")
                        _connected(mails.port, stack, b"")
                    for _ in range(turns):
                        await asyncio.sleep(0)
                assert listener.connections == 0
                await mails.stop()
                assert mails.sessions == 0
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert {task.get_name() for task in others if not task.done()} == set()

    run(loop, work())


@pytest.mark.parametrize("loop", loops())
def test_a_port_is_free_again_at_once(loop: NewLoop) -> None:
    async def work() -> None:
        first = HttpListener(_empty, "127.0.0.1", 0, HttpLimits(), _OFF)
        await first.start()
        await first.stop()
        second = HttpListener(_empty, "127.0.0.1", first.port, HttpLimits(), _OFF)
        await second.start()
        assert second.port == first.port
        await second.stop()

    run(loop, work())


class _Failing(socket.socket):
    """Accepts nobody at first."""

    errors: list[int]

    def accept(self) -> tuple[socket.socket, Any]:
        if self.errors:
            raise OSError(self.errors.pop(0), "for the test")
        return super().accept()


@pytest.mark.parametrize("loop", loops())
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOBUFS, errno.ECONNABORTED, errno.EHOSTUNREACH])
def test_an_error_of_accept_ends_no_listener(
    loop: NewLoop,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without descriptors it pauses and says so; what is the client's own is passed over."""
    monkeypatch.setattr(_Failing, "errors", [number], raising=False)
    monkeypatch.setattr("mmsc.net.accepting.socket.socket", _Failing)
    monkeypatch.setattr(accepting, "_PAUSE_SECONDS", 0.05)

    async def work() -> None:
        taken: list[socket.socket] = []

        async def take(client: socket.socket) -> None:
            taken.append(client)

        acceptor = Acceptor(take)
        await acceptor.start("127.0.0.1", 0)
        with contextlib.ExitStack() as stack:
            _connected(port_of(acceptor), stack, b"")
            async with asyncio.timeout(5):
                await until(lambda: bool(taken))
            acceptor.close()
            await acceptor.wait_closed()
            taken[0].close()

    run(loop, work())
    assert bool(caplog.records) is (number in (errno.EMFILE, errno.ENOBUFS))


async def test_a_kind_of_address_that_is_missing_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnlyFour(socket.socket):
        def __init__(self, family: int = -1, *others: Any, **more: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "for the test")
            super().__init__(family, *others, **more)

    monkeypatch.setattr("mmsc.net.accepting.socket.socket", OnlyFour)
    with pytest.raises(OSError, match="for the test"):
        accepting._listening([(socket.AF_INET6, ("::1", 0))])
    (one,) = accepting._listening([(socket.AF_INET6, ("::1", 0)), (socket.AF_INET, ("127.0.0.1", 0))])
    assert one.getsockname()[0] == "127.0.0.1"
    one.close()
