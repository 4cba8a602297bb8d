"""Options under headings: what a command's help shows when it has too many for one list."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
_LAST: Final = "Options"


class _Option(click.Option):
    """An option that knows its heading."""

    def __init__(self, *arguments: Any, heading: str = _LAST, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.heading = heading


def under(heading: str, *declared: tuple[tuple[str, ...], dict[str, Any]]) -> Callable[[F], F]:
    """Decorate a command with options under one heading, in this order. Each is made by `option`."""

    def decorate(command: F) -> F:
        for names, more in reversed(declared):
            command = click.option(*names, cls=_Option, heading=heading, **more)(command)
        return command

    return decorate


def option(*names: str, **more: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """An option as `click.option` takes it, for `under`."""
    return names, more


class GroupedCommand(click.Command):
    """A command whose help has a list of options for each heading, in the order of their first options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Called by click."""
        lists: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if row is not None:
                lists.setdefault(getattr(parameter, "heading", _LAST), []).append(row)
        for heading, rows in lists.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
