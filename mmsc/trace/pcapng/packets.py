"""IP packets with TCP segments as they might have been on the wire: captures know octets, analysers read packets."""

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10
MAXIMUM_SEGMENT_OCTETS: Final = 60_000  # as over loopback: nearly every PDU is one line of the analyser's list
_SYN_OPTIONS: Final = bytes((2, 4)) + struct.pack(">H", MAXIMUM_SEGMENT_OCTETS) + bytes((1, 3, 3, 10))  # MSS, scale
_WINDOW: Final = 0xFFFF  # 64 MB by the scale: no analyser calls it full
_TCP: Final = 6
_HOPS: Final = 64


class Place(NamedTuple):
    """One end of a connection."""

    address: IPv4Address | IPv6Address
    port: int


class Ends(NamedTuple):
    """Both ends, as one segment has them. Both addresses are of one family."""

    source: Place
    target: Place


def segment(ends: Ends, sequence: int, seen: int, flags: int, data: bytes = b"") -> bytes:
    """A TCP segment (RFC 9293 3.1) in its IP packet (RFC 791 3.1, RFC 8200 3), with true checksums."""
    options = _SYN_OPTIONS if flags & SYN else b""
    offset = (20 + len(options)) << 2  # in words, in the upper four bits
    window = _WINDOW
    head = (ends.source.port, ends.target.port, sequence & 0xFFFFFFFF, seen & 0xFFFFFFFF, offset, flags, window)
    bare = struct.pack(">HHIIBBHHH", *head, 0, 0) + options + data
    source, target = ends.source.address.packed, ends.target.address.packed
    if len(source) == 4:
        pseudo = source + target + struct.pack(">BBH", 0, _TCP, len(bare))
    else:
        pseudo = source + target + struct.pack(">II", len(bare), _TCP)
    whole = struct.pack(">HHIIBBHHH", *head, checksum(pseudo + bare), 0) + options + data
    return _ip(source, target, len(whole)) + whole


def _ip(source: bytes, target: bytes, octets: int) -> bytes:
    if len(source) == 16:
        return struct.pack(">IHBB", 6 << 28, octets, _TCP, _HOPS) + source + target
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + octets, 0, 0x4000, _HOPS, _TCP, 0) + source + target
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:]


def checksum(octets: bytes) -> int:
    """The Internet checksum (RFC 1071): the complement of the ones' complement sum of all 16-bit words."""
    if len(octets) % 2:
        octets += b"\0"
    total = int.from_bytes(octets) % 0xFFFF  # 2^16 is 1 there: the whole number is the sum of its words
    return ~(total or (0xFFFF if any(octets) else 0)) & 0xFFFF
