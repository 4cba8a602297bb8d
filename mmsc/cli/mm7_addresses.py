"""Options that take addresses of MM7, and files of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from mmsc.lab.mm7_addresses import address_of
from protocols.mm7 import Address

_MAXIMUM_LIST_OCTETS: Final = 16 * 1024 * 1024


class AddressType(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """One address."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        """See `address_of`."""
        if isinstance(value, Address):
            return value
        try:
            return address_of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class AddressList(click.ParamType):  # type: ignore[type-arg] # as above
    """One address, or @FILE with one a line (empty lines and those that begin with # do not count)."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Address, ...]:
        """See `address_of`."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        try:
            return tuple(_listed(Path(text[1:]))) if text.startswith("@") else (address_of(text),)
        except OSError as error:
            self.fail(f"{text[1:]}: {error.strerror}", param, ctx)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _listed(file: Path) -> Iterator[Address]:
    with file.open("rb") as opened:
        octets = opened.read(_MAXIMUM_LIST_OCTETS + 1)
    if len(octets) > _MAXIMUM_LIST_OCTETS:
        raise ValueError(f"{file}: larger than {_MAXIMUM_LIST_OCTETS} octets")
    for number, line in enumerate(octets.decode("utf-8", "replace").splitlines(), 1):
        if line.strip() and not line.strip().startswith("#"):
            try:
                yield address_of(line)
            except ValueError as error:
                raise ValueError(f"{file}, line {number}: {error}") from error
