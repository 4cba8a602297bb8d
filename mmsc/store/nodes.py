"""SQL of the nodes: each start of a node has its own number, so that it takes back its own leases at once."""

from mmsc.domain.instant import Instant
from mmsc.store.core import Lost, Statement, Store, Unit


async def start(store: Store, name: str, at: Instant) -> int:
    """The number of this start of the node, larger than all before."""
    guard = Statement(
        "INSERT INTO node (name, start_no, seen_at) VALUES ($1, 1, $2)"
        " ON CONFLICT (name) DO UPDATE SET start_no = node.start_no + 1, seen_at = excluded.seen_at"
        " RETURNING start_no",
        (name, at),
    )
    rows = await store.commit(Unit(guard, ()))
    assert not isinstance(rows, Lost), "an upsert always has a row"
    number = rows[0][0]
    assert isinstance(number, int)
    return number
