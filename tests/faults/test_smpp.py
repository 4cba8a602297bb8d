"""The built-in SMSC gone wrong on purpose, and our side of SMPP: what the MMSC makes of it, and where it is marked."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mmsc.clock import Clock
from mmsc.domain.neighbours import Smsc
from mmsc.faults.parameters import Setting
from mmsc.faults.plan import Plan
from mmsc.gateways.sms.esme import Esme
from mmsc.lab.faulty_smsc import FaultySmsc
from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings.model import Deliveries
from mmsc.settings.neighbours import SmscDelivery
from mmsc.trace import redact
from mmsc.trace.captures import Direction, WireTap
from protocols import mm1, mm7, smpp
from protocols.smpp import CommandStatus, DeliverSm, SubmitSm
from protocols.smpp.receipt import read_receipt
from tests.faults.world import faulty_lab, hits, in_state, marked, one_hit, until
from tests.scenarios.conftest import PHONE, Lab
from tests.scenarios.test_mm7_changes import ask_extended
from tests.scenarios.test_mm7_to_handset import accepted


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with faulty_lab(tmp_path) as lab:
        yield lab


async def events(lab: Lab, kind: str) -> list[str]:
    return [str(row[0]) for row in await lab.app.store.fetch("SELECT data FROM event WHERE kind = $1", kind)]


@pytest.mark.parametrize(
    ("name", "setting", "kind", "why"),
    [
        ("smsc-status", Setting(status="ESME_RSYSERR", times=1), "attempt.failed", "ESME_RSYSERR"),
        ("smsc-cut", Setting(times=1), "attempt.failed", ""),
        ("smsc-unbind", Setting(times=1), "attempt.failed", ""),
        ("smpp-drop", Setting(times=1), "attempt.failed", "smpp-drop"),
    ],
)
async def test_an_attempt_that_fails_comes_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str, setting: Setting, kind: str, why: str
) -> None:
    monkeypatch.setattr("mmsc.gateways.sms.courier._SOON_SECONDS", 0.1)
    await lab.phone(PHONE)
    lab.app.faults.set(name, setting)
    await lab.vasp.submit(PHONE)
    mm_id, hit = await one_hit(lab, name)
    assert mm_id is not None, "the ESME knows which MM it was about"
    assert hit.number == PHONE
    await in_state(lab, PHONE, "retrieved")
    assert any(why in data for data in await events(lab, kind))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["smsc-throttle", "smsc-queue-full"])
async def test_who_is_asked_to_wait_waits(lab: Lab, name: str) -> None:
    await lab.phone(PHONE)
    lab.app.faults.set(name, Setting(times=1, number=PHONE))
    await lab.vasp.submit(PHONE)
    await one_hit(lab, name)
    assert await until(lambda: events(lab, "attempt.postponed"))
    (answer,) = marked(lab, name)
    assert answer.direction is Direction.IN
    assert smpp.decode(answer.octets).message.command_status in (
        CommandStatus.ESME_RTHROTTLED,
        CommandStatus.ESME_RMSGQFUL,
    )
    if name == "smsc-throttle":
        await in_state(lab, PHONE, "retrieved")


async def test_a_refused_number_is_unreachable(lab: Lab) -> None:
    lab.app.faults.set("smsc-status", Setting(status="ESME_RINVDSTADR"))
    await lab.vasp.submit(PHONE)
    await in_state(lab, PHONE, "unreachable")


async def test_a_message_that_is_lost_behind_its_answer(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    lab.app.faults.set("smsc-lost", Setting(times=1))
    await lab.vasp.submit(PHONE)
    mm_id, _ = await one_hit(lab, "smsc-lost")
    assert mm_id is not None
    await in_state(lab, PHONE, "notified")
    assert phone.inbox.messages == []
    assert [one.direction for one in marked(lab, "smsc-lost")] == [Direction.IN]


async def test_a_bind_that_is_refused_is_tried_again(lab: Lab) -> None:
    lab.app.faults.set("smsc-down", Setting(times=1))
    lab.smsc.drop_sessions()
    await until(lambda: lab.app.faults.bitten("smsc-down").hits)
    await lab.phone(PHONE)
    await lab.vasp.submit(PHONE)
    await in_state(lab, PHONE, "retrieved")


async def test_segments_in_reverse_order_are_put_together(lab: Lab) -> None:
    """A handset joins them by their numbers (3GPP TS 23.040 9.2.3.24.1)."""
    await lab.phone(PHONE)
    lab.app.faults.set("smpp-reordered")
    await lab.vasp.submit(PHONE, subject="A subject so long that its notification needs more than one SMS " * 3)
    await in_state(lab, PHONE, "retrieved")
    numbers = [one.short_message[5] for one in lab.smsc.submitted if isinstance(one, SubmitSm)]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) > 1


@pytest.mark.parametrize("name", ["smsc-receipt-twice", "smsc-receipt-id", "smsc-receipt-late", "smsc-receipt-state"])
async def test_a_receipt_that_is_wrong_is_told_of_its_mm(tmp_path: Path, name: str) -> None:
    async with faulty_lab(tmp_path) as lab:
        smscs = lab.app.engine.neighbours.smscs
        smscs["local"] = replace(smscs["local"], receipts=True)
        lab.app.faults.set(name, Setting(times=1, seconds=0.1) if name.endswith("late") else Setting(times=1))
        await lab.vasp.submit(PHONE)
        found = await until(lambda: hits(lab, name))
        assert {mm_id is not None for mm_id, _ in found} == {True}
        await until(lambda: not lab.app.faults.marks)


async def test_a_receipt_that_never_comes_is_told_of_its_mm(tmp_path: Path) -> None:
    """No PDU shows it: the SMSC knows whose message it was because our side of the session said so."""
    async with faulty_lab(tmp_path) as lab:
        smscs = lab.app.engine.neighbours.smscs
        smscs["local"] = replace(smscs["local"], receipts=True)
        lab.app.faults.set("smsc-no-receipt", Setting(times=1))
        await lab.vasp.submit(PHONE)
        mm_id, hit = await one_hit(lab, "smsc-no-receipt")
        assert await lab.app.store.fetch_one("SELECT id FROM mm") == (mm_id,)
        assert hit.number == PHONE


async def test_a_cancel_that_is_not_sent_comes_again(lab: Lab) -> None:
    """m-cancel-req leaves by the same sessions as notifications (OMA-TS-MMS_ENC 1.3)."""
    phone = await lab.phone(PHONE, version=mm1.VERSION_1_3)
    rsp = accepted(await lab.vasp.submit(PHONE))
    await lab.vasp.report()
    lab.app.faults.set("smpp-drop", Setting(times=1, operation="m-cancel-req"))
    await ask_extended(lab, mm7.ExtendedCancelReq(vasp_id="news", cancel_id=rsp.message_id))
    mm_id, hit = await one_hit(lab, "smpp-drop")
    assert mm_id is not None
    assert (hit.operation, hit.number) == ("m-cancel-req", PHONE)
    assert (await phone.until(lambda inbox: bool(inbox.cancelled))).cancelled[0].cancel_id == rsp.message_id


async def test_a_message_that_was_never_answered_says_so(tmp_path: Path) -> None:
    smsc = SmscDelivery(waits_seconds=(0.05,), timeout_seconds=1.0)
    async with faulty_lab(tmp_path, delivery=Deliveries(smsc=smsc)) as lab:
        lab.app.faults.set("smsc-silence", Setting(times=1))
        await lab.vasp.submit(PHONE)
        mm_id, _ = await one_hit(lab, "smsc-silence")
        assert mm_id is not None
        assert [(one.octets, one.note, one.mm_id) for one in marked(lab, "smsc-silence")] == [
            (b"", "no response in 1 s", mm_id)
        ]


class Receiver:
    """An ESME of another program: it has no marks to ask for."""

    def __init__(self, port: int) -> None:
        self.receipts: list[DeliverSm | smpp.DataSm] = []
        clock = Clock()
        self.esme = Esme(
            Smsc(name="lab", host="127.0.0.1", port=port, system_id="x", password="y"),
            on_message=self.take,
            on_bound=lambda: None,
            tap=WireTap("smpp", None, clock, redact.smpp),
        )

    async def take(self, pdu: DeliverSm | smpp.DataSm) -> CommandStatus:
        self.receipts.append(pdu)
        return CommandStatus.ESME_ROK


@pytest.mark.parametrize(
    ("name", "setting", "states", "ids"),
    [
        ("smsc-receipt-state", Setting(state="EXPIRED"), ["EXPIRED"], ["0000000A"]),
        ("smsc-receipt-twice", Setting(), ["DELIVERED", "DELIVERED"], ["0000000A"] * 2),
        ("smsc-receipt-late", Setting(seconds=0.05), ["DELIVERED"], ["0000000A"]),
        ("smsc-receipt-id", Setting(form="decimal"), ["DELIVERED"], ["10"]),
        ("smsc-receipt-id", Setting(form="hex-bare"), ["DELIVERED"], ["A"]),
        ("smsc-receipt-id", Setting(form="hex-small"), ["DELIVERED"], ["0000000a"]),
        ("smsc-no-receipt", Setting(), [], []),
    ],
)
async def test_receipts_for_any_esme(name: str, setting: Setting, states: list[str], ids: list[str]) -> None:
    """The SMSC of the lab works for other MMSCs, too: a plan of its own is all that it needs."""
    import asyncio

    smsc, plan = VirtualSmsc(), Plan(Clock())
    smsc.faults = FaultySmsc(plan)
    smsc._next_id = 9
    await smsc.start()
    receiver = Receiver(smsc.port)
    running = asyncio.create_task(receiver.esme.run())
    await until(lambda: receiver.esme.bound)
    plan.set(name, setting)
    pdu = SubmitSm(
        sequence_number=0, dest_addr_ton=1, destination_addr="15550100123", registered_delivery=1, short_message=b"x"
    )
    answer = await receiver.esme.request(pdu)
    assert isinstance(answer, smpp.SubmitSmResp)
    assert answer.message_id == "0000000A"
    await until(lambda: len(receiver.receipts) == len(states) and plan.bitten(name).hits)
    read = [read_receipt(one) for one in receiver.receipts]
    assert [one.state.name for one in read] == states
    assert [one.message_ids[0] for one in read] == ids
    await receiver.esme.close()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await smsc.stop()
