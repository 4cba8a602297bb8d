"""How commands get at the settings: `--config`, else MMSC_CONFIG, else the built-in ones; errors in plain words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mmsc.settings import Settings, SettingsError, load

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """The option `--config FILE`."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="MMSC_CONFIG",
        show_envvar=True,
        help="Settings file (see config/mmsc.toml). Without one: loopback, a SQLite file, neighbours to play with.",
    )(command)


def settings_of(config: Path | None) -> Settings:
    """The settings, or a usage error that lists everything wrong with them."""
    try:
        return load_whole(config)
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from error


def load_whole(config: Path | None) -> Settings:
    """The settings, also checked against what the rooms make of them. Raises SettingsError."""
    from mmsc import configured

    settings = load(config)
    source = "the built-in settings" if config is None else str(config)
    if wrong := tuple(f"{source}: {sentence}" for sentence in configured.misread(settings)):
        raise SettingsError(wrong)
    return settings
