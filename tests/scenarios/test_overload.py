"""What neighbours are told when there is too much, and a stop while they are under way."""

import asyncio
from pathlib import Path

import aiosmtplib
import pytest

from mmsc.app import App
from mmsc.gateways.sms.esme import Esme
from mmsc.lab.handset import Fetching
from mmsc.net import stopping
from mmsc.settings.model import Mm4, Node
from mmsc.settings.neighbours import Peer
from protocols import mm7
from protocols.mm1 import ResponseStatus
from tests.scenarios.conftest import PHONE, open_lab, picture

FORWARD = "\r\n".join(
    (
        "X-Mms-3GPP-MMS-Version: 6.10.0",
        "X-Mms-Message-Type: MM4_forward.REQ",
        "X-Mms-Transaction-ID: t1",
        'X-Mms-Message-ID: "m1"',
        "X-Mms-Originator-System: system@mms.other.example",
        "Date: Thu, 26 Nov 2026 12:00:00 +0000",
        "From: +16660100123/TYPE=PLMN@mms.other.example",
        "To: +15550100123/TYPE=PLMN@mms.example",
        "MIME-Version: 1.0",
        "Content-Type: text/plain",
        "",
        "hello",
        "",
    )
).encode()


async def test_a_full_store_is_the_protocols_later_on_each_interface(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = Peer(domain="mms.other.example", host="127.0.0.1", port=9, prefixes=("+1666",))
    async with open_lab(tmp_path, mm4=Mm4(port=0), peer={"other": peer}) as lab:
        phone = await lab.phone(PHONE, fetching=Fetching.NEVER)

        async def mail() -> int:
            async with aiosmtplib.SMTP(
                hostname="127.0.0.1", port=lab.app.listeners["mm4"][1], start_tls=False
            ) as client:
                await client.mail("+16660100123/TYPE=PLMN@mms.other.example")
                await client.rcpt("+15550100123/TYPE=PLMN@mms.example")
                try:
                    return (await client.data(FORWARD)).code
                except aiosmtplib.SMTPDataError as error:
                    return error.code

        with monkeypatch.context() as full:
            full.setattr("mmsc.store.committer.MAXIMUM_QUEUE", 0)
            rsp = await lab.vasp.submit(PHONE, content=picture(), transaction_id="again")
            assert rsp.status is not None
            assert rsp.status.code == mm7.StatusCode.SERVICE_UNAVAILABLE
            conf = await phone.send([PHONE], [])
            assert conf.response_status in (
                ResponseStatus.ERROR_TRANSIENT_FAILURE,
                ResponseStatus.ERROR_NETWORK_PROBLEM,
            )
            assert await mail() == 451
        rsp = await lab.vasp.submit(PHONE, content=picture(), transaction_id="again")
        assert isinstance(rsp, mm7.SubmitRsp), "the same request again is tried anew"
        assert await mail() == 250


async def test_a_stop_waits_for_no_neighbour_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SMSC is mute: it answers neither the push nor unbind. The leases are handed back all the same."""
    monkeypatch.setattr(stopping, "LAST_SECONDS", 0.2)
    never = asyncio.Event()
    async with open_lab(tmp_path, node=Node(stop_seconds=0.5)) as lab:
        heard = asyncio.Event()

        async def mute(_: object) -> None:
            heard.set()
            await never.wait()

        original = Esme._received

        def deaf(self: Esme, octets: bytes) -> None:
            if heard.is_set():
                return  # whatever the SMSC answers does not arrive
            original(self, octets)

        monkeypatch.setattr(Esme, "_received", deaf)
        lab.smsc.register(PHONE, mute, mute)
        heard.set()
        assert isinstance(await lab.vasp.submit(PHONE, content=picture()), mm7.SubmitRsp)
        settings = lab.app.settings
        async with asyncio.timeout(15):
            await lab.app.__aexit__(None, None, None)
    app = App(settings, synchronous="OFF")
    await app.store.open()
    assert await app.store.fetch("SELECT kind, state, attempt FROM task") == [("notify", "ready", 0)]
    await app.store.close()


async def test_a_stop_lets_a_delivery_that_is_under_way_finish(tmp_path: Path) -> None:
    """What could be finished in time is not done again after the restart."""
    async with open_lab(tmp_path) as lab:
        phone = await lab.phone(PHONE, fetching=Fetching.NEVER)
        assert isinstance(await lab.vasp.submit(PHONE, content=picture()), mm7.SubmitRsp)
        await phone.until(lambda inbox: bool(inbox.notifications))
        settings = lab.app.settings
        await lab.app.__aexit__(None, None, None)
        assert len(phone.inbox.notifications) == 1
    app = App(settings, synchronous="OFF")
    await app.store.open()
    assert await app.store.fetch("SELECT state, pushes FROM recipient") == [("notified", 1)]
    await app.store.close()
