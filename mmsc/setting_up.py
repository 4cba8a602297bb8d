"""What people make of neighbours while the server runs, joined with the settings file. For `app.py` and reloading."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from mmsc import configured, configured_neighbours
from mmsc.control.server import Server
from mmsc.control.setup import KINDS, Setup
from mmsc.control.subscribers import Subscribers
from mmsc.engine.away import STORE_AWAY
from mmsc.engine.directory import Neighbour, key_of
from mmsc.engine.made import Made
from mmsc.engine.pause import real_pause
from mmsc.gateways.mm7.passwords import hash_password
from mmsc.settings import Settings, contradictions
from mmsc.settings.lines import Lines, lines_of
from mmsc.settings.neighbours import Vasp

if TYPE_CHECKING:
    from mmsc.app import App

_log: Final = logging.getLogger(__name__)
_PATIENCE_SECONDS: Final = 1.0


class SettingUp:
    """Implements `control.house.House`. `file` are the settings without what people made."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self.file = app.settings
        self.source: Path | None = None
        self._lines: Lines = {}
        self._wakes: asyncio.Queue[str] = asyncio.Queue()
        self._stale = asyncio.Event()  # connections of neighbours that changed
        self.server = Server(lambda: app.settings, app.clock)
        self.setup = Setup(Made(app.store, app.clock, lambda: app.engine.neighbours), app.clock, self)

    @property
    def settings(self) -> Settings:
        """In force."""
        return self._app.settings

    async def begin(self) -> None:
        """Read what people made: it is part of the settings from now on."""
        await self.setup.read()
        self._app.settings = self.joined(self.file)
        self._read_lines()

    def started(self) -> None:
        """The engine is there, and has read its neighbours."""
        self.setup.subscribers = Subscribers(self.setup.made, self, self._app.engine)
        self._app.engine.setup_changed = self._wakes.put_nowait

    def joined(self, file: Settings) -> Settings:
        """A file's settings with what people made; what stands aside is told in the log."""
        whole = self.setup.with_made(file)
        for (kind, name), why in self.setup.asides().items():
            _log.warning("%s.%s, as somebody made it, stands aside: %s", kind, name, why)
        return whole

    def reloaded(self, file: Settings) -> None:
        """The file was read again, and is in force."""
        self.file = file
        self._read_lines()

    def neighbours(
        self, settings: Settings, file: Settings | None = None, hashed: Callable[[str], str] = hash_password
    ) -> tuple[tuple[Neighbour, ...], tuple[Neighbour, ...]]:
        """Those of the file, and those that people made; `settings` are both."""
        of_file: list[Neighbour] = []
        made: list[Neighbour] = []
        for one in configured.neighbours(settings, hashed):
            kind, name = key_of(one)
            is_made = kind in KINDS and name not in getattr(file or self.file, kind)
            (made if is_made else of_file).append(one)
        return tuple(of_file), tuple(made)

    def neighbour(self, kind: str, name: str, settings: Settings) -> Neighbour:
        """One of them, as the rooms know it."""
        if kind == "vasp":
            return configured_neighbours.vasp(name, settings, hash_password)
        return (configured_neighbours.peer if kind == "peer" else configured_neighbours.smsc)(name, settings)

    def where(self, kind: str, name: str) -> str:
        """`mmsc.toml:412`."""
        if self.source is None:
            return "the built-in settings"
        line = self._lines.get((kind, name))
        return self.source.name if line is None else f"{self.source.name}:{line}"

    def wrong(self, settings: Settings) -> list[str]:
        """What contradicts what, in sentences."""
        return [*contradictions(settings), *configured.misread(settings)]

    def sealed(self, table: Vasp) -> Vasp:
        """With what is kept of its password in the password's place."""
        kept = configured_neighbours.secrets(table, self.settings.mm7.realm, hash_password)
        return msgspec.structs.replace(table, password="", **kept)

    async def adopt(self, settings: Settings) -> None:
        """These are in force: who keeps a value of them is told, and connections follow as soon as they can."""
        app = self._app
        app.settings = settings
        for tell in app.live.values:
            tell(settings)
        await app.engine.adopt(configured.engine_policy(settings))
        self._stale.set()

    async def run(self) -> None:
        """Until cancelled: what other nodes change is read anew, and connections follow what changed."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_anew(), name="changes by other nodes")
            group.create_task(self._renew(), name="connections of changed neighbours")

    async def _renew(self) -> None:
        while True:  # what is under way is waited for here, and by nobody who asked for the change
            await self._stale.wait()
            self._stale.clear()
            for change in self._app.live.connections:
                await change(self.settings)

    async def _read_anew(self) -> None:
        while True:
            wake = await self._wakes.get()
            try:
                await self._changed_elsewhere(wake)
            except STORE_AWAY:
                self._wakes.put_nowait(wake)
                await real_pause(_PATIENCE_SECONDS)

    async def _changed_elsewhere(self, wake: str) -> None:
        if not await self.setup.made.changed_elsewhere(wake):
            return
        async with self.setup.lock:
            before = self._app.settings
            await self.setup.read()
            settings = self.joined(self.file)
            changed = [
                (kind, name)
                for kind in KINDS
                for name in getattr(before, kind).keys() | getattr(settings, kind).keys()
                if getattr(before, kind).get(name) != getattr(settings, kind).get(name)
            ]
            for kind, name in changed:
                there = name in getattr(settings, kind)
                put = self.neighbour(kind, name, settings) if there else None
                self._app.engine.neighbours.adopt(put, (kind, name))
            if changed:
                await self.adopt(settings)

    def _read_lines(self) -> None:
        self._lines = {}
        if self.source is not None:
            with suppress(OSError, UnicodeDecodeError):  # it was there a moment ago
                self._lines = lines_of(self.source.read_text("utf-8"))
