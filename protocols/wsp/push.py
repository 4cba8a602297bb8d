"""The connectionless Push PDU that carries MMS indications over SMS (WAP-230-WSP 8.2.4.1; WAP-235 for the headers)."""

from typing import Final

from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.octets import OctetReader, OctetWriter
from protocols.records import record
from protocols.wsp.content_type import content_type_octets, read_content_type
from protocols.wsp.primitives import (
    read_integer,
    read_text,
    read_uintvar,
    skip_shift,
    skip_value,
    uintvar,
    write_integer,
)

PDU_TYPE_PUSH: Final = 0x06
MMS_MESSAGE: Final = "application/vnd.wap.mms-message"
APPLICATION_MMS_UA: Final = 4
APPLICATION_WML_UA: Final = 2
_APPLICATION_ID: Final = 0x2F
_APPLICATIONS: Final = {"x-wap-application:mms.ua": APPLICATION_MMS_UA, "x-wap-application:wml.ua": APPLICATION_WML_UA}


@record(frozen=True, slots=True)
class Push:
    """A push: its WSP transaction id, content type, application id (None: not named) and data."""

    transaction_id: int
    content_type: ContentType
    application_id: int | None
    data: bytes


def encode_push(push: Push) -> bytes:
    """The PDU: TID, type, headers length, content type, X-Wap-Application-Id, data."""
    return _encoded(push.transaction_id, _headers(push.content_type, push.application_id), push.data)


def _headers(content_type: ContentType, application_id: int | None) -> bytes:
    """The headers with their length."""
    writer = OctetWriter(content_type_octets(content_type))
    if application_id is not None:
        writer.octet(0x80 | _APPLICATION_ID)
        write_integer(writer, application_id)
    return uintvar(len(writer)) + writer


def _encoded(transaction_id: int, headers: bytes, data: bytes) -> bytes:
    return bytes((transaction_id, PDU_TYPE_PUSH)) + headers + data


_MMS_HEADERS: Final = _headers(ContentType(MMS_MESSAGE), APPLICATION_MMS_UA)


def mms_push(transaction_id: int, pdu: bytes) -> bytes:
    """A push of an MMS PDU to the MMS user agent."""
    return _encoded(transaction_id, _MMS_HEADERS, pdu)


def decode_push(octets: bytes) -> Push:
    """Raises DecodeError."""
    reader = OctetReader(octets)
    transaction_id = reader.octet()
    if reader.octet() != PDU_TYPE_PUSH:
        raise DecodeError("not a Push PDU", offset=1, clause="WAP-230-WSP 8.2.4.1")
    application_id: int | None = None
    length = read_uintvar(reader)
    with reader.within(length):
        content_type = read_content_type(reader)
        while not reader.at_end():
            first = reader.octet()
            if first == 0x80 | _APPLICATION_ID:
                application_id = _read_application(reader)
            elif first >= 0x80:
                skip_value(reader)
            elif not skip_shift(reader, first) and first != 0:
                reader.take_until_nul()
                skip_value(reader)
    return Push(transaction_id, content_type, application_id, reader.take_rest())


def _read_application(reader: OctetReader) -> int | None:
    if 0x20 <= reader.peek() < 0x80:
        return _APPLICATIONS.get(read_text(reader).lower())
    return read_integer(reader)
