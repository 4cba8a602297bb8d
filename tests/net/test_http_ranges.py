"""A single range of octets (RFC 9110 14), and what of an MM has been sent in pieces."""

import pytest

from mmsc.domain.message import RecipientId
from mmsc.gateways.mm1.progress import MAXIMUM_UNFINISHED, Progress
from mmsc.net.http_ranges import OctetRange, wanted

TAG = '"a-1"'
ONE = RecipientId(1)


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-", 0, 100),
        ("bytes=40-", 40, 100),
        ("bytes=40-59", 40, 60),
        ("bytes=40-999", 40, 100),
        ("bytes=99-99", 99, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-999", 0, 100),
        ("Bytes = 40 - 59", 40, 60),
        ("bytes=100-", 0, 0),
        ("bytes=100-200", 0, 0),
        ("bytes=-0", 100, 100),
        ("bytes=59-40", 0, 100),
        ("bytes=0-9,20-29", 0, 100),
        ("bytes=-", 0, 100),
        ("bytes=a-b", 0, 100),
        ("lines=1-2", 0, 100),
        ("bytes=" + "9" * 99 + "-", 0, 100),
        ("", 0, 100),
    ],
)
def test_what_is_asked_for(header: str, start: int, end: int) -> None:
    found = wanted({"Range": header}, TAG, 100)
    assert found == OctetRange(start, end, 100)
    assert found.is_whole is (start == 0 and end == 100)
    assert found.content_range == (f"bytes {start}-{end - 1}/100" if end > start else "bytes */100")


@pytest.mark.parametrize(
    ("if_range", "partial"),
    [(TAG, True), (f" {TAG} ", True), ('"a-2"', False), (f"W/{TAG}", False), ("Fri, 27 Nov 2026 08:00:00 GMT", False)],
)
def test_another_entity_is_sent_whole(if_range: str, partial: bool) -> None:
    """RFC 9110 13.1.5: the comparison is strong."""
    found = wanted({"Range": "bytes=40-", "If-Range": if_range}, TAG, 100)
    assert found.is_whole is not partial


def piece(start: int, end: int, total: int = 100) -> OctetRange:
    return OctetRange(start, end, total)


def test_it_is_whole_when_the_last_octet_was_sent_and_none_passed_over() -> None:
    told = Progress()
    assert told.sent(ONE, TAG, piece(0, 100), whole=True)
    assert not told.sent(ONE, TAG, piece(90, 100), whole=True), "the last octets alone"
    assert not told.sent(ONE, TAG, piece(0, 40), whole=True)
    assert not told.sent(ONE, TAG, piece(50, 100), whole=True), "ten are missing"
    assert not told.sent(ONE, TAG, piece(40, 60), whole=True)
    assert told.sent(ONE, TAG, piece(60, 100), whole=True)
    assert not told.sent(ONE, TAG, piece(60, 100), whole=True), "what was finished is forgotten"


def test_who_lost_the_connection_goes_on_where_it_was() -> None:
    told = Progress()
    assert not told.sent(ONE, TAG, piece(0, 100), whole=False)
    assert told.sent(ONE, TAG, piece(37, 100), whole=True)
    assert not told.sent(ONE, TAG, piece(0, 100), whole=False)
    assert not told.sent(ONE, TAG, piece(37, 100), whole=False)
    assert told.sent(ONE, TAG, piece(99, 100), whole=True)


def test_pieces_of_another_entity_do_not_count() -> None:
    told = Progress()
    assert not told.sent(ONE, TAG, piece(0, 60), whole=True)
    assert not told.sent(ONE, '"b-1"', piece(60, 100), whole=True)
    assert not told.sent(ONE, '"b-1"', piece(60, 100), whole=True)


def test_it_remembers_the_last_ones_only() -> None:
    told = Progress()
    for number in range(MAXIMUM_UNFINISHED + 1):
        assert not told.sent(RecipientId(number), TAG, piece(0, 60), whole=True)
    assert not told.sent(RecipientId(0), TAG, piece(60, 100), whole=True)
    assert told.sent(RecipientId(2), TAG, piece(60, 100), whole=True)
