"""`mmsc serve`: the server, until a signal ends it."""

import asyncio
import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from mmsc.cli import hanging_up
from mmsc.cli.group import examples
from mmsc.cli.loading import config_option, load_whole, settings_of
from mmsc.cli.progress import telling
from mmsc.settings import Settings, captures_path, is_loopback, secrets, store_path

if TYPE_CHECKING:
    from mmsc.app import App
    from mmsc.operations.logs import Log

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)
_PLACES: Final = {  # listener -> (what people call it, how its address is written)
    "mm1": ("MM1, handsets", "http://{}/"),
    "weblink": ("web link", "http://{}/"),
    "mm3": ("MM3, mail", "{}"),
    "mm4": ("MM4, other MMSCs", "{}"),
    "console": ("console, REST", "http://{}/"),
    "mm7": ("MM7, VASPs", "http://{}/mm7"),
    "builtin_smsc": ("SMSC, built in", "{}"),
}


@click.command(
    "serve", epilog=examples("serve", "serve --config config/mmsc.toml", "serve --config nodes.toml --node b")
)
@config_option
@click.option("--node", default="", metavar="NAME", help="This node's name among others on one PostgreSQL database.")
def command(config: Path | None, node: str) -> None:
    """Run an MMSC until it is interrupted (SIGINT or SIGTERM; a second one does not wait for what is under way).
    On SIGHUP a settings file is read again: what can change without a restart does, and the log says what. Without a
    file the log says that there is none to read.

    Without a file it listens on loopback, keeps its state in your state folder, and brings an SMSC, a VASP and three
    subscribers to play with. It prints where everything listens.
    """
    from mmsc.operations.logs import Log
    from mmsc.store.core import StoreError

    settings = _as_node(node, settings_of(config))
    log = Log(settings.log.format, secrets(settings))
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            runner.run(_until_interrupted(settings, log, config, node))
    except (OSError, StoreError) as error:
        raise click.ClickException(f"cannot run: {error}") from error


def _as_node(name: str, settings: Settings) -> Settings:
    """The settings with another node name; its captures are its own, too."""
    if not name:
        return settings
    try:
        node = msgspec.convert({**msgspec.to_builtins(settings.node), "name": name}, type(settings.node))
    except msgspec.ValidationError as error:
        raise click.BadParameter("letters, digits, dots, hyphens and underscores", param_hint="--node") from error
    trace = msgspec.structs.replace(settings.trace, captures_path=str(captures_path(settings) / name))
    return msgspec.structs.replace(settings, node=node, trace=trace)


def fast_loop() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """uvloop's loop where that is installed (`pip install mmsc[fast]`), else the standard one."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _until_interrupted(settings: Settings, log: "Log", config: Path | None, node: str) -> None:
    asked = asyncio.Event()  # to read the settings again
    running = asyncio.ensure_future(serve(settings, log, asked, lambda: _as_node(node, load_whole(config)), config))
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        for number in _ENDING:  # a second one, of either kind, ends the process at once: what is stored is safe
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        hanging_up.say("stopping ...")
        running.cancel()

    for number in _ENDING:
        loop.add_signal_handler(number, interrupted)
    if config is None:
        hanging_up.without_a_file(loop, interrupted)
    else:
        loop.add_signal_handler(signal.SIGHUP, asked.set)
    try:
        await running
    except asyncio.CancelledError:
        hanging_up.say("stopped")


async def serve(
    settings: Settings, log: "Log", asked: asyncio.Event, read: Callable[[], Settings], source: Path | None = None
) -> None:
    """Everything that the settings ask for, until a part of it dies or the caller is cancelled. When `asked` is set,
    the settings are read again with `read`. `source` is their file."""
    from mmsc.app import App
    from mmsc.cli.playground import built_in_smsc, driven, phones, rebound, scenarios, vasps
    from mmsc.cli.wrongdoing import wrongdoing
    from mmsc.reloading import reload_when_asked

    async with AsyncExitStack() as stack:
        async with telling(lambda seconds: f"starting: the store and the captures are read, {seconds} s"):
            smsc, bound = await stack.enter_async_context(built_in_smsc(settings))
            app = App(bound)
            app.setting_up.source = source
            _follow(app, log)
            await stack.enter_async_context(app)
        if smsc is not None:
            app.listeners["builtin_smsc"] = (settings.builtin_smsc.host, smsc.port)
        mm1_url, mm7_url = _url(app, "mm1"), _url(app, "mm7")
        async with (
            phones(app, smsc, mm1_url, click.echo),
            wrongdoing(app, smsc, mm1_url),
            vasps(bound, mm7_url, click.echo) as known,
            scenarios(app, in_own_lab=True),
        ):
            if smsc is not None:
                app.control.neighbours = driven(app, smsc, known)
            for line in _where(app):
                click.echo(line)
            _settle()
            reloading = asyncio.create_task(reload_when_asked(app, asked, lambda: rebound(smsc, read())))
            try:
                await app.wait()
            finally:
                reloading.cancel()
                await asyncio.gather(reloading, return_exceptions=True)


def _follow(app: "App", log: "Log") -> None:
    """What is written into the log follows the settings."""

    def tell(now: Settings) -> None:
        app.operations.tally.write = log.set(now.log.level, events=now.log.events, secrets=secrets(now))

    tell(app.settings)
    app.live.values.append(tell)


def _settle() -> None:
    """What was loaded by now stays: the collector need not walk it for every few hundred objects of a request.

    A server makes little garbage in cycles; looking for it less often is a tenth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _where(app: "App") -> Iterator[str]:
    for name, (title, _) in _PLACES.items():
        if name in app.listeners:
            yield f"{title:18} {_url(app, name)}"
    if app.settings.console.token and "console" in app.listeners:
        outside = "" if is_loopback(app.settings.console.host) else ", and is reachable from outside"
        yield f"{'':18} asks for console.token (Authorization: Bearer, or once at /login){outside}"
    given = app.settings.store
    yield f"{'state':18} {f'PostgreSQL, schema {given.schema}' if given.postgres else store_path(app.settings)}"
    yield "ready; interrupt to stop"


def _url(app: "App", name: str) -> str:
    """Where an interface is called, "" when it does not listen."""
    if name not in app.listeners:
        return ""
    form = _PLACES[name][1].replace("http:", f"{app.schemes.get(name, 'http')}:")
    return form.format(_place(app, name))


def _place(app: "App", name: str) -> str:
    host, port = app.listeners[name]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
