"""A disk that is full, read-only or fails below a server: each interface says "later", and all is well afterwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import aiosmtplib
import pytest
from aiohttp import web

from mmsc.lab.handset import Fetching, Handset
from mmsc.lab.smsc import VirtualSmsc
from protocols import mm7
from protocols.mm1 import ResponseStatus
from tests import disks
from tests.scenarios import serving
from tests.scenarios.conftest import PHONE, Client, free_port, picture
from tests.scenarios.test_overload import FORWARD

_CONFIG = """
[numbers]
own_prefixes = ["+1555"]
default_smsc = "local"
[delivery.smsc]
waits_seconds = [0.2]
[delivery.vasp]
waits_seconds = [0.2]
[lanes]
first_pause_seconds = 0.1
longest_pause_seconds = 1.0
[store]
path = "{folder}/mmsc.db"
[trace]
captures_path = "{folder}/captures"
[mm1]
port = {mm1}
[mm4]
port = {mm4}
[mm7]
port = {mm7}
[weblink]
enabled = false
[smsc.local]
port = {smsc}
system_id = "mmsc"
password = "secret"
[vasp.news]
vasp_id = "news"
username = "news"
password = "secret"
report_url = "http://127.0.0.1:{reports}/"
[peer.other]
domain = "mms.other.example"
host = "127.0.0.1"
port = 9
prefixes = ["+1666"]
[subscriber."+15550100123"]
mms = "on"
"""
_LATER_MM7 = (3000, mm7.StatusCode.SERVICE_UNAVAILABLE)
_LATER_MM1 = (ResponseStatus.ERROR_TRANSIENT_FAILURE, ResponseStatus.ERROR_NETWORK_PROBLEM)
_LATER_MM4 = (451, 452)


@dataclass
class Around:
    """The neighbours, the server's settings, and what they put in by each interface. True is accepted, False later."""

    vasp: Client
    phone: Handset
    mm4_port: int
    config: Path

    async def mm7(self, subject: str = "mm7") -> bool:
        """The same request each time: what was refused must not be taken for done."""
        answer = await self.vasp.submit(PHONE, content=picture(), transaction_id=subject, subject=subject)
        assert answer.status is not None
        assert answer.status.code in (mm7.StatusCode.SUCCESS, *_LATER_MM7), answer.status
        return answer.status.code is mm7.StatusCode.SUCCESS

    async def mm1(self) -> bool:
        conf = await self.phone.send([PHONE], [], subject="mm1")
        assert conf.response_status in (ResponseStatus.OK, *_LATER_MM1), conf.response_status
        return conf.response_status is ResponseStatus.OK

    async def mm4(self) -> bool:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.mm4_port, start_tls=False) as client:
            try:
                await client.mail("+16660100123/TYPE=PLMN@mms.other.example")
                await client.rcpt("+15550100123/TYPE=PLMN@mms.example")
                code = (await client.data(FORWARD.replace(b"Date:", b"Subject: mm4\r\nDate:"))).code
            except aiosmtplib.SMTPResponseException as error:
                code = error.code
        assert code in (250, *_LATER_MM4)
        return code == 250

    def doors(self) -> tuple[Callable[[], Awaitable[bool]], ...]:
        return self.mm7, self.mm1, self.mm4


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return disks.build(tmp_path_factory.mktemp("library"))


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Around]:
    async with AsyncExitStack() as stack:
        smsc = VirtualSmsc({"mmsc": "secret"})
        await smsc.start()
        stack.push_async_callback(smsc.stop)
        vasp = Client("", await stack.enter_async_context(aiohttp.ClientSession()))
        runner = web.ServerRunner(web.Server(vasp.take))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports = {name: free_port() for name in ("mm1", "mm4", "mm7")}
        vasp.url = f"http://127.0.0.1:{ports['mm7']}/mm7"
        config = tmp_path / "mmsc.toml"
        config.write_text(_CONFIG.format(folder=tmp_path, smsc=smsc.port, reports=runner.addresses[0][1], **ports))
        phone = Handset(PHONE, f"http://127.0.0.1:{ports['mm1']}/", fetching=Fetching.NEVER)
        await stack.enter_async_context(phone)
        smsc.register(PHONE, phone.on_push, phone.on_sms)
        yield Around(vasp, phone, ports["mm4"], config)


@pytest.mark.slow
@pytest.mark.parametrize("fault", disks.FAULTS)
async def test_later_on_each_interface_until_the_disk_is_well(around: Around, library: Path, fault: str) -> None:
    folder, phone = around.config.parent, around.phone
    control = folder / "control"
    started: list[asyncio.subprocess.Process] = []
    server = await serving.start(around.config, started, disks.environment(library, folder / "mmsc.db", control))
    try:
        assert await around.mm7("before")
        notification = (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0]
        control.write_text(fault)
        for _ in range(2):  # by the failed commit, and then by the door that it shut
            assert await asyncio.gather(*(door() for door in around.doors())) == [False] * 3
        control.write_text("")
        phone.fetching = Fetching.IMMEDIATE
        async with asyncio.timeout(15):
            for door in around.doors():
                while not await door():  # noqa: ASYNC110 - as a neighbour does
                    await asyncio.sleep(0.1)
        assert await phone.fetch(notification) is not None, "what was accepted before the fault"
        inbox = await phone.until(lambda inbox: len(inbox.messages) == 4)
        assert sorted(one.conf.subject or "" for one in inbox.messages) == ["before", "mm1", "mm4", "mm7"]
        assert {(await around.vasp.report()).mm_status for _ in range(2)} == {"Retrieved"}
    finally:
        if server.returncode is None:
            server.terminate()
        await server.communicate()
    assert server.returncode == 0
    told = around.config.with_suffix(".log").read_text()
    assert told.count("takes nothing for the moment") == told.count("takes messages again") == 1, told
    assert "Traceback" not in told, told
