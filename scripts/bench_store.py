"""Measures the store alone: messages/s through five durable steps, octets to the log, claims out of a backlog.

    .venv/bin/python scripts/bench_store.py                                   SQLite, a file in a temporary folder
    .venv/bin/python scripts/bench_store.py --page-size 8192 --page-size 16384
    .venv/bin/python scripts/bench_store.py --postgres postgresql://user@host/database   (schema `bench_store`, dropped)

The steps are those of one MM7 message to one handset, in the product's own statements: accepted, notified, fetched,
retrieved (with the report's task), reported. One JSON object a line; only ratios between runs on one machine hold.
"""

import argparse
import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
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
    TaskId,
    TaskKind,
)
from mmsc.domain.states import Cause, Happening, RecipientState
from mmsc.store import checkpoint, content, events, messages, tasks
from mmsc.store.core import Lost, Statement, Store, Unit
from mmsc.store.sqlite import PAGE_SIZE, SqliteOptions, SqliteStore
from mmsc.store.tasks import Holder, TaskRow
from mmsc.trace.events import Event, MmFetched

NOW = Instant(1_700_000_000_000_000)
HOLDER = Holder("bench", 1)
TYPE = "application/vnd.wap.multipart.related"


def task(number: int, kind: TaskKind, mm_id: int, lane: str = "smsc:local") -> TaskRow:
    """A task of the message."""
    return TaskRow(
        id=TaskId(number),
        mm_id=MmId(mm_id),
        recipient_id=RecipientId(mm_id + 1),
        kind=kind,
        lane=lane,
        due_at=NOW,
        priority=1,
        payload={"validity_seconds": "86400"},
    )


def keys_anywhere(first: int) -> tuple[bytes, str, str]:
    """(repeat key, transaction id, token) of a message: tokens that land anywhere in their index."""
    place = f"{first * 2654435761 % 2**32:08x}{first}"
    return f"{first}".encode().rjust(32), f"t{place}", f"k{first * 40503 % 2**32:08x}{first}"


Keys = Callable[[int], tuple[bytes, str, str]]


def steps(first: int, body: bytes, keys: Keys = keys_anywhere) -> Iterator[Unit]:
    """The five units of one message; `first` is the first of its twenty ids."""
    repeat_key, transaction_id, token = keys(first)
    mm_id, recipient_id = MmId(first), RecipientId(first + 1)
    mm = Mm(
        id=mm_id,
        message_id=f"{first}@mms.example",
        origin=Origin(Interface.MM7, "news"),
        sender=Address.of("4488"),
        subject="A picture",
        message_class="Personal",
        priority=Priority.NORMAL,
        delivery_report=True,
        read_report=False,
        sender_hidden=False,
        adaptation_allowed=True,
        shown_to=((Role.TO, "+15550100123"),),
        submitted_at=NOW,
        date=NOW,
        deliver_at=None,
        expires_at=Instant(NOW + 1_000_000),
        foreign_id=None,
        forward_counter=0,
        content_id=ContentId(first),
        content_type=TYPE,
        size=len(body),
        details={"mm7_transaction_id": str(first), "vasp_id": "news"},
    )
    recipient = Recipient(
        id=recipient_id,
        mm_id=mm_id,
        address=Address.of("+15550100123"),
        role=Role.TO,
        route=Route.SUBSCRIBER,
        target="local",
        state=RecipientState.ACCEPTED,
        state_at=NOW,
        transaction_id=transaction_id,
        token=token,
        link_token="",
    )

    def event(number: int) -> Statement:
        return events.insert(Event(first + number, mm_id, recipient_id, None, NOW, NOW, MmFetched("Lab/1.0")))

    def move(happening: Happening) -> Statement:
        return messages.move_recipient(recipient_id, happening, NOW, Cause.NONE)

    parts = (Part("image/jpeg", "picture", "picture.jpg", 0, len(body)),)
    notify, report = task(first + 2, TaskKind.NOTIFY, mm_id), task(first + 3, TaskKind.REPORT_MM7, mm_id, "vasp:news")
    yield Unit(
        messages.insert_mm(mm, repeat_key=repeat_key, answer=None),
        (
            content.insert(mm.content_id, Content(TYPE, body, parts)),
            messages.insert_recipient(recipient),
            tasks.insert(notify, HOLDER, NOW),
            event(4),
            event(5),
        ),
    )
    again = tasks.put_back(
        notify.id, 0, HOLDER, due_at=Instant(NOW + 1), next_attempt=0, kind=notify.kind, payload=notify.payload
    )
    yield Unit(again, (move(Happening.PUSHED), event(6)))
    yield Unit(move(Happening.FETCHED), (tasks.drop_delivery(recipient_id), event(7)))
    yield Unit(None, (tasks.insert(report, HOLDER, NOW), event(8), event(9)))
    yield Unit(tasks.finish(report.id, 0, HOLDER), (event(10),))


async def lifecycles(
    store: Store, in_flight: int, count: int, body: bytes, numbers: Iterator[int], keys: Keys = keys_anywhere
) -> float:
    """Seconds for `count` messages, `in_flight` at a time."""
    left = iter(range(count))

    async def one_after_another() -> None:
        for _ in left:
            for unit in steps(next(numbers) * 20, body, keys):
                outcome = await store.commit(unit)
                assert not isinstance(outcome, Lost), "a step was lost"

    started = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
    return time.perf_counter() - started


async def claims(store: Store, backlog: int, numbers: Iterator[int]) -> float:
    """Tasks claimed a second, 50 at a time, out of `backlog` due ones."""
    rows = [tasks.insert(task(next(numbers) * 20, TaskKind.FORWARD, 1, "peer:other")) for _ in range(backlog)]
    for part in range(0, backlog, 1000):
        await store.commit(Unit(None, tuple(rows[part : part + 1000])))
    started = time.perf_counter()
    taken = 0
    for _ in range(20):
        taken += len(await store.claim([("peer:other", 50)], node="bench", start=1, now=NOW, lease_seconds=60))
    return taken / (time.perf_counter() - started)


def size_of(log: Path | None) -> int:
    """Octets of the log, 0 without one."""
    return log.stat().st_size if log else 0


async def measure(store: Store, arguments: argparse.Namespace, log: Path | None) -> dict[str, object]:
    """All figures of one open store."""
    numbers = itertools.count(1)
    body = os.urandom(arguments.body_octets)
    await lifecycles(store, arguments.in_flight, arguments.in_flight * 4, body, numbers)
    before, log_before = store.counters.commits, size_of(log)
    processor = time.process_time()
    seconds = await lifecycles(store, arguments.in_flight, arguments.messages, body, numbers)
    processor = time.process_time() - processor
    figures: dict[str, object] = {
        "in_flight": arguments.in_flight,
        "messages_per_s": round(arguments.messages / seconds),
        "units_per_s": round(5 * arguments.messages / seconds),
        "units_per_commit": round(5 * arguments.messages / (store.counters.commits - before), 1),
        "cpu_us_per_message": round(processor / arguments.messages * 1e6),
    }
    if log:
        figures["log_octets_per_message"] = (size_of(log) - log_before) // arguments.messages
    figures["claims_per_s"] = {size: round(await claims(store, size, numbers)) for size in arguments.backlog}
    return figures


@asynccontextmanager
async def sqlite(page_size: int, folder: str, *, keep_log: bool) -> AsyncIterator[tuple[Store, Path]]:
    """A new file. With `keep_log` the log only grows, so that its size can be measured."""
    path = Path(folder) / f"{page_size}-{keep_log}.db"
    store = SqliteStore(
        str(path), SqliteOptions(page_size=page_size, checkpoint_pages=0 if keep_log else checkpoint.PAGES)
    )
    await store.open()
    try:
        yield store, path.with_name(path.name + "-wal")
    finally:
        await store.close()


@asynccontextmanager
async def postgres(dsn: str) -> AsyncIterator[Store]:
    """A schema of its own, dropped in the end."""
    import asyncpg

    from mmsc.store.postgres import PostgresStore

    store = PostgresStore(dsn, schema="bench_store")
    await store.open()
    try:
        yield store
    finally:
        await store.close()
        connection = await asyncpg.connect(dsn)
        await connection.execute("DROP SCHEMA bench_store CASCADE")
        await connection.close()


async def run(arguments: argparse.Namespace) -> None:
    """One line per store."""
    if arguments.postgres:
        async with postgres(arguments.postgres) as store:
            print(json.dumps({"store": "postgres", **await measure(store, arguments, None)}), flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="mmsc-bench-", dir=arguments.folder) as folder:
        for page_size in arguments.page_size or [PAGE_SIZE]:
            async with sqlite(page_size, folder, keep_log=False) as (store, _):
                figures = await measure(store, arguments, None)
            async with sqlite(page_size, folder, keep_log=True) as (store, log):
                figures["log_octets_per_message"] = (await measure(store, arguments, log))["log_octets_per_message"]
            print(json.dumps({"store": "sqlite", "page_size": page_size, **figures}), flush=True)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--postgres", metavar="DSN", help="measure PostgreSQL instead of SQLite")
    parser.add_argument("--page-size", type=int, action="append", help="octets of an SQLite page; may be repeated")
    parser.add_argument("--folder", help="where the temporary folder is made: the disk to measure")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--body-octets", type=int, default=30_000)
    parser.add_argument("--backlog", type=int, nargs="*", default=[1000, 100_000], help="tasks that wait for claims")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
