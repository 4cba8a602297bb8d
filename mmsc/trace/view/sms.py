"""Short messages: SMPP, TPDUs of the radio network, user data headers, and pushes put together from their segments."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from mmsc.trace import redact
from mmsc.trace.view.model import Deeper, Row, Segment, View, every, words
from protocols import smpp
from protocols.errors import DecodeError
from protocols.octets import OctetReader
from protocols.smpp.pdus import BY_ID
from protocols.sms import tpdu
from protocols.sms.push import PORTS
from protocols.sms.segment import split_header
from protocols.sms.text import decode_gsm, decode_text, unpack
from protocols.wsp.push import PDU_TYPE_PUSH

MAXIMUM_PDUS: Final = 1000  # of one stream
_NAMED: Final = frozenset(map(int, smpp.CommandId))
_MESSAGE_PAYLOAD: Final = 0x0424
_ESM_UDHI: Final = 0x40
_TEXTS: Final = (0x00, 0x01, 0x03, 0x08)  # SMPP v3.4 5.2.19: what is no binary
_SM: Final = "3GPP TS 23.040 "
_ELEMENTS: Final = {
    0x00: "Concatenation, 8-bit reference",
    0x01: "Special SMS message indication",
    0x04: "Application ports, 8-bit",
    0x05: "Application ports, 16-bit",
    0x08: "Concatenation, 16-bit reference",
    0x24: "National language single shift",
    0x25: "National language locking shift",
}
_PORT_NAMES: Final = {2948: " (wap-push)", 2949: " (wap-push-secure)", 9200: " (wap-wsp)", 9201: " (wap-wsp-wtp)"}


def is_smpp(octets: bytes) -> bool:
    """A command we read, or one that SMPP v3.4 names and whose length is that of the octets."""
    if len(octets) < smpp.HEADER_OCTETS or octets[0] != 0:
        return False
    command_id = int.from_bytes(octets[4:8])
    return command_id in BY_ID or (int.from_bytes(octets[:4]) == len(octets) and command_id in _NAMED)


def smpp_stream(octets: bytes, deeper: Deeper) -> View:
    """One PDU or several."""
    views: list[View] = []
    at = 0
    while at < len(octets) and len(views) < MAXIMUM_PDUS:
        length = int.from_bytes(octets[at : at + 4])
        if not smpp.HEADER_OCTETS <= length <= len(octets) - at:
            length = len(octets) - at
        views.append(replace(_smpp(octets[at : at + length], deeper), at=at))
        at += length
    masked = b"".join(one.octets for one in views) + octets[at:]
    return _stream("SMPP", "PDUs", masked, views, deeper)


def _stream(kind: str, noun: str, octets: bytes, views: list[View], deeper: Deeper) -> View:
    if len(views) == 1:
        return replace(views[0], at=-1)
    return View(kind, f"{len(views)} {noun}", octets, inside=(*views, *put_together(views, deeper)))


def put_together(views: Sequence[View], deeper: Deeper) -> Iterator[View]:
    """The pushes whose segments are all there."""
    found: dict[tuple[str, int, int], dict[int, bytes]] = {}
    for view in views:
        for inner in every(view):
            if inner.segment is not None:
                found.setdefault(inner.segment.of, {})[inner.segment.number] = inner.segment.data
    for (_, reference, total), pieces in found.items():
        if len(pieces) == total:
            data = b"".join(pieces[number] for number in sorted(pieces))
            title = f"{total} segments, reference {reference}"
            yield View("put together", title, data, inside=(replace(deeper(data, ""), at=0),))


def _smpp(octets: bytes, deeper: Deeper) -> View:
    octets = redact.smpp(octets)
    try:
        decoded = smpp.decode(octets)
    except DecodeError as error:
        return View("SMPP", "unreadable", octets, tuple(_smpp_header(octets)), problem=str(error))
    pdu = decoded.message
    rows = [*_smpp_header(octets), *_smpp_fields(octets, pdu)]
    inside = _carried(octets, pdu, rows, deeper)
    title = pdu.command_id.name.lower()
    return View("SMPP", title, octets, tuple(rows), decoded.findings, inside=inside, text=_smpp_text(pdu))


def _smpp_text(pdu: smpp.Pdu) -> str:
    """The text of a short message without a header."""
    data_coding = getattr(pdu, "data_coding", 0)
    if getattr(pdu, "esm_class", 0) & _ESM_UDHI or data_coding not in _TEXTS:
        return ""
    return decode_text(data_coding, getattr(pdu, "short_message", b""))


def _smpp_header(octets: bytes) -> Iterator[Row]:
    length, command_id, status, number = (int.from_bytes(octets[at : at + 4]) for at in (0, 4, 8, 12))
    yield Row("command_length", str(length), 0, 4, "SMPP v3.4 5.1.1", length)
    yield Row("command_id", f"{smpp.CommandId(command_id).name} (0x{command_id:08X})", 4, 8, "SMPP v3.4 5.1.2")
    yield Row("command_status", smpp.CommandStatus(status).name, 8, 12, "SMPP v3.4 5.1.3")
    yield Row("sequence_number", str(number), 12, 16, "SMPP v3.4 5.1.4", number)


def _smpp_fields(octets: bytes, pdu: smpp.Pdu) -> list[Row]:
    reader = OctetReader(octets, smpp.HEADER_OCTETS)
    rows: list[Row] = []
    try:
        for one in type(pdu).fields:
            start = reader.offset
            value = one.form.read(reader)
            typed = int(value) if isinstance(value, int) else None
            rows.append(Row(one.name, words(value), start, reader.offset, one.clause, typed))
    except DecodeError:
        return rows  # a response that ends after its header
    for tag, value_octets in pdu.tlvs:
        name = smpp.Tag(tag).name.lower()
        end = reader.offset + 4 + len(value_octets)
        rows.append(Row(name, value_octets.hex(" "), reader.offset, end, "SMPP v3.4 5.3.2"))
        reader.offset = end
    return rows


def _carried(octets: bytes, pdu: smpp.Pdu, rows: list[Row], deeper: Deeper) -> tuple[View, ...]:
    """What a short message carries: a user data header, and a WAP push where the ports say so."""
    payload = dict(pdu.tlvs).get(_MESSAGE_PAYLOAD, b"")
    name = "message_payload" if payload else "short_message"
    payload = payload or getattr(pdu, "short_message", b"")
    if not payload:
        return ()
    end = next((row.end for row in rows if row.name == name), 0)
    at = end - len(payload) if octets[end - len(payload) : end] == payload else -1
    if getattr(pdu, "esm_class", 0) & _ESM_UDHI:
        between = f"{getattr(pdu, 'source_addr', '')} {getattr(pdu, 'destination_addr', '')}"
        return (replace(user_data(payload, between, deeper), at=at),)
    return (replace(deeper(payload, ""), at=at),) if payload[1:2] == bytes((PDU_TYPE_PUSH,)) else ()


def user_data(payload: bytes, between: str, deeper: Deeper) -> View:
    """User data with its header; what is pushed in it, where it is whole. `between` are the addresses."""
    try:
        header, data = split_header(payload)
    except DecodeError as error:
        return View("user data", "unreadable header", payload, problem=str(error))
    part = header.concatenation
    pushed = header.ports is not None and header.ports[0] == PORTS[0]
    at = len(payload) - len(data)
    rows = tuple(_header_rows(payload, at))
    if part is None or part.total == 1:
        inside = (replace(deeper(data, ""), at=at),) if pushed else ()
        return View("user data", "whole", payload, rows, inside=inside)
    rows = (*rows, Row("data", f"{len(data)} octets", at, len(payload), f"{_SM}9.2.3.24"))
    segment = Segment((between, part.reference, part.total), part.number, data) if pushed else None
    title = f"segment {part.number} of {part.total}, reference {part.reference}"
    return View("user data", title, payload, rows, segment=segment)


def _header_rows(payload: bytes, end: int) -> Iterator[Row]:
    yield Row("UDHL", str(payload[0]), 0, 1, f"{_SM}9.2.3.24", payload[0])
    at = 1
    while at + 2 <= end:
        number, value = payload[at], payload[at + 2 : at + 2 + payload[at + 1]]
        name = _ELEMENTS.get(number, f"Information element 0x{number:02X}")
        yield Row(name, _element(number, value), at, at + 2 + len(value), f"{_SM}9.2.3.24")
        at += 2 + len(value)


def _element(number: int, value: bytes) -> str:
    if number in (0x04, 0x05) and len(value) == 2 * (number - 3):
        half = len(value) // 2
        ports = (int.from_bytes(value[:half]), int.from_bytes(value[half:]))
        return ", ".join(
            f"{word} {port}{_PORT_NAMES.get(port, '')}"
            for word, port in zip(("destination", "source"), ports, strict=True)
        )
    if number in (0x00, 0x08) and len(value) == (3 if number == 0 else 4):
        return f"reference {int.from_bytes(value[:-2])}, segment {value[-1]} of {value[-2]}"
    return value.hex(" ")


def tpdu_stream(octets: bytes, deeper: Deeper) -> View | None:
    """SMS-DELIVER and SMS-SUBMIT TPDUs one after the other, with the address of a service centre before each or
    without; None when the octets are not just that."""
    for with_centre in (False, True):
        reader = OctetReader(octets)
        views: list[View] = []
        try:
            while not reader.at_end() and len(views) < MAXIMUM_PDUS:
                start = reader.offset
                centre = tpdu.read_service_centre(reader) if with_centre else None
                begin = reader.offset
                message = tpdu.read(reader)
                view = _tpdu(octets[start : reader.offset], begin - start, centre, message, deeper)
                views.append(replace(view, at=start))
        except DecodeError:
            continue
        if views and reader.at_end():
            return _stream("SMS", "TPDUs", octets, views, deeper)
    return None


def _tpdu(octets: bytes, begin: int, centre: str | None, message: tpdu.Tpdu, deeper: Deeper) -> View:
    rows = [] if centre is None else [Row("Service centre", centre or "not told", 0, begin, "3GPP TS 27.005 3.1")]
    deliver = isinstance(message, tpdu.SmsDeliver)
    party = str(message.originator if isinstance(message, tpdu.SmsDeliver) else message.destination)
    length = len(message.user_data) if message.length is None else message.length
    at = begin
    for name, value, size, clause in (*_fields(octets, begin, message), ("TP-UDL", f"{length}", 1, "2.3.16")):
        rows.append(Row(name, value, at, at + size, f"{_SM}9.{clause}"))
        at += size
    title = f"{'SMS-DELIVER' if deliver else 'SMS-SUBMIT'}, {party}"
    if message.has_header:
        inside = (replace(user_data(message.user_data, party, deeper), at=at),)
        return View("SMS", title, octets, tuple(rows), inside=inside)
    rows.append(Row("TP-UD", f"{len(message.user_data)} octets", at, len(octets), f"{_SM}9.2.3.24"))
    return View("SMS", title, octets, tuple(rows), text=_message_text(message, length))


def _fields(octets: bytes, begin: int, message: tpdu.Tpdu) -> Iterator[tuple[str, str, int, str]]:
    """Name, value, octets and clause of what stands before TP-UDL."""
    yield "TP-MTI and flags", _flags(message), 1, "2.3.1"
    if isinstance(message, tpdu.SmsDeliver):
        yield "TP-OA", str(message.originator), _address(octets, begin + 1), "2.3.7"
    else:
        yield "TP-MR", str(message.reference), 1, "2.3.6"
        yield "TP-DA", str(message.destination), _address(octets, begin + 2), "2.3.8"
    yield "TP-PID", str(message.pid), 1, "2.3.9"
    yield "TP-DCS", _dcs(message.dcs), 1, "2.3.10"
    if isinstance(message, tpdu.SmsDeliver):
        yield "TP-SCTS", message.timestamp.isoformat(), 7, "2.3.11"
    elif message.validity:
        yield "TP-VP", message.validity.hex(" "), len(message.validity), "2.3.12"


def _address(octets: bytes, at: int) -> int:
    return 2 + (octets[at] + 1) // 2


def _flags(message: tpdu.Tpdu) -> str:
    found = ["SMS-DELIVER" if isinstance(message, tpdu.SmsDeliver) else "SMS-SUBMIT"]
    found += ["user data header"] if message.has_header else []
    found += ["status report"] if message.status_report else []
    found += ["more messages wait"] if isinstance(message, tpdu.SmsDeliver) and message.more_messages else []
    return ", ".join(found)


def _dcs(dcs: int) -> str:
    kind = "7-bit" if tpdu.is_septets(dcs) else "16-bit" if dcs & 0x0C == 0x08 and dcs < 0x80 else "8-bit"
    return f"0x{dcs:02X}, {kind}"


def _message_text(message: tpdu.Tpdu, length: int) -> str:
    if tpdu.is_septets(message.dcs):
        return decode_gsm(unpack(message.user_data, length))
    return decode_text(message.dcs if message.dcs >= 0x0F else 0x08 if message.dcs & 0x08 else 0x04, message.user_data)
