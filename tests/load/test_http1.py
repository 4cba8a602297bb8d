"""Whatever a server does with its octets: the whole answer, or a reason."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.load.http1 import MAXIMUM_BODY_OCTETS, MAXIMUM_HEAD_OCTETS, Inbox, NotHttp

ANSWERS = {
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello": b"hello",
    b"HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello": b"hello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok": b"ok",
    b"HTTP/1.1 204 No Content\r\n\r\n": b"",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n": b"hello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n": b"hello",
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n": b"",
}


@pytest.mark.parametrize(("octets", "body"), ANSWERS.items())
@given(data=st.data())
def test_an_answer_in_any_pieces(octets: bytes, body: bytes, data: st.DataObject) -> None:
    inbox = Inbox(is_answer=True)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=6)))
    edges = [0, *cuts, len(octets)]
    found = None
    for start, end in itertools.pairwise(edges):
        assert found is None or start == end
        if octets[start:end]:
            inbox.feed(octets[start:end])
            found = inbox.take() or found
    assert found is not None
    assert found[1] == body
    assert inbox.is_empty


def test_an_answer_that_ends_with_its_connection() -> None:
    inbox = Inbox(is_answer=True)
    for piece in (b"HTTP/1.0 200 OK\r\n\r\n", b"hel", b"lo"):
        inbox.feed(piece)
        assert inbox.take() is None
    found = inbox.take(ended=True)
    assert found is not None
    assert found[1] == b"hello"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "begins with"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "begins with"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAXIMUM_BODY_OCTETS + 1), "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n", "chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5" * 5000, "end of line"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAXIMUM_HEAD_OCTETS, "head"),
    ],
)
def test_what_is_no_answer(octets: bytes, why: str) -> None:
    inbox = Inbox(is_answer=True)
    inbox.feed(octets)
    with pytest.raises(NotHttp, match=why):
        inbox.take()


def test_an_endless_body_is_bounded() -> None:
    inbox = Inbox(is_answer=True)
    inbox.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(MAXIMUM_BODY_OCTETS // 2**22):
        assert inbox.take() is None
        inbox.feed(bytes(2**22))
    inbox.feed(b"x")
    with pytest.raises(NotHttp, match="more than"):
        inbox.take()


def test_requests_one_behind_the_other() -> None:
    inbox = Inbox(is_answer=False)
    request = b"POST /mm7 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    inbox.feed(request + request[:-1])
    assert inbox.take() == (request[:-3], b"abc")
    assert inbox.take() is None
    inbox.feed(b"c")
    assert inbox.take() == (request[:-3], b"abc")
    assert inbox.take() is None
