"""SMPP PDUs to octets and back (v3.4 clause 3.2), and the stream's way into PDUs."""

import struct
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from protocols.errors import Decoded, DecodeError, EncodeError, Finding
from protocols.forms import Field
from protocols.octets import OctetReader, OctetWriter
from protocols.smpp.enums import RESPONSE, CommandId, CommandStatus
from protocols.smpp.pdus import BY_ID, PDUS, Bounded, GenericNack, Pdu, ShortMessageOverrun, Tlv

HEADER_OCTETS: Final = 16
MAXIMUM_OCTETS: Final = 70_000  # message_payload holds 64 K; no PDU is longer
_LENGTH: Final = struct.Struct(">I")
_HEADER: Final = struct.Struct(">IIII")
_TLV: Final = struct.Struct(">HH")


def _sizes(field: Field) -> range:
    form = field.form
    return range(form.shortest, form.longest + 1) if isinstance(form, Bounded) else range(1, 2)


_ROWS: Final = {cls: tuple((one, one.name, one.form.read, _sizes(one)) for one in cls.fields) for cls in PDUS}

_STATUSES: Final = {int(one): one for one in CommandStatus}  # a call of an enumeration costs much
_Write = Callable[[OctetWriter, Any], None]
_WRITTEN: Final[dict[type[Pdu], tuple[Callable[[Pdu], tuple[Any, ...]], tuple[_Write, ...]]]] = {
    cls: (
        attrgetter("command_id", "command_status", "sequence_number", "tlvs", *(one.name for one in cls.fields)),
        tuple(one.form.write for one in cls.fields),
    )
    for cls in PDUS
}


class SmppError(DecodeError):
    """A PDU that cannot be read. Header values are there when the header was readable; `status` is the answer;
    `before` are the whole PDUs that a stream brought ahead of it."""

    def __init__(
        self,
        why: str,
        *,
        offset: int = -1,
        clause: str = "SMPP v3.4 3.2",
        status: CommandStatus = CommandStatus.ESME_RINVCMDLEN,
        command_id: int = 0,
        sequence_number: int = 0,
    ) -> None:
        super().__init__(why, offset=offset, clause=clause)
        self.status = status
        self.before: tuple[bytes, ...] = ()
        self.command_id = command_id
        self.sequence_number = sequence_number


def decode(octets: bytes) -> Decoded[Pdu]:
    """One whole PDU and remarks about it. Raises SmppError."""
    if len(octets) < HEADER_OCTETS:
        raise SmppError(f"{len(octets)} octets, a header has {HEADER_OCTETS}", offset=0)
    length, command_id, status, sequence = _HEADER.unpack_from(octets)
    if length != len(octets):
        known = sequence if length >= HEADER_OCTETS else 0
        raise SmppError(f"command_length {length}, {len(octets)} octets", offset=0, sequence_number=known)
    cls = BY_ID.get(command_id)
    if cls is None:
        name = CommandId(command_id).name
        raise SmppError(
            f"{name} is not offered",
            offset=4,
            clause="SMPP v3.4 5.1.2",
            status=CommandStatus.ESME_RINVCMDID,
            command_id=command_id,
            sequence_number=sequence,
        )
    reader = OctetReader(octets, HEADER_OCTETS)
    values: dict[str, Any] = {"sequence_number": sequence, "command_status": _status(status)}
    findings: list[Finding] = []
    try:
        # A response that reports an error may end after its header (v3.4 4.4.2), and some do on success.
        if not (reader.at_end() and command_id & RESPONSE):
            start = HEADER_OCTETS
            for field, name, read, sizes in _ROWS[cls]:
                values[name] = read(reader)
                end = reader.offset
                if end - start > 1 and end - start not in sizes:
                    remark = f"{name} of {end - start} octets: {field.form.name}"
                    findings.append(Finding("SMPP-R004", field.clause, start, remark))
                start = end
            if reader.at_end() and octets[-1] and cls.fields and cls.fields[-1].form.name.startswith("C-Octet"):
                findings.append(Finding("SMPP-R003", "SMPP v3.4 3.1", len(octets), "a last string without its NUL"))
        elif cls.fields and status == 0:
            findings.append(Finding("SMPP-R001", cls.clause, HEADER_OCTETS, "a positive response without its body"))
        values["tlvs"] = _read_tlvs(reader, findings)
    except DecodeError as error:
        raise SmppError(
            error.why,
            offset=error.offset,
            clause=error.clause or cls.clause,
            status=_status_of(error),
            command_id=command_id,
            sequence_number=sequence,
        ) from error
    return Decoded(cls(**values), tuple(findings))


def _status(number: int) -> CommandStatus:
    known = _STATUSES.get(number)
    return CommandStatus(number) if known is None else known


def _status_of(error: DecodeError) -> CommandStatus:
    """A body too short for its fields is ESME_RINVCMDLEN, also where a string runs into its end: nobody can tell which
    of them is wrong. sm_length is a length of its own, and the text's: ESME_RINVMSGLEN. A client takes the former for a
    stream out of step and binds anew, the latter for what it is, one message (v3.4 5.1.3)."""
    overrun = isinstance(error, ShortMessageOverrun)
    return CommandStatus.ESME_RINVMSGLEN if overrun else CommandStatus.ESME_RINVCMDLEN


def _read_tlvs(reader: OctetReader, findings: list[Finding]) -> tuple[Tlv, ...]:
    """The framing is whole whatever happens here, so octets that are no TLV are left aside and told."""
    found: list[Tlv] = []
    start = reader.offset
    try:
        while not reader.at_end():
            start = reader.offset
            tag, length = _TLV.unpack(reader.take(_TLV.size))
            found.append((tag, reader.take(length)))
    except DecodeError as error:
        findings.append(Finding("SMPP-R002", "SMPP v3.4 3.2.4", start, f"octets that are no TLV: {error.why}"))
    return tuple(found)


def encode(pdu: Pdu, sequence_number: int | None = None) -> bytes:
    """The octets of a PDU, under `sequence_number` when it is given. A response that reports an error is its header
    alone (v3.4 4.4.2), unless it says more: some SMSCs do, and what was read is written back. Raises EncodeError."""
    read, writes = _WRITTEN[type(pdu)]
    command_id, status, own_number, tlvs, *values = read(pdu)
    number = own_number if sequence_number is None else sequence_number
    writer = OctetWriter()
    if not (command_id & RESPONSE and status) or tlvs or any(values):
        for value, write in zip(values, writes, strict=True):
            write(writer, value)
        for tag, value in tlvs:
            if not (0 <= tag <= 0xFFFF and len(value) <= 0xFFFF):
                raise EncodeError(f"TLV 0x{tag:04x} of {len(value)} octets", clause="SMPP v3.4 3.2.4")
            writer.put(_TLV.pack(tag, len(value)) + value)
    return _HEADER.pack(HEADER_OCTETS + len(writer), command_id, status, number) + writer


def refusal(error: SmppError) -> Pdu | None:
    """What to answer to octets that `decode` refused: the command's own response when only its body is bad,
    generic_nack when the header is or the command is not offered (v3.4 4.3), nothing to a response."""
    if error.command_id & RESPONSE:
        return None
    known = BY_ID.get(error.command_id | RESPONSE) if error.command_id in BY_ID else None
    return (known or GenericNack)(sequence_number=error.sequence_number, command_status=error.status)


class Framer:
    """Cuts a stream into PDUs. Bounded: a command_length that no PDU has ends the stream with SmppError."""

    def __init__(self, maximum_octets: int = MAXIMUM_OCTETS) -> None:
        self._maximum_octets = maximum_octets
        self._buffer = bytearray()

    @property
    def waiting(self) -> bool:
        """Whether part of a PDU is here."""
        return bool(self._buffer)

    def feed(self, octets: bytes) -> list[bytes]:
        """The PDUs that are complete now."""
        buffer = self._buffer
        buffer += octets
        size = len(buffer)
        pdus: list[bytes] = []
        start = 0
        while size - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            if not HEADER_OCTETS <= length <= self._maximum_octets:
                # What is shorter than a header has no sequence_number: octets 12 to 15 are another PDU's (v3.4 4.3.1).
                whole = length >= HEADER_OCTETS and size - start >= HEADER_OCTETS
                sequence = int.from_bytes(buffer[start + 12 : start + HEADER_OCTETS]) if whole else 0
                error = SmppError(f"command_length {length}", offset=0, sequence_number=sequence)
                error.before = tuple(pdus)
                raise error
            if size - start < length:
                break
            pdus.append(bytes(buffer[start : start + length]))
            start += length
        if start:
            del buffer[:start]
        return pdus
