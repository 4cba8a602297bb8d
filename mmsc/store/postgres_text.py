"""SQL that only PostgreSQL knows: the claim of due tasks, its clock, and the table of its writers."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Final

from mmsc.store.core import TASK_PRIORITIES

TYPES: Final = {"id": "BIGINT", "blob": "BYTEA", "bigint": "BIGINT", "then_id": ", id"}
NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"  # leases run on the database's clock

_INSERT: Final = re.compile(r"INSERT INTO \w+ \([\w, ]+\) VALUES \((?P<values>[$\d, ]+)\)")

_WANTED: Final = """
wanted AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::bigint[], $7::text[], $8::bigint[])
    AS wanted (lane, seats, after, sign))"""
# The owners of each lane and priority, found by jumping from one to the next in the index. Not by MIN: where nothing is
# known of the table yet, the planner takes what waits for a few rows, and reads them all.
_OWNERS: Final = f"""
urgency (priority) AS (VALUES {", ".join(f"({priority}::bigint)" for priority in TASK_PRIORITIES)}),
owners AS (
    SELECT wanted.*, urgency.priority, (SELECT task.owner FROM task WHERE state = 'ready'
        AND lane = wanted.lane AND priority = urgency.priority ORDER BY task.owner LIMIT 1) AS name FROM wanted, urgency
    UNION ALL
    SELECT lane, seats, after, sign, priority, (SELECT task.owner FROM task WHERE state = 'ready'
        AND lane = owners.lane AND priority = owners.priority AND task.owner > owners.name
        ORDER BY task.owner LIMIT 1)
    FROM owners WHERE name IS NOT NULL),
served AS MATERIALIZED (
    SELECT *, count(*) OVER (PARTITION BY lane, priority) AS many FROM owners WHERE name IS NOT NULL
    AND (SELECT due_at FROM task WHERE state = 'ready' AND lane = owners.lane AND priority = owners.priority
         AND task.owner = owners.name ORDER BY due_at LIMIT 1) <= $5)"""
# Of each owner its share of n, in order; then those whose lease ended. However much waits, none of this looks at more.
# What is locked here and not chosen is free again with the statement's end.
_DUE: Final = f"""
due AS MATERIALIZED (
    SELECT due.*, seats, after, sign FROM served, LATERAL (SELECT id, lane, priority, owner, due_at FROM task
        WHERE state = 'ready' AND lane = served.lane AND priority = served.priority AND owner = served.name
        AND due_at <= $5 ORDER BY due_at LIMIT (served.seats + served.many - 1) / served.many
        FOR UPDATE SKIP LOCKED) due
    UNION ALL
    SELECT due.*, seats, after, sign FROM wanted, LATERAL (SELECT id, lane, priority, owner, due_at FROM task
        WHERE state = 'leased' AND lane = wanted.lane AND (lease_until < {NOW} OR (node = $3 AND start_no < $4))
        LIMIT wanted.seats FOR UPDATE SKIP LOCKED) due)"""
_PLACED: Final = """
taken AS (SELECT *, row_number() OVER (PARTITION BY lane, priority, owner ORDER BY due_at, id) AS turn FROM due),
placed AS (
    SELECT id, seats, row_number() OVER (PARTITION BY lane
        ORDER BY priority * sign DESC, turn, owner <= after, owner, due_at, id) AS place FROM taken)"""
CLAIM: Final = (
    f"WITH RECURSIVE {_WANTED}, {_OWNERS}, {_DUE}, {_PLACED}"
    f" UPDATE task SET state = 'leased', node = $3, start_no = $4, lease_until = {NOW} + $6"
    " WHERE id = ANY (ARRAY(SELECT id FROM placed WHERE place <= seats))"
    " RETURNING id, mm_id, recipient_id, kind, lane, due_at, priority, attempt, payload, owner"
)

# Bodies are pictures and clips, compressed as they are: PostgreSQL would try again, for 300 µs a 30 KB JPEG, and gain
# nothing. A recipient is written anew at every step of its MM: with room on its page its indexes are left alone.
STORED_OTHERWISE: Final = """
SELECT (SELECT attstorage FROM pg_attribute WHERE attrelid = 'content'::regclass AND attname = 'body') <> 'e'
    OR (SELECT reloptions FROM pg_class WHERE oid = 'recipient'::regclass) IS NULL"""
STORAGE: Final = (
    "ALTER TABLE content ALTER COLUMN body SET STORAGE EXTERNAL",
    "ALTER TABLE recipient SET (fillfactor = 50)",
)

# Each writer has a row, and each batch writes its number there: after a COMMIT whose answer was lost, it says whether
# the batch is durable. Not in the schema's common text: a file has one writer, which always knows.
WRITERS: Final = "CREATE TABLE writer (id TEXT PRIMARY KEY, batch BIGINT NOT NULL, seen_at BIGINT NOT NULL)"
_GONE_FOR_A_DAY: Final = f"SELECT id FROM writer WHERE seen_at < {NOW} - 86400000000 FOR UPDATE SKIP LOCKED"
FORGET_WRITERS: Final = f"DELETE FROM writer WHERE id IN ({_GONE_FOR_A_DAY})"  # who lives writes every few seconds
ENTER_WRITER: Final = (
    f"INSERT INTO writer (id, batch, seen_at) VALUES ($1, $2, {NOW})"
    " ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, seen_at = excluded.seen_at"
)
NUMBER_BATCH: Final = (  # planned once a connection, not once a batch
    f"PREPARE number_batch (text, bigint) AS UPDATE writer SET batch = $2, seen_at = {NOW} WHERE id = $1"
)
LEAVE_WRITER: Final = "DELETE FROM writer WHERE id = $1"
WHO_AM_I: Final = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
END_BACKEND: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2"
LAST_BATCH: Final = "SELECT batch FROM writer WHERE id = $1 FOR UPDATE"  # waits for whoever still writes it


def begin(writer: str, batch: int) -> str:
    """Begin a transaction and number it, in one round trip. `NUMBER_BATCH` has been prepared on the connection."""
    return f"BEGIN; EXECUTE number_batch ({quoted(writer)}, {batch})"


def commit(channel: str, notice: str | None) -> str:
    """Commit, with a notice to the other nodes if there is one, in one round trip."""
    return "COMMIT" if notice is None else f'NOTIFY "{channel}", {quoted(notice)}; COMMIT'


def quoted(text: str) -> str:
    """A literal; backslashes are plain (`standard_conforming_strings`)."""
    return "'" + text.replace("'", "''") + "'"


@cache
def native(sql: str) -> str:
    """The common text in this database's words."""
    return sql.replace("real_now()", NOW)


@cache
def numbered_rows(sql: str, parameters: int) -> str:
    """A guard whose rows begin with one more parameter: many of them in a row tell whose rows are whose."""
    statement, _, columns = native(sql).rpartition(" RETURNING ")
    assert statement[:4] not in ("", "WITH"), f"a guard ends with what it returns: {sql}"
    return f"{statement} RETURNING ${parameters + 1}::bigint, {columns}"


@cache
def mentions(sql: str, insert: str) -> bool:
    """Whether a statement may see what a plain insert writes, or change it: it names its table."""
    table = insert.split()[2]
    return re.search(rf"\b{table}\b", sql) is not None


@cache
def is_plain_insert(sql: str) -> bool:
    """Whether a statement only writes its parameters, in their order, as a row."""
    found = _INSERT.fullmatch(sql)
    if found is None:
        return False
    places = range(1, found["values"].count("$") + 1)
    return found["values"] == ", ".join(f"${place}" for place in places)


def inserts_of_arrays(sqls: Sequence[str], types: Sequence[Sequence[str]]) -> str:
    """Plain inserts as one statement that writes many rows of each: a parameter is an array, a row's value in it."""
    inserts, places = [], count(1)
    for sql, names in zip(sqls, types, strict=True):
        values = ", ".join(f"unnest(${next(places)}::{name}[])" for name in names)
        inserts.append(f"{sql.partition(' VALUES ')[0]} SELECT {values}")
    *others, last = inserts
    if not others:
        return last
    return f"WITH {', '.join(f'insert{place} AS ({sql})' for place, sql in enumerate(others))} {last}"
