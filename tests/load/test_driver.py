"""The driver in virtual time: its pace, its latencies, its accounts, whatever the MMSC does."""

import asyncio
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from mmsc.load import driver as driver_module
from mmsc.load.driver import GIVE_UP_SECONDS, Driver
from mmsc.load.figures import _reported_per_s
from mmsc.load.http1 import ClientConnection
from mmsc.load.mix import Mix
from mmsc.load.octets import picture
from mmsc.load.plan import Plan, Until
from mmsc.load.tally import Tally
from mmsc.load.target import target_of


class Jumping(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    """Nobody waits: time jumps to the next timer."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen again"
        self.now += timeout
        return super().select(0)


def in_virtual_time(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scene on a loop whose time jumps."""
    selector = Jumping()

    class Loop(asyncio.SelectorEventLoop):
        def time(self) -> float:
            return selector.now

        _clock_resolution: float = 1e-9

    with asyncio.Runner(loop_factory=lambda: Loop(selector)) as runner:
        runner.run(scene())


def now() -> float:
    return asyncio.get_running_loop().time()


class FakeMmsc:
    """Answers each request `seconds` after it came, unless it is `stalled` (until then) or `mute`."""

    def __init__(self, seconds: float = 0.01) -> None:
        self.seconds = seconds
        self.stalled_until = 0.0
        self.mute = False
        self.came: list[float] = []
        self.used: Counter[int] = Counter()  # requests of each connection
        self.answer: Callable[[int], tuple[int, bytes]] = self.success
        self.driver: Driver | None = None
        self.report_after: float | None = None
        self.refusing = False

    def success(self, index: int) -> tuple[int, bytes]:
        return 200, b"<StatusCode>1000</StatusCode><MessageID>m%d</MessageID>" % index

    async def open(self, answered: Any, broken: Any) -> ClientConnection:
        if self.refusing:
            raise ConnectionRefusedError(111, "Connection refused")
        mmsc = self

        class Connection(ClientConnection):
            def request(self, octets: bytes) -> None:
                mmsc.came.append(now())
                mmsc.used[id(self)] += 1
                if not mmsc.mute:
                    mmsc.later(self, len(mmsc.came) - 1)

        self.last = Connection(answered, broken)
        self._answered = answered
        return self.last

    def later(self, connection: ClientConnection, index: int) -> None:
        delay = max(self.seconds, self.stalled_until - now())

        def answer() -> None:
            if connection.closed:
                return
            connection.served = True
            self._answered(connection, *self.answer(index))
            if self.report_after is not None:
                asyncio.get_running_loop().call_later(self.report_after, self.report, index)

        asyncio.get_running_loop().call_later(delay, answer)

    def report(self, index: int) -> None:
        assert self.driver is not None
        self.driver.report(b"m%d" % index, b"+1", b"Retrieved")


def driver_of(plan: Plan, mmsc: FakeMmsc, **more: Any) -> Driver:
    target = target_of("http://127.0.0.1:1/mm7")
    mix = Mix(target, [(picture(100), 1)], ["+15550000001"], reports=plan.reports, prefix="t")
    mmsc.driver = Driver(plan, mix, Tally(), mmsc.open, now=now, **more)
    return mmsc.driver


def test_an_open_loop_keeps_its_rate() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        driver = driver_of(Plan(rate=100, seconds=10, connections=64), mmsc)
        await driver.run()
        assert len(mmsc.came) in (1000, 1001)
        assert max(abs(at - index / 100) for index, at in enumerate(mmsc.came)) < 1e-6
        assert driver.unsent == 0
        assert driver.tally.submit.maximum < 10_200

    in_virtual_time(scene)


def test_who_had_to_wait_while_the_mmsc_stalled_is_counted_with_the_wait() -> None:
    """The trap of load tools: one slow answer, where a hundred were due, is a hundred slow answers."""

    async def scene() -> None:
        mmsc = FakeMmsc()
        driver = driver_of(Plan(rate=100, seconds=10, connections=2), mmsc)
        asyncio.get_running_loop().call_later(5.0, setattr, mmsc, "stalled_until", 7.0)
        await driver.run()
        assert len(mmsc.came) in (1000, 1001), "what was due meanwhile is sent when the stall is over"
        waited = sum(number for upper, number in driver.tally.submit.slots() if upper > 0.1)
        assert 250 < waited < 450, "200 were due while it stalled, and those that queued behind them"
        assert driver.tally.submit.percentile(99) > 1.5
        assert driver.tally.submit.percentile(50) < 0.02

    in_virtual_time(scene)


def test_what_an_open_loop_could_not_send_is_told() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc(seconds=0.1)
        driver = driver_of(Plan(rate=100, seconds=10, connections=2), mmsc)
        await driver.run()
        assert 195 <= len(mmsc.came) <= 205, "two connections, ten answers a second each"
        assert driver.unsent == pytest.approx(1000 - len(mmsc.came), abs=1)

    in_virtual_time(scene)


def test_a_closed_loop_has_so_many_in_flight_and_sends_exactly_so_many() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        driver = driver_of(Plan(in_flight=8, messages=400, warm_up_messages=80, connections=8), mmsc)
        await driver.run()
        assert driver.tally.sent == driver.tally.accepted == 400
        assert 480 <= len(mmsc.came) < 488, "what was out when the warm-up was over does not count"
        assert driver.ended_in_window / (driver.window_closed - driver.window_opened) == pytest.approx(800, rel=0.05)

    in_virtual_time(scene)


def test_connections_take_turns() -> None:
    """The last one to be free would be used again and again: that of the quicker node, where there are several."""

    async def scene() -> None:
        mmsc = FakeMmsc()
        await driver_of(Plan(in_flight=2, messages=400, connections=8), mmsc).run()
        assert len(mmsc.used) == 8
        assert max(mmsc.used.values()) - min(mmsc.used.values()) <= 2

    in_virtual_time(scene)


def test_a_warm_up_in_seconds_comes_before_the_messages() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        driver = driver_of(Plan(in_flight=1, messages=100, warm_up_seconds=2.0), mmsc)
        await driver.run()
        assert driver.tally.sent == 100
        assert len(mmsc.came) > 250

    in_virtual_time(scene)


@pytest.mark.parametrize("plan", [{"rate": 50.0}, {"in_flight": 4}])
def test_an_mmsc_that_never_answers_ends_in_time_outs(plan: dict[str, Any]) -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        mmsc.mute = True
        driver = driver_of(Plan(**plan, seconds=10, connections=4, timeout_seconds=2.0), mmsc)
        await driver.run()
        tally = driver.tally
        assert set(tally.answers) == {"no answer in 2 s"}
        assert tally.errors == tally.sent == len(mmsc.came) >= 4
        assert driver.out == 0
        assert tally.submit.count == tally.sent, "who waited in vain counts with the wait"
        assert tally.submit.percentile(1) == pytest.approx(2.0, rel=0.15)

    in_virtual_time(scene)


def test_reports_end_messages_and_the_missing_ones_are_lost() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        mmsc.report_after = 0.5
        plan = Plan(in_flight=4, messages=40, connections=4, until=Until.REPORTED, reports=True, grace_seconds=5)
        driver = driver_of(plan, mmsc)
        report = mmsc.report
        mmsc.report = lambda index: report(index) if index % 10 else None  # type: ignore[method-assign]
        await driver.run()
        tally = driver.tally
        assert (tally.accepted, tally.messages_reported, tally.overdue) == (40, 36, 4)
        assert tally.report.percentile(50) == pytest.approx(0.51, rel=0.01)

    in_virtual_time(scene)


def test_reports_that_are_late_repeated_early_or_strange_are_told_apart() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc(seconds=1.0)
        plan = Plan(in_flight=2, messages=2, connections=2, reports=True, grace_seconds=3)
        driver = driver_of(plan, mmsc)
        for after, index in ((0.5, 0), (1.5, 99), (9.0, 1)):
            asyncio.get_running_loop().call_later(after, mmsc.report, index)
        asyncio.get_running_loop().call_later(2.0, setattr, mmsc, "mute", True)
        await driver.run()
        assert driver.tally.early_reports == 1
        assert driver.tally.strange_reports == 1
        assert driver.tally.overdue == 1, "the run was over before the late one came"
        mmsc.report(1)
        assert driver.tally.overdue == 0

    in_virtual_time(scene)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((200, b"<StatusCode>4006</StatusCode>"), "4006"),
        ((500, b"<StatusCode>3000</StatusCode>"), "3000"),
        ((503, b""), "HTTP 503"),
        ((200, b"<html>"), "HTTP 200"),
        ((200, b"<StatusCode>1000</StatusCode>"), "1000 without MessageID"),
        ((500, b"<StatusCode>1000</StatusCode><MessageID>x</MessageID>"), "1000 in HTTP 500"),
    ],
)
def test_answers_by_their_kind(answer: tuple[int, bytes], kind: str) -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        mmsc.answer = lambda index: answer
        driver = driver_of(Plan(in_flight=2, messages=20, connections=2), mmsc)
        await driver.run()
        assert driver.tally.answers == {kind: 20}
        assert driver.tally.samples[kind].startswith(f"HTTP {answer[0]}")

    in_virtual_time(scene)


def test_the_same_message_id_again_is_an_error_where_reports_are_awaited() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        mmsc.answer = lambda index: mmsc.success(0)
        driver = driver_of(Plan(in_flight=1, messages=5, reports=True, grace_seconds=1), mmsc)
        await driver.run()
        assert driver.tally.answers == {"1000": 1, "1000 with the MessageID of another": 4}

    in_virtual_time(scene)


def test_a_stop_condition_ends_the_run() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        driver = driver_of(
            Plan(rate=100, seconds=3600, connections=4), mmsc, judge=lambda: "enough" if len(mmsc.came) > 300 else ""
        )
        await driver.run()
        assert driver.stopped == "enough"
        assert len(mmsc.came) < 340

    in_virtual_time(scene)


def test_an_interrupt_waits_for_what_is_out_and_a_second_one_does_not() -> None:
    async def scene(twice: bool) -> None:
        mmsc = FakeMmsc(seconds=20.0)
        driver = driver_of(Plan(in_flight=3, seconds=3600, connections=3), mmsc)
        loop = asyncio.get_running_loop()
        loop.call_later(5.0, driver.stop, "interrupted")
        if twice:
            loop.call_later(6.0, driver.stop, "interrupted")
        await driver.run()
        assert driver.stopped == "interrupted"
        assert driver.tally.accepted == (0 if twice else 3)
        assert driver.out == (3 if twice else 0)
        assert now() < (10 if twice else 25)

    in_virtual_time(lambda: scene(False))
    in_virtual_time(lambda: scene(True))


def test_an_interrupt_before_it_begins() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        driver = driver_of(Plan(in_flight=3, seconds=3600, connections=3), mmsc)
        driver.stop("interrupted")
        await driver.run()
        assert mmsc.came == []

    in_virtual_time(scene)


def test_an_old_message_does_not_keep_those_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "_DONE_AND_KEPT", 50)

    async def scene() -> None:
        mmsc = FakeMmsc(seconds=0.01)
        mmsc.report_after = 0.01
        plan = Plan(in_flight=4, seconds=3600, connections=4, reports=True, grace_seconds=86_400)
        driver = driver_of(plan, mmsc)
        report = mmsc.report
        mmsc.report = lambda index: report(index) if index else None  # type: ignore[method-assign]
        most: list[int] = []
        asyncio.get_running_loop().call_later(4.0, lambda: most.append(len(driver._by_age)))
        asyncio.get_running_loop().call_later(5.0, driver.stop, "interrupted")
        asyncio.get_running_loop().call_later(6.0, driver.stop, "interrupted")
        await driver.run()
        assert len(mmsc.came) > 1500
        assert driver.awaiting == 1
        assert most[0] < 50 + 4 * 100, "what is kept is what came since the last look, not the whole run"

    in_virtual_time(scene)


def test_an_mmsc_that_dies_is_given_up() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        driver = driver_of(Plan(rate=10, seconds=3600, connections=1), mmsc)

        def die() -> None:
            mmsc.refusing = True
            mmsc.last.drop("reset")

        asyncio.get_running_loop().call_later(5.0, die)
        await driver.run()
        assert driver.stopped == f"nobody took a connection for {GIVE_UP_SECONDS:g} s"
        assert 5 < driver.tally.connects["Connection refused"] < 50, "it asks again, with pauses"
        assert now() < 5 + GIVE_UP_SECONDS + 2

    in_virtual_time(scene)


def test_nobody_there_at_all() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        mmsc.refusing = True
        with pytest.raises(ConnectionRefusedError):
            await driver_of(Plan(rate=10, seconds=1), mmsc).run()

    in_virtual_time(scene)


def test_reports_that_lag_are_no_throughput_of_the_time_in_which_was_sent() -> None:
    async def scene() -> None:
        mmsc = FakeMmsc()
        plan = Plan(rate=100.0, messages=100, connections=4, reports=True)
        driver = driver_of(plan, mmsc)
        mmsc.report_after = 9.0
        await driver.run()
        assert driver.tally.recipients_reported == 100
        assert driver.window_closed - driver.window_opened == pytest.approx(1.0, rel=0.05)
        assert driver.last_reported_at - driver.window_opened == pytest.approx(10.0, rel=0.05)
        session: Any = SimpleNamespace(driver=driver, plan=plan, tally=driver.tally)
        assert _reported_per_s(session, 1.0) == pytest.approx(10.0, rel=0.05)

    in_virtual_time(scene)
