"""Reading the settings again while the server runs: whole, checked and compared; then all of it is taken over, or
nothing. What needs a restart is listed and left as it is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from mmsc import configured
from mmsc.domain.instant import SECOND
from mmsc.gateways.mm7.passwords import hash_password
from mmsc.settings import Settings, SettingsError, changes, contradictions, merged
from mmsc.store.core import StoreBusy, StoreError

if TYPE_CHECKING:
    from mmsc.app import App

_log: Final = logging.getLogger(__name__)
_log.setLevel(logging.INFO)  # whoever sends a signal wants to read what came of it
_AWAY: Final = "the store does not take the neighbours; nothing was applied, read the settings again later: %s"


class Reloads:
    """What came of it, for the metrics."""

    def __init__(self) -> None:
        self.results = dict.fromkeys(("applied", "unchanged", "refused", "failed"), 0)
        self.last_success = 0.0  # Unix time
        self.restart: tuple[str, ...] = ()

    def taken_over(self, real_now: int) -> None:
        """Settings are in force."""
        self.last_success = real_now / SECOND


class Live:
    """Who keeps a value of a live key, and is told the new one. `values` are told all together, in one turn of the
    event loop; `connections` afterwards, because what is under way is waited for. Neither may fail."""

    def __init__(self) -> None:
        self.values: list[Callable[[Settings], None]] = []
        self.connections: list[Callable[[Settings], Awaitable[None]]] = []


async def reload_when_asked(app: "App", asked: asyncio.Event, read: Callable[[], Settings]) -> None:
    """Until cancelled: each time `asked` is set, read the settings with `read` and take them over."""
    while True:
        await asked.wait()
        asked.clear()
        app.operations.supervisor.reloading()
        try:
            await reload(app, read)
        finally:
            app.operations.supervisor.ready()


def nothing_to_read() -> None:
    """A server that was started without a settings file was asked to read it again."""
    _log.warning("SIGHUP: there is no settings file to read again; everything goes on as it is")


async def reload(app: "App", read: Callable[[], Settings]) -> str:
    """Take new settings over; what came of it (a key of `Reloads.results`). Raises nothing for what is wrong in them.
    `read` is called on another thread."""
    reloads = app.operations.reloads
    try:
        result = await _take_over(app, await asyncio.to_thread(read))
    except SettingsError as error:
        for problem in error.problems:
            _log.error("the settings were not taken over: %s", problem)
        result = "refused"
    except (StoreError, StoreBusy) as error:
        _log.error(_AWAY, error)
        result = "failed"
    except Exception:  # our bug: the next signal must find somebody who hears it
        _log.exception("the settings were perhaps taken over in part; start the server anew when that can be")
        result = "failed"
    reloads.results[result] += 1
    if result in ("applied", "unchanged"):
        reloads.taken_over(app.clock.real_now())
    return result


async def _take_over(app: "App", new: Settings) -> str:
    async with app.setting_up.setup.lock:
        return await _take_over_all(app, new)


async def _take_over_all(app: "App", new: Settings) -> str:
    running, file = app.settings, merged(app.setting_up.file, new)
    given = app.setting_up.joined(new)
    live, restart = changes(running, given)
    settings = merged(running, given)
    if wrong := (*contradictions(settings), *configured.misread(settings)):
        raise SettingsError(tuple(f"{sentence} (with what needs a restart as it is)" for sentence in wrong))
    for key in restart:
        _log.warning("%s changed and needs a restart: left as it is", key)
    app.operations.reloads.restart = restart
    if not live:
        _log.info("the settings were read again: nothing to take over")
        return "unchanged"
    hashes = _known_hashes(app)
    neighbours, made = await asyncio.to_thread(
        app.setting_up.neighbours, settings, file, lambda password: hashes.get(password) or hash_password(password)
    )
    await app.engine.take_over(configured.engine_policy(settings), neighbours, configured.agreed(file), made)
    app.settings = settings
    app.setting_up.reloaded(file)
    for tell in app.live.values:
        tell(settings)
    for change in app.live.connections:
        await change(settings)
    _log.info("the settings were read again; taken over: %s", ", ".join(live))
    return "applied"


def _known_hashes(app: "App") -> dict[str, str]:
    """Hashes of the passwords in force: made anew, each VASP would look changed, and pay for its next login."""
    known = app.engine.neighbours.vasps
    return {
        given.password: known[name].password_hash
        for name, given in app.settings.vasp.items()
        if given.password and name in known and known[name].password_hash
    }
