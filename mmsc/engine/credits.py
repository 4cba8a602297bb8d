"""Credits: how many recipients a VASP may still send to.

The number of the settings is what it was given altogether; what it has used is counted in the unit that stores the MM,
so neither a crash nor a repeat counts twice. A larger number refills, at the next reading of the settings. This process
keeps the counts in memory and asks the store once for each VASP. Where other nodes may have the store open, it asks
each time; then a VASP may overdraw by what several nodes take at the same moment.
"""

from collections.abc import Callable

from mmsc.domain.message import Interface, Origin
from mmsc.engine.ports import Directory
from mmsc.store import credits as sql
from mmsc.store.core import Statement, Store
from protocols.records import record

UNLIMITED = -1


class NoCredit(Exception):
    """Fewer credits are left than the MM has recipients; the text says how many."""


@record(frozen=True, slots=True)
class Spent:
    """Credits taken for an MM that is about to be stored: what its unit writes, and what to do when it is not."""

    statement: Statement
    give_back: Callable[[], None]


class Credits:
    """What VASPs have used, as far as they have credits set."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory
        self._own: dict[str, int] = {}  # taken in this process, durable or about to be
        self._others: dict[str, int] = {}  # used before it started, or by other nodes, as far as known

    def are_limited(self, origin: Origin) -> bool:
        """Whether credits are set for whoever submits."""
        vasp = self._directory.vasps.get(origin.neighbour) if origin.interface is Interface.MM7 else None
        return vasp is not None and vasp.credits != UNLIMITED

    async def load(self) -> None:
        """Know what every limited VASP has used. Raises StoreUnavailable."""
        for name, vasp in tuple(self._directory.vasps.items()):
            if vasp.credits != UNLIMITED:
                await self.look(name)

    async def look(self, name: str) -> None:
        """Before `spend`: know what was used. Raises StoreUnavailable."""
        if name in self._others and not self._store.shared:
            return
        stored = await sql.used(self._store, name)
        # of our own, some may have become durable after that: what is left is the least that the others used
        others = stored - self._own.get(name, 0)
        self._others[name] = max(self._others.get(name, 0), others)

    def spend(self, origin: Origin, recipients: int) -> Spent | None:
        """Take credits; None where none are set. Raises NoCredit when too few are left; then none are taken."""
        if not self.are_limited(origin):
            return None
        name = origin.neighbour
        left = self.left(name)
        if recipients > left:
            given = self._directory.vasps[name].credits
            raise NoCredit(f"{recipients} recipients, {left} of {given} credits are left")
        self._own[name] = self._own.get(name, 0) + recipients
        return Spent(sql.spend(name, recipients), lambda: self._give_back(name, recipients))

    def left(self, name: str) -> int:
        """What a VASP with credits may still use."""
        used = self._others.get(name, 0) + self._own.get(name, 0)
        return max(0, self._directory.vasps[name].credits - used)

    def all_left(self) -> dict[str, int]:
        """The same of every VASP with credits, by name, as far as it is known."""
        limited = [name for name, vasp in self._directory.vasps.items() if vasp.credits != UNLIMITED]
        return {name: self.left(name) for name in limited if name in self._others}

    def _give_back(self, name: str, recipients: int) -> None:
        self._own[name] -= recipients
