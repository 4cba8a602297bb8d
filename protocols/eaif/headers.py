"""The X-NOKIA-MMSC headers of EAIF: to one record and back.

No public document defines them clause by clause; names and values are those that Nokia's own samples and the gateways
of others write. The PDU beside them is MM1's (OMA-TS-MMS_ENC 6), and the headers win over its fields. A reader takes
`To` once, often or as a list (RFC 9110 5.3); a writer makes one list.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from protocols.errors import Decoded, DecodeError, EncodeError, Finding
from protocols.records import record

PREFIX: Final = "X-NOKIA-MMSC-"
MAXIMUM_VALUE: Final = 1024  # characters: values are kept with their MM
MAXIMUM_RECIPIENTS: Final = 5000  # in all To headers: as many as a PDU may name; the server has its own limit
MAXIMUM_MESSAGE_ID: Final = 128  # characters, letters, digits and @ (one gateway that filters headers)
_CLAUSE: Final = "Nokia EAIF, X-NOKIA-MMSC headers"
_PREFIX: Final = PREFIX.lower()


class MessageType(StrEnum):
    """X-NOKIA-MMSC-Message-Type."""

    MULTI_MEDIA_MESSAGE = "MultiMediaMessage"
    DELIVERY_REPORT = "DeliveryReport"
    READ_REPLY = "ReadReply"


_TYPES: Final = {one.lower(): one for one in MessageType} | {"readreport": MessageType.READ_REPLY}


@record(frozen=True, slots=True, kw_only=True)
class Headers:
    """The headers of one request or answer; "" and None for those that are not there.

    `status` (2xx: taken) is only in an asynchronous answer, `charging` a tariff number, `asynch_reply_to` where an
    asynchronous answer shall go.
    """

    version: str = ""
    message_type: MessageType | None = None
    message_id: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    status: int | None = None
    charging: str = ""
    charged_party: str = ""
    asynch_reply_to: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether they are an application's asynchronous answer."""
        return self.status is not None


_TEXTS: Final = {  # wire name (after the prefix, lower case) -> attribute
    "version": "version",
    "message-id": "message_id",
    "from": "sender",
    "charging": "charging",
    "charged-party": "charged_party",
    "asynch-reply-to": "asynch_reply_to",
}


def read(pairs: Iterable[tuple[str, str]]) -> Decoded[Headers]:
    """The record that HTTP headers make, and what there is to remark; others are passed over. Raises DecodeError."""
    texts: dict[str, str] = {}
    to: list[str] = []
    status: int | None = None
    message_type: MessageType | None = None
    findings: list[Finding] = []
    for name, value in _ours(pairs):
        if name == "to":
            to += _addresses(value)
        elif name == "status":
            status = _status(value)
        elif name == "message-type":
            message_type = _message_type(value, findings)
        elif name in _TEXTS and texts.setdefault(_TEXTS[name], value) != value:
            findings.append(_finding("EAIF-H002", f"{PREFIX}{name.title()} comes twice; the first one counts"))
    if len(to) > MAXIMUM_RECIPIENTS:
        raise _wrong(f"{len(to)} recipients in {PREFIX}To, the limit is {MAXIMUM_RECIPIENTS}")
    headers = Headers(message_type=message_type, to=tuple(to), status=status, **texts)
    return Decoded(headers, (*findings, *_remarks(headers)))


def _ours(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        lower = name.lower()
        if not lower.startswith(_PREFIX):
            continue
        found, text = lower[len(_PREFIX) :], value.strip()
        if not text.isprintable() or not _is_text(text):
            raise _wrong(f"{PREFIX}{found.title()} is no text")
        if found != "to" and len(text) > MAXIMUM_VALUE:
            raise _wrong(f"{PREFIX}{found.title()} has {len(text)} characters, the limit is {MAXIMUM_VALUE}")
        yield found, text


def _is_text(text: str) -> bool:
    """Whether it came as UTF-8."""
    return not any("\ud800" <= one <= "\udfff" for one in text)


def _addresses(value: str) -> list[str]:
    found = [one.strip() for one in value.split(",")]
    for one in found:
        if len(one) > MAXIMUM_VALUE:
            raise _wrong(f"an address of {len(one)} characters in {PREFIX}To, the limit is {MAXIMUM_VALUE}")
    return [one for one in found if one]


def _status(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) == 3):
        raise _wrong(f"{PREFIX}Status {value[:20]!r} is no status")
    return int(value)


def _message_type(value: str, findings: list[Finding]) -> MessageType | None:
    known = _TYPES.get(value.lower())
    if known is None or known != value:
        meant = "the PDU says what it is" if known is None else f"read as {known}"
        findings.append(_finding("EAIF-H001", f"{PREFIX}Message-Type {value[:80]!r}: {meant}"))
    return known


def _remarks(headers: Headers) -> Iterator[Finding]:
    if not headers.version:
        yield _finding("EAIF-H003", f"no {PREFIX}Version")
    if len(headers.message_id) > MAXIMUM_MESSAGE_ID:
        yield _finding("EAIF-H004", f"{PREFIX}Message-Id is longer than {MAXIMUM_MESSAGE_ID} characters")
    if headers.charging and not (headers.charging.isascii() and headers.charging.isdecimal()):
        yield _finding("EAIF-H005", f"{PREFIX}Charging {headers.charging[:80]!r} is no number")


def _finding(rule: str, remark: str) -> Finding:
    return Finding(rule, _CLAUSE, -1, remark)


def _wrong(why: str) -> DecodeError:
    return DecodeError(why, clause=_CLAUSE)


def write(headers: Headers) -> tuple[tuple[str, str], ...]:
    """The HTTP headers, without what is not set. Raises EncodeError for what no header can hold."""
    for address in headers.to:
        if "," in address:
            raise EncodeError(f"{address!r} cannot stand in a list of addresses", clause="RFC 9110 5.3")
    pairs = (
        ("Version", headers.version),
        ("Message-Type", headers.message_type or ""),
        ("Message-Id", headers.message_id),
        ("From", headers.sender),
        ("To", ", ".join(headers.to)),
        ("Status", "" if headers.status is None else str(headers.status)),
        ("Charging", headers.charging),
        ("Charged-Party", headers.charged_party),
        ("Asynch-Reply-To", headers.asynch_reply_to),
    )
    for name, value in pairs:
        if not value.isprintable():
            raise EncodeError(f"{PREFIX}{name} {value!r} is no line of text", clause="RFC 9110 5.5")
    return tuple((f"{PREFIX}{name}", str(value)) for name, value in pairs if value)
