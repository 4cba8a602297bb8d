"""The file format of a ring of captures: blocks of captures that were written together, one behind the other.

A block has a head, what is known of each capture, and their octets, each with a checksum: what was made within a moment
costs one encoding, two checksums and one system call. Nothing in a file is ever changed; what is taken away is named in
a block of its own, and passed over from then on.
"""

import mmap
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from mmsc.trace.captures import CaptureRecord

FILE_MAGIC: Final = b"MMSCCAP4"
_HEAD: Final = struct.Struct("<4sIIII")  # magic, octets of meta, of data, CRC-32 of meta, of data
_CAPTURES: Final = b"cap\0"  # meta: how many octets each has, and each without them
_TAKEN_AWAY: Final = b"del\0"  # meta: the places, by their offsets and numbers

_BLOCKS_AT_HAND: Final = 16  # as they were read, and
_OCTETS_AT_HAND: Final = 4 * 1024 * 1024  # of them together, or one that is larger
_LOOKS_LIKE_MORE: Final = 4  # times the file, of octets that are held against their checksum

_encode: Final = msgspec.msgpack.Encoder().encode
_without_octets: Final = attrgetter(*CaptureRecord.__struct_fields__[:-1])


class Place(NamedTuple):
    """Where a capture is: its file, its block's offset, its number in the block from 0."""

    path: Path
    offset: int
    number: int


class _Meta(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a block's captures."""

    lengths: tuple[int, ...]
    captures: tuple[CaptureRecord, ...]


class _Block(NamedTuple):
    """A block that was read back: its captures without octets, where the octets of each end, and all octets."""

    captures: tuple[CaptureRecord, ...]
    ends: tuple[int, ...]
    octets: bytes

    def capture(self, number: int) -> CaptureRecord:
        """One of them, whole."""
        start = self.ends[number - 1] if number else 0
        octets = self.octets[start : self.ends[number]]
        return msgspec.structs.replace(self.captures[number], pieces=(octets,))


_NO_BLOCK: Final = _Block((), (), b"")
_decode_meta: Final = msgspec.msgpack.Decoder(_Meta).decode
_decode_places: Final = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode


def written(captures: Sequence[CaptureRecord]) -> tuple[bytes, bytes]:
    """A block of these: head with meta, and data."""
    pieces = [capture.pieces for capture in captures]
    lengths = [sum(map(len, one)) for one in pieces]
    data = b"".join([piece for one in pieces for piece in one])
    known = list(map(_without_octets, captures))
    try:
        meta = _encode((lengths, known))
    except UnicodeEncodeError:  # a note quotes what is no text
        meta = _encode((lengths, [tuple(map(_encodable, one)) for one in known]))
    return _head(_CAPTURES, meta, data) + meta, data


def _encodable(value: object) -> object:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def taken_away(places: Iterable[tuple[int, int]]) -> bytes:
    """A block that says of these (offset, number) that they are not there any more."""
    meta = _encode(list(places))
    return _head(_TAKEN_AWAY, meta, b"") + meta


def _head(magic: bytes, meta: bytes, data: bytes) -> bytes:
    return _HEAD.pack(magic, len(meta), len(data), zlib.crc32(meta), zlib.crc32(data))


class Scanned(NamedTuple):
    """A file as far as it is whole: its captures without octets by (offset, number), and where that ends."""

    captures: dict[tuple[int, int], CaptureRecord]
    end: int


def scan(path: Path) -> Scanned:
    """Read a file's index back. A damaged block is passed over; behind a torn or damaged head nothing is read any more
    but what was taken away. Raises OSError and ValueError."""
    found: dict[tuple[int, int], CaptureRecord] = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
        if octets[: len(FILE_MAGIC)] != FILE_MAGIC:
            return Scanned(found, 0)
        end = len(FILE_MAGIC)
        for start, stop, magic in _blocks(octets):
            meta = _meta_at(octets, start)
            if meta is not None and magic == _CAPTURES:
                found.update(((start, number), one) for number, one in enumerate(_decode_meta(meta).captures))
            elif meta is not None:
                for place in _decode_places(meta):
                    found.pop(place, None)
            end = max(end, stop)
    return Scanned(found, end)


def _blocks(octets: mmap.mmap) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, magic) of each block. Where they do not lead to the end, a length was damaged, and may have led past
    others: those that take away are then searched for in the whole file, as long as what only looks like them is not
    much more than it."""
    start = len(FILE_MAGIC)
    while (end := _end_at(octets, start)) and octets[start : start + 4] in (_CAPTURES, _TAKEN_AWAY):
        yield start, end, octets[start : start + 4]
        start = end
    at = len(FILE_MAGIC) if start < len(octets) else start
    left = _LOOKS_LIKE_MORE * len(octets)
    while left > 0 and (at := octets.find(_TAKEN_AWAY, at)) >= 0:
        end = _end_at(octets, at)
        left -= max(end - at, 0)
        if end and _meta_at(octets, at) is not None:
            yield at, end, _TAKEN_AWAY
        at += 1


def _end_at(octets: mmap.mmap, start: int) -> int:
    """Where the block ends, 0 where there is no whole one."""
    if start + _HEAD.size > len(octets):
        return 0
    _, meta_octets, data_octets, _, _ = _HEAD.unpack_from(octets, start)
    end = start + _HEAD.size + meta_octets + data_octets
    return end if end <= len(octets) else 0


def _meta_at(octets: mmap.mmap, start: int) -> bytes | None:
    """None where it is damaged."""
    _, meta_octets, _, meta_crc, _ = _HEAD.unpack_from(octets, start)
    meta = octets[start + _HEAD.size : start + _HEAD.size + meta_octets]
    return meta if zlib.crc32(meta) == meta_crc else None


def readable(places: Iterable[Place]) -> Iterator[CaptureRecord]:
    """The captures at these places; what is gone or damaged in the meantime is left out. A block is read once for all
    that follow soon in it."""
    blocks: dict[tuple[Path, int], _Block] = {}  # the one that was wanted last comes last
    octets = 0
    for path, offset, number in places:
        block = blocks.pop((path, offset), None)
        if block is None:
            block = _read(path, offset)
            octets += len(block.octets)
            while blocks and (len(blocks) >= _BLOCKS_AT_HAND or octets > _OCTETS_AT_HAND):
                octets -= len(blocks.pop(next(iter(blocks))).octets)
        blocks[path, offset] = block
        if number < len(block.captures):
            yield block.capture(number)


def _read(path: Path, offset: int) -> _Block:
    """Without captures where it is gone or damaged."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            _, meta_octets, data_octets, meta_crc, data_crc = _HEAD.unpack(file.read(_HEAD.size))
            meta, data = file.read(meta_octets), file.read(data_octets)
        if zlib.crc32(meta) != meta_crc or zlib.crc32(data) != data_crc:
            return _NO_BLOCK
        known = _decode_meta(meta)
    except (OSError, struct.error, msgspec.MsgspecError):
        return _NO_BLOCK
    return _Block(known.captures, tuple(accumulate(known.lengths)), data)
