"""How commands look into a store: beside its running server or without one, with a line that tells how it goes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from mmsc.cli.loading import settings_of
from mmsc.cli.progress import telling

if TYPE_CHECKING:
    from mmsc.settings import Settings
    from mmsc.store.reading import Reader

T = TypeVar("T")
_INTERRUPTED: Final = 130


def look(config: Path | None, work: "Callable[[Reader], Awaitable[T]]", words: str | Callable[[], str]) -> T:
    """Run something on the store of the settings, with a line that tells how it goes; errors in plain words."""
    from mmsc.store.core import StoreError

    settings = settings_of(config)
    told = words if callable(words) else lambda: words

    async def running() -> T:
        async with _opened(settings) as reader, telling(lambda seconds: f"{told()} ({seconds} s)"):
            return await work(reader)

    try:
        return asyncio.run(running())
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        raise SystemExit(_INTERRUPTED) from None


@asynccontextmanager
async def _opened(settings: "Settings") -> AsyncIterator["Reader"]:
    from mmsc.settings import store_path
    from mmsc.store.reading import SqliteReader, open_postgres

    given = settings.store
    reader: Reader
    if given.postgres:
        reader = await open_postgres(given.postgres, given.schema)
    else:
        reader = SqliteReader(store_path(settings))
    try:
        yield reader
    finally:
        await reader.close()
