"""The two forms of an operation: on an MM that the MMSC still holds, and, extended, on one that was delivered."""

from collections.abc import Mapping
from typing import Any

import click


def refuse_what_is_not_there(given: Mapping[str, Any], names: tuple[str, ...], element: str) -> None:
    """Options that were typed and have no element in this form are wrong usage. Raises UsageError."""
    context = click.get_current_context()
    typed = [
        parameter
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name) is click.core.ParameterSource.COMMANDLINE
        and given[parameter.name] not in (None, "", ())
    ]
    if typed:
        raise click.UsageError(f"{element} has no element for {', '.join(one.opts[0] for one in typed)}")
