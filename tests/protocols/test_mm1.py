"""MM1 beyond the golden octets: what no class lists, and forgiveness."""

import pytest

from protocols import mm1
from protocols.errors import EncodeError
from protocols.forms import UnknownHeader
from protocols.mm1.headers import HEADERS

NOTIFICATION = bytes.fromhex("8c82 984e00 8d93 8a80 8e023039 8805810302a300 837500".replace(" ", ""))


@pytest.mark.parametrize(
    "field",
    [
        pytest.param(b"\xb6Later\0", id="X-Mms-Status-Text"),
        pytest.param(b"\xbem@x\0", id="X-Mms-Cancel-ID"),
        pytest.param(b"\x92\x80\xd5\x02xy", id="fields that do not belong there, or nowhere"),
    ],
)
def test_a_field_that_the_class_does_not_list_is_written_back(field: bytes) -> None:
    """OMA-TS-MMS_ENC 7: what we have no use for is the reader's."""
    pdu = mm1.decode(NOTIFICATION + field).message
    assert len(pdu.unknown) == len(mm1.describe(NOTIFICATION + field)) - len(mm1.describe(NOTIFICATION))
    again = mm1.encode(pdu)
    assert again.endswith(field)
    assert mm1.decode(again).message == pdu


@pytest.mark.parametrize(
    ("field", "attribute"),
    [(b"\x96\0", "subject"), (b"\xb7\0", "applic_id"), (b"\x96\x02\xea\0", "subject"), (b"\x89\2\x80\0", "from_")],
)
def test_an_empty_text_is_no_missing_one(field: bytes, attribute: str) -> None:
    """OMA-TS-MMS_ENC 7.3.19: a Text-string may be empty; a phone sends the subject that nobody typed."""
    pdu = mm1.decode(NOTIFICATION + field).message
    assert getattr(pdu, attribute) == ""
    assert mm1.decode(mm1.encode(pdu)).message == pdu


@pytest.mark.parametrize(
    ("hex_octets", "text"),
    [
        pytest.param("0203f7 0061 0062", "ab", id="no terminator"),
        pytest.param("0203f7 0061 0062 0000", "ab", id="two zero octets"),
        pytest.param("0203f7 0061 0062 00", "ab", id="one zero octet"),
        pytest.param("0203f7 0061 0062 0000 0000", "ab", id="four zero octets"),
        pytest.param("0203f6 6100 6200", "ab", id="little-endian"),
        pytest.param("0203f6 6100 6200 00", "ab", id="little-endian, one zero octet"),
        pytest.param("0203f7 feff 0061 0000", "a", id="byte order mark"),
        pytest.param("0203f7 7f feff 0061 0000", "a", id="quote and byte order mark"),
        pytest.param("0203f7 7f feff 0061 00", "a", id="quote and one zero octet"),
        pytest.param("0203f7 7f8e 98df", "美食", id="no quote but a character"),
        pytest.param("0203f7 7f8e 98df 0000", "美食", id="no quote, two zero octets"),
        pytest.param("0203f7 7f8e 98df 00", "美食", id="no quote, one zero octet"),
        pytest.param("0203f7 7f 98df 0000", "食", id="quote"),
        pytest.param("0203f4 61 2b4141412d 62 00", "a", id="a NUL in UTF-7"),
    ],
)
def test_a_subject_whatever_ends_it(hex_octets: str, text: str) -> None:
    """OMA-TS-MMS_ENC 7.3.19: its length bounds it; what was read can be pushed to the recipient."""
    value = bytes.fromhex(hex_octets)
    pdu = mm1.decode(NOTIFICATION + b"\x96" + bytes((len(value),)) + value).message
    assert isinstance(pdu, mm1.MNotificationInd)
    assert pdu.subject == text
    assert mm1.decode(mm1.encode(pdu)).message == pdu


@pytest.mark.parametrize(("name", "value"), [("\x01a", b"v"), ("", b"v"), ("\x7fa", b"v"), ("a", b"v\0w")])
def test_a_field_that_nobody_could_read_is_not_written(name: str, value: bytes) -> None:
    """WAP-230-WSP 8.4.1.2."""
    with pytest.raises(EncodeError):
        mm1.encode(mm1.MAcknowledgeInd(transaction_id="t", unknown=(UnknownHeader(name, value),)))


def test_an_empty_text_is_not_enough_where_one_must_be() -> None:
    """OMA-TS-MMS_ENC 6.4."""
    with pytest.raises(EncodeError):
        mm1.encode(mm1.MAcknowledgeInd(transaction_id=""))


def test_fields_out_of_order_are_told_whatever_they_are() -> None:
    """OMA-TS-MMS_ENC 7: type, transaction id and version come first."""
    decoded = mm1.decode(b"\x8c\x82\xbf\x80" + NOTIFICATION[2:])
    assert [one.rule for one in decoded.findings] == ["MM1-H007", "MM1-H001"]
    assert decoded.message.unknown == (UnknownHeader(0xBF, b"\x80"),)


def test_a_short_date_is_read_wherever_a_date_is() -> None:
    """OMA-TS-MMS_ENC 7.3.24 has a Long-integer there; like Date itself, it is read in either form."""
    head = bytes.fromhex("8c84 8d92 850101 a1028182 a1038101 05 84a300".replace(" ", ""))
    pdu = mm1.decode(head).message
    assert isinstance(pdu, mm1.MRetrieveConf)
    assert pdu.previously_sent_date == (mm1.CountedDate(1, 2), mm1.CountedDate(1, 5))


def test_the_table_is_whole() -> None:
    """OMA-TS-MMS_ENC 7.4: 0x01 to 0x3F, each once."""
    assert [row.number for row in HEADERS] == list(range(0x01, 0x40))
    assert len({row.attribute for row in HEADERS}) == len(HEADERS)


def test_every_recipient_is_kept_in_its_order() -> None:
    """OMA-TS-MMS_ENC 7.3.61: To may repeat, as often as fields are read."""
    to = tuple(f"+1555{number}" for number in range(4000))
    pdu = mm1.MDeliveryInd(message_id="m", to=to, date=1, status=mm1.Status.RETRIEVED)
    assert mm1.decode(mm1.encode(pdu)).message == pdu
