"""SIGHUP at a server that has no settings file: there is nothing to read again, which is said, and the server goes on.
Only when the signal says that its terminal is gone, it stops as it does for SIGTERM: nobody is left to interrupt it."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import click

_STANDARD: Final = (0, 1, 2)  # input, output, errors


def without_a_file(loop: asyncio.AbstractEventLoop, leave: Callable[[], object]) -> None:
    """Hear the signal from now on; `leave` stops the server."""
    before = _terminals()

    def heard() -> None:
        from mmsc.reloading import nothing_to_read

        if before - _terminals():
            leave()
        else:
            nothing_to_read()

    loop.add_signal_handler(signal.SIGHUP, heard)


def say(line: str) -> None:
    """A line on standard error, as far as somebody can still read it."""
    with suppress(OSError):
        click.echo(line, err=True)


def _terminals() -> set[int]:
    return {number for number in _STANDARD if os.isatty(number)}
