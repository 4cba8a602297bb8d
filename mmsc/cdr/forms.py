"""What kind of value each field of a record holds, and how it stands in a cell of CSV: one row a kind, both directions.

In JSON values are texts, integers, true and false, lists and objects with the names of the ASN.1. In CSV a list has `;`
between its items and `:` within one; those two and `%` are percent-encoded inside an item.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from mmsc.domain.instant import SECOND, Instant, to_datetime
from protocols.records import record

Value = Any  # what JSON can hold

_RESERVED: Final = re.compile(r"[%;:]")
_ENCODED: Final = re.compile(r"%(25|3B|3A)")
_ROLES: Final = MappingProxyType({"to": "tO", "cc": "cC", "bcc": "bCC"})
_ROLE_OF: Final = MappingProxyType({name: role for role, name in _ROLES.items()})


class FormError(ValueError):
    """A cell or a value does not hold what its column does."""


@record(frozen=True, slots=True)
class Form:
    """A kind of value: to a cell and from it. `read` raises FormError."""

    write: Callable[[Value], str]
    read: Callable[[str], Value]


def _escape(text: str) -> str:
    return _RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _plain(text: str) -> str:
    return _ENCODED.sub(lambda found: chr(int(found[1], 16)), text)


def timestamp(at: int) -> str:
    """A time in a record: UTC, to the millisecond, `2026-11-26T19:30:00.123Z`."""
    seconds, micros = divmod(at, SECOND)
    return f"{_to_the_second(seconds)}.{micros // 1000:03d}Z"


@lru_cache(maxsize=1024)
def _to_the_second(seconds: int) -> str:
    return to_datetime(Instant(seconds * SECOND)).replace(tzinfo=None).isoformat(timespec="seconds")


def read_time(text: str) -> datetime:
    """The time that a record names; without a zone it is UTC. Raises FormError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise FormError(f"{text!r} is no time") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def address(text: str, role: str = "") -> dict[str, Value]:
    """An MMSAgentAddress; its kind follows from its form. `role` (to, cc, bcc) makes the mMSRecipientType."""
    kind = "mSISDN" if text.startswith("+") else "eMail-address" if "@" in text else "shortCode"
    return {kind: text, **({"mMSRecipientType": _ROLES[role]} if role else {})}


def address_text(value: Value) -> str:
    """What an MMSAgentAddress addresses, "" when it is none."""
    if not isinstance(value, Mapping):
        return value if isinstance(value, str) else ""
    return next((str(one) for key, one in value.items() if key != "mMSRecipientType"), "")


def _write_address(value: Value) -> str:
    role = _ROLE_OF.get(value.get("mMSRecipientType", ""), "")
    return f"{role}:{_escape(address_text(value))}" if role else _escape(address_text(value))


def _read_address(cell: str) -> dict[str, Value]:
    role, colon, text = cell.partition(":")
    if not colon:
        return address(_plain(cell))
    if role not in _ROLES:
        raise FormError(f"{cell!r}: {role!r} is none of to, cc, bcc")
    return address(_plain(text), role)


def _write_component(value: Value) -> str:
    return f"{value['component']}:{_escape(value['type'])}:{value['size']}"


def _read_component(cell: str) -> dict[str, Value]:
    parts = cell.split(":")
    if len(parts) != 3:
        raise FormError(f"{cell!r} is no component:type:size")
    return {"component": parts[0], "type": _plain(parts[1]), "size": _integer(parts[2])}


def _integer(cell: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,19}", cell):
        raise FormError(f"{cell!r} is no integer")
    return int(cell)


def _flag(cell: str) -> bool:
    if cell.lower() not in ("true", "false"):
        raise FormError(f"{cell!r} is neither true nor false")
    return cell.lower() == "true"


def _pairs(value: Value) -> str:
    return ";".join(f"{_escape(name)}:{_escape(str(one))}" for name, one in value.items())


def _read_pairs(cell: str) -> dict[str, str]:
    pairs = (one.partition(":") for one in cell.split(";") if one)
    return {_plain(name): _plain(value) for name, _, value in pairs}


def _list_of(one: Form) -> Form:
    return Form(
        lambda value: ";".join(map(one.write, value)), lambda cell: [one.read(item) for item in cell.split(";")]
    )


TEXT: Final = Form(str, str)
INTEGER: Final = Form(str, _integer)
FLAG: Final = Form(lambda value: "true" if value else "false", _flag)
ADDRESS: Final = Form(_write_address, _read_address)
ADDRESSES: Final = _list_of(ADDRESS)
COMPONENTS: Final = _list_of(Form(_write_component, _read_component))
PAIRS: Final = Form(_pairs, _read_pairs)

# Fields that are no plain text (or word of an ENUMERATED, or time); the others are TEXT.
FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        **dict.fromkeys(("localSequenceNumber", "messageSize", "requestStatusCode", "forwardCounter"), INTEGER),
        **dict.fromkeys(("replyChargingSize", "durationOfTransmission", "sequenceNumber", "start", "limit"), INTEGER),
        **dict.fromkeys(("deliveryReportRequested", "readReplyRequested", "acknowledgementRequest"), FLAG),
        **dict.fromkeys(("senderVisibility", "reportAllowed", "replyCharging", "totalsRequested"), FLAG),
        **dict.fromkeys(("messageDistributionIndicator", "quotasRequested"), FLAG),
        **dict.fromkeys(("originatorAddress", "recipientAddress", "senderAddress", "forwardingAddress"), ADDRESS),
        **dict.fromkeys(("managingAddress",), ADDRESS),
        **dict.fromkeys(("recipientAddresses", "recipientsAddressList"), ADDRESSES),
        "mmComponentType": COMPONENTS,
        **dict.fromkeys(("chargeInformation", "recordExtensions"), PAIRS),
    }
)


def form_of(name: str) -> Form:
    """The form of a field; a column that is none of ours is text."""
    return FORMS.get(name, TEXT)
