"""Whole stories, driven through real sockets, and the ladder that comes of each. With MMSC_RECORD_LADDERS=FOLDER their
events and captures are written there: `tests/trace/ladders`, on which the golden tests of rows, text and picture
stand."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mmsc.app import App
from mmsc.control.traffic import Traffic
from mmsc.faults.parameters import Setting
from mmsc.lab.handset import Fetching, Handset
from mmsc.settings.model import Deliveries, Node
from mmsc.settings.neighbours import SmscDelivery, VaspDelivery
from mmsc.trace.ladder import Wishes
from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.mm1 import MDeliveryInd, MNotificationInd, Status
from protocols.mm7 import StatusCode
from protocols.smpp import CommandStatus
from tests.scenarios.by_hand import ByHand
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE, Lab, open_lab
from tests.scenarios.test_fallback import get, link_of
from tests.scenarios.test_mm4 import FOREIGN, Two
from tests.scenarios.test_mm4 import two as two  # the fixture
from tests.trace.stories import Story, write

SOON = Deliveries(vasp=VaspDelivery(waits_seconds=(0.05,)), smsc=SmscDelivery(waits_seconds=(0.05,)))
TEXT = mime.OutPart(ContentType("text/plain", (("charset", "utf-8"),)), b"A storm comes on Friday.", "t", "t.txt")


def content() -> mime.OutPart:
    boundary = mime.choose_boundary((TEXT,), "inner")
    parameters = (("type", "text/plain"), ("boundary", boundary))
    return mime.OutPart(ContentType("multipart/mixed", parameters), mime.write_parts((TEXT,), boundary), "content")


async def told(app: App, name: str, done: Callable[[Traffic], bool], which: int = 0) -> Traffic:
    """The traffic of the first MM (or of another) once it is `done`; recorded where that is wanted."""
    control = app._control()
    async with asyncio.timeout(15):
        while True:
            [*rows] = await app.store.fetch("SELECT id FROM mm ORDER BY id")
            traffic = await control.traffic.of(int(str(rows[which][0]))) if len(rows) > which else None
            if traffic is not None and done(traffic):
                break
            await asyncio.sleep(0.02)
    folder = os.environ.get("MMSC_RECORD_LADDERS")
    if folder:
        write(Path(folder) / f"{name}.json", Story.of(traffic))
    return traffic


def names(traffic: Traffic, *, folds: bool = False) -> list[str]:
    found = traffic.ladder(Wishes(folds=folds, notes=False)).rows
    return [f"{row.name} {row.beneath}".strip() for row in found if row.source >= 0]


def body_of(traffic: Traffic, name: str) -> bytes:
    """The body of the first PDU with this name."""
    octets = next(one.octets for one in traffic.pdus if one.named.name == name)
    return octets.partition(b"\r\n\r\n")[2]


def kinds(traffic: Traffic) -> list[str]:
    return [event.kind for event in traffic.events]


def ended(number: int = 1) -> Callable[[Traffic], bool]:
    """So many reports were taken."""
    return lambda traffic: kinds(traffic).count("report.delivered") >= number


@asynccontextmanager
async def quick(folder: Path) -> AsyncIterator[Lab]:
    async with open_lab(folder, delivery=SOON, node=Node(name="lab-1")) as lab:
        yield lab


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Lab]:
    async with quick(tmp_path) as lab:
        yield lab


async def test_retrieved_and_reported(town: Lab) -> None:
    await town.phone(PHONE)
    await town.vasp.submit(PHONE, content=content(), subject="Storm warning, Friday")
    traffic = await told(town.app, "retrieved", ended())
    assert [one.partition(" /m/")[0] for one in names(traffic)] == [
        "SubmitReq",
        "submit_sm m-notification-ind",
        "GET",
        f"m-retrieve-conf {len(body_of(traffic, 'm-retrieve-conf'))} octets",
        "m-notifyresp-ind Retrieved",
        "DeliveryReportReq Retrieved",
    ]
    assert [one.name for one in traffic.ladder().columns] == ["news", "mmsc", "local", PHONE]
    assert all(row.answer is not None and not row.answer.failed for row in traffic.ladder().rows if row.number)


async def test_a_report_that_is_put_off_is_an_attempt_with_a_cross(town: Lab) -> None:
    later = mm7.Status(StatusCode.SERVICE_UNAVAILABLE, "Service unavailable")
    town.vasp.statuses = [later, later, mm7.Status(StatusCode.SUCCESS, "Success")]
    await town.phone(PHONE)
    await town.vasp.submit(PHONE, content=content())
    traffic = await told(town.app, "report-retried", ended())
    reports = [row for row in traffic.ladder().rows if row.name == "DeliveryReportReq"]
    assert [(row.attempt, row.attempts, row.failed) for row in reports] == [(1, 3, True), (2, 3, True), (3, 3, False)]
    assert reports[0].answer is not None
    assert reports[0].answer.text == "4006 Service unavailable"
    assert len({row.same for row in reports}) == 1


async def test_a_fault_of_ours_is_marked_where_it_bit(town: Lab) -> None:
    """The VASP took the report; its answer counts as HTTP 503, once, and the report comes again."""
    faults = town.app.control.faults
    assert faults is not None
    faults.set("mm7-vasp-http", Setting(status=503, times=1, operation="DeliveryReportReq"))
    await town.phone(PHONE)
    await town.vasp.submit(PHONE, content=content(), subject="Storm warning, Friday")
    traffic = await told(town.app, "report-fault", lambda one: ended()(one) and "fault.hit" in kinds(one))
    reports = [row for row in traffic.ladder().rows if row.name == "DeliveryReportReq"]
    assert [(row.fault, row.failed, row.attempt) for row in reports] == [("mm7-vasp-http", True, 1), ("", False, 2)]
    assert reports[0].answer is not None
    assert reports[0].answer.text == "HTTP 503 without a readable MM7 answer"
    assert reports[0].answer.detail.startswith("counts for 1000 Success")
    assert not [row for row in traffic.ladder().rows if row.icon == "bolt"]  # the pill says it


async def test_deferred_then_acknowledged(town: Lab) -> None:
    phone = await town.phone(PHONE, fetching=Fetching.DEFERRED)
    await town.vasp.submit(PHONE, content=content())
    inbox = await phone.until(lambda inbox: bool(inbox.notifications))
    assert await phone.fetch(inbox.notifications[0]) is not None
    traffic = await told(town.app, "deferred", ended())
    assert "m-notifyresp-ind Deferred" in names(traffic)
    assert "m-acknowledge-ind" in names(traffic)


async def test_rejected(town: Lab) -> None:
    await town.phone(PHONE, fetching=Fetching.REJECT)
    await town.vasp.submit(PHONE, content=content())
    traffic = await told(town.app, "rejected", ended())
    assert [row.state for row in traffic.ladder().rows if row.state] == ["accepted", "notified", "rejected"]


async def test_five_phones_share_a_column(town: Lab) -> None:
    numbers = [f"+1555010012{last}" for last in range(5)]
    for number in numbers:
        await town.phone(number)
    await town.vasp.submit(content=content(), to=tuple(map(mm7.Address, numbers)))
    traffic = await told(town.app, "five-phones", ended(5))
    assert [one.name for one in traffic.ladder().columns] == ["news", "mmsc", "local", "5 phones"]
    one = traffic.ladder(Wishes(recipient=numbers[2])).rows
    assert {row.recipient for row in one} <= {"", numbers[2]}
    assert [row.name for row in one].count("m-retrieve-conf") == 1


async def test_two_phones_have_their_own(town: Lab) -> None:
    await town.phone(PHONE)
    await town.phone(OTHER, fetching=Fetching.REJECT)
    await town.vasp.submit(PHONE, OTHER, content=content())
    traffic = await told(town.app, "two-phones", ended(2))
    assert [one.name for one in traffic.ladder().columns][:3] == ["news", "mmsc", "local"]
    assert {one.name for one in traffic.ladder().columns[3:]} == {PHONE, OTHER}


async def test_a_link_and_its_page(town: Lab) -> None:
    url = await link_of(town)
    assert (await get(url))[0] == 200
    assert (await get(f"{url}/part/1"))[0] == 200
    traffic = await told(town.app, "link", lambda one: ended()(one) and len(names(one)) >= 5)
    assert [one.partition("/w/")[0].strip() for one in names(traffic)][:3] == [
        "SubmitReq",
        "submit_sm SMS with link",
        "GET",
    ]
    assert OLD_PHONE in [one.name for one in traffic.ladder().columns]


async def test_the_smsc_throttles_and_fails(town: Lab) -> None:
    town.smsc.behaviour.statuses.extend([CommandStatus.ESME_RSYSERR, CommandStatus.ESME_RSYSERR])
    await town.phone(PHONE)
    await town.vasp.submit(PHONE, content=content())
    traffic = await told(town.app, "smsc-fails", ended())
    pushes = [row for row in traffic.ladder().rows if row.name == "submit_sm"]
    assert [row.failed for row in pushes] == [True, True, False]
    assert pushes[0].answer is not None
    assert pushes[0].answer.text == "ESME_RSYSERR"


async def test_the_same_submission_twice(town: Lab) -> None:
    await town.phone(PHONE)
    await town.vasp.submit(PHONE, content=content(), transaction_id="again")
    await told(town.app, "", ended())
    await town.vasp.submit(PHONE, content=content(), transaction_id="again")
    traffic = await told(town.app, "repeat", lambda one: "submission.repeated" in kinds(one))
    first, second = [row for row in traffic.ladder().rows if row.name == "SubmitReq"]
    assert (first.repeat_of, second.repeat_of) == ("", first.number)


async def test_from_phone_to_phone_and_days_later(town: Lab) -> None:
    """The clock of the lab is moved between the notification and the answer."""
    alice, bob = ByHand(town, PHONE), ByHand(town, OTHER)
    await alice.send(OTHER, subject="hello")
    notification = await bob.pushed(MNotificationInd)
    await bob.answer(notification, Status.DEFERRED)
    town.app.clock.step(3 * 3600 + 12 * 60)
    await bob.acknowledge(await bob.get(notification))
    await alice.pushed(MDeliveryInd)
    traffic = await told(town.app, "phone-to-phone", ended())
    assert [one.name for one in traffic.ladder().columns] == [PHONE, "mmsc", "local", OTHER]
    assert names(traffic)[:2] == ["m-send-req", "submit_sm m-notification-ind"]
    assert names(traffic)[-1] == "submit_sm m-delivery-ind"
    assert any("clock jumped" in row.text for row in traffic.ladder().rows)


async def test_across_mm4_and_back(two: Two) -> None:
    phone: Handset = await two.phone(FOREIGN)
    await two.vasp.submit(FOREIGN, content=content(), subject="Storm warning, Friday")
    traffic = await told(two.home, "mm4-out", ended())
    await phone.until(lambda inbox: bool(inbox.messages))
    assert names(traffic)[0] == "SubmitReq"
    assert "MM4_forward.REQ" in names(traffic)
    assert any(one.startswith("MM4_delivery_report.REQ Retrieved") for one in names(traffic))
    assert [one.name for one in traffic.ladder().columns] == ["news", "mmsc", "other"]
    far = await told(two.other, "mm4-in", ended())
    assert [one.name for one in far.ladder().columns][:2] == ["home", "mmsc"]
    assert names(far)[0] == "MM4_forward.REQ"
