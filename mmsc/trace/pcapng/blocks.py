"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian, times in microseconds."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from mmsc.trace.captures import Direction

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 0x00000001
_NAMES: Final = 0x00000004
_STATISTICS: Final = 0x00000005
_PACKET: Final = 0x00000006
_BYTE_ORDER: Final = 0x1A2B3C4D
_RAW_IP: Final = 101  # LINKTYPE_RAW: IPv4 or IPv6, as its first four bits say
_END: Final = 0
_COMMENT: Final = 1  # of any block (4.1)
_APPLICATION: Final = 4  # shb_userappl
_IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL = 2, 3, 9
_FLAGS: Final = 2  # epb_flags; its lowest two bits are the direction
_IN, _OUT = 1, 2
_DROPPED: Final = 5  # isb_ifdrop
_MICROSECONDS: Final = bytes((6,))
_LONGEST: Final = 60_000  # octets of an option: its length has 16 bits

Option = tuple[int, bytes]
Address = IPv4Address | IPv6Address


def section(application: str) -> bytes:
    """Section Header Block (4.1): how every file begins. Its length is not known beforehand."""
    return _block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1), ((_APPLICATION, application.encode()),))


def interface(name: str, description: str) -> bytes:
    """Interface Description Block (4.2). The first one is number 0."""
    options = ((_IF_NAME, name.encode()), (_IF_DESCRIPTION, description.encode()), (_IF_TSRESOL, _MICROSECONDS))
    return _block(_INTERFACE, struct.pack("<HHI", _RAW_IP, 0, 0), options)


def names(of: Mapping[Address, Sequence[str]]) -> bytes:
    """Name Resolution Block (4.5)."""
    out = []
    for address, given in of.items():
        value = address.packed + b"".join(_text(one) + b"\0" for one in given)
        out.append(struct.pack("<HH", 1 if address.version == 4 else 2, len(value)) + _padded(value))
    return _block(_NAMES, b"".join(out) + struct.pack("<HH", _END, 0))


def packet(number: int, at: int, direction: Direction, octets: bytes, comments: Iterable[str] = ()) -> bytes:
    """Enhanced Packet Block (4.3): what interface `number` saw at `at` (µs since 1970)."""
    head = struct.pack("<IIIII", number, at >> 32, at & 0xFFFFFFFF, len(octets), len(octets))
    flags = struct.pack("<I", _IN if direction is Direction.IN else _OUT)
    options = (*((_COMMENT, _text(one)) for one in comments), (_FLAGS, flags))
    return _block(_PACKET, head + _padded(octets), options)


def missed(number: int, at: int, packets: int, comment: str) -> bytes:
    """Interface Statistics Block (4.6): how many packets are not in the file, and why."""
    options = ((_COMMENT, _text(comment)), (_DROPPED, struct.pack("<Q", packets)))
    return _block(_STATISTICS, struct.pack("<III", number, at >> 32, at & 0xFFFFFFFF), options)


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:_LONGEST].replace(b"\0", b"?")


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _block(kind: int, body: bytes, options: Iterable[Option] = ()) -> bytes:
    given = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    if given:
        given += struct.pack("<HH", _END, 0)
    length = struct.pack("<I", 12 + len(body) + len(given))
    return struct.pack("<I", kind) + length + body + given + length
