"""What may be expected of a value, and how near a thing came."""

import re
from typing import Any

import pytest

from mmsc.client.looking import Seen, Wanted, lines, misses, nearest, tree_fields, wanted
from mmsc.client.patterns import Unknown, filled, fits, found, said
from mmsc.client.times import seconds_of


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("Retrieved", "Retrieved", True),
        ("Retrieved", "retrieved", False),
        ("*", "anything", True),
        ("*", None, False),
        ("any", 0, True),
        ("absent", None, True),
        (None, None, True),
        ("absent", "there", False),
        ("Ret*", "Retrieved", True),
        ("*web link*", "by the web link\nof today", True),
        ("a.c", "abc", False),
        ("/^Re.*d$/", "Retrieved", True),
        ("/x/", "Retrieved", False),
        ("1..100", 31, True),
        ("1..100", "31", True),
        ("1..100", 101, False),
        ("1..100", "text", False),
        (1000, "1000", True),
        ("1000", 1000, True),
        ("0010", "10", True),
        ("+15550000001", "15550000001", False),
        ("+15550000001", "+15550000001/TYPE=PLMN", True),
        (True, "true", True),
        ("true", True, True),
        (False, True, False),
        (["Retrieved", "Rejected"], "Rejected", True),
        (["Retrieved", "Rejected"], "Expired", False),
        (["Retrieved", "absent"], None, False),
        ([1, 2], [1, 2], True),
        ([1, 2], [1], False),
        ({"Value": "+1*", "Form": "Number"}, {"Value": "+1555", "Form": "Number"}, True),
        ({"Value": "+1*", "Form": "ShortCode"}, {"Value": "+1555", "Form": "Number"}, False),
        ({"not": "Expired"}, "Retrieved", True),
        ({"not": "Expired"}, "Expired", False),
        ("+1555", {"Value": "+1555", "Form": "Number"}, True),
        ("b", ["a", "b"], True),
    ],
)
def test_a_pattern_fits_what_it_says(pattern: Any, value: Any, expected: bool) -> None:
    assert fits(pattern, value) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a*b*c", "a--b--c", True),
        ("a*b*c", "a--c--b", False),
        ("ab*ba", "aba", False),
        ("**", "", True),
        ("*a" * 30 + "b", "a" * 100_000, False),
        ("/foo.*bar/", "xfoo" + "-" * 9000 + "bar", True),
        ("/^20\\d{2}-\\d{2}-\\d{2}T\\d{2}:\\d{2}/", "2026-11-27T14:03:00Z and some more of it" * 4, True),
        ("/(Storm|Rain) (warn|alert)/", "Rain alert", True),
        ("/(?P<a>x)?(?:y)[)*+]/", "y+", True),
    ],
)
def test_patterns_take_no_longer_than_their_text(pattern: str, text: str, expected: bool) -> None:
    assert fits(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern",
    ["/(a+)+$/", "/(a|aa)+$/", "/((a)*b?)*$/", "/(?:(?:a*))*$/", "/(a?){60}$/", f"/{'a?' * 40}{'a' * 40}/", "/[/"],
)
def test_what_is_no_expression_or_one_without_end_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=re.escape(pattern[:20])):
        fits(pattern, "a" * 60 + "!")


def test_variables_are_put_in_wherever_they_stand_and_an_unknown_one_is_named() -> None:
    given = {"id": "$mid", "all": ["${mid}x", {"deep": "a $mid"}], "regex": "/^$/", "number": 5}
    assert filled(given, {"mid": "7"}) == {"id": "7", "all": ["7x", {"deep": "a 7"}], "regex": "/^$/", "number": 5}
    with pytest.raises(Unknown, match=r"\$nobody was not saved"):
        filled("$nobody", {})


@pytest.mark.parametrize("name", ["MessageID", "message_id", "Message-ID", "X-Mms-Message-ID", "outer.message_id"])
def test_a_field_is_found_in_any_spelling_however_deep(name: str) -> None:
    fields = {"Header": {"Other": 1}, "Outer": {"X-Mms-Message-ID": "abc"}, "List": [{"deep": "down"}]}
    assert found(fields, name) == "abc"
    assert found(fields, "deep") == "down"
    assert found(fields, "nowhere") is None
    assert found(fields, "Outer.nowhere") is None


def test_the_nearest_is_told_in_aligned_lines() -> None:
    wish = Wanted("vasp_got", "DeliveryReportReq", {"MMStatus": "Retrieved", "Recipient": "+15550000001"}, {})
    seen = [
        Seen(("1",), "ReadReplyReq", {"MMStatus": "Retrieved", "Recipient": "+15550000001"}),
        Seen(("2",), "DeliveryReportReq", {"MMStatus": "Expired", "Recipient": "+15550000002"}),
        Seen(("3",), "DeliveryReportReq", {"MMStatus": "Expired", "Recipient": {"Value": "+15550000001"}}),
    ]
    assert misses(seen[0], wish) == [""]
    assert nearest(seen, wish) is seen[2]
    expected, got = lines(wish, nearest(seen, wish))
    assert expected == "DeliveryReportReq  MMStatus=Retrieved  Recipient=+15550000001"
    assert got == "DeliveryReportReq  MMStatus=Expired    Recipient=+15550000001"
    assert lines(wish, None)[1] == "nothing of the kind"
    assert nearest([], wish) is None


def test_an_expectation_is_of_one_thing() -> None:
    assert wanted({"event": "mm.accepted", "fields": {"a": "$b"}}, {"b": 1}, "7").fields == {"a": "1"}
    with pytest.raises(ValueError, match="names none"):
        wanted({"fields": {}}, {}, "7")
    with pytest.raises(ValueError, match="names vasp_got and event"):
        wanted({"event": "x", "vasp_got": "y"}, {}, "7")
    with pytest.raises(ValueError, match="needs `phone`"):
        wanted({"phone_got": "message"}, {}, "7")


def test_the_fields_of_a_decoded_pdu_are_those_of_its_tree() -> None:
    inner = [{"name": "X-Mms-Status", "value": "Retrieved"}, {"name": "Body", "children": [{"name": "a", "value": 1}]}]
    assert tree_fields({"tree": [{"name": "MMS", "value": "", "children": inner}]}) == {
        "X-Mms-Status": "Retrieved",
        "a": 1,
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30 s", 30), ("250 ms", 0.25), ("5 min", 300), ("2h", 7200), ("1 day", 86_400), ("PT1H30M", 5400)],
)
def test_times_are_written_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "P", "PT", "1 fortnight", "-5 s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time such as"):
        seconds_of(text)


def test_values_are_said_short_and_on_one_line() -> None:
    assert said("a\nb") == "a b"
    assert len(said("x" * 100)) == 60
    assert said(None) == "absent"
