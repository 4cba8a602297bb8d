"""Secrets are masked, in place, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.trace import redact


@pytest.mark.parametrize(
    ("octets", "masked"),
    [
        (
            b"GET / HTTP/1.1\r\nAuthorization: Basic Zm9v\r\n\r\n",
            b"GET / HTTP/1.1\r\nAuthorization: Basic ****\r\n\r\n",
        ),
        (b"GET / HTTP/1.1\r\nauthorization:Bearer a.b\r\n\r\n", b"GET / HTTP/1.1\r\nauthorization:Bearer ***\r\n\r\n"),
        (b"X: 1\r\nAuthorization: secret\r\nY: 2\r\n\r\n", b"X: 1\r\nAuthorization: ******\r\nY: 2\r\n\r\n"),
        (b"Proxy-Authorization: Basic x\r\n\r\n", b"Proxy-Authorization: Basic *\r\n\r\n"),
        (
            b"Authorization: Basic\r\n Zm9v\r\nX: 1\r\n\r\n",  # folded, which is refused and yet captured
            b"Authorization: Basic*******\r\nX: 1\r\n\r\n",
        ),
        (b"Authorization : Basic x\r\n\r\n", b"Authorization : Basic *\r\n\r\n"),
        (b"Cookie:\r\n\ta=b\r\n\r\n", b"Cookie:******\r\n\r\n"),
        (b"Cookie: a=b\r\n\r\n", b"Cookie: ***\r\n\r\n"),
        (
            b"X: cookie\r\nCookie: a\nset-cookie: bc\r\nY: 1\r\n\r\n",
            b"X: cookie\r\nCookie: *\nset-cookie: **\r\nY: 1\r\n\r\n",
        ),
        (b"Cookie: authorization\r\nAuthorization: cookie", b"Cookie: *************\r\nAuthorization: ******"),
        (b"Authorization: a\n\nCookie: b", b"Authorization: *\n\nCookie: *"),
        (b"POST /mm7?password=abc&x=1 HTTP/1.1\r\n\r\n", b"POST /mm7?password=***&x=1 HTTP/1.1\r\n\r\n"),
        (b"GET /a?x=1&Access_Token=ab;c=2#f HTTP/1.1\r\n", b"GET /a?x=1&Access_Token=**;c=2#f HTTP/1.1\r\n"),
        (b"GET http://u:pw@h/p?api_key=k HTTP/1.1\r\n\r\n", b"GET http://****@h/p?api_key=* HTTP/1.1\r\n\r\n"),
        (b"GET /m/token@x HTTP/1.1\r\n\r\n", b"GET /m/token@x HTTP/1.1\r\n\r\n"),
        (b"X-Api-Key: abc\r\nX-Auth-Token : d\r\n\r\n", b"X-Api-Key: ***\r\nX-Auth-Token : *\r\n\r\n"),
        (b"GET /x;token=ab HTTP/1.1\r\n\r\n", b"GET /x;token=** HTTP/1.1\r\n\r\n"),
        (b"GET /x&my[token]=ab HTTP/1.1\r\n\r\n", b"GET /x&my[token]=** HTTP/1.1\r\n\r\n"),
        (b"X!Token: ab\r\nsecret'|~: c\r\n\r\n", b"X!Token: **\r\nsecret'|~: *\r\n\r\n"),
        (b"Authorization: Basic \rab\rc\r\nX: 1\r\n\r\n", b"Authorization: Basic *****\r\nX: 1\r\n\r\n"),
        (b"X: 1\rAuthorization: Basic Zm9v\r\nY: 2\r\n\r\n", b"X: 1\rAuthorization: Basic ****\r\nY: 2\r\n\r\n"),
        (b"GET / HTTP/1.1\rX: cookie\rCookie: ab\r\n\r\n", b"GET / HTTP/1.1\rX: cookie\rCookie: **\r\n\r\n"),
        (b"GET / HTTP/1.1\r\n Authorization: Basic ab\r\n\r\n", b"GET / HTTP/1.1\r\n Authorization: Basic **\r\n\r\n"),
        (b"X: 1\r\n\t X-Api-Key: ab\r\n\r\n", b"X: 1\r\n\t X-Api-Key: **\r\n\r\n"),
        (b"X: 1\r\n\x0bAuthorization: ab\r\n\r\n", b"X: 1\r\n\x0bAuthorization: **\r\n\r\n"),
        (b"X: 1\0Cookie: ab\r\n\r\n", b"X: 1\0Cookie: **\r\n\r\n"),
        # Empty lines before a request (RFC 9112 2.2), which is captured as it came where it is refused.
        (b"\r\n\r\nGET / HTTP/1.1\r\nCookie: a\r\nBad\r\n", b"\r\n\r\nGET / HTTP/1.1\r\nCookie: *\r\nBad\r\n"),
        (b"\r\nGET /?token=ab HTTP/1.1\r\nBad\r\n", b"\r\nGET /?token=** HTTP/1.1\r\nBad\r\n"),
        (b"\n\r\n\rCookie: a\r\n\r\nCookie: b", b"\n\r\n\rCookie: *\r\n\r\nCookie: b"),
        (b"\r\n\r\n", b"\r\n\r\n"),
        (b"X: token: abc\r\n\r\n", b"X: token: abc\r\n\r\n"),
        (b"X: 1\r\n\r\nAuthorization: Basic Zm9v", b"X: 1\r\n\r\nAuthorization: Basic Zm9v"),
    ],
)
def test_the_head_of_an_http_message_is_masked(octets: bytes, masked: bytes) -> None:
    assert redact.http(octets) == masked


def test_smtp_credentials_are_masked() -> None:
    assert redact.smtp(b"EHLO a\r\nAUTH PLAIN AGEAYg==\r\n") == b"EHLO a\r\nAUTH PLAIN ********\r\n"
    assert redact.smtp(b"MAIL FROM:<a@b>\r\n") == b"MAIL FROM:<a@b>\r\n"


@pytest.mark.parametrize("command_id", [1, 2, 9, 11])
def test_the_password_of_an_smpp_bind_is_masked(command_id: int) -> None:
    head = b"\0\0\0\x20" + command_id.to_bytes(4) + bytes(8)
    assert redact.smpp(head + b"esme\0secret\0type\0") == head + b"esme\0******\0type\0"
    assert redact.smpp(head + b"esme\0secr") == head + b"esme\0****"
    assert redact.smpp(head + b"esme") == head + b"esme"


def test_other_smpp_pdus_are_not_touched() -> None:
    pdu = b"\0\0\0\x20\0\0\0\x04" + bytes(8) + b"\0a\0secret\0"
    assert redact.smpp(pdu) == pdu


@pytest.mark.parametrize("tag", ["wsse:Password", "Password", "wsse:Nonce"])
def test_the_credentials_of_ws_security_are_masked(tag: str) -> None:
    body = f'<a><wsse:UsernameToken><{tag} Type="#PasswordText">top</{tag}></wsse:UsernameToken>Password</a>'.encode()
    assert redact.soap(body) == body.replace(b">top<", b">***<")


@pytest.mark.parametrize(
    "content",
    ["<![CDATA[top]]>", "to<!-- -->p", "<b>to</b>p", "to<!-- </Password> -->p", "<![CDATA[</Password>top]]>", "a<b"],
)
@pytest.mark.parametrize("tag", ["Password", "é:Password", "w:BinarySecurityToken"])
def test_credentials_of_several_pieces_are_masked_as_a_whole(content: str, tag: str) -> None:
    told, before = content.encode(), f"<a Token='Password'><{tag}  Type='x'>".encode()
    behind = f"</{tag} ><Nonce/><Subject>Password</Subject></a>".encode()
    assert redact.soap(before + told + behind) == before + b"*" * len(told) + behind


def test_credentials_without_an_end_are_masked_as_far_as_is_looked() -> None:
    assert redact.soap(b"<Password><![CDATA[top") == b"<Password>************"
    assert redact.soap(b"<Password>a</Nonce>") == b"<Password>*********"
    assert redact.soap(b"<Password ") == b"<Password "
    masked = redact.soap(b"<Password>" * 4000)
    assert masked == b"<Password>" + b"*" * (redact._ENVELOPE_OCTETS - 10) + (b"<Password>" * 4000)[16 * 1024 :]


def test_an_envelope_without_them_is_the_same_object() -> None:
    body = b"<Envelope><Subject>a pass word</Subject></Envelope>"
    assert redact.soap(body) is body


@given(st.binary(max_size=200))
def test_masking_keeps_the_length_of_whatever_comes(octets: bytes) -> None:
    for mask in (redact.http, redact.smtp, redact.smpp, redact.soap):
        assert len(mask(octets)) == len(octets)


_PIECES = [
    b"Cookie",
    b"set-cookie",
    b"Authorization",
    b"Proxy-",
    b":",
    b" ",
    b"a",
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\x0b",
]


@given(st.lists(st.sampled_from(_PIECES)))
def test_no_line_with_a_secret_is_passed_over(pieces: list[bytes]) -> None:
    """What the patterns find in the masked head, where a line begins, has nothing but the mask for a secret."""
    masked = redact.http(b"".join(pieces))
    head = masked.partition(b"\r\n\r\n")[0]
    begins = [0, *(at + 1 for at, octet in enumerate(head) if octet in b"\r\n\0\x0b")]
    for pattern in (redact._HTTP_SECRET, redact._COOKIE):
        found = [one for at in begins if (one := pattern.match(head, at)) is not None]
        assert all(set(one["secret"]) <= set(b"*") for one in found)


def test_a_head_like_one_that_was_clean_is_looked_at_where_it_differs() -> None:
    """Fields that had no secret are remembered, whatever their digits; what is in the line before them is not."""
    fields = b"\r\nHost: a\r\nContent-Length: %d\r\n\r\nbody"
    for line in (b"GET / HTTP/1.1", b"GET /2 HTTP/1.1"):
        assert redact.http(line + fields % 12) == line + fields % 12
    assert redact.http(b"GET /?token=ab HTTP/1.1" + fields % 345) == b"GET /?token=** HTTP/1.1" + fields % 345
    assert redact.http(b"Authorization: Basic ab" + fields % 6) == b"Authorization: Basic **" + fields % 6
    assert redact.http(b"GET / HTTP/1.1\r\nX-To1ken: 1" + fields % 6) == b"GET / HTTP/1.1\r\nX-To1ken: 1" + fields % 6
    assert redact.http(b"GET / HTTP/1.1\r\nX-Token: 1" + fields % 6) == b"GET / HTTP/1.1\r\nX-Token: *" + fields % 6
    for number in (1, 2):  # a whole head is remembered, too
        assert redact.http(b"POST /%d HTTP/1.1" % number + fields % 6) == b"POST /%d HTTP/1.1" % number + fields % 6
    assert redact.http(b"POST /1?pwd=22 HTTP/1.1" + fields % 6) == b"POST /1?pwd=** HTTP/1.1" + fields % 6


def test_what_is_remembered_is_bounded() -> None:
    for number in range(2000):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        for method in ("GET", "POST"):
            redact.http(f"{method} / HTTP/1.1\r\n{name}: 1\r\n\r\n".encode())
    redact.http(b"GET / HTTP/1.1\r\nLong: " + b"a" * 5000 + b"\r\n\r\n")
    for clean in (redact._clean_heads, redact._clean_fields):
        assert 0 < len(clean) <= redact._MOST_REMEMBERED
        assert max(map(len, clean)) <= redact._LONGEST_REMEMBERED


@pytest.mark.parametrize(
    "before",
    [b"<Envelope>", b"<!-- </env:Envelope> --><env:Envelope xmlns:env='e'>", b"<?x Envelope>?><Envelope>"],
)
@pytest.mark.parametrize("behind", [b"</Envelope>", b"</env:Envelope>" + bytes(20_000), b" " * 17_000 + b"</Envelope>"])
def test_a_word_before_the_header_hides_no_password(before: bytes, behind: bytes) -> None:
    """Comments, and an envelope without attributes, end in the word by which its end is found."""
    told = before + b"<Header><wsse:Password Type='x'>hunter2</wsse:Password></Header><Body/>" + behind
    masked = redact.soap(told)
    assert b"hunter2" not in masked
    assert len(masked) == len(told)
