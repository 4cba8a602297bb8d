"""What we write is in the forms that every reader in the field accepts (OMA-TS-MMS_ENC 7; WAP-230-WSP 8): Android's,
mmsd's, Wireshark's and the MMSCs'. Each test says who needs it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.domain.instant import SECOND
from mmsc.engine.ports import GoneBecause
from mmsc.gateways.content import from_mime, from_wsp
from mmsc.gateways.mm1.translate import gone_conf
from mmsc.gateways.pdus import retrieve_conf
from protocols import mime, mm1
from protocols.content_type import ContentType
from protocols.errors import EncodeError
from protocols.mm1.headers import BY_ATTRIBUTE
from protocols.octets import OctetReader
from protocols.wsp import charsets, media_types
from protocols.wsp.content_type import content_type_octets
from protocols.wsp.multipart import Part, encode_multipart, index_multipart, read_multipart
from protocols.wsp.primitives import read_value_length
from tests.domain.test_rules import MM, T0
from tests.gateways.test_vasp_fields import ALL, notification
from tests.protocols.mm1_strategies import ANY_PDU, PDUS, pdus

MIXED = ContentType("application/vnd.wap.multipart.mixed")
LONG = ("date", "message_size", "reply_charging_size")
MOMENTS = ("expiry", "delivery_time", "reply_charging_deadline")
TEXTS = ("from_", "to", "cc", "bcc", "subject", "response_text", "retrieve_text", "status_text", "store_status_text")


def fields(octets: bytes) -> list[tuple[str, bytes]]:
    """(attribute, or name of an unknown field; octets of the value) in order."""
    found = []
    for one in mm1.decode(octets).fields:
        name = one.row.attribute if one.row else str(one.value.name)
        found.append((name, octets[one.start + 1 : one.end]))
    return found


def value(pdu: mm1.Pdu, attribute: str) -> bytes:
    """The octets of one field."""
    return dict(fields(mm1.encode(pdu)))[attribute]


@given(ANY_PDU)
def test_type_transaction_and_version_first_content_type_last(pdu: mm1.Pdu) -> None:
    """mmsd refuses another order; behind Content-Type everyone looks for the body."""
    names = [name for name, _ in fields(mm1.encode(pdu))]
    transaction_id = getattr(pdu, "transaction_id", None)
    first = ["message_type", *(["transaction_id"] if transaction_id is not None else []), "mms_version"]
    assert names[: len(first)] == first
    if getattr(pdu, "content_type", None) is not None:
        assert names[-1] == "content_type"


@given(ANY_PDU)
def test_dates_sizes_and_times_are_long_integers(pdu: mm1.Pdu) -> None:
    """Android drops the PDU on a short one, Wireshark shows 0, mmsd refuses a short X-Mms-Message-Size."""
    for name, octets in fields(mm1.encode(pdu)):
        if name in LONG:
            assert octets[0] == len(octets) - 1
            assert 1 <= octets[0] <= 30
        elif name in MOMENTS:
            length, token, seconds = octets[0], octets[1], octets[2:]
            assert (length, seconds[0]) == (len(octets) - 1, len(seconds) - 1)
            assert token in (0x80, 0x81)


def inside(octets: bytes) -> bytes:
    """What a Value-length declares."""
    reader = OctetReader(octets)
    assert read_value_length(reader) == reader.remaining
    return octets[reader.offset :]


@given(ANY_PDU)
def test_text_is_plain_where_it_is_ascii_else_utf_8_by_its_short_number(pdu: mm1.Pdu) -> None:
    """Android and Wireshark misread a charset of more than one octet; Mbuni knows plain text only."""
    for name, octets in fields(mm1.encode(pdu)):
        if name not in TEXTS or octets == b"\x01\x81":
            continue
        text = inside(octets)[1:] if name == "from_" else octets
        if text[0] > 0x1F or text == b"\0":
            assert text.isascii()
        else:
            assert (inside(text)[0], text[-1]) == (0xEA, 0)


@given(st.sampled_from(PDUS).flatmap(lambda cls: pdus(cls, with_unknown=False)))
def test_what_we_write_has_nothing_to_remark_about_its_form(pdu: mm1.Pdu) -> None:
    """Findings are left only about what a PDU says, which its maker chose."""
    found = {one.rule for one in mm1.decode(mm1.encode(pdu)).findings}
    assert found <= {f"MM1-H0{number:02}" for number in (8, 15, 16, 17, 19, 21, 22, 24, 25, 26)}


@pytest.mark.parametrize(
    ("content_type", "octets"),
    [
        ("image/jpeg", "9e"),
        ("application/vnd.wap.multipart.related", "b3"),
        ("application/vnd.wap.mms-message", "be"),
        ("application/vnd.oma.drm.message", b"application/vnd.oma.drm.message\0".hex()),
        ("application/octet-stream", b"application/octet-stream\0".hex()),
        ("video/3gpp", b"video/3gpp\0".hex()),
        ("text/plain; charset=utf-8", "03 83 81ea"),
        ("text/plain; charset=utf-16", "05 83 81 0203f7"),
        ("image/jpeg; name=a.jpg", "08 9e 85 612e6a706700"),
        (
            "application/vnd.wap.multipart.related; type=application/smil; start=<s>",
            "18 b3 89 6170706c69636174696f6e2f736d696c00 8a 3c733e00",
        ),
        ("application/vnd.wap.multipart.related; type=text/html", "03 b3 89 82"),
    ],
)
def test_numbers_of_media_types_and_parameters(content_type: str, octets: str) -> None:
    """Android's reader fails from 0x53 on, and takes registered numbers for */*: a type from 0x3F on is written as
    text. Carriers do not know parameters 0x97 and 0x99."""
    assert content_type_octets(ContentType.parse(content_type)) == bytes.fromhex(octets)


def test_no_number_above_0x3e_is_written() -> None:
    for number, name in media_types.NAMES.items():
        written = content_type_octets(ContentType(name.lower()))
        assert (written[0] == 0x80 | number) == (number <= 0x3E)
        assert len(written) == 1 or written == name.lower().encode() + b"\0"


def test_content_id_and_content_location_come_first_behind_the_type() -> None:
    """Android drops all headers of a part that come behind one it does not know; the identifier is a Quoted-string."""
    part = Part(ContentType("text/plain", (("charset", "utf-8"),)), b"x", "t1", "t1.txt")
    assert encode_multipart([part]) == bytes.fromhex("01 13 01 038381ea c0 223c74313e00 8e 74312e74787400 78")
    assert read_multipart(encode_multipart([part])).findings == ()


def test_the_count_of_parts_is_exact() -> None:
    """Android refuses the PDU when there are fewer; what comes behind the last one is lost to everybody."""
    for count in (0, 1, 127, 128):
        body = encode_multipart([Part(ContentType("text/plain"), b"x", str(one)) for one in range(count)])
        index = index_multipart(body)
        assert len(index) == count
        assert read_multipart(body).findings == ()


@pytest.mark.parametrize("because", [one for one in GoneBecause if one is not GoneBecause.STORE_AWAY])
@pytest.mark.parametrize("version", [0x10, 0x11, 0x12, 0x13])
def test_an_error_text_is_a_part_of_a_multipart(because: GoneBecause, version: int) -> None:
    """Android and mmsd take a body that is no multipart for a broken message; both want Date."""
    octets = mm1.encode(gone_conf(because, T0, version))
    read = mm1.decode(octets)
    assert isinstance(read.message, mm1.MRetrieveConf)
    assert read.findings == ()
    assert (read.message.content_type, read.message.date) == (MIXED, T0 // SECOND)
    (part,) = index_multipart(read.message.body)
    assert part.content_type == ContentType("text/plain", (("charset", "utf-8"),))


@pytest.mark.parametrize("version", [0, 0x10, 0x11, 0x12, 0x13])
def test_a_notification_has_what_readers_insist_on(version: int) -> None:
    """Android and mmsd drop one without class, size, relative expiry, location or a transaction id of its own; to none
    an insert-address-token is sent."""
    for pdu in (notification(ALL, version), notification({}, version), notification(ALL, version, plain="1")):
        read = mm1.decode(mm1.encode(pdu))
        assert read.findings == ()
        assert isinstance(read.message, mm1.MNotificationInd)
        assert read.message.expiry is not None
        assert read.message.expiry.relative
        assert read.message.from_ is not mm1.INSERT_ADDRESS
        assert all(getattr(read.message, name) for name in mm1.MNotificationInd.mandatory)
        assert all(BY_ATTRIBUTE[name].since <= pdu.mms_version for name, _ in fields(mm1.encode(pdu)))


@pytest.mark.parametrize("version", [0x10, 0x11, 0x12, 0x13])
def test_a_retrieve_conf_has_what_readers_insist_on(version: int) -> None:
    """Date and Message-ID always; a body of WAP's multiparts, whatever it was called when it came."""
    mm = MM._replace(details=ALL, content_type=str(MIXED))
    read = mm1.decode(mm1.encode(retrieve_conf(mm, "t", version)))
    assert isinstance(read.message, mm1.MRetrieveConf)
    assert read.findings == ()
    assert read.message.date is not None
    assert read.message.message_id


@pytest.mark.parametrize("kind", ["mixed", "related", "alternative"])
def test_a_multipart_is_called_as_wap_calls_it(kind: str) -> None:
    """Android refuses 0x0C and its like."""
    body = encode_multipart([Part(ContentType("text/plain"), b"x", "t")])
    assert from_wsp(ContentType(f"multipart/{kind}"), body).content_type == f"application/vnd.wap.multipart.{kind}"
    part = mime.part_from((("content-type", f"multipart/{kind}; boundary=b"),), b"--b\r\n\r\nx\r\n--b--\r\n")
    assert from_mime(part).content_type.startswith("application/vnd.wap.multipart.")


def test_a_text_that_nobody_could_read_is_not_written() -> None:
    """A NUL ends a text (WAP-230-WSP 8.4.2.1): what stands behind it would be the next field."""
    with pytest.raises(EncodeError):
        mm1.encode(mm1.MSendConf(transaction_id="t", response_status=mm1.ResponseStatus.OK, response_text="a\0b"))
    with pytest.raises(EncodeError):
        mm1.encode(mm1.MAcknowledgeInd(transaction_id="t\0"))


def test_the_only_charset_of_a_header_is_utf_8() -> None:
    assert charsets.UTF_8 < 0x80
    conf = mm1.MSendConf(transaction_id="t", response_status=mm1.ResponseStatus.OK, message_id="m", response_text="é")
    assert value(conf, "response_text") == bytes.fromhex("05 ea 7f c3a9 00")
    conf = mm1.MSendConf(transaction_id="t", response_status=mm1.ResponseStatus.OK, message_id="m", response_text="e")
    assert value(conf, "response_text") == b"e\0"
