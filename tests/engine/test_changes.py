"""Cancel and replace at every stage of delivery (TS 23.140 8.7.3; who has an MM keeps it)."""

import asyncio
from dataclasses import replace as replaced
from typing import Any

import pytest

from mmsc.domain.changes import Asked, Changed, ChangePolicy, Replacement, Unknown
from mmsc.domain.message import Content, Part, Relative, Remark, TaskKind
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import Happening
from mmsc.engine.ports import Accepted, Delivered, Evidence, Gone, GoneBecause, Retrievable
from mmsc.engine.recent import Record
from mmsc.engine.transitions import Circumstances
from mmsc.store.core import Row, SqlValue, Unit
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, OLD_PHONE, OTHER, PHONE, Bench

SAFARI = Evidence(user_agent="Lab/1.0", mms_version=0x12)
OTHER_CONTENT = Content(
    "application/vnd.wap.multipart.mixed", b"\x01\x02\x02\x83\xaayy", (Part("text/plain", "u", "", 5, 2),)
)
_BECAUSE = Circumstances(because="a test")


def asked(accepted: Accepted, **changes: Any) -> Asked:
    return replaced(Asked(vasp="news", message_id=accepted.message_id, key="k1", identifier="t1"), **changes)


async def cancel(bench: Bench, accepted: Accepted, **changes: str) -> Changed:
    outcome = await bench.engine.changes.cancel(asked(accepted, **changes))
    assert isinstance(outcome, Changed), outcome
    return outcome


async def replace(bench: Bench, accepted: Accepted, change: Replacement) -> Changed:
    outcome = await bench.engine.changes.replace(asked(accepted), change)
    assert isinstance(outcome, Changed), outcome
    return outcome


async def notified(bench: Bench, *to: str) -> Accepted:
    accepted = await bench.submit(*to)
    await bench.until(trace.NotificationPushed, len(to))
    await bench.at_rest()
    return accepted


async def get_record(bench: Bench) -> Record:
    record = await bench.engine.recent.by_id(bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].id)
    assert record is not None
    return record


async def get(bench: Bench, number: int = 0) -> Retrievable | Gone:
    recipient = bench.hands[TaskKind.NOTIFY].jobs[number].recipients[0]
    return await bench.engine.retrieval.open(recipient.token, recipient.address, SAFARI)


async def test_who_was_notified_and_cancelled_gets_nothing(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    outcome = await cancel(bench, accepted)
    assert (outcome.done, outcome.late) == (1, ())
    assert await bench.state(PHONE) == "cancelled"
    assert await get(bench) == Gone(GoneBecause.CANCELLED, mms_version=0)
    assert await bench.tasks() == []
    assert bench.hands[TaskKind.REPORT_MM7].jobs == []


async def test_a_scheduled_mm_is_cancelled_before_anybody_hears_of_it(bench: Bench) -> None:
    accepted = await bench.submit(PHONE, FOREIGN, deliver_at=Relative(3600))
    assert (await cancel(bench, accepted)).done == 2
    bench.clock.advance(7200)
    await bench.at_rest()
    assert bench.hands[TaskKind.NOTIFY].jobs == bench.hands[TaskKind.FORWARD].jobs == []
    assert await bench.tasks() == []


async def test_a_link_that_was_sent_is_withdrawn(bench: Bench) -> None:
    accepted = await bench.submit(OLD_PHONE)
    await bench.until(trace.LinkSent)
    token = bench.hands[TaskKind.LINK].jobs[0].recipients[0].link_token
    assert (await cancel(bench, accepted)).done == 1
    assert await bench.engine.links.open(token) == Gone(GoneBecause.CANCELLED)


async def test_a_view_that_a_cancel_overtakes_shows_nothing(bench: Bench) -> None:
    accepted = await bench.submit(OLD_PHONE)
    await bench.until(trace.LinkSent)
    await bench.at_rest()
    row = await bench.store.fetch_one("SELECT link_token FROM recipient")
    assert row is not None
    opened = await bench.engine.links.open(str(row[0]))
    assert isinstance(opened, Retrievable)
    assert (await cancel(bench, accepted)).done == 1
    assert await bench.engine.links.viewed(opened) == Gone(GoneBecause.CANCELLED)


async def test_some_are_too_late(bench: Bench) -> None:
    accepted = await notified(bench, PHONE, OTHER)
    found = await get(bench)
    assert isinstance(found, Retrievable)
    await bench.engine.retrieval.fetched(found)
    await bench.engine.retrieval.answer(found.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    outcome = await cancel(bench, accepted)
    assert (outcome.done, outcome.late) == (1, ((found.recipient.address.value, "retrieved already"),))


async def test_what_another_system_has_is_not_withdrawn(bench: Bench) -> None:
    accepted = await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    await bench.at_rest()
    assert (await cancel(bench, accepted)).late == ((FOREIGN, "another system has it"),)


async def test_a_forward_that_is_on_its_way_wins(bench: Bench) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    hand = bench.hands[TaskKind.FORWARD]

    async def deliver(job: object) -> Delivered:
        begun.set()
        await go_on.wait()
        return Delivered()

    hand.deliver = deliver  # type: ignore[method-assign]
    accepted = await bench.submit(FOREIGN)
    await begun.wait()
    outcome = await cancel(bench, accepted)
    go_on.set()
    assert outcome.late == ((FOREIGN, "it is on its way to another system"),)
    await bench.until(trace.ForwardSent)
    assert await bench.state(FOREIGN) == "relayed"


async def test_a_cancel_during_a_get_loses(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    found = await get(bench)
    assert isinstance(found, Retrievable)
    bench.engine.retrieval.begun(found)
    assert (await cancel(bench, accepted)).late == ((PHONE, "it is being fetched"),)
    await bench.engine.retrieval.fetched(found)
    assert (await cancel(bench, accepted, key="k2")).late == ((PHONE, "it was fetched already"),)


async def test_a_get_that_broke_off_is_no_get(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    found = await get(bench)
    assert isinstance(found, Retrievable)
    bench.engine.retrieval.begun(found)
    bench.engine.retrieval.broken_off(found)
    assert (await cancel(bench, accepted)).done == 1


async def test_a_get_waits_for_a_cancel_that_is_being_decided(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    with bench.engine.desk.gets.closed(recipient.id):
        waiting = asyncio.create_task(get(bench))
        await asyncio.sleep(0)
        await bench.engine.transitions.apply((await get_record(bench)).mm, recipient, Happening.CANCELLED, _BECAUSE)
        assert not waiting.done()
    assert await waiting == Gone(GoneBecause.CANCELLED, mms_version=0)
    assert accepted.message_id


async def test_a_repeat_gets_its_answer_again_and_another_request_its_own(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    await cancel(bench, accepted)
    assert await cancel(bench, accepted) == Changed(accepted.mm_id, 1, (), repeat=True)
    assert (await cancel(bench, accepted, key="k2")).late == ((PHONE, "cancelled already"),)


async def test_who_was_cancelled_without_an_answer_counts_as_cancelled(bench: Bench) -> None:
    """As after a crash between the recipients and the answer."""
    accepted = await notified(bench, PHONE, OTHER)
    record = await get_record(bench)
    await bench.engine.transitions.apply(record.mm, record.recipient, Happening.CANCELLED, _BECAUSE)
    assert await cancel(bench, accepted) == Changed(accepted.mm_id, 2, ())


@pytest.mark.parametrize("changes", [{"vasp": "other"}, {"message_id": "0@mms.example"}, {"message_id": "???"}])
async def test_unknown_and_foreign_mms_are_the_same(bench: Bench, changes: dict[str, str]) -> None:
    accepted = await notified(bench, PHONE)
    assert isinstance(await bench.engine.changes.cancel(asked(accepted, **changes)), Unknown)
    assert await bench.state(PHONE) == "notified"


async def test_an_operator_may_refuse_it_after_the_notification(bench: Bench) -> None:
    bench.engine.changes.policy = ChangePolicy(after_notification=False)
    accepted = await notified(bench, PHONE)
    assert (await cancel(bench, accepted)).late == ((PHONE, "the recipient was notified already"),)


async def test_another_content_is_served(bench: Bench) -> None:
    accepted = await notified(bench, PHONE, OTHER)
    first = await get(bench)
    assert isinstance(first, Retrievable)
    await bench.engine.retrieval.fetched(first)
    await bench.engine.retrieval.answer(first.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    bench.clock.advance(1)
    change = Replacement(content=OTHER_CONTENT, read_report=True, details={"service_code": "gold"})
    outcome = await replace(bench, accepted, change)
    assert (outcome.done, outcome.late) == (1, ((first.recipient.address.value, "retrieved already"),))
    second = await get(bench, 1)
    assert isinstance(second, Retrievable)
    assert second.content == OTHER_CONTENT
    assert (second.mm.size, second.mm.read_report, second.mm.details["service_code"]) == (7, True, "gold")
    assert await get(bench) == Gone(GoneBecause.ENDED, mms_version=0)


async def test_it_is_replaced_in_the_store_too(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    await replace(bench, accepted, Replacement(content=OTHER_CONTENT))
    bench.engine.recent.forget_all()
    found = await get(bench)
    assert isinstance(found, Retrievable)
    assert found.content == OTHER_CONTENT


async def test_only_the_time_moves(bench: Bench) -> None:
    accepted = await bench.submit(PHONE, FOREIGN, deliver_at=Relative(7200))
    await replace(bench, accepted, Replacement(deliver_at=Relative(60)))
    bench.clock.advance(61)
    await bench.until(trace.NotificationPushed)
    await bench.until(trace.ForwardSent)
    assert bench.hands[TaskKind.NOTIFY].jobs[0].stored_mm.deliver_at is not None


async def test_a_time_behind_the_expiry_is_refused(bench: Bench) -> None:
    accepted = await bench.submit(PHONE, deliver_at=Relative(7200), expires=Relative(9000))
    outcome = await bench.engine.changes.replace(asked(accepted), Replacement(deliver_at=Relative(9001)))
    assert isinstance(outcome, Refused)
    assert outcome.reason is RefusalReason.EXPIRY_PAST


async def test_a_content_that_is_too_large_is_refused(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    large = replaced(OTHER_CONTENT, body=bytes(2 << 20))
    outcome = await bench.engine.changes.replace(asked(accepted), Replacement(content=large))
    assert isinstance(outcome, Refused)
    assert outcome.reason is RefusalReason.TOO_LARGE


async def test_nobody_left_to_replace_it_for(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    await cancel(bench, accepted)
    assert (await replace(bench, accepted, Replacement(content=OTHER_CONTENT))).done == 0


async def test_what_takes_the_place_of_another_and_its_answer_are_one_unit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash leaves no new MM without the answer that is charged for (TS 32.270), and none to wait for."""
    accepted = await notified(bench, PHONE)
    record = await get_record(bench)
    transaction_id = record.recipient.transaction_id
    await bench.engine.retrieval.answer(transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    units: list[Unit] = []
    commit = bench.store.commit

    async def seen(unit: Unit) -> object:
        units.append(unit)
        return await commit(unit)

    monkeypatch.setattr(bench.store, "commit", seen)
    asks = asked(accepted, key="ab" * 32)
    outcome = await bench.engine.changes.extended_replace(asks, Replacement(content=OTHER_CONTENT))
    assert isinstance(outcome, Accepted)
    with_it = [
        unit.guard is not None and unit.guard.sql.startswith("INSERT INTO mm ")
        for unit in units
        if any(trace.ChangeAnswered.kind in effect.params for effect in unit.effects)
    ]
    assert with_it == [True]
    outcome.answered()
    again = await bench.engine.changes.extended_replace(asks, Replacement(content=OTHER_CONTENT))
    assert isinstance(again, Accepted)
    assert (again.repeat, again.message_id) == (True, outcome.message_id)
    assert len(await bench.until(trace.ChangeAnswered)) == 1


async def test_a_flood_of_one_vasp_keeps_no_other_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = await notified(bench, PHONE)
    may_read = asyncio.Event()
    fetch = bench.store.fetch

    async def slow(text: str, *params: SqlValue) -> list[Row]:
        await may_read.wait()
        return await fetch(text, *params)

    monkeypatch.setattr(bench.store, "fetch", slow)
    asks = [asked(accepted, vasp="flood", key=f"k{number}") for number in range(200)]
    flood = [asyncio.create_task(bench.engine.changes.cancel(one)) for one in asks]
    late = asyncio.create_task(bench.engine.changes.cancel(asked(accepted)))
    _, waiting = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    may_read.set()
    assert len(waiting) == 50
    outcome = await late
    assert isinstance(outcome, Changed), outcome
    await asyncio.gather(*flood)


async def test_what_is_odd_about_an_extended_replace_is_remarked(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    found = await get(bench)
    assert isinstance(found, Retrievable)
    await bench.engine.retrieval.fetched(found)
    await bench.engine.retrieval.answer(found.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    odd = asked(accepted, key="", remarks=(Remark("MM7-R015", "TS 23.140 8.7.8", -1, "no SOAPAction"),))
    outcome = await bench.engine.changes.extended_replace(odd, Replacement(content=OTHER_CONTENT))
    assert isinstance(outcome, Accepted)
    notes = [(one.mm_id, one.data.rule) for one in bench.events if isinstance(one.data, trace.FindingNoted)]
    assert notes == [(outcome.mm_id, "MM7-R015")], "once, about the MM that it makes"
    outcome.answered()
