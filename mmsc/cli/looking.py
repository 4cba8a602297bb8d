"""How commands look into a store: beside its running server or without one, with a line that tells how it goes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mmsc.cli.loading import settings_of
from mmsc.cli.progress import telling

if TYPE_CHECKING:
    from mmsc.settings import Settings
    from mmsc.store.reading import Reader

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
_INTERRUPTED: Final = 130


def file_option(command: F) -> F:
    """The option `--store FILE`."""
    return click.option(
        "--store",
        "file",
        type=click.Path(path_type=Path),
        help="A SQLite file to look into, whatever the settings say: a backup, or a copy of another machine.",
    )(command)


def look(
    config: Path | None,
    work: "Callable[[Reader], Awaitable[T]]",
    words: str | Callable[[], str],
    *,
    file: Path | None = None,
) -> T:
    """Run something on the store of the settings, or on that file, with a line that tells how it goes; errors in plain
    words."""
    from mmsc.store.core import StoreError

    settings = settings_of(config) if file is None else None
    told = words if callable(words) else lambda: words

    async def running() -> T:
        async with _opened(settings, file) as reader, telling(lambda seconds: f"{told()} ({seconds} s)"):
            return await work(reader)

    try:
        return asyncio.run(running())
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        raise SystemExit(_INTERRUPTED) from None


@asynccontextmanager
async def _opened(settings: "Settings | None", file: Path | None) -> AsyncIterator["Reader"]:
    from mmsc.settings import store_path
    from mmsc.store.reading import SqliteReader, open_postgres

    reader: Reader
    if settings is None:
        assert file is not None, "one of them is there"
        reader = SqliteReader(file)
    elif settings.store.postgres:
        reader = await open_postgres(settings.store.postgres, settings.store.schema)
    else:
        reader = SqliteReader(store_path(settings))
    try:
        yield reader
    finally:
        await reader.close()
