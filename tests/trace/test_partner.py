"""What a partner is shown: no number of the original in any coding, no content, and it still decodes."""

import base64
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.trace.ladder.model import Answer, Ladder, Row, RowKind
from mmsc.trace.ladder.svg import svg
from mmsc.trace.ladder.text import text
from mmsc.trace.partner import Partner, numbers_in
from mmsc.trace.view import every, has_problem, look
from protocols import header_fields, mime, mm7, smpp
from protocols.content_type import ContentType
from protocols.sms import tpdu
from tests.cases import cases
from tests.trace.stories import stories, story

NUMBER = "15550100123"


def kinds(octets: bytes) -> list[tuple[str, str]]:
    return [(one.kind, "" if one.kind in ("HTTP", "SMTP", "SMS") else one.title) for one in every(look(octets))]


@pytest.mark.parametrize("name", stories())
def test_stories_have_no_number_and_no_content_left_and_decode_as_before(name: str) -> None:
    traffic = story(name).traffic()
    numbers = numbers_in((one.view for one in traffic.pdus), traffic.about.addresses.values())
    assert numbers
    partner = Partner(numbers)
    for one in traffic.pdus:
        shown = partner.octets(one.octets)
        assert len(shown) == len(one.octets)
        assert kinds(shown) == kinds(one.octets)
        assert has_problem(look(shown)) == has_problem(one.view)
        for number in numbers:
            assert number.encode() not in shown
            assert number[-8:].encode() not in shown
        assert b"storm comes" not in shown
        assert "Grüße".encode() not in shown.partition(b"\r\n\r\n")[2] or b"Subject>" in shown
    for told in (text(partner.ladder(traffic.ladder())), svg(partner.ladder(traffic.ladder()))):
        assert not any(number[-8:] in told for number in numbers)
        assert "accepted:" not in told


@pytest.mark.parametrize(
    "octets",
    [
        NUMBER.encode(),
        f"00{NUMBER}".encode(),
        NUMBER[1:].encode(),
        f"To: +{NUMBER}/TYPE=PLMN".encode(),
        NUMBER.encode("utf-16-be"),
        NUMBER.encode("utf-16-le"),
        NUMBER[1:].encode("utf-16-le"),
        f"0{NUMBER[1:]}".encode(),
        b"+1 (555) 010-0123",
        b"+1.555.010.0123",
        b"&#43;1555010012&#51;",
        b"&#43;1555010012&#x33;",
        b"1555=\r\n0100123",
    ],
)
def test_a_number_is_replaced_however_it_is_written(octets: bytes) -> None:
    shown = Partner([NUMBER]).octets(octets)
    assert len(shown) == len(octets)
    assert shown != octets
    assert NUMBER[1:].encode() not in shown
    assert re.sub(rb"\d", b"", shown) == re.sub(rb"\d", b"", octets)


def test_thousands_of_numbers_are_replaced_as_one_is() -> None:
    """The work grows with octets, not with octets times numbers; and a number is the same one in every coding."""
    numbers = [f"4915{count:07d}" for count in range(20_000)]
    partner = Partner(numbers)
    for number in (numbers[0], numbers[-1]):
        other = partner.number(number)
        for charset in ("ascii", "utf-16-be", "utf-16-le"):
            assert partner.octets(f"a {number} b".encode(charset)) == f"a {other} b".encode(charset)
    assert len({partner.number(one) for one in numbers}) == len(numbers)


def _smil(encoding: str) -> bytes:
    octets = f'<smil><body><text alt="ring +{NUMBER} now, ring +{NUMBER} again and again"/></body></smil>'.encode()
    part = mime.OutPart(ContentType("application/smil"), octets, "s", encoding=encoding)
    return mime.write_parts((part,), "b")


def test_a_presentation_in_base64_keeps_its_lines_and_loses_its_numbers() -> None:
    octets = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' + _smil("base64")
    shown = Partner([NUMBER]).octets(octets)
    text_of = [line for line in shown.split(b"\r\n") if line[:4] == b"PHNt"]
    whole = b"".join(shown.partition(text_of[0])[1:]).partition(b"\r\n--")[0]
    assert [len(line) for line in shown.split(b"\r\n")] == [len(line) for line in octets.split(b"\r\n")]
    assert base64.b64decode(whole).startswith(b'<smil><body><text alt="ring +1000')
    assert NUMBER[1:].encode() not in base64.b64decode(whole)


def test_an_encoded_word_loses_its_number() -> None:
    word = base64.b64encode(f"Grüße an +{NUMBER}".encode()).decode()
    octets = f"X-Mms-Message-Type: MM4_forward.REQ\r\nSubject: =?utf-8?b?{word}?=\r\n\r\n".encode()
    shown = Partner([NUMBER]).octets(octets)
    assert len(shown) == len(octets)
    assert NUMBER[1:] not in header_fields.decode_words(shown.decode())


@pytest.mark.parametrize("cut", range(1, len(NUMBER)))
def test_a_number_that_two_segments_share_is_replaced_in_both(cut: int) -> None:
    pdu = b"\x25\x06\x03\xbe\xaf\x84\x8c\x86\x97+" + NUMBER.encode() + b"/TYPE=PLMN\0" + bytes(90)
    at = pdu.index(NUMBER.encode()) + cut
    shown = []
    for number, data in ((1, pdu[:at]), (2, pdu[at:])):
        header = bytes((0x0B, 5, 4, 0x0B, 0x84, 0x23, 0xF0, 0, 3, 7, 2, number))
        whole = smpp.encode(
            smpp.SubmitSm(
                sequence_number=number,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=NUMBER,
                esm_class=0x40,
                data_coding=4,
                short_message=header + data,
            )
        )
        made = Partner([NUMBER]).octets(whole)
        assert len(made) == len(whole)
        shown.append(made[-len(data) :])
    assert Partner([NUMBER]).number(NUMBER).encode() in b"".join(shown)


def test_what_was_answered_and_whose_segments_they_were_are_replaced_in_ladders() -> None:
    row = Row(
        key="p1",
        kind=RowKind.PDU,
        at=0,
        at_real=0,
        segment_of=f"7 {NUMBER}",
        answer=Answer(f"550 5.1.1 <+{NUMBER}>", f"of +{NUMBER}", failed=True),
    )
    shown = Partner([NUMBER]).ladder(Ladder(columns=(), rows=(row,)))
    assert NUMBER.encode() not in msgspec.json.encode(shown)


def test_semi_octets_of_tpdus_are_replaced() -> None:
    for case in (one for one in cases("tpdu") if not one.is_refused):
        view = look(case.octets)
        numbers = numbers_in([view])
        shown = Partner(numbers).octets(case.octets)
        again = look(shown)
        assert len(shown) == len(case.octets)
        assert [one.kind for one in every(again)] == [one.kind for one in every(view)]
        told = [row.value for one in every(again) for row in one.rows]
        assert not any(number in value for number in numbers for value in told)
    assert isinstance(tpdu.read, object)


def test_base64_and_binary_parts_are_emptied_and_presentations_stay() -> None:
    dialect = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert dialect is not None
    parts = (
        mime.OutPart(ContentType("application/smil"), b"<smil/>", "s"),
        mime.OutPart(ContentType("image/jpeg"), b"\xff\xd8secret" * 40, "i", encoding="base64"),
        mime.OutPart(ContentType("audio/amr"), b"#!AMR\nsecret", "a"),
        mime.OutPart(ContentType("text/plain"), b"my secret\nis this", "t"),
    )
    inner = mime.OutPart(ContentType("multipart/mixed", (("boundary", "in"),)), mime.write_parts(parts, "in"), "c")
    request = mm7.SubmitReq(vasp_id="v", to=(mm7.Address(f"+{NUMBER}"),), content_href="cid:c")
    content_type, body = mm7.encode_with_content(mm7.Envelope("t", dialect, request), inner, "seed")
    octets = f"POST / HTTP/1.1\r\nContent-Type: {content_type}\r\n\r\n".encode() + body
    shown = Partner(numbers_in([look(octets)])).octets(octets)
    assert len(shown) == len(octets)
    assert kinds(shown)[:3] == kinds(octets)[:3]
    assert all(secret not in shown for secret in (b"secret", b"/9hz", NUMBER.encode()))
    assert b"<smil/>" in shown
    assert b".........\n......." in shown


@given(st.lists(st.from_regex(r"[1-9]\d{6,14}", fullmatch=True), min_size=1, max_size=20, unique=True))
def test_replacements_are_consistent_of_the_same_length_and_nobodys(numbers: list[str]) -> None:
    partner = Partner(numbers)
    for number in numbers:
        other = partner.number(number)
        assert len(other) == len(number)
        assert other == Partner(numbers).number(number)
        assert partner.text(f"a {number} b") == f"a {other} b"
    alone = [one for one in numbers if not any(one != other and other.endswith(one) for other in numbers)]
    assert len({partner.number(one) for one in alone}) == len(alone)


def test_what_is_no_known_number_stays() -> None:
    partner = Partner([NUMBER])
    for word in ("4488", "20261127140341", "1790000000000000", "123456"):
        assert partner.text(word) == word
