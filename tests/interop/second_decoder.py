"""A second reader of MM1, small and slow, from OMA-TS-MMS_ENC 7 and WAP-230-WSP 8.4 alone: it shares no line with
`protocols`, and imports nothing of ours. It reads what is written exactly; what is not raises ValueError.

A PDU becomes `Pdu(fields, body)`, a field `(name, value)`: text as str, numbers as int, one octet of an enumeration as
`Code(octet)`, everything else as a tuple.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple


class Code(NamedTuple):
    """A value of one octet."""

    octet: int


class Pdu(NamedTuple):
    """All that a PDU says: its fields in their order, and what comes after Content-Type."""

    fields: list[tuple[str, Any]]
    body: bytes

    def all(self, name: str) -> list[Any]:
        """Every value of a field."""
        return [value for known, value in self.fields if known == name]

    def one(self, name: str) -> Any:
        """The value of a field that is there once."""
        (value,) = self.all(name)
        return value


class Part(NamedTuple):
    """A part of a multipart body: its media type and parameters, its headers as (number or name, text), its data."""

    media: str | int
    parameters: tuple[tuple[str | int, Any], ...]
    headers: tuple[tuple[int | str, str | bytes], ...]
    data: bytes


class Tape:
    """Octets that are eaten from the front."""

    def __init__(self, octets: bytes) -> None:
        self.rest = octets

    def eat(self, count: int) -> bytes:
        """Exactly so many."""
        if count > len(self.rest):
            raise ValueError(f"{count} octets wanted, {len(self.rest)} left")
        eaten, self.rest = self.rest[:count], self.rest[count:]
        return eaten

    def next(self) -> int:
        """One."""
        return self.eat(1)[0]

    def done(self) -> None:
        """Nothing may be left."""
        if self.rest:
            raise ValueError(f"{len(self.rest)} octets too many: {self.rest[:8].hex()}")


# --- values of WAP-230-WSP 8.4.2 ---


def uintvar(tape: Tape) -> int:
    """8.1.2, in its shortest form."""
    digits = [tape.next()]
    while digits[-1] & 0x80:
        digits.append(tape.next())
    if digits[0] == 0x80 or len(digits) > 5:
        raise ValueError("not the shortest uintvar")
    return sum((digit & 0x7F) << 7 * place for place, digit in enumerate(reversed(digits)))


def short(tape: Tape) -> int:
    """Short-integer."""
    octet = tape.next()
    if octet < 0x80:
        raise ValueError(f"0x{octet:02x} is no Short-integer")
    return octet - 0x80


def long(tape: Tape) -> int:
    """Long-integer, in its shortest form."""
    length = tape.next()
    octets = tape.eat(length)
    if not 1 <= length <= 30 or (length > 1 and octets[0] == 0):
        raise ValueError("not the shortest Long-integer")
    return int.from_bytes(octets, "big")


def integer(tape: Tape) -> int:
    """Integer-value, short where it can be."""
    if tape.rest[0] >= 0x80:
        return short(tape)
    value = long(tape)
    if value < 0x80:
        raise ValueError(f"{value} fits a Short-integer")
    return value


def text(tape: Tape) -> str:
    """Text-string in UTF-8: a quote before the first octet where it would begin something else, and only there."""
    length = tape.rest.index(b"\0")
    octets = tape.eat(length + 1)[:-1]
    quoted = octets[:1] == b"\x7f"
    if quoted:
        octets = octets[1:]
    begins_text = 0x20 <= octets[0] < 0x7F if octets else not quoted
    if begins_text == quoted:
        raise ValueError(f"a quote too many or too few before {octets!r}")
    return octets.decode("utf-8")


def inside(tape: Tape) -> Tape:
    """What a Value-length measures (8.4.2.2)."""
    first = tape.next()
    if first > 31:
        raise ValueError(f"0x{first:02x} is no Value-length")
    length = uintvar(tape) if first == 31 else first
    if first == 31 and length < 31:
        raise ValueError("a Value-length that fits one octet")
    return Tape(tape.eat(length))


def encoded(tape: Tape) -> str:
    """Encoded-string-value (OMA-TS-MMS_ENC 7.3.19): plain, or with UTF-8 named."""
    if tape.rest[0] >= 0x20 or tape.rest[0] == 0:
        return text(tape)
    inner = inside(tape)
    if short(inner) != 106:
        raise ValueError("another character set than UTF-8")
    found = text(inner)
    inner.done()
    return found


def media(tape: Tape) -> str | int:
    """A media type by its number, or by its name."""
    if tape.rest[0] >= 0x80:
        return short(tape)
    return long(tape) if tape.rest[0] <= 30 else text(tape)


def quoted(tape: Tape) -> str:
    """Text-value: Quoted-string or Token-text."""
    if tape.rest[:1] == b'"':
        return tape.eat(tape.rest.index(b"\0") + 1)[1:-1].decode("utf-8")
    return text(tape)


_TYPED: Final[dict[int, Callable[[Tape], Any]]] = {
    0x01: lambda tape: quoted(tape) if 0x20 <= tape.rest[0] < 0x80 else integer(tape),
    0x05: quoted,
    0x06: quoted,
    0x09: lambda tape: quoted(tape) if tape.rest[:1] == b'"' else media(tape),
    0x0A: quoted,
    0x0B: quoted,
}


def parameters(tape: Tape, typed: dict[int, Callable[[Tape], Any]] = _TYPED) -> tuple[tuple[str | int, Any], ...]:
    """Typed ones by their number, others by their name (8.4.2.4)."""
    found: list[tuple[str | int, Any]] = []
    while tape.rest:
        if tape.rest[0] >= 0x80:
            number = short(tape)
            found.append((number, typed[number](tape)))
        else:
            name = text(tape)
            found.append((name, quoted(tape)))
    return tuple(found)


def content_type(tape: Tape) -> tuple[str | int, tuple[tuple[str | int, Any], ...]]:
    """8.4.2.24: the constrained form where there are no parameters, and only there."""
    if tape.rest[0] > 31:
        return media(tape), ()
    inner = inside(tape)
    named = media(inner)
    found = parameters(inner)
    if not found:
        raise ValueError("the general form without parameters")
    return named, found


# --- values of OMA-TS-MMS_ENC 7.3 ---


def octet(tape: Tape) -> Code:
    """One octet of an enumeration."""
    value = tape.next()
    if value < 0x80:
        raise ValueError(f"0x{value:02x} is no value of an enumeration")
    return Code(value)


def yes_no(tape: Tape) -> bool:
    """0x80 and 0x81."""
    return {0x80: True, 0x81: False}[tape.next()]


def _in(read: Callable[[Tape], Any]) -> Callable[[Tape], Any]:
    def whole(tape: Tape) -> Any:
        inner = inside(tape)
        value = read(inner)
        inner.done()
        return value

    return whole


def _sender(tape: Tape) -> tuple[str, ...]:
    return ("insert",) if tape.next() == 0x81 else ("present", encoded(tape))


def _indexed(read: Callable[[Tape], Any]) -> Callable[[Tape], Any]:
    return _in(lambda tape: (integer(tape), read(tape)))


_YES_NO = "06 10 11 22 27 29 2B 31 3B 3C"
_OCTETS = "0C 0F 12 14 15 19 1B 1C 23 25 28 34 3A 3F"
_TEXTS = "03 0B 18 1E 37 38 39 3D 3E"
_ENCODED = "01 02 13 16 17 1A 26 35 36"
_LONGS = "05 0E 1F"
_INTEGERS = "2D 2F 33"
_OF_AN_ELEMENT: Final = {0x02: _TYPED[0x09]}  # 7.3.18
VALUES: Final[dict[int, Callable[[Tape], Any]]] = {
    **{int(number, 16): yes_no for number in _YES_NO.split()},
    **{int(number, 16): octet for number in _OCTETS.split()},
    **{int(number, 16): text for number in _TEXTS.split()},
    **{int(number, 16): encoded for number in _ENCODED.split()},
    **{int(number, 16): long for number in _LONGS.split()},
    **{int(number, 16): integer for number in _INTEGERS.split()},
    0x04: content_type,
    **dict.fromkeys((0x07, 0x08, 0x1D), _in(lambda tape: ({0x80: "at", 0x81: "in"}[tape.next()], long(tape)))),
    0x09: _in(_sender),
    0x0A: lambda tape: octet(tape) if tape.rest[0] >= 0x80 else text(tape),
    0x0D: lambda tape: divmod(short(tape), 16),
    0x20: _in(lambda tape: (integer(tape), encoded(tape))),
    0x21: _in(lambda tape: (integer(tape), long(tape))),
    0x24: _in(lambda tape: (tape.next(), encoded(tape))),
    **dict.fromkeys((0x2A, 0x2C), _in(lambda tape: (tape.next(), integer(tape)))),
    0x32: _in(lambda tape: (text(tape), parameters(tape, _OF_AN_ELEMENT))),
}
_OF_DELETE_CONFS: Final = {0x03: _indexed(text), 0x12: _indexed(octet), 0x13: _indexed(encoded)}
_HAVE_BODY: Final = (0x80, 0x84, 0x8E, 0x8F, 0x93)
_WITHOUT_TRANSACTION_ID: Final = (0x86, 0x87, 0x88, 0x93)
_DELETE_CONFS: Final = (0x92, 0x95)


def _skip(tape: Tape) -> bytes:
    """A value of which nothing is known (WAP-230-WSP 8.4.1.2)."""
    before = tape.rest
    first = tape.next()
    if first == 31:
        tape.eat(uintvar(tape))
    elif first < 31:
        tape.eat(first)
    elif first < 0x80:
        tape.eat(tape.rest.index(b"\0") + 1)
    return before[: len(before) - len(tape.rest)]


def decode(octets: bytes) -> Pdu:
    """A PDU that begins as clause 7 wants it: type, transaction id if there is one, version. Fields are named by their
    numbers as "0x0C"; those with text names by these; what is unknown keeps its octets. Raises ValueError."""
    tape = Tape(octets)
    if tape.eat(1) != b"\x8c":
        raise ValueError("X-Mms-Message-Type does not come first")
    message_type = tape.next()
    fields: list[tuple[str, Any]] = [("0x0C", Code(message_type))]
    reads = VALUES | _OF_DELETE_CONFS if message_type in _DELETE_CONFS else VALUES
    while tape.rest:
        if tape.rest[0] < 0x80:
            fields.append((text(tape), tape.eat(tape.rest.index(b"\0") + 1)[:-1]))
            continue
        number = short(tape)
        fields.append((f"0x{number:02X}", reads.get(number, _skip)(tape)))
        if number == 0x04 and message_type in _HAVE_BODY:
            break
    wanted = ("0x0D",) if message_type in _WITHOUT_TRANSACTION_ID else ("0x18", "0x0D")
    first = [name for name, _ in fields if name in wanted]
    if [name for name, _ in fields[1 : 1 + len(first)]] != sorted(first, reverse=True):
        raise ValueError("X-Mms-Transaction-ID and X-Mms-MMS-Version do not come second and third")
    return Pdu(fields, tape.rest)


def parts(body: bytes) -> list[Part]:
    """A multipart body (WAP-230-WSP 8.5). Raises ValueError."""
    tape = Tape(body)
    found = []
    for _ in range(uintvar(tape)):
        headers_length, data_length = uintvar(tape), uintvar(tape)
        inner = Tape(tape.eat(headers_length))
        named, given = content_type(inner)
        headers: list[tuple[int | str, str | bytes]] = []
        while inner.rest:
            if inner.rest[0] < 0x80:
                headers.append((text(inner), text(inner)))
                continue
            number = short(inner)
            headers.append((number, quoted(inner) if number in (0x0E, 0x40) else _skip(inner)))
        found.append(Part(named, given, tuple(headers), tape.eat(data_length)))
    tape.done()
    return found
