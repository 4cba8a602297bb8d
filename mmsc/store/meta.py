"""SQL of what the server remembers about itself: a few named texts."""

from mmsc.store.core import Statement, Store


async def read(store: Store, key: str) -> str | None:
    """A text by its name, None when there is none."""
    row = await store.fetch_one("SELECT value FROM meta WHERE key = $1", key)
    return str(row[0]) if row is not None else None


def write(key: str, value: str) -> Statement:
    """Remember a text."""
    return Statement(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


async def highest_id(store: Store) -> int:
    """The largest id that any start of any node has used, 0 in a new database."""
    tables = ("mm", "recipient", "task", "event", "mmbox")
    found = [await store.fetch_one(f"SELECT MAX(id) FROM {table}") for table in tables]
    return max((row[0] for row in found if row is not None and isinstance(row[0], int)), default=0)
