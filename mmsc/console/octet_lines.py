"""Octets as people read them: 16 a line with their offset, the middle of a long body left out."""

from collections.abc import Iterator
from typing import Final

_A_LINE: Final = 16
_WHOLE: Final = 4096  # octets that are shown whole
_ENDS: Final = 512  # of more, so many from the beginning and from the end


def hex_lines(octets: bytes) -> str:
    """Offset in hexadecimal, octets with a gap at 8, text; `-` for what is left out."""
    if len(octets) <= _WHOLE:
        return "\n".join(_lines(octets, 0, len(octets)))
    end = (len(octets) - _ENDS) // _A_LINE * _A_LINE
    middle = f"------  {end - _ENDS:,} octets left out here; they are in the pcapng"
    return "\n".join((*_lines(octets, 0, _ENDS), middle, *_lines(octets, end, len(octets))))


def _lines(octets: bytes, start: int, end: int) -> Iterator[str]:
    for at in range(start, end, _A_LINE):
        line = octets[at : at + _A_LINE]
        text = "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in line)
        yield f"{at:06x}  {line[:8].hex(' '):23}  {line[8:].hex(' '):23}  {text}"
