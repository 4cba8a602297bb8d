"""One file of a ring of captures: its index in memory, and its records read back from the disk."""

import mmap
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from mmsc.trace.captures import CaptureRecord

FILE_MAGIC: Final = b"MMSCCAP3"
RECORD: Final = struct.Struct("<4sIIII")  # magic, octets of meta, of data, CRC-32 of meta, of data
RECORD_MAGIC: Final = b"cap\0"
TAKEN_AWAY: Final = b"del\0"  # over the magic: the record is passed over, and goes with its segment
_MAXIMUM_META_OCTETS: Final = 64 * 1024

_decode: Final = msgspec.msgpack.Decoder(CaptureRecord).decode


@dataclass(slots=True)
class Segment:
    """One file, and the index of it: a column a question, because columns are searched at the speed of memory."""

    path: Path
    size: int = 0
    offsets: "array[int]" = field(default_factory=lambda: array("q"))
    exchanges: "array[int]" = field(default_factory=lambda: array("q"))
    mm_ids: "array[int]" = field(default_factory=lambda: array("q"))  # 0: none
    times: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, offset: int, exchange: int, mm_id: int | None, at_real: int) -> None:
        """Index one record."""
        self.offsets.append(offset)
        self.exchanges.append(exchange)
        self.mm_ids.append(mm_id or 0)
        self.times.append(at_real)

    def exchanges_of(self, mm_ids: Set[int]) -> set[int]:
        """The exchanges in which one of these MMs is named."""
        pairs = zip(self.mm_ids, self.exchanges, strict=True)
        return {exchange for mm_id, exchange in pairs if mm_id in mm_ids}

    def leave_out(self, indices: Set[int]) -> None:
        """Index these records no more."""
        if indices:
            for name in ("offsets", "exchanges", "mm_ids", "times"):
                column = enumerate(getattr(self, name))
                setattr(self, name, array("q", (value for index, value in column if index not in indices)))


def number_of(path: Path) -> int:
    """The number of a segment by its name, 0 for another file."""
    return int(path.stem) if path.stem.isdecimal() else 0


def scan(path: Path) -> Iterator[tuple[int, CaptureRecord]]:
    """(offset, record without its octets), up to the first torn or damaged one. Raises OSError and ValueError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
        if octets[: len(FILE_MAGIC)] != FILE_MAGIC:
            return
        offset = len(FILE_MAGIC)
        while offset + RECORD.size <= len(octets):
            magic, meta_octets, data_octets, meta_crc, _ = RECORD.unpack_from(octets, offset)
            start = offset + RECORD.size
            end = start + meta_octets + data_octets
            if magic not in (RECORD_MAGIC, TAKEN_AWAY) or meta_octets > _MAXIMUM_META_OCTETS or end > len(octets):
                return
            meta = octets[start : start + meta_octets]
            if zlib.crc32(meta) != meta_crc:
                return
            if magic == RECORD_MAGIC:
                yield offset, _decode(meta)
            offset = end


def where(column: "array[int]", value: int) -> Iterator[int]:
    """The indices at which a column has a value."""
    index = -1
    while True:
        try:
            index = column.index(value, index + 1)
        except ValueError:
            return
        yield index


def readable(entries: Iterable[tuple[Segment, int]]) -> Iterator[CaptureRecord]:
    """The captures at these places; what is gone or damaged in the meantime is left out."""
    for segment, index in entries:
        found = read_at(segment.path, segment.offsets[index])
        if found is not None:
            yield found


def read_at(path: Path, offset: int) -> CaptureRecord | None:
    """The capture at a place of a file; None where it is gone, taken away or damaged."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            head = file.read(RECORD.size)
            magic, meta_octets, data_octets, _, data_crc = RECORD.unpack(head)
            meta, data = file.read(meta_octets), file.read(data_octets)
        if magic != RECORD_MAGIC or zlib.crc32(data) != data_crc:
            return None
        return msgspec.structs.replace(_decode(meta), pieces=(data,))
    except (OSError, struct.error, msgspec.MsgspecError):
        return None
