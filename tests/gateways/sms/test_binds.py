"""The sessions of all SMSCs, changed one at a time: what is under way is answered before its session is unbound."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.neighbours import Smsc
from mmsc.gateways.sms.binds import Binds
from mmsc.gateways.sms.courier import SmsCourier, SmsPolicy
from mmsc.gateways.sms.esme import Esme, EsmeTimers
from mmsc.ids import Ids
from mmsc.lab.smsc import VirtualSmsc
from mmsc.trace.captures import WireTap
from protocols import smpp
from protocols.smpp import CommandStatus, DataSm, DeliverSm, SubmitSm

FAST = EsmeTimers(first_reconnect=0.02, longest_reconnect=0.05)


class Up:
    """Counts binds."""

    def __init__(self) -> None:
        self.times = 0
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self.times += 1
        self._event.set()

    async def until(self, times: int) -> None:
        async with asyncio.timeout(10):
            while self.times < times:
                self._event.clear()
                await self._event.wait()


@asynccontextmanager
async def binds(*smscs: Smsc) -> AsyncIterator[tuple[Binds, SmsCourier, Up]]:
    clock = VirtualClock()
    policy = SmsPolicy(mm1_url=str, weblink_url=str)
    courier = SmsCourier(None, clock, Ids.seeded(1), policy)  # type: ignore[arg-type]
    up = Up()

    async def take(pdu: DeliverSm | DataSm) -> CommandStatus | None:
        return CommandStatus.ESME_ROK

    def new(smsc: Smsc) -> Esme:
        return Esme(smsc, take, up, WireTap("smpp", None, clock))

    all_of_them = Binds(courier, new, {one.name: one for one in smscs}, FAST)
    running = asyncio.create_task(all_of_them.run())
    try:
        yield all_of_them, courier, up
    finally:
        await all_of_them.close()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def named(smsc: VirtualSmsc, name: str = "a", **more: object) -> dict[str, Smsc]:
    return {name: Smsc(name=name, port=smsc.port, password="secret", **more)}  # type: ignore[arg-type]


def text(number: int) -> SubmitSm:
    return SubmitSm(sequence_number=0, destination_addr=f"1555{number}", short_message=b"x")


async def test_an_smsc_that_is_the_same_keeps_its_session(smsc: VirtualSmsc) -> None:
    one = named(smsc)
    async with binds(*one.values()) as (all_of_them, courier, up):
        await up.until(1)
        before = courier.sessions["a"]
        await all_of_them.take_over({**one, **named(smsc, "b", sessions=2)}, FAST)
        await up.until(3)
        assert courier.sessions["a"] is before
        assert all_of_them.state() == {"a": (1, 1), "b": (2, 2)}
        later = EsmeTimers(response=7.0)
        await all_of_them.take_over(one, later)
        assert all_of_them.state() == {"a": (1, 1)}
        assert before[0].timers is later
        assert before[0].bound


async def test_what_is_under_way_is_answered_before_the_session_is_unbound(smsc: VirtualSmsc) -> None:
    smsc.behaviour.delay_seconds = 0.05
    async with binds(*named(smsc, window=2).values()) as (all_of_them, courier, up):
        await up.until(1)
        [session] = courier.sessions["a"]
        requests = [asyncio.create_task(session.request(text(number))) for number in range(6)]  # 4 wait for the window
        async with asyncio.timeout(10):
            while not session._pending:
                await smsc_turn()
            await all_of_them.take_over(named(smsc, window=3), FAST)
            answers = await asyncio.gather(*requests)
        assert all(isinstance(one, smpp.SubmitSmResp) for one in answers)
        assert not session.bound
        await up.until(2)
        assert courier.sessions["a"][0] is not session
        assert len(smsc._sessions) == 1


async def smsc_turn() -> None:
    turn = asyncio.Event()
    asyncio.get_running_loop().call_soon(turn.set)
    await turn.wait()


async def test_an_smsc_that_is_gone_and_never_was_there_is_left_at_once(unused_tcp_port: int) -> None:
    nobody = Smsc(name="a", port=unused_tcp_port)
    async with binds(nobody) as (all_of_them, courier, _), asyncio.timeout(10):
        await smsc_turn()
        await all_of_them.take_over({}, FAST)
        assert courier.sessions == {}
        assert all_of_them.state() == {}


async def test_taken_over_before_it_began_to_run(smsc: VirtualSmsc) -> None:
    """A signal that comes with the start."""
    async with binds(*named(smsc).values()) as (all_of_them, _, up):
        await all_of_them.take_over({**named(smsc), **named(smsc, "b")}, FAST)
        await up.until(2)
        assert all_of_them.state() == {"a": (1, 1), "b": (1, 1)}


async def test_a_session_that_is_told_to_end_while_it_connects_never_binds(
    smsc: VirtualSmsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An SMSC that takes one bind would refuse the next session."""
    connecting, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    connect = loop.create_connection

    async def slowly(*args: Any, **more: Any) -> Any:
        connecting.set()
        await go_on.wait()
        return await connect(*args, **more)

    monkeypatch.setattr(loop, "create_connection", slowly)
    async with binds(*named(smsc).values()) as (_, courier, up), asyncio.timeout(10):
        (session,) = courier.sessions["a"]
        await connecting.wait()
        await session.close()
        go_on.set()
        while not smsc._sessions:
            await smsc_turn()
        while smsc._sessions:
            await smsc_turn()
        assert up.times == 0


async def test_a_session_whose_run_is_cancelled_leaves_no_connection_behind(smsc: VirtualSmsc) -> None:
    async with binds(*named(smsc).values()) as (all_of_them, courier, up), asyncio.timeout(10):
        await up.until(1)
        (session,) = courier.sessions["a"]
        (running,) = all_of_them._tasks["a"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert session._transport is None
        assert not session.bound
