"""Repeats judged recipient by recipient, and identifiers that come again with something else (semantics 3)."""

import asyncio
from dataclasses import replace

import pytest

from mmsc.domain.instant import DAY, SECOND, Instant
from mmsc.domain.message import Interface, Origin, RecipientId, RecipientSpec, Role, Submission, TaskKind
from mmsc.engine import repeats
from mmsc.engine.ports import Accepted, ResMm4
from mmsc.engine.repeats import Identifiers
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, OTHER, PHONE, Bench

THIRD = "+15550100125"


def mail(bench: Bench, *to: str, **changes: object) -> Submission:
    """A forward of peer `other`; always the same ids and content."""
    changes = {"foreign_id": "m1@other", "repeat_key": b"k", "repeats_by_recipient": True, **changes}
    changes = {"origin": Origin(Interface.MM4, "other"), "sender": FOREIGN, **changes}
    return bench.submission(*to, **changes)


async def take(bench: Bench, submission: Submission, res: ResMm4 | None = None) -> Accepted:
    outcome = await bench.engine.submit.accept(submission, res=res)
    assert isinstance(outcome, Accepted), outcome
    outcome.answered()
    return outcome


async def served(bench: Bench) -> list[str]:
    rows = await bench.store.fetch("SELECT address FROM recipient WHERE route != 'none' ORDER BY address")
    return [str(row[0]) for row in rows]


@pytest.mark.parametrize(
    "mails",
    [
        ([PHONE, OTHER], [PHONE]),
        ([PHONE], [PHONE, OTHER]),
        ([PHONE], [OTHER]),
        ([PHONE], [OTHER], [OTHER, PHONE]),
        ([PHONE], [PHONE, OTHER], [OTHER], [PHONE]),
        ([PHONE, "+19990100123"], [PHONE, "+19990100123"], [OTHER, "+19990100123"]),
        ([PHONE, "no number!"], [OTHER, "no number!"], ["no number!", PHONE]),
    ],
    ids=str,
)
async def test_nobody_is_served_twice_and_everybody_once(bench: Bench, mails: tuple[list[str], ...]) -> None:
    """A relay that splits a mail, or tries a part of it again, changes nothing for the recipients."""
    known: set[str] = set()
    for to in mails:
        accepted = await take(bench, mail(bench, *to), ResMm4("other", {"ok": "yes"}))
        new = {one for one in to if one in (PHONE, OTHER)} - known
        known |= new
        assert accepted.repeat == (not new)
        assert accepted.message_id == "m1@other"
    assert await served(bench) == [PHONE, OTHER]
    await bench.until(trace.ReportDelivered, len(mails))
    assert len(bench.hands[TaskKind.RES_MM4].jobs) == len(mails), "each mail has its RES"


async def test_all_pieces_at_once(bench: Bench) -> None:
    pieces = [[PHONE], [OTHER], [PHONE, OTHER], [OTHER], [PHONE]]
    await asyncio.gather(*(take(bench, mail(bench, *to)) for to in pieces))
    assert await served(bench) == [PHONE, OTHER]


async def test_who_was_served_before_is_still_shown(bench: Bench) -> None:
    await take(bench, mail(bench, PHONE))
    hidden = RecipientSpec(PHONE, Role.BCC)
    await take(bench, mail(bench, recipients=(RecipientSpec(PHONE), RecipientSpec(OTHER, Role.CC))))
    await take(bench, mail(bench, repeat_key=b"other", recipients=(hidden,)))
    again = mail(bench, repeat_key=b"other", recipients=(hidden, RecipientSpec(OTHER)))
    await take(bench, again)
    records = [await bench.engine.recent.by_id(one) for one in await ids_of(bench, OTHER)]
    shown = [record.mm.shown_to for record in records if record is not None]
    assert shown == [((Role.TO, PHONE), (Role.CC, OTHER)), ((Role.TO, OTHER),)]


async def ids_of(bench: Bench, address: str) -> list[RecipientId]:
    rows = await bench.store.fetch("SELECT id FROM recipient WHERE address = $1 ORDER BY id", address)
    return [RecipientId(int(str(row[0]))) for row in rows]


async def test_each_piece_has_a_window_of_its_own(bench: Bench) -> None:
    await take(bench, mail(bench, PHONE))
    bench.clock.advance(0.6 * DAY / SECOND)
    await take(bench, mail(bench, OTHER))
    bench.clock.advance(0.6 * DAY / SECOND)
    later = await take(bench, mail(bench, PHONE, OTHER))
    assert not later.repeat
    assert await served(bench) == [PHONE, PHONE, OTHER], "the first is over a day old, the second is not"
    assert (await take(bench, mail(bench, PHONE, OTHER))).repeat


async def test_who_came_with_a_later_piece_is_not_served_again_when_the_first_is_too_old(bench: Bench) -> None:
    await take(bench, mail(bench, PHONE))
    bench.clock.advance(0.9 * DAY / SECOND)
    await take(bench, mail(bench, PHONE, OTHER))
    bench.clock.advance(0.3 * DAY / SECOND)
    for to in ([OTHER], [OTHER, "no number!"]):
        assert (await take(bench, mail(bench, *to))).repeat
    assert await served(bench) == [PHONE, OTHER]


async def test_the_pieces_of_a_mail_are_no_other_requests(bench: Bench) -> None:
    """A relay that splits a mail restarts no counter: there is nothing to remark."""
    for to in ([PHONE], [OTHER], [PHONE, OTHER, THIRD], [OTHER]):
        await take(bench, mail(bench, *to, identifier="t1"))
    assert await served(bench) == [PHONE, OTHER, THIRD]
    assert not [event for event in bench.events if isinstance(event.data, trace.FindingNoted)]


async def test_other_content_is_another_request(bench: Bench) -> None:
    await take(bench, mail(bench, PHONE, identifier="t1"))
    await take(bench, mail(bench, PHONE, identifier="t1", repeat_key=b"else"))
    assert await served(bench) == [PHONE, PHONE]
    (finding,) = await bench.until(trace.FindingNoted)
    assert isinstance(finding, trace.FindingNoted)
    assert (finding.rule, finding.source) == ("MM4-R004", "peer:other")
    await take(bench, mail(bench, PHONE, identifier="t1"))
    await bench.at_rest()
    assert len(await bench.until(trace.FindingNoted)) == 1, "a repeat is none"


async def test_a_split_mail_that_goes_on_to_another_peer(bench: Bench) -> None:
    """Two forwards with one X-Mms-Message-ID: a RES is about the one with its transaction id, a report about the
    recipient it names."""
    pieces = ("+16660100123", "+16660100124")
    for to in pieces:
        await take(bench, replace(mail(bench, to), origin=Origin(Interface.MM4, "third"), sender=PHONE))
    await bench.until(trace.ForwardSent, 2)
    jobs = bench.hands[TaskKind.FORWARD].jobs
    second = next(job for job in jobs if job.recipients[0].address.value == pieces[1])
    news = bench.engine.peer_reports
    tid = second.payload["transaction_id"]
    assert await news.forward_answered("other", "m1@other", ok=False, because="no", transaction_id=tid)
    assert [await bench.state(one) for one in pieces] == ["relayed", "rejected"]
    assert await news.forward_answered("other", "m1@other", ok=True, because="", transaction_id="unknown")
    assert not await news.forward_answered("other", "m2@other", ok=True, because="", transaction_id=tid)


def test_identifiers_are_forgotten_in_time_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_REMEMBERED_IDENTIFIERS", 2)
    known = Identifiers(window=100)

    def come(identifier: str, digest: bytes | None, at: int) -> bool:
        origin = Origin(Interface.MM7, "news")
        submission = Submission(
            origin=origin, sender="1", recipients=(), content=None, repeat_key=digest, identifier=identifier
        )
        return known.remark(submission, Instant(at)) is not None

    assert not come("a", b"1", 0)
    assert not come("a", b"1", 1)
    assert come("a", b"2", 2)
    assert not come("a", b"3", 103), "the window is over"
    assert not come("b", b"1", 103)
    assert not come("c", b"1", 103)
    assert not come("a", b"4", 104), "pushed out by others"
    assert not come("", b"5", 104)
    assert not come("c", None, 104)
