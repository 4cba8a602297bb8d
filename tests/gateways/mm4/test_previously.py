"""X-Mms-Previously-sent-by and -date-and-time, in and out (TS 23.140 8.4.4)."""

import pytest

from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.neighbours import Peer
from mmsc.domain.sendings import MOST, SENT_BEFORE, Sending, kept, sent_before
from mmsc.gateways.mm4.previously import read, written

BY, AT = "X-Mms-Previously-sent-by", "X-Mms-Previously-sent-date-and-time"
PEER = Peer(name="far", domain="mms.far.example", host="127.0.0.1")
FIRST = Instant(1_700_000_000 * SECOND)


def bare(text: str) -> str:
    return text.partition("/")[0]


def found(*fields: tuple[str, str]) -> tuple[Sending, ...]:
    return sent_before(read(fields, bare))


def test_the_original_submission_is_number_0() -> None:
    fields = (
        ("X-Own", "0, x"),
        (BY, "1, a@b.example"),
        (BY.lower(), "0, +15550100001/TYPE=PLMN"),
        (AT, "0, Tue, 14 Nov 2023 22:13:20 +0000"),
    )
    assert found(*fields) == (Sending("+15550100001", FIRST), Sending("a@b.example", None))


def test_what_is_written_is_read_back() -> None:
    way = (Sending("+15550100001", FIRST), Sending("", Instant(FIRST + SECOND)), Sending("a@b.example", None))
    fields = written({SENT_BEFORE: kept(way)}, PEER)
    assert fields == (
        (BY, "0, +15550100001/TYPE=PLMN"),
        (BY, "2, a@b.example"),
        (AT, "0, Tue, 14 Nov 2023 22:13:20 +0000"),
        (AT, "1, Tue, 14 Nov 2023 22:13:21 +0000"),
    )
    assert found(*fields) == way


@pytest.mark.parametrize("value", ["", "+15550100001", "x, a", "0,", "12345, a", "0, Someday"])
def test_what_cannot_be_read_is_left_out(value: str) -> None:
    assert found((AT, value)) == ()
    assert found((BY, value)) == ((Sending("Someday", None),) if "Some" in value else ())


def test_a_long_way_is_bounded() -> None:
    assert len(found(*((BY, f"{number}, a@b") for number in range(200)))) == MOST


def test_an_mm_that_was_not_forwarded_has_none() -> None:
    assert read((("X-Own", "x"),), bare) == {}
    assert written({}, PEER) == ()
