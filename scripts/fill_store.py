"""Fills a SQLite store with MMs that have ended, as fast as SQLite takes rows: to measure what a large store costs.

    .venv/bin/python scripts/fill_store.py --messages 1000000 --bodies 20000 /tmp/large.db

Each MM went from the VASP `news` to one handset and was retrieved: a row in mm, recipient and sms, seven events, no
task.
The youngest was submitted an hour ago, the oldest `--days` before; only the last `--bodies` still have their bodies,
as if retention had taken the others. The columns are the product's own statements of one sample MM; ids, times,
secrets and repeat keys differ in each. A file that holds something is refused.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmsc.domain.address import Address
from mmsc.domain.instant import DAY, HOUR, Instant
from mmsc.domain.message import (
    Content,
    ContentId,
    Interface,
    Mm,
    MmId,
    Origin,
    Part,
    Priority,
    Recipient,
    RecipientId,
    Role,
    Route,
)
from mmsc.domain.states import RecipientState
from mmsc.store import content, events, housekeeping, messages, sms
from mmsc.store.core import SqlValue, Statement
from mmsc.store.sqlite import SqliteStore
from mmsc.store.sqlite_text import numbered
from mmsc.trace import events as trace

TYPE = "application/vnd.wap.multipart.related"
EVENTS = 7
AT_ONCE = 20_000  # MMs in one transaction
# The first 18 octets of a secret grow with time, as those of `mmsc.ids` do, so that they append to their indexes.
_SECRET = "printf('%06X', n / 64 % 16777216) || lower(hex(randomblob(10)))"
Expressions = dict[str, str]


def _samples(now: Instant, body: bytes) -> list[tuple[Statement, Expressions]]:
    """One statement of each kind, and the SQL of the columns that differ between MMs: `mm` is the MM's id, `at` its
    time, `n` its number."""
    mm = Mm(
        id=MmId(0),
        message_id="0@mms.example",
        origin=Origin(Interface.MM7, "news"),
        sender=Address.of("4488"),
        subject="A picture",
        message_class="Personal",
        priority=Priority.NORMAL,
        delivery_report=True,
        read_report=False,
        sender_hidden=False,
        adaptation_allowed=True,
        shown_to=((Role.TO, "+15550100000"),),
        submitted_at=now,
        date=now,
        deliver_at=None,
        expires_at=now,
        foreign_id=None,
        forward_counter=0,
        content_id=ContentId(0),
        content_type=TYPE,
        size=len(body),
        details={"mm7_transaction_id": "t1", "vasp_id": "news"},
    )
    recipient = Recipient(
        RecipientId(1), MmId(0), Address.of("+15550100000"), Role.TO, Route.SUBSCRIBER, "local",
        RecipientState.RETRIEVED, now, transaction_id="x", token="x", link_token="x", fetched_at=now, pushes=1,
    )  # fmt: skip
    told: list[trace.Data] = [
        trace.MmAccepted("mm7", "news", "0@mms.example", "4488", 1, len(body), "A picture", "t1"),
        trace.RouteChosen("+15550100000", "subscriber", "local", "a prefix of ours"),
        trace.NotificationPushed("local", 1, ("a1", "a2"), "capable", ("flag on",)),
        trace.RecipientMoved("accepted", "notified", "pushed"),
        trace.MmFetched("a handset"),
        trace.RecipientMoved("notified", "retrieved", "retrieved", "", "vasp:news"),
        trace.ReportDelivered("vasp:news", "retrieved", 0),
    ]
    assert len(told) == EVENTS
    whole = messages.insert_mm(mm, repeat_key=b"", answer=None)
    found: list[tuple[Statement, Expressions]] = [
        (whole, {"id": "mm", "content_id": "mm", "repeat_key": "randomblob(32)", "submitted_at": "at",
                 "expires_at": f"at + {3 * DAY}", "details": "replace({}, '0@mms', mm || '@mms')",
                 "request": "printf('tx-%d', n * 7919 % 1000003)"}),
        (messages.insert_recipient(recipient), {"id": "mm + 1024", "mm_id": "mm", "state_at": "at", "fetched_at": "at",
                 "address": "'+1555' || printf('%07d', n % 1000000)", "transaction_id": _SECRET, "token": _SECRET,
                 "link_token": _SECRET}),
        (sms.insert("smsc:local", "", 0, 0, "notification", now), {"smpp_message_id": "printf('%x', mm)",
                 "mm_id": "mm", "recipient_id": "mm + 1024", "purpose": "'notification settled'", "sent_at": "at"}),
    ]  # fmt: skip
    for number, data in enumerate(told, 2):
        event = events.insert(trace.Event(0, 0, 0, None, now, now, data))
        own = {"id": f"mm + {number} * 1024", "mm_id": "mm", "recipient_id": "mm + 1024", "at_service": "at"}
        found.append((event, {**own, "at_real": "at", "data": "replace({}, '0@mms', mm || '@mms')"}))
    return found


def _selecting(statement: Statement, own: Expressions) -> tuple[str, tuple[SqlValue, ...]]:
    """An INSERT of one row as one that selects its rows from `numbers`."""
    into = statement.sql.partition(" VALUES ")[0]
    columns = [column.strip() for column in into.partition("(")[2].rstrip(")").split(",")]
    values, params = [], []
    for column, value in zip(columns, statement.params, strict=True):
        expression = own.get(column, "{}")
        if "{}" in expression:
            params.append(value)
            expression = expression.format(f"?{len(params) + 3}")
        values.append(expression)
    numbers = (
        "WITH RECURSIVE counted(n) AS (VALUES (?1) UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ?2),"
        " numbers AS (SELECT n, ?3 + n * (SELECT gap FROM temp.pace) AS at,"
        " (?3 + n * (SELECT gap FROM temp.pace)) << 10 AS mm FROM counted)"
    )
    return f"{into} {numbers} SELECT {', '.join(values)} FROM numbers", tuple(params)


async def _make(path: Path) -> None:
    store = SqliteStore(str(path))
    await store.open()
    await store.close()


def fill(
    path: Path,
    messages_wanted: int,
    bodies: int,
    *,
    body_octets: int = 30_000,
    days: float = 30.0,
    now: Instant | None = None,
    told: Callable[[int], None] = lambda done: None,
) -> None:
    """Write so many ended MMs into a new store, bodies for the last of them; `told` hears how many there are.

    `now` is service time (µs; the host's when left out). Raises FileExistsError when the file holds something."""
    if path.exists() and path.stat().st_size:
        raise FileExistsError(17, "a store is filled once, when it is new", str(path))
    asyncio.run(_make(path))
    last = Instant((now or time.time_ns() // 1000) - HOUR)
    gap = max(20, int(days * DAY) // max(1, messages_wanted))  # µs; an MM has up to twenty ids
    first = last - gap * messages_wanted
    body = bytes(index * 37 % 251 for index in range(body_octets))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("synchronous = OFF", "cache_size = -400000", "wal_autocheckpoint = 20000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TEMP TABLE pace (gap INTEGER)")
        connection.execute("INSERT INTO temp.pace VALUES (?)", (gap,))
        whole = content.insert(ContentId(0), Content(TYPE, body, (Part("image/jpeg", "a", "a.jpg", 0, body_octets),)))
        samples = [_selecting(*one) for one in _samples(last, body)]
        kept = _selecting(whole, {"id": "mm"})
        for at in range(0, messages_wanted, AT_ONCE):
            end = min(at + AT_ONCE, messages_wanted)
            connection.execute("BEGIN")
            for sql, params in samples:
                connection.execute(sql, (at, end, first, *params))
            if end > messages_wanted - bodies:
                connection.execute(kept[0], (max(at, messages_wanted - bodies), end, first, *kept[1]))
            connection.execute("COMMIT")
            told(end)
        taken = first + gap * (messages_wanted - bodies - 1) << 10
        if bodies < messages_wanted:
            mark = housekeeping.bodies_taken(taken)
            connection.execute(mark.sql.replace("$", "?"), mark.params)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def furnish(path: Path, now: Instant) -> None:
    """What a bare filling lacks: findings and a run among the oldest MMs, and numbers that nobody else has."""
    connection = sqlite3.connect(path)
    oldest = [row[0] for row in connection.execute("SELECT id FROM mm ORDER BY id LIMIT 5")]
    finding = trace.FindingNoted("vasp:news", "MM7-R012", "TS 23.140 8.7.8", 3, "odd")
    for mm_id in oldest:
        note = events.insert(trace.Event(mm_id + 50_000, mm_id, None, None, now, now, finding))
        connection.execute(numbered(note.sql), note.params)
        connection.execute("UPDATE mm SET run = 'ci-1' WHERE id = ?", (mm_id,))
        connection.execute("UPDATE recipient SET address = '+49170000' WHERE mm_id = ?", (mm_id,))
    connection.execute("UPDATE mm SET sender = '+49170001' WHERE id = ?", oldest[:1])
    connection.commit()
    connection.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--messages", type=int, default=1_000_000, help="MMs in all (1,000,000)")
    parser.add_argument("--bodies", type=int, default=20_000, help="the last so many have bodies (20,000)")
    parser.add_argument("--body-octets", type=int, default=30_000, help="of each body (30,000)")
    parser.add_argument("--days", type=float, default=30.0, help="from the oldest to the youngest (30)")
    given = parser.parse_args()
    began = time.monotonic()

    def tell(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done:,} of {given.messages:,}", end="", file=sys.stderr, flush=True)

    try:
        fill(given.file, given.messages, given.bodies, body_octets=given.body_octets, days=given.days, told=tell)
    except FileExistsError as error:
        parser.error(str(error))
    octets = given.file.stat().st_size
    print(json.dumps({"messages": given.messages, "octets": octets, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
