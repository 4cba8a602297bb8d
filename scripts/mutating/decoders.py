"""The decoders that are tried, with the golden octets to begin from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from protocols import mm1, mm4, mm7, smpp
from protocols.errors import EncodeError
from protocols.sms import tpdu
from protocols.sms.segment import split_header
from protocols.wsp.multipart import Part, encode_multipart, index_multipart
from protocols.wsp.push import decode_push, encode_push
from tests.cases import cases


@dataclass(frozen=True, slots=True)
class Decoder:
    """`read` raises ProtocolErrors for octets that it refuses; `seeds` are octets to begin from. `again` writes what
    was read and reads it once more: None where it cannot be written, else whether it came back the same."""

    name: str
    read: Callable[[bytes], Any]
    seeds: Callable[[], list[bytes]]
    again: Callable[[Any, bytes], bool | None] = lambda message, octets: None


def _of(protocol: str) -> Callable[[], list[bytes]]:
    return lambda: [case.octets for case in cases(protocol)]


def _bodies() -> list[bytes]:
    valid = (case.octets for case in cases("mm1") if not case.is_refused)
    return [body for body in (getattr(mm1.decode(octets).message, "body", b"") for octets in valid) if body]


def _user_data() -> list[bytes]:
    return [bytes.fromhex(one) for case in cases("wdp") for one in case.meaning["segments"]]


def _again_mm1(pdu: mm1.Pdu, octets: bytes) -> bool | None:
    try:
        written = mm1.encode(pdu)
    except EncodeError:  # a reader forgives what a writer may not do
        return None
    return mm1.decode(written).message == pdu


def _again_push(push: Any, octets: bytes) -> bool | None:
    try:
        written = encode_push(push)
    except EncodeError:
        return None
    return bool(decode_push(written) == push)


def _parts(index: Any, body: bytes) -> list[Part]:
    return [
        Part(
            one.content_type,
            body[one.data_offset : one.data_offset + one.data_length],
            one.content_id,
            one.content_location,
        )
        for one in index
    ]


def _again_multipart(index: Any, octets: bytes) -> bool | None:
    parts = _parts(index, octets)
    try:
        written = encode_multipart(parts)
    except EncodeError:
        return None
    return _parts(index_multipart(written), written) == parts


DECODERS: Final = {
    one.name: one
    for one in (
        Decoder("mm1", lambda octets: mm1.decode(octets).message, _of("mm1"), _again_mm1),
        Decoder("mm1-describe", mm1.describe, _of("mm1")),
        Decoder("push", decode_push, _of("wsp"), _again_push),
        Decoder("multipart", index_multipart, _bodies, _again_multipart),
        Decoder("udh", split_header, _user_data),
        Decoder("tpdu", tpdu.decode, _of("tpdu")),
        Decoder("smpp", lambda octets: smpp.decode(octets).message, _of("smpp")),
        Decoder("mm4", lambda octets: mm4.decode(octets).message, _of("mm4")),
        Decoder("mm7", lambda octets: mm7.decode("text/xml", octets).message, _of("mm7")),
    )
}
# Those whose readers count their steps, and that the run without --decoder tries: MM1 and what carries it.
USUAL: Final = ("mm1", "mm1-describe", "push", "multipart", "udh", "tpdu", "smpp")
