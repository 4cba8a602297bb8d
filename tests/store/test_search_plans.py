"""Whatever is searched for, each statement finds its rows by index: of the driver's ids, or within a range of ids."""

import re
import sqlite3
from collections.abc import Iterator

import pytest

from mmsc.domain.searching import ANY, Field, Term
from mmsc.store import search
from mmsc.store.core import Row, SqlValue
from mmsc.store.sqlite_text import numbered
from tests.store.test_plans import empty_database, plan, walks

TERMS = (
    Term(Field.WORD, "text"),
    Term(Field.STATE, "expired"),
    Term(Field.STATE, "open"),
    Term(Field.FROM, "+1555"),
    Term(Field.TO, "+1555"),
    Term(Field.VASP, "news"),
    Term(Field.PEER, ANY),
    Term(Field.SMSC, "local"),
    Term(Field.FINDING, "MM7-R012"),
    Term(Field.FAULT, ANY),
    Term(Field.RUN, "ci"),
    Term(Field.RUN, ANY),
    Term(Field.SINCE, "", 5),
    Term(Field.UNTIL, "", 5),
    Term(Field.LARGER, "", 5),
    *(Term(Field.PATH, path) for path in search.PATHS),
)


class Asked:
    """A store that answers nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        numbers = {int(one) for one in re.findall(r"\$(\d+)", sql)}
        assert numbers == set(range(1, len(params) + 1)), sql
        self.texts.append(sql)
        return [(None, 0)] if sql.startswith("SELECT min(id)") else []


@pytest.fixture(scope="module")
def empty() -> Iterator[sqlite3.Connection]:
    with empty_database() as connection:
        yield connection


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("term", TERMS)
async def test_no_search_walks_through_a_large_table(
    empty: sqlite3.Connection, term: Term, exact: bool, negated: bool
) -> None:
    one = Term(term.field, term.text, term.number, negated)
    wanted = search.Wanted((one,), frozenset((one,)) if exact and term.field in _ADDRESSES else frozenset())
    asked = Asked()
    driver = search.driver_of(wanted)
    await search.chunk(asked, driver, 1 << 62, 200)
    await search.found(asked, wanted, driver, (1, 1 << 62, 200), 50)
    await search.among(asked, search.Wanted(wanted.terms, wanted.exact, (1, 2)), 1 << 62, 50)
    for text in asked.texts:
        steps = plan(empty, text)
        assert not [step for step in steps if walks(step)], f"{text}\n" + "\n".join(steps)


_ADDRESSES = (Field.FROM, Field.TO, Field.WORD)


def test_the_drivers_are_read_in_their_order(empty: sqlite3.Connection) -> None:
    """A page of the newest costs as many rows as it has, however many there are."""
    exact = Term(Field.TO, "+15550100123")
    for wanted in (
        search.Wanted(()),
        search.Wanted((exact,), frozenset((exact,))),
        search.Wanted((Term(Field.FINDING, ANY),)),
        search.Wanted((Term(Field.RUN, "ci"),)),
    ):
        steps = plan(empty, numbered(search.driver_of(wanted).sql))
        assert not [step for step in steps if "TEMP B-TREE" in step], steps
