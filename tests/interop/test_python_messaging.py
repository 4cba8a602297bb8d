"""python-messaging reads what we write, as far as it knows MM1: version 1.0, types up to 0x86 and fields up to 0x18.

Where it disagrees we are right, each by the clause in the test of that name below.
"""

import array
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from messaging.mms.message import MMSMessage

from protocols import mm1
from protocols.enums import OpenEnum
from protocols.mm1.enums import in_words
from protocols.wsp.multipart import index_multipart
from tests.cases import Case, cases
from tests.protocols.mm1_strategies import rows_of

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning"),  # its own, since 3.12
]

LAST_TYPE, LAST_FIELD, LAST_RESPONSE, LAST_STATUS = 0x86, 0x18, 0x88, 0x84
NAMES = {"X-Mms-Read-Report": "Read-Reply", "X-Mms-Transaction-ID": "Transaction-Id"}


def is_known(case: Case) -> bool:
    """Whether it knows the type, and what the body is."""
    if case.is_refused:
        return False
    pdu = mm1.decode(case.octets).message
    content_type = getattr(pdu, "content_type", None)
    return pdu.message_type <= LAST_TYPE and (content_type is None or "multipart" in content_type.media_type)


KNOWN = [case for case in cases("mm1") if is_known(case) and case.stem != "23-m-send-req-answers-reply-charged"]


def of_version_1_0(pdu: mm1.Pdu) -> mm1.Pdu:
    """Without fields from 0x19 on, of which it takes WSP's names and goes astray."""
    rows = rows_of(type(pdu))
    newer = {name: () if row.repeats else None for name, row in rows.items() if row.number > LAST_FIELD}
    return dataclasses.replace(pdu, unknown=(), **newer)  # type: ignore[arg-type]


def read(octets: bytes) -> MMSMessage:
    return MMSMessage.from_data(array.array("B", octets))


def theirs(value: Any) -> Any:
    """A value of ours in its words; None where it has no word."""
    match value:
        case mm1.INSERT_ADDRESS:
            return "<not inserted>"
        case mm1.ResponseStatus():
            return in_words(value) if value <= LAST_RESPONSE else None
        case mm1.Status():
            return in_words(value) if value <= LAST_STATUS else None
        case OpenEnum():
            return in_words(value)
    return value


def moment(attribute: str, value: mm1.Moment) -> Any:
    """It tells an Expiry otherwise than a Delivery-Time."""
    if attribute == "expiry":
        return value.seconds if value.relative else date(value.seconds)
    return ("relative" if value.relative else "absolute", value.seconds)


def date(seconds: int) -> datetime:
    """It has dates without a zone."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


@pytest.mark.parametrize("case", KNOWN, ids=str)
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
def test_it_reads_what_we_write(case: Case) -> None:
    pdu = of_version_1_0(mm1.decode(case.octets).message)
    found = read(mm1.encode(pdu))
    assert found.headers["Message-Type"] == in_words(pdu.message_type)
    for attribute, row in rows_of(type(pdu)).items():
        value = getattr(pdu, attribute)
        if value is None or value == () or attribute == "content_type":
            continue
        value = value[-1] if row.repeats else value  # it keeps the last one
        if attribute == "mms_version":
            expected: Any = f"{value >> 4}.{value & 15}"
        elif attribute == "date":
            expected = date(value)
        else:
            expected = moment(attribute, value) if isinstance(value, mm1.Moment) else theirs(value)
        if expected is not None:
            assert found.headers[NAMES.get(row.wire_name, row.wire_name.removeprefix("X-Mms-"))] == expected
    compare_parts(pdu, found)


def compare_parts(pdu: mm1.Pdu, found: MMSMessage) -> None:
    """Media types and octets of the parts."""
    body = getattr(pdu, "body", b"")
    ours = [
        (one.content_type.media_type, body[one.data_offset : one.data_offset + one.data_length])
        for one in (index_multipart(body) if body else ())
    ]
    assert [(one.content_type, bytes(one.data)) for one in found.data_parts] == ours


SEND = "8c80 9854 00 8d90 890181 9761 00".replace(" ", "")
DISAGREE: list[tuple[str, str, Callable[[MMSMessage], Any], Any, Callable[[mm1.Pdu], Any], Any]] = [
    (
        "a status of 1.1 is Error-unspecified to it (OMA-TS-MMS_ENC 7.3.48)",
        "8c81 985400 8d92 92e2",
        lambda message: message.headers["Response-Status"],
        0x81,
        lambda pdu: pdu.response_status,  # type: ignore[attr-defined]
        mm1.ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT,
    ),
    (
        "a Status of 1.1 is Unrecognised to it (OMA-TS-MMS_ENC 7.3.54)",
        "8c86 8d92 8b6d00 976100 850165 9587",
        lambda message: message.headers["Status"],
        0x84,
        lambda pdu: pdu.status,  # type: ignore[attr-defined]
        mm1.Status.UNREACHABLE,
    ),
    (
        "0x99 is WSP's If-None-Match to it, not Retrieve-Status (OMA-TS-MMS_ENC 7.4)",
        "8c84 8d92 850165 99e2 9a7800 84a3 00",
        lambda message: "If-None-Match" in message.headers,
        True,
        lambda pdu: pdu.retrieve_status,  # type: ignore[attr-defined]
        mm1.RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND,
    ),
    (
        "it keeps one To of several (OMA-TS-MMS_ENC 7.3.61)",
        SEND + "976200 84a3 00",
        lambda message: message.headers["To"],
        "b",
        lambda pdu: pdu.to,  # type: ignore[attr-defined]
        ("a", "b"),
    ),
    (
        "it has a Transaction-ID and a Content-Type that nobody sent (OMA-TS-MMS_ENC 6.5)",
        "8c86 8d92 8b6d00 976100 850165 9581",
        lambda message: (message.headers["Transaction-Id"], message.headers["Content-Type"][0]),
        ("1234", "application/vnd.wap.multipart.mixed"),
        lambda pdu: (hasattr(pdu, "transaction_id"), hasattr(pdu, "content_type")),
        (False, False),
    ),
    (
        "an unknown type is still read as what it was made for (OMA-TS-MMS_ENC 7.3.30)",
        "8c8b 985300 8d92 836c00",
        lambda message: message.headers["Message-Type"],
        "<unknown>",
        lambda pdu: type(pdu),
        mm1.MMboxStoreReq,
    ),
    (
        "Content-ID of a part loses its name and its bracket (WAP-230-WSP 8.4.2.20)",
        SEND + "84a3 01 0701 83 c0223c743e00 78",
        lambda message: '"' in message.data_parts[0].headers,
        True,
        lambda pdu: index_multipart(pdu.body)[0].content_id,  # type: ignore[attr-defined]
        "t",
    ),
]


@pytest.mark.parametrize(
    ("octets", "their_view", "they_say", "our_view", "we_say"),
    [one[1:] for one in DISAGREE],
    ids=[one[0] for one in DISAGREE],
)
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
def test_where_we_disagree(
    octets: str,
    their_view: Callable[[MMSMessage], Any],
    they_say: Any,
    our_view: Callable[[mm1.Pdu], Any],
    we_say: Any,
) -> None:
    """A later version of it that is right is noticed here."""
    raw = bytes.fromhex(octets)
    assert their_view(read(raw)) == they_say
    assert our_view(mm1.decode(raw).message) == we_say


def test_a_body_that_is_no_multipart_is_too_much_for_it() -> None:
    """WAP-230-WSP 8.5 is the form of multipart types only; a PDU's Content-Type may be any (OMA-TS-MMS_ENC 7.3.11)."""
    octets = next(case.octets for case in cases("mm1") if case.stem == "43-m-retrieve-conf-expired-as-text")
    pdu = of_version_1_0(mm1.decode(octets).message)
    assert isinstance(pdu, mm1.MRetrieveConf)
    assert pdu.body == b"Message expired"
    with pytest.raises(StopIteration):
        read(mm1.encode(pdu))
