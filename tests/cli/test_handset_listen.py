"""`mmsc handset listen`: a process of its own that takes pushes, from a small MMSC and from ours."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings.neighbours import Smsc
from protocols import mm1
from protocols.mm1 import MAcknowledgeInd, MNotifyRespInd, Status
from tests.lab.conftest import NUMBER, FakeMmsc, fake_mmsc, notification, pushed
from tests.scenarios.conftest import free_port, open_lab, picture
from tests.tools import PATIENCE_SECONDS, STOP_PATIENCE_SECONDS


@pytest.fixture
async def mmsc() -> AsyncIterator[FakeMmsc]:
    async with fake_mmsc() as one:
        yield one


class Listening:
    """The command as it runs."""

    def __init__(self, process: asyncio.subprocess.Process, place: str) -> None:
        self.process = process
        self.place = place
        self.port = int(found[1]) if (found := re.search(r":(\d+)(?: for |; )", place)) else 0

    async def line(self) -> str:
        """The next one, without its time."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = (await self.process.stdout.readline()).decode().rstrip("\n")
        return re.sub(r"^\d\d:\d\d:\d\d\.\d{3} ", "", line)

    async def end(self, number: int = 0) -> tuple[int, str, str]:
        """(exit status, the rest of what it told, and of what it said beside)."""
        if number:
            self.process.send_signal(number)
        async with asyncio.timeout(STOP_PATIENCE_SECONDS):
            told, errors = await self.process.communicate()
        return self.process.returncode or 0, told.decode(), errors.decode()


@asynccontextmanager
async def listening(mmsc: str, *arguments: str, waits: bool = True) -> AsyncIterator[Listening]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mmsc", "handset", "--number", NUMBER, "--mmsc", mmsc, *arguments),
        stdout=pipe,
        stderr=pipe,
        env={**os.environ, "TZ": "UTC"},
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            place = (await process.stderr.readline()).decode() if waits else ""
        yield Listening(process, place)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_pushes_by_udp_are_told_and_the_mms_saved(mmsc: FakeMmsc, tmp_path: Path) -> None:
    notified = mmsc.offer(subject="Lake\n")
    report = mm1.MDeliveryInd(message_id="a", to=("+1/TYPE=PLMN",), date=1, status=Status.EXPIRED)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        async with listening(mmsc.url, "--udp", "0", "--save", str(tmp_path), "--count", "3") as phone:
            sender.sendto(pushed(notified), ("127.0.0.1", phone.port))
            lines = [await phone.line() for _ in range(5)]
            sender.sendto(pushed(report), ("127.0.0.1", phone.port))
            sender.sendto(b"noise", ("127.0.0.1", phone.port))
            status, told, errors = await phone.end()
    assert lines[0].startswith("notification    N1, from somebody who hides, 1,000 octets, expires in 3600 s, http://")
    assert lines[1].startswith("MM              from +15550100456/TYPE=PLMN, subject 'Lake\\n'")
    assert lines[2:4] == [f"  saved {tmp_path}/0001-{name}" for name in ("m-retrieve-conf.mms", "1-t1.txt")]
    assert lines[4] == "sent            m-notifyresp-ind Retrieved N1"
    assert (tmp_path / "0001-1-t1.txt").read_bytes() == b"hello"
    assert "delivery report Expired +1/TYPE=PLMN Message-ID a" in told
    assert "failure         push: " in told
    assert status == 1, "something failed"
    assert errors == "1 MM, 1 delivery report, 1 failure, 1 notification\n"


async def test_pushes_by_hand_and_what_is_done_later(mmsc: FakeMmsc, tmp_path: Path) -> None:
    notified = mmsc.offer()
    file = tmp_path / "push.hex"
    file.write_text(f"# a notification\n{pushed(notified).hex(' ')}  # whole\n")
    again = mm1.encode(notification(f"{mmsc.url}m/m1", transaction_id="N2")).hex()
    arguments = ("--push", str(file), "--push", again, "--behaviour", "deferred=0.01,reject", "--json")
    async with listening(mmsc.url, *arguments, waits=False) as phone:
        status, told, errors = await phone.end()
    events = [json.loads(one) for one in told.splitlines()]
    assert [one["event"] for one in events if one["event"] != "sent"] == ["notification", "notification", "MM"]
    assert events[-2]["parts"][0]["octets"] == 5
    assert events[-1]["pdu"]["X-Mms-Message-Type"] == "m-acknowledge-ind"
    assert mmsc.pdus() == [
        MNotifyRespInd(transaction_id="N1", status=Status.DEFERRED),
        MNotifyRespInd(transaction_id="N2", status=Status.REJECTED),
        MAcknowledgeInd(transaction_id="R1"),
    ]
    assert (status, errors) == (0, "1 MM, 2 notification\n")


async def test_an_interrupt_does_not_wait_for_what_is_meant_for_later(mmsc: FakeMmsc) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        async with listening(mmsc.url, "--udp", "0", "--behaviour", "deferred=3600") as phone:
            sender.sendto(pushed(mmsc.offer()), ("127.0.0.1", phone.port))
            assert [(await phone.line()).split()[0] for _ in range(2)] == ["notification", "sent"]
            status, _, errors = await phone.end(signal.SIGTERM)
    assert (status, errors) == (0, "1 notification\n")


async def test_a_port_that_is_taken_is_told(mmsc: FakeMmsc) -> None:
    smsc = VirtualSmsc()
    await smsc.start()
    async with listening(mmsc.url, "--smpp-listen", str(smsc.port), waits=False) as phone:
        status, _, errors = await phone.end()
    assert status == 1
    assert f"cannot listen on 127.0.0.1 port {smsc.port} (Address already in use): " in errors
    assert "name another port with --smpp-listen" in errors
    await smsc.stop()


async def test_an_smsc_that_is_not_there_is_told(mmsc: FakeMmsc) -> None:
    async with listening(mmsc.url, "--smpp", "127.0.0.1:1", waits=False) as phone:
        status, _, errors = await phone.end()
    assert (status, errors) == (3, "Error: 127.0.0.1:1: nobody takes connections there\n")


async def test_it_binds_to_an_smsc_that_lets_it_in(mmsc: FakeMmsc) -> None:
    smsc = VirtualSmsc({"phone": "secret"})
    await smsc.start()
    arguments = ("--smpp", f"127.0.0.1:{smsc.port}", "--system-id", "phone", "--password")
    async with listening(mmsc.url, *arguments, "guess", waits=False) as phone:
        status, _, errors = await phone.end()
        assert status == 3
        assert "refused bind_receiver with ESME_RINVPASWD" in errors
    async with listening(mmsc.url, *arguments, "secret") as phone:
        assert phone.place == f"bound to 127.0.0.1:{smsc.port} as phone; interrupt to stop\n"
        smsc.drop_sessions()
        status, _, errors = await phone.end()
        assert status == 0
        assert errors.startswith(f"127.0.0.1:{smsc.port}: ")
    await smsc.stop()


async def test_it_is_the_smsc_and_the_handset_of_our_mmsc(tmp_path: Path) -> None:
    """The whole way: another handset sends, ours gets the push over SMPP, fetches, and answers its sender."""
    port = free_port()
    smscs = {"local": Smsc(port=port, system_id="mmsc", password="secret")}
    async with open_lab(tmp_path, smsc=smscs) as lab:
        host, mm1_port = lab.app.listeners["mm1"]
        url = f"http://{host}:{mm1_port}/"
        arguments = ("--smpp-listen", str(port), "--system-id", "mmsc", "--password", "secret", "--profile", "aosp")
        async with listening(url, *arguments, "--behaviour", "immediate+read+reply=Thanks", "--count", "1") as phone:
            assert phone.place == f"SMSC on 127.0.0.1:{port} for {NUMBER}; interrupt to stop\n"
            await lab.vasp.submit(NUMBER, content=picture(), subject="Lake", delivery_report=True)
            lines = [await phone.line() for _ in range(3)]
            _, _, errors = await phone.end()
            assert (await lab.vasp.report()).mm_status == "Retrieved"
    assert [one.split()[0] for one in lines] == ["notification", "MM", "sent"]
    assert "'Grüße'" in lines[1]
    assert errors.startswith("1 MM"), errors
