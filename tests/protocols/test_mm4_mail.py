"""Mails of MM4 against an independent hand: Python's email package reads what we write, and writes what we read."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import mime, mm4
from protocols.content_type import ContentType

OPAQUE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60).filter(
    lambda text: text[0] + text[-1] not in ('""', "<>")  # a reader takes those off
)
WORD = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=60)
NAME = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=90).filter(
    lambda text: text == text.strip()
)
PARTS = st.lists(
    st.builds(
        lambda name, data, content_id, location: mime.OutPart(
            ContentType("image/jpeg", (("name", name),)), data, content_id, location, "base64"
        ),
        WORD,
        st.binary(max_size=100),
        WORD,
        WORD,
    ),
    min_size=1,
    max_size=3,
)
REQ = mm4.ForwardReq(from_="+15550100123/TYPE=PLMN", transaction_id="t", message_id="m")


@settings(max_examples=200, deadline=None)
@given(OPAQUE, OPAQUE, OPAQUE, st.lists(WORD, max_size=5).map(" ".join), PARTS)
def test_what_we_write_says_the_same_to_both(
    transaction_id: str, message_id: str, other: str, subject: str, parts: list[mime.OutPart]
) -> None:
    request = mm4.ForwardReq(
        transaction_id=transaction_id,
        message_id=message_id,
        from_="+15550100123/TYPE=PLMN",
        sender="mms-system@mms.example",
        to=("+16660100123/TYPE=PLMN",),
        date=datetime(2026, 11, 26, tzinfo=UTC),
        subject=subject,
        applic_id=other,
        unknown=(("x-mms-own", other),),
    )
    octets = mm4.encode(request, (ContentType("multipart/mixed"), parts))
    assert octets.isascii()
    read = mm4.decode(octets).message
    assert isinstance(read, mm4.ForwardReq)
    for name in ("transaction_id", "message_id", "subject", "applic_id", "unknown", "from_", "to", "sender", "date"):
        assert getattr(read, name) == getattr(request, name)
    assert read.content is not None
    ours = [(one.content_type, one.data, one.content_id, one.content_location) for one in read.content.parts]
    assert ours == [(one.content_type, one.data, one.content_id, one.content_location) for one in parts]
    theirs = message_from_bytes(octets, policy=policy.SMTP)
    assert (theirs["X-Mms-Transaction-ID"], theirs["X-Mms-Own"]) == (transaction_id, other)
    assert (theirs["Subject"] or "") == subject
    assert [_seen(one) for one in theirs.iter_parts()] == [(one.content_type.get("name"), one.data) for one in parts]


def _seen(part: MIMEPart) -> tuple[str | None, object]:
    return part.get_filename(), part.get_payload(decode=True)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.just(""), NAME),
    st.text(max_size=200),
    st.lists(st.tuples(NAME, st.binary(max_size=80)), max_size=3),
    st.sampled_from(("base64", "quoted-printable", "8bit")),
    st.sampled_from(("attachment", "inline")),
)
def test_what_python_writes_says_the_same_to_us(
    subject: str, text: str, files: list[tuple[str, bytes]], encoding: str, disposition: str
) -> None:
    """File names in all letters (RFC 2231, in pieces where they are long), every transfer encoding."""
    theirs = EmailMessage(policy=policy.SMTP)
    for name, value in (("Type", "MM4_forward.REQ"), ("ID", "m")):
        theirs[f"X-Mms-Message-{name}"] = value
    theirs["X-Mms-Transaction-ID"], theirs["From"], theirs["Subject"] = (
        "t",
        "<+15550100123/TYPE=PLMN@x.example>",
        subject,
    )
    theirs.set_content(f"so: {text}", cte=encoding if text.isprintable() else "base64")
    for file_name, data in files:
        theirs.add_attachment(data, "image", "jpeg", filename=file_name, disposition=disposition, cid="<a@b>")
    read = mm4.decode(theirs.as_bytes()).message
    assert isinstance(read, mm4.ForwardReq)
    assert (read.from_, read.subject) == ("+15550100123/TYPE=PLMN@x.example", subject)
    assert read.content is not None
    first, *attached = read.content.parts or (read.content,)
    assert [(one.content_location, one.data, one.content_id) for one in attached] == [(*one, "a@b") for one in files]
    body = theirs.get_body()
    assert body is not None
    assert first.data.decode().splitlines() == body.get_content().splitlines()


@pytest.mark.parametrize("value", ["=?utf-8?q?caf=C3=A9?=", "=?x", "a =? b ?= c"])
def test_what_looks_like_an_encoded_word_stands_as_it_came(value: str) -> None:
    """8.4.4: ids are echoed and unknown fields travel on; encoded once more they would mean something else."""
    res = mm4.ForwardRes(transaction_id="t", message_id="M", unknown=(("x-mms-own", "O"),))
    came = mm4.encode(res).replace(b"-ID: M", f"-ID: {value}".encode()).replace(b"own: O", f"own: {value}".encode())
    read = mm4.decode(came).message
    octets = mm4.encode(read)
    assert f"x-mms-own: {value}\r\n".encode() in octets
    assert mm4.decode(octets).message == read
    if not value.endswith("?="):
        assert f"X-Mms-Message-ID: {value}\r\n".encode() in octets


@pytest.mark.parametrize("name", ['a"b', "a b", "a;charset", "größe", "a=b", ""])
def test_a_parameter_without_a_proper_name_spoils_no_other(name: str) -> None:
    """RFC 2045 5.1: in WSP any text may stand there (WAP-230-WSP 8.4.2.4)."""
    media = ContentType("image/jpeg", ((name, ';charset="x'), ("charset", "utf-8")))
    octets = mm4.encode(REQ, (ContentType("multipart/mixed"), [mime.OutPart(media, b"x")]))
    read = mm4.decode(octets).message
    assert isinstance(read, mm4.ForwardReq)
    assert read.content is not None
    assert read.content.parts[0].content_type == ContentType("image/jpeg", (("charset", "utf-8"),))


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_multiparts_within_come_back(parts: int) -> None:
    """RFC 2046 5.1: what was read is written again, however deep; a multipart may also have no parts."""
    theirs = EmailMessage(policy=policy.SMTP)
    theirs["X-Mms-Message-Type"], theirs["X-Mms-Message-ID"] = "MM4_forward.REQ", "m"
    theirs["X-Mms-Transaction-ID"], theirs["From"] = "t", "+15550100123/TYPE=PLMN"
    theirs.make_mixed()
    inner = EmailMessage(policy=policy.SMTP)
    inner.make_alternative()
    for number in range(parts):
        inner.add_alternative(f"{number}", subtype="html")
    theirs.attach(inner)
    theirs.add_attachment(b"--=_t_0\r\n", "image", "jpeg", filename="ä.jpg")
    read = mm4.decode(theirs.as_bytes()).message
    assert isinstance(read, mm4.ForwardReq)
    again = mm4.decode(mm4.encode(read)).message
    assert isinstance(again, mm4.ForwardReq)
    assert _tree(again.content) == _tree(read.content)
    assert _tree(read.content)[2][0][0] == "multipart/alternative"  # type: ignore[index]


def _tree(part: mime.MimePart | None) -> tuple[str, bytes, list[object], str]:
    assert part is not None
    data = b"" if part.content_type.media_type.startswith("multipart/") else part.data
    return part.content_type.media_type, data, [_tree(one) for one in part.parts], part.content_location
