"""What two parties' records must agree about: which types stand for the same thing, by which key, in which fields."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from mmsc.cdr.forms import FormError, Value, address_text, read_time
from mmsc.cdr.lines import Record
from protocols.records import record

LIST: Final = "list"  # a file whose rows have no recordType: somebody's own list of MessageIDs


@record(frozen=True, slots=True)
class Pair:
    """Two types for one event, the record of the sender first. `fields` must be equal, `times` nearly so.
    `by_recipient`: matched recipient by recipient, else a message at a time."""

    sent: str
    received: str
    fields: tuple[str, ...]
    times: tuple[str, ...]
    by_recipient: bool = True


PAIRS: Final = (
    Pair(
        "O4FRq",
        "R4F",
        (
            *("messageSize", "originatorAddress", "messageClass", "priority", "deliveryReportRequested"),
            *("readReplyRequested", "senderVisibility", "acknowledgementRequest", "forwardCounter"),
        ),
        ("submissionTime", "timeOfExpiry", "recordTimeStamp"),
    ),
    Pair("R4DRq", "O4D", ("mmStatusCode", "originatorAddress"), ("mmDateAndTime", "recordTimeStamp")),
    Pair("R4RRq", "O4R", ("readStatus", "originatorAddress"), ("mmDateAndTime", "recordTimeStamp")),
    Pair(LIST, "7S", ("messageSize", "originatorAddress", "serviceCode"), ("recordTimeStamp",), by_recipient=False),
)
PAIR_OF: Final[Mapping[str, int]] = {name: at for at, pair in enumerate(PAIRS) for name in (pair.sent, pair.received)}
_WRITTEN_BY_ORIGINATOR: Final = ("O", "7S", "7C", "7R")
_TYPE: Final = re.compile(r"/TYPE=.*", re.IGNORECASE)
_BCD: Final = re.compile(r"([89A-D]1)((?:[0-9]{2})*(?:[0-9]{2}|F[0-9]))", re.IGNORECASE)
_ADDRESS_FIELDS: Final = ("originatorAddress", "recipientAddress")


def type_of(fields: Record) -> str:
    """The record's type; a row that says none is of somebody's own list."""
    return str(fields.get("recordType") or LIST)


def normalised(value: Value, *, bcd: bool = False) -> str:
    """An address as both parties mean it: `+15550100123` for a number in any spelling: with /TYPE=PLMN, a domain,
    `tel:`, `00`, separators, or as BCD (TS 32.298 MSISDN: type and plan, then digits with swapped halves). BCD of an
    even number of digits looks like a bare number; `bcd` says that it is none."""
    text = address_text(value).strip()
    typed = bool(_TYPE.search(text))
    text = _TYPE.sub("", text)
    coded = _BCD.fullmatch(text)
    if coded is not None and (bcd or "F" in text.upper()):
        return "+" + "".join(one[::-1] for one in re.findall("..", coded[2])).upper().rstrip("F")
    text = re.sub(r"^tel:", "", text, flags=re.IGNORECASE)
    digits = re.sub(r"[\s().-]+", "", text)
    if re.fullmatch(r"\+[0-9]+", digits):
        return digits
    if re.fullmatch(r"00[1-9][0-9]{6,14}", digits):
        return f"+{digits[2:]}"
    if re.fullmatch(r"[1-9][0-9]{8,14}", digits) or (typed and re.fullmatch(r"[1-9][0-9]{6,14}", digits)):
        return f"+{digits}"
    local, at, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}" if at else text


def recipients_of(fields: Record, *, bcd: bool) -> list[str]:
    """Whom a record is about, each once."""
    many = fields.get("recipientAddresses")
    found = many if isinstance(many, list) else [fields.get("recipientAddress")]
    return list(dict.fromkeys(normalised(one, bcd=bcd) for one in found if one))


def writer_of(fields: Record) -> str:
    """The domain of who wrote a record, "" when it does not say."""
    by_originator = type_of(fields).startswith(_WRITTEN_BY_ORIGINATOR)
    return domain(fields.get("originatorMmsRSAddress" if by_originator else "recipientMmsRSAddress"))


def other_of(fields: Record) -> str:
    """The domain of the other MMSC that a record of MM4 is about."""
    by_originator = type_of(fields).startswith(_WRITTEN_BY_ORIGINATOR)
    return domain(fields.get("recipientMmsRSAddress" if by_originator else "originatorMmsRSAddress"))


def domain(value: Value) -> str:
    """A domain for comparison."""
    if isinstance(value, Mapping):
        value = value.get("domainName", "")
    return str(value or "").rpartition("@")[2].lower().rstrip(".")


def differences(pair: Pair, one: Record, two: Record, *, bcd: bool) -> Iterator[tuple[str, str, str]]:
    """(field, of the one, of the other) of what both have and do not agree about, times apart."""
    for name in pair.fields:
        if one.get(name) is not None and two.get(name) is not None:
            first, second = (_comparable(name, each[name], bcd=bcd) for each in (one, two))
            if first != second:
                yield name, first, second


def times_of(pair: Pair, fields: Record) -> dict[str, datetime]:
    """The times of a record that the other's must be near. Raises FormError with the field."""
    found = {}
    for name in pair.times:
        if fields.get(name) is not None:
            try:
                found[name] = read_time(str(fields[name]))
            except FormError as error:
                raise FormError(f"{name}: {error}") from error
    return found


def far_apart(one: Mapping[str, datetime], two: Mapping[str, datetime], tolerance: float) -> list[str]:
    """The fields whose times differ by more than so many seconds."""
    both = (name for name in one if name in two)
    return [name for name in both if abs((one[name] - two[name]).total_seconds()) > tolerance]


def _comparable(name: str, value: Value, *, bcd: bool) -> str:
    if name in _ADDRESS_FIELDS:
        return normalised(value, bcd=bcd)
    return str(value).lower()
