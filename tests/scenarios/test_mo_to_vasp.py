"""MMs from handsets to a VASP's short code, over real sockets; the VASP reads and answers with zeep."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mmsc.app import App
from mmsc.lab.handset import Handset
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.vasp import Answer, VirtualVasp
from mmsc.settings.model import Cdr, Deliveries
from mmsc.settings.neighbours import VaspDelivery
from mmsc.store.core import Unit
from protocols import mm1, mm7
from protocols.content_type import ContentType
from protocols.wsp.multipart import Part
from tests.scenarios.conftest import OTHER, PHONE, picture, settings

OCTETS = bytes(range(256)) * 20
JPEG = Part(ContentType("image/jpeg"), OCTETS, "i", "i.jpg")


class Town:
    """One MMSC that charges, a VASP with a short code, and handsets."""

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder

    async def open(self, **profile: Any) -> None:
        self.smsc = VirtualSmsc({"mmsc": "secret"})
        await self.smsc.start()
        self.stack.push_async_callback(self.smsc.stop)
        self.vasp = VirtualVasp("", vasp_id="news", username="news", password="secret")
        await self.stack.enter_async_context(self.vasp)
        given = settings(self.folder, self.smsc.port, self.vasp.report_url)
        news = msgspec.structs.replace(given.vasp["news"], **profile)
        cdr = Cdr(enabled=True, write_seconds=0.05)
        delivery = Deliveries(vasp=VaspDelivery(waits_seconds=(0.05,)))
        given = msgspec.structs.replace(given, vasp={"news": news}, cdr=cdr, delivery=delivery)
        self.app = await self.stack.enter_async_context(App(given, synchronous="OFF"))
        host, port = self.app.listeners["mm7"]
        self.vasp.url = f"http://{host}:{port}/mm7"

    async def phone(self, number: str, **behaviour: Any) -> Handset:
        host, port = self.app.listeners["mm1"]
        phone = await self.stack.enter_async_context(Handset(number, f"http://{host}:{port}/", **behaviour))
        self.smsc.register(number, phone.on_push, phone.on_sms)
        return phone

    async def records(self, *names: str) -> list[dict[str, Any]]:
        """The charging records, as soon as there are some of these types."""
        async with asyncio.timeout(10):
            while True:
                paths = sorted((self.folder / "cdr").glob("*.jsonl*"))
                lines = [line for path in paths for line in path.read_text().splitlines() if line.endswith("}")]
                found = [json.loads(line) for line in lines]
                if set(names) <= {one["recordType"] for one in found}:
                    return found
                await self.app.store.commit(Unit(None, ()))

    async def told(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.app.store.fetch("SELECT data FROM event WHERE kind = $1 ORDER BY id", kind)
        return [json.loads(str(row[0])) for row in rows]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        yield Town(stack, tmp_path)


async def answer(vasp: VirtualVasp, to: str, linked_id: str) -> Answer:
    return await vasp.submit([to], content=picture(), sender="4488", LinkedID=linked_id)


async def test_a_handset_writes_to_a_short_code_and_gets_an_answer(town: Town) -> None:
    await town.open()
    town.vasp.service_code = "gold"
    phone = await town.phone(PHONE, user_agent="Phone/7")
    conf = await phone.send(["4488"], [JPEG], subject="Grüße", delivery_report=True, cc=(OTHER,))
    assert conf.response_status is mm1.ResponseStatus.OK

    delivery = await town.vasp.delivery()
    assert (delivery.sender, delivery.subject, delivery.ua_prof) == (PHONE, "Grüße", "Phone/7")
    assert delivery.to == (("4488", False),)
    assert delivery.cc == ((OTHER, True),)
    assert delivery.content is not None
    assert [one.data for one in delivery.content.parts] == [OCTETS]
    reports = (await phone.until(lambda inbox: bool(inbox.reports))).reports
    assert [one.status for one in reports] == [mm1.Status.RETRIEVED]

    answered = await answer(town.vasp, PHONE, delivery.linked_id)
    assert answered.status_code == 1000
    await phone.until(lambda inbox: bool(inbox.messages))
    pair = {"delivered": conf.message_id, "answer": answered.message_id}
    linked = {"vasp": "news", "linked_id": delivery.linked_id, **pair}
    assert await town.told("mm.linked") == [linked, linked], "one for each of the pair"

    records = {one["recordType"]: one for one in await town.records("O1S", "7DRq", "7DRs", "7S")}
    assert records["7DRq"]["linkedID"] == records["7S"]["linkedID"] == delivery.linked_id
    assert records["7DRq"]["messageSize"] == len(OCTETS)
    assert records["7DRs"]["serviceCode"] == "gold"
    assert (records["7DRs"]["requestStatusCode"], records["7DRs"]["messageID"]) == (0, conf.message_id)


async def test_a_vasp_that_stumbles_gets_it_again_with_the_same_transaction(town: Town) -> None:
    await town.open(deliver_content="single", deliver_encoding="base64")
    town.vasp.behaviour.statuses = [503, 3000]
    phone = await town.phone(PHONE)
    await phone.send(["4488"], [JPEG])
    delivery = await town.vasp.delivery()
    assert delivery.content is not None
    assert (delivery.content.content_type.media_type, delivery.content.data) == ("image/jpeg", OCTETS)
    tried = await town.told("attempt.failed")
    assert [one["task"] for one in tried] == ["deliver_mm7"] * 2
    answered = await town.told("deliver.answered")
    assert [one["transaction_id"] for one in answered] in ([], [delivery.transaction_id])


async def test_a_vasp_that_refuses_it_rejects_it(town: Town) -> None:
    await town.open()
    town.vasp.behaviour.statuses = [2004]
    phone = await town.phone(PHONE)
    await phone.send(["4488"], [JPEG], delivery_report=True)
    reports = (await phone.until(lambda inbox: bool(inbox.reports))).reports
    assert [one.status for one in reports] == [mm1.Status.REJECTED]
    (record,) = [one for one in await town.records("7DRs") if one["recordType"] == "7DRs"]
    assert record["requestStatusCode"] == 35


@pytest.mark.parametrize(("setting", "status"), [("refuse", 2006), ("accept", 1000)])
async def test_an_unknown_linked_id(town: Town, setting: str, status: int) -> None:
    await town.open(unknown_linked_id=setting)
    assert (await answer(town.vasp, PHONE, "no-such-id")).status_code == status
    assert (await town.vasp.submit([PHONE], content=picture())).status_code == 1000, "the next one is served"


@pytest.mark.parametrize(("read", "word"), [(True, "Read"), (False, "Deleted")])
async def test_what_was_read_is_told_to_the_vasp_that_asked(town: Town, read: bool, word: str) -> None:
    await town.open()
    phone = await town.phone(PHONE)
    answered = await town.vasp.submit([PHONE], content=picture(), ReadReply=True)
    await phone.until(lambda inbox: bool(inbox.messages))
    assert await phone.tell_read(answered.message_id, "4488", read=read) == 200
    report = await town.vasp.read_report()
    assert (report.message_id, report.recipient, report.mm_status) == (answered.message_id, PHONE, word)
    assert [one.mm_status for one in town.vasp.reports] == ["Retrieved"], "the delivery report came before"
    (record,) = [one for one in await town.records("7RRq", "7RRs") if one["recordType"] == "7RRq"]
    assert record["readStatus"] == ("read" if read else "deletedWithoutBeingRead")


async def test_the_namespace_of_its_last_request_is_spoken(town: Town) -> None:
    await town.open()
    tag = "REL-6-MM7-1-0"
    town.vasp._tag = tag
    assert (await town.vasp.submit([PHONE], content=picture(), delivery_report=False)).status_code == 1000
    phone = await town.phone(OTHER)
    await phone.send(["4488"], [JPEG])
    await town.vasp.delivery()  # zeep would not know another one
    assert town.app.engine.dialects.last_of("news") == (mm7.BASE + tag, "6.8.0")
