"""VASPs, peers and SMSCs as people make them while the server runs, by the rules of the settings file.

What the file names is locked, and is changed there. What people make is kept in the store, in force at once, on every
node. Where a later file contradicts one of these, or takes its name, it stands aside until the file no longer does.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mmsc.clock import Clock
from mmsc.control.house import House
from mmsc.control.setup_tables import (
    MAXIMUM_MADE,
    Entry,
    Given,
    Key,
    Profile,
    SetupFull,
    SetupLocked,
    SetupWaits,
    SetupWrong,
    beside,
    credentials_kept,
    has_credentials,
    table_of,
    with_tables,
    without,
)
from mmsc.control.subscribers import Subscribers
from mmsc.engine.made import Made
from mmsc.settings import Settings
from mmsc.settings.base import Section
from mmsc.settings.neighbours import Vasp
from mmsc.settings.profiles import ready, set_of

KINDS: Final = ("vasp", "peer", "smsc")


class Setup:
    """Lists, makes, changes and deletes them. Everything that writes raises StoreBusy and StoreUnavailable."""

    def __init__(self, made: Made, clock: Clock, house: House) -> None:
        self.made = made
        self.lock = asyncio.Lock()  # of all that changes the settings in force
        self.subscribers: Subscribers  # once the engine has begun
        self._clock = clock
        self._house = house
        self._given: dict[Key, Given] = {}
        self._aside: dict[Key, str] = {}

    async def read(self) -> None:
        """Read what people made."""
        self._given = {key: msgspec.json.decode(data, type=Given) for key, data in (await self.made.given()).items()}

    def with_made(self, file: Settings) -> Settings:
        """These settings and what people made, as far as neither is contradicted; the rest stands aside."""
        made = {key: table_of(*key, one) for key, one in self._given.items() if key[1] not in getattr(file, key[0])}
        aside = {key: self._house.where(*key) for key in self._given.keys() - made.keys()}
        whole = with_tables(file, made)
        if made and self._house.wrong(whole):
            whole = file
            for key, table in made.items():
                more = with_tables(whole, {key: table})
                if wrong := self._house.wrong(more):
                    aside[key] = wrong[0]
                else:
                    whole = more
        self._aside = aside
        return whole

    def asides(self) -> Mapping[Key, str]:
        """(kind, name) -> why what somebody made is not in force."""
        return self._aside

    def listed(self, kind: str, after: str = "", limit: int = 100, containing: str = "") -> tuple[list[Entry], str]:
        """Those whose names come after `after` and contain a text, and the `after` of the next page ("": the last)."""
        wanted = containing.lower()
        names = {*getattr(self._house.settings, kind), *(name for one, name in self._given if one == kind)}
        found = sorted(name for name in names if name > after and wanted in name.lower())
        entries = [one for name in found[:limit] if (one := self.one(kind, name)) is not None]
        return entries, found[limit - 1] if len(found) > limit else ""

    def count(self, kind: str) -> int:
        """How many are in force."""
        return len(getattr(self._house.settings, kind))

    def one(self, kind: str, name: str) -> Entry | None:
        """One, None where there is none."""
        if name in (tables := getattr(self._house.file, kind)):
            return Entry(kind, name, "config", self._house.where(kind, name), tables[name], None, "")
        given = self._given.get((kind, name))
        if given is None:
            return None
        aside = self._aside.get((kind, name), "")
        return Entry(kind, name, "console", "", table_of(kind, name, given), given.secret_at, aside)

    async def put(self, kind: str, name: str, given: Mapping[str, Any]) -> tuple[Entry, bool]:
        """Make one of these keys, or change all of it to them; whether it is new. Secrets that are not given stay as
        they were. Raises SetupWrong, SetupLocked and SetupFull."""
        async with self.lock:
            key, before = (kind, name), self._given.get((kind, name))
            self._check_origin(kind, name)
            if before is None and len(self._given) >= MAXIMUM_MADE:
                raise SetupFull(f"people made {MAXIMUM_MADE} of these: delete some")
            old = None if before is None else table_of(kind, name, before)
            table = await self._sealed(kind, credentials_kept(kind, name, given, old))
            settings = with_tables(without(self._house.settings, key), {key: table})
            if wrong := await asyncio.to_thread(self._house.wrong, settings):
                raise SetupWrong(tuple(beside(kind, name, sentence, table) for sentence in wrong))
            new = self._kept(table, old, before)
            neighbour = self._house.neighbour(kind, name, settings)
            if not await self.made.put(neighbour, msgspec.json.encode(new).decode()):
                raise SetupLocked(f"{kind}.{name} is in the settings file of another node")
            self._given[key] = new
            self._aside.pop(key, None)
            await self._house.adopt(settings)
            return Entry(kind, name, "console", "", table, new.secret_at, ""), before is None

    async def delete(self, kind: str, name: str, *, with_work: bool = False) -> bool:
        """One goes; False where there is none. Raises SetupLocked, SetupWaits where something waits for it (unless
        `with_work`), and SetupWrong where something else names it."""
        async with self.lock:
            self._check_origin(kind, name)
            key = (kind, name)
            if key not in self._given:
                return False
            settings = without(self._house.settings, key)
            if wrong := await asyncio.to_thread(self._house.wrong, settings):
                raise SetupWrong(tuple(beside(kind, name, sentence, None) for sentence in wrong))
            waiting = 0 if with_work else await self.made.waiting(f"{kind}:{name}")
            if waiting:
                raise SetupWaits(f"{kind}:{name}", waiting)
            gone = await self.made.take(kind, name, in_force=key not in self._aside)
            self._given.pop(key, None)
            self._aside.pop(key, None)
            await self._house.adopt(settings)
            return gone

    async def waiting(self, kind: str, name: str) -> int:
        """Tasks for one that are not done, as far as they are counted."""
        return await self.made.waiting(f"{kind}:{name}")

    def profiles(self) -> list[Profile]:
        """The dialects of MM7 that a VASP may name, the file's first."""
        own = self._house.file.mm7_profile
        found = [
            Profile(name, one.based_on, self._house.where("mm7_profile", name), set_of(one))
            for name, one in own.items()
        ]
        return found + [Profile(name, one.based_on, "ready", set_of(one)) for name, one in sorted(ready().items())]

    def is_of_file(self, kind: str, name: str) -> bool:
        """Whether the settings file has it: nobody changes it from here."""
        return name in getattr(self._house.file, kind)

    def _check_origin(self, kind: str, name: str) -> None:
        if self.is_of_file(kind, name):
            raise SetupLocked(f"{kind}.{name} is in {self._house.where(kind, name)}: change it there")

    async def _sealed(self, kind: str, table: Section) -> Section:
        if kind == "vasp" and isinstance(table, Vasp) and table.password:
            return await asyncio.to_thread(self._house.sealed, table)
        return table

    def _kept(self, table: Section, old: Section | None, before: Given | None) -> Given:
        """What is stored of it: the keys that are not their defaults, and when its secret was set."""
        since = None if before is None else before.secret_at
        if not has_credentials(table):
            since = None
        elif old is None or since is None or has_credentials(table) != has_credentials(old):
            since = self._clock.real_now()
        return Given(msgspec.to_builtins(table), since)
