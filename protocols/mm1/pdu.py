"""What every PDU of MM1 has (OMA-TS-MMS_ENC clause 6)."""

from typing import ClassVar

from protocols.forms import Header, UnknownHeader
from protocols.mm1.enums import VERSION_1_0, VERSION_1_2, MessageType
from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class Pdu:
    """What every PDU has. `mms_version` is 0x12 for 1.2; `unknown` are fields that its class does not list, kept as
    they came."""

    message_type: ClassVar[MessageType]
    clause: ClassVar[str]
    since: ClassVar[int] = VERSION_1_0  # the version of MMS that brought the PDU (6, 7.3.30)
    mandatory: ClassVar[tuple[str, ...]] = ()
    spared: ClassVar[frozenset[str]] = frozenset()  # mandatory fields that a reader does without, and says so
    variants: ClassVar[tuple[Header, ...]] = ()  # fields that this PDU has in another form than the others

    mms_version: int = VERSION_1_2
    unknown: tuple[UnknownHeader, ...] = ()
