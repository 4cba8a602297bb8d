"""The closed loop: so many messages in flight, a warm-up, a fixed count measured, and everything accounted for."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benching import octets
from benching.http1 import ClientConnection, WireError

ACCEPT: Final = "accept"
LIFECYCLE: Final = "lifecycle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. A message of case `accept` ends with its SubmitRsp, of `lifecycle` when its report was answered.

    A message is lost when nothing has ended for `grace_seconds` and it is still out; the whole run is given up after
    `bound_seconds`.
    """

    case: str
    in_flight: int
    warm_up: int
    messages: int
    grace_seconds: float = 15.0
    bound_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server has used so far: processor time in seconds, resident memory in MB."""

    cpu_seconds: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured, between the end of the warm-up and the end of the last counted message."""

    messages_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us_per_message: float
    rss_mb: float
    lost: int


class Load:
    """Submits and accounts. Everything runs in callbacks of one event loop; there is a task for waiting only."""

    def __init__(self, plan: Plan, mm7_port: int, usage: Callable[[], Usage], progress: Callable[[int], None]) -> None:
        self._plan = plan
        self._port = mm7_port
        self._usage = usage
        self._progress = progress
        self._request = octets.SubmitRequest(mm7_port)
        self._total = plan.warm_up + plan.messages
        self._sent = 0
        self._ended = 0
        self._latencies: list[float] = []
        self._out: dict[bytes, tuple[int, float, ClientConnection]] = {}
        self._early: set[bytes] = set()
        self._error: Exception | None = None
        self._moved = asyncio.Event()
        self._from: tuple[float, Usage] | None = None
        self._to: tuple[float, Usage] | None = None

    def fail(self, error: Exception) -> None:
        """A neighbour saw something that voids the run."""
        self._error = self._error or error
        self._moved.set()

    async def run(self) -> Figures:
        """Play the plan. Raises WireError when the server answered wrongly or stopped answering."""
        connections = [
            await ClientConnection.open("127.0.0.1", self._port, self.fail) for _ in range(self._plan.in_flight)
        ]
        try:
            if not self._plan.warm_up:
                self._from = (time.perf_counter(), self._usage())
            for connection in connections:
                self._submit(connection)
            await self._wait()
        finally:
            for connection in connections:
                connection.close()
        return self._figures()

    def report(self, head: bytes, body: bytes) -> bytes:
        """A DeliveryReportReq arrived: its answer ends the message."""
        del head
        status = octets.element(body, b"MMStatus")
        if status != b"Retrieved":
            self.fail(WireError(f"a report says {status!r}: {body[:300]!r}"))
        message_id = octets.element(body, b"MessageID")
        loop = asyncio.get_running_loop()
        loop.call_soon(self._reported, message_id)  # after the answer was written
        return octets.report_answer(octets.element(body, b"TransactionID"))

    def _submit(self, connection: ClientConnection) -> None:
        index = self._sent
        if self._to is not None:
            return  # all that counts has ended: what is out may finish, nothing new is started
        self._sent += 1
        started = time.perf_counter()

        def answered(status: int, body: bytes) -> None:
            code, message_id = octets.element(body, b"StatusCode"), octets.element(body, b"MessageID")
            if status != 200 or code != b"1000" or not message_id:
                self.fail(WireError(f"a SubmitReq was answered {status}: {body[:600]!r}"))
            elif self._plan.case == ACCEPT:
                self._end(index, started, connection)
            elif message_id in self._early:
                self.fail(WireError(f"the report of {message_id!r} overtook its SubmitRsp"))
            else:
                self._out[message_id] = (index, started, connection)

        connection.request(self._request.octets(index), answered)

    def _reported(self, message_id: bytes) -> None:
        out = self._out.pop(message_id, None)
        if out is None:
            self._early.add(message_id)  # a repeat, or (then found in `answered`) a report that came too soon
        else:
            self._end(*out)

    def _end(self, index: int, started: float, connection: ClientConnection) -> None:
        now = time.perf_counter()
        self._ended += 1
        if index >= self._plan.warm_up and self._to is None:
            self._latencies.append(now - started)
        if self._ended == self._plan.warm_up:
            self._from = (now, self._usage())
        elif self._ended == self._total:
            self._to = (now, self._usage())
        self._moved.set()
        self._submit(connection)

    async def _wait(self) -> None:
        bound = time.monotonic() + self._plan.bound_seconds
        while self._error is None and not (self._to is not None and self._ended == self._sent):
            self._moved.clear()
            self._progress(self._ended)
            remaining = min(self._plan.grace_seconds, bound - time.monotonic())
            if remaining <= 0:
                raise WireError(f"{self._ended} of {self._total} messages ended within the time of the run")
            try:
                await asyncio.wait_for(self._moved.wait(), remaining)
            except TimeoutError:
                break
            await asyncio.sleep(0.05)  # progress is looked at, not followed
        if self._error is not None:
            raise self._error

    def _figures(self) -> Figures:
        lost = self._sent - self._ended
        if self._from is None or self._to is None:
            raise WireError(f"{self._ended} of {self._sent} messages ended, then nothing more came")
        (begun, before), (ended, after) = self._from, self._to
        latencies = sorted(self._latencies)
        return Figures(
            messages_per_s=self._plan.messages / (ended - begun),
            p50_ms=latencies[len(latencies) // 2] * 1000,
            p99_ms=latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)] * 1000,
            cpu_us_per_message=(after.cpu_seconds - before.cpu_seconds) / self._plan.messages * 1e6,
            rss_mb=after.rss_mb,
            lost=lost,
        )
