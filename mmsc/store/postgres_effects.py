"""The effects of a batch's winners, in few statements: what an execution costs by itself is more than its row does.

Effects of one text run together, texts in the order in which they first come. Plain inserts are one statement, with
arrays for the values of their rows: they read nothing, so they wait until another text names a table of theirs.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import asyncpg

from mmsc.store import postgres_text as text
from mmsc.store.committer import Result
from mmsc.store.core import LOST, SqlValue, Statement, Unit

Connection: TypeAlias = "asyncpg.Connection[Any]"
Rows: TypeAlias = list[tuple[SqlValue, ...]]
_LONGEST_NOTICE: Final = 7000  # octets; NOTIFY takes 8000
_OCTETS_AT_ONCE: Final = 4 * 1024 * 1024  # of large values: arrays of them are copied several times on their way


class Effects:
    """Knows the types of what is inserted: PostgreSQL was asked once."""

    def __init__(self) -> None:
        self._types: dict[str, list[str]] = {}

    async def apply(self, connection: Connection, units: Sequence[Unit], results: Sequence[Result]) -> str | None:
        """Run the winners' effects; the lanes in which they made work for anybody, None when in none."""
        winners = [unit for unit, result in zip(units, results, strict=True) if result is not LOST]
        for some in _pieces(winners):
            await self._run(connection, some)
        return _notice(winners)

    async def _run(self, connection: Connection, units: Sequence[Unit]) -> None:
        effects: dict[str, Rows] = {}
        for unit in units:
            for effect in unit.effects:
                effects.setdefault(effect.sql, []).append(effect.params)
        inserts: dict[str, Rows] = {}
        for sql, many in effects.items():
            if text.is_plain_insert(sql):
                inserts[sql] = many
                continue
            if any(text.mentions(sql, insert) for insert in inserts):
                await self._insert(connection, inserts)
                inserts = {}
            if len(many) == 1:
                await connection.execute(text.native(sql), *many[0])
            else:
                await connection.executemany(text.native(sql), many)
        if inserts:
            await self._insert(connection, inserts)

    async def _insert(self, connection: Connection, inserts: dict[str, Rows]) -> None:
        sqls = sorted(inserts)  # whatever comes first: few combinations, so few statements that are prepared
        types = [await self._types_of(connection, sql) for sql in sqls]
        arrays = [column for sql in sqls for column in zip(*inserts[sql], strict=True)]
        await connection.execute(text.inserts_of_arrays(sqls, types), *arrays)

    async def _types_of(self, connection: Connection, sql: str) -> list[str]:
        known = self._types.get(sql)
        if known is None:
            prepared = await connection.prepare(sql)
            known = self._types[sql] = [parameter.name for parameter in prepared.get_parameters()]
        return known


def _pieces(units: Sequence[Unit]) -> Iterator[Sequence[Unit]]:
    """The units in order, in pieces with no more large values than may be on their way at once."""
    start, octets = 0, 0
    for number, unit in enumerate(units):
        more = _octets(unit)
        if octets and octets + more > _OCTETS_AT_ONCE:
            yield units[start:number]
            start, octets = number, 0
        octets += more
    yield units[start:]


def _octets(unit: Unit) -> int:
    """Of the large values that go to the database: a body in object storage does not."""
    if not unit.octets:
        return 0
    return sum(len(value) for effect in unit.effects for value in effect.params if isinstance(value, bytes))


def _notice(winners: Sequence[Unit]) -> str | None:
    lanes: set[str] = set()
    for unit in winners:
        if unit.guard is not None:
            lanes |= _woken_by(unit.guard)
        for effect in unit.effects:
            lanes |= _woken_by(effect)
    if not lanes:
        return None
    notice = "\n".join(sorted(lanes))
    return notice if len(notice.encode()) <= _LONGEST_NOTICE else ""


def _woken_by(statement: Statement) -> frozenset[str]:
    return frozenset() if statement.wakes is None else frozenset((statement.wakes,))
