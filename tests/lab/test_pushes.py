"""How pushes reach a handset without an SMSC of its own: UDP, and a receiver session at somebody's SMSC."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from mmsc.lab.smpp_receiver import SmppReceiver
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.spawned import MAXIMUM_TASKS, Spawned
from mmsc.lab.wap_udp import UdpPushes
from protocols import smpp
from protocols.smpp import CommandStatus, DeliverSm, EsmClass, Tag
from tests.lab.conftest import FakeMmsc, MakeHandset, pushed

NUMBER = "15550100123"
UDH = bytes.fromhex("0605040b8423f0")
HELLO = DeliverSm(sequence_number=0, destination_addr=NUMBER, short_message=b"hello")


async def test_a_push_by_udp(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset()
    udp = UdpPushes(phone.on_push)
    await udp.start(port=0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(pushed(mmsc.offer()), ("127.0.0.1", udp.port))
        sender.sendto(b"noise", ("127.0.0.1", udp.port))
    inbox = await phone.until(lambda inbox: bool(inbox.messages and inbox.failures))
    await udp.stop()
    assert len(inbox.messages) == 1


async def test_a_port_that_is_taken_is_told(handset: MakeHandset) -> None:
    phone = await handset()
    first, second = UdpPushes(phone.on_push), UdpPushes(phone.on_push)
    await first.start(port=0)
    with pytest.raises(OSError, match="ddress"):
        await second.start(port=first.port)
    await second.stop()
    await first.stop()


async def test_work_is_bounded_and_ends_with_its_owner(caplog: pytest.LogCaptureFixture) -> None:
    spawned, go = Spawned(), asyncio.Event()

    async def wait() -> None:
        await go.wait()

    async def fail() -> None:
        raise RuntimeError("nose")

    begun = [spawned.spawn(wait) for _ in range(MAXIMUM_TASKS + 1)]
    assert (begun.count(True), begun[-1]) == (MAXIMUM_TASKS, False)
    await spawned.close()
    spawned.spawn(fail)
    for _ in range(3):
        await asyncio.sleep(0)
    assert "nose" in caplog.text


class Smsc(VirtualSmsc):
    """One that hands a receiver what a test says."""

    async def hand_over(self, pdu: DeliverSm) -> CommandStatus:
        receiver = next(one for one in self._sessions if one.receives)
        return await receiver.deliver(replace(pdu, sequence_number=receiver.next_number()))


@asynccontextmanager
async def receiving(phone: object, password: str = "secret") -> AsyncIterator[tuple[Smsc, SmppReceiver]]:
    smsc = Smsc({"phone": "secret"})
    await smsc.start()
    on_push, on_sms = phone.on_push, phone.on_sms  # type: ignore[attr-defined]
    receiver = SmppReceiver("127.0.0.1", smsc.port, "phone", password, on_push, on_sms)
    try:
        yield smsc, receiver
    finally:
        await receiver.close()
        await smsc.stop()


async def test_pushes_and_texts_from_an_smsc(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset()
    async with receiving(phone) as (smsc, receiver):
        await receiver.bind()
        running = asyncio.create_task(receiver.run())
        push = pushed(mmsc.offer())
        half = len(push) // 2
        udhs = [bytes.fromhex(f"0b05040b8423f0000342020{number}") for number in (1, 2)]
        for udh, piece in zip(udhs, (push[:half], push[half:]), strict=True):
            pdu = replace(HELLO, esm_class=EsmClass.UDHI, data_coding=4, short_message=udh + piece)
            assert await smsc.hand_over(pdu) is CommandStatus.ESME_ROK
        assert await smsc.hand_over(HELLO) is CommandStatus.ESME_ROK
        receipt = replace(HELLO, esm_class=EsmClass.DELIVERY_RECEIPT)
        assert await smsc.hand_over(receipt) is CommandStatus.ESME_ROK
        wrong = replace(HELLO, esm_class=EsmClass.UDHI, short_message=b"\x20\x00")
        assert await smsc.hand_over(wrong) is CommandStatus.ESME_RINVESMCLASS
        inbox = await phone.until(lambda inbox: bool(inbox.messages and inbox.texts))
        assert inbox.texts == ["hello"]
        smsc.drop_sessions()
        with suppress(OSError):  # in order or not, it ends
            await running


async def test_a_wrong_account_is_told(handset: MakeHandset) -> None:
    async with receiving(await handset(), "guess") as (_, receiver):
        with pytest.raises(ConnectionError, match="refused bind_receiver with ESME_RINVPASWD"):
            await receiver.bind()


async def test_what_is_no_smsc_is_told(handset: MakeHandset, mmsc: FakeMmsc) -> None:
    phone = await handset()
    port = int(mmsc.url.rstrip("/").rpartition(":")[2])
    receiver = SmppReceiver("127.0.0.1", port, "phone", "", phone.on_push, phone.on_sms)
    with pytest.raises(ConnectionError, match="the SMSC"):
        await receiver.bind()
    await receiver.close()


async def test_it_answers_what_it_is_asked(handset: MakeHandset) -> None:
    """enquire_link, a PDU that it does not offer, unbind."""
    phone = await handset()
    answers: list[smpp.Pdu] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = smpp.Framer()
        requests = [
            smpp.BindReceiverResp(sequence_number=1, tlvs=((Tag.SC_INTERFACE_VERSION, b"\x34"),)),
            smpp.EnquireLink(sequence_number=7),
            smpp.SubmitSm(sequence_number=8, destination_addr=NUMBER),
            smpp.Unbind(sequence_number=9),
        ]
        await reader.read(1000)
        writer.write(b"".join(smpp.encode(one) for one in requests))
        while octets := await reader.read(1000):
            answers.extend(smpp.decode(one).message for one in framer.feed(octets))
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver = SmppReceiver("127.0.0.1", server.sockets[0].getsockname()[1], "phone", "", phone.on_push, phone.on_sms)
    async with asyncio.timeout(10):
        await receiver.bind()
        await receiver.run()
        await receiver.close()
        await ended.wait()
        server.close()
        await server.wait_closed()
    assert [type(one) for one in answers][:3] == [smpp.EnquireLinkResp, smpp.GenericNack, smpp.UnbindResp]
