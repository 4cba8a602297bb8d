"""`mmsc serve` with meters: a child process of the budget tests. `SIGUSR1` appends a line of JSON to METERS_FILE.

Each line is what was counted since the start, so that the difference of two lines is what the messages between them
cost. The meters sit under the product, in asyncio, lxml and the store's four verbs, and change nothing of it.
"""

import asyncio
import json
import os
import signal
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lxml import etree

from mmsc.store.checkpoint import Checkpointer
from mmsc.store.core import Unit
from mmsc.store.sqlite import SqliteStore

METERS_FILE = "MMSC_TEST_METERS"
WRITE_AHEAD_LOG = "MMSC_TEST_LOG"
MEMORY = "MMSC_TEST_MEMORY"  # trace allocations, too (slow)

counted: Counter[str] = Counter()


def count_calls(owner: Any, name: str, meter: str) -> None:
    """Count every call of `owner.name`."""
    original: Callable[..., Any] = getattr(owner, name)

    def counting(*args: Any, **kwargs: Any) -> Any:
        counted[meter] += 1
        return original(*args, **kwargs)

    setattr(owner, name, counting)


def meter_store() -> None:
    """Units, the statements they run, and event rows. Rows of one text are one statement, as the store runs them."""
    commit = SqliteStore.commit

    async def counting(self: SqliteStore, unit: Unit) -> Any:
        counted["units"] += 1
        counted["statements"] += (unit.guard is not None) + len({effect.sql for effect in unit.effects})
        counted["event_rows"] += sum(effect.sql.startswith("INSERT INTO event ") for effect in unit.effects)
        return await commit(self, unit)

    setattr(SqliteStore, "commit", counting)  # noqa: B010
    count_calls(SqliteStore, "fetch", "statements")
    setattr(Checkpointer, "committed", lambda self: None)  # noqa: B010 # the log only grows, so its size is a meter


def meter_parsers() -> None:
    """XML documents parsed, by whichever door."""
    for name in ("fromstring", "XML", "parse"):
        count_calls(etree, name, "xml_parses")


def meter_tasks() -> None:
    """Tasks started, on whichever loop the server takes."""
    count_calls(asyncio.BaseEventLoop, "create_task", "tasks")
    with suppress(ImportError):
        import uvloop

        count_calls(uvloop.Loop, "create_task", "tasks")


def snapshot(path: Path) -> None:
    """Append what was counted up to now."""
    values = dict(counted)
    values["log_octets"] = Path(os.environ[WRITE_AHEAD_LOG]).stat().st_size
    if tracemalloc.is_tracing():
        now, peak = tracemalloc.get_traced_memory()
        values |= {"memory_octets": now, "memory_peak_octets": peak}
        tracemalloc.reset_peak()
    with path.open("a") as file:
        file.write(json.dumps(values) + "\n")


def main(arguments: Sequence[str]) -> None:
    """Install the meters and become `mmsc serve`."""
    meter_store()
    meter_parsers()
    meter_tasks()
    path = Path(os.environ[METERS_FILE])
    signal.signal(signal.SIGUSR1, lambda number, frame: snapshot(path))
    from mmsc.__main__ import main as serve  # after the meters, so that nobody holds an uncounted function

    if os.environ.get(MEMORY):
        import mmsc.app  # modules are not what is looked for, and take minutes while they are
        import mmsc.cli.playground
        import mmsc.cli.serve  # noqa: F401

        tracemalloc.start(1)
    sys.argv = ["mmsc", *arguments]
    serve()


if __name__ == "__main__":
    main(sys.argv[1:])
