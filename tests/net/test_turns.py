"""What is written in one turn leaves together, and what is late is told once, by one timer."""

import asyncio
from typing import cast

from mmsc.net.deadlines import Deadlines
from mmsc.net.turns import TurnWriter


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


async def test_closing_hands_over_what_was_written_and_a_closed_transport_gets_nothing() -> None:
    sink = Sink()
    writer = writer_to(sink)
    writer.write(b"last")
    writer.close()
    writer.write(b"too late")
    await asyncio.sleep(0)
    assert sink.calls == [b"last", "closed"]


async def test_what_is_not_cleared_is_late_once_and_the_earliest_first() -> None:
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
