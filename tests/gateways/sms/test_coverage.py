"""A handset without coverage: its messages wait at the SMSC, and so do their receipts (SMPP v3.4 5.2.16, 5.2.17)."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from mmsc.domain.instant import SECOND, Instant
from mmsc.lab import coverage as module
from mmsc.lab.coverage import Coverage, Held, relative_seconds
from mmsc.lab.reassembly import Received
from mmsc.lab.smsc import VirtualSmsc
from protocols.smpp import CommandStatus, MessageState, SubmitSm
from tests.gateways.sms.conftest import link

NUMBER = "15550100123"
HELLO = SubmitSm(sequence_number=0, destination_addr=NUMBER, short_message=b"hello", registered_delivery=1)


@dataclass
class Phone:
    texts: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    async def on_push(self, octets: bytes) -> None:
        raise AssertionError(octets)

    async def on_sms(self, text: str) -> None:
        self.texts.put_nowait(text)


async def test_what_waited_is_delivered_when_coverage_is_back(smsc: VirtualSmsc) -> None:
    phone = Phone()
    smsc.register(NUMBER, phone.on_push, phone.on_sms)
    async with link(smsc) as session, asyncio.timeout(10):
        await session.until_bound()
        smsc.lose_coverage(f"+{NUMBER}")
        first = await session.esme.request(HELLO)
        await session.esme.request(replace(HELLO, short_message=b"again"))
        await session.esme.request(replace(HELLO, destination_addr="15550100999"))
        assert first.command_status is CommandStatus.ESME_ROK
        assert (smsc.coverage.waiting(NUMBER), phone.texts.qsize()) == (2, 0)
        smsc.regain_coverage(f"+{NUMBER}")
        assert [await phone.texts.get(), await phone.texts.get()] == ["hello", "again"]
        assert smsc.coverage.since(NUMBER) is None


async def test_a_handset_is_asked_for_when_its_first_message_comes(smsc: VirtualSmsc) -> None:
    phone = Phone()
    smsc.switch_on = lambda number: smsc.register(number, phone.on_push, phone.on_sms)
    async with link(smsc) as session, asyncio.timeout(10):
        await session.until_bound()
        await session.esme.request(HELLO)
        assert await phone.texts.get() == "hello"


async def test_a_full_queue_is_said(smsc: VirtualSmsc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_HELD", 1)
    async with link(smsc) as session:
        await session.until_bound()
        smsc.lose_coverage(NUMBER)
        answers = [await session.esme.request(HELLO) for _ in range(2)]
    assert [one.command_status for one in answers] == [CommandStatus.ESME_ROK, CommandStatus.ESME_RMSGQFUL]


def test_validity_ends_while_it_is_away() -> None:
    ended: list[MessageState] = []
    kept = Coverage()
    now = Instant(1_700_000_000 * SECOND)
    kept.now = lambda: now
    kept.lose(NUMBER)
    message = Received(NUMBER, None, "hello")
    assert kept.hold(replace(HELLO, validity_period="000000000100000R"), message, ended.append)
    assert kept.hold(HELLO, message, ended.append)
    now = Instant(now + 61 * SECOND)
    assert kept.regain(NUMBER) == (Held(message, ended.append, None),)
    assert ended == [MessageState.EXPIRED]
    assert not kept.is_holding
    assert not kept.hold(HELLO, message, ended.append)


@pytest.mark.parametrize(
    ("period", "seconds"),
    [("000001020304000R", 93_784), ("", None), ("240101000000000+", None), ("00000102030400R", None)],
)
def test_relative_times(period: str, seconds: int | None) -> None:
    """SMPP v3.4 7.1.1.2."""
    assert relative_seconds(period) == seconds
