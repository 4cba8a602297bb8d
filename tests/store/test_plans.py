"""Every statement that a server runs finds its rows by index, however large the store is.

The statements are read out of the modules of `mmsc/store` themselves, so that a new one is looked at, too.
"""

import ast
import importlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import ModuleType

import asyncpg
import pytest

from mmsc.store import schema
from mmsc.store.postgres import PostgresStore
from mmsc.store.postgres_text import CLAIM as POSTGRES_CLAIM
from mmsc.store.sqlite import _TYPES
from mmsc.store.sqlite_text import CLAIM, numbered
from tests import postgres
from tests.tidy.project import module_of, product_files, tree

# What a person runs, and what is PostgreSQL's own.
OUTSIDE = (
    "reading",
    "stats",
    "verify",
    "export",
    "backup",
    "space",
    "postgres",
    "postgres_text",
    "postgres_writer",
    "sqlite",
    "sqlite_file",
    "checkpoint",
    "schema/__init__",
)
BIG = ("mm", "recipient", "content", "task", "event", "sms", "object")
_WHOLE = re.compile(r"(SELECT|WITH|UPDATE|DELETE FROM|INSERT INTO) ")


def texts(module: ModuleType, name: str) -> Iterator[str]:
    """The SQL of a module: its constants, and the literals in its functions as far as constants make them up."""
    for value in vars(module).values():
        values = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        for text in values:
            if isinstance(text, str):
                yield text
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            try:
                text = eval(compile(ast.Expression(node), name, "eval"), dict(vars(module)))
            except (NameError, TypeError):
                continue  # made up of what is known only when it runs, or no text
            if isinstance(text, str):
                yield text


@contextmanager
def empty_database() -> Iterator[sqlite3.Connection]:
    """A database of ours, as SQLite plans without statistics."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in schema.statements(**_TYPES):
            connection.execute(statement)
        yield connection


def statements() -> list[str]:
    """All that SQLite accepts as a statement; pieces of statements are part of another."""
    with empty_database() as connection:
        return sorted(_understood(connection))


def _understood(connection: sqlite3.Connection) -> set[str]:
    found: set[str] = set()
    for name in product_files():
        if name.startswith("mmsc/store/") and not name.endswith(tuple(f"/{one}.py" for one in OUTSIDE)):
            for text in texts(importlib.import_module(module_of(name)), name):
                if _WHOLE.match(text) and text not in found:
                    try:
                        connection.execute("EXPLAIN " + numbered(text), [None] * 20)
                    except sqlite3.ProgrammingError:
                        found.add(text)  # the number of values is not 20: it was understood
                    except sqlite3.OperationalError:
                        continue
                    else:
                        found.add(text)
    return found


STATEMENTS = statements()


@pytest.fixture(scope="module")
def empty() -> Iterator[sqlite3.Connection]:
    with empty_database() as connection:
        yield connection


def plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    """The steps of SQLite's plan."""
    text = numbered(sql)
    count = max((int(number) for number in re.findall(r"\?(\d+)", text)), default=0)
    return [str(row[3]) for row in connection.execute("EXPLAIN QUERY PLAN " + text, [None] * count)]


def walks(step: str) -> bool:
    """Whether a step reads all of a large table: by its rows or by a whole index."""
    found = re.match(r"SCAN (\w+)", step)
    return found is not None and found[1] in BIG and not step.endswith("USING INDEX task_leased")  # what is in hands


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_statement_walks_through_no_large_table(empty: sqlite3.Connection, sql: str) -> None:
    steps = plan(empty, sql)
    assert not [step for step in steps if walks(step)], f"{sql}\n" + "\n".join(steps)


def test_the_statements_are_all_there() -> None:
    """The check is worth nothing if it reads no statements."""
    assert len(STATEMENTS) > 70
    for part in ("recipient.token =", "mm.repeat_key", "mm.foreign_id =", "lease_until <", "event.mm_id = mm.id"):
        assert any(part in sql for sql in STATEMENTS), part


def test_the_check_sees_a_walk(empty: sqlite3.Connection) -> None:
    assert any(map(walks, plan(empty, "SELECT id FROM recipient WHERE target = $1")))
    assert not any(map(walks, plan(empty, "SELECT id FROM recipient WHERE token = $1")))


async def test_postgresql_has_a_way_by_index_for_each_of_them() -> None:
    """With whole-table scans priced out, a plan that still has one has no other way."""
    name = f"plans{os.getpid()}"
    store = PostgresStore(postgres.server(), schema=name)
    await store.open()
    connection = await asyncpg.connect(postgres.server(), server_settings={"search_path": name})
    walked = []
    try:
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        for number, sql in enumerate([*STATEMENTS, POSTGRES_CLAIM]):
            if sql in CLAIM:  # and its pieces, which are SQLite's
                continue
            numbers = {int(one) for one in re.findall(r"\$(\d+)", sql)}
            count = max(numbers, default=0)
            if len(numbers) != count:  # a piece of another one, which has the rest
                continue
            try:
                await connection.execute(f"PREPARE p{number} AS {sql}")
            except asyncpg.IndeterminateDatatypeError:
                continue  # a piece of a statement that gives its value a type
            nothing = f"({', '.join(['NULL'] * count)})" if count else ""
            steps = [str(row[0]) for row in await connection.fetch(f"EXPLAIN EXECUTE p{number}{nothing}")]
            walked += [
                (sql, step) for step in steps if (found := re.search(r"Seq Scan on (\w+)", step)) and found[1] in BIG
            ]
    finally:
        await connection.close()
        await store.close()
    assert walked == []
