"""Addresses of MM7 as people type them (TS 23.140 8.7.8: Number, RFC2822Address, ShortCode and their attributes)."""

from typing import Final

from protocols.mm7 import Address, AddressForm

_FORMS: Final = {
    "number": AddressForm.NUMBER,
    "mail": AddressForm.RFC2822_ADDRESS,
    "short": AddressForm.SHORT_CODE,
}
_CODINGS: Final = ("encrypted", "obfuscated")
_SHORTEST_NUMBER: Final = 7  # digits; fewer are a short code unless they begin with +


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
