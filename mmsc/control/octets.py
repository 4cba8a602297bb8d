"""Octets as a few lines of hex and text, with those marked that a finding is about."""

from collections.abc import Sequence
from typing import Final

import msgspec

WIDTH: Final = 16
_BEFORE: Final = 2  # lines before the first marked octet
_MOST_LINES: Final = 12


class Octet(msgspec.Struct, frozen=True):
    """One octet: two hex digits, its character (`.` for what has none), whether it is marked."""

    hex: str
    text: str
    marked: bool


class Line(msgspec.Struct, frozen=True):
    """A line of at most 16 octets."""

    offset: int
    octets: list[Octet]


def excerpt(octets: bytes, start: int, end: int) -> list[Line]:
    """The lines around the octets from `start` up to before `end`; the first ones where `start` is -1."""
    first = 0 if start < 0 else max(0, start // WIDTH - _BEFORE)
    lines: list[Line] = []
    for at in range(first * WIDTH, len(octets), WIDTH):
        if len(lines) >= _MOST_LINES or (at > max(end, 0) + WIDTH and start >= 0):
            break
        lines.append(_line(octets, at, start, end))
    return lines


def plain(lines: Sequence[Line]) -> str:
    """The same as text for a mail: marked octets stand over a row of `^`."""
    told: list[str] = []
    for line in lines:
        digits = " ".join(one.hex for one in line.octets)
        told.append(f"{line.offset:06x}  {digits:<{WIDTH * 3 - 1}}  {''.join(one.text for one in line.octets)}")
        if any(one.marked for one in line.octets):
            told.append((" " * 8 + " ".join("^^" if one.marked else "  " for one in line.octets)).rstrip())
    return "\n".join(told)


def _line(octets: bytes, at: int, start: int, end: int) -> Line:
    row = octets[at : at + WIDTH]
    return Line(at, [Octet(f"{one:02x}", _text(one), start <= at + n < end) for n, one in enumerate(row)])


def _text(octet: int) -> str:
    return chr(octet) if 0x20 <= octet < 0x7F else "."
