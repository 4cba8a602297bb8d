"""Charging records of whole MMSCs over real sockets: what each message leaves, and that two parties agree."""

import asyncio
import csv
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from click.testing import CliRunner

from mmsc.app import App
from mmsc.cdr.records import BY_NAME
from mmsc.cli.group import main
from mmsc.lab.handset import Fetching, Handset
from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings import Settings
from mmsc.settings.model import Cdr, Mm4, Node, NumberSettings
from mmsc.settings.neighbours import Peer
from mmsc.store.core import Unit
from protocols import mm1, mm7
from tests.cdr.world import owed, written
from tests.scenarios.conftest import OTHER, PHONE, Client, free_port, picture, settings

FOREIGN = "+16660100123"


class Two:
    """Two MMSCs that charge, and who plays around them."""

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.apps: dict[str, App] = {}
        self.smscs: dict[str, VirtualSmsc] = {}
        self.vasp: Client

    async def start(self) -> None:
        session = await self.stack.enter_async_context(aiohttp.ClientSession())
        self.vasp = Client("", session)
        runner = web.ServerRunner(web.Server(self.vasp.take))
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports = {"home": free_port(), "other": free_port()}
        for name, own, far, prefix, peer_prefix in (
            ("home", "+1555", "other", "+1555", "+1666"),
            ("other", "+1666", "home", "+1666", "+1555"),
        ):
            smsc = self.smscs[name] = VirtualSmsc()
            await smsc.start()
            self.stack.push_async_callback(smsc.stop)
            base = settings(self.folder / name, smsc.port, f"http://127.0.0.1:{runner.addresses[0][1]}/")
            given = msgspec.structs.replace(
                base,
                node=Node(name=name, domain=f"mms.{name}.example"),
                numbers=NumberSettings(own_prefixes=(own,), default_smsc="local"),
                cdr=Cdr(enabled=True, format="both", rotate_octets=2000, write_seconds=0.1),
                mm4=Mm4(port=ports[name]),
                peer={
                    far: Peer(domain=f"mms.{far}.example", host="127.0.0.1", port=ports[far], prefixes=(peer_prefix,))
                },
            )
            self.apps[name] = await self.stack.enter_async_context(App(given, synchronous="OFF"))
            assert prefix == own
        host, port = self.apps["home"].listeners["mm7"]
        self.vasp.url = f"http://{host}:{port}/mm7"

    async def phone(self, where: str, number: str, **behaviour: Any) -> Handset:
        host, port = self.apps[where].listeners["mm1"]
        phone = await self.stack.enter_async_context(Handset(number, f"http://{host}:{port}/", **behaviour))
        self.smscs[where].register(number, phone.on_push, phone.on_sms)
        return phone

    async def settle(self, where: str) -> None:
        """Until no report and no RES is owed any more."""
        store = self.apps[where].store
        async with asyncio.timeout(15):
            while await store.fetch("SELECT id FROM task WHERE kind LIKE 'report%' OR kind = 'res_mm4'"):
                await store.commit(Unit(None, ()))

    def records(self, where: str) -> list[dict[str, Any]]:
        paths = sorted((self.folder / where / "cdr").glob("*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        world = Two(stack, tmp_path)
        await world.start()
        yield world


def reconcile(two: Two, *options: str) -> tuple[int, str]:
    places = [str(two.folder / where / "cdr") for where in ("home", "other")]
    done = CliRunner().invoke(main, ["cdr", "reconcile", *places, *options])
    return done.exit_code, done.output


async def _traffic(two: Two) -> None:
    await two.phone("other", FOREIGN)
    await two.phone("other", "+16660100124", fetching=Fetching.REJECT)
    await two.phone("home", PHONE)
    for to in ((FOREIGN,), (FOREIGN, "+16660100124"), (PHONE,)):
        rsp = await two.vasp.submit(*to, content=picture(), subject="Grüße", service_code="gold")
        assert isinstance(rsp, mm7.SubmitRsp)
        for _ in to:
            await two.vasp.report()
    for where in two.apps:
        await two.settle(where)


async def test_two_mmscs_agree_to_the_last_record(two: Two) -> None:
    await _traffic(two)
    events = {where: await owed(app.store) for where, app in two.apps.items()}
    await two.stack.aclose()
    home, other = two.records("home"), two.records("other")
    assert written(home) == events["home"]
    assert written(other) == events["other"]
    assert Counter(one["recordType"] for one in home) == {
        "7S": 3,
        "O4FRq": 2,
        "O4FRs": 2,
        "O4D": 3,
        "R1NRq": 1,
        "R1Rt": 1,
        "R1NRs": 1,
        "7DRRq": 4,
        "7DRRs": 4,
    }
    assert Counter(one["recordType"] for one in other) == {
        "R4F": 2,
        "R1NRq": 3,
        "R1Rt": 2,
        "R1NRs": 3,
        "R4DRq": 3,
    }
    for one in home + other:
        mandatory = {field.name for field in BY_NAME[one["recordType"]].fields if field.mandatory}
        assert mandatory <= one.keys(), one
    assert reconcile(two)[0] == 0, reconcile(two)[1]
    assert "A's O4FRq - B's R4F: 3 agree, 0 differ" in reconcile(two)[1]
    assert "B's R4DRq - A's O4D: 3 agree, 0 differ" in reconcile(two)[1]
    for where in two.apps:
        rows = []
        for path in sorted((two.folder / where / "cdr").glob("*.csv")):
            with path.open(newline="") as file:
                rows += list(csv.DictReader(file))
        assert [row["recordType"] for row in rows] == [one["recordType"] for one in two.records(where)]


async def test_a_line_that_is_changed_or_gone_is_found(two: Two) -> None:
    await _traffic(two)
    await two.stack.aclose()
    paths = sorted((two.folder / "other" / "cdr").glob("*.jsonl"))
    path = next(one for one in paths if '"R4F"' in one.read_text())
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if '"R4F"' in line)
    gone = json.loads(lines[at])
    path.write_text("".join(f"{line}\n" for number, line in enumerate(lines) if number != at))
    status, told = reconcile(two)
    assert status == 1
    assert f"only in A: A's O4FRq - B's R4F: {gone['messageID']} to {FOREIGN}" in told
    changed = json.dumps({**gone, "messageSize": gone["messageSize"] + 1})
    path.write_text("".join(f"{changed if number == at else line}\n" for number, line in enumerate(lines)))
    status, told = reconcile(two)
    assert status == 1
    assert f"  messageSize: {gone['messageSize']} | {gone['messageSize'] + 1}" in told


async def test_what_handsets_do_is_charged(two: Two) -> None:
    """MM1: a submission, a deferred retrieval with its acknowledgement, a read report, a report to the originator."""
    sender = await two.phone("home", PHONE)
    reader = await two.phone("home", OTHER, fetching=Fetching.DEFERRED)
    sent = await sender.send([OTHER], [], delivery_report=True)
    (notification,) = (await reader.until(lambda inbox: bool(inbox.notifications))).notifications
    await two.settle("home")
    assert await reader.fetch(notification) is not None
    pdu = mm1.MReadRecInd(
        mms_version=mm1.VERSION_1_2,
        message_id=sent.message_id,
        to=(PHONE,),
        from_=mm1.INSERT_ADDRESS,
        read_status=mm1.ReadStatus.READ,
    )
    assert (await reader._post(pdu))[0] == 200
    assert (await reader._post(pdu))[0] == 200  # again: the first 200 was lost
    assert (await reader._post(replace(pdu, message_id="no such@x")))[0] == 200
    assert (await sender._post(pdu))[0] == 200  # who has not got it cannot have read it
    await two.settle("home")
    await two.stack.aclose()
    kinds = Counter(one["recordType"] for one in two.records("home"))
    assert kinds == {"O1S": 1, "R1NRq": 1, "R1NRs": 1, "R1Rt": 1, "R1A": 1, "R1RR": 1, "O1D": 1}


def test_charging_is_off_unless_asked_for() -> None:
    assert Settings().cdr.enabled is False
