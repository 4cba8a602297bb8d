"""Submits and accounts. Everything runs in callbacks of one event loop; there is a task for waiting only.

Closed loop: so many messages are in flight, and each that ends begins another. Open loop: message n is due at
start + n / rate whatever the MMSC does, and its latency counts from then: an MMSC that stalls is not spared the
latencies of those who had to wait meanwhile (no "coordinated omission").
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from mmsc.load.connections import Connections, Open
from mmsc.load.http1 import ClientConnection
from mmsc.load.mix import Mix
from mmsc.load.octets import element
from mmsc.load.plan import Plan, Until
from mmsc.load.tally import Tally, count
from mmsc.load.under_way import Message, PushClock

MAXIMUM_AWAITED: Final = 500_000  # messages whose reports are waited for; further ones are counted as untracked
MAXIMUM_STRANGERS: Final = 10_000  # MessageIDs of reports that belong to nothing yet
GIVE_UP_SECONDS: Final = 30.0  # without a connection
_TICK_SECONDS: Final = 0.25
_TIMER_SECONDS: Final = 0.002  # so late the event loop's own timers may be; that is no latency of the MMSC
_SAMPLE_OCTETS: Final = 600
_DONE_AND_KEPT: Final = 10_000


class Driver:
    """Plays one plan. `window(opens)` is called when counting begins and ends; `judge` gives a reason to stop, or "";
    `ticked` is called four times a second."""

    def __init__(
        self,
        plan: Plan,
        mix: Mix,
        tally: Tally,
        open_connection: Open,
        *,
        now: Callable[[], float],
        window: Callable[[bool], None] = lambda opens: None,
        judge: Callable[[], str] = lambda: "",
        ticked: Callable[[], None] = lambda: None,
    ) -> None:
        self._plan, self._mix, self.tally = plan, mix, tally
        self._now, self._window, self._judge, self._ticked = now, window, judge, ticked
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._connections = Connections(
            open_connection, tally, answered=self._answered, lost=self._lost, freed=self._pump
        )
        self._free = self._connections.free
        self._alone_since = 0.0  # since when there has been no connection
        self._due_timer: asyncio.TimerHandle | None = None
        self._tick_timer: asyncio.TimerHandle | None = None
        self._phase_timer: asyncio.TimerHandle | None = None  # the end of a warm-up, or of sending
        self._awaited: dict[bytes, Message] = {}
        self._by_age: deque[tuple[float, bytes, Message]] = deque()
        self._strangers: dict[bytes, int] = {}
        self._pushes = PushClock()
        self._total = 0  # messages to begin, or to end; an exact plan knows it when the warm-up is over
        if plan.messages and not plan.exact:
            self._total = plan.warm_up_messages + plan.messages
        self.started_at = self.window_opened = self.window_closed = 0.0
        self.last_reported_at = 0.0  # of what counts
        self.counting = False  # the warm-up is over
        self.started = False
        self.sending = False
        self.ended_in_window = 0
        self.begun = 0
        self.ended = 0
        self.out = 0  # without an answer
        self.slots = 0  # in flight: without what ends them
        self.stopped = ""  # why it ended before its time

    # --- the run ---

    async def run(self) -> None:
        """Play the plan to its end. Raises OSError when nobody takes the first connection."""
        try:
            await self._connections.start(self._plan.connections)
            if self.stopped:
                return
            self.started = True
            now = self.started_at = self._alone_since = self._now()
            self.sending = True
            if not self._plan.warm_up_messages and not self._plan.warm_up_seconds:
                self._open_window(now)
            elif self._plan.warm_up_seconds:
                self._phase_timer = self._loop.call_later(self._plan.warm_up_seconds, self._warmed_up)
            self._tick()
            await self._done
        finally:
            self.sending = False
            for timer in (self._due_timer, self._tick_timer, self._phase_timer):
                if timer is not None:
                    timer.cancel()
            await self._connections.close()
            if self.started:
                self.tally.series.close(self._now() - self.started_at, self.slots)

    async def stopping(self) -> None:
        """Until somebody stops what has not begun."""
        await asyncio.shield(self._done)

    def stop(self, why: str) -> None:
        """Send nothing more; what is under way may end. Called again, the run ends at once."""
        if not self.started or (self.stopped and not self.sending):
            self._finish()
        self.stopped = self.stopped or why
        self._end_sending()

    @property
    def unsent(self) -> int:
        """How many messages an open loop was behind its rate when sending ended."""
        if not self._plan.rate:
            return 0
        until = self._now() if self.sending else self.window_closed
        due = int((until - self.started_at) * self._plan.rate)
        return max(0, (min(due, self._total) if self._total else due) - self.begun)

    @property
    def awaiting(self) -> int:
        """Messages whose reports have not all come."""
        return len(self._awaited)

    @property
    def connected(self) -> int:
        """Connections that stand."""
        return len(self._connections.all)

    def _pump(self) -> None:
        """Begin what may begin."""
        if self._plan.rate:
            self._pump_open()
            return
        while self.sending and self._free and self.slots < self._plan.in_flight and self._may_begin():
            self._begin(self._free.popleft(), self._now())

    def _may_begin(self) -> bool:
        return not self._total or not self._plan.exact or self.begun < self._total

    def _pump_open(self) -> None:
        rate, now = self._plan.rate, self._now()
        while self.sending:
            if self._total and self.begun >= self._total:
                self._end_sending()
                return
            due = self.started_at + self.begun / rate
            if due > now:
                if self._due_timer is None:
                    self._due_timer = self._loop.call_later(due - now, self._due)
                return
            if not self._free:
                return  # the next free connection comes here; how late it is counts
            self._begin(self._free.popleft(), now if now - due < _TIMER_SECONDS else due)

    def _due(self) -> None:
        self._due_timer = None
        self._pump_open()

    def _begin(self, connection: ClientConnection, began: float) -> None:
        index = self.begun
        self.begun = index + 1
        request, recipients, recipient = self._mix.request(index)
        message = Message(index, began, self.counting, recipients, recipient)
        if self.counting:
            self.tally.sent += 1
        self.out += 1
        self.slots += 1
        if self._plan.pushes:
            self._pushes.begun(message)
        connection.job = message
        connection.deadline = self._now() + self._plan.timeout_seconds
        connection.request(request)

    # --- what comes back ---

    def _answered(self, connection: ClientConnection, status: int, body: bytes) -> None:
        now = self._now()
        message = connection.job
        assert isinstance(message, Message)
        connection.job = None
        if not connection.closed:
            self._free.append(connection)
        self.out -= 1
        code = element(body, b"StatusCode")
        message_id = element(body, b"MessageID")
        if status == 200 and code[:1] == b"1" and message_id and message_id not in self._awaited:
            self._accepted(message, code, message_id, now)
        else:
            kind = code[:20].decode("latin-1") if code else f"HTTP {status}"
            if code[:1] == b"1":
                kind += _oddity(status, message_id)
            self._failed(message, kind, f"HTTP {status}: {body[:_SAMPLE_OCTETS].decode('utf-8', 'replace')}", now)
        self._pump()

    def _accepted(self, message: Message, code: bytes, message_id: bytes, now: float) -> None:
        tally, took = self.tally, now - message.began
        tally.series.current.accepted += 1
        tally.series.latencies.record(took)
        if message.counted:
            tally.accepted += 1
            count(tally.answers, "1000" if code == b"1000" else code[:20].decode("latin-1"))
            tally.submit.record(took)
        if not self._plan.reports or code != b"1000":
            self._end(message, now)
            return
        if self._plan.until is Until.ACCEPTED:
            self._end(message, now)
        if message_id in self._strangers:
            early = self._strangers.pop(message_id)
            tally.early_reports += early
            tally.strange_reports -= early
            tally.recipients_reported += early * message.counted
            message.recipients -= early
        if message.recipients <= 0:
            self._reported(message, now)
        elif len(self._awaited) >= MAXIMUM_AWAITED:
            tally.untracked += 1
            self._end(message, now)
        else:
            self._awaited[message_id] = message
            self._by_age.append((now, message_id, message))

    def _failed(self, message: Message, kind: str, sample: str, now: float) -> None:
        self.tally.failed(kind, message.counted, sample)
        if self._plan.pushes:
            self._pushes.failed(message)
        self._end(message, now, well=False)

    def _lost(self, connection: ClientConnection, why: str) -> None:
        """A connection broke while its answer was due."""
        message = connection.job
        assert isinstance(message, Message)
        connection.job = None
        self.out -= 1
        now = self._now()
        if message.counted and connection.deadline <= now:  # a server that does not answer is no quick one
            self.tally.submit.record(now - message.began)
        self._failed(message, why or "connection closed", why, now)
        self._pump()

    def report(self, message_id: bytes, recipient: bytes, status: bytes) -> None:
        """A DeliveryReportReq was answered. Deferred comes before the last one and ends nothing."""
        message = self._awaited.get(message_id)
        if message is not None and message.counted:
            count(self.tally.reports, status[:40].decode("latin-1"))
        if status == b"Deferred":
            return
        if message is None:
            self._strange(message_id)
            return
        if message.counted:
            self.last_reported_at = self._now()
        if message.recipients > 1:
            seen = message.reported = message.reported or set()
            if recipient in seen:
                self.tally.report_repeats += 1
                return
            seen.add(recipient)
            self.tally.recipients_reported += message.counted
            if len(seen) < message.recipients:
                return
        else:
            self.tally.recipients_reported += message.counted
        del self._awaited[message_id]
        self._reported(message, self._now())
        self._pump()

    def _strange(self, message_id: bytes) -> None:
        self.tally.strange_reports += 1
        if len(self._strangers) >= MAXIMUM_STRANGERS:
            del self._strangers[next(iter(self._strangers))]
        self._strangers[message_id] = self._strangers.get(message_id, 0) + 1

    def _reported(self, message: Message, now: float) -> None:
        tally = self.tally
        tally.series.current.reported += 1
        if message.overdue:
            tally.overdue -= 1
        if message.counted:
            tally.messages_reported += 1
            tally.report.record(now - message.began)
        self._end(message, now)

    def pushed(self, destination: bytes) -> None:
        """A whole push reached the SMSC; `destination` in digits. Its latency counts where it can only be one MM's."""
        self.tally.pushed += 1
        self.tally.series.current.pushed += 1
        message = self._pushes.pushed(destination)
        if message is not None and message.counted:
            self.tally.push_after.record(self._now() - message.began)

    def _end(self, message: Message, now: float, *, well: bool = True) -> None:
        if not message.holds_slot:
            return
        message.holds_slot = False
        self.slots -= 1
        self.ended += 1
        if not self.counting:
            if self.sending and self._plan.warm_up_messages and self.ended >= self._plan.warm_up_messages:
                self._open_window(now)
        elif self.sending:
            self.ended_in_window += well
            if self._total and not self._plan.rate and self.ended >= self._total:
                self._end_sending()

    def _warmed_up(self) -> None:
        if self.sending:
            self._open_window(self._now())

    def _open_window(self, now: float) -> None:
        self.counting = True
        self.window_opened = now
        if self._plan.seconds:
            self._phase_timer = self._loop.call_later(self._plan.seconds, self._end_sending)
        if self._plan.messages and self._plan.exact:
            self._total = self.begun + self._plan.messages
        self._window(True)

    def _end_sending(self) -> None:
        if self.sending:
            self.sending = False
            self.window_closed = self._now()
            if self.counting:
                self._window(False)

    # --- time ---

    def _tick(self) -> None:
        """Four times a second: time-outs, overdue reports, the series, stop conditions, the end."""
        plan, now = self._plan, self._now()
        elapsed = now - self.started_at
        self._connections.drop_late(now, f"no answer in {plan.timeout_seconds:g} s")
        self._look_for_overdue(now)
        self.tally.series.roll(elapsed, self.slots)
        if self.sending:
            self._look_for_the_end(now)
        self._ticked()
        if not self.sending and not self.out and len(self._awaited) == self.tally.overdue:
            self._finish()
        if not self._done.done():
            self._tick_timer = self._loop.call_later(min(_TICK_SECONDS, plan.grace_seconds), self._tick)
            self._pump()

    def _look_for_the_end(self, now: float) -> None:
        if self.connected:
            self._alone_since = now
        if why := self._judge():
            self.stop(why)
        elif now - self._alone_since > GIVE_UP_SECONDS:
            self.stop(f"nobody took a connection for {GIVE_UP_SECONDS:g} s")

    def _look_for_overdue(self, now: float) -> None:
        """A report that did not come within the grace frees its slot; it may still come."""
        by_age, since = self._by_age, now - self._plan.grace_seconds
        if len(by_age) > 2 * len(self._awaited) + _DONE_AND_KEPT:  # an old one in front of many that are done
            still_out = [one for one in by_age if self._awaited.get(one[1]) is one[2]]
            by_age.clear()
            by_age.extend(still_out)
        while by_age:
            accepted_at, message_id, message = by_age[0]
            if self._awaited.get(message_id) is message:
                if accepted_at > since:
                    return
                message.overdue = True
                self.tally.overdue += 1
                self._end(message, now, well=False)
            by_age.popleft()

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


def _oddity(status: int, message_id: bytes) -> str:
    """Why a success is none."""
    if status != 200:
        return f" in HTTP {status}"
    return " with the MessageID of another" if message_id else " without MessageID"
