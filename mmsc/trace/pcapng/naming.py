"""What a capture is called in a list, told from its first octets: decoding every PDU of a list would be too much."""

import re
from contextlib import suppress
from typing import Final

from protocols.mm1 import MessageType
from protocols.mm1.enums import in_words
from protocols.smpp import CommandId

_SMPP_HEAD: Final = 16  # octets
_LOOKED_AT: Final = 8192  # octets
_HEAD_END: Final = b"\r\n\r\n"
_START_LINE: Final = re.compile(rb"(?:([A-Z]+) (\S*) HTTP/\d\.\d|HTTP/\d\.\d (\d{3})[^\r\n]*)\r?\n")
_BODY: Final = re.compile(rb"<(?:[\w.-]+:)?Body\b[^>]*>\s*<(?:[\w.-]+:)?([\w.-]+)")
_MMS_TYPE: Final = re.compile(rb"^X-Mms-Message-Type[ \t]*:[ \t]*([\w.-]+)", re.IGNORECASE | re.MULTILINE)
_REPLY: Final = re.compile(rb"(\d{3})[ -]")
_COMMAND: Final = re.compile(rb"[A-Za-z]{4,}")


def name_of(interface: str, octets: bytes) -> str:
    """`SubmitReq`, `m-send-req`, `submit_sm`, `MM4_forward.REQ`, `GET`, `HTTP 204`, `250`; "" for nothing known."""
    start = octets[:_LOOKED_AT]
    if interface == "smpp":
        return _smpp(start)
    if interface in ("mm3", "mm4"):
        return _smtp(start)
    return _http(start)


def _http(octets: bytes) -> str:
    found = _START_LINE.match(octets)
    if found is None:
        return ""
    _, _, body = octets.partition(_HEAD_END)
    if inside := _inside(body):
        return inside
    method, _, status = (one.decode("ascii", "replace") if one else "" for one in found.groups())
    return method or f"HTTP {status}"


def _inside(body: bytes) -> str:
    if body[:1] == b"\x8c" and len(body) > 1:
        with suppress(ValueError):
            return in_words(MessageType(body[1]))
    if b"<" in body and (element := _BODY.search(body)):
        return element[1].decode("ascii", "replace")
    return ""


def _smpp(octets: bytes) -> str:
    if len(octets) < _SMPP_HEAD:
        return ""
    with suppress(ValueError):
        return CommandId(int.from_bytes(octets[4:8])).name.lower()
    return ""


def _smtp(octets: bytes) -> str:
    if found := _MMS_TYPE.search(octets):
        return found[1].decode("ascii", "replace")
    if reply := _REPLY.match(octets):
        return reply[1].decode()
    command = _COMMAND.match(octets)
    return "mail" if b"\r\nDATA\r\n" in octets else "" if command is None else command[0].decode().upper()
