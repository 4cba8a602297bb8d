"""The language of the search box: what it means, and where it says that it means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.control.query import FIELDS, LONGEST, PATHS, QueryError, parse
from mmsc.domain.instant import HOUR, Instant, from_datetime, to_datetime
from mmsc.domain.searching import ANY, Field, Term
from mmsc.store.search import PATHS as KNOWN_PATHS

NOW = Instant(1_795_788_341_000_000)  # 2026-11-27T14:05:41Z


def at(text: str) -> int:
    return from_datetime(to_datetime(NOW).fromisoformat(text))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("   ", ()),
        ("state:expired", (Term(Field.STATE, "expired"),)),
        ("STATE:Condition_Not_Met", (Term(Field.STATE, "condition_not_met"),)),
        ("state:open -state:deferred", (Term(Field.STATE, "open"), Term(Field.STATE, "deferred", 0, negated=True))),
        ("to:+1555", (Term(Field.TO, "+1555"),)),
        ("from:4488", (Term(Field.FROM, "4488"),)),
        ("vasp:weather-vasp", (Term(Field.VASP, "weather-vasp"),)),
        ("-peer:any smsc:*", (Term(Field.PEER, ANY, 0, negated=True), Term(Field.SMSC, ANY))),
        ("finding:mm7-r012", (Term(Field.FINDING, "MM7-R012"),)),
        ("finding:any fault:mm7-report-503", (Term(Field.FINDING, ANY), Term(Field.FAULT, "mm7-report-503"))),
        ("run:ci-4711", (Term(Field.RUN, "ci-4711"),)),
        ("since:1h", (Term(Field.SINCE, "1h", NOW - HOUR),)),
        ("until:30min", (Term(Field.UNTIL, "30min", NOW - HOUR // 2),)),
        ("since:14:05", (Term(Field.SINCE, "14:05", at("2026-11-27T14:05:00+00:00")),)),
        ("since:23:00", (Term(Field.SINCE, "23:00", at("2026-11-26T23:00:00+00:00")),)),
        ("since:2026-11-24", (Term(Field.SINCE, "2026-11-24", at("2026-11-24T00:00:00+00:00")),)),
        ("size:>300k", (Term(Field.LARGER, ">300k", 300_000),)),
        ("size:<=1.5m", (Term(Field.SMALLER, "<=1.5m", 1_500_001),)),
        ("size:31923", (Term(Field.LARGER, "31923", 31_922), Term(Field.SMALLER, "31923", 31_924))),
        ("path:MM7", (Term(Field.PATH, "mm7"),)),
        ("storm warning", (Term(Field.WORD, "storm"), Term(Field.WORD, "warning"))),
        ('"storm warning"', (Term(Field.WORD, "storm warning"),)),
        ('-"state:expired"', (Term(Field.WORD, "state:expired", 0, negated=True),)),
        (r'"a \"b\" c"', (Term(Field.WORD, 'a "b" c'),)),
        ('vasp:"two words"', (Term(Field.VASP, "two words"),)),
        ("http://127.0.0.1/m/abc", (Term(Field.WORD, "http://127.0.0.1/m/abc"),)),
        ("+15550142 4488", (Term(Field.WORD, "+15550142"), Term(Field.WORD, "4488"))),
    ],
)
def test_what_a_query_means(text: str, terms: tuple[Term, ...]) -> None:
    assert parse(text, NOW).terms == terms


@pytest.mark.parametrize(
    ("text", "position", "told"),
    [
        ("stat:expired", 0, "No field 'stat'. Did you mean state?"),
        ("vasp:news sate:expired", 10, "No field 'sate'. Did you mean state?"),
        ("qqq:1", 0, "No field 'qqq'. There are state, from, to"),
        ("state:gone", 6, "No state 'gone'."),
        ("state:retreived", 6, "No state 'retreived'. Did you mean retrieved?"),
        ("path:mm9", 5, "No path 'mm9'. Did you mean mm"),
        ("since:soon", 6, "No time 'soon'"),
        ("since:99:99", 6, "No time '99:99'"),
        ("since:999999999999999999d", 6, ""),
        (f"since:{'9' * 400}d", 6, "No time '"),
        (f"size:>{'9' * 400}", 5, "No size '"),
        ("size:big", 5, "No size 'big'"),
        ("-size:300", 0, "-size needs < or >"),
        ('a "b c', 2, "a quote is not closed"),
        ('vasp:""', 6, "vasp: has no value"),
        ("ab\x00c", 2, "a character that is none"),
        ("a " * 21, 40, "more than 20 conditions"),
        ("a" * (LONGEST + 1), LONGEST, "1001 characters"),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(text: str, position: int, told: str) -> None:
    if text == "since:999999999999999999d":
        assert parse(text, NOW).terms[0].number == 0
        return
    with pytest.raises(QueryError) as error:
        parse(text, NOW)
    assert str(error.value).startswith(told)
    assert error.value.position == position


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused_within_it(text: str) -> None:
    places = [0]
    try:
        parse(text, NOW)
    except QueryError as error:
        places.append(error.position)
    assert all(0 <= place <= len(text) for place in places)


@given(st.sampled_from(FIELDS), st.text(st.characters(exclude_characters='"\\'), min_size=1, max_size=20))
def test_a_quoted_value_is_taken_as_it_is(field: str, value: str) -> None:
    try:
        terms = parse(f'{field}:"{value}"', NOW).terms
    except QueryError:
        return
    assert all(term.field in (field, Field.LARGER, Field.SMALLER) for term in terms)


def test_the_paths_are_those_that_the_store_knows() -> None:
    assert set(PATHS) == set(KNOWN_PATHS)
