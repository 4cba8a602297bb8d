"""SQL texts as SQLite wants them: its own placeholders, many rows in one statement, the claim of due tasks."""

import re
from functools import cache
from typing import Final

from mmsc.store.core import TASK_PRIORITIES

_INSERT: Final = re.compile(r"(?P<into>INSERT INTO \w+ \([\w, ]+\) VALUES )\((?P<values>[?\d, ]+)\)")

# The first n of each priority, then those whose lease ended: the index gives each in order, however much waits.
_DUE: Final = " UNION ALL ".join(
    "SELECT * FROM (SELECT id, priority, due_at FROM task WHERE state = 'ready' AND lane = $1"
    f" AND priority = {priority} AND due_at <= $6 ORDER BY due_at, id LIMIT $2)"
    for priority in TASK_PRIORITIES
)
CLAIM: Final = (
    "UPDATE task SET state = 'leased', node = $3, start_no = $4, lease_until = $5 WHERE id IN ("
    f"SELECT id FROM ({_DUE} UNION ALL"
    " SELECT id, priority, due_at FROM task WHERE state = 'leased' AND lane = $1"
    " AND (lease_until < $7 OR (node = $3 AND start_no < $4)))"
    " ORDER BY priority DESC, due_at, id LIMIT $2)"
    " RETURNING id, mm_id, recipient_id, kind, lane, due_at, priority, attempt, payload"
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
