"""User data headers and segmentation (3GPP TS 23.040 9.2.3.24)."""

from functools import lru_cache
from typing import Final

from protocols.errors import DecodeError, EncodeError
from protocols.records import record
from protocols.sms.text import DATA_CODING_DEFAULT, DATA_CODING_UCS2, ESCAPE, encode_text

USER_DATA_OCTETS: Final = 140
SINGLE_SEPTETS: Final = 160
MAXIMUM_SEGMENTS: Final = 255
_IEI_CONCATENATION_8: Final = 0x00
_IEI_PORTS_16: Final = 0x05
_IEI_CONCATENATION_16: Final = 0x08
_CLAUSE: Final = "3GPP TS 23.040 9.2.3.24"
_CONCATENATION_8_OCTETS: Final = 6  # with UDHL


@record(frozen=True, slots=True)
class Concatenation:
    """Which segment of which message this is; `number` counts from 1."""

    reference: int
    total: int
    number: int
    wide: bool = False  # 16-bit reference


@record(frozen=True, slots=True)
class UserDataHeader:
    """What a header says: ports (destination, source), concatenation, and elements we have no name for."""

    ports: tuple[int, int] | None = None
    concatenation: Concatenation | None = None
    others: tuple[tuple[int, bytes], ...] = ()


def encode_header(header: UserDataHeader) -> bytes:
    """The header with its length octet; b"" when it is empty."""
    octets = b""
    if header.ports is not None:
        destination, source = header.ports
        octets = bytes((_IEI_PORTS_16, 4)) + destination.to_bytes(2) + source.to_bytes(2)
    part = header.concatenation
    if part is not None:
        iei, width = (_IEI_CONCATENATION_16, 2) if part.wide else (_IEI_CONCATENATION_8, 1)
        octets += bytes((iei, width + 2)) + part.reference.to_bytes(width) + bytes((part.total, part.number))
    for iei, value in header.others:
        octets += bytes((iei, len(value))) + value
    return bytes((len(octets),)) + octets if octets else b""


def split_header(user_data: bytes) -> tuple[UserDataHeader, bytes]:
    """The header and what follows it. Raises DecodeError."""
    if not user_data or user_data[0] >= len(user_data):
        raise DecodeError("a user data header longer than the user data", offset=0, clause=_CLAUSE)
    end = user_data[0] + 1
    at = 1
    header = UserDataHeader()
    others: list[tuple[int, bytes]] = []
    while at < end:
        if at + 2 > end or at + 2 + user_data[at + 1] > end:
            raise DecodeError("an information element runs over the header", offset=at, clause=_CLAUSE)
        iei, length = user_data[at], user_data[at + 1]
        value = user_data[at + 2 : at + 2 + length]
        at += 2 + length
        header = _with_element(header, iei, value, others)
    return UserDataHeader(header.ports, header.concatenation, tuple(others)), user_data[end:]


def _with_element(header: UserDataHeader, iei: int, value: bytes, others: list[tuple[int, bytes]]) -> UserDataHeader:
    if iei == _IEI_PORTS_16 and len(value) == 4:
        return UserDataHeader((int.from_bytes(value[:2]), int.from_bytes(value[2:])), header.concatenation)
    if iei == _IEI_CONCATENATION_8 and len(value) == 3 and _sound(value[1], value[2]):
        return UserDataHeader(header.ports, Concatenation(value[0], value[1], value[2]))
    if iei == _IEI_CONCATENATION_16 and len(value) == 4 and _sound(value[2], value[3]):
        part = Concatenation(int.from_bytes(value[:2]), value[2], value[3], wide=True)
        return UserDataHeader(header.ports, part)
    others.append((iei, value))
    return header


def _sound(total: int, number: int) -> bool:
    """Elements with impossible counts are ignored (9.2.3.24.1)."""
    return 1 <= number <= total


def segment_octets(data: bytes, reference: int, ports: tuple[int, int] | None, *, wide: bool = False) -> list[bytes]:
    """8-bit data as user data of one or more SMS, every segment with the ports (9.2.3.24.4); `wide` makes the reference
    one of 16 bits (9.2.3.24.8)."""
    single = _ports_header(ports)
    if len(single) + len(data) <= USER_DATA_OCTETS:
        return [single + data]
    room = USER_DATA_OCTETS - len(encode_header(UserDataHeader(ports, Concatenation(0, 1, 1, wide))))
    pieces = [data[at : at + room] for at in range(0, len(data), room)]
    check_count(len(pieces))
    reference &= 0xFFFF if wide else 0xFF
    return [
        encode_header(UserDataHeader(ports, Concatenation(reference, len(pieces), number, wide))) + piece
        for number, piece in enumerate(pieces, 1)
    ]


@lru_cache(maxsize=16)  # all pushes go to the same
def _ports_header(ports: tuple[int, int] | None) -> bytes:
    return encode_header(UserDataHeader(ports))


def segment_text(text: str, reference: int) -> tuple[int, bool, list[bytes]]:
    """(data_coding, has header, user data of each SMS). A pair of octets that is one character is never split."""
    data_coding, octets = encode_text(text)
    single = SINGLE_SEPTETS if data_coding == DATA_CODING_DEFAULT else USER_DATA_OCTETS
    if len(octets) <= single:
        return data_coding, False, [octets]
    room = 153 if data_coding == DATA_CODING_DEFAULT else USER_DATA_OCTETS - _CONCATENATION_8_OCTETS
    pieces: list[bytes] = []
    at = 0
    while at < len(octets):
        end = min(at + room, len(octets))
        if end < len(octets):
            end -= _overhang(data_coding, octets, end)
        pieces.append(octets[at:end])
        at = end
    check_count(len(pieces))
    headers = (
        encode_header(UserDataHeader(None, Concatenation(reference & 0xFF, len(pieces), number)))
        for number in range(1, len(pieces) + 1)
    )
    return data_coding, True, [header + piece for header, piece in zip(headers, pieces, strict=True)]


def _overhang(data_coding: int, octets: bytes, end: int) -> int:
    """How many octets before `end` belong to a character that would be cut."""
    if data_coding == DATA_CODING_DEFAULT:
        return 1 if octets[end - 1] == ESCAPE else 0
    assert data_coding == DATA_CODING_UCS2
    return 2 if 0xD8 <= octets[end - 2] <= 0xDB else 0


def check_count(count: int) -> None:
    """Raise EncodeError for more segments than a header can count."""
    if count > MAXIMUM_SEGMENTS:
        raise EncodeError(f"{count} segments, at most {MAXIMUM_SEGMENTS}", clause=_CLAUSE)
