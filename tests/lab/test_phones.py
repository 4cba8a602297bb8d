"""The phones of a lab against a whole MMSC: what each behaviour does on MM1 and SMPP, and what the other side sees."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmsc.lab.handset_behaviour import Fetching
from mmsc.lab.phones import Draft, Item, Kind, Phone, PhoneRefuses, PhoneSettings, ReadReports, State, items
from mmsc.lab.phones.items import Box
from mmsc.net.turns import settle
from protocols import mm7
from tests.console.phone_lab import PhoneLab, phone_lab, storm
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE

SETTLE_SECONDS = 20


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[PhoneLab]:
    async with phone_lab(tmp_path) as made:
        yield made


def phone_of(made: PhoneLab, number: str = PHONE, **settings: Any) -> Phone:
    phone = made.phones.one(number)
    assert phone is not None
    phone.change(replace(phone.settings, **settings))
    return phone


async def came(phone: Phone, *states: State, kind: Kind = Kind.MESSAGE, after: int = 0) -> Item:
    found = await phone.arrival(lambda one: one.kind is kind and one.state in states, after, SETTLE_SECONDS)
    assert found is not None
    return found


async def submitted(made: PhoneLab, **fields: Any) -> None:
    answer = await made.lab.vasp.submit(PHONE, content=storm(), subject="Storm", **fields)
    assert isinstance(answer, mm7.SubmitRsp)


def told(phone: Phone) -> list[str]:
    return [f"{one.way} {one.name} {one.about}".strip() for one in phone.lines.all()]


async def test_each_subscriber_has_one_and_what_the_operator_says_of_mms_is_how_it_begins(made: PhoneLab) -> None:
    assert [(one.number, one.settings.mms) for one in made.phones.listed()] == [
        (PHONE, True),
        (OTHER, True),
        (OLD_PHONE, False),
    ]
    assert made.phones.one("15550999999") is None
    added = made.phones.add("+15550999999")
    assert made.phones.one("15550999999") is added
    with pytest.raises(PhoneRefuses):
        made.phones.add("15550999998")


async def test_fetched_at_once_and_told_line_by_line(made: PhoneLab) -> None:
    phone = made.phones.one(PHONE)
    assert phone is not None
    await submitted(made)
    item = await came(phone, State.HERE)
    assert (item.who, item.subject, item.unread) == ("4488", "Storm", True)
    assert (await made.lab.vasp.report()).mm_status == "Retrieved"
    names = [(one.way.value, one.name) for one in phone.lines.all()]
    assert names == [
        ("in", "m-notification-ind"),
        ("out", "GET"),
        ("in", "m-retrieve-conf"),
        ("out", "m-notifyresp-ind"),
    ]
    assert phone.lines.all()[0].transaction_id == item.transaction_id
    assert phone.lines.all()[3].answer.startswith("answered 20")
    assert any("MM from 4488" in line for line in made.said)


async def test_rejected(made: PhoneLab) -> None:
    phone = phone_of(made, on_notification=Fetching.REJECT)
    await submitted(made)
    await came(phone, State.REJECTED)
    assert (await made.lab.vasp.report()).mm_status == "Rejected"


async def test_deferred_until_somebody_fetches_it(made: PhoneLab) -> None:
    phone = phone_of(made, on_notification=Fetching.DEFERRED)
    await submitted(made)
    item = await came(phone, State.DEFERRED)
    assert (item.waits, item.deadline is not None) == (True, True)
    assert await phone.fetch(item)
    assert "out m-acknowledge-ind" in told(phone)
    assert (await made.lab.vasp.report()).mm_status == "Retrieved"
    with pytest.raises(PhoneRefuses):
        await phone.fetch(item)


async def test_deferred_for_an_hour_of_service_time(made: PhoneLab) -> None:
    phone = phone_of(made, on_notification=Fetching.DEFERRED, wait_seconds=3600)
    await submitted(made)
    await came(phone, State.DEFERRED)
    await settle()
    assert phone.agent.acts_later
    made.lab.app.clock.step(3700)
    await came(phone, State.HERE)


async def test_refused_by_hand(made: PhoneLab) -> None:
    phone = phone_of(made, on_notification=Fetching.NEVER)
    await submitted(made)
    item = await came(phone, State.WAITING)
    assert await phone.reject(item)
    assert item.state is State.REJECTED
    assert (await made.lab.vasp.report()).mm_status == "Rejected"


async def test_with_its_memory_full_it_defers_and_fetches_nothing(made: PhoneLab) -> None:
    phone = phone_of(made, memory_full=True)
    await submitted(made)
    item = await came(phone, State.DEFERRED)
    assert not await phone.fetch(item)
    assert (item.state, item.note) == (State.DEFERRED, "the memory is full")
    phone_of(made, memory_full=False)
    assert await phone.fetch(item)


async def test_with_mms_off_a_notification_is_nothing_to_it(made: PhoneLab) -> None:
    phone = phone_of(made, mms=False)
    await submitted(made)
    with made.phones.bus.watch() as watcher:
        async with asyncio.timeout(SETTLE_SECONDS):
            while not phone.lines.all():
                await watcher.until(lambda _: True)
    assert told(phone) == ["in WAP push MMS is off: nothing becomes of it"]
    assert phone.box.all() == ()


async def test_a_phone_without_mms_gets_the_link(made: PhoneLab) -> None:
    phone = phone_of(made, OLD_PHONE)
    await made.lab.vasp.submit(OLD_PHONE, content=storm(), subject="Storm")
    item = await came(phone, State.HERE, kind=Kind.TEXT)
    assert "http://" in item.text


async def test_out_of_coverage_the_smsc_keeps_it_and_the_phone_reaches_nobody(made: PhoneLab) -> None:
    phone = phone_of(made, coverage=False)
    await submitted(made)
    with made.lab.app.bus.watch(replay=True) as watcher:
        async with asyncio.timeout(SETTLE_SECONDS):
            await watcher.until(lambda event: event.kind == "notification.pushed")
    since, waiting = made.phones.away_since(phone)
    assert (since is not None, waiting) == (True, 1)
    sent = await phone.send(Draft(to=(OTHER,), texts=("hello",)))
    assert (sent.state, sent.note) == (State.FAILED, "no coverage")
    phone_of(made, coverage=True)
    await came(phone, State.HERE)
    assert made.phones.away_since(phone) == (None, 0)


async def test_the_receipt_of_a_push_comes_with_coverage(tmp_path: Path) -> None:
    """SMPP v3.4 5.2.17: it tells how the SMS ended, and that is when the handset got it."""
    async with phone_lab(tmp_path) as made:
        known = made.lab.app.engine.neighbours.smscs
        known["local"] = replace(known["local"], receipts=True)
        phone = phone_of(made, coverage=False)
        await submitted(made)
        with made.lab.app.bus.watch(replay=True) as watcher:
            async with asyncio.timeout(SETTLE_SECONDS):
                await watcher.until(lambda event: event.kind == "notification.pushed")
                assert "sms.receipt" not in {event.kind for event in made.lab.app.bus.recent()}
                phone_of(made, coverage=True)
                receipt = await watcher.until(lambda event: event.kind == "sms.receipt")
        assert "delivered" in str(receipt.data).lower()
        await came(phone, State.HERE)


async def test_one_that_never_acknowledges(made: PhoneLab) -> None:
    phone = phone_of(made, acknowledges=False)
    await submitted(made)
    await came(phone, State.HERE)
    assert not any("m-notifyresp-ind" in line for line in told(phone))


async def test_unrecognised(made: PhoneLab) -> None:
    phone = phone_of(made, on_notification=Fetching.UNRECOGNISED)
    await submitted(made)
    await came(phone, State.UNRECOGNISED)
    assert any("Unrecognised" in line for line in told(phone))


async def test_a_read_report_when_it_is_opened(made: PhoneLab) -> None:
    reader = phone_of(made, OTHER, read_report=ReadReports.OPENED)
    writer = phone_of(made)
    sent = await writer.send(Draft(to=(OTHER,), subject="Hi", texts=("hello",), read_report=True, delivery_report=True))
    assert sent.state is State.SENT
    item = await came(reader, State.HERE)
    await reader.open(item)
    await reader.open(item)
    report = await came(writer, State.HERE, kind=Kind.READ_REPORT)
    assert (report.who, report.text, report.subject) == (OTHER, "Read", "Hi")
    assert sum("m-read-rec-ind" in line for line in told(reader)) == 1
    assert f"read: Read, {OTHER}" in sent.news


async def test_deleted_without_being_read_is_reported_so(made: PhoneLab) -> None:
    reader = phone_of(made, OTHER, read_report=ReadReports.OPENED)
    writer = phone_of(made)
    await writer.send(Draft(to=(OTHER,), texts=("hello",), read_report=True))
    await reader.delete(await came(reader, State.HERE))
    report = await came(writer, State.HERE, kind=Kind.READ_REPORT)
    assert report.text.lower().startswith("deleted")
    assert reader.box.all() == ()


async def test_reply_and_forward_with_content(made: PhoneLab) -> None:
    mine, theirs = phone_of(made), phone_of(made, OTHER)
    await submitted(made)
    item = await came(mine, State.HERE)
    draft = Draft(to=(OTHER,), subject="Fw: Storm", texts=("look",), answers=item.number, with_content=True)
    await mine.send(draft)
    got = await came(theirs, State.HERE)
    assert got.message is not None
    names = [part.content_location for part in got.message.parts]
    assert names == ["slides.smil", "storm.jpg", "text1.txt", "text2.txt", "siren.amr", "text1.txt"]


async def test_forwarded_unfetched_by_its_location(made: PhoneLab) -> None:
    mine, theirs = phone_of(made, on_notification=Fetching.DEFERRED), phone_of(made, OTHER)
    await submitted(made)
    item = await came(mine, State.DEFERRED)
    assert await mine.pass_on(item, [OTHER])
    assert item.state is State.FORWARDED
    assert (await came(theirs, State.HERE)).subject == "Storm"


async def test_what_the_mmsc_refuses_is_said(made: PhoneLab) -> None:
    phone = phone_of(made)
    sent = await phone.send(Draft(to=("nobody",), texts=("x",)))
    assert sent.state in (State.REFUSED, State.FAILED)
    assert sent.note
    with pytest.raises(PhoneRefuses):
        await phone.send(Draft(to=(OTHER,), texts=("x" * 9_000_000,)))


async def test_another_family_says_so_from_the_next_request_on(made: PhoneLab) -> None:
    phone = phone_of(made, profile="lab-1.0", user_agent="Nobody/1.0")
    await submitted(made)
    await came(phone, State.HERE, State.DEFERRED)
    learned = made.lab.app.engine.neighbours.listed_one(PHONE)
    assert learned is not None
    assert learned.user_agent == "Nobody/1.0"
    with pytest.raises(PhoneRefuses, match="no profile"):
        phone_of(made, profile="brand")
    with pytest.raises(PhoneRefuses, match="number to forward"):
        phone_of(made, on_notification=Fetching.FORWARD)


async def test_reset_leaves_them_as_new(made: PhoneLab) -> None:
    phone = phone_of(made, on_notification=Fetching.REJECT, coverage=False)
    await phone.send(Draft(to=(OTHER,), texts=("x",)))
    made.phones.reset()
    assert (phone.box.all(), phone.lines.all(), phone.settings) == ((), (), PhoneSettings())
    assert made.phones.away_since(phone) == (None, 0)


def test_a_box_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "MAXIMUM_ITEMS", 3)
    changed: list[int | None] = []
    box = Box(lambda: 0, changed.append)  # type: ignore[arg-type, return-value] # a moment
    for text in "abcd":
        box.new(Kind.TEXT, text=text)
    assert [one.text for one in box.all()] == ["b", "c", "d"]
    assert box.one(1) is None
    assert (box.unread, changed) == (3, [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "fetches at once, MMS 1.2"),
        ({"on_notification": Fetching.DEFERRED, "wait_seconds": 600.0}, "defers 10 min, MMS 1.2"),
        ({"on_notification": Fetching.REJECT, "wait_seconds": 90.0}, "rejects after 90 s, MMS 1.2"),
        ({"octets_per_second": 4000}, "fetches at once, slow, 4 KB/s, MMS 1.2"),
        ({"coverage": False, "mms": False}, "no coverage"),
        ({"mms": False}, "MMS off: gets links"),
        ({"memory_full": True}, "memory full"),
        ({"acknowledges": False, "profile": "lab-1.1"}, "fetches at once, no acknowledgement, MMS 1.1"),
    ],
)
def test_what_it_does_in_words(settings: dict[str, Any], words: str) -> None:
    assert PhoneSettings(**settings).in_words == words
