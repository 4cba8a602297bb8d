"""SQL text as PostgreSQL wants it: the claim of due tasks."""

from typing import Final

from mmsc.store.core import TASK_PRIORITIES

_NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"  # leases run on the database's clock
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
        WHERE state = 'leased' AND lane = wanted.lane AND (lease_until < {_NOW} OR (node = $3 AND start_no < $4))
        LIMIT wanted.seats FOR UPDATE SKIP LOCKED) due)"""
_PLACED: Final = """
taken AS (SELECT *, row_number() OVER (PARTITION BY lane, priority, owner ORDER BY due_at, id) AS turn FROM due),
placed AS (
    SELECT id, seats, row_number() OVER (PARTITION BY lane
        ORDER BY priority * sign DESC, turn, owner <= after, owner, due_at, id) AS place FROM taken)"""
CLAIM: Final = (
    f"WITH RECURSIVE {_WANTED}, {_OWNERS}, {_DUE}, {_PLACED}"
    f" UPDATE task SET state = 'leased', node = $3, start_no = $4, lease_until = {_NOW} + $6"
    " WHERE id = ANY (ARRAY(SELECT id FROM placed WHERE place <= seats))"
    " RETURNING id, mm_id, recipient_id, kind, lane, due_at, priority, attempt, payload, owner"
)
