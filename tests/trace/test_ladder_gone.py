"""Ladders of PDUs whose octets left the ring: events tell what they were."""

from dataclasses import replace

import pytest

from mmsc.control.traffic import Traffic
from mmsc.trace.ladder import GONE, Ladder, Row, RowKind, Wishes, ladder, read
from mmsc.trace.ladder.compare import align, marks
from mmsc.trace.ladder.svg import svg
from mmsc.trace.ladder.text import text
from mmsc.trace.rings import INTERFACES, NEVER
from tests.trace.stories import stories, story

MINUTE = 60_000_000


def forgotten(traffic: Traffic, kept: int = 0, folds: bool = False) -> Ladder:
    """The ladder when the ring has only the last PDUs of it."""
    pdus = read([(one.record, one.octets) for one in traffic.pdus[len(traffic.pdus) - kept :]])
    since = pdus[0].record.at_real + MINUTE if pdus else NEVER
    about = replace(traffic.about, kept_since=dict.fromkeys(INTERFACES, since))
    return ladder(traffic.events, pdus, about, Wishes(folds=folds))


def arrows(found: Ladder) -> list[Row]:
    return [row for row in found.rows if row.source >= 0 and row.target >= 0]


def named(found: Ladder) -> list[tuple[str, str]]:
    """Arrows by name (without the path of a GET) and by who sent them, in order."""
    return [(row.name.partition(" ")[0], found.columns[row.source].name) for row in arrows(found)]


@pytest.mark.parametrize("name", ["retrieved", "rejected", "link", "mm4-out", "phone-to-phone", "report-retried"])
def test_an_emptied_ring_leaves_names_and_ends(name: str) -> None:
    """The same arrows as before, but for what no event tells of (a page viewed again)."""
    whole = story(name).traffic()
    before, after = named(whole.ladder(Wishes(folds=False))), named(forgotten(whole))
    assert after == [one for index, one in enumerate(before) if name != "link" or index < len(before) - 1]
    assert all(row.gone and row.note == GONE for row in arrows(forgotten(whole)))


def test_events_say_what_came_of_it() -> None:
    found = forgotten(story("retrieved").traffic())
    told = {row.name: (row.beneath, row.answer and row.answer.text) for row in arrows(found)}
    assert told["SubmitReq"] == ("", "accepted")
    assert told["submit_sm"] == ("m-notification-ind", "taken")
    assert told["m-notifyresp-ind"] == ("Retrieved", None)
    assert told["DeliveryReportReq"] == ("retrieved", "taken")
    assert found.first == "SubmitReq"


def test_an_attempt_that_failed_is_not_called_unsent() -> None:
    rows = [row for row in arrows(forgotten(story("report-retried").traffic())) if row.name == "DeliveryReportReq"]
    assert [(row.failed, row.beneath) for row in rows] == [(True, ""), (True, ""), (False, "retrieved")]


def test_notes_do_not_repeat_what_an_arrow_tells() -> None:
    found = forgotten(story("retrieved").traffic())
    assert [row.text.partition(":")[0] for row in found.rows if row.kind is RowKind.NOTE] == [
        "accepted",
        "notified",
        "retrieved",
    ]


@pytest.mark.parametrize("name", stories())
def test_what_is_still_there_is_drawn_once(name: str) -> None:
    """Whatever is left of it, no arrow is told twice: never more of a name than the whole has (an answer
    without its request has a name of its own)."""
    whole = story(name).traffic()
    most = named(whole.ladder(Wishes(folds=False)))
    for kept in range(len(whole.pdus) + 1):
        found = named(forgotten(whole, kept))
        assert all(found.count(one) <= most.count(one) for one in set(most)), kept


def test_a_ring_that_forgot_nothing_draws_nothing_from_events() -> None:
    whole = story("retrieved").traffic()
    about = replace(whole.about, kept_since=dict.fromkeys(INTERFACES, whole.pdus[0].record.at_real))
    assert text(ladder(whole.events, whole.pdus, about)) == text(whole.ladder())


def test_text_and_picture_say_so() -> None:
    found = forgotten(story("retrieved").traffic())
    assert ":::> octets gone: told by events" in text(found).splitlines()
    assert "|::SubmitReq:::" in text(found)
    assert svg(found).count(GONE) == len(arrows(found))


def test_five_phones_fold_without_numbers() -> None:
    rows = arrows(forgotten(story("five-phones").traffic(), folds=True))
    assert [(row.name, row.numbers) for row in rows if row.count > 1] == [("DeliveryReportReq ×5", ())]


def test_compared_with_another_only_that_is_known() -> None:
    whole = story("retrieved").traffic()
    pairs = align(whole.ladder().rows, forgotten(whole).rows)
    assert {marks(pair) for pair in pairs} == {("octets",)}
    gone = forgotten(whole).rows
    assert {marks(pair) for pair in align(gone, gone)} == {()}
