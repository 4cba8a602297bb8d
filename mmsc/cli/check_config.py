"""`mmsc check-config FILE`: everything that is wrong, and what is probably not meant."""

from pathlib import Path

import click

from mmsc.cli.group import examples
from mmsc.cli.loading import load_whole
from mmsc.settings import SettingsError, changes, remarks


@click.command(
    "check-config", epilog=examples("check-config config/mmsc.toml", "check-config new.toml --running config/mmsc.toml")
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--running",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Another settings file: lists the keys that differ, and which of them cannot change without a restart.",
)
def command(file: Path, running: Path | None) -> None:
    """Say what is wrong or odd in a settings FILE. Exit status 1 when a server would not start with it."""
    try:
        settings = load_whole(file)
        before = load_whole(running) if running is not None else None
    except SettingsError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        raise SystemExit(1) from error
    for remark in remarks(settings):
        click.echo(f"remark: {remark}")
    if before is not None:
        live, restart = changes(before, settings)
        for key in live:
            click.echo(f"live: {key}")
        for key in restart:
            click.echo(f"restart: {key}")
    click.echo(f"{file}: good")
