"""Reads a write-ahead log without SQLite, to judge it before anything is opened (sqlite.org/walformat.html)."""

import struct
from pathlib import Path
from typing import BinaryIO, Final

from protocols.records import record

_HEADER: Final = struct.Struct(">8I")  # magic, format, page size, checkpoint number, salts, checksums
_FRAME: Final = struct.Struct(">6I")  # page number, pages after a commit (else 0), salts, checksums
_MAGIC: Final = 0x377F0682  # the lowest bit tells the byte order of the checksums


@record(frozen=True, slots=True)
class Log:
    """What is committed in a log: its pages, the size of the database in pages (0: no commit), its newest page 1."""

    pages: frozenset[int]
    size: int
    first_page: bytes


NOTHING: Final = Log(frozenset(), 0, b"")


class TornLog(Exception):
    """The beginning of the log is not what SQLite wrote: it would ignore the whole of it, and what was committed."""


def read_log(path: Path) -> Log:
    """The log at `path`. `NOTHING` when it is missing or holds no commit. Raises TornLog and OSError."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return NOTHING
    with file:
        head = file.read(_HEADER.size)
        first = file.read(_FRAME.size)
        if not any(head) and not any(first):
            return NOTHING  # made, and its first header never reached the disk: no commit was answered
        if len(head) < _HEADER.size or len(first) < _FRAME.size:
            return NOTHING
        magic, _, page_size, _, *rest = _HEADER.unpack(head)
        if magic & ~1 != _MAGIC or _checksum(head[:24], "big" if magic & 1 else "little") != tuple(rest[2:]):
            raise TornLog
        return _frames(file, page_size, tuple(rest[:2]))


def _frames(file: BinaryIO, page_size: int, salts: tuple[int, ...]) -> Log:
    pages: set[int] = set()
    pending: set[int] = set()
    size, newest, found = 0, -1, -1
    at = _HEADER.size
    while True:
        file.seek(at)
        head = file.read(_FRAME.size)
        if len(head) < _FRAME.size:
            break
        number, committed, *rest = _FRAME.unpack(head)
        if tuple(rest[:2]) != salts:
            break  # the rest is of an earlier round
        pending.add(number)
        found = at + _FRAME.size if number == 1 else found
        if committed:
            pages |= pending
            pending.clear()
            size, newest = committed, found
        at += _FRAME.size + page_size
    first_page = b""
    if newest >= 0:
        file.seek(newest)
        first_page = file.read(page_size)
    return Log(frozenset(pages), size, first_page)


def _checksum(octets: bytes, order: str) -> tuple[int, int]:
    """Section 4.2 of the format."""
    words = struct.unpack(f"{'>' if order == 'big' else '<'}{len(octets) // 4}I", octets)
    one = two = 0
    for at in range(0, len(words), 2):
        one = (one + words[at] + two) & 0xFFFFFFFF
        two = (two + words[at + 1] + one) & 0xFFFFFFFF
    return one, two
