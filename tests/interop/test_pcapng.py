"""Exported captures in tshark's eyes, without any option: every protocol is found, nothing is malformed, and there is
no remark worse than a note."""

import re
import subprocess
from pathlib import Path

import aiohttp
import pytest

from mmsc.store.core import Statement, Unit
from mmsc.trace.captures import CaptureRecord, Direction
from mmsc.trace.pcapng import Captured, pcapng
from protocols import smpp
from tests.console.captures_world import console_lab, one_story
from tests.interop.test_tshark_live import lake
from tests.interop.tshark import fields
from tests.scenarios.conftest import OLD_PHONE, PHONE, Lab
from tests.scenarios.test_mm4 import FOREIGN, Two, two
from tests.tools import needs

__all__ = ["two"]
pytestmark = pytest.mark.interop
_WORSE_THAN_NOTES = re.compile(r"^(Errors|Warns)", re.MULTILINE)


def written(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    return path


async def fetched(url: str, path: Path) -> Path:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200, await response.text()
        return written(path, await response.read())


def run(*command: str) -> str:
    tool, *options = command
    return subprocess.run([str(needs(tool)), *options], capture_output=True, timeout=60, check=True).stdout.decode()


def assert_clean(path: Path) -> None:
    """Nothing malformed, no warning; notes are about FIN."""
    found = run("tshark", "-r", str(path), "-q", "-z", "expert")
    assert "Chats" in found
    assert not _WORSE_THAN_NOTES.search(found), found


async def test_one_message_is_decoded_on_every_interface(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url):
        mm_id = await one_story(lab, content=lake())
        path = await fetched(f"{url}/m/{mm_id}.pcapng", tmp_path / "one.pcapng")
    assert_clean(path)
    protocols, pdus, commands, tags, comments = fields(
        path, "frame.protocols", "mmse.message_type", "smpp.command_id", "xml.tag", "frame.comment"
    )
    assert any(one.endswith("smpp:gsm_sms_ud:wsp:mmse") for one in protocols), protocols
    assert {"0x82", "0x84"} <= pdus
    assert {"0x00000004", "0x80000004"} <= commands
    names = {re.split(r"[ >]", tag.lstrip("<"))[0] for tag in tags}
    assert {"SubmitReq", "SubmitRsp", "DeliveryReportReq", "DeliveryReportRsp"} <= names
    assert [one for one in comments if one.startswith("SubmitRsp, mm7 out, news") and f"MM {mm_id}" in one]
    info = run("capinfos", str(path))
    assert "Strict time order:   True" in info
    for name in ("mm7", "smpp", "mm1"):
        assert f"Name = {name}\n" in info


async def test_names_of_neighbours_stand_in_the_file(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url):
        path = await fetched(f"{url}/m/{await one_story(lab)}.pcapng", tmp_path / "one.pcapng")
    hosts = set(run("tshark", "-r", str(path), "-N", "n", "-T", "fields", "-e", "ip.src_host").split())
    assert hosts == {"mmsc", "news", "local", PHONE}


async def test_a_mail_between_mmscs_is_decoded_from_both_ends(two: Two, tmp_path: Path) -> None:
    phone = await two.phone(FOREIGN)
    await two.vasp.submit(FOREIGN, content=lake(), subject="Grüße")
    await phone.until(lambda inbox: bool(inbox.messages))
    assert (await two.vasp.report()).mm_status == "Retrieved"
    for app in (two.home, two.other):
        row = await app.store.fetch_one("SELECT max(id) FROM mm")
        assert row is not None
        capturing = app.operations._holder["control"].capturing
        assert capturing is not None
        octets = b"".join([piece async for piece in capturing.of_mm([int(str(row[0]))])])
        path = written(tmp_path / f"{app.settings.node.name}.pcapng", octets)
        assert_clean(path)
        headers, commands = fields(path, "imf.extension.type", "smtp.req.command")
        assert "X-Mms-Message-Type" in headers
        assert {"MAIL", "RCPT", "DATA"} <= commands


async def test_a_large_body_that_the_store_lost_still_decodes(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url):
        mm_id = await one_story(lab, content=lake())
        gone = Statement("UPDATE content SET body = NULL WHERE id > $1", (0,))
        await lab.app.store.commit(Unit(None, (gone,)))
        path = await fetched(f"{url}/m/{mm_id}.pcapng", tmp_path / "one.pcapng")
    (pdus,) = fields(path, "mmse.message_type")
    assert {"0x82", "0x84"} <= pdus


@pytest.mark.parametrize("clock", ["real", "service"])
async def test_a_filter_and_the_fallback_page(tmp_path: Path, clock: str) -> None:
    async with console_lab(tmp_path) as (lab, url):
        await _viewed(lab)
        path = await fetched(f"{url}/captures.pcapng?clock={clock}", tmp_path / "all.pcapng")
        only = await fetched(f"{url}/captures.pcapng?interface=weblink", tmp_path / "weblink.pcapng")
    assert_clean(path)
    uris, ports = fields(only, "http.request.uri", "tcp.dstport")
    assert any(one.startswith("/w/") for one in uris)
    assert "8088" in ports


async def _viewed(lab: Lab) -> None:
    """An MM of a phone without MMS, looked at."""
    phone = await lab.phone(OLD_PHONE)
    await lab.vasp.submit(OLD_PHONE, content=lake())
    text = (await phone.until(lambda inbox: bool(inbox.texts))).texts[0]
    link = re.search(r"http://\S+", text)
    assert link is not None
    assert (await phone.open_link(link[0]))[0] == 200


def test_an_answer_that_never_came_says_why(tmp_path: Path) -> None:
    """The fault stands at an acknowledgement without data: what was asked arrived, and nothing came back."""
    request = smpp.encode(smpp.SubmitSm(sequence_number=1, destination_addr="1555", short_message=b"x"))
    get = b"GET /m/1 HTTP/1.1\r\nHost: a\r\n\r\n"
    ends, moment = ("127.0.0.1:5", "127.0.0.1:6"), 11_000_000
    captures = [
        CaptureRecord("smpp", Direction.OUT, "127.0.0.1:5", "127.0.0.1:6", 1_000_000, 0, 1, pieces=(request,)),
        CaptureRecord(
            "smpp", Direction.IN, *ends, moment, 0, 1, note="no response", fault="smsc-silence", pieces=(b"",)
        ),
        CaptureRecord("mm1", Direction.IN, "127.0.0.1:7", "127.0.0.1:8", 12_000_000, 0, 2, pieces=(get,)),
        CaptureRecord("mm1", Direction.OUT, "127.0.0.1:7", "127.0.0.1:8", 12_000_001, 0, 2, note="cut", pieces=(b"",)),
    ]
    shown = pcapng(Captured(one, one.octets, remarks=(one.fault or one.note,)) for one in captures)
    path = written(tmp_path / "lost.pcapng", shown)
    assert_clean(path)
    told = run("tshark", "-r", str(path), "-Y", "frame.comment", "-T", "fields", "-e", "tcp.len", "-e", "frame.comment")
    assert [line.split("\t")[0] for line in told.splitlines()] == [str(len(request)), "0", str(len(get)), "0"]
    assert "smsc-silence" in told
    assert "uplicate" not in run("tshark", "-r", str(path), "-q", "-z", "expert")
    assert run("tshark", "-r", str(path), "-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0").count("\n") == 2
