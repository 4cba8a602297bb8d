"""EAIF's headers: golden requests and answers, octet for octet, and what a reader forgives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import eaif, header_fields, mime, mm1
from protocols.eaif import Headers, MessageType
from protocols.errors import DecodeError, EncodeError
from tests.cases import Case, cases, plain

VALID = [case for case in cases("eaif") if not case.is_refused]
EXACT = [case for case in VALID if not case.meaning["findings"]]


def taken_apart(case: Case) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """(headers, body) of an HTTP message."""
    block, body = mime.split_headers(case.octets.partition(b"\n")[2])
    return header_fields.parse_headers(block), body


@pytest.mark.parametrize("case", VALID, ids=str)
def test_golden(case: Case) -> None:
    headers, body = taken_apart(case)
    decoded = eaif.read(headers)
    assert plain(decoded.message) == {"kind": "Headers", **case.meaning["headers"]}
    assert [one.rule for one in decoded.findings] == case.meaning["findings"]
    if not body:
        assert case.meaning["pdu"] is None
        return
    pdu = mm1.decode(body).message
    assert plain(pdu) == case.meaning["pdu"]
    assert mm1.encode(pdu) == body


@pytest.mark.parametrize("case", EXACT, ids=str)
def test_what_is_written_is_what_stands_there(case: Case) -> None:
    lines = case.octets.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    ours = [line for line in lines if line.startswith(eaif.PREFIX)]
    written = eaif.write(eaif.read(taken_apart(case)[0]).message)
    assert [f"{name}: {value}" for name, value in written] == ours


@pytest.mark.parametrize("case", [one for one in cases("eaif") if one.is_refused], ids=str)
def test_refusals(case: Case) -> None:
    with pytest.raises(DecodeError) as caught:
        eaif.read(taken_apart(case)[0])
    assert str(caught.value) == case.meaning["refused"]


@pytest.mark.parametrize("value", ["", "2000", "20", "2OO", "-20", "\u0662\u0660\u0660"])
def test_a_status_is_three_digits(value: str) -> None:
    with pytest.raises(DecodeError):
        eaif.read([("X-NOKIA-MMSC-Status", value)])


def test_recipients_are_bounded() -> None:
    many = ",".join(["4488"] * (eaif.MAXIMUM_RECIPIENTS + 1))
    with pytest.raises(DecodeError, match="the limit is 5000"):
        eaif.read([("X-NOKIA-MMSC-To", many)])
    with pytest.raises(DecodeError, match="the limit is 1024"):
        eaif.read([("X-NOKIA-MMSC-To", "4488, " + "4" * 1025)])


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(DecodeError, match="X-NOKIA-MMSC-From is no text"):
        eaif.read([("X-Nokia-MMSC-From", "\udcff")])


@pytest.mark.parametrize(
    ("pairs", "rule"),
    [
        ([("X-NOKIA-MMSC-Message-Type", "Postcard")], "EAIF-H001"),
        ([("X-NOKIA-MMSC-Message-Type", "readreply")], "EAIF-H001"),
        ([("X-NOKIA-MMSC-From", "4488"), ("x-nokia-mmsc-from", "4489")], "EAIF-H002"),
        ([], "EAIF-H003"),
        ([("X-NOKIA-MMSC-Message-Id", "a" * 129)], "EAIF-H004"),
        ([("X-NOKIA-MMSC-Charging", "free")], "EAIF-H005"),
    ],
)
def test_each_remark_has_its_rule(pairs: list[tuple[str, str]], rule: str) -> None:
    assert rule in [one.rule for one in eaif.read(pairs).findings]


def test_other_headers_are_passed_over() -> None:
    read = eaif.read([("X-NOKIA-MMSC-Version", "3.0"), ("X-NOKIA-MMSC-Colour", "red"), ("X-Mms-To", "4488")])
    assert read.message == Headers(version="3.0")
    assert read.findings == ()


@pytest.mark.parametrize("headers", [Headers(to=("a,b@c.example",)), Headers(sender="a\r\nb"), Headers(to=("a\0",))])
def test_what_no_header_holds_is_not_written(headers: Headers) -> None:
    with pytest.raises(EncodeError):
        eaif.write(headers)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20)
ADDRESS = TEXT.filter(lambda text: bool(text) and "," not in text)


@given(
    st.builds(
        Headers,
        version=TEXT,
        message_type=st.sampled_from([None, *MessageType]),
        message_id=TEXT,
        sender=TEXT,
        to=st.lists(ADDRESS, max_size=4).map(tuple),
        status=st.none() | st.integers(100, 999),
        charging=TEXT,
        charged_party=TEXT,
        asynch_reply_to=TEXT,
    )
)
def test_what_is_written_is_read_the_same(headers: Headers) -> None:
    assert eaif.read(eaif.write(headers)).message == headers
