"""The effects of a batch on PostgreSQL: few statements, and the same rows as one by one."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator

import pytest

from mmsc.domain.message import Content, ContentId
from mmsc.store import content, meta
from mmsc.store import postgres_text as text
from mmsc.store.core import Row, Statement, Unit
from mmsc.store.postgres import PostgresStore
from tests.relay import Relay

_numbers = itertools.count()
EVENT = "INSERT INTO event (id, mm_id, at_service, at_real, kind, data) VALUES ($1, $2, $3, $4, $5, $6)"
NODE = "INSERT INTO cdr (node, event_id) VALUES ($1, $2)"


@pytest.fixture
async def store(relay: Relay) -> AsyncIterator[PostgresStore]:
    schema = f"e{os.getpid()}_{next(_numbers)}"
    one = PostgresStore(f"postgresql://postgres@127.0.0.1:{relay.port}/postgres", schema=schema)
    await one.open()
    yield one
    await one.close()


def event(number: int) -> Row:
    """With what arrays have to carry: NULL, 64 bits, every sort of character."""
    return (number, number if number % 2 else None, 2**62 + number, -1, 'a"b\\,{}', f"NULL 'ß€😀' {number}")


def unit(number: int, octets: int = 0) -> Unit:
    body = number.to_bytes(2, "big") * (octets // 2)
    stored = content.insert(ContentId(number), Content("image/jpeg", body, ()))
    return Unit(
        Statement(f"{text.native(NODE)} ON CONFLICT (node, event_id) DO NOTHING RETURNING node", ("n", number)),
        (stored, Statement(EVENT, event(number)), Statement(EVENT, event(1000 + number))),
        octets=octets,
    )


async def test_inserts_are_one_round_trip(relay: Relay, store: PostgresStore) -> None:
    """Begin, the guards, all inserts together, the COMMIT."""
    await asyncio.gather(*(store.commit(unit(number)) for number in range(20)))  # prepares the statements
    sent: list[bytes] = []

    def decide(octets: bytes) -> str:
        sent.append(octets)
        return ""

    relay.decide = decide
    await asyncio.gather(*(store.commit(unit(number)) for number in range(20, 40)))
    assert len(sent) == 4, sent


async def test_rows_are_what_they_would_be_one_by_one(store: PostgresStore) -> None:
    units = [unit(number) for number in range(20)]
    await asyncio.gather(*map(store.commit, units))
    rows = await store.fetch("SELECT id, mm_id, at_service, at_real, kind, data FROM event ORDER BY id")
    assert rows == [event(number) for number in (*range(20), *range(1000, 1020))]


async def test_large_values_go_in_pieces(store: PostgresStore) -> None:
    """Arrays are copied on their way: what is large is never all in one."""
    units = [unit(number, 1_500_000) for number in range(1, 8)]
    await asyncio.gather(*map(store.commit, units))
    rows = await store.fetch("SELECT id, length(body), substr(body, 1, 2) FROM content ORDER BY id")
    assert rows == [(number, 1_500_000, number.to_bytes(2, "big")) for number in range(1, 8)]


async def test_what_names_another_table_does_not_part_inserts(relay: Relay, store: PostgresStore) -> None:
    """Begin, the inserts, the other effect before them, the COMMIT."""

    def both(number: int) -> Unit:
        other = meta.write(f"k{number}", "v")
        return Unit(None, (Statement(EVENT, event(number)), other, Statement(NODE, ("n", number))))

    await store.commit(both(1))
    sent: list[bytes] = []

    def decide(octets: bytes) -> str:
        sent.append(octets)
        return ""

    relay.decide = decide
    await store.commit(both(2))
    assert len(sent) == 4, sent
    assert [await store.fetch_one(f"SELECT COUNT(*) FROM {table}") for table in ("event", "cdr")] == [(2,), (2,)]


async def test_what_reads_runs_behind_the_inserts_before_it(store: PostgresStore) -> None:
    count = "INSERT INTO meta (key, value) SELECT $1, CAST(COUNT(*) AS TEXT) FROM event"
    first, second = Statement(EVENT, event(1)), Statement(NODE, ("n", 2))
    units = [Unit(None, (first, Statement(count, ("seen",)), second)), Unit(None, (Statement(EVENT, event(3)),))]
    await asyncio.gather(*map(store.commit, units))
    assert await meta.read(store, "seen") == "2", "effects of one text run together, those of the batch"


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        (EVENT, True),
        (NODE, True),
        (f"{NODE} ON CONFLICT (node, event_id) DO NOTHING", False),
        (f"{NODE} RETURNING node", False),
        ("INSERT INTO cdr (node, event_id) VALUES ($2, $1)", False),
        ("INSERT INTO cdr (node, event_id) VALUES ($1, 5)", False),
        ("INSERT INTO meta (key, value) SELECT $1, $2", False),
        ("DELETE FROM task WHERE id = $1", False),
    ],
)
def test_only_plain_inserts_become_arrays(sql: str, plain: bool) -> None:
    assert text.is_plain_insert(sql) is plain


async def test_a_row_that_cannot_be_written_is_its_units_alone(store: PostgresStore) -> None:
    good, bad = unit(1), Unit(None, (Statement(EVENT, event(7)), Statement(EVENT, event(7))))
    outcomes = await asyncio.gather(
        store.commit(good), store.commit(bad), store.commit(unit(2)), return_exceptions=True
    )
    assert [outcomes[0], outcomes[2]] == [[("n",)], [("n",)]]
    assert isinstance(outcomes[1], Exception)
    assert await store.fetch_one("SELECT COUNT(*) FROM event") == (4,)
