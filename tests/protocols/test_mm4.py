"""MM4 mails beyond the golden ones (TS 23.140 8.4.4; RFC 5322)."""

import pytest

from protocols import mm4

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
