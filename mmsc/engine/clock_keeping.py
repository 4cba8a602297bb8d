"""Keeps what was done to the service clock, and knows what hangs on it: the store's side of turning it."""

from typing import Final

import msgspec

from mmsc.clock import ClockState
from mmsc.domain.instant import Instant
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.queries.due import Due, due_next, timers
from mmsc.store import due as sql
from mmsc.store import meta, nodes
from mmsc.store.core import Store
from mmsc.trace import events as trace

KEY: Final = "clock"


class ClockKeeper:
    """For one server."""

    def __init__(self, store: Store, chronicle: Chronicle, node: str) -> None:
        self._store = store
        self._chronicle = chronicle
        self._node = node

    async def kept(self) -> ClockState | None:
        """The state that was kept last, None when the clock was never turned. Raises StoreUnavailable."""
        text = await meta.read(self._store, KEY)
        return None if text is None else msgspec.json.decode(text, type=ClockState)

    async def keep(self, state: ClockState, how: str, *, jumped: int) -> None:
        """Make a change durable, with its event; returns after the commit. Raises StoreUnavailable, StoreBusy: then a
        restart does not know of it."""
        event = self._chronicle.event(trace.ClockChanged(how, state.service, state.speed, state.paused, jumped))
        text = msgspec.json.encode(state).decode()
        await self._store.commit(self._chronicle.unit(None, (meta.write(KEY, text),), (event,)))

    async def due(self, after: Instant, limit: int) -> list[Due]:
        """What is due next."""
        return await due_next(self._store, after, limit)

    async def timers(self) -> int:
        """How many timers run."""
        return await timers(self._store)

    async def has_messages(self) -> bool:
        """Whether any MM is stored."""
        return await sql.has_mms(self._store)

    async def other_nodes(self) -> list[str]:
        """Who else runs on this database."""
        if not self._store.shared:
            return []
        return [one.name for one in await nodes.known(self._store) if one.is_up and one.name != self._node]
