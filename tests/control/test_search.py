"""The search: each condition finds what it should on both stores, and stops in time."""

import asyncio

import pytest

from mmsc.control.query import parse
from mmsc.domain.message import Content, Interface, MmId, Origin, Part, RecipientId, Remark, TaskKind
from mmsc.engine.ports import Failed
from mmsc.engine.queries.messages import Messages
from mmsc.ids import to_text
from mmsc.store import sms
from mmsc.store.core import Unit
from mmsc.trace import events as trace
from tests.control.conftest import Desk
from tests.engine.conftest import FOREIGN, OTHER, PHONE

BIG = Content("application/vnd.wap.multipart.mixed", b"\x01" * 400_000, (Part("text/plain", "t", "", 5, 1),))


async def found(desk: Desk, text: str) -> list[int]:
    """The ids that a query finds, newest first."""
    query = parse(text, desk.bench.clock.now(), desk.bench.engine.numbers)
    page = await desk.control.messages.find(query)
    assert not page.stopped
    return [int(row.mm_id) for row in page.rows]


async def sent(desk: Desk) -> dict[str, int]:
    """A few messages that differ in all that can be looked for."""
    bench = desk.bench
    made = {
        "plain": await bench.submit(PHONE, subject="Storm warning", details={"mm7_transaction_id": "tx-1", "run": "a"}),
        "abroad": await bench.submit(FOREIGN, subject='A "quoted" \\ thing', details={"mm7_transaction_id": "tx-2"}),
        "phone": await bench.submit(OTHER, sender=PHONE, origin=Origin(Interface.MM1, PHONE), subject="ÄRGER 100%"),
        "big": await bench.submit(OTHER, content=BIG, details={"run": "b"}),
        "odd": await bench.submit(
            OTHER, remarks=(Remark("MM7-R012", "8.7", 3, "odd"), Remark("MM7-R099", "8", 1, "x"))
        ),
    }
    await bench.until(trace.NotificationPushed, 4)
    await bench.until(trace.ForwardSent)
    return {name: one.mm_id for name, one in made.items()}


async def test_each_condition_finds_what_it_should(desk: Desk) -> None:
    ids = await sent(desk)
    names = {mm_id: name for name, mm_id in ids.items()}
    expected = {
        "": "odd big phone abroad plain",
        "state:relayed": "abroad",
        "state:open": "odd big phone abroad plain",
        "state:ended": "",
        "-state:relayed": "odd big phone plain",
        f"to:{PHONE}": "plain",
        "to:+1555": "odd big phone plain",
        "to:+1666*": "abroad",
        f"from:{PHONE}": "phone",
        "from:4488 -to:+1666": "odd big plain",
        PHONE: "phone plain",
        "555-010-0123": "phone plain",
        f"-{PHONE}": "odd big abroad",
        "4488": "odd big abroad plain",
        "vasp:news": "odd big abroad plain",
        "-vasp:any": "phone",
        "peer:other": "abroad",
        "peer:nobody": "",
        "smsc:local": "odd big phone plain",
        "finding:MM7-R012": "odd",
        "finding:mm7": "odd",
        "finding:any -finding:MM7-R099": "",
        "finding:MM7-R013": "",
        "fault:any": "",
        "run:a": "plain",
        "run:any": "big plain",
        "-run:any": "odd phone abroad",
        "size:>300k": "big",
        "size:<300k": "odd phone abroad plain",
        "size:400000": "big",
        "path:mm4": "abroad",
        "path:mm1": "odd big phone plain",
        "path:sms -path:mm7": "phone",
        "path:link": "",
        "since:1h": "odd big phone abroad plain",
        "until:1h": "",
        "storm": "plain",
        '"storm warning"': "plain",
        "-storm": "odd big phone abroad",
        'quoted': "abroad",
        '"\\"quoted\\" \\\\ thing"': "abroad",
        "ärger": "phone",
        "100%": "phone",
        "10_%": "",
        "tx-1": "plain",
        "tx-1 state:relayed": "",
        "tx-9": "",
    }  # fmt: skip
    for text, wanted in expected.items():
        assert " ".join(names[one] for one in await found(desk, text)) == wanted, text


async def test_an_identifier_of_any_interface_finds_its_message(desk: Desk) -> None:
    ids = await sent(desk)
    detail = await desk.control.messages.one(ids["plain"])
    one = detail.recipients[0]  # type: ignore[union-attr]
    lane, smpp_id = "smsc:local", "0A1B2C"
    note = sms.insert(
        lane, smpp_id, MmId(ids["plain"]), RecipientId(int(one.id)), "notification", desk.bench.clock.now()
    )
    await desk.bench.store.commit(Unit(None, (note,)))
    message_id = detail.row.message_id  # type: ignore[union-attr]
    for word in (
        *(str(ids["plain"]), to_text(ids["plain"]), message_id, f"<{message_id}>", to_text(ids["plain"]).lower()),
        *(one.id, one.transaction_id, one.token, f"http://127.0.0.1:8002/mm/{one.token}?x=1", smpp_id),
    ):
        assert await found(desk, word) == [ids["plain"]], word
    assert await found(desk, f"{one.token} vasp:bank") == []


async def test_pages_of_a_search_hold_each_message_once(desk: Desk) -> None:
    sent_ids = [(await desk.bench.submit(PHONE if number % 3 else OTHER)).mm_id for number in range(20)]
    for text in (f"to:{PHONE}", "to:+1555010012", "vasp:news", f"{PHONE}"):
        query = parse(text, desk.bench.clock.now())
        seen: list[int] = []
        before: int | None = None
        while True:
            page = await desk.control.messages.find(query, before, 3)
            seen += [int(row.mm_id) for row in page.rows]
            if page.more is None:
                break
            before = page.more
        wanted = [one for number, one in enumerate(sent_ids) if number % 3 or not text.endswith("3")]
        assert seen == list(reversed(wanted)), text


async def test_a_search_that_takes_too_long_says_where_it_stands_and_goes_on(desk: Desk) -> None:
    accepted = await asyncio.gather(*(desk.bench.submit(PHONE) for _ in range(450)))
    sent_ids = sorted(one.mm_id for one in accepted)
    time = iter(range(0, 10_000_000, 110_000))  # from one look at the clock to the next
    slow = Messages(desk.bench.store, lambda: next(time))
    query = parse("state:expired", desk.bench.clock.now())
    first = await slow.find(query)
    assert (first.mms, first.stopped) == ((), True)
    assert first.looked_at == 200
    assert first.next == sent_ids[250]
    rest = await slow.find(query, first.next)
    assert (rest.stopped, rest.looked_at, rest.next) == (True, 200, sent_ids[50])
    last = await slow.find(query, rest.next)
    assert (last.stopped, last.looked_at, last.next) == (False, 50, None)


async def test_times_are_those_of_the_submission(desk: Desk) -> None:
    early = (await desk.bench.submit(PHONE)).mm_id
    desk.bench.clock.step(3 * 3600)
    late = (await desk.bench.submit(PHONE)).mm_id
    assert await found(desk, "since:1h") == [late]
    assert await found(desk, "until:1h") == [early]
    assert await found(desk, "-since:1h") == [early]
    assert await found(desk, "since:4h until:2h") == [early]


async def test_what_ended_is_found_by_its_state(desk: Desk) -> None:
    desk.bench.hands[TaskKind.NOTIFY].answers = [Failed("no such number")]
    one = await desk.bench.submit(PHONE)
    await desk.bench.until(trace.RecipientMoved)
    await desk.bench.submit(PHONE)
    assert await found(desk, "state:unreachable") == [one.mm_id]
    assert await found(desk, "state:ended") == [one.mm_id]


@pytest.mark.parametrize("word", ["9" * 19, "9" * 40, "0" * 13, "*", "%", "_", "'; DROP TABLE mm; --", "—"])
async def test_odd_words_are_only_words(desk: Desk, word: str) -> None:
    await desk.bench.submit(PHONE, subject="nothing of the kind")
    assert await found(desk, f'"{word}"') == []


async def test_of_a_few_messages_those_that_match(desk: Desk) -> None:
    """What a list that is open asks about messages that changed."""
    first = await desk.bench.submit(PHONE, subject="Storm warning")
    second = await desk.bench.submit(OTHER, subject="Pollen")
    ids = [first.mm_id, second.mm_id, 17]
    for text, wanted in (
        ("", [second.mm_id, first.mm_id]),
        ("storm", [first.mm_id]),
        (f"to:{OTHER}", [second.mm_id]),
        (f"-to:{OTHER}", [first.mm_id]),
        (str(second.mm_id), [second.mm_id]),
        ("state:retrieved", []),
    ):
        found = await desk.control.messages.among(parse(text, desk.bench.clock.now()), ids)
        assert [row.mm_id for row in found] == [str(one) for one in wanted], text
