"""The tree of a view, and the byte tabs: every octet belongs to the innermost field that says something of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.console.octets import AT_FIRST, COLUMNS, MOST, as_text, lines
from mmsc.trace.view import look
from mmsc.trace.view.fields import Dissection, dissect
from tests.cases import Case, cases
from tests.trace.stories import stories, story

ALL = [one for name in ("mm1", "wsp", "tpdu", "smpp", "mm7", "mm4", "eaif") for one in cases(name) if one.octets]


def check(found: Dissection) -> None:
    numbers = [node.number for node in found.nodes()]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    for node in found.nodes():
        assert node.start == node.end == -1 or 0 <= node.start <= node.end <= len(found.buffers[node.buffer])
    for level in found.levels:
        octets = found.buffers[level.buffer][level.start : level.end]
        rows = lines(found, level)
        shown = bytes.fromhex("".join(run.hexed for row in rows for run in row.runs))
        hidden = sum(row.hidden for row in rows)
        assert len(shown) + hidden == len(octets)
        assert len(shown) <= MOST + COLUMNS
        for row in rows:
            text = " ".join(run.hexed for run in row.runs)
            at = row.offset
            assert bytes.fromhex(text.replace(" ", "")) == (b"" if row.hidden else octets[at : at + COLUMNS])
    assert len({level.key for level in found.levels}) == len(found.levels)


@pytest.mark.parametrize("case", ALL, ids=lambda one: one.stem)
def test_every_golden_has_a_tree_whose_places_are_octets(case: Case) -> None:
    check(dissect(look(case.octets)))


@given(st.sampled_from(ALL), st.data())
def test_whatever_is_changed_has_one(case: Case, data: st.DataObject) -> None:
    octets = bytearray(case.octets)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    check(dissect(look(bytes(octets)[: data.draw(st.integers(1, len(octets)))])))


@pytest.mark.parametrize("name", stories())
def test_pdus_of_stories_have_one(name: str) -> None:
    for one in story(name).traffic().pdus:
        found = dissect(one.view)
        check(found)
        assert found.level("nonsense") in found.levels
        for run in as_text(found, found.levels[0]):
            assert run.field >= 0


def test_an_octet_leads_to_its_field_and_the_field_to_its_octets() -> None:
    pdu = next(one for one in story("retrieved").traffic().pdus if one.named.beneath == "m-notification-ind")
    found = dissect(pdu.view)
    level = found.level("")
    assert (level.key, level.name) == ("short_message", "short_message")
    place = next(node for node in found.nodes() if node.name == "X-Mms-Content-Location")
    first = place.start - level.start
    assert found.at(level, first + 3, first + 5) == place
    assert b"http://" in found.buffers[place.buffer][place.start : place.end]
    assert [one.key for one in found.levels] == ["smpp", "short_message", "push", "mms"]
    assert (first, first + place.length, place.number) in found.runs(level)


def test_of_a_large_field_the_ends_are_shown() -> None:
    octets = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + bytes(40_000)
    rows = lines(found := dissect(look(octets)), found.levels[0], most=AT_FIRST)
    [hidden] = [row for row in rows if row.hidden]
    assert hidden.hidden > 38_000
    assert "image/jpeg" in hidden.what
    assert len(rows) < 80


def test_what_cannot_be_read_begins_behind_the_last_part_that_could() -> None:
    octets = next(one.octets for one in cases("mm4") if one.stem.startswith("13-"))
    problems = [node for node in dissect(look(octets)).nodes() if node.kind == "problem"]
    assert len(problems) == 2
    assert {octets[node.start : node.end][:13] for node in problems} == {b"\r\n--b\r\nConten"}
