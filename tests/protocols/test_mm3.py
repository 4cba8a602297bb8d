"""Mails that are to become MMs (TS 23.140 8.3.1; RFC 5322, RFC 4356)."""

from datetime import UTC, datetime

import pytest

from protocols import mm3

HEAD = b"""\
From: "Eve, of mail" <Eve@Mail.Example>
To: News <4488@mmsc.example>, +15550000001@mmsc.example
Cc: bob@other.example
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Date: Fri, 27 Nov 2026 10:00:00 +0100
Message-ID: <m1@mail.example>
"""
ALTERNATIVES = b"""\
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

hello
--a
Content-Type: text/html

<p>hello</p>
--a--
"""


def mail(rest: bytes, head: bytes = HEAD) -> bytes:
    return (head + rest).replace(b"\n", b"\r\n")


def test_who_when_and_what() -> None:
    found = mm3.decode(mail(b"Importance: High\n\nhello\n"))
    assert (found.from_, found.subject, found.priority) == ("Eve@Mail.Example", "Grüße", "high")
    assert found.to == ("4488@mmsc.example", "+15550000001@mmsc.example")
    assert found.cc == ("bob@other.example",)
    assert found.date == datetime(2026, 11, 27, 9, tzinfo=UTC)
    assert (found.message_id, found.is_automatic) == ("m1@mail.example", False)
    assert (str(found.content.content_type), found.content.data) == ("text/plain; charset=us-ascii", b"hello")


@pytest.mark.parametrize(
    ("field", "priority"),
    [
        (b"X-Priority: 1 (Highest)", "high"),
        (b"X-Priority: 5", "low"),
        (b"Priority: non-urgent", "low"),
        (b"X-Priority: 3", ""),
        (b"X-Priority: ", ""),
    ],
)
def test_priorities_as_mailers_write_them(field: bytes, priority: str) -> None:
    assert mm3.decode(mail(field + b"\n\nhello\n")).priority == priority


@pytest.mark.parametrize(
    ("value", "automatic"), [(b"auto-replied", True), (b"auto-generated; x", True), (b"no", False)]
)
def test_what_no_human_wrote(value: bytes, automatic: bool) -> None:
    """RFC 3834 5."""
    assert mm3.decode(mail(b"Auto-Submitted: " + value + b"\n\nhello\n")).is_automatic is automatic


def test_of_alternatives_the_plain_text_is_left() -> None:
    assert mm3.decode(mail(ALTERNATIVES)).content.content_type.media_type == "text/plain"
    inside = b"Content-Type: multipart/mixed; boundary=m\n\n--m\n" + ALTERNATIVES
    inside += b"--m\nContent-Type: image/gif; name=g.gif\n\nGIF\n--m--\n"
    content = mm3.decode(mail(inside)).content
    assert [one.content_type.media_type for one in content.parts] == ["text/plain", "image/gif"]
    assert content.parts[0].data.strip() == b"hello"


@pytest.mark.parametrize(
    ("octets", "why", "status"),
    [
        (mail(b"\nhello\n", b"To: x@y\n"), "no From", "5.6.0"),
        (mail(b"Content-Type: multipart/mixed; boundary=m\n\nnothing\n"), "first boundary", "5.6.0"),
        (mail(b"Received: by x\n" * 101 + b"\nhello\n"), "101 systems", "5.4.6"),
    ],
)
def test_what_cannot_become_an_mm(octets: bytes, why: str, status: str) -> None:
    with pytest.raises(mm3.Mm3Error) as caught:
        mm3.decode(octets)
    assert why in str(caught.value)
    assert caught.value.status == status
