"""Numbers and addresses after normalisation, and the number plan that normalises them.

Addresses are compared in this form and shown as they came. The plan explains each of its steps, because "why did this
number go there" is the first question of an interworking test.
"""

import re
from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum
from typing import Final

from protocols.records import record

_SEPARATORS: Final = re.compile(r"[\s().\-]+")
_DIGITS: Final = re.compile(r"[0-9]+")
_E164_MAXIMUM_DIGITS: Final = 15  # ITU-T E.164 6.2.1
_E164_MINIMUM_DIGITS: Final = 5
_EMAIL: Final = re.compile(r"[^@\s<>\x00-\x1f\x7f-\x9f]+@[^@\s<>\x00-\x1f\x7f-\x9f]+")  # RFC 6532 3.2: no controls
LONGEST_ADDRESS: Final = 1024  # characters as written: a name and an e-mail address (RFC 5321 4.5.3.1) have room
_ALPHANUMERIC_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _]{0,10}")


class AddressKind(StrEnum):
    """What an address is, once it is normalised."""

    PHONE = "phone"
    SHORT_CODE = "short_code"
    EMAIL = "email"
    IP = "ip"


@record(frozen=True, slots=True)
class Address:
    """A normalised address: `+` and digits for a phone, lower-case domain for e-mail, the code itself otherwise."""

    kind: AddressKind
    value: str

    def __str__(self) -> str:
        return self.value

    @staticmethod
    def of(value: str) -> "Address":
        """The address with this normalised value (as stored): its kind follows from its form."""
        if value.startswith("+"):
            return Address(AddressKind.PHONE, value)
        if "@" in value:
            return Address(AddressKind.EMAIL, value)
        if "." in value or ":" in value:
            return Address(AddressKind.IP, value)
        return Address(AddressKind.SHORT_CODE, value)


@record(frozen=True, slots=True)
class Normalised:
    """An address and how it came about, one sentence a step."""

    address: Address
    steps: tuple[str, ...]


@record(frozen=True, slots=True)
class NotAnAddress:
    """The text names nobody; `because` is for people."""

    text: str
    because: str


@record(frozen=True, slots=True)
class Rewrite:
    """A neighbour's own spelling: numbers that start with `prefix` start with `becomes` instead."""

    prefix: str
    becomes: str

    def of(self, number: str) -> str:
        """A number that starts with `prefix`, rewritten."""
        return self.becomes + number[len(self.prefix) :]


def fitting(number: str, rewrites: tuple[Rewrite, ...]) -> Rewrite | None:
    """The first rewrite that fits."""
    return next((rewrite for rewrite in rewrites if number.startswith(rewrite.prefix)), None)


def rewritten(number: str, rewrites: tuple[Rewrite, ...]) -> str:
    """`number` after the first rewrite that fits it, if any does."""
    rewrite = fitting(number, rewrites)
    return number if rewrite is None else rewrite.of(number)


def told(address: Address, rewrites: tuple[Rewrite, ...]) -> Address:
    """An address as a neighbour with these rewrites is told it: only phone numbers have spellings."""
    if address.kind is not AddressKind.PHONE:
        return address
    return Address(AddressKind.PHONE, rewritten(address.value, rewrites))


def longest_first(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Prefixes as `longest_prefix` wants them."""
    return tuple(sorted(prefixes, key=len, reverse=True))


def longest_prefix(number: str, prefixes: tuple[str, ...]) -> str:
    """The longest of the prefixes (`longest_first`) that the number has, "" for none."""
    if number.startswith(prefixes):
        for prefix in prefixes:
            if number.startswith(prefix):
                return prefix
    return ""


@record(frozen=True, slots=True)
class NumberPlan:
    """How numbers are written where the MMSC stands.

    `country_code` without `+`; `national_prefix` is what a national number starts with ("0", or "" as in NANP);
    `national_length` > 0 takes a bare number of that many digits for a national one (10 in NANP);
    `short_codes` are never taken for local numbers.
    """

    country_code: str = "1"
    national_prefix: str = ""
    national_length: int = 10
    international_prefixes: tuple[str, ...] = ("00", "011")
    short_codes: frozenset[str] = field(default_factory=frozenset)
    short_code_maximum_digits: int = 6

    def normalise(self, text: str, rewrites: tuple[Rewrite, ...] = ()) -> Normalised | NotAnAddress:
        """The address that `text` means here, with the steps that led there."""
        steps: list[str] = []
        if len(text) > LONGEST_ADDRESS:
            return NotAnAddress(text[:LONGEST_ADDRESS], f"{len(text)} characters, the longest are {LONGEST_ADDRESS}")
        bare = _strip_type(text.strip(), steps)
        if isinstance(bare, Address):
            return Normalised(bare, tuple(steps))
        if not bare:
            return NotAnAddress(text, "the address is empty")
        if "@" in bare:
            return self._email_or_number(text, bare, rewrites, steps)
        return self._number(text, bare, rewrites, steps)

    def _email_or_number(
        self, text: str, bare: str, rewrites: tuple[Rewrite, ...], steps: list[str]
    ) -> Normalised | NotAnAddress:
        if not _EMAIL.fullmatch(bare):
            return NotAnAddress(text, "not an e-mail address")
        local, _, domain = bare.rpartition("@")
        steps.append("an e-mail address; the domain is compared in lower case")
        return Normalised(Address(AddressKind.EMAIL, f"{local}@{domain.lower()}"), tuple(steps))

    def _number(
        self, text: str, bare: str, rewrites: tuple[Rewrite, ...], steps: list[str]
    ) -> Normalised | NotAnAddress:
        rewrite = fitting(bare, rewrites)
        if rewrite is not None:
            bare = rewrite.of(bare)
            steps.append(f"the neighbour's rewrite {rewrite.prefix!r} -> {rewrite.becomes!r} gives {bare}")
        if bare in self.short_codes:
            steps.append("a configured short code (before local numbers)")
            return Normalised(Address(AddressKind.SHORT_CODE, bare), tuple(steps))
        digits = _SEPARATORS.sub("", bare)
        if digits != bare:
            steps.append(f"visual separators dropped: {digits}")
        plus = digits.startswith("+")
        number = digits[1:] if plus else digits
        if not _DIGITS.fullmatch(number):
            if _ALPHANUMERIC_CODE.fullmatch(bare):
                steps.append("letters: an alphanumeric short code")
                return Normalised(Address(AddressKind.SHORT_CODE, bare), tuple(steps))
            return NotAnAddress(text, "neither a number, an e-mail address nor a short code")
        if plus:
            return self._international(text, number, "starts with +: international", steps)
        return self._without_plus(text, number, steps)

    def _without_plus(self, text: str, number: str, steps: list[str]) -> Normalised | NotAnAddress:
        for prefix in self.international_prefixes:
            if number.startswith(prefix) and len(number) - len(prefix) >= _E164_MINIMUM_DIGITS + 2:
                return self._international(text, number[len(prefix) :], f"international prefix {prefix} dropped", steps)
        if self.national_length and len(number) == self.national_length:
            why = f"{self.national_length} digits: national, country code {self.country_code} added"
            return self._international(text, self.country_code + number, why, steps)
        if self.national_prefix and number.startswith(self.national_prefix) and len(number) > 6:
            rest = number[len(self.national_prefix) :]
            why = f"national prefix {self.national_prefix} replaced by country code {self.country_code}"
            return self._international(text, self.country_code + rest, why, steps)
        if len(number) <= self.short_code_maximum_digits:
            steps.append(f"{len(number)} digits: a short code")
            return Normalised(Address(AddressKind.SHORT_CODE, number), tuple(steps))
        return self._international(text, number, "no prefix: taken as international without +", steps)

    @staticmethod
    def _international(text: str, number: str, why: str, steps: list[str]) -> Normalised | NotAnAddress:
        if not _E164_MINIMUM_DIGITS <= len(number) <= _E164_MAXIMUM_DIGITS:
            return NotAnAddress(
                text, f"{len(number)} digits; E.164 has {_E164_MINIMUM_DIGITS} to {_E164_MAXIMUM_DIGITS}"
            )
        steps.append(f"{why}: +{number}")
        return Normalised(Address(AddressKind.PHONE, f"+{number}"), tuple(steps))


def _strip_type(text: str, steps: list[str]) -> str | Address:
    """The text without `/TYPE=...` and, for a number, without `@domain`; an IP address is ready at once."""
    upper = text.upper()
    at = upper.find("/TYPE=")
    if at < 0:
        return text
    value, kind = text[:at], upper[at + 6 :].split("@")[0]
    steps.append(f"/TYPE={kind} taken off")
    if kind in ("IPV4", "IPV6"):
        return Address(AddressKind.IP, value.lower())
    return value
