"""The virtual SMSC does what it is told: limits, numbers it refuses, messages from handsets."""

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import pytest

from mmsc.lab.behaviour import Behaviour
from mmsc.lab.reassembly import Reassembly
from mmsc.lab.smsc import VirtualSmsc
from protocols import smpp
from protocols.errors import DecodeError
from protocols.smpp import CommandStatus, DataSm, DataSmResp, EsmClass, MessageState, SubmitSm, Tag
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


@pytest.mark.parametrize("binds", [("transmitter",), ("transmitter", "transceiver")])
async def test_a_receipt_goes_to_who_may_receive(smsc: VirtualSmsc, binds: tuple[str, ...]) -> None:
    """SMPP v3.4 2.3: no deliver_sm to a transmitter, any other session of the account may have it."""
    wanted = replace(HELLO, registered_delivery=1)
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(link(smsc, bind=one)) for one in binds]
        for one in sessions:
            await one.until_bound()
        await sessions[0].esme.request(wanted)
        if len(sessions) > 1:
            async with asyncio.timeout(10):
                receipt = await sessions[1].messages.get()
            assert receipt.esm_class == EsmClass.DELIVERY_RECEIPT
        await sessions[0].esme.request(HELLO)
        assert sessions[0].messages.empty()


@pytest.mark.parametrize(
    ("registered_delivery", "state", "owed"),
    [
        (0, MessageState.DELIVERED, False),
        (0x10, MessageState.UNDELIVERABLE, False),
        (1, MessageState.DELIVERED, True),
        (0x11, MessageState.UNDELIVERABLE, True),
        (2, MessageState.DELIVERED, False),
        (2, MessageState.UNDELIVERABLE, True),
        (3, MessageState.DELIVERED, False),
    ],
)
def test_which_receipts_are_owed(registered_delivery: int, state: MessageState, owed: bool) -> None:
    """SMPP v3.4 5.2.17; 3 is reserved."""
    assert Behaviour(receipt_state=state).owes_receipt(registered_delivery) is owed


@pytest.mark.parametrize("octets", ["", "00 00 00 10 00 00 00 15 00 00 00 00 00 00 00 01", "00 00 00 20 00"])
async def test_who_never_binds_is_cut(smsc: VirtualSmsc, octets: str) -> None:
    """SMPP v3.4 7.2: session_init_timer."""
    smsc.session_init_seconds = 0.05
    await until_cut(smsc, bytes.fromhex(octets))


async def test_a_pdu_that_never_ends_is_cut(smsc: VirtualSmsc) -> None:
    smsc.partial_pdu_seconds = 0.05
    bind = smpp.encode(smpp.BindTransceiver(sequence_number=1, system_id="mmsc", password="secret"))
    await until_cut(smsc, bind + smpp.encode(HELLO)[:20])


async def test_a_request_ahead_of_garbage_is_answered(smsc: VirtualSmsc) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
    writer.write(smpp.encode(smpp.EnquireLink(sequence_number=7)) + b"GET / HTTP/1.1")
    async with asyncio.timeout(10):
        answers = smpp.Framer().feed(await reader.read())
    writer.close()
    assert [type(smpp.decode(one).message) for one in answers] == [smpp.EnquireLinkResp, smpp.GenericNack]


async def until_cut(smsc: VirtualSmsc, octets: bytes) -> None:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
        writer.write(octets)
        with suppress(ConnectionError):
            while await reader.read(100):
                pass
        writer.close()


async def test_who_does_not_read_is_not_answered_for_ever(smsc: VirtualSmsc) -> None:
    """Its requests wait in its own buffers once the answers do not leave any more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    requests = smpp.encode(smpp.EnquireLink(sequence_number=1)) * 4096
    with suppress(TimeoutError):
        for _ in range(2000):  # 128 MB
            writer.write(requests)
            async with asyncio.timeout(1):
                await writer.drain()
        pytest.fail("it took everything")
    (session,) = smsc._sessions
    assert session._transport is not None
    assert session._transport.get_write_buffer_size() < 1 << 20
    writer.transport.abort()
    assert reader is not None


@pytest.mark.parametrize(("number", "total"), [(0, 2), (3, 2), (9, 2)])
async def test_a_segment_beyond_its_total_completes_nothing(number: int, total: int) -> None:
    """3GPP TS 23.040 9.2.3.24.1."""
    reassembly = Reassembly()
    assert reassembly.take(segment(1, 2, 1)) is None
    if number:
        with pytest.raises(DecodeError):
            reassembly.take(segment(1, total, number))
    assert reassembly.take(segment(1, 3, 2)) is None, "another total is another message"
    assert reassembly.take(segment(1, 2, 2)) is not None


async def test_segments_without_their_rest_are_bounded_in_octets() -> None:
    reassembly = Reassembly()
    for reference in range(1000):
        reassembly.take(segment(reference, 2, 1, bytes(60_000)))
    assert reassembly.octets < 17 << 20
    assert reassembly.take(segment(999, 2, 2)) is not None
    assert reassembly.take(segment(0, 2, 2)) is None


def segment(reference: int, total: int, number: int, data: bytes = b"x") -> SubmitSm:
    tlvs = (
        (Tag.SAR_MSG_REF_NUM, reference.to_bytes(2)),
        (Tag.SAR_TOTAL_SEGMENTS, bytes((total,))),
        (Tag.SAR_SEGMENT_SEQNUM, bytes((number,))),
        (Tag.MESSAGE_PAYLOAD, data),
    )
    return SubmitSm(sequence_number=1, destination_addr="15550100123", tlvs=tlvs)


async def test_a_transmitter_gets_no_deliver_sm(smsc: VirtualSmsc) -> None:
    """SMPP v3.4 2.3."""
    async with link(smsc, bind="transmitter") as session:
        await session.until_bound()
        with pytest.raises(ConnectionError):
            await smsc.originate("+15550100123", "4488", "STOP")
