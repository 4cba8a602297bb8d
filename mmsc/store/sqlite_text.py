"""SQL texts as SQLite wants them: its own placeholders, many rows in one statement, the claim of due tasks."""

import re
from functools import cache
from typing import Final

from mmsc.store.core import TASK_PRIORITIES

_INSERT: Final = re.compile(r"(?P<into>INSERT INTO \w+ \([\w, ]+\) VALUES )\((?P<values>[?\d, ]+)\)")

# For each priority, the owners that have something due, found by jumping from one to the next in the index; of each
# of them its share of n, in order; then those whose lease ended. However much waits, none of this looks at more.
_OWNERS: Final = """
owner{0} (name) AS (
    SELECT (SELECT MIN(owner) FROM task WHERE state = 'ready' AND lane = $1 AND priority = {0})
    UNION ALL
    SELECT (SELECT MIN(owner) FROM task
            WHERE state = 'ready' AND lane = $1 AND priority = {0} AND owner > owner{0}.name)
    FROM owner{0} WHERE name IS NOT NULL),
due{0} (name) AS MATERIALIZED (
    SELECT name FROM owner{0} WHERE name IS NOT NULL AND (SELECT MIN(due_at) FROM task
    WHERE state = 'ready' AND lane = $1 AND priority = {0} AND owner = owner{0}.name) <= $6)"""
_SHARES: Final = """
SELECT task.id, task.priority, task.owner, task.due_at FROM due{0} CROSS JOIN task WHERE task.id IN (
    SELECT first.id FROM task AS first WHERE first.state = 'ready' AND first.lane = $1 AND first.priority = {0}
    AND first.owner = due{0}.name AND first.due_at <= $6
    ORDER BY first.due_at, first.id LIMIT (SELECT ($2 + count(*) - 1) / max(count(*), 1) FROM due{0}))"""
_ENDED: Final = """
SELECT * FROM (SELECT id, priority, owner, due_at FROM task WHERE state = 'leased' AND lane = $1
    AND (lease_until < $7 OR (node = $3 AND start_no < $4)) LIMIT $2)"""
CLAIM: Final = (
    f"WITH RECURSIVE {','.join(_OWNERS.format(priority) for priority in TASK_PRIORITIES)}"
    " UPDATE task SET state = 'leased', node = $3, start_no = $4, lease_until = $5 WHERE id IN (SELECT id FROM ("
    "SELECT *, row_number() OVER (PARTITION BY priority, owner ORDER BY due_at, id) AS turn FROM ("
    f"{' UNION ALL '.join([_SHARES.format(priority) for priority in TASK_PRIORITIES] + [_ENDED])}))"
    " ORDER BY priority * $9 DESC, turn, owner <= $8, owner, due_at, id LIMIT $2)"
    " RETURNING id, mm_id, recipient_id, kind, lane, due_at, priority, attempt, payload, owner"
)


@cache
def numbered(sql: str) -> str:
    """The text with ?1 for $1: to SQLite $1 is a name, and sqlite3 would bind it by order of first appearance."""
    return re.sub(r"\$(\d+)", r"?\1", sql)


@cache
def silent(sql: str) -> str:
    """A guard that serves as an effect returns rows to nobody, and executemany takes none that does."""
    return sql.partition(" RETURNING ")[0]


@cache
def rows_of(sql: str, size: int) -> str:
    """The INSERT of one row as an INSERT of `size` rows; "" for every other statement."""
    found = _INSERT.fullmatch(sql)
    columns = 0 if found is None else found["values"].count("?")
    if found is None or found["values"] != ", ".join(f"?{column}" for column in range(1, columns + 1)):
        return ""
    rows = (", ".join(f"?{row * columns + column}" for column in range(1, columns + 1)) for row in range(size))
    return found["into"] + ", ".join(f"({row})" for row in rows)
