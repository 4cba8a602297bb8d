"""What looking costs in a large store: counted in steps of SQLite's machine, which grow with the rows that are read and
are the same on any computer. A search by number, identifier, finding or run costs the same among few and among many.

MMSC_TEST_MESSAGES is how many those are (100,000)."""

import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mmsc.domain.instant import HOUR, SECOND, Instant
from mmsc.domain.searching import ANY, Field, MessageQuery, Term
from mmsc.engine.queries.findings import Findings
from mmsc.engine.queries.messages import PATIENCE, Messages, Seen
from mmsc.store.core import Row, SqlValue
from mmsc.store.sqlite_text import numbered
from tests.tidy.project import TOP

sys.path.insert(0, str(TOP / "scripts"))

from fill_store import fill, furnish

NOW = Instant(1_800_000_000 * SECOND)
MANY = int(
    os.environ.get("MMSC_TEST_MESSAGES", "100000")
)  # a million takes minutes to write, and costs no more to read
MOST_STEPS = 150_000  # of one look: a few hundred rows, and what hangs on them
_AT_ONCE = 100


class Machine:
    """A store that counts the steps of its virtual machine, and reads for at most a given number."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self.steps = 0
        self._connection.set_progress_handler(self._stepped, _AT_ONCE)

    def _stepped(self) -> int:
        self.steps += _AT_ONCE
        return 0

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        return self._connection.execute(numbered(sql), params).fetchall()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(
    scope="module",
    params=[20_000, pytest.param(MANY, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with so many messages."""
    path = tmp_path_factory.mktemp("filled") / "mmsc.db"
    fill(path, request.param, 5, body_octets=100, now=NOW)
    furnish(path, NOW)
    return path


@pytest.fixture
def machine(filled: Path) -> Iterator[Machine]:
    opened = Machine(filled)
    yield opened
    opened.close()


def asked(*terms: Term) -> MessageQuery:
    return MessageQuery(terms)


async def shown(machine: Machine, query: MessageQuery, before: int | None = None) -> Sequence[Seen]:
    """A page of 50, with all that a list shows of it."""
    messages = Messages(machine, lambda: 0, lambda: ("smsc:local",))
    found = await messages.find(query, before, 50)
    assert not found.stopped
    return await messages.seen(found.mms)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        (asked(), 50),
        (asked(Term(Field.WORD, "+49170000")), 5),
        (asked(Term(Field.WORD, "+49170001")), 1),
        (asked(Term(Field.TO, "+49170000")), 5),
        (asked(Term(Field.FROM, "+49170001")), 1),
        (asked(Term(Field.FROM, "4488")), 50),
        (asked(Term(Field.WORD, "tx-7919")), 1),
        (asked(Term(Field.TO, "+49170000"), Term(Field.STATE, "expired")), 0),
        (asked(Term(Field.FINDING, "MM7-R012")), 5),
        (asked(Term(Field.FINDING, "MM7-R013")), 0),
        (asked(Term(Field.FAULT, ANY)), 0),
        (asked(Term(Field.RUN, "ci-1")), 5),
        (asked(Term(Field.RUN, "ci-2")), 0),
        (asked(Term(Field.STATE, "retrieved")), 50),
        (asked(Term(Field.SINCE, "", NOW - 2 * HOUR), Term(Field.STATE, "expired")), 0),
    ],
)
async def test_a_look_costs_what_it_shows(machine: Machine, query: MessageQuery, number: int) -> None:
    assert len(await shown(machine, query)) == number
    assert machine.steps <= MOST_STEPS


async def test_a_page_in_the_middle_costs_what_the_first_one_does(machine: Machine) -> None:
    ((first, last),) = await machine.fetch("SELECT min(id), max(id) FROM mm")
    assert isinstance(first, int)
    assert isinstance(last, int)
    machine.steps = 0
    assert len(await shown(machine, asked(), (first + last) // 2)) == 50
    assert machine.steps <= MOST_STEPS


async def test_identifiers_are_found_where_they_are(machine: Machine) -> None:
    ((mm_id, token, transaction_id, smpp_id),) = await machine.fetch(
        "SELECT recipient.mm_id, token, transaction_id, smpp_message_id FROM recipient JOIN sms ON sms.recipient_id ="
        " recipient.id WHERE recipient.mm_id = (SELECT min(id) FROM mm)"
    )
    for word in (str(mm_id), str(token), str(transaction_id), str(smpp_id)):
        machine.steps = 0
        (found,) = await shown(machine, asked(Term(Field.WORD, word)))
        assert found.mm.id == mm_id
        assert machine.steps <= MOST_STEPS, word


async def test_findings_cost_what_there_are(machine: Machine) -> None:
    findings = Findings(machine, lambda: NOW)
    counts = await findings.counts()
    assert [(one.rule, one.count) for one in counts.rows] == [("MM7-R012", 5)]
    assert len(await findings.samples("MM7-R012", "news")) == 5
    assert machine.steps <= MOST_STEPS


async def test_one_message_costs_what_it_has(machine: Machine) -> None:
    ((mm_id,),) = await machine.fetch("SELECT id FROM mm ORDER BY id LIMIT 1 OFFSET 700")
    assert isinstance(mm_id, int)
    machine.steps = 0
    messages = Messages(machine, lambda: 0)
    seen = await messages.one(mm_id)
    assert isinstance(seen, Seen)
    await messages.people(seen.mm)
    await messages.events(mm_id)
    assert machine.steps <= MOST_STEPS


async def test_what_is_nowhere_is_looked_for_no_longer_than_may_be(machine: Machine) -> None:
    """Each look at the clock is 20 ms later: the search ends at a chunk, whatever there is."""
    time = iter(range(0, 1 << 40, PATIENCE // 10))
    messages = Messages(machine, lambda: next(time))
    found = await messages.find(asked(Term(Field.STATE, "rejected")))
    assert found.stopped
    assert found.mms == ()
    rest = await messages.find(asked(Term(Field.STATE, "rejected")), found.next)
    assert rest.looked_at > 0
    assert rest.next is None or rest.next < (found.next or 0)
