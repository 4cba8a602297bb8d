"""Where in a settings file the table of a neighbour begins, so that people find it."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Final

_HEADER: Final = re.compile(r"^[ \t]*\[[ \t]*(vasp|peer|smsc|subscriber|mm7_profile)[ \t]*\.(.+?)\][ \t]*(#.*)?$")
_BARE: Final = re.compile(r'[ \t]*(?:([A-Za-z0-9_-]+)|"([^"\\]*)"|\'([^\']*)\')[ \t]*')
_FENCES: Final = ('"""', "'''")

Lines = Mapping[tuple[str, str], int]


def lines_of(text: str) -> dict[tuple[str, str], int]:
    """(kind, name) -> number of the line with its header, from 1. A table that is written in another way than under a
    header of its own is not in it."""
    found: dict[tuple[str, str], int] = {}
    for number, line in _outside_of_texts(text):
        header = _HEADER.match(line)
        if header is not None:
            name = _name(header[2])
            if name is not None:
                found.setdefault((header[1], name), number)
    return found


def _outside_of_texts(text: str) -> Iterator[tuple[int, str]]:
    """The lines that begin outside of a text over several lines."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not fence:
            yield number, line
            fence = next((one for one in _FENCES if line.count(one) % 2), "")
        elif line.count(fence) % 2:
            fence = ""


def _name(written: str) -> str | None:
    """The key behind the first dot of a header, None where more follows: a table inside of the neighbour's."""
    plain = _BARE.fullmatch(written)
    if plain is not None:
        return next(one for one in plain.groups() if one is not None)
    try:
        table = tomllib.loads(f"[{written}]")
    except tomllib.TOMLDecodeError:
        return None
    [(name, inner)] = table.items()
    return None if inner else name
