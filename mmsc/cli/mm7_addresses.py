"""Addresses of MM7 as people type them (TS 23.140 8.7.8: Number, RFC2822Address, ShortCode and their attributes)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from protocols.mm7 import Address, AddressForm

_FORMS: Final = {
    "number": AddressForm.NUMBER,
    "mail": AddressForm.RFC2822_ADDRESS,
    "short": AddressForm.SHORT_CODE,
}
_CODINGS: Final = ("encrypted", "obfuscated")
_SHORTEST_NUMBER: Final = 7  # digits; fewer are a short code unless they begin with +
_MAXIMUM_LIST_OCTETS: Final = 16 * 1024 * 1024


def guess(text: str) -> Address:
    """What an address looks like."""
    if "@" in text:
        return Address(text, AddressForm.RFC2822_ADDRESS)
    number = text.startswith("+") or (text.isdecimal() and len(text) >= _SHORTEST_NUMBER)
    return Address(text, AddressForm.NUMBER if number else AddressForm.SHORT_CODE)


def address_of(text: str) -> Address:
    """An address with its form and attributes. Raises ValueError in words."""
    value, *attributes = text.strip().split(",")
    prefix, colon, rest = value.partition(":")
    form = _FORMS.get(prefix.lower()) if colon else None
    found = guess(value) if form is None else Address(rest, form)
    if not found.value:
        raise ValueError(f"{text!r} is no address")
    display_only, coding, key = False, "", ""
    for attribute in attributes:
        name, _, said = attribute.strip().partition("=")
        if name.lower() == "displayonly" and not said:
            display_only = True
        elif name.lower() == "coding" and said in _CODINGS:
            coding = said
        elif name.lower() == "id" and said:
            key = said
        else:
            raise ValueError(f"{attribute!r} is none of displayOnly, coding=encrypted|obfuscated, id=KEY")
    return Address(found.value, found.form, display_only, coding, key)


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
