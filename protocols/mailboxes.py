"""The mailboxes of an address list (RFC 5322 3.4), in one walk over the text.

`+15550100123/TYPE=PLMN` is no RFC 5322 address and is taken as it stands; names, comments and groups' names are left
out; what a sender forgot to close ends with the text.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|\\.|\s+|[^"\\\s()<>,;]+|.', re.DOTALL)
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]{0,4}")  # what an IPv6 address begins with


def read_mailboxes(values: Sequence[str]) -> tuple[str, ...]:
    """The addresses of all values, as written."""
    return tuple(found for value in values for found in _read(value))


def _read(value: str) -> Iterator[str]:
    pieces: list[list[str]] = []
    for piece, ends_group in _pieces(value):
        pieces.append(piece)
        if ends_group:
            _drop_group_name(pieces)
            yield from filter(None, map(_address, pieces))
            pieces = []
    yield from filter(None, map(_address, pieces))


def _pieces(value: str) -> Iterator[tuple[list[str], bool]]:
    """The tokens of each member without its comments, and whether a group ends behind it."""
    piece: list[str] = []
    depth = 0
    for match in _TOKEN.finditer(value):
        token = match[0]
        if token == "(":
            depth += 1
        elif token == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif token in (",", ";"):
            yield piece, token == ";"
            piece = []
        else:
            piece.append(token)
    yield piece, False


def _drop_group_name(pieces: list[list[str]]) -> None:
    """The name and the colon that begin a group go, from the first member that has them."""
    for piece in pieces:
        for at, token in enumerate(piece):
            name, colon, rest = token.partition(":")
            if token == "<" or "@" in name or "/" in name:
                break
            if colon and token[0] != '"' and not _HEXADECIMAL.fullmatch("".join(piece[:at]).strip() + name):
                piece[:] = [rest, *piece[at + 1 :]]
                return


def _address(piece: list[str]) -> str:
    """What stands in angle brackets, else the last word with an @, else all of it."""
    if "<" in piece:
        inside = piece[piece.index("<") + 1 :]
        return "".join(inside[: inside.index(">")] if ">" in inside else inside).strip()
    words = [""]
    for token in piece:
        if token.isspace():
            words.append("")
        else:
            words[-1] += token
    mailbox = next((word for word in reversed(words) if "@" in word), "")
    return mailbox or "".join(piece).strip()
