"""A PostgreSQL server for one bench: as durable as it comes, in a folder that is thrown away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benching.servers import ServerFailed
from mmsc.lab.database import DatabaseError, ThrowawayPostgres


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """The URL of a running server. Raises ServerFailed."""
    server = ThrowawayPostgres()
    try:
        await asyncio.to_thread(server.start)
        yield server.dsn
    except DatabaseError as error:
        raise ServerFailed(f"{error}; or name a database with --postgres URL") from error
    finally:
        await asyncio.to_thread(server.stop)
