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
