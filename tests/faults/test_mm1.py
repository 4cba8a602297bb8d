"""MM1, pushes and the web link gone wrong on purpose, and what handsets make of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mmsc.faults.parameters import Setting
from mmsc.lab.handset_behaviour import behaviours_of
from mmsc.trace.captures import Direction
from protocols import mm1
from protocols.mm1 import ResponseStatus
from protocols.wsp.push import decode_push
from tests.faults.world import faulty_lab, hits, in_state, marked, one_hit, until
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE, Lab, picture


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with faulty_lab(tmp_path) as lab:
        yield lab


async def test_a_submission_is_answered_with_a_status_and_not_taken(lab: Lab) -> None:
    phone = await lab.phone(OTHER)
    lab.app.faults.set("mm1-send-status", Setting(status="Error-transient-network-problem", number=OTHER, text="busy"))
    conf = await phone.send([PHONE], [])
    assert conf.response_status is ResponseStatus.ERROR_TRANSIENT_NETWORK_PROBLEM
    assert conf.response_text == "busy"
    assert await lab.app.store.fetch_one("SELECT 1 FROM mm") is None
    _, hit = await one_hit(lab, "mm1-send-status")
    assert (hit.operation, hit.number) == ("m-send-req", OTHER)


async def test_a_retrieval_is_refused_and_the_mm_stays(lab: Lab) -> None:
    """The handset is told why; the next GET brings the MM."""
    phone = await lab.phone(PHONE, behaviours=behaviours_of("deferred"))
    lab.app.faults.set("mm1-retrieve-status", Setting(status="Error-transient-failure", times=1))
    await lab.vasp.submit(PHONE, content=picture())
    notification = (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0]
    await phone.fetch(notification)
    mm_id, hit = await one_hit(lab, "mm1-retrieve-status")
    assert mm_id is not None
    assert (hit.operation, hit.number) == ("GET", PHONE)
    (answer,) = marked(lab, "mm1-retrieve-status")
    assert (answer.mm_id, answer.direction) == (mm_id, Direction.OUT)
    conf = mm1.decode(answer.octets.partition(b"\r\n\r\n")[2]).message
    assert isinstance(conf, mm1.MRetrieveConf)
    assert conf.retrieve_status is mm1.RetrieveStatus.ERROR_TRANSIENT_FAILURE
    assert await lab.app.store.fetch_one("SELECT 1 FROM event WHERE kind = 'mm.fetched'") is None
    await phone.fetch(notification)
    await in_state(lab, PHONE, "retrieved")


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("mm1-get-cut", Setting(octets=500, times=1)),
        ("mm1-get-silence", Setting(times=1)),
        ("mm1-http", Setting(status=502, times=1)),
    ],
)
async def test_a_get_that_fails_is_no_retrieval_and_comes_again(lab: Lab, name: str, setting: Setting) -> None:
    await lab.phone(PHONE, behaviours=behaviours_of("immediate+retry=2"))
    lab.app.faults.set(name, setting)
    await lab.vasp.submit(PHONE, content=picture())
    await in_state(lab, PHONE, "retrieved")
    assert lab.app.faults.bitten(name).hits == 1
    rows = await lab.app.store.fetch("SELECT 1 FROM event WHERE kind = 'mm.fetched'")
    assert len(rows) == 1


async def test_a_slow_answer_arrives_whole(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    lab.app.faults.set("mm1-slow", Setting(octets=20_000))
    await lab.vasp.submit(PHONE, content=picture())
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    assert any(bytes(range(256)) * 20 == inbox.messages[0].octets_of(part) for part in inbox.messages[0].parts)


async def test_garbage_and_a_wrong_type(lab: Lab) -> None:
    phone = await lab.phone(PHONE, behaviours=behaviours_of("deferred"))
    await lab.vasp.submit(PHONE)
    await in_state(lab, PHONE, "deferred")
    lab.app.faults.set("mm1-garbage", Setting(times=1))
    lab.app.faults.set("mm1-type", Setting(times=1, text="text/html"))
    for _ in range(2):
        await phone.fetch(phone.inbox.notifications[0])
    await until(lambda: not lab.app.faults.active())
    (garbage,) = marked(lab, "mm1-garbage")
    assert garbage.octets.endswith(b"\xc0")
    assert b"Content-Type: text/html\r\n" in marked(lab, "mm1-type")[0].octets


async def test_a_lost_acknowledgement_is_a_second_answer(lab: Lab) -> None:
    """The handset thinks that it told; to the MMSC it never answered."""
    await lab.phone(PHONE)
    lab.app.faults.set("mm1-ack-lost")
    await lab.vasp.submit(PHONE)
    mm_id, _ = await one_hit(lab, "mm1-ack-lost")
    assert mm_id is not None
    await in_state(lab, PHONE, "notified")
    assert lab.app.captures is not None
    [reply] = marked(lab, "mm1-ack-lost")
    assert reply.exchange in {one.exchange for one in lab.app.captures.of_mm(mm_id) if one.direction is Direction.IN}


async def test_pushes_that_are_lost_doubled_late_and_wrong(lab: Lab) -> None:
    faults = lab.app.faults
    faults.set("mm1-notification-lost", Setting(times=1))
    await lab.vasp.submit(PHONE)
    mm_id, hit = await one_hit(lab, "mm1-notification-lost")
    assert mm_id is not None
    assert (hit.neighbour, hit.number, hit.operation) == ("local", PHONE, "m-notification-ind")
    await in_state(lab, PHONE, "notified")
    assert len(lab.smsc.submitted) == 0
    for name in ("mm1-notification-size", "mm1-notification-url", "mm1-notification-twice", "mm1-notification-late"):
        faults.set(name, Setting(times=1))
    faults.set("mm1-notification-late", Setting(times=1, seconds=0.1))
    told = []
    for _ in range(4):
        await lab.vasp.submit(PHONE)
        told.append((await lab.smsc.expect()).push)
    again = (await lab.smsc.expect()).push
    notifications = [_notification(push) for push in (*told, again)]
    assert notifications[0].message_size == 1
    assert notifications[1].content_location == "http://127.0.0.1:9/m/nowhere"
    ids = [one.transaction_id for one in notifications]
    assert len(set(ids[2:])) == 2, "one of the last three came twice"
    for name, times in (("mm1-notification-size", 1), ("mm1-notification-url", 1), ("mm1-notification-twice", 2)):
        assert [one.direction for one in marked(lab, name)] == [Direction.OUT] * times
    await until(lambda: not faults.active())


async def test_the_only_fault_bites_once_and_is_marked(lab: Lab) -> None:
    """It is off before its PDU leaves, for it was to bite once."""
    lab.app.faults.set("mm1-notification-size", Setting(times=1, octets=7))
    await lab.vasp.submit(PHONE)
    assert _notification((await lab.smsc.expect()).push).message_size == 7
    assert lab.app.faults.active() == ()
    assert [one.direction for one in marked(lab, "mm1-notification-size")] == [Direction.OUT]


def _notification(push: Any) -> mm1.MNotificationInd:
    pdu = mm1.decode(decode_push(push).data).message
    assert isinstance(pdu, mm1.MNotificationInd)
    return pdu


async def test_a_page_that_is_not_found(lab: Lab) -> None:
    lab.app.faults.set("weblink-http", Setting(times=1))
    texts: list[str] = []

    async def heard(text: str) -> None:
        texts.append(text)

    async def nothing(_: bytes) -> None:
        return

    lab.smsc.register(OLD_PHONE, nothing, heard)
    await lab.vasp.submit(OLD_PHONE)
    await in_state(lab, OLD_PHONE, "link_sent")
    await until(lambda: texts)
    url = texts[0].split()[-1]
    async with aiohttp.ClientSession(headers={"User-Agent": "Mozilla/5.0"}) as session:
        async with session.get(url) as answer:
            assert answer.status == 404
        mm_id, _ = await one_hit(lab, "weblink-http")
        assert mm_id is not None
        async with session.get(url) as answer:
            assert answer.status == 200
    assert len(await hits(lab, "weblink-http")) == 1


async def test_what_is_thought_of_a_handset(lab: Lab) -> None:
    lab.app.faults.set("capability-verdict", Setting(state="incapable", number=PHONE))
    await lab.vasp.submit(PHONE)
    await in_state(lab, PHONE, "link_sent")
    row = await lab.app.store.fetch_one("SELECT data FROM event WHERE kind = 'link.sent'")
    assert row is not None
    assert "fault capability-verdict" in str(row[0])
    mm_id, _ = await one_hit(lab, "capability-verdict")
    assert await lab.app.store.fetch_one("SELECT id FROM mm") == (mm_id,)


async def test_a_short_validity_ends_an_mm(lab: Lab) -> None:
    lab.app.faults.set("mm-validity", Setting(seconds=0.3, vasp="news"))
    await lab.phone(PHONE, behaviours=behaviours_of("never"))
    await lab.vasp.submit(PHONE)
    await in_state(lab, PHONE, "expired")
    assert str((await lab.vasp.report()).mm_status) == "Expired"
    mm_id, hit = await one_hit(lab, "mm-validity")
    assert mm_id is not None
    assert (hit.number, hit.neighbour) == (PHONE, "news")
