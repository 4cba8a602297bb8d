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
    meta = _encode((lengths, list(map(_without_octets, captures))))
    return _head(_CAPTURES, meta, data) + meta, data


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
    """Read a file's index back, up to the first torn or damaged block. Raises OSError and ValueError."""
    found: dict[tuple[int, int], CaptureRecord] = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
        if octets[: len(FILE_MAGIC)] != FILE_MAGIC:
            return Scanned(found, 0)
        offset = len(FILE_MAGIC)
        for start, end, is_of_captures, meta in _whole(octets):
            if is_of_captures:
                found.update(((start, number), one) for number, one in enumerate(_decode_meta(meta).captures))
            else:
                for place in _decode_places(meta):
                    found.pop(place, None)
            offset = end
    return Scanned(found, offset)


def _whole(octets: mmap.mmap) -> Iterator[tuple[int, int, bool, bytes]]:
    """(start, end, whether it holds captures, meta) of each block."""
    offset = len(FILE_MAGIC)
    while offset + _HEAD.size <= len(octets):
        magic, meta_octets, data_octets, meta_crc, _ = _HEAD.unpack_from(octets, offset)
        start = offset + _HEAD.size
        end = start + meta_octets + data_octets
        if magic not in (_CAPTURES, _TAKEN_AWAY) or end > len(octets):
            return
        meta = octets[start : start + meta_octets]
        if zlib.crc32(meta) != meta_crc:
            return
        yield offset, end, magic == _CAPTURES, meta
        offset = end


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
            _, meta_octets, data_octets, _, data_crc = _HEAD.unpack(file.read(_HEAD.size))
            meta, data = file.read(meta_octets), file.read(data_octets)
        if zlib.crc32(data) != data_crc:
            return _NO_BLOCK
        known = _decode_meta(meta)
    except (OSError, struct.error, msgspec.MsgspecError):
        return _NO_BLOCK
    return _Block(known.captures, tuple(accumulate(known.lengths)), data)
