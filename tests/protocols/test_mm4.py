"""MM4 mails beyond the golden ones (TS 23.140 8.4.4; RFC 5322)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.utils import collapse_rfc2231_value

import pytest

from protocols import mailboxes, mime, mm4
from protocols.content_type import ContentType
from protocols.errors import EncodeError

REQ = mm4.ForwardReq(transaction_id="t1", message_id="m1@mms.home.example", from_="+15550100123/TYPE=PLMN")


def test_nobody_to_show_is_an_empty_group() -> None:
    """RFC 5322 3.6.3: recipients that are all Bcc are in the envelope alone."""
    octets = mm4.encode(REQ)
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in octets
    message = mm4.decode(octets).message
    assert message.to == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("undisclosed-recipients:;", ()),
        ("Undisclosed recipients: ;", ()),
        ("friends: +16660100123/TYPE=PLMN, b@x.example;", ("+16660100123/TYPE=PLMN", "b@x.example")),
        ("2001:db8:0:0:0:0:0:7/TYPE=IPv6", ("2001:db8:0:0:0:0:0:7/TYPE=IPv6",)),
        ('"Doe, Jo" <+16660100123/TYPE=PLMN@mms.other.example>', ("+16660100123/TYPE=PLMN@mms.other.example",)),
    ],
)
def test_recipients_as_mail_writes_them(written: str, read: tuple[str, ...]) -> None:
    """RFC 5322 3.4: a group's members count, its name does not."""
    octets = mm4.encode(REQ).replace(b"undisclosed-recipients:;", written.encode())
    assert mm4.decode(octets).message.to == read


@pytest.mark.parametrize("hops", [100, 101])
def test_a_mail_that_goes_round_is_refused(hops: int) -> None:
    """RFC 5321 6.3; RFC 4356: not under 100."""
    octets = b"Received: from x.example by y.example; Tue, 1 Dec 2026 10:00:00 +0000\r\n" * hops + mm4.encode(REQ)
    if hops == 100:
        assert isinstance(mm4.decode(octets).message, mm4.ForwardReq)
        return
    with pytest.raises(mm4.Mm4Error) as refused:
        mm4.decode(octets)
    assert (refused.value.status, refused.value.seen) == ("5.4.6", {})


def with_fields(message: mm4.Message, *lines: str, without: str = "") -> bytes:
    """The mail of `message` with further header lines and without those that begin with `without`."""
    head, body = mm4.encode(message).split(b"\r\n\r\n", 1)
    kept = [line for line in head.split(b"\r\n") if not without or not line.startswith(without.encode())]
    return b"\r\n".join([*(line.encode() for line in lines), *kept]) + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a@b.example " + "(" * 30_000, ("a@b.example",)),
        ("a@b.example (one (two), three) , c@d.example", ("a@b.example", "c@d.example")),
        ('"a, b" <c@d.example>, "e <f>" <g@h.example', ("c@d.example", "g@h.example")),
        ("Jo Doe c@d.example", ("c@d.example",)),
        ('"j d"@x.example', ('"j d"@x.example',)),
        ("a@b.example; c@d.example", ("a@b.example", "c@d.example")),
        (
            "x@y.example, Friends of Jo: a@b.example, c@d.example;, e@f.example",
            ("x@y.example", "a@b.example", "c@d.example", "e@f.example"),
        ),
        ("2001:db8::7/TYPE=IPv6; +1/TYPE=PLMN", ("2001:db8::7/TYPE=IPv6", "+1/TYPE=PLMN")),
        ("+1 555 0100/TYPE=PLMN", ("+1 555 0100/TYPE=PLMN",)),
        ("<>, , ;", ()),
        ('"' * 20_001, ('"' * 20_001,)),
        ("\\", ("\\",)),
    ],
)
def test_address_lists_that_only_a_hostile_or_hasty_sender_writes(written: str, read: tuple[str, ...]) -> None:
    """RFC 5322 3.4: nothing but Mm4Error may escape, and no recipient is lost to a bracket that nobody closed."""
    assert mm4.decode(with_fields(REQ, f"To: {written}", without="To:")).message.to == read


def test_reading_addresses_takes_steps_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    """60,000 commas took seconds when each was judged by the rest of the line."""
    counted = 0
    whole = mailboxes._TOKEN

    class Counting:
        def finditer(self, text: str) -> Iterator[re.Match[str]]:
            nonlocal counted
            for match in whole.finditer(text):
                counted += 1
                yield match

    monkeypatch.setattr(mailboxes, "_TOKEN", Counting())
    assert mailboxes.read_mailboxes(["," * 60_000]) == ()
    assert counted == 60_000


@pytest.mark.parametrize(
    "date",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "Tue, 01 Dec 99999999999 10:00:00 +0100",
        "Tue, 01 Dec 2026 10:00:00 +99999999999",
        "soon",
    ],
)
def test_moments_that_no_calendar_holds(date: str) -> None:
    """RFC 5322 3.3; a finding each, and the MM is taken."""
    decoded = mm4.decode(with_fields(REQ, f"Date: {date}", f"X-Mms-Expiry: {date}", without="Date"))
    assert isinstance(decoded.message, mm4.ForwardReq)
    assert (decoded.message.date, decoded.message.expiry) == (None, None)
    assert [one.rule for one in decoded.findings] == ["MM4-R003", "MM4-R002"]


def test_a_moment_outside_utc_is_not_written() -> None:
    edge = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14)))
    with pytest.raises(EncodeError):
        mm4.encode(replace(REQ, date=edge))
    with pytest.raises(EncodeError):
        mm4.encode(replace(REQ, expiry=edge))


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        (REQ, "From"),
        (REQ, "X-Mms-Transaction-ID"),
        (mm4.ForwardRes(transaction_id="t1", message_id="m1@x"), "X-Mms-Request-Status-Code"),
        (mm4.DeliveryReportReq(transaction_id="t1", message_id="m1@x", from_="+1"), "X-Mms-MM-Status-Code"),
        (mm4.DeliveryReportReq(transaction_id="t1", message_id="m1@x", from_="+1"), "From"),
        (mm4.DeliveryReportRes(transaction_id="t1", message_id="m1@x"), "X-Mms-Request-Status-Code"),
        (mm4.DeliveryReportRes(transaction_id="t1", message_id="m1@x"), "X-Mms-Message-ID"),
    ],
)
@pytest.mark.parametrize("empty", [False, True])
def test_a_mandatory_field_that_misses(message: mm4.Message, missing: str, empty: bool) -> None:
    """TS 23.140 8.4.4: an outcome that was not told is not made up."""
    octets = with_fields(message, *([f"{missing}:"] if empty else []), without=f"{missing}:")
    with pytest.raises(mm4.Mm4Error, match=missing):
        mm4.decode(octets)


@pytest.mark.parametrize("digits", ["\u0661\u0662", "\u00b2", "\uff11"])
def test_only_ascii_digits_are_a_number(digits: str) -> None:
    decoded = mm4.decode(with_fields(REQ, f"X-Mms-Forward-Counter: {digits}", f"X-Mms-Expiry: {digits}"))
    assert isinstance(decoded.message, mm4.ForwardReq)
    assert (decoded.message.forward_counter, decoded.message.expiry) == (None, None)


def test_recipients_joined_by_dots_are_told_apart() -> None:
    """One gateway joins Request-Recipients so."""
    res = mm4.ForwardRes(transaction_id="t1", message_id="m1@x")
    joined = "X-Mms-Request-Recipients: +1/TYPE=PLMN@a.example.+2/TYPE=PLMN.+3/TYPE=PLMN"
    message = mm4.decode(with_fields(res, joined)).message
    assert isinstance(message, mm4.ForwardRes)
    assert message.request_recipients == ("+1/TYPE=PLMN@a.example", "+2/TYPE=PLMN", "+3/TYPE=PLMN")


@pytest.mark.parametrize(
    "name", ["photo.jpg", "Grüße aus 東京.jpg", "x" * 3000, "ü" * 800, 'a "b"; c\\.jpg', "=?x?=", "a\r\nX-Evil: b"]
)
def test_part_headers_are_ascii_in_short_lines_and_read_back(name: str) -> None:
    """RFC 5322 2.1.1, RFC 2231 3 and 4, RFC 2557 4.4; read by ours and by Python's e-mail parser."""
    part = mime.OutPart(ContentType("image/jpeg", (("name", name),)), b"\xff\xd8", name, name, "base64")
    octets = mm4.encode(REQ, (ContentType("multipart/related", (("start", f"<{name}>"),)), [part]))
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert b"\r\nX-Evil" not in octets
    message = mm4.decode(octets).message
    assert isinstance(message, mm4.ForwardReq)
    assert message.content is not None
    plain = name.replace("\r\n", " ")
    (read,) = message.content.parts
    assert read.content_type.get("name").replace("\r\n", " ") == plain
    assert (read.content_id, read.content_location) == (plain, plain)
    assert message.content.content_type.get("start").replace("\r\n", " ") == f"<{plain}>"
    theirs = next(one for one in message_from_bytes(octets).walk() if not one.is_multipart())
    named = theirs.get_param("name")
    assert named is not None
    assert collapse_rfc2231_value(named) == read.content_type.get("name")
    assert theirs.get_payload(decode=True) == b"\xff\xd8"


def test_addresses_and_ids_in_other_letters_come_back() -> None:
    """RFC 2047: each in words of its own, so that the commas between them stay."""
    odd = replace(
        REQ,
        to=("jürgen@mms.example", "+1/TYPE=PLMN", "é, ü@x"),
        cc=("日本@x.example",),
        from_="grüße@x",
        message_id="m-ü",
        transaction_id="t-é",
    )
    octets = mm4.encode(odd)
    assert octets.isascii()
    message = mm4.decode(octets).message
    assert isinstance(message, mm4.ForwardReq)
    assert (message.to, message.cc, message.from_) == (odd.to, odd.cc, odd.from_)
    assert (message.message_id, message.transaction_id) == ("m-ü", "t-é")


@pytest.mark.parametrize("written", ["\0{}", "=?utf-8?q?=00{}?="])
def test_no_field_holds_a_nul(written: str) -> None:
    """RFC 5322 4.1. A subject or class with one fits no PDU, an id with one no database: the MM would fail for it."""
    subject, media_class, message_id = map(written.format, ("a", "Personal", "m1@x"))
    fields = f"Subject: {subject}\r\nX-Mms-Message-Class: {media_class}\r\nX-Mms-Own: \0x\r\n"
    octets = mm4.encode(REQ).replace(
        f"X-Mms-Message-ID: {REQ.message_id}".encode(), f"{fields}X-Mms-Message-ID: {message_id}".encode()
    )
    message = mm4.decode(octets).message
    assert isinstance(message, mm4.ForwardReq)
    assert (message.subject, message.message_class, message.message_id) == ("a", "Personal", "m1@x")
    assert message.unknown == (("x-mms-own", "x"),)
