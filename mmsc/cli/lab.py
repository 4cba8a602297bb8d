"""`mmsc lab`: a server with everything to play with, for a test suite: on free ports, gone without a trace."""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmsc.cli import hanging_up
from mmsc.cli.group import examples

if TYPE_CHECKING:
    from mmsc.app import App
    from mmsc.control.neighbours import Neighbours
    from mmsc.settings import Settings

_IN_MEMORY: Final = "/dev/shm"  # where Linux keeps files in memory
_CONSOLE: Final = 8800


@click.command("lab", epilog=examples("lab", "lab --ports auto --no-far", "lab --ports auto --ready-file lab.json"))
@click.option(
    "--ports",
    type=click.Choice(("auto", "usual")),
    default="usual",
    show_default=True,
    help="`auto`: free ones. `usual`: the console on 8800, free ones for the rest.",
)
@click.option("--ready-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the addresses there, too.")
@click.option(
    "--state",
    type=click.Choice(("memory", "disk")),
    default="memory",
    show_default=True,
    help="Where state is kept until the end: a folder in memory where there is one, or on disk.",
)
@click.option("--far/--no-far", default=True, help="A second MMSC beside it, by MM4.  [default: yes]")
@click.option("--with-parent", is_flag=True, help="End when standard input is closed, as it is when a parent ends.")
def command(ports: str, ready_file: Path | None, state: str, *, far: bool, with_parent: bool) -> None:
    """Run an MMSC to test against until it is interrupted: with an SMSC, a VASP, handsets, another MMSC on MM4, magic
    numbers, faults, a clock to turn. Its state is gone at the end.

    When it is ready it prints one line of JSON: the address of each interface, the VASP's login, the handsets.
    `mmsc.client` and the pytest fixture `mmsc_lab` speak to it; so does anything that speaks HTTP (/api/v1)."""
    gc.disable()  # what is loaded now stays: a twentieth of the start is spent on looking through it
    from mmsc.cli.serve import fast_loop
    from mmsc.store.core import StoreError

    parent = Path(_IN_MEMORY) if state == "memory" and os.access(_IN_MEMORY, os.W_OK) else None
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mmsc-lab-", dir=parent, ignore_cleanup_errors=True) as name,
            asyncio.Runner(loop_factory=fast_loop()) as runner,
        ):
            folder = Path(name)
            for one in ("home", "far"):
                (folder / one).mkdir()
            ready = _announcer(ready_file)
            runner.run(_until_ended(folder, ports, ready, far=far, with_parent=with_parent))
    except (OSError, StoreError) as error:
        raise click.ClickException(f"cannot run: {error}") from error


def _announcer(ready_file: Path | None) -> Callable[[dict[str, Any]], None]:
    def ready(told: dict[str, Any]) -> None:
        line = json.dumps(told)
        if ready_file is not None:
            ready_file.write_text(line + "\n")
        click.echo(line)
        sys.stdout.flush()

    return ready


async def _until_ended(
    folder: Path, ports: str, ready: Callable[[dict[str, Any]], None], *, far: bool, with_parent: bool
) -> None:
    running = asyncio.ensure_future(_run(folder, ports, ready, far=far))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    hanging_up.without_a_file(loop, running.cancel)
    if with_parent:
        loop.add_reader(sys.stdin, lambda: _look(loop, running))
    await asyncio.gather(running, return_exceptions=True)
    if not running.cancelled():
        running.result()


def _look(loop: asyncio.AbstractEventLoop, running: "asyncio.Future[None]") -> None:
    """Standard input says something, or its end."""
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin)
        running.cancel()


async def _run(folder: Path, ports: str, ready: Callable[[dict[str, Any]], None], *, far: bool) -> None:
    console = 0 if ports == "auto" else _CONSOLE
    async with lab(folder, console=console, with_far=far) as (app, told):
        gc.freeze()
        gc.enable()
        ready(told)
        await app.wait()


@asynccontextmanager
async def lab(folder: Path, *, console: int, with_far: bool) -> "AsyncIterator[tuple[App, dict[str, Any]]]":
    """A running lab, and what is told of it."""
    from mmsc.app import App
    from mmsc.cli.playground import built_in_smsc, driven, phones, scenarios
    from mmsc.cli.wrongdoing import wrongdoing
    from mmsc.lab.vasp_driven import DrivenVasp
    from mmsc.settings import DEMO_VASP
    from mmsc.settings import lab as settings

    async with AsyncExitStack() as stack:
        vasp = DrivenVasp("", vasp_id="demo", username="demo", password="secret", sender="7255")
        await vasp.start()
        stack.push_async_callback(vasp.stop)
        mm4, far_mm4 = _free_port(), _free_port()
        made = settings.lab(folder / "home", console=console, report_url=vasp.report_url, mm4=mm4, far_mm4=far_mm4)
        smsc, bound = await stack.enter_async_context(built_in_smsc(made))
        app = await stack.enter_async_context(App(bound, synchronous="OFF"))
        if smsc is not None:
            app.listeners["builtin_smsc"] = (made.builtin_smsc.host, smsc.port)
        places = app.control.places()
        vasp.url = f"{places['mm7']}/mm7"
        await stack.enter_async_context(phones(app, smsc, f"{places['mm1']}/", _quiet))
        await stack.enter_async_context(wrongdoing(app, smsc, f"{places['mm1']}/"))
        neighbours = driven(app, smsc, {DEMO_VASP: vasp})
        if with_far:
            await _far(stack, folder / "far", app, neighbours, (far_mm4, mm4))
        app.control.neighbours = neighbours
        await stack.enter_async_context(scenarios(app, in_own_lab=False))
        yield app, _told(app, bound, neighbours, vasp)


async def _far(
    stack: AsyncExitStack, folder: Path, home: "App", neighbours: "Neighbours", ports: tuple[int, int]
) -> None:
    """The other MMSC: it reads the same clock, so that a step is one for both."""
    from mmsc.app import App
    from mmsc.lab.handset import Handset
    from mmsc.lab.smsc import VirtualSmsc
    from mmsc.settings import lab as settings

    smsc = VirtualSmsc({"mmsc": "secret"})
    await smsc.start()
    stack.push_async_callback(smsc.stop)
    mm4, home_mm4 = ports
    made = settings.far(folder, smsc=smsc.port, mm4=mm4, home_mm4=home_mm4)
    app = await stack.enter_async_context(App(made, clock=home.clock, synchronous="OFF"))
    host, port = app.listeners["mm1"]
    phone = await stack.enter_async_context(Handset(settings.FAR_PHONE, f"http://{host}:{port}/"))
    smsc.register(phone.number, phone.on_push, phone.on_sms)
    neighbours.engines = [*neighbours.engines, app.engine]
    neighbours.far_smscs.append(smsc)
    neighbours.numbers = {**neighbours.numbers, phone.number: "far"}


def _told(app: "App", bound: "Settings", neighbours: "Neighbours", vasp: Any) -> dict[str, Any]:
    places: Mapping[str, str] = app.control.places()
    given = next(iter(bound.vasp.values()))
    return {
        "url": _console(app),
        "pid": os.getpid(),
        "places": dict(places),
        "vasp": {
            "url": vasp.url,
            "vasp_id": given.vasp_id,
            "username": given.username,
            "password": given.password,
            "report_url": given.report_url,
        },
        "phones": dict(neighbours.numbers),
    }


def _console(app: "App") -> str:
    place = app.control.places()["console"]
    return place if "://" in place else f"http://{place}"


def _quiet(line: str) -> None:
    """Nobody reads along."""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
