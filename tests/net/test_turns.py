"""What is written in one turn leaves together, and what is late is told once, by one timer."""

import asyncio
from typing import cast

import pytest

from mmsc.net.deadlines import Alarm, Deadlines
from mmsc.net.turns import TurnWriter, write_both
from tests.net.loops import NewLoop, loops, run, until


class Sink:
    """Stands for a transport."""

    def __init__(self) -> None:
        self.calls: list[bytes | str] = []
        self.closing = False

    def write(self, octets: bytes) -> None:
        self.calls.append(octets)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True
        self.calls.append("closed")

    def abort(self) -> None:
        self.closing = True
        self.calls.append("aborted")


def writer_to(sink: Sink) -> TurnWriter:
    return TurnWriter(cast(asyncio.Transport, sink))


async def test_the_writes_of_a_turn_are_one_and_in_order() -> None:
    sink = Sink()
    writer = writer_to(sink)
    for octets in (b"a", b"b", b"c"):
        writer.write(octets)
    assert sink.calls == []
    await asyncio.sleep(0)
    writer.write(b"d")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sink.calls == [b"abc", b"d"]


@pytest.mark.parametrize(
    ("body", "pieces"), [(b"", [4]), (b"b", [5]), (bytes(65_536), [65_540]), (bytes(65_537), [4, 65_537])]
)
def test_a_head_and_a_small_body_are_one_write_and_no_write_is_empty(body: bytes, pieces: list[int]) -> None:
    sink = Sink()
    write_both(cast(asyncio.Transport, sink), b"head", body)
    assert [len(call) for call in sink.calls] == pieces
    assert b"".join(call for call in sink.calls if isinstance(call, bytes)) == b"head" + body


async def test_closing_hands_over_what_was_written_and_a_closed_transport_gets_nothing() -> None:
    sink = Sink()
    writer = writer_to(sink)
    writer.write(b"last")
    writer.close()
    writer.write(b"too late")
    await asyncio.sleep(0)
    assert sink.calls == [b"last", "closed"]


async def test_an_abort_hands_over_what_was_written() -> None:
    sink = Sink()
    writer = writer_to(sink)
    writer.write(b"last")
    writer.abort()
    await asyncio.sleep(0)
    assert sink.calls == [b"last", "aborted"]


async def test_what_is_not_cleared_is_late_once_and_the_earlier_one_first() -> None:
    late: list[int] = []
    ended = asyncio.Event()

    def note(key: int) -> None:
        late.append(key)
        if key == 1:
            ended.set()

    deadlines = Deadlines(note)
    deadlines.set(1, 0.03)
    deadlines.set(2, 0.01)  # earlier than what the timer was set for
    deadlines.set(3, 0.02)
    deadlines.clear(3)
    deadlines.set(4, 60.0)
    await asyncio.wait_for(ended.wait(), 5.0)
    assert late == [2, 1]
    deadlines.close()


async def test_who_is_late_may_begin_something_anew() -> None:
    late: list[int] = []
    ended = asyncio.Event()

    def again(key: int) -> None:
        late.append(key)
        if key == 1:
            deadlines.set(2, 0.0)
        else:
            ended.set()

    deadlines = Deadlines(again)
    deadlines.set(1, 0.0)
    await asyncio.wait_for(ended.wait(), 5.0)
    assert late == [1, 2]


@pytest.mark.parametrize("loop", loops())
def test_moments_that_are_nearly_here_are_as_good_as_others(loop: NewLoop) -> None:
    """uvloop gives no timer for a moment within half a millisecond, but a handle that cannot say when: a `set` behind
    it failed after its request had been sent, and the request was sent again."""

    async def work() -> None:
        late: set[int] = set()
        deadlines = Deadlines(late.add)
        for key in range(400):
            deadlines.set(key, (key % 7) * 0.0004)
            await asyncio.sleep(0)
        await until(lambda: len(late) == 400)
        deadlines.close()

    run(loop, work())


@pytest.mark.parametrize("loop", loops())
def test_an_alarm_may_be_moved_whatever_its_timer_is(loop: NewLoop) -> None:
    async def work() -> None:
        rung: list[float] = []
        running = asyncio.get_running_loop()
        alarm = Alarm(lambda: rung.append(running.time()))
        for step in range(300):
            alarm.set(running.time() + (0.0002, 5.0, 0.0009)[step % 3])
            await asyncio.sleep(0)
        alarm.set(running.time() + 60.0)
        before = len(rung)
        for _ in range(5):  # the timer of the nearest moment goes off, and nothing is late
            await asyncio.sleep(0.002)
        assert len(rung) == before
        asked = running.time() + 0.01
        alarm.set(asked)
        await until(lambda: len(rung) > before)
        assert rung[-1] >= asked
        alarm.set(running.time() + 0.001)
        alarm.cancel()
        await asyncio.sleep(0.01)
        assert len(rung) == before + 1

    run(loop, work())
