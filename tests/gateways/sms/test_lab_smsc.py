"""The virtual SMSC does what it is told: limits, numbers it refuses, messages from handsets."""

import asyncio

import pytest

from mmsc.lab.smsc import VirtualSmsc
from protocols.smpp import CommandStatus, DataSm, DataSmResp, SubmitSm, Tag
from protocols.sms.segment import split_header
from tests.gateways.sms.conftest import link

HELLO = SubmitSm(sequence_number=0, destination_addr="15550100123", short_message=b"hello")


async def test_more_in_a_second_than_it_takes_is_throttled(smsc: VirtualSmsc) -> None:
    """SMPP v3.4 5.1.3: ESME_RTHROTTLED. Of three at once at most two can be within the limit, across two seconds."""
    smsc.behaviour.per_second = 1
    async with link(smsc) as session:
        await session.until_bound()
        answers = await asyncio.gather(*(session.esme.request(HELLO) for _ in range(3)))
    statuses = [one.command_status for one in answers]
    assert CommandStatus.ESME_ROK in statuses
    assert CommandStatus.ESME_RTHROTTLED in statuses


async def test_one_number_is_refused_and_another_is_not(smsc: VirtualSmsc) -> None:
    smsc.behaviour.numbers["15550100999"] = CommandStatus.ESME_RINVDSTADR
    async with link(smsc) as session:
        await session.until_bound()
        bad = await session.esme.request(SubmitSm(sequence_number=0, destination_addr="15550100999"))
        good = await session.esme.request(HELLO)
    assert (bad.command_status, good.command_status) == (CommandStatus.ESME_RINVDSTADR, CommandStatus.ESME_ROK)


async def test_data_sm_reaches_the_handset(smsc: VirtualSmsc) -> None:
    """SMPP v3.4 4.7.1."""
    async with link(smsc) as session:
        await session.until_bound()
        tlvs = ((Tag.MESSAGE_PAYLOAD, b"hello"),)
        answer = await session.esme.request(DataSm(sequence_number=0, destination_addr="15550100123", tlvs=tlvs))
        received = await smsc.expect()
    assert isinstance(answer, DataSmResp)
    assert answer.message_id
    assert received.text == "hello"


async def test_a_long_text_from_a_handset(smsc: VirtualSmsc) -> None:
    """SMPP v3.4 4.6.1: a deliver_sm a segment, each with its answer."""
    async with link(smsc) as session:
        await session.until_bound()
        session.answers.append(CommandStatus.ESME_RX_P_APPN)
        assert await smsc.originate("+15550100123", "4488", "x" * 200) == [
            CommandStatus.ESME_RX_P_APPN,
            CommandStatus.ESME_ROK,
        ]
        texts = [split_header(session.messages.get_nowait().user_data)[1] for _ in range(2)]
    assert b"".join(texts) == b"x" * 200


async def test_nobody_is_there_to_receive(smsc: VirtualSmsc) -> None:
    with pytest.raises(ConnectionError):
        await smsc.originate("+15550100123", "4488", "STOP")


async def test_a_transmitter_gets_no_deliver_sm(smsc: VirtualSmsc) -> None:
    """SMPP v3.4 2.3."""
    async with link(smsc, bind="transmitter") as session:
        await session.until_bound()
        with pytest.raises(ConnectionError):
            await smsc.originate("+15550100123", "4488", "STOP")
