"""The PDUs of SMPP v3.4 as a table: mandatory fields in their order, with their forms (clause 4).

A PDU is its class; TLVs follow as (tag, octets) in the order in which they came.
"""

from typing import ClassVar, Final

from protocols.errors import EncodeError, Truncated
from protocols.forms import Field, Form, V
from protocols.octets import OctetReader, OctetWriter
from protocols.records import record
from protocols.smpp.enums import CommandId, CommandStatus, Tag

Tlv = tuple[int, bytes]


@record(frozen=True, slots=True)
class Bounded(Form[V]):
    """A form of `shortest` to `longest` octets, with its NUL or its length, or of one octet where it is empty. Others
    are read, with a finding: a peer's message_id of 80 characters still names its message (and is never written)."""

    longest: int
    shortest: int = 1


class ShortMessageOverrun(Truncated):
    """sm_length names more octets than its PDU has."""


def _read_integer_1(reader: OctetReader) -> int:
    return reader.octet()


def _write_integer_1(writer: OctetWriter, value: int) -> None:
    if not 0 <= value <= 0xFF:
        raise EncodeError(f"{value} does not fit one octet", clause="SMPP v3.4 3.1")
    writer.octet(value)


def c_octet_string(size: int) -> Bounded[str]:
    """C-Octet String of at most `size` octets with its NUL. One that ends with its PDU is read, never written: a PDU
    that should go on is then refused at its next field."""

    def read(reader: OctetReader) -> str:
        ended = reader.data.find(b"\0", reader.offset, reader.end) >= 0 or reader.at_end()
        return (reader.take_until_nul() if ended else reader.take_rest()).decode("latin-1")

    def write(writer: OctetWriter, value: str) -> None:
        try:
            octets = value.encode("latin-1")
        except UnicodeEncodeError as error:
            raise EncodeError(f"{value!r} is not ASCII or Latin-1", clause="SMPP v3.4 3.1") from error
        if len(octets) >= size or 0 in octets:
            raise EncodeError(f"{value!r} does not fit {size} octets with its NUL", clause="SMPP v3.4 3.1")
        writer.put(octets + b"\0")

    return Bounded(f"C-Octet String {size}", read, write, size)


def _write_time(writer: OctetWriter, value: str) -> None:
    if len(value) not in (0, 16) or not value.isascii() or "\0" in value:
        raise EncodeError(f"{value!r} is no time of 16 characters", clause="SMPP v3.4 7.1.1")
    writer.put(value.encode("ascii") + b"\0")


def _read_short_message(reader: OctetReader) -> bytes:
    length = reader.octet()
    if length > reader.remaining:
        why = f"sm_length {length}, {reader.remaining} octets left"
        raise ShortMessageOverrun(why, offset=reader.offset - 1, clause="SMPP v3.4 5.2.21")
    return reader.take(length)


def _write_short_message(writer: OctetWriter, value: bytes) -> None:
    if len(value) > 254:
        raise EncodeError(f"short_message of {len(value)} octets, at most 254", clause="SMPP v3.4 5.2.22")
    writer.put(bytes((len(value),)) + value)


I1: Final = Form("Integer 1", _read_integer_1, _write_integer_1)
TIME: Final = Bounded("C-Octet String 1 or 17", c_octet_string(17).read, _write_time, 17, 17)
SHORT_MESSAGE: Final = Bounded("sm_length, Octet String 0-254", _read_short_message, _write_short_message, 255)

_C6, _C9, _C13, _C16 = (c_octet_string(size) for size in (6, 9, 13, 16))
_C21, _C41, _C65 = (c_octet_string(size) for size in (21, 41, 65))


def _address(kind: str, form: Form[str], clause: str) -> tuple[Field, ...]:
    side, name = ("source", "source_addr") if kind == "source" else ("dest", "destination_addr")
    return (
        Field(f"{side}_addr_ton", I1, "SMPP v3.4 5.2.5"),
        Field(f"{side}_addr_npi", I1, "SMPP v3.4 5.2.6"),
        Field(name, form, clause),
    )


_BIND: Final = (
    Field("system_id", _C16, "SMPP v3.4 5.2.1"),
    Field("password", _C9, "SMPP v3.4 5.2.2"),
    Field("system_type", _C13, "SMPP v3.4 5.2.3"),
    Field("interface_version", I1, "SMPP v3.4 5.2.4"),
    Field("addr_ton", I1, "SMPP v3.4 5.2.5"),
    Field("addr_npi", I1, "SMPP v3.4 5.2.6"),
    Field("address_range", _C41, "SMPP v3.4 5.2.7"),
)
_SM: Final = (
    Field("service_type", _C6, "SMPP v3.4 5.2.11"),
    *_address("source", _C21, "SMPP v3.4 5.2.8"),
    *_address("dest", _C21, "SMPP v3.4 5.2.9"),
    Field("esm_class", I1, "SMPP v3.4 5.2.12"),
    Field("protocol_id", I1, "SMPP v3.4 5.2.13"),
    Field("priority_flag", I1, "SMPP v3.4 5.2.14"),
    Field("schedule_delivery_time", TIME, "SMPP v3.4 5.2.15"),
    Field("validity_period", TIME, "SMPP v3.4 5.2.16"),
    Field("registered_delivery", I1, "SMPP v3.4 5.2.17"),
    Field("replace_if_present_flag", I1, "SMPP v3.4 5.2.18"),
    Field("data_coding", I1, "SMPP v3.4 5.2.19"),
    Field("sm_default_msg_id", I1, "SMPP v3.4 5.2.20"),
    Field("short_message", SHORT_MESSAGE, "SMPP v3.4 5.2.22"),
)
_DATA: Final = (
    Field("service_type", _C6, "SMPP v3.4 5.2.11"),
    *_address("source", _C65, "SMPP v3.4 5.2.8"),
    *_address("dest", _C65, "SMPP v3.4 5.2.9"),
    Field("esm_class", I1, "SMPP v3.4 5.2.12"),
    Field("registered_delivery", I1, "SMPP v3.4 5.2.17"),
    Field("data_coding", I1, "SMPP v3.4 5.2.19"),
)
_MESSAGE_ID: Final = (Field("message_id", _C65, "SMPP v3.4 5.2.23"),)


@record(frozen=True, slots=True, kw_only=True)
class Pdu:
    """What every PDU has: sequence number, status (0 in requests), TLVs."""

    command_id: ClassVar[CommandId]
    fields: ClassVar[tuple[Field, ...]] = ()
    clause: ClassVar[str] = ""

    sequence_number: int
    command_status: CommandStatus = CommandStatus.ESME_ROK
    tlvs: tuple[Tlv, ...] = ()

    def tlv(self, tag: Tag) -> bytes | None:
        """The value of the last TLV with this tag: a repeated one replaces what came before."""
        for known, value in reversed(self.tlvs):
            if known == tag:
                return value
        return None


@record(frozen=True, slots=True, kw_only=True)
class _Bind(Pdu):
    fields = _BIND
    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@record(frozen=True, slots=True, kw_only=True)
class BindTransmitter(_Bind):
    """bind_transmitter."""

    command_id = CommandId.BIND_TRANSMITTER
    clause = "SMPP v3.4 4.1.1"


@record(frozen=True, slots=True, kw_only=True)
class BindReceiver(_Bind):
    """bind_receiver."""

    command_id = CommandId.BIND_RECEIVER
    clause = "SMPP v3.4 4.1.3"


@record(frozen=True, slots=True, kw_only=True)
class BindTransceiver(_Bind):
    """bind_transceiver."""

    command_id = CommandId.BIND_TRANSCEIVER
    clause = "SMPP v3.4 4.1.5"


@record(frozen=True, slots=True, kw_only=True)
class _BindResp(Pdu):
    fields = (Field("system_id", _C16, "SMPP v3.4 5.2.1"),)
    system_id: str = ""


@record(frozen=True, slots=True, kw_only=True)
class BindTransmitterResp(_BindResp):
    """bind_transmitter_resp."""

    command_id = CommandId.BIND_TRANSMITTER_RESP
    clause = "SMPP v3.4 4.1.2"


@record(frozen=True, slots=True, kw_only=True)
class BindReceiverResp(_BindResp):
    """bind_receiver_resp."""

    command_id = CommandId.BIND_RECEIVER_RESP
    clause = "SMPP v3.4 4.1.4"


@record(frozen=True, slots=True, kw_only=True)
class BindTransceiverResp(_BindResp):
    """bind_transceiver_resp."""

    command_id = CommandId.BIND_TRANSCEIVER_RESP
    clause = "SMPP v3.4 4.1.6"


@record(frozen=True, slots=True, kw_only=True)
class _ShortMessage(Pdu):
    fields = _SM
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""

    @property
    def user_data(self) -> bytes:
        """short_message, or message_payload where that carries it (5.3.2.32)."""
        return self.short_message or self.tlv(Tag.MESSAGE_PAYLOAD) or b""


@record(frozen=True, slots=True, kw_only=True)
class SubmitSm(_ShortMessage):
    """submit_sm."""

    command_id = CommandId.SUBMIT_SM
    clause = "SMPP v3.4 4.4.1"


@record(frozen=True, slots=True, kw_only=True)
class DeliverSm(_ShortMessage):
    """deliver_sm: a mobile originated message or a receipt."""

    command_id = CommandId.DELIVER_SM
    clause = "SMPP v3.4 4.6.1"


@record(frozen=True, slots=True, kw_only=True)
class DataSm(Pdu):
    """data_sm: the text is in message_payload."""

    command_id = CommandId.DATA_SM
    fields = _DATA
    clause = "SMPP v3.4 4.7.1"
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0

    @property
    def user_data(self) -> bytes:
        """message_payload (5.3.2.32)."""
        return self.tlv(Tag.MESSAGE_PAYLOAD) or b""


@record(frozen=True, slots=True, kw_only=True)
class _MessageIdResp(Pdu):
    fields = _MESSAGE_ID
    message_id: str = ""


@record(frozen=True, slots=True, kw_only=True)
class SubmitSmResp(_MessageIdResp):
    """submit_sm_resp."""

    command_id = CommandId.SUBMIT_SM_RESP
    clause = "SMPP v3.4 4.4.2"


@record(frozen=True, slots=True, kw_only=True)
class DeliverSmResp(_MessageIdResp):
    """deliver_sm_resp; message_id is unused and empty."""

    command_id = CommandId.DELIVER_SM_RESP
    clause = "SMPP v3.4 4.6.2"


@record(frozen=True, slots=True, kw_only=True)
class DataSmResp(_MessageIdResp):
    """data_sm_resp."""

    command_id = CommandId.DATA_SM_RESP
    clause = "SMPP v3.4 4.7.2"


@record(frozen=True, slots=True, kw_only=True)
class Unbind(Pdu):
    """unbind."""

    command_id = CommandId.UNBIND
    clause = "SMPP v3.4 4.2.1"


@record(frozen=True, slots=True, kw_only=True)
class UnbindResp(Pdu):
    """unbind_resp."""

    command_id = CommandId.UNBIND_RESP
    clause = "SMPP v3.4 4.2.2"


@record(frozen=True, slots=True, kw_only=True)
class EnquireLink(Pdu):
    """enquire_link."""

    command_id = CommandId.ENQUIRE_LINK
    clause = "SMPP v3.4 4.11.1"


@record(frozen=True, slots=True, kw_only=True)
class EnquireLinkResp(Pdu):
    """enquire_link_resp."""

    command_id = CommandId.ENQUIRE_LINK_RESP
    clause = "SMPP v3.4 4.11.2"


@record(frozen=True, slots=True, kw_only=True)
class GenericNack(Pdu):
    """generic_nack: a PDU that could not be read, or a command not known."""

    command_id = CommandId.GENERIC_NACK
    clause = "SMPP v3.4 4.3.1"


PDUS: Final[tuple[type[Pdu], ...]] = (
    BindTransmitter,
    BindTransmitterResp,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    Unbind,
    UnbindResp,
    EnquireLink,
    EnquireLinkResp,
    SubmitSm,
    SubmitSmResp,
    DeliverSm,
    DeliverSmResp,
    DataSm,
    DataSmResp,
    GenericNack,
)
BY_ID: Final = {int(cls.command_id): cls for cls in PDUS}
