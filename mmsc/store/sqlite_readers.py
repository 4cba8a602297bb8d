"""The threads that answer reads of the SQLite store, each on a connection of its own."""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from mmsc.store.core import Row, SqlValue, StoreUnavailable
from mmsc.store.sqlite_errors import is_disk
from mmsc.store.sqlite_text import numbered
from mmsc.store.vitals import Vitals
from protocols.records import record

READERS: Final = 2
QUERY_SECONDS: Final = 10.0


class Readers:
    """`start`, then `fetch`, then `stop`."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], vitals: Vitals) -> None:
        self._connect = connect
        self._vitals = vitals
        self._reads: queue.SimpleQueue[_Read | None] = queue.SimpleQueue()
        self._alive = 0
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """On the event loop that is answered."""
        self._loop = asyncio.get_running_loop()
        self._alive = READERS
        for number in range(READERS):
            threading.Thread(target=self._work, name=f"store-reader-{number}", daemon=True).start()

    async def stop(self) -> None:
        """Answer what is queued, and end."""
        for _ in range(self._alive):
            self._reads.put(None)
        if self._alive:
            await self._over.wait()

    async def fetch(self, sql: str, params: Sequence[SqlValue]) -> list[Row]:
        """Rows of a query; at most `QUERY_SECONDS`."""
        if not self._alive:
            raise StoreUnavailable("the readers of the store ended")
        assert self._loop is not None
        future: asyncio.Future[list[Row]] = self._loop.create_future()
        self._reads.put(_Read(sql, params, future))
        return await future

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        loop = self._loop
        assert loop is not None
        read: _Read | None = None
        died: BaseException | None = None
        try:
            while (read := self._reads.get()) is not None:
                try:
                    connection = connection or self._connect()
                    connection.set_progress_handler(_out_of_time(time.monotonic() + QUERY_SECONDS), 100_000)
                    rows = connection.execute(numbered(read.sql), read.params).fetchall()
                except Exception as error:  # whatever it is: this thread answers the next one, too
                    loop.call_soon_threadsafe(read.fail, error)
                else:
                    loop.call_soon_threadsafe(read.answer, rows)
        except BaseException as error:  # nobody else would hear of it
            died = error
        if connection is not None:
            connection.close()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._ended, died, read)

    def _ended(self, error: BaseException | None, read: "_Read | None") -> None:
        """When one died, the others go on, and so do commits: what is under way is finished and leases handed back."""
        self._alive -= 1
        if not self._alive:
            self._over.set()
        if error is None:
            return
        why = self._vitals.died("a reader", error)
        if read is not None:
            read.fail(why)
        while not self._alive and not self._reads.empty():
            left = self._reads.get_nowait()
            if left is not None:
                left.fail(why)


@record(frozen=True, slots=True)
class _Read:
    """A query on its way to a reader thread and back."""

    sql: str
    params: Sequence[SqlValue]
    future: "asyncio.Future[list[Row]]"

    def answer(self, rows: list[Row]) -> None:
        if not self.future.done():
            self.future.set_result(rows)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(StoreUnavailable(str(error)) if is_disk(error) else error)


def _out_of_time(deadline: float) -> Callable[[], int]:
    """A progress handler that stops a query at `deadline`."""
    return lambda: int(time.monotonic() > deadline)
