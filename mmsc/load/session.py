"""The driver with its listeners, put together for one run against one server."""

import asyncio
import itertools
import ssl
import time
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from mmsc.load.connections import Answered, Broken
from mmsc.load.driver import Driver
from mmsc.load.handset import Handsets
from mmsc.load.http1 import ClientConnection, Pool, ServerConnection
from mmsc.load.mix import Mix
from mmsc.load.octets import NOT_A_REPORT, ReportAnswer, element
from mmsc.load.plan import Plan
from mmsc.load.smsc import Smsc, SmscConnection
from mmsc.load.stops import Condition, first_that_holds
from mmsc.load.tally import Tally
from mmsc.load.target import Target
from mmsc.net.listening import BACKLOG
from protocols.records import record

BIND_SECONDS: Final = 90.0  # an MMSC that found no SMSC before may wait a minute until it tries again
MAXIMUM_INCOMING: Final = 4096  # connections of the MMSC to our listeners

Place = tuple[str, int]


@record(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is played beside the VASP. `notify_path`: where m-notifyresp-ind goes on the host of a Content-Location.
    `hold_binds`: the SMSC answers no bind, so that nothing leaves the MMSC."""

    report_listen: Place | None = None
    smsc_listen: Place | None = None
    notify_path: str = "/mms"
    hold_binds: bool = False
    bind_seconds: float = BIND_SECONDS
    also: Sequence[Place] = ()  # further nodes of the same MMSC: connections go to each in turn
    conditions: Sequence[Condition] = ()


class Session:
    """VASP, report listener, SMSC and handsets. Use it as an async context manager, and then `run`."""

    def __init__(
        self,
        target: Target,
        plan: Plan,
        mix: Mix,
        setup: Setup,
        *,
        may_fetch: Callable[[str], bool],
        window: Callable[[bool], None] = lambda opens: None,
        ticked: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.plan, self._setup = plan, setup
        self._ticked = ticked
        self.now = now
        self.tally = Tally()
        self.handsets = Handsets(
            setup.notify_path,
            mix.contents,
            self.tally,
            now,
            may_fetch=may_fetch,
            timeout_seconds=plan.timeout_seconds,
        )
        self.smsc = Smsc(self._pushed, held=setup.hold_binds)
        self.driver = Driver(
            plan, mix, self.tally, self._open, now=now, window=window, judge=self._judge, ticked=self._tick
        )
        self._answer = ReportAnswer(target)
        tls = ssl.create_default_context() if target.tls else None
        places = ((target.host, target.port), *setup.also)
        self._pools = itertools.cycle([Pool(*place, tls) for place in places])
        self._listeners: list[asyncio.Server] = []
        self._reports: list[tuple[bytes, bytes, bytes]] = []  # answered in this turn of the loop
        self._peers: weakref.WeakSet[SmscConnection | ServerConnection] = weakref.WeakSet()
        self.connections = 0  # that the MMSC opened to us
        self.broke = ""  # stop condition

    async def __aenter__(self) -> Self:
        """Listen. Raises OSError, with the place in its text, when that cannot be."""
        loop, setup = asyncio.get_running_loop(), self._setup
        try:
            for place, make in (
                (setup.smsc_listen, self._smsc_connection),
                (setup.report_listen, self._report_connection),
            ):
                if place is not None:
                    self._listeners.append(await _listen(loop, make, place))
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def plays_smsc(self) -> bool:
        """Whether we are the SMSC and the handsets, too."""
        return self._setup.smsc_listen is not None and not self._setup.hold_binds

    async def run(self) -> None:
        """Wait for the MMSC's bind where we are its SMSC, then play the plan.

        Raises TimeoutError when nobody binds, OSError when nobody takes the first connection."""
        if self.plays_smsc:
            await self._look_for_the_target()
            await self._bound()
        if not self.driver.stopped:
            await self.driver.run()
        if not self.broke:
            self.broke = first_that_holds(self._setup.conditions, self.tally, at_end=True)

    async def _look_for_the_target(self) -> None:
        """Somebody who is not there will not bind either."""
        async with asyncio.timeout(self.plan.timeout_seconds):
            connection = await self._open(lambda *_: None, lambda *_: None)
        connection.close()

    async def _bound(self) -> None:
        waits = [asyncio.ensure_future(one) for one in (self.smsc.bound.wait(), self.driver.stopping())]
        try:
            done, _ = await asyncio.wait(waits, timeout=self._setup.bind_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if not done:
            raise TimeoutError(f"no ESME has bound to our SMSC within {self._setup.bind_seconds:g} s")

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        for peer in tuple(self._peers):
            peer.close()
        await self.handsets.close()

    async def _open(self, answered: Answered, broken: Broken) -> ClientConnection:
        return await next(self._pools).open(lambda: ClientConnection(answered, broken))

    def _judge(self) -> str:
        self.broke = first_that_holds(self._setup.conditions, self.tally, at_end=False)
        return f"stop condition {self.broke}" if self.broke else ""

    def _tick(self) -> None:
        self.handsets.sweep()
        self._ticked()

    def _pushed(self, destination: bytes, push: bytes) -> None:
        self.driver.pushed(destination)
        self.handsets.pushed(push)

    def _smsc_connection(self) -> asyncio.Protocol:
        return self._came(self.smsc.connection())

    def _report_connection(self) -> asyncio.Protocol:
        return self._came(ServerConnection(self._take_report, self._took_reports))

    def _came(self, peer: SmscConnection | ServerConnection) -> asyncio.Protocol:
        self.connections += 1
        if len(self._peers) >= MAXIMUM_INCOMING:
            return _Refusal()
        self._peers.add(peer)
        return peer

    def _take_report(self, head: bytes, body: bytes) -> bytes:
        del head
        message_id, status = element(body, b"MessageID"), element(body, b"MMStatus")
        if not message_id or not status:
            self.tally.other_requests += 1
            return NOT_A_REPORT
        recipient = element(body, b"Number") or element(body, b"RFC2822Address") or element(body, b"ShortCode")
        self._reports.append((message_id, recipient, status))
        return self._answer.octets(element(body, b"TransactionID"))

    def _took_reports(self) -> None:
        """Their answers were written: only now they are over."""
        reports, self._reports = self._reports, []
        for report in reports:
            self.driver.report(*report)


class _Refusal(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def _listen(
    loop: asyncio.AbstractEventLoop, make: Callable[[], asyncio.Protocol], place: Place
) -> asyncio.Server:
    try:
        return await loop.create_server(make, *place, backlog=BACKLOG)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {place[0]} port {place[1]} ({error.strerror})") from error
