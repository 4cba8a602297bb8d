"""`mmsc handset`: a handset at the shell, against a small MMSC over real sockets, and against ours."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from mmsc.cli.group import main
from mmsc.cli.handset import command
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import (
    Flagged,
    Indexed,
    MAcknowledgeInd,
    MDeleteConf,
    MDeleteReq,
    MForwardConf,
    MForwardReq,
    MMboxDeleteConf,
    MMboxDeleteReq,
    MMboxDescr,
    MMboxStoreConf,
    MMboxStoreReq,
    MMboxUploadConf,
    MMboxUploadReq,
    MMboxViewConf,
    MMboxViewReq,
    MmState,
    MNotifyRespInd,
    Moment,
    MReadRecInd,
    MSendConf,
    MSendReq,
    Pdu,
    ResponseStatus,
    Status,
    StoreStatus,
)
from protocols.wsp.multipart import Part, encode_multipart, index_multipart
from protocols.wsp.push import MMS_MESSAGE
from tests.lab.conftest import MIXED, NUMBER, FakeMmsc, fake_mmsc

OK = ResponseStatus.OK
DENIED = ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED
PLACE = "http://mmsc.example/b/1"


@pytest.fixture
async def mmsc() -> AsyncIterator[FakeMmsc]:
    async with fake_mmsc() as one:
        yield one


async def run(*arguments: str, mmsc: FakeMmsc | None = None) -> Result:
    """The command, beside the loop that the MMSC runs on."""
    where = ["--mmsc", mmsc.url, "--number", NUMBER] if mmsc is not None else []
    return await asyncio.to_thread(CliRunner().invoke, main, ["handset", *arguments, *where])


def send_conf(status: ResponseStatus = OK, **fields: Any) -> Callable[[Pdu], Pdu]:
    return lambda pdu: MSendConf(transaction_id=pdu.transaction_id, response_status=status, **fields)  # type: ignore[attr-defined]


async def test_an_mm_is_sent_with_every_field(mmsc: FakeMmsc, tmp_path: Path) -> None:
    mmsc.confs[MSendReq] = send_conf(message_id="ab12@mmsc.example")
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"JPEG")
    told = await run(
        *("send", "--to", "+15550100456", "--cc", "a@b.example", "--bcc", "4488", "--text", "Hello", str(file)),
        *("--subject", "Lake", "--class", "personal", "--priority", "high", "--expiry", "in 2h", "--hide"),
        *("--delivery-time", "2026-12-24T18:00:00Z", "--date", "2026-11-27T00:00:00Z", "--delivery-report"),
        *("--no-read-report", "--reply-charging", "text-only", "--reply-deadline", "PT1H", "--reply-size", "900"),
        *("--reply-to", "old@mmsc.example", "--store", "--state", "draft", "--flag", "family", "--drm"),
        *("--content-class", "image-basic", "--no-adaptation-allowed", "--applic-id", "a", "--reply-applic-id", "b"),
        *("--aux-applic-info", "c", "--mms-version", "1.3", "--from", NUMBER, "--transaction-id", "T1"),
        mmsc=mmsc,
    )
    assert told.output == "m-send-conf: Ok; Message-ID ab12@mmsc.example\n"
    assert told.exit_code == 0
    (sent,) = mmsc.pdus()
    assert isinstance(sent, MSendReq)
    assert [one.content_location for one in index_multipart(sent.body)] == ["slides.smil", "photo.jpg", "text.txt"]
    assert sent.content_type is not None
    assert sent.content_type.media_type == "application/vnd.wap.multipart.related"
    assert sent.content_type.get("start") == "<smil>"
    wanted = {
        "transaction_id": "T1",
        "mms_version": 0x13,
        "from_": f"{NUMBER}/TYPE=PLMN",
        "to": ("+15550100456/TYPE=PLMN",),
        "cc": ("a@b.example",),
        "bcc": ("4488",),
        "subject": "Lake",
        "date": 1795737600,
        "message_class": mm1.MessageClass.PERSONAL,
        "priority": mm1.Priority.HIGH,
        "expiry": Moment(7200),
        "delivery_time": Moment(1798135200, relative=False),
        "sender_visibility": mm1.SenderVisibility.HIDE,
        "delivery_report": True,
        "read_report": False,
        "reply_charging": mm1.ReplyCharging.REQUESTED_TEXT_ONLY,
        "reply_charging_deadline": Moment(3600),
        "reply_charging_size": 900,
        "reply_charging_id": "old@mmsc.example",
        "store": True,
        "mm_state": (MmState.DRAFT,),
        "mm_flags": (Flagged(0x80, "family"),),
        "drm_content": True,
        "content_class": mm1.ContentClass.IMAGE_BASIC,
        "adaptation_allowed": False,
        "applic_id": "a",
        "reply_applic_id": "b",
        "aux_applic_info": "c",
    }
    assert {name: getattr(sent, name) for name in wanted} == wanted


async def test_what_is_not_said_is_left_out(mmsc: FakeMmsc) -> None:
    mmsc.confs[MSendReq] = send_conf()
    await run("send", "--to", "4488", "--text", "Hi", "--smil", "none", mmsc=mmsc)
    (sent,) = mmsc.pdus()
    assert isinstance(sent, MSendReq)
    given = MSendReq(transaction_id=sent.transaction_id, from_=mm1.INSERT_ADDRESS, to=("4488",), content_type=MIXED)
    assert mm1.encode_head(sent) == mm1.encode_head(given)


async def test_a_refusal_is_told_in_words(mmsc: FakeMmsc) -> None:
    mmsc.confs[MSendReq] = send_conf(DENIED, response_text="not\x1b you")
    told = await run("send", "--to", "4488", "--text", "Hi", mmsc=mmsc)
    assert told.exit_code == 1
    assert told.output == "Error: m-send-conf: Error-permanent-service-denied; not\\x1b you\n"
    as_json = await run("send", "--to", "4488", "--text", "Hi", "--json", mmsc=mmsc)
    assert json.loads(as_json.stdout)["X-Mms-Response-Status"] == "Error-permanent-service-denied"


async def test_no_answer_is_another_status(mmsc: FakeMmsc) -> None:
    arguments = ("send", "--to", "4488", "--text", "Hi")
    mmsc.confs[MSendReq] = 503
    assert (await run(*arguments, mmsc=mmsc)).exit_code == 3
    mmsc.confs[MSendReq] = 403
    refused = await run(*arguments, mmsc=mmsc)
    assert (refused.exit_code, "HTTP 403 instead of an m-send-conf: as told" in refused.output) == (1, True)
    nobody = await run(*arguments, "--number", NUMBER, "--mmsc", "http://127.0.0.1:1/")
    assert nobody.exit_code == 3
    assert "http://127.0.0.1:1/: nobody takes connections at 127.0.0.1:1 (Connection refused)" in nobody.output


async def test_what_does_not_speak_http_is_told_in_words(mmsc: FakeMmsc) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as mail:
        url = f"http://127.0.0.1:{mail.sockets[0].getsockname()[1]}/"
        told = await run("send", "--to", "4488", "--number", NUMBER, "--mmsc", url)
    assert told.exit_code == 3
    assert told.output == f"Error: {url}: what listens there does not speak HTTP\n"


async def test_what_the_version_has_no_words_for_is_noted(mmsc: FakeMmsc) -> None:
    mmsc.confs[MSendReq] = send_conf()
    told = await run("send", "--to", "4488", "--text", "x", "--store", "--profile", "lab-1.0", mmsc=mmsc)
    assert "note: left out, for they came after version 1.0: store" in told.output
    assert told.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("send", "--text", "x"), "name at least one recipient"),
        (("forward", PLACE), "name at least one recipient"),
        (("send", "--to", "a\nb"), "is no address"),
        (("send", "--to", "4488", "--expiry", "soon"), "is no time"),
        (("send", "--to", "4488", "--expiry", "-PT5S"), "ahead, such as 'in 2h'"),
        (("send", "--to", "4488", "--profile", "iron"), "'iron' is no profile; there are lab"),
        (("send", "--to", "4488", "--proxy", "gateway"), "is no HOST:PORT"),
        (("send", "--to", "4488", "nose.jpg"), "there is no file 'nose.jpg'"),
        (("fetch", "mmsc.example"), "is no http://HOST:PORT/PATH"),
        (("listen",), "say how pushes arrive"),
        ((), "say how pushes arrive"),
        (("listen", "--push", "nose"), "is neither a file nor hex"),
        (("listen", "--push", "8c82", "--behaviour", "later"), "'later' is none of immediate"),
        (("mbox", "view", "--attribute", "Nose"), "is no field of MM1"),
        (("mbox", "delete"), "Missing argument"),
    ],
)
async def test_wrong_usage_is_told(mmsc: FakeMmsc, arguments: tuple[str, ...], words: str) -> None:
    told = await run(*arguments, mmsc=mmsc)
    assert told.exit_code == 2
    assert words in " ".join(told.output.split())
    assert mmsc.heard == []


async def test_a_number_must_be_given_and_be_one() -> None:
    assert "Missing option '--number'" in (await run("send", "--to", "4488")).output
    assert "is no number such as" in (await run("send", "--to", "4488", "--number", "nose")).output


async def test_an_mm_is_fetched_acknowledged_and_saved(mmsc: FakeMmsc, tmp_path: Path) -> None:
    parts = [
        Part(ContentType("image/jpeg"), b"JPEG", "i", "../../etc/pass wd.jpg"),
        Part(ContentType("text/plain"), b"hi\x1b", "t"),
    ]
    mmsc.offer(subject="Lake", body=encode_multipart(parts))
    folder = tmp_path / "in"
    told = await run("fetch", f"{mmsc.url}m/m1", "--save", str(folder), mmsc=mmsc)
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[0].endswith("id-1@mmsc.example, image/jpeg 4, 'hi\\x1b'")
    assert sorted(one.name for one in folder.iterdir()) == [
        "0001-1-pass_wd.jpg",
        "0001-2-t.txt",
        "0001-m-retrieve-conf.mms",
    ]
    assert (folder / "0001-m-retrieve-conf.mms").read_bytes() == mmsc.files["/m/m1"]
    assert mmsc.pdus() == [MAcknowledgeInd(transaction_id="R1")]


async def test_a_fetch_that_answers_the_notification_or_nobody(mmsc: FakeMmsc) -> None:
    mmsc.offer()
    await run("fetch", f"{mmsc.url}m/m1", "--no-answer", mmsc=mmsc)
    told = await run("fetch", f"{mmsc.url}m/m1", "--notification", "N1", "--json", mmsc=mmsc)
    assert json.loads(told.stdout)["parts"][0]["octets"] == 5
    assert mmsc.pdus() == [MNotifyRespInd(transaction_id="N1", status=Status.RETRIEVED)]


async def test_an_mm_that_is_not_there(mmsc: FakeMmsc) -> None:
    told = await run("fetch", f"{mmsc.url}m/none", mmsc=mmsc)
    assert told.exit_code == 1
    assert "m/none: HTTP 404" in told.output
    assert "Error: there is no MM" in told.output


async def test_forward_delete_and_read(mmsc: FakeMmsc) -> None:
    mmsc.confs[MForwardReq] = lambda pdu: MForwardConf(
        transaction_id=pdu.transaction_id, response_status=OK, message_id="m2"
    )
    statuses = (Indexed(0, OK), Indexed(1, ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND))
    mmsc.confs[MDeleteReq] = lambda pdu: MDeleteConf(
        transaction_id=pdu.transaction_id, response_statuses=statuses, content_locations=(Indexed(1, PLACE),)
    )
    forwarded = await run("forward", PLACE, "--to", "+15550100789", "--no-report-allowed", mmsc=mmsc)
    assert forwarded.output == "m-forward-conf: Ok; Message-ID m2\n"
    deleted = await run("delete", PLACE + "0", PLACE, mmsc=mmsc)
    assert deleted.output == f"Error: m-delete-conf: Ok; Error-permanent-message-not-found {PLACE}\n"
    assert deleted.exit_code == 1
    read = await run("read", "ab12@mmsc.example", "--to", "+15550100456", "--deleted", mmsc=mmsc)
    assert read.output == "taken\n"
    forward, _, report = mmsc.pdus()
    assert isinstance(forward, MForwardReq)
    assert (forward.report_allowed, forward.content_location) == (False, PLACE)
    assert isinstance(report, MReadRecInd)
    mmsc.confs[MReadRecInd] = 500
    assert (await run("read", "ab12@mmsc.example", "--to", "+15550100456", mmsc=mmsc)).exit_code == 1


async def test_what_is_in_the_mmbox(mmsc: FakeMmsc) -> None:
    description = MMboxDescr(
        content_location=PLACE,
        mm_state=(MmState.NEW,),
        mm_flags=(Flagged(0x80, "family"),),
        from_="+1/TYPE=PLMN",
        subject="Lake",
        message_size=1234,
    )
    body = encode_multipart([Part(ContentType(MMS_MESSAGE), mm1.encode(description))])
    mmsc.confs[MMboxViewReq] = lambda pdu: MMboxViewConf(
        transaction_id=pdu.transaction_id,
        response_status=OK,
        mbox_totals=(Flagged(0x80, 3), Flagged(0x81, 9000)),
        content_type=MIXED,
        body=body,
    )
    arguments = ("--state", "new", "--flag", "family", "--limit", "5", "--attribute", "subject", "--content")
    told = await run("mbox", "view", *arguments, "--totals", mmsc=mmsc)
    assert told.output.splitlines() == [
        "m-mbox-view-conf: Ok",
        f"{PLACE}  New  #family  from +1/TYPE=PLMN  'Lake'  1,234 octets",
        "totals: 3 messages, 9000 octets",
    ]
    (asked,) = mmsc.pdus()
    assert isinstance(asked, MMboxViewReq)
    assert (asked.mm_state, asked.attributes, asked.limit) == ((MmState.NEW,), (0x16, 0x2E), 5)
    as_json = json.loads((await run("mbox", "view", "--json", mmsc=mmsc)).stdout)
    assert as_json["found"][0]["Subject"] == "Lake"
    assert as_json["found"][0]["X-Mms-Message-Size"] == 1234
    assert as_json["conf"]["X-Mms-Mbox-Totals"] == [{"messages": 3}, {"octets": 9000}]


async def test_an_mmbox_that_takes_and_one_that_is_full(mmsc: FakeMmsc) -> None:
    full = StoreStatus.ERROR_PERMANENT_MMBOX_FULL
    mmsc.confs[MMboxStoreReq] = lambda pdu: MMboxStoreConf(transaction_id=pdu.transaction_id, store_status=full)
    mmsc.confs[MMboxUploadReq] = lambda pdu: MMboxUploadConf(
        transaction_id=pdu.transaction_id, store_status=StoreStatus.SUCCESS, content_location=PLACE
    )
    mmsc.confs[MMboxDeleteReq] = lambda pdu: MMboxDeleteConf(
        transaction_id=pdu.transaction_id, response_statuses=(Indexed(0, OK),)
    )
    stored = await run("mbox", "store", PLACE, "--state", "draft", "--add", "a", "--remove", "b", mmsc=mmsc)
    assert (stored.exit_code, stored.output) == (1, "Error: m-mbox-store-conf: Error-permanent-mmbox-full\n")
    uploaded = await run("mbox", "upload", "--to", "+15550100456", "--text", "Draft", "--flag", "a", mmsc=mmsc)
    assert uploaded.output == f"m-mbox-upload-conf: Success; Content-Location {PLACE}\n"
    deleted = await run("mbox", "delete", PLACE, mmsc=mmsc)
    assert deleted.output == "m-mbox-delete-conf: Ok\n"
    store = mmsc.pdus()[0]
    assert isinstance(store, MMboxStoreReq)
    assert store.mm_flags == (Flagged(0x80, "a"), Flagged(0x81, "b"))


async def test_an_mmsc_without_an_mmbox_says_so(mmsc: FakeMmsc) -> None:
    """OMA-TS-MMS_ENC 7.3.48: what an MMSC does not offer."""
    mmsc.confs[MMboxViewReq] = send_conf(ResponseStatus.ERROR_UNSUPPORTED_MESSAGE)
    told = await run("mbox", "view", mmsc=mmsc)
    assert told.exit_code == 1
    assert "m-send-conf (Error-unsupported-message) instead of m-mbox-view-conf" in told.output


def _commands(group: click.Group) -> list[tuple[click.Command, str]]:
    context = click.Context(group, info_name="mmsc handset")
    found: list[tuple[click.Command, str]] = []
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        assert one is not None
        found.append((one, name))
        if isinstance(one, click.Group):
            found += _commands(one)
    return found


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for one, name in _commands(command)])
def test_every_command_explains_itself(one: click.Command) -> None:
    told = CliRunner().invoke(one, ["--help"]).output
    assert len(told.split()) > 10
    assert "Examples:" in told
