"""What each VASP spoke last: the namespace and MM7Version of a DeliverReq that nothing else decides."""

import logging
from typing import Final

import msgspec

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND
from mmsc.store import neighbours as sql
from mmsc.store.core import Store, StoreBusy, StoreUnavailable, Unit

_log: Final = logging.getLogger(__name__)
_KIND: Final = "spoken"  # in the table of neighbours
_WRITE_EVERY: Final = 60 * SECOND  # for one VASP: some mix two namespaces, request by request


class VaspDialects:
    """Implements `ports.Dialects`. It is stored when it changes, once a minute at most, so that a restart remembers it;
    another node learns it from the VASP's next request to it, or when it starts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._last: dict[str, tuple[str, str]] = {}
        self._write_from: dict[str, int] = {}  # real time (µs)

    async def load(self) -> None:
        """Read what is stored."""
        for kind, name, _, data in await sql.all_of(self._store):
            if kind == _KIND:
                self._last[str(name)] = msgspec.json.decode(str(data), type=tuple[str, str])

    def last_of(self, vasp: str) -> tuple[str, str]:
        """(namespace, MM7Version) of the VASP's last request, both "" when it never sent one."""
        return self._last.get(vasp, ("", ""))

    async def heard(self, vasp: str, namespace: str, version: str) -> None:
        """A request of the VASP came in this namespace and MM7Version; costs something only when it changed."""
        spoken = (namespace, version)
        if self._last.get(vasp) == spoken:
            return
        self._last[vasp] = spoken
        now = self._clock.real_now()
        if now < self._write_from.get(vasp, 0):
            return
        self._write_from[vasp] = now + _WRITE_EVERY
        data = msgspec.json.encode(spoken).decode()
        try:
            await self._store.commit(Unit(None, (sql.upsert(_KIND, vasp, "learned", data, now),)))
        except (StoreBusy, StoreUnavailable) as error:  # a restart forgets it: the next request tells it again
            _log.warning("the namespace of VASP %s is not stored: %s", vasp, error)
