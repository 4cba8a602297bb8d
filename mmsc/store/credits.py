"""SQL of what VASPs have used of their credits: a number each, among the named texts of `meta`.

The row is written in the unit that stores the MM, and only for VASPs that have credits set."""

from mmsc.store.core import Statement, Store

_PREFIX = "credits used: "


def spend(vasp: str, recipients: int) -> Statement:
    """Count so many recipients more."""
    return Statement(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET"
        " value = CAST(CAST(meta.value AS BIGINT) + CAST(excluded.value AS BIGINT) AS TEXT)",
        (f"{_PREFIX}{vasp}", str(recipients)),
    )


async def used(store: Store, vasp: str) -> int:
    """Recipients that were counted so far."""
    row = await store.fetch_one("SELECT value FROM meta WHERE key = $1", f"{_PREFIX}{vasp}")
    return 0 if row is None else int(str(row[0]))
