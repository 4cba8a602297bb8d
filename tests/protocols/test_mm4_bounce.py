"""Bounces as mail relays write them (RFC 3464, RFC 6522)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import DecodeError
from protocols.mm4 import Bounce, Bounced, read_bounce

BOX = "+16660100123/TYPE=PLMN@mms.other.example"
HEAD = (
    "From: MAILER-DAEMON@relay.example\nTo: 4488@mms.home.example\nSubject: Undelivered Mail Returned to Sender\n"
    'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
)
STATUS = (
    "--b\nContent-Type: text/plain\n\nI'm sorry.\n\n--b\nContent-Type: message/delivery-status\n\n"
    "Reporting-MTA: dns; relay.example\nArrival-Date: Tue, 24 Nov 2026 12:00:00 +0000\n\n"
)
FAILED = (
    f"Final-Recipient: rfc822; {BOX}\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 no\n such number\n"
)
RETURNED = '\n--b\nContent-Type: {type}\n\nFrom: 4488\nX-Mms-Message-ID: "m1@mms.home.example"\n{rest}\n--b--\n'


def mail(recipients: str, returned: str) -> bytes:
    return (HEAD + STATUS + recipients + returned).replace("\n", "\r\n").encode()


@pytest.mark.parametrize(("media_type", "rest"), [("message/rfc822", "\nbody\n"), ("text/rfc822-headers", "")])
def test_a_bounce_names_the_mm_and_who_did_not_get_it(media_type: str, rest: str) -> None:
    octets = mail(FAILED, RETURNED.format(type=media_type, rest=rest))
    assert read_bounce(octets) == Bounce("m1@mms.home.example", (Bounced(BOX, "5.1.1", "550 5.1.1 no such number"),))


def test_who_only_waits_is_left_out_and_the_original_recipient_counts() -> None:
    delayed = "Final-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.1\n\n"
    names = f"Original-Recipient: rfc822;<{BOX}>\nFinal-Recipient: rfc822; x@y.example\n"
    renamed = names + "Action: Failed\nStatus: 5.0.0 (why)\n"
    bounce = read_bounce(mail(delayed + renamed, "\n--b--\n"))
    assert bounce == Bounce("", (Bounced(BOX, "5.0.0", ""),))


@pytest.mark.parametrize(
    ("kind", "message_id"),
    [
        ("MM4_forward.REQ", "m1@mms.home.example"),
        ("mm4_FORWARD.req", "m1@mms.home.example"),
        ("MM4_delivery_report.REQ", ""),
        ("MM4_delivery_report.RES", ""),
        ("MM4_forward.RES", ""),
    ],
)
def test_only_a_forward_that_came_back_is_about_its_mm(kind: str, message_id: str) -> None:
    """A RES to a peer that gives a user's address as its own (sheet 9) names the MM and that user: not a RES of it."""
    returned = RETURNED.format(type="text/rfc822-headers", rest=f"X-Mms-Message-Type: {kind}\n")
    assert read_bounce(mail(FAILED, returned)).message_id == message_id


@pytest.mark.parametrize(
    "octets",
    [
        b"Subject: I am on holiday\r\n\r\nUntil Monday.",
        mail(FAILED, "\n--b--\n").replace(b"delivery-status; boundary", b"disposition-notification; boundary"),
        mail(FAILED, "\n--b--\n").replace(b"message/delivery-status", b"text/x-status"),
        mail(FAILED, ""),
    ],
)
def test_any_other_mail_is_none(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        read_bounce(octets)


@given(st.integers(0, 900), st.binary(max_size=3))
def test_damage_is_a_decode_error_at_most(at: int, octets: bytes) -> None:
    whole = mail(FAILED, RETURNED.format(type="message/rfc822", rest="\nx\n"))
    try:
        assert isinstance(read_bounce(whole[:at] + octets + whole[at:]), Bounce)
    except DecodeError:
        return
