"""What a PDU or a part carries, as JSON: `text`, `base64`, `file`, `pdu` or `parts`, as gives the same octets."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Final

from mmsc.trace.json_form.faults import JsonFormError, nearest
from mmsc.trace.json_form.values import Json, Reader, content_type_to_json
from protocols.content_type import ContentType
from protocols.errors import DecodeError, EncodeError
from protocols.wsp import charsets
from protocols.wsp.multipart import MAXIMUM_ENTRIES, Part, encode_multipart, index_multipart
from protocols.wsp.push import MMS_MESSAGE

MAXIMUM_DEPTH: Final = 5
_KINDS: Final = ("text", "base64", "file", "pdu", "parts")
_PART_KEYS: Final = ("content_type", "content_id", "content_location", *_KINDS)
_TEXTUAL: Final = ("application/smil", "application/smil+xml", "application/xml", "application/xhtml+xml")
_CLAUSE: Final = "WAP-230-WSP 8.5"
_MULTIPARTS: Final = ("application/vnd.wap.multipart.", "multipart/")

PduWriter = Callable[[bytes, int], Json]  # octets, depth -> JSON form, None where it would not be exact
PduReader = Callable[[Mapping[str, Json], str, int], bytes]  # JSON form, where, depth -> octets
FileReader = Callable[[str], tuple[bytes, ContentType]]  # name -> octets and their type


def is_multipart(content_type: ContentType) -> bool:
    """Whether content of this type is parts."""
    return content_type.media_type.startswith(_MULTIPARTS)


def is_textual(media_type: str) -> bool:
    """Whether content of this type is to be read as text."""
    return media_type.startswith("text/") or media_type in _TEXTUAL


def charset_of(content_type: ContentType) -> str:
    """The character set of a part: UTF-8 unless it names one."""
    return content_type.get("charset") or "utf-8"


def to_json(content_type: ContentType, octets: bytes, pdu: PduWriter, depth: int = 0) -> dict[str, Json]:
    """One key and its value."""
    if depth < MAXIMUM_DEPTH and is_multipart(content_type):
        parts = _parts_to_json(octets, pdu, depth)
        if parts is not None:
            return {"parts": parts}
    if depth < MAXIMUM_DEPTH and content_type.media_type == MMS_MESSAGE:
        form = pdu(octets, depth + 1)
        if form is not None:
            return {"pdu": form}
    text = _text(content_type, octets)
    return {"base64": b64encode(octets).decode()} if text is None else {"text": text}


def _parts_to_json(octets: bytes, pdu: PduWriter, depth: int) -> list[Json] | None:
    try:
        found = index_multipart(octets)
        parts = [
            Part(
                one.content_type,
                octets[one.data_offset : one.data_offset + one.data_length],
                one.content_id,
                one.content_location,
            )
            for one in found
        ]
        if encode_multipart(parts) != octets:
            return None
    except (DecodeError, EncodeError):
        return None
    return [
        {
            "content_type": content_type_to_json(part.content_type),
            **({"content_id": part.content_id} if part.content_id else {}),
            **({"content_location": part.content_location} if part.content_location else {}),
            **to_json(part.content_type, part.data, pdu, depth + 1),
        }
        for part in parts
    ]


def _text(content_type: ContentType, octets: bytes) -> str | None:
    charset = charset_of(content_type).lower()
    if not is_textual(content_type.media_type) or charset not in charsets.NUMBERS:
        return None
    try:
        text = octets.decode(charset)
        return text if text.encode(charset) == octets else None
    except (LookupError, ValueError):
        return None


class ContentReader:
    """JSON to octets; files and PDUs inside are read by what is handed in. Raises JsonFormError."""

    def __init__(self, read_file: FileReader, read_pdu: PduReader) -> None:
        self._read_file = read_file
        self._read_pdu = read_pdu

    def octets(self, given: Mapping[str, Json], content_type: ContentType, where: str, depth: int) -> bytes:
        """What an object with one of text, base64, file, pdu or parts stands for."""
        kinds = [kind for kind in _KINDS if kind in given]
        if len(kinds) != 1:
            raise JsonFormError(where, f"needs one of {', '.join(_KINDS)}; it has {' and '.join(kinds) or 'none'}")
        [kind] = kinds
        value, place = given[kind], f"{where}.{kind}"
        if kind == "parts":
            return self.parts(value, place, depth)[0]
        if kind == "pdu":
            if not isinstance(value, dict):
                raise JsonFormError(place, "no object")
            return self._read_pdu(value, f"{place}.", depth + 1)
        if not isinstance(value, str):
            raise JsonFormError(place, f"{value!r} is no text")
        if kind == "file":
            return self._read_file(value)[0]
        return _from_base64(value, place) if kind == "base64" else _from_text(value, content_type, place)

    def parts(self, given: Json, where: str, depth: int) -> tuple[bytes, list[Part]]:
        """The octets of a multipart body, and its parts."""
        if not isinstance(given, list) or len(given) > MAXIMUM_ENTRIES:
            raise JsonFormError(where, f"no list of at most {MAXIMUM_ENTRIES} parts", _CLAUSE)
        if depth >= MAXIMUM_DEPTH:
            raise JsonFormError(where, f"parts inside parts, deeper than {MAXIMUM_DEPTH}")
        parts = [self._part(one, f"{where}[{number}]", depth + 1) for number, one in enumerate(given, 1)]
        return encode_multipart(parts), parts

    def _part(self, given: Json, where: str, depth: int) -> Part:
        if not isinstance(given, dict):
            raise JsonFormError(where, "a part is an object", _CLAUSE)
        for key in given:
            if key not in _PART_KEYS:
                raise JsonFormError(f"{where}.{key}", f"a part has no such key{nearest(key, _PART_KEYS)}", _CLAUSE)
        reader = Reader(where, _CLAUSE)
        content_type = self._type_of(given, where)
        data = self.octets(given, content_type, where, depth)
        content_id = reader.text(given.get("content_id", ""))
        return Part(content_type, data, content_id, reader.text(given.get("content_location", _name(given))))

    def _type_of(self, given: Mapping[str, Json], where: str) -> ContentType:
        if "content_type" in given:
            return Reader(f"{where}.content_type", _CLAUSE).content_type(given["content_type"])
        if "text" in given:
            return ContentType("text/plain", (("charset", "utf-8"),))
        if isinstance(given.get("file"), str):
            return self._read_file(given["file"])[1]
        if "pdu" in given:
            return ContentType(MMS_MESSAGE)
        raise JsonFormError(f"{where}.content_type", "is missing", _CLAUSE)


def default_type(parts: list[Part]) -> ContentType:
    """Of parts whose Content-Type is not said: related where the first is a presentation, else mixed (TS 23.140
    8.4.4)."""
    first = parts[0] if parts else None
    if first is None or first.content_type.media_type != "application/smil":
        return ContentType("application/vnd.wap.multipart.mixed")
    start = (("start", f"<{first.content_id}>"),) if first.content_id else ()
    return ContentType("application/vnd.wap.multipart.related", (*start, ("type", "application/smil")))


def _name(given: Mapping[str, Json]) -> str:
    """The last piece of a file's name: how a presentation calls it."""
    file = given.get("file")
    return file.replace("\\", "/").rpartition("/")[2] if isinstance(file, str) else ""


def _from_base64(value: str, where: str) -> bytes:
    try:
        return b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise JsonFormError(where, "is no base64", "RFC 4648 4") from None


def _from_text(value: str, content_type: ContentType, where: str) -> bytes:
    charset = charset_of(content_type)
    try:
        return value.encode(charset)
    except (LookupError, UnicodeEncodeError):
        raise JsonFormError(where, f"cannot be written in {charset}") from None
