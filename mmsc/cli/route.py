"""`mmsc route NUMBER --from NEIGHBOUR`: the number plan and the routing, step by step, without a running server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from mmsc.cli.group import examples
from mmsc.cli.loading import config_option, settings_of
from mmsc.settings import Settings

if TYPE_CHECKING:
    from mmsc.engine.directory import Neighbours


@click.command("route", epilog=examples("route +15550000003", "route 0015550000003 --from vasp:demo"))
@click.argument("number")
@click.option(
    "--from",
    "neighbour",
    default="",
    metavar="NEIGHBOUR",
    help="Who names the number: vasp:NAME or peer:NAME (a bare NAME does when it is clear). Without it, a subscriber.",
)
@config_option
def command(number: str, neighbour: str, config: Path | None) -> None:
    """Explain what becomes of NUMBER: how it is read, where it is routed, and why.

    Exit status 1 when it goes nowhere. Only what the settings say counts, not what a server has learned since.
    """
    settings = settings_of(config)
    named = _neighbour(settings, neighbour)
    served = True
    for step in _steps(settings, number, named):
        click.echo(step)
        served = not step.startswith(("not an address", "nowhere"))
    raise SystemExit(0 if served else 1)


def _neighbour(settings: Settings, text: str) -> str:
    known = [f"vasp:{name}" for name in settings.vasp] + [f"peer:{name}" for name in settings.peer]
    if text in ("", *known):
        return text
    fitting = [name for name in known if name.partition(":")[2] == text]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(fitting or known) or "none"
    raise click.BadParameter(f"{text!r} names {len(fitting)} neighbours; known: {listed}", param_hint="--from")


def _steps(settings: Settings, number: str, neighbour: str) -> Iterator[str]:
    """One sentence a step; the last one says where the number goes."""
    from mmsc import configured
    from mmsc.domain.address import NotAnAddress, told
    from mmsc.domain.message import Route
    from mmsc.engine.routing import Routing

    yield f"{number} as named by {neighbour or 'a subscriber'}"
    neighbours = asyncio.run(_in_memory(settings))
    routing = Routing(configured.number_plan(settings), configured.routing_policy(settings), neighbours)
    found = routing.normalise(number, neighbour)
    if isinstance(found, NotAnAddress):
        yield f"not an address: {found.because}"
        return
    yield from found.steps
    yield f"{found.address.kind.value.replace('_', ' ')} {found.address}"
    route, target, why = routing.route(found.address)
    places = {
        Route.SUBSCRIBER: f"to a handset, notified over smsc:{target}",
        Route.PEER: f"to another MMSC, peer:{target}",
        Route.VASP: f"to vasp:{target}",
        Route.NONE: "nowhere",
    }
    there = neighbours.smscs.get(target) if route is Route.SUBSCRIBER else neighbours.peers.get(target)
    spelling = found.address if there is None else told(found.address, there.rewrites_out)
    if spelling != found.address:
        yield f"told to {target} as {spelling}"
    yield f"{places[route]} ({why})"


async def _in_memory(settings: Settings) -> "Neighbours":
    """The neighbours of the file, in a store that is thrown away."""
    from mmsc import configured
    from mmsc.clock import Clock
    from mmsc.engine.directory import Neighbours
    from mmsc.store.sqlite import SqliteStore

    with TemporaryDirectory(prefix="mmsc-route-") as folder:
        store = SqliteStore(str(Path(folder) / "route.db"))
        await store.open()
        try:
            neighbours = Neighbours(store, Clock(), settings.numbers.default_smsc)
            await neighbours.load(configured.neighbours(settings, lambda password: ""))
            return neighbours
        finally:
            await store.close()
