"""The session: bound, kept alive, bound again; answers that are late, damaged or in another order."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest

from mmsc.domain.message import TaskKind
from mmsc.engine.ports import Delivered, Retry
from mmsc.gateways.sms.esme import SmscGone
from mmsc.lab.smsc import VirtualSmsc
from protocols import smpp
from protocols.errors import EncodeError
from protocols.smpp import CommandStatus, DeliverSm, EsmClass, Framer, Pdu, SubmitSm
from tests.gateways.sms.conftest import QUICK, job, link

HELLO = SubmitSm(sequence_number=0, destination_addr="15550100123", short_message=b"hello")
RECEIPT = DeliverSm(sequence_number=7, esm_class=EsmClass.DELIVERY_RECEIPT, short_message=b"id:1 stat:DELIVRD")


class ScriptedSmsc(VirtualSmsc):
    """An SMSC that answers by a function from PDU to octets; everything it heard can be waited for."""

    def __init__(self, answer: Callable[[Pdu], bytes]) -> None:
        super().__init__()
        self._script = answer
        self._writers: list[asyncio.StreamWriter] = []
        self.heard: asyncio.Queue[Pdu] = asyncio.Queue()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, host, port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        for writer in self._writers:
            writer.close()
        await super().stop()

    def say(self, pdu: Pdu) -> None:
        self._writers[-1].write(smpp.encode(pdu))

    async def hears(self, kind: type[Pdu]) -> Pdu:
        async with asyncio.timeout(10):
            while not isinstance(pdu := await self.heard.get(), kind):
                pass
            return pdu

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        framer = Framer()
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                for octets in framer.feed(data):
                    pdu = smpp.decode(octets).message
                    self.heard.put_nowait(pdu)
                    writer.write(self._script(pdu))
        writer.close()


def polite(pdu: Pdu) -> bytes:
    """Yes to binds, unbinds and enquiries; nothing to anything else."""
    number = pdu.sequence_number
    match pdu:
        case smpp.BindTransceiver():
            return smpp.encode(smpp.BindTransceiverResp(sequence_number=number, system_id="LAB"))
        case smpp.EnquireLink():
            return smpp.encode(smpp.EnquireLinkResp(sequence_number=number))
        case smpp.Unbind():
            return smpp.encode(smpp.UnbindResp(sequence_number=number))
        case _:
            return b""


async def test_cut_and_bound_again(smsc: VirtualSmsc) -> None:
    async with link(smsc) as session:
        await session.until_bound()
        smsc.drop_sessions()
        await session.until_bound()
        answer = await session.esme.request(HELLO)
    assert answer.command_status is CommandStatus.ESME_ROK


async def test_the_log_says_once_that_it_is_not_bound_and_once_that_it_is_again(
    smsc: VirtualSmsc, caplog: pytest.LogCaptureFixture
) -> None:
    refused, checks = 0, smsc.checks

    def thrice(system_id: str, password: str) -> CommandStatus:
        nonlocal refused
        refused += 1
        return CommandStatus.ESME_RBINDFAIL if refused <= 3 else checks(system_id, password)

    smsc.checks = thrice  # type: ignore[method-assign]
    async with link(smsc) as session:
        await session.until_bound()
        assert refused == 4
        smsc.drop_sessions()
        await session.until_bound()
    lines = [one for one in caplog.records if one.name == "mmsc.gateways.sms.sessions"]
    assert {(one.levelname, one.neighbour) for one in lines} == {("WARNING", "smsc:local")}  # type: ignore[attr-defined]
    first, second, third, fourth = (one.getMessage() for one in lines)
    assert first == "SMSC local is not bound: bind refused: ESME_RBINDFAIL"
    assert third.startswith("SMSC local is not bound: ")
    assert second == fourth == "SMSC local is bound again"


@pytest.mark.parametrize(
    ("system_id", "password", "why"),
    [("mmsc", "wrong", "ESME_RINVPASWD"), ("nobody", "secret", "ESME_RINVSYSID")],
)
async def test_a_refused_bind_says_why(smsc: VirtualSmsc, system_id: str, password: str, why: str) -> None:
    """SMPP v3.4 5.1.3. When it connects a second time it has seen the first refusal."""
    binds: list[str] = []
    again = asyncio.Event()
    checks = smsc.checks

    def count(system_id: str, password: str) -> CommandStatus:
        binds.append(system_id)
        if len(binds) == 2:
            again.set()
        return checks(system_id, password)

    smsc.checks = count  # type: ignore[method-assign]
    async with link(smsc, system_id=system_id, password=password) as session:
        async with asyncio.timeout(10):
            await again.wait()
        assert why in session.esme.why_not
        assert not session.esme.bound
        with pytest.raises(SmscGone) as caught:
            await session.esme.request(HELLO)
    assert not caught.value.sent


@pytest.mark.parametrize("change", [{"host": "smsc..example"}, {"system_type": "x" * 13}])
async def test_a_setting_that_cannot_be_used_stops_nobody_else(smsc: VirtualSmsc, change: dict[str, Any]) -> None:
    """The session says why it is not bound, as for any other trouble; the server and its other lanes go on."""
    async with link(smsc, **change) as session:
        running = next(task for task in asyncio.all_tasks() if "Esme.run" in repr(task.get_coro()))
        for _ in range(100_000):
            if running.done() or session.esme.why_not != "not connected yet":
                break
            await asyncio.sleep(0)
        assert not running.done()
        assert session.esme.why_not != "not connected yet"


async def test_a_message_that_cannot_be_written_leaves_nothing_behind(smsc: VirtualSmsc) -> None:
    async with link(smsc) as session:
        await session.until_bound()
        with pytest.raises(EncodeError):
            await session.esme.request(replace(HELLO, destination_addr="1" * 30))
        assert not session.esme._pending


async def test_an_enquiry_is_answered_while_the_window_is_full() -> None:
    """SMPP v3.4 2.9: responses do not queue behind the window."""
    server = ScriptedSmsc(polite)
    await server.start()
    async with link(server, window=1) as session:
        await session.until_bound()
        waiting = [asyncio.create_task(session.esme.request(HELLO)) for _ in range(2)]
        await server.hears(SubmitSm)
        server.say(smpp.EnquireLink(sequence_number=99))
        answer = await server.hears(smpp.EnquireLinkResp)
        assert server.heard.empty()  # the second submit_sm waits for room
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    await server.stop()
    assert answer.sequence_number == 99


async def test_no_response_in_time_means_nobody_knows() -> None:
    """SMPP v3.4 7.2: the response timer."""
    server = ScriptedSmsc(polite)
    await server.start()
    async with link(server, replace(QUICK, response=0.05)) as session:
        await session.until_bound()
        with pytest.raises(SmscGone) as caught:
            await session.esme.request(HELLO)
        assert caught.value.sent
        assert session.esme.bound
        server.say(smpp.SubmitSmResp(sequence_number=2, message_id="late"))  # does no harm
        server.say(smpp.EnquireLink(sequence_number=100))
        assert (await server.hears(smpp.EnquireLinkResp)).sequence_number == 100
    await server.stop()


def deaf(pdu: Pdu) -> bytes:
    """Garbage instead of a response: the connection is closed by us."""
    return b"HTTP/1.1 400 Bad Request" if isinstance(pdu, SubmitSm) else polite(pdu)


@pytest.mark.parametrize(("script", "down"), [(polite, False), (deaf, True)], ids=["silence", "connection lost"])
@pytest.mark.parametrize(
    ("kind", "attempt", "seconds"),
    [
        (TaskKind.LINK, 0, 300),
        (TaskKind.REPORT_MM1, 0, 300),
        (TaskKind.NOTIFY, 0, 5),
        (TaskKind.NOTIFY, 1, 900),
    ],
)
async def test_what_may_have_arrived_is_not_sent_again_at_once(
    script: Callable[[Pdu], bytes], down: bool, kind: TaskKind, attempt: int, seconds: float
) -> None:
    """SMPP v3.4 7.2: no response says nothing. smpp.md 7: a notification once more, a text not within 5 min."""
    server = ScriptedSmsc(script)
    await server.start()
    payload = {"state": "retrieved", "date": "0", "validity_seconds": "900"}
    async with link(server, replace(QUICK, response=0.05 if script is polite else 5)) as session:
        await session.until_bound()
        task = job(kind, session.clock.now(), **payload)._replace(attempt=attempt)
        outcome = await session.courier.deliver(task)
    await server.stop()
    assert isinstance(outcome, Retry)
    assert (outcome.neighbour_down, outcome.wait_seconds) == (down, seconds)


async def test_responses_in_another_order() -> None:
    """SMPP v3.4 2.7: matched by sequence_number alone."""
    held: list[int] = []

    def backwards(pdu: Pdu) -> bytes:
        if not isinstance(pdu, SubmitSm):
            return polite(pdu)
        held.append(pdu.sequence_number)
        if len(held) < 2:
            return b""
        answers = [smpp.SubmitSmResp(sequence_number=one, message_id=f"id{one}") for one in reversed(held)]
        return b"".join(smpp.encode(one) for one in answers)

    server = ScriptedSmsc(backwards)
    await server.start()
    async with link(server) as session:
        await session.until_bound()
        async with asyncio.timeout(10):
            answers = await asyncio.gather(session.esme.request(HELLO), session.esme.request(HELLO))
    await server.stop()
    told = [(one.sequence_number, one.message_id) for one in answers if isinstance(one, smpp.SubmitSmResp)]
    assert told == [(one, f"id{one}") for one in held]


@pytest.mark.parametrize(
    ("answer", "delivered"),
    [
        (smpp.EnquireLinkResp(sequence_number=2), False),
        (smpp.GenericNack(sequence_number=2), False),
        (smpp.SubmitSmResp(sequence_number=2), True),
    ],
)
async def test_only_a_submit_sm_resp_says_that_it_was_taken(answer: Pdu, delivered: bool) -> None:
    """SMPP v3.4 4.4.2. Without a message_id no receipt can be told to be about it, so none is waited for."""
    smsc = ScriptedSmsc(lambda pdu: smpp.encode(answer) if isinstance(pdu, SubmitSm) else polite(pdu))
    await smsc.start()
    try:
        async with link(smsc) as session:
            await session.until_bound()
            outcome = await session.courier.deliver(job(TaskKind.LINK, session.clock.now(), receipt="1"))
    finally:
        await smsc.stop()
    if delivered:
        assert outcome == Delivered()
    else:
        assert isinstance(outcome, Retry)


async def test_an_answer_ahead_of_garbage_counts() -> None:
    """Else the message went out and would go out again."""

    def script(pdu: Pdu) -> bytes:
        if not isinstance(pdu, SubmitSm):
            return polite(pdu)
        return smpp.encode(smpp.SubmitSmResp(sequence_number=pdu.sequence_number, message_id="1")) + b"HTTP/1.1 "

    smsc = ScriptedSmsc(script)
    await smsc.start()
    try:
        async with link(smsc) as session:
            await session.until_bound()
            answer = await session.esme.request(HELLO)
            assert isinstance(answer, smpp.SubmitSmResp)
            await session.until_bound()
    finally:
        await smsc.stop()


@pytest.mark.parametrize(
    ("cut", "more"),
    [
        pytest.param(1, b"", id="message_id without its NUL"),
        pytest.param(0, b"\0", id="an octet too many"),
        pytest.param(0, b"\x04\x24\xff\xff12", id="a TLV longer than the PDU"),
        pytest.param(0, b"HTTP/1.1 ", id="no TLV at all"),
    ],
)
async def test_a_damaged_response_says_that_it_was_taken(cut: int, more: bytes) -> None:
    """SMPP v3.4 4.4.2, 3.2.4. Taken for an unknown answer, the SMS would be sent again."""

    def damaged(pdu: Pdu) -> bytes:
        if not isinstance(pdu, SubmitSm):
            return polite(pdu)
        whole = smpp.encode(smpp.SubmitSmResp(sequence_number=pdu.sequence_number, message_id="id"))
        whole = whole[: len(whole) - cut] + more
        return len(whole).to_bytes(4) + whole[4:]

    server = ScriptedSmsc(damaged)
    await server.start()
    async with link(server) as session:
        await session.until_bound()
        answer = await session.esme.request(HELLO)
    await server.stop()
    assert answer == smpp.SubmitSmResp(sequence_number=answer.sequence_number, message_id="id")


async def test_a_damaged_deliver_sm_is_refused_in_its_own_response() -> None:
    """SMPP v3.4 5.1.3: ESME_RINVCMDLEN; the session goes on."""
    server = ScriptedSmsc(polite)
    await server.start()
    async with link(server) as session:
        await session.until_bound()
        octets = (20).to_bytes(4) + smpp.encode(RECEIPT)[4:20]
        server._writers[-1].write(octets)
        answer = await server.hears(smpp.DeliverSmResp)
        server.say(RECEIPT)
        again = await server.hears(smpp.DeliverSmResp)
    await server.stop()
    assert answer.command_status is CommandStatus.ESME_RINVCMDLEN
    assert again.command_status is CommandStatus.ESME_ROK


async def test_a_receipt_ahead_of_our_note_is_looked_at_again() -> None:
    """A fast SMSC's receipt overtakes the commit after its submit_sm_resp."""
    server = ScriptedSmsc(polite)
    await server.start()
    async with link(server) as session:
        await session.until_bound()
        session.answers.extend([None, None, CommandStatus.ESME_ROK])
        server.say(RECEIPT)
        answer = await server.hears(smpp.DeliverSmResp)
        assert session.messages.qsize() == 3
    await server.stop()
    assert (answer.sequence_number, answer.command_status) == (7, CommandStatus.ESME_ROK)


async def test_the_status_of_the_inbox_is_the_answer() -> None:
    server = ScriptedSmsc(polite)
    await server.start()
    async with link(server) as session:
        await session.until_bound()
        session.answers.append(CommandStatus.ESME_RX_T_APPN)
        server.say(RECEIPT)
        answer = await server.hears(smpp.DeliverSmResp)
    await server.stop()
    assert answer.command_status is CommandStatus.ESME_RX_T_APPN


async def test_an_unbind_is_answered_and_the_session_comes_back() -> None:
    """SMPP v3.4 4.2.2."""
    server = ScriptedSmsc(polite)
    await server.start()
    async with link(server) as session:
        await session.until_bound()
        server.say(smpp.Unbind(sequence_number=5))
        assert (await server.hears(smpp.UnbindResp)).sequence_number == 5
        await session.until_bound()
        assert session.esme.bound
    await server.stop()


async def test_an_smsc_that_asks_and_does_not_read_is_asked_no_more() -> None:
    """Each request of its is answered; what it does not read may not pile up here."""
    server = ScriptedSmsc(polite)
    await server.start()
    async with link(server) as session:
        await session.until_bound()
        transport = session.esme._transport
        assert transport is not None
        writer = server._writers[-1]
        cast("asyncio.ReadTransport", writer.transport).pause_reading()
        enquiries = b"".join(smpp.encode(smpp.EnquireLink(sequence_number=number)) for number in range(1, 4001))
        for _ in range(160):  # 10 MB, more than the kernel keeps for both
            writer.write(enquiries)
            await asyncio.sleep(0)
        for _ in range(500):
            await asyncio.sleep(0)
        assert transport.get_write_buffer_size() < 2 * 1024 * 1024
        writer.transport.abort()
    await server.stop()


async def test_a_stream_that_is_no_smpp_is_closed() -> None:
    """command_length beyond every PDU: generic_nack, then the connection goes; a new one is bound."""
    server = ScriptedSmsc(polite)
    await server.start()
    async with link(server) as session:
        await session.until_bound()
        server._writers[-1].write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        nack = await server.hears(smpp.GenericNack)
        await session.until_bound()
    await server.stop()
    assert nack.command_status is CommandStatus.ESME_RINVCMDLEN
