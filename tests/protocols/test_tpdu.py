"""SMS-DELIVER and SMS-SUBMIT (3GPP TS 23.040 9.2.2): golden octets, round trips, and a second reader and writer."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messaging import sms

from protocols.errors import DecodeError, EncodeError
from protocols.octets import OctetReader
from protocols.sms import tpdu
from protocols.sms.segment import segment_octets, split_header
from protocols.sms.text import encode_gsm, pack
from tests.cases import Case, cases, plain, prefixes

VALID = [one for one in cases("tpdu") if not one.is_refused]
DELIVERS = [one for one in VALID if "deliver" in one.stem]
MOMENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
SENDER = tpdu.SmsAddress.parse("+15550100999")


@pytest.mark.parametrize("case", VALID, ids=str)
def test_octets_and_object_agree(case: Case) -> None:
    message = tpdu.decode(case.octets)
    assert plain(message) == case.meaning
    assert tpdu.encode(message) == case.octets
    for prefix in prefixes(case.octets):
        with pytest.raises(DecodeError):
            tpdu.decode(prefix)


@pytest.mark.parametrize("case", [one for one in cases("tpdu") if one.is_refused], ids=str)
def test_refusals(case: Case) -> None:
    with pytest.raises(DecodeError) as caught:
        tpdu.decode(case.octets)
    assert caught.value.why == case.meaning["refused"]
    assert caught.value.clause or caught.value.offset >= 0


@pytest.mark.parametrize("case", DELIVERS, ids=str)
def test_a_second_reader_sees_the_same_deliver(case: Case) -> None:
    """python-messaging's SmsDeliver."""
    message = tpdu.decode(case.octets)
    assert isinstance(message, tpdu.SmsDeliver)
    theirs = sms.SmsDeliver(tpdu.with_service_centre(case.octets, "+15550000000").hex())
    assert theirs.csca == "+15550000000"
    assert theirs.number == str(message.originator)
    assert theirs.date == message.timestamp.astimezone(UTC).replace(tzinfo=None)
    assert (theirs.pid, theirs.dcs) == (message.pid, message.dcs)
    if message.has_header:
        header, data = split_header(message.user_data)
        assert (theirs.udh.ports.dest_port, theirs.udh.ports.orig_port) == header.ports
        assert theirs.text == data
        if header.concatenation is not None:
            assert (theirs.udh.concat.ref, theirs.udh.concat.cnt) == (0x42, 2)
    else:
        assert theirs.text == "You have a multimedia message."


def test_a_second_writer_makes_the_same_submit() -> None:
    """python-messaging's SmsSubmit, which writes text in the default alphabet."""
    theirs = sms.SmsSubmit("+15550100123", "Hello")
    theirs.csca, theirs.ref = "+15550000000", 0
    theirs.validity = timedelta(days=1)
    [pdu] = theirs.to_pdu()
    septets = encode_gsm("Hello")
    ours = tpdu.SmsSubmit(
        destination=tpdu.SmsAddress.parse("+15550100123"),
        user_data=pack(septets),
        dcs=0,
        has_header=False,
        validity=b"\xa7",
        length=len(septets),
    )
    assert tpdu.with_service_centre(tpdu.encode(ours), "+15550000000").hex() == pdu.pdu.lower()
    assert pdu.length == len(tpdu.encode(ours))


addresses = st.one_of(
    st.builds(
        tpdu.SmsAddress,
        st.text("0123456789*#abc", max_size=20),
        st.sampled_from([0, 1, 2, 3, 4, 6]),
        st.integers(0, 15),
    ),
    st.text("abcXYZ 0123", min_size=1, max_size=11)
    .filter(lambda text: not text.endswith(" "))
    .map(lambda text: tpdu.SmsAddress(text, tpdu.TON_ALPHANUMERIC, 0)),
)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2069, 12, 30)).flatmap(
    lambda moment: st.integers(-48, 56).map(
        lambda quarters: moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=15 * quarters)))
    )
)
octets = st.binary(max_size=140)
eight_bits = st.sampled_from([0x04, 0x15, 0x08, 0xE0, 0xF4, 0xF5])


@given(addresses, moments, octets, eight_bits, st.integers(0, 255), st.tuples(*[st.booleans()] * 3))
def test_a_deliver_comes_back(
    address: tpdu.SmsAddress, moment: datetime, data: bytes, dcs: int, pid: int, flags: tuple[bool, bool, bool]
) -> None:
    has_header, more, report = flags
    message = tpdu.SmsDeliver(
        originator=address,
        timestamp=moment,
        user_data=data,
        pid=pid,
        dcs=dcs,
        has_header=has_header,
        more_messages=more,
        status_report=report,
    )
    assert tpdu.decode(tpdu.encode(message)) == message


@given(addresses, octets, eight_bits, st.integers(0, 255), st.sampled_from([0, 1, 7]))
def test_a_submit_comes_back(address: tpdu.SmsAddress, data: bytes, dcs: int, reference: int, validity: int) -> None:
    message = tpdu.SmsSubmit(
        destination=address, user_data=data, dcs=dcs, reference=reference, validity=bytes(range(validity))
    )
    assert tpdu.decode(tpdu.encode(message)) == message


@given(st.binary(max_size=200) | st.sampled_from(VALID).map(lambda case: bytes(reversed(case.octets))))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    reader = OctetReader(data)
    try:
        service_centre = tpdu.read_service_centre(reader)
        message = tpdu.read(reader)
    except DecodeError:
        return
    assert len(service_centre) <= 21
    assert len(message.user_data) <= 140


def test_service_centres() -> None:
    reader = OctetReader(tpdu.with_service_centre(b"rest", "+15550000000"))
    assert tpdu.read_service_centre(reader) == "+15550000000"
    assert reader.take_rest() == b"rest"
    assert tpdu.read_service_centre(OctetReader(tpdu.with_service_centre(b""))) == ""
    with pytest.raises(EncodeError, match="no number"):
        tpdu.with_service_centre(b"", "operator")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"user_data": bytes(141)}, "141 octets of user data, at most 140"),
        ({"user_data": b"", "length": 3}, "TP-UDL 3 does not go with 0 octets of user data"),
        ({"timestamp": datetime(2023, 11, 14)}, "without a time zone"),
        ({"timestamp": datetime(2023, 11, 14, tzinfo=timezone(timedelta(hours=-20)))}, "19 hours and 45 minutes"),
        ({"originator": tpdu.SmsAddress("1" * 21)}, "longer than 20 semi-octets"),
        ({"originator": tpdu.SmsAddress("12x4")}, "is no number"),
        ({"originator": tpdu.SmsAddress.parse("Ελλάς π")}, "not in the default alphabet"),
    ],
)
def test_what_cannot_be_written_says_why(changes: dict[str, object], why: str) -> None:
    fields = {"originator": SENDER, "timestamp": MOMENT, "user_data": b""} | changes
    with pytest.raises(EncodeError, match=why) as caught:
        tpdu.encode(tpdu.SmsDeliver(**fields))  # type: ignore[arg-type]
    assert caught.value.clause


@pytest.mark.parametrize(("zone", "quarters"), [(0x97, 79), (0x9F, -79), (0xB7, 0), (0xFF, 0)])
def test_what_is_no_digit_in_a_time_zone_counts_as_none(zone: int, quarters: int) -> None:
    """3GPP TS 23.040 9.2.3.11; what is read can be written."""
    octets = bytearray(tpdu.encode(tpdu.SmsDeliver(originator=SENDER, timestamp=MOMENT, user_data=b"x")))
    octets[-3] = zone
    message = tpdu.decode(bytes(octets))
    assert isinstance(message, tpdu.SmsDeliver)
    assert message.timestamp.utcoffset() == timedelta(minutes=15 * quarters)
    assert tpdu.decode(tpdu.encode(message)) == message


def test_a_validity_of_another_length_is_refused() -> None:
    with pytest.raises(EncodeError, match="TP-VP of 2 octets"):
        tpdu.encode(tpdu.SmsSubmit(destination=SENDER, user_data=b"", validity=b"ab"))


@pytest.mark.parametrize(
    ("octets", "why"), [("0c", "12 octets"), ("0111", "1 octets"), ("020011", "no type of address"), ("0391f1", "left")]
)
def test_service_centres_that_are_none(octets: str, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        tpdu.read_service_centre(OctetReader(bytes.fromhex(octets)))


def test_a_wide_reference_costs_each_segment_an_octet() -> None:
    """9.2.3.24.8."""
    data = bytes(260)
    narrow, wide = (segment_octets(data, 0x1234, (2948, 9200), wide=one) for one in (False, True))
    assert [len(one) for one in narrow] == [140, 140, 16]
    assert [len(one) for one in wide] == [140, 140, 19]
    header, rest = split_header(wide[0])
    assert header.concatenation is not None
    assert (header.concatenation.reference, header.concatenation.wide, len(rest)) == (0x1234, True, 127)


@pytest.mark.parametrize(
    ("dcs", "septets"),
    [
        *((0x00, True), (0x04, False), (0x08, False), (0x0C, True), (0x15, False), (0x20, False)),
        *((0xC0, True), (0xD8, True), (0xE0, False), (0xF0, True), (0xF5, False)),
    ],
)
def test_which_data_coding_is_septets(dcs: int, septets: bool) -> None:
    """3GPP TS 23.038 4."""
    assert tpdu.is_septets(dcs) is septets
