"""MM7 gone wrong on purpose: what VASPs are answered, what they are sent, and what an honest client makes of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from mmsc.faults import wrong_mm7
from mmsc.faults.parameters import Setting
from mmsc.ids import to_text
from mmsc.trace.captures import Direction
from protocols import mm7
from protocols.errors import DecodeError
from protocols.mm7 import DeliveryReportReq, Fault, SubmitRsp
from tests.faults.world import faulty_lab, hits, in_state, marked, one_hit, posted, said, until
from tests.scenarios.conftest import OTHER, PHONE, Lab


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with faulty_lab(tmp_path) as lab:
        yield lab


async def stored(lab: Lab) -> int:
    row = await lab.app.store.fetch_one("SELECT COUNT(*) FROM mm")
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


async def test_a_status_is_answered_and_nothing_is_taken(lab: Lab) -> None:
    lab.app.faults.set("mm7-submit-status", Setting(status=4006, text="Come back later", vasp="news"))
    answer = said(await posted(lab, PHONE, transaction_id="t7"))
    assert isinstance(answer.message, SubmitRsp)
    assert (answer.transaction_id, answer.message.status.code, answer.message.status.text) == (
        "t7",
        4006,
        "Come back later",
    )
    assert await stored(lab) == 0
    _, hit = await one_hit(lab, "mm7-submit-status")
    assert (hit.neighbour, hit.number, hit.operation, hit.interface) == ("news", PHONE, "SubmitReq", "mm7")
    (answer_captured,) = marked(lab, "mm7-submit-status")
    assert (answer_captured.direction, answer_captured.neighbour, answer_captured.transaction_id) == (
        Direction.OUT,
        "news",
        "t7",
    )


async def test_whom_it_is_not_meant_for_is_served(lab: Lab) -> None:
    lab.app.faults.set("mm7-submit-status", Setting(number=OTHER))
    message = said(await posted(lab, PHONE)).message
    assert isinstance(message, SubmitRsp)
    assert message.status.code == 1000
    assert await hits(lab, "mm7-submit-status") == []


async def test_partial_success_is_told_of_an_mm_that_was_taken(lab: Lab) -> None:
    lab.app.faults.set("mm7-submit-status", Setting(status=1100))
    message = said(await posted(lab, PHONE)).message
    assert isinstance(message, SubmitRsp)
    assert (message.status.code, message.status.text) == (1100, "Partial success")
    assert message.message_id
    mm_id, _ = await one_hit(lab, "mm7-submit-status")
    assert mm_id is not None
    assert await stored(lab) == 1


async def test_a_fault_and_a_bare_status(lab: Lab) -> None:
    lab.app.faults.set("mm7-submit-fault", Setting(status=3000, times=1))
    answer = await posted(lab, PHONE)
    message = said(answer).message
    assert isinstance(message, Fault)
    assert (answer[0], message.status.code) == (500, 3000)
    lab.app.faults.set("mm7-submit-http", Setting(status=503))
    assert await posted(lab, PHONE) == (503, "", b"")
    assert await stored(lab) == 0


async def test_a_connection_that_is_cut_before_anything_is_taken(lab: Lab) -> None:
    lab.app.faults.set("mm7-submit-refuse")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await posted(lab, PHONE)
    assert await stored(lab) == 0


async def test_a_lost_answer_is_repeated_and_recognised(lab: Lab) -> None:
    """The answer to the first is lost behind its commit; the same request again gets the stored answer."""
    await lab.phone(PHONE)
    lab.app.faults.set("mm7-submit-silence", Setting(each=1))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await posted(lab, PHONE)
    message = said(await posted(lab, PHONE)).message
    assert isinstance(message, SubmitRsp)
    assert message.status.code == 1000
    await in_state(lab, PHONE, "retrieved")
    assert await stored(lab) == 1
    mm_id, _ = await one_hit(lab, "mm7-submit-silence")
    assert message.message_id.startswith(str(await _message_id(lab, mm_id)))


async def _message_id(lab: Lab, mm_id: int | None) -> str:
    assert mm_id is not None
    return to_text(mm_id)


async def test_an_answer_that_is_cut_garbled_empty_or_about_something_else(lab: Lab) -> None:
    faults = lab.app.faults
    faults.set("mm7-submit-cut", Setting(octets=100, times=1))
    with pytest.raises(aiohttp.ClientPayloadError):
        await posted(lab, PHONE, transaction_id="cut")
    faults.set("mm7-submit-garbage", Setting(times=1))
    answer = await posted(lab, PHONE, transaction_id="garbage")
    with pytest.raises(DecodeError):
        said(answer)
    faults.set("mm7-submit-empty", Setting(times=1))
    assert await posted(lab, PHONE, transaction_id="empty") == (200, "", b"")
    faults.set("mm7-submit-transaction", Setting(times=1))
    answer = await posted(lab, PHONE, transaction_id="mine")
    assert said(answer).transaction_id == wrong_mm7.OTHER_TRANSACTION.decode()
    faults.set("mm7-submit-type", Setting(times=1))
    assert (await posted(lab, PHONE, transaction_id="type"))[1] == "text/plain"
    assert await stored(lab) == 5
    assert faults.active() == ()


async def test_a_silent_server_delivers_all_the_same(lab: Lab) -> None:
    """The answer never comes while the connection stays open; the MM goes its way."""
    await lab.phone(PHONE)
    lab.app.faults.set("mm7-submit-hang", Setting(seconds=60))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await posted(lab, PHONE)
    await in_state(lab, PHONE, "retrieved")


async def test_a_report_that_is_not_understood_comes_again(lab: Lab) -> None:
    """HTTP 503, no answer, and an answer that nobody can read: each is a failed attempt with the same TransactionID."""
    for name in ("mm7-vasp-empty", "mm7-vasp-http", "mm7-vasp-silence", "mm7-vasp-garbage"):
        lab.app.faults.set(name, Setting(operation="DeliveryReportReq", times=1))
    await lab.phone(PHONE)
    await lab.vasp.submit(PHONE)
    for _ in range(5):
        assert isinstance(await lab.vasp.report(), DeliveryReportReq)
    assert len(set(lab.vasp.report_ids)) == 1
    mm_id, hit = await one_hit(lab, "mm7-vasp-http")
    assert mm_id is not None
    assert (hit.neighbour, hit.operation, hit.number) == ("news", "DeliveryReportReq", PHONE)
    assert [one.mm_id for one in marked(lab, "mm7-vasp-http")] == [mm_id, mm_id]  # the request and its answer


async def test_a_status_of_the_vasp_ends_its_report(lab: Lab) -> None:
    lab.app.faults.set("mm7-vasp-status", Setting(status=2005))
    await lab.phone(PHONE)
    await lab.vasp.submit(PHONE)
    await lab.vasp.report()
    kind = "SELECT data FROM event WHERE kind = 'task.given_up'"
    row = await until(lambda: lab.app.store.fetch_one(kind))
    assert "2005 Success" in str(row[0]) or "2005" in str(row[0])


async def test_reports_that_are_lost_forgotten_doubled_and_spoilt(lab: Lab) -> None:
    faults = lab.app.faults
    await lab.phone(PHONE)
    faults.set("mm7-request-never", Setting(times=1))
    await lab.vasp.submit(PHONE)
    row = await until(lambda: lab.app.store.fetch_one("SELECT 1 FROM event WHERE kind = 'report.delivered'"))
    assert row is not None
    assert lab.vasp.reports.empty()
    faults.set("mm7-request-twice", Setting(times=1))
    await lab.vasp.submit(PHONE)
    await lab.vasp.report()
    await lab.vasp.report()
    assert lab.vasp.report_ids[-1] == lab.vasp.report_ids[-2]
    faults.set("mm7-request-lost", Setting(times=1))
    await lab.vasp.submit(PHONE)
    await lab.vasp.report()
    assert faults.bitten("mm7-request-lost").hits == 1


async def test_what_is_spoilt_on_its_way_to_the_vasp(lab: Lab) -> None:
    """Another type, broken XML, and half a body behind a Content-Length of the whole."""
    await lab.phone(PHONE)
    sent: dict[str, bytes] = {}
    for name in ("mm7-request-type", "mm7-request-corrupt", "mm7-request-cut"):
        lab.app.faults.set(name, Setting(times=1))
        await lab.vasp.submit(PHONE)
        await one_hit(lab, name)
        await lab.vasp.report()
        sent[name] = next(one.octets for one in marked(lab, name) if one.direction is Direction.OUT)
    assert b"Content-Type: text/plain\r\n" in sent["mm7-request-type"]
    assert b"<x" in sent["mm7-request-corrupt"]
    head, _, body = sent["mm7-request-cut"].partition(b"\r\n\r\n")
    assert len(body) == 200
    assert int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]) > 200
    assert wrong_mm7.unclosed(b"<a></a>") == b"<a><xa>"


def test_statuses_are_changed_in_any_dialect() -> None:
    body = b"<x:Status><x:StatusCode>1000</x:StatusCode><x:StatusText>Success</x:StatusText></x:Status>"
    changed = wrong_mm7.with_status(body, 4006)
    assert changed == body.replace(b"1000", b"4006").replace(b"Success", mm7.StatusCode(4006).text.encode())
    assert wrong_mm7.with_status(body, 1000, "a < b & c").count(b"a &lt; b &amp; c") == 1
    assert wrong_mm7.not_well_formed(b"<env:Envelope><env:Body><SubmitRsp/>") == b"<env:Envelope><env:Body>"
