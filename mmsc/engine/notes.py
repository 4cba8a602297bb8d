"""Writes events that tell of nothing else that is stored."""

from collections.abc import Sequence

from mmsc.engine.chronicle import Chronicle
from mmsc.store.core import Store
from mmsc.trace.events import Event


class Notes:
    """For one server."""

    def __init__(self, store: Store, chronicle: Chronicle) -> None:
        self._store = store
        self._chronicle = chronicle

    async def write(self, events: Sequence[Event]) -> None:
        """In one unit; returns after the commit. Raises StoreUnavailable, StoreBusy."""
        await self._store.commit(self._chronicle.unit(None, (), events))
