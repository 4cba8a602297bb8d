"""`mmsc serve`: the server, until a signal ends it."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmsc.cli.loading import config_option, settings_of

if TYPE_CHECKING:
    from mmsc.settings import Settings


@click.command("serve")
@config_option
def command(config: Path | None) -> None:
    """Run an MMSC until it is interrupted (SIGINT or SIGTERM; a second one does not wait for what is under way).

    Without a file it listens on loopback, keeps its state in your state folder, and brings an SMSC, a VASP and three
    subscribers to play with. It prints where everything listens.
    """
    settings = settings_of(config)
    logging.basicConfig(level=settings.log.level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_until_interrupted(settings))
    except OSError as error:
        raise click.ClickException(f"cannot start: {error}") from error


async def _until_interrupted(settings: "Settings") -> None:
    from mmsc.app import serve

    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(serve(settings, click.echo))

    def interrupted(number: signal.Signals) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.remove_signal_handler(number)
        click.echo("stopping ...", err=True)
        running.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted, number)
    try:
        await running
    except asyncio.CancelledError:
        click.echo("stopped", err=True)
