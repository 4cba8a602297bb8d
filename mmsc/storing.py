"""Opens what the settings say about the store: its database, and the object storage for its bodies."""

from typing import TYPE_CHECKING

from mmsc.clock import Clock
from mmsc.settings import Settings, store_path
from mmsc.store.core import Store, StoreRefused
from mmsc.store.sqlite import SqliteOptions, SqliteStore

if TYPE_CHECKING:
    from mmsc.store.objects import S3Objects


def new_store(settings: Settings, clock: Clock, synchronous: str) -> Store:
    """The database of the settings, not opened."""
    given = settings.store
    if given.postgres:
        from mmsc.store.postgres import PostgresStore  # asyncpg only where it is used

        return PostgresStore(given.postgres, schema=given.schema, commit_delay=given.commit_delay / 1000)
    options = SqliteOptions(synchronous=synchronous, commit_delay=given.commit_delay / 1000)
    return SqliteStore(str(store_path(settings)), options, clock.real_now)  # leases: one clock for both


async def objects(settings: Settings) -> "S3Objects | None":
    """The object storage of the settings, asked whether it takes objects. Raises `StoreRefused`."""
    given = settings.store.objects
    if not given.url:
        return None
    try:
        from mmsc.store.objects import S3Objects, S3Options  # obstore only where it is used
    except ImportError as error:
        raise StoreRefused("store.objects.url needs obstore: pip install 'mmsc[s3]'") from error
    made = S3Objects(
        S3Options(
            url=given.url,
            endpoint=given.endpoint,
            region=given.region,
            access_key_id=given.access_key_id,
            secret_access_key=given.secret_access_key,
            timeout_seconds=given.timeout_seconds,
        )
    )
    await made.open()
    return made
