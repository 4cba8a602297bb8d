"""The report ledger over real lifecycles, read beside the engine at work, on both stores."""

import itertools
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.instant import DAY, HOUR, SECOND, Instant
from mmsc.domain.ledger import NO_ADDRESS_NOW, NOTHING_KNOWN, Entry, ReportStatus
from mmsc.domain.message import Interface, Origin, Recipient, RecipientSpec, Relative, TaskKind
from mmsc.domain.neighbours import Vasp
from mmsc.domain.reports import NoReport
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine.ports import Delivered, Evidence, Failed, Later, Outcome, Retry
from mmsc.engine.queries import LARGEST_PAGE, ReportLedger, ReportsWanted
from mmsc.engine.transitions import Circumstances
from mmsc.store import messages, reports
from mmsc.store.core import Statement, Unit
from mmsc.store.postgres import PostgresStore
from mmsc.store.reading import Reader, SqliteReader, open_postgres
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.store.verify import verify
from mmsc.trace import events as trace
from tests import postgres
from tests.engine.conftest import FOREIGN, OTHER, PHONE, Bench, benched

SAFARI = Evidence(user_agent="Lab/1.0", mms_version=0x12)
TOOK = Delivered(note="1000 Success")
_numbers = itertools.count()


@dataclass
class Office:
    """An engine at work, and the ledger read beside it."""

    bench: Bench
    ledger: ReportLedger
    reader: Reader

    async def lines(self, **wanted: Any) -> list[Entry]:
        return [one async for page in self.ledger.pages(ReportsWanted(**wanted)) for one in page.entries]

    async def line(self, **wanted: Any) -> Entry:
        (one,) = await self.lines(**wanted)
        return one

    async def submit(self, *to: str, vasp: str = "news", **changes: Any) -> list[Recipient]:
        accepted = await self.bench.submit(*to, origin=Origin(Interface.MM7, vasp), **changes)
        found = await messages.with_recipients(self.bench.store, accepted.mm_id)
        assert found is not None
        return list(found[1])

    async def ended(
        self, report: Outcome = TOOK, *, to: str = PHONE, allowed: bool = True, vasp: str = "news", **changes: Any
    ) -> None:
        """An MM that its recipient retrieved, and what the VASP's answer to the report means."""
        self.bench.hands[TaskKind.REPORT_MM7].answers = [report]
        (one,) = await self.submit(to, vasp=vasp, **changes)
        await self.bench.at_rest()
        assert await self.answer(one, Happening.RETRIEVED, allowed=allowed)
        await self.bench.at_rest()

    async def answer(self, one: Recipient, happening: Happening, *, allowed: bool = True) -> bool:
        done = await self.bench.engine.retrieval.answer(
            one.transaction_id, happening, report_allowed=allowed, evidence=SAFARI
        )
        return done is True


@pytest.fixture(params=["sqlite", "postgres"])
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    clock = VirtualClock()
    name = f"ledger{os.getpid()}_{next(_numbers)}"
    store: SqliteStore | PostgresStore
    if request.param == "sqlite":
        store = SqliteStore(str(tmp_path / "mmsc.db"), SqliteOptions(synchronous="OFF"), clock.real_now)
    else:
        store = PostgresStore(postgres.server(), schema=name)
    others = (
        Vasp(name="mute"),
        Vasp(name="eager", report_url="http://127.0.0.1:1/", deferred_reports=True),
        Vasp(name="network", report_url="http://127.0.0.1:1/", relayed_reports=True),
    )
    async with benched(store, clock, *others) as bench:
        reader: Reader
        if request.param == "sqlite":
            reader = SqliteReader(tmp_path / "mmsc.db")
        else:
            reader = await open_postgres(postgres.server(), name)
        yield Office(bench, ReportLedger(reader), reader)
        await reader.close()


async def test_a_report_that_was_sent(office: Office) -> None:
    began = office.bench.clock.now()
    office.bench.clock.advance(5)
    await office.ended(details={"mm7_transaction_id": "T-17"})
    one = await office.line(vasp="news")
    assert (one.status, one.code, one.why, one.attempts) == (ReportStatus.SENT, "1000", "Success", 1)
    assert (one.recipient, one.state, one.vasp, one.mm7_transaction_id) == (PHONE, "retrieved", "news", "T-17")
    assert one.message_id.endswith("@mms.example")
    assert (one.submitted_at, one.state_at, one.since) == (began + 5 * SECOND,) * 3
    assert one.age(Instant(began + 65 * SECOND)) == 60 * SECOND
    assert await office.lines(missing=True) == []


async def test_who_has_not_ended_is_waited_for(office: Office) -> None:
    await office.submit(PHONE)
    await office.submit(OTHER, deliver_at=Relative(HOUR / SECOND))
    await office.bench.until(trace.NotificationPushed)
    first, second = await office.lines(missing=True)
    assert (first.status, first.state, first.why) == (ReportStatus.WAITING, "notified", "")
    assert (second.status, second.state, second.since) == (ReportStatus.WAITING, "scheduled", second.submitted_at)


async def test_a_report_that_is_owed_says_why_and_when_again(office: Office) -> None:
    await office.ended(Later(600, "4006 Service unavailable"))
    one = await office.line(statuses=frozenset({ReportStatus.OWED}))
    now = office.bench.clock.now()
    assert (one.why, one.attempts) == ("4006 Service unavailable", 0), "a wait that it asked for is no failed attempt"
    assert (one.since, one.next_attempt_at) == (now, now + 600 * SECOND)
    office.bench.hands[TaskKind.REPORT_MM7].answers = [Retry("no answer in 10 s")]
    office.bench.clock.advance(600)
    await office.bench.until(trace.AttemptFailed)
    one = await office.line(vasp="news", missing=True)
    assert (one.status, one.why, one.attempts) == (ReportStatus.OWED, "no answer in 10 s", 1), "the last reason counts"
    assert one.since == now, "it is owed since the recipient ended"


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        ("4004 Validation error: no Sender", "4004", "Validation error: no Sender"),
        ("HTTP 404 without a readable MM7 answer", "HTTP 404", "without a readable MM7 answer"),
    ],
)
async def test_a_report_that_its_vasp_refused(office: Office, answer: str, code: str, why: str) -> None:
    await office.ended(Failed(answer, refused=True))
    one = await office.line(missing=True)
    assert (one.status, one.code, one.why) == (ReportStatus.REFUSED, code, why)


async def test_a_report_that_was_given_up_is_not_called_refused(office: Office) -> None:
    await office.ended(Retry("4 connections refused"))
    office.bench.hands[TaskKind.REPORT_MM7].answers = [Retry("no answer in time")] * 400
    office.bench.clock.advance(4 * DAY / SECOND)
    await office.bench.until(trace.TaskGivenUp)
    one = await office.line(missing=True)
    assert (one.status, one.code) == (ReportStatus.GIVEN_UP, "")
    assert one.why.startswith("no answer in time; "), "with what it was that took so long"
    assert one.since == office.bench.clock.now()


async def test_why_there_is_none(office: Office) -> None:
    await office.ended(allowed=False)
    await office.ended(message_class="Auto")
    await office.ended(vasp="mute")
    await office.ended(Delivered(note="this namespace has no word for it", nothing_sent=True))
    (one,) = await office.submit(PHONE)
    await office.bench.at_rest()
    mm_and_one = await messages.by_recipient(office.bench.store, one.id)
    assert mm_and_one is not None
    assert await office.bench.engine.transitions.apply(*mm_and_one, Happening.CANCELLED, Circumstances())
    found = await office.lines(missing=True)
    assert [entry.status for entry in found] == [ReportStatus.NONE] * 5
    assert [entry.why for entry in found] == [
        NoReport.NOT_ALLOWED,
        NoReport.CLASS_AUTO,
        "mm7 originator mute has no address for reports",
        "this namespace has no word for it",
        "the MM was cancelled",
    ]
    assert found[-1].state == RecipientState.CANCELLED


async def test_who_asked_for_no_report_is_told_only_when_asked_for(office: Office) -> None:
    await office.ended(delivery_report=False, subject='"delivery_report":true')
    await office.submit(OTHER, delivery_report=False)
    assert await office.lines() == []
    found = await office.lines(unasked_too=True)
    assert [(one.recipient, one.status, one.why) for one in found] == [
        (PHONE, ReportStatus.NONE, NoReport.NOT_ASKED),
        (OTHER, ReportStatus.NONE, NoReport.NOT_ASKED),
    ]


async def test_a_recipient_that_the_submit_rsp_refused_is_in_the_ledger(office: Office) -> None:
    """Partial success, 1100: its VASP counts it among its recipients."""
    await office.submit(PHONE, "no number", OTHER)
    first, refused, last = await office.lines()
    assert (first.recipient, refused.recipient, last.recipient) == (PHONE, "no number", OTHER)
    assert (refused.status, refused.state, refused.message_id) == (ReportStatus.NONE, "", first.message_id)
    assert refused.why != ""
    assert refused.why == "no VASP has the short code no number"


async def test_a_vasp_without_address_hears_so_before_its_recipients_end(office: Office) -> None:
    await office.submit(PHONE, vasp="mute")
    assert (await office.line(vasp="mute")).why == NO_ADDRESS_NOW


async def test_a_deferred_report_is_not_taken_for_the_final_one(office: Office) -> None:
    bench = office.bench
    (one,) = await office.submit(PHONE, vasp="eager")
    await bench.at_rest()
    bench.hands[TaskKind.REPORT_MM7].answers = [Later(600, "4006"), TOOK, Failed("4004 no", refused=True)]
    await office.answer(one, Happening.DEFERRED)
    await bench.until(trace.AttemptPostponed)
    line = await office.line()
    assert (line.status, line.state, line.why) == (ReportStatus.OWED, "deferred", "4006")
    bench.clock.advance(602)
    await bench.until(trace.ReportDelivered)
    line = await office.line()
    assert (line.status, line.why) == (ReportStatus.WAITING, "Deferred: sent, 1000 Success")
    await office.answer(one, Happening.RETRIEVED)
    await bench.until(trace.TaskGivenUp)
    line = await office.line()
    assert (line.status, line.code) == (ReportStatus.REFUSED, "4004")


async def test_a_report_that_an_mm_was_relayed_is_not_taken_for_the_final_one(office: Office) -> None:
    bench = office.bench
    bench.hands[TaskKind.REPORT_MM7].answers = [Later(600, "4006"), Failed("4004 no", refused=True), TOOK]
    await office.submit(FOREIGN, vasp="network")
    await bench.until(trace.AttemptPostponed)
    line = await office.line()
    assert (line.status, line.state, line.why) == (ReportStatus.OWED, "relayed", "4006")
    bench.clock.advance(602)
    await bench.until(trace.TaskGivenUp)
    line = await office.line()
    assert (line.status, line.why) == (ReportStatus.WAITING, "Forwarded: refused, 4004 no")
    news, now = bench.engine.peer_reports, bench.clock.now()
    message_id = line.message_id
    retrieved = Happening.PEER_RETRIEVED
    assert await news.delivery_report("other", message_id, FOREIGN, retrieved, date=now, to_originator=True)
    await bench.until(trace.ReportDelivered)
    assert (await office.line()).status is ReportStatus.SENT
    found = [one.what async for one in verify(office.reader, quick=True, told=lambda table, done: None)]
    assert found == [], "the report is owed under its own task, which was told of"


async def test_a_deferred_report_that_was_refused_is_not_the_final_one_either(office: Office) -> None:
    bench = office.bench
    (one,) = await office.submit(PHONE, vasp="eager")
    await bench.at_rest()
    bench.hands[TaskKind.REPORT_MM7].answers = [Failed("4004 no Deferred here", refused=True)]
    await office.answer(one, Happening.DEFERRED)
    await bench.until(trace.TaskGivenUp)
    assert (await office.line()).why == "Deferred: refused, 4004 no Deferred here"
    await office.answer(one, Happening.RETRIEVED, allowed=False)
    line = await office.line()
    assert (line.status, line.why) == (ReportStatus.NONE, NoReport.NOT_ALLOWED)


async def test_both_reports_that_wait_make_one_line_about_the_end(office: Office) -> None:
    bench = office.bench
    (one,) = await office.submit(PHONE, vasp="eager")
    await bench.at_rest()
    bench.hands[TaskKind.REPORT_MM7].answers = [Later(600, "4006")]
    for number, happening in enumerate((Happening.DEFERRED, Happening.RETRIEVED), 1):
        await office.answer(one, happening)
        await bench.until(trace.AttemptPostponed, number)
    wanted = ReportsWanted(statuses=frozenset({ReportStatus.OWED}))
    assert "an earlier report" in (await office.line(statuses=wanted.statuses)).why
    first = await office.ledger.page(wanted, limit=1)
    assert (first.entries, first.next is not None) == ((), True), "a page that ends between the two"
    second = await office.ledger.page(wanted, first.next or 0, limit=1)
    assert len(second.entries) == 1


async def test_a_foreign_recipient_whose_peer_reports(office: Office) -> None:
    office.bench.hands[TaskKind.FORWARD].answers = [Delivered(answer_expected=True)]
    accepted = await office.bench.submit(FOREIGN)
    await office.bench.until(trace.ForwardSent)
    assert (await office.line()).state == "relayed"
    assert await office.bench.engine.peer_reports.delivery_report(
        "other",
        accepted.message_id,
        FOREIGN,
        Happening.PEER_RETRIEVED,
        date=office.bench.clock.now(),
        to_originator=True,
    )
    await office.bench.until(trace.ReportDelivered)
    assert (await office.line()).status is ReportStatus.SENT


async def test_filters_and_bounds(office: Office) -> None:
    bench, start = office.bench, office.bench.clock.now()
    for vasp, report in (("news", TOOK), ("eager", TOOK), ("news", Failed("2001 no", refused=True))):
        await office.ended(report, vasp=vasp)
        bench.clock.advance(3 * 3600)
    everyone = await office.lines()

    async def numbers(**wanted: Any) -> list[int]:
        return [everyone.index(one) for one in await office.lines(**wanted)]

    assert await numbers() == [0, 1, 2]
    assert await numbers(vasp="eager") == [1]
    assert await numbers(vasp="nobody") == []
    assert await numbers(mm_id=everyone[1].mm_id) == [1]
    assert await numbers(mm_id=everyone[1].mm_id + 1) == []
    assert await numbers(since=Instant(start + 3 * HOUR)) == [1, 2]
    assert await numbers(since=Instant(start + 3 * HOUR + 1)) == [2]
    assert await numbers(until=Instant(start + 3 * HOUR)) == [0]
    assert await numbers(since=Instant(start + HOUR), until=Instant(start + 4 * HOUR)) == [1]
    assert await numbers(since=Instant(start + 90 * HOUR)) == []
    assert await numbers(missing=True) == [2]
    assert await numbers(statuses=frozenset({ReportStatus.SENT, ReportStatus.OWED})) == [0, 1]
    assert await numbers(states=frozenset({RecipientState.RETRIEVED}), vasp="news") == [0, 2]
    assert await numbers(states=frozenset({RecipientState.EXPIRED})) == []


async def test_pages_are_bounded_and_miss_nobody(office: Office) -> None:
    phones = [f"+1555010{number:04}" for number in range(25)]
    await office.submit(*phones[:20])
    await office.submit(*phones[20:], delivery_report=False)
    await office.submit(*phones[20:])
    seen: list[str] = []
    after, looked_at, pages = 0, 0, 0
    while True:
        page = await office.ledger.page(ReportsWanted(vasp="news"), after, limit=7)
        assert len(page.entries) <= 7
        seen += [one.recipient for one in page.entries]
        looked_at, pages = looked_at + page.looked_at, pages + 1
        if page.next is None:
            break
        after = page.next
    assert (seen, looked_at, pages) == (phones, 30, 5)
    for limit in (0, LARGEST_PAGE + 1):
        with pytest.raises(ValueError, match="a page has 1 to"):
            await office.ledger.page(ReportsWanted(), limit=limit)


async def test_the_first_mm_of_a_time_is_found_in_a_few_looks(office: Office) -> None:
    store, start = office.bench.store, office.bench.clock.now()
    assert await reports.first_from(store, start) is None
    ids = []
    for _ in range(20):
        ids.append((await office.bench.submit(PHONE, answered=False)).mm_id)
        office.bench.clock.advance(60)
    for number in (0, 1, 7, 19):
        at = Instant(start + number * 60 * SECOND)
        before = store.counters.reads
        assert await reports.first_from(store, at) == ids[number]
        assert store.counters.reads - before < 70
        assert await reports.first_from(store, Instant(at + 1)) == (ids[number + 1] if number < 19 else None)


async def test_what_no_event_tells_is_said(office: Office) -> None:
    """Retention removes the events of a large MM in several steps."""
    await office.ended()
    await office.bench.store.commit(Unit(None, (Statement("DELETE FROM event WHERE mm_id > $1", (0,)),)))
    one = await office.line()
    assert (one.status, one.why) == (ReportStatus.NONE, NOTHING_KNOWN)


async def test_others_than_vasps_are_not_in_it(office: Office) -> None:
    await office.bench.submit(
        OTHER, sender=PHONE, origin=Origin(Interface.MM1, PHONE), recipients=(RecipientSpec(OTHER),)
    )
    await office.bench.at_rest()
    assert await office.lines(unasked_too=True) == []


async def test_the_engines_own_store_answers_too(office: Office) -> None:
    """What the console and REST ask: no reader of its own."""
    await office.ended()
    ledger = ReportLedger(office.bench.store)
    page = await ledger.page(ReportsWanted())
    assert [one.status for one in page.entries] == [ReportStatus.SENT]
    assert await ledger.vasps() == {"eager": True, "mute": False, "network": True, "news": True}
