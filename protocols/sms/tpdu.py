"""Short messages as the radio network carries them: SMS-DELIVER to the handset and SMS-SUBMIT from it (3GPP TS 23.040
9.2.2.1, 9.2.2.2). What modems (3GPP TS 27.005 in PDU mode) and emulators take and give.

A message has no length of its own before its last field: what follows it in a stream is the next one.
"""

from datetime import datetime, timedelta, timezone
from typing import Final

from protocols.errors import DecodeError, EncodeError
from protocols.octets import OctetReader
from protocols.records import record
from protocols.sms.segment import USER_DATA_OCTETS
from protocols.sms.text import decode_gsm, encode_gsm, is_gsm, pack, unpack

MTI_DELIVER: Final = 0
MTI_SUBMIT: Final = 1
TON_UNKNOWN: Final = 0
TON_INTERNATIONAL: Final = 1
TON_ALPHANUMERIC: Final = 5
NPI_UNKNOWN: Final = 0
NPI_ISDN: Final = 1
MOST_SEPTETS: Final = 160
_MTI: Final = 0x03
_NO_MORE_MESSAGES: Final = 0x04  # TP-MMS: 0 says that more wait
_UDHI: Final = 0x40
_STATUS_REPORT: Final = 0x20  # TP-SRI of a deliver, TP-SRR of a submit
_VALIDITY: Final = 0x18
_VALIDITY_OCTETS: Final = {0x00: 0, 0x08: 7, 0x10: 1, 0x18: 7}  # none, enhanced, relative, absolute
_DIGITS: Final = "0123456789*#abc"
_FILLER: Final = 0x0F
_MOST_DIGITS: Final = 20
_MOST_SC_OCTETS: Final = 11
_MOST_QUARTERS: Final = 79  # of an hour: the sign has a bit of the tens
_CLAUSE: Final = "3GPP TS 23.040 9.2.2"
_CLAUSE_ADDRESS: Final = "3GPP TS 23.040 9.1.2.5"
_CLAUSE_TIME: Final = "3GPP TS 23.040 9.2.3.11"
_CLAUSE_DATA: Final = "3GPP TS 23.040 9.2.3.24"


@record(frozen=True, slots=True)
class SmsAddress:
    """A number's digits, or the text of an alphanumeric address, with its type and plan (9.1.2.5)."""

    digits: str
    ton: int = TON_INTERNATIONAL
    npi: int = NPI_ISDN

    @staticmethod
    def parse(text: str) -> "SmsAddress":
        """+15550100123 is international, digits alone are of unknown type, and anything else is alphanumeric."""
        if text.startswith("+"):
            return SmsAddress(text[1:])
        if text and all(char in _DIGITS for char in text):
            return SmsAddress(text, TON_UNKNOWN)
        return SmsAddress(text, TON_ALPHANUMERIC, NPI_UNKNOWN)

    def __str__(self) -> str:
        return f"+{self.digits}" if self.ton == TON_INTERNATIONAL else self.digits


@record(frozen=True, slots=True, kw_only=True)
class SmsDeliver:
    """SMS-DELIVER. `user_data` is TP-UD as it lies there, with its header where `has_header`; `length` is TP-UDL, which
    counts septets in the default alphabet (None: that of octets)."""

    originator: SmsAddress
    timestamp: datetime
    user_data: bytes
    pid: int = 0
    dcs: int = 0xF5
    has_header: bool = True
    more_messages: bool = False
    status_report: bool = False
    length: int | None = None


@record(frozen=True, slots=True, kw_only=True)
class SmsSubmit:
    """SMS-SUBMIT. `validity` is TP-VP as it lies there: none, 1 octet (relative) or 7 (absolute)."""

    destination: SmsAddress
    user_data: bytes
    reference: int = 0
    pid: int = 0
    dcs: int = 0xF5
    has_header: bool = True
    status_report: bool = False
    validity: bytes = b""
    length: int | None = None


Tpdu = SmsDeliver | SmsSubmit


def encode(message: Tpdu) -> bytes:
    """The octets of a TPDU. Raises EncodeError."""
    flags = (_UDHI if message.has_header else 0) | (_STATUS_REPORT if message.status_report else 0)
    if isinstance(message, SmsDeliver):
        flags |= MTI_DELIVER | (0 if message.more_messages else _NO_MORE_MESSAGES)
        head = bytes((flags,)) + _address(message.originator)
        head += bytes((message.pid, message.dcs)) + _timestamp(message.timestamp)
    else:
        form = {0: 0x00, 1: 0x10, 7: 0x18}.get(len(message.validity))
        if form is None:
            raise EncodeError(f"TP-VP of {len(message.validity)} octets", clause="3GPP TS 23.040 9.2.3.12")
        head = bytes((flags | MTI_SUBMIT | form, message.reference & 0xFF)) + _address(message.destination)
        head += bytes((message.pid, message.dcs)) + message.validity
    length = len(message.user_data) if message.length is None else message.length
    if len(message.user_data) > USER_DATA_OCTETS or length > MOST_SEPTETS:
        raise EncodeError(
            f"{len(message.user_data)} octets of user data, at most {USER_DATA_OCTETS}", clause=_CLAUSE_DATA
        )
    if user_data_octets(length, message.dcs) != len(message.user_data):
        raise EncodeError(
            f"TP-UDL {length} does not go with {len(message.user_data)} octets of user data", clause=_CLAUSE_DATA
        )
    return head + bytes((length,)) + message.user_data


def with_service_centre(tpdu: bytes, number: str = "") -> bytes:
    """A TPDU behind the address of its service centre, as 3GPP TS 27.005 3.1 has it; "" leaves that to the modem."""
    if not number:
        return b"\0" + tpdu
    address = SmsAddress.parse(number)
    if address.ton == TON_ALPHANUMERIC:
        raise EncodeError(f"{number!r} is no number of a service centre", clause="3GPP TS 24.011 8.2.5.1")
    octets = bytes((_type_of(address),)) + _semi_octets(address.digits)
    return bytes((len(octets),)) + octets + tpdu


def decode(octets: bytes) -> Tpdu:
    """The message, which must be all there is. Raises DecodeError."""
    reader = OctetReader(octets)
    message = read(reader)
    if not reader.at_end():
        raise DecodeError(f"{reader.remaining} octets behind the user data", offset=reader.offset, clause=_CLAUSE)
    return message


def read(reader: OctetReader) -> Tpdu:
    """One TPDU off a stream. Raises DecodeError."""
    start = reader.offset
    first = reader.octet()
    has_header, report = bool(first & _UDHI), bool(first & _STATUS_REPORT)
    if first & _MTI == MTI_DELIVER:
        address = _read_address(reader)
        pid, dcs = reader.octet(), reader.octet()
        timestamp = _read_timestamp(reader)
        length, data = _read_user_data(reader, dcs)
        return SmsDeliver(
            originator=address,
            timestamp=timestamp,
            user_data=data,
            pid=pid,
            dcs=dcs,
            has_header=has_header,
            more_messages=not first & _NO_MORE_MESSAGES,
            status_report=report,
            length=length,
        )
    if first & _MTI != MTI_SUBMIT:
        raise DecodeError("neither SMS-DELIVER nor SMS-SUBMIT", offset=start, clause="3GPP TS 23.040 9.2.3.1")
    reference = reader.octet()
    address = _read_address(reader)
    pid, dcs = reader.octet(), reader.octet()
    validity = reader.take(_VALIDITY_OCTETS[first & _VALIDITY])
    length, data = _read_user_data(reader, dcs)
    return SmsSubmit(
        destination=address,
        user_data=data,
        reference=reference,
        pid=pid,
        dcs=dcs,
        has_header=has_header,
        status_report=report,
        validity=validity,
        length=length,
    )


def read_service_centre(reader: OctetReader) -> str:
    """The address before a TPDU (3GPP TS 27.005 3.1; TS 24.011 8.2.5.1), "" for none. Raises DecodeError."""
    start = reader.offset
    length = reader.octet()
    if length == 0:
        return ""
    if not 2 <= length <= _MOST_SC_OCTETS:
        raise DecodeError(f"a service centre's address of {length} octets", offset=start, clause=_CLAUSE_ADDRESS)
    kind = reader.octet()
    if kind < 0x80:
        raise DecodeError(f"0x{kind:02x} is no type of address", offset=reader.offset - 1, clause=_CLAUSE_ADDRESS)
    semi_octets = reader.take(length - 1)
    return str(SmsAddress(_digits(semi_octets, 2 * len(semi_octets), start), kind >> 4 & 0x07, kind & 0x0F))


def is_septets(dcs: int) -> bool:
    """Whether a TP-DCS means the default alphabet, seven bits a character (3GPP TS 23.038 4)."""
    if dcs >= 0xF0:
        return not dcs & 0x04
    if dcs >= 0x80:
        return dcs < 0xE0
    return dcs & 0x20 == 0 and dcs & 0x0C in (0x00, 0x0C)


def user_data_octets(length: int, dcs: int) -> int:
    """How many octets a TP-UDL stands for (9.2.3.16)."""
    return (7 * length + 7) // 8 if is_septets(dcs) else length


def _read_user_data(reader: OctetReader, dcs: int) -> tuple[int | None, bytes]:
    """TP-UDL where it is not the number of octets, and TP-UD."""
    start = reader.offset
    length = reader.octet()
    count = user_data_octets(length, dcs)
    if count > USER_DATA_OCTETS:
        raise DecodeError(f"{count} octets of user data", offset=start, clause=_CLAUSE_DATA)
    return None if count == length else length, reader.take(count)


def _type_of(address: SmsAddress) -> int:
    return 0x80 | address.ton << 4 | address.npi


def _address(address: SmsAddress) -> bytes:
    if address.ton == TON_ALPHANUMERIC:
        if not is_gsm(address.digits):
            raise EncodeError(f"{address.digits!r} is not in the default alphabet", clause=_CLAUSE_ADDRESS)
        octets = pack(encode_gsm(address.digits))
        length = (7 * len(encode_gsm(address.digits)) + 3) // 4
    else:
        octets, length = _semi_octets(address.digits), len(address.digits)
    if length > _MOST_DIGITS:
        raise EncodeError(f"{address} is longer than {_MOST_DIGITS} semi-octets", clause=_CLAUSE_ADDRESS)
    return bytes((length, _type_of(address))) + octets


def _semi_octets(digits: str) -> bytes:
    if any(char not in _DIGITS for char in digits):
        raise EncodeError(f"{digits!r} is no number", clause=_CLAUSE_ADDRESS)
    values = [_DIGITS.index(char) for char in digits] + [_FILLER] * (len(digits) % 2)
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))


def _read_address(reader: OctetReader) -> SmsAddress:
    start = reader.offset
    length, kind = reader.octet(), reader.octet()
    if length > _MOST_DIGITS or kind < 0x80:
        raise DecodeError("no address", offset=start, clause=_CLAUSE_ADDRESS)
    octets = reader.take((length + 1) // 2)
    ton, npi = kind >> 4 & 0x07, kind & 0x0F
    if ton == TON_ALPHANUMERIC:
        return SmsAddress(decode_gsm(unpack(octets, 4 * length // 7)), ton, npi)
    return SmsAddress(_digits(octets, length, start), ton, npi)


def _digits(octets: bytes, count: int, offset: int) -> str:
    """`count` digits of semi-octets; a filler ends them early."""
    values = [half for octet in octets for half in (octet & 0x0F, octet >> 4)]
    if values[-1:] == [_FILLER]:
        count = min(count, len(values) - 1)
    if _FILLER in values[:count]:
        raise DecodeError("a filler among the digits", offset=offset, clause=_CLAUSE_ADDRESS)
    return "".join(_DIGITS[value] for value in values[:count])


def _timestamp(moment: datetime) -> bytes:
    """TP-SCTS: two digits each, swapped; the zone in quarters of an hour, its sign in bit 3 (9.2.3.11)."""
    offset = moment.utcoffset()
    if offset is None:
        raise EncodeError("a timestamp without a time zone", clause=_CLAUSE_TIME)
    quarters = round(offset / timedelta(minutes=15))
    if abs(quarters) > _MOST_QUARTERS:
        raise EncodeError(f"{offset} from UTC is more than 19 hours and 45 minutes", clause=_CLAUSE_TIME)
    zone = _swapped(abs(quarters)) | (0x08 if quarters < 0 else 0)
    fields = (moment.year % 100, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return bytes((*map(_swapped, fields), zone))


def _swapped(number: int) -> int:
    return number % 10 << 4 | number // 10


def _read_timestamp(reader: OctetReader) -> datetime:
    start = reader.offset
    octets = reader.take(7)
    zone = octets[6]
    values = [(octet & 0x0F) * 10 + (octet >> 4) for octet in (*octets[:6], zone & 0xF7)]
    if any(octet & 0x0F > 9 or octet >> 4 > 9 for octet in octets[:6]):
        raise DecodeError("a timestamp that is no digits", offset=start, clause=_CLAUSE_TIME)
    quarters = 0 if zone >> 4 > 9 else -values[6] if zone & 0x08 else values[6]  # no digit counts as 0
    year, month, day, hour, minute, second = values[:6]
    try:
        place = timezone(timedelta(minutes=15 * quarters))
        return datetime(2000 + year if year < 70 else 1900 + year, month, day, hour, minute, second, tzinfo=place)
    except ValueError as error:
        raise DecodeError(f"no moment: {error}", offset=start, clause=_CLAUSE_TIME) from error


__all__ = [
    "SmsAddress",
    "SmsDeliver",
    "SmsSubmit",
    "Tpdu",
    "decode",
    "encode",
    "is_septets",
    "read",
    "read_service_centre",
    "user_data_octets",
    "with_service_centre",
]
