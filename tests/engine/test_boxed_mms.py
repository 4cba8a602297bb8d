"""MMs in their recipient's MMBox beside what becomes of them otherwise (OMA-TS-MMS_ENC 6; TS 23.140 5.3, 8.1.6, 8.7.3),
on both stores."""

from dataclasses import replace

from mmsc.domain.box_entry import BoxEntry
from mmsc.domain.changes import Replacement
from mmsc.domain.message import Content, TaskKind
from mmsc.domain.mmbox import BoxState, Keeping
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import Happening
from mmsc.engine.box_ports import Boxed, Place
from mmsc.engine.ports import Accepted, Gone, GoneBecause
from mmsc.trace import events as trace
from tests.engine.conftest import OTHER, PHONE, Bench
from tests.engine.test_changes import cancel, notified
from tests.engine.test_changes import replace as replace_mm
from tests.engine.test_forward_requests import LAB, WHO, count, forward, retrieved, to, told, town

__all__ = ["town"]


async def boxed(bench: Bench) -> BoxEntry:
    """What PHONE was told of, in its box."""
    kept = await bench.engine.boxes.store(WHO, Place(told(bench).token, boxed=False), Keeping(), LAB)
    assert isinstance(kept, BoxEntry), kept
    return kept


async def test_a_repeated_forward_hears_of_its_copy_in_the_box_again(town: Bench) -> None:
    """The answer that got lost said where it is; so does the next (X-Mms-Store, 7.3.56)."""
    await notified(town, PHONE)
    first, again = [await forward(town, to(OTHER, keep=Keeping())) for _ in range(2)]
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert (again.repeat, again.kept) == (True, first.kept)
    assert isinstance(first.kept, BoxEntry)


async def test_a_request_to_store_says_the_same_when_it_comes_again(town: Bench) -> None:
    await notified(town, PHONE)
    first = await boxed(town)
    assert first.state is BoxState.NEW
    assert await boxed(town) == first
    moved = await town.engine.boxes.store(WHO, Place(first.token, boxed=True), Keeping(), LAB)
    assert moved == replace(first, state=BoxState.RETRIEVED)


async def test_a_forward_from_the_box_like_one_of_long_ago_is_whole(town: Bench) -> None:
    """Handsets count their transactions anew: beyond the window it is no repeat, and nothing of it may be missing."""
    await notified(town, PHONE)
    entry = await boxed(town)
    await town.engine.boxes.change(entry, Keeping(BoxState.RETRIEVED))
    await retrieved(town)
    place = Place(entry.token, boxed=True)
    first = await town.engine.box_forwards.forward(place, to(OTHER), WHO, LAB, report_allowed=True)
    assert isinstance(first, Accepted)
    first.answered()
    town.clock.advance(25 * 3600)
    await town.engine.boxes.store(WHO, place, Keeping(BoxState.RETRIEVED), LAB)
    second = await town.engine.box_forwards.forward(place, to(OTHER), WHO, LAB, report_allowed=True)
    assert isinstance(second, Accepted)
    assert (second.repeat, second.mm_id == first.mm_id) == (False, False)
    second.answered()
    assert await count(town, f"mm WHERE id = {second.mm_id}") == 1
    orphans = await town.store.fetch("SELECT id FROM recipient WHERE mm_id NOT IN (SELECT id FROM mm)")
    assert orphans == []


async def fetched(bench: Bench, entry: BoxEntry) -> None:
    """A complete GET of an entry."""
    boxes = bench.engine.boxes
    found = await boxes.open(Place(entry.token, boxed=True), WHO)
    assert isinstance(found, Boxed), found
    boxes.begun(found)
    await boxes.fetched(found)


async def test_who_fetches_an_mm_from_the_box_has_it(town: Bench) -> None:
    """Its sender must not hear Expired: a complete GET without an answer counts as retrieved in its time."""
    await notified(town, PHONE)
    await fetched(town, await boxed(town))
    assert await town.state(PHONE) == "notified"
    town.clock.advance(301)
    await town.until(trace.ReportDelivered)
    assert await town.state(PHONE) == "retrieved"
    [job] = town.hands[TaskKind.REPORT_MM7].jobs
    assert job.payload["state"] == "retrieved"
    assert len(town.hands[TaskKind.NOTIFY].jobs) == 1, "nobody is notified again of what he has"


async def test_what_is_fetched_from_the_box_is_withdrawn_no_more(town: Bench) -> None:
    accepted = await notified(town, PHONE)
    await fetched(town, await boxed(town))
    assert (await cancel(town, accepted)).done == 0


async def test_who_forwards_from_the_box_what_he_never_fetched_has_forwarded_it(town: Bench) -> None:
    """One unit, one report: Forwarded (TS 23.140 8.1.6)."""
    await notified(town, PHONE)
    entry = await boxed(town)
    forward_it = town.engine.box_forwards.forward
    made = await forward_it(Place(entry.token, boxed=True), to(OTHER), WHO, LAB, report_allowed=True)
    assert isinstance(made, Accepted)
    made.answered()
    await town.until(trace.ReportDelivered)
    assert await town.state(PHONE) == "forwarded"
    assert [job.payload["state"] for job in town.hands[TaskKind.REPORT_MM7].jobs] == ["forwarded"]
    now = await town.engine.boxes.open(Place(entry.token, boxed=True), WHO)
    assert isinstance(now, Boxed)
    assert now.entry.state is BoxState.FORWARDED
    again = await forward_it(Place(entry.token, boxed=True), to(OTHER), WHO, LAB, report_allowed=True)
    assert isinstance(again, Accepted)
    assert (again.repeat, again.mm_id) == (True, made.mm_id)


async def test_a_forward_by_the_notification_marks_what_is_in_the_box(town: Bench) -> None:
    await notified(town, PHONE)
    entry = await boxed(town)
    assert isinstance(await forward(town, to(OTHER), allowed=False), Accepted)
    now = await town.engine.boxes.open(Place(entry.token, boxed=True), WHO)
    assert isinstance(now, Boxed)
    assert now.entry.state is BoxState.FORWARDED
    assert [row[0] for row in await town.tasks()] == ["notify"], "its report was not allowed"


async def test_what_its_vasp_withdraws_is_in_no_box(town: Bench) -> None:
    """TS 23.140 8.7.3: whoever has not got it will not; the box is no way around that."""
    accepted = await notified(town, PHONE)
    entry = await boxed(town)
    assert (await cancel(town, accepted)).done == 1
    assert await town.engine.boxes.open(Place(entry.token, boxed=True), WHO) == Gone(GoneBecause.UNKNOWN)
    assert await count(town, "mmbox") == 0
    assert await town.store.fetch("SELECT boxes FROM content") == [(0,)]


async def test_what_its_owner_looked_at_stays_in_the_box(town: Bench) -> None:
    """He marked it as retrieved by hand: it is his."""
    accepted = await notified(town, PHONE)
    entry = await boxed(town)
    await town.engine.boxes.change(entry, Keeping(BoxState.RETRIEVED))
    assert (await cancel(town, accepted)).done == 1
    assert isinstance(await town.engine.boxes.open(Place(entry.token, boxed=True), WHO), Boxed)


async def test_what_its_vasp_replaces_is_another_in_the_box_too(town: Bench) -> None:
    """The entry shows the content that there is, and tells of no other."""
    accepted = await notified(town, PHONE)
    entry = await boxed(town)
    other = Content("application/vnd.wap.multipart.related", b"another, and longer", ())
    done = await replace_mm(town, accepted, Replacement(content=other, read_report=True))
    assert done.done == 1
    found = await town.engine.boxes.open(Place(entry.token, boxed=True), WHO)
    assert isinstance(found, Boxed)
    assert found.content == other
    assert (found.entry.size, found.entry.told.read_report) == (len(other.body), True)
    assert found.entry.told.content_type == other.content_type


async def test_a_forward_by_the_notification_of_what_is_only_in_the_box(town: Bench) -> None:
    """As its GET is: what expired, or was rejected, and was kept is sent on from the box; what was not is gone."""
    await notified(town, PHONE)
    entry = await boxed(town)
    answer = town.engine.retrieval.answer
    assert await answer(told(town).transaction_id, Happening.REJECTED, report_allowed=True, evidence=LAB)
    made, again = [await forward(town, to(OTHER)) for _ in range(2)]
    assert isinstance(made, Accepted)
    assert isinstance(again, Accepted)
    assert again.mm_id == made.mm_id
    assert await town.engine.boxes.delete(WHO, [Place(entry.token, boxed=True)]) == (None,)
    refused = await forward(town, to(OTHER, key=b"f2"))
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.MM_UNKNOWN
    assert await town.state(PHONE) == "rejected"
