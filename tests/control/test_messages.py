"""Lists and pages of messages: what they show is what the store holds, told in the field's words."""

from mmsc.control.messages import MessageDetail, next_due
from mmsc.control.reasons import pending
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import TaskKind
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine.ports import Retry
from mmsc.engine.queries.messages import Due, Gone
from mmsc.engine.transitions import Circumstances
from mmsc.trace import events as trace
from tests.control.conftest import Desk
from tests.engine.conftest import FOREIGN, PHONE


async def detail(desk: Desk, mm_id: int) -> MessageDetail:
    found = await desk.control.messages.one(mm_id)
    assert isinstance(found, MessageDetail), found
    return found


async def test_a_row_tells_states_size_path_and_what_is_next(desk: Desk) -> None:
    accepted = await desk.bench.submit(PHONE, FOREIGN, subject="Storm warning")
    await desk.bench.until(trace.NotificationPushed)
    await desk.bench.until(trace.ForwardSent)
    await desk.bench.at_rest()
    page = await desk.control.messages.find()
    assert (page.more, page.stopped, len(page.rows)) == (None, False, 1)
    row = page.rows[0]
    assert (row.mm_id, row.subject, row.origin, row.neighbour) == (str(accepted.mm_id), "Storm warning", "mm7", "news")
    assert row.states == {RecipientState.NOTIFIED: 1, RecipientState.RELAYED: 1}
    assert sorted(row.recipients) == [PHONE, FOREIGN]
    assert row.recipient_count == 2
    assert row.path[0] == "mm7"
    assert set(row.path[1:]) == {"mm1", "mm4"}
    assert row.next_due is not None
    assert row.next_due.at > desk.bench.clock.now()


async def test_pages_go_on_where_the_one_before_ended(desk: Desk) -> None:
    sent = [(await desk.bench.submit(PHONE)).mm_id for _ in range(5)]
    first = await desk.control.messages.find(limit=2)
    assert [row.mm_id for row in first.rows] == [str(one) for one in (sent[4], sent[3])]
    second = await desk.control.messages.find(before=first.more, limit=2)
    assert [row.mm_id for row in second.rows] == [str(one) for one in (sent[2], sent[1])]
    third = await desk.control.messages.find(before=second.more, limit=2)
    assert [row.mm_id for row in third.rows] == [str(sent[0])]
    assert third.more is None


async def test_the_reason_names_attempt_code_and_when_it_tries_again(desk: Desk) -> None:
    desk.bench.hands[TaskKind.REPORT_MM7].answers = [Retry("HTTP 503")]
    accepted = await desk.bench.submit(PHONE)
    await desk.bench.until(trace.NotificationPushed)
    record = await desk.bench.engine.recent.by_transaction_id(
        (await detail(desk, accepted.mm_id)).recipients[0].transaction_id
    )
    assert record is not None
    await desk.bench.engine.transitions.apply(
        record.mm, record.recipient, Happening.RETRIEVED, Circumstances(answer="notifyresp")
    )
    await desk.bench.until(trace.AttemptFailed)
    found = await detail(desk, accepted.mm_id)
    assert found.reason.startswith("DeliveryReportReq to news, attempt 1: HTTP 503. Again at ")
    assert found.row.marks.retry == 1
    assert found.row.last == "report 1 failed: HTTP 503"
    one = found.recipients[0]
    assert one.state is RecipientState.RETRIEVED
    assert (one.verdict, one.evidence) == ("capable", ["flag on"])
    assert one.report is not None
    assert (one.report.status, one.report.attempts) == ("owed", 1)
    assert [task.kind for task in one.tasks] == ["report_mm7"]
    assert one.can == ["retry"]


async def test_a_message_that_is_not_there_says_why(desk: Desk) -> None:
    assert await desk.control.messages.one(7) == Gone()
    accepted = await desk.bench.submit(PHONE)
    assert await desk.control.messages.one(7) == Gone(too_old=True)
    assert await desk.control.messages.one(accepted.mm_id + (1 << 40)) == Gone()


async def test_events_are_read_in_pages_with_their_sentences(desk: Desk) -> None:
    accepted = await desk.bench.submit(PHONE)
    await desk.bench.until(trace.NotificationPushed)
    every = await desk.control.messages.events(accepted.mm_id)
    taken = next(one for one in every if one.kind == "mm.accepted")
    assert taken.sentence == "Taken from news over MM7: 1 recipient, 6 B."
    rest = await desk.control.messages.events(accepted.mm_id, after=int(every[0].id))
    assert rest == every[1:]


async def test_what_is_due_of_a_relayed_mm_is_said_as_it_is(desk: Desk) -> None:
    accepted = await desk.bench.submit(FOREIGN)
    await desk.bench.until(trace.ForwardSent)
    await desk.bench.at_rest()
    row = (await desk.control.messages.find()).rows[0]
    assert row.mm_id == str(accepted.mm_id)
    assert row.next_due is not None
    assert row.next_due.words.partition(" in ")[0] in ("again", "indeterminate")
    watch = Due("watch", "peer:other", desk.bench.clock.now(), 2, 1, under_way=False)
    assert pending([watch], {RecipientState.RETRIEVED: 1}) == []
    assert pending([watch], {RecipientState.RELAYED: 1}) == [watch]
    expiry = Due("notify", "smsc:local", Instant(desk.bench.clock.now() + 7200 * SECOND), 0, 1, under_way=False)
    told = next_due([expiry], desk.bench.clock.now(), expiry.at)
    assert told is not None
    assert told.words == "expiry in 2 h"
