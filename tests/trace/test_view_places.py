"""Octets of text protocols: where elements, header fields, parts and lines stand."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from mmsc.trace.view import View, every, look
from mmsc.trace.view.xml_places import elements
from protocols import mime, mm7
from protocols.content_type import ContentType
from tests.cases import Case, cases

DIALECT = mm7.dialect(mm7.BASE + mm7.LATEST)
XML = [one for one in cases("mm7") if one.octets.lstrip().startswith(b"<") and not one.is_refused]
NAMES = st.sampled_from(["a", "b", "c", "x:d"])
TEXTS = st.text("abc <>&\"'\né]", max_size=8)


def trees() -> st.SearchStrategy[str]:
    def element(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        escaped = TEXTS.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
        inside = st.lists(escaped | children | st.just("<!-- <a> -->") | st.just("<![CDATA[<b>&x;]]>"), max_size=3)
        attribute = escaped.map(lambda text: f' k="{text.replace(chr(34), "&quot;")}"') | st.just("")
        return st.builds(lambda n, a, i: f"<{n}{a}>{''.join(i)}</{n}>", NAMES, attribute, inside) | NAMES.map(
            "<{} />".format
        )

    return st.recursive(NAMES.map("<{}/>".format), element, max_leaves=12)


def by_lxml(octets: bytes) -> list[tuple[str, int, dict[str, str], str]]:
    root = etree.fromstring(octets)
    return [
        (
            etree.QName(one).localname,
            len(list(one.iterancestors())),
            {etree.QName(str(name)).localname: str(value) for name, value in one.attrib.items()},
            "".join([one.text or "", *(child.tail or "" for child in one)]).strip(),
        )
        for one in root.iter(etree.Element)
    ]


def by_us(octets: bytes) -> list[tuple[str, int, dict[str, str], str]]:
    return [
        (
            one.name,
            len(one.path) - 1,
            {name.rpartition(":")[2]: value for name, value in one.attributes if not name.startswith("xmlns")},
            one.text,
        )
        for one in elements(octets)
    ]


@pytest.mark.parametrize("case", XML, ids=lambda one: one.stem)
def test_elements_are_those_of_lxml(case: Case) -> None:
    """By name, depth, attributes and text; and each range is an element of its own."""
    assert [one[:2] for one in by_us(case.octets)] == [one[:2] for one in by_lxml(case.octets)]
    for one in elements(case.octets):
        assert case.octets[one.start : one.start + 1] == b"<"
        assert case.octets[one.end - 1 : one.end] == b">"


@given(trees())
@example("<a>]]&gt;<b k='1'\n/></a>")
def test_made_up_documents_are_read_as_lxml_reads_them(text: str) -> None:
    octets = f'<root xmlns:x="urn:x">{text}</root>'.encode()
    mine, theirs = by_us(octets), by_lxml(octets)
    assert [one[:2] for one in mine] == [one[:2] for one in theirs]
    assert [" ".join(one[3].split()) for one in mine] == [" ".join(one[3].split()) for one in theirs]


@given(st.binary(max_size=60).map(lambda noise: b"<a><b k='v'>" + noise + b"</b></a>"))
def test_what_is_no_xml_ends_the_search_and_nothing_else(octets: bytes) -> None:
    for one in elements(octets):
        assert 0 <= one.start < one.inner <= one.end <= len(octets)


def test_a_sender_cannot_make_the_search_long() -> None:
    assert len(elements(b"<a>" * 100_000)) <= 64
    assert len(elements(b'<a b="' * 100_000)) <= 1
    assert len(elements(b"<a/>" * 100_000)) <= 5000


def submission() -> tuple[str, bytes]:
    assert DIALECT is not None
    request = mm7.SubmitReq(
        vasp_id="weather", to=(mm7.Address("+15550142"),), subject="Grüße", content_href="cid:content"
    )
    picture = mime.OutPart(ContentType("image/jpeg"), bytes(300), "i", "i.jpg", encoding="base64")
    inner = mime.write_parts((picture,), "in")
    content = mime.OutPart(ContentType("multipart/mixed", (("boundary", "in"),)), inner, "content")
    return mm7.encode_with_content(mm7.Envelope("t1", DIALECT, request), content, "seed")


def places(view: View, base: int = 0) -> dict[str, tuple[int, int]]:
    found = {row.name: (base + row.start, base + row.end) for row in view.rows if row.start >= 0}
    for inner in view.inside:
        if inner.at >= 0:
            found = places(inner, base + inner.at) | found
    return found


def test_each_layer_of_a_submission_has_its_place_in_the_whole() -> None:
    content_type, body = submission()
    octets = f"POST /mm7 HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n\r\n".encode() + body
    found = places(look(octets))

    def octets_of(name: str) -> bytes:
        start, end = found[name]
        return octets[start:end]

    assert octets_of("request line") == b"POST /mm7 HTTP/1.1"
    assert octets_of("Host") == b"Host: x"
    assert b"weather" in octets_of("SenderIdentification / VASPID")
    assert octets_of("Subject").decode() == "<mm7:Subject>Grüße</mm7:Subject>" or b"Gr" in octets_of("Subject")
    assert octets_of("Recipients / To / Number").startswith(b"<")
    assert b"t1" in octets_of("TransactionID")
    [picture] = [one for one in every(look(octets)) if one.kind == "content"]
    assert (picture.octets, picture.at) == (bytes(300), -1)


def test_a_finding_stands_where_its_element_does() -> None:
    octets = submission()[1]
    wrong = octets.replace(b"<Subject>", b"<subject>").replace(b"</Subject>", b"</subject>")
    if wrong == octets:
        wrong = octets.replace(b"Subject>", b"subject>")
    [soap] = [one for one in every(look(wrong)) if one.kind == "MM7"]
    placed = {one.rule: soap.octets[one.offset : one.offset + 20] for one in soap.findings if one.offset >= 0}
    assert any(b"ubject" in start for start in placed.values()), soap.findings


def test_a_cut_body_is_shown_as_far_as_it_goes() -> None:
    content_type, body = submission()
    for end in range(0, len(body), 37):
        octets = f"POST / HTTP/1.1\r\nContent-Type: {content_type}\r\n\r\n".encode() + body[:end]
        for view in every(look(octets)):
            for inner in view.inside:
                assert inner.at < 0 or view.octets[inner.at : inner.at + len(inner.octets)] == inner.octets


def test_an_smtp_transaction_is_commands_and_a_mail() -> None:
    [case] = [one for one in cases("mm4") if one.stem.startswith("01")]
    octets = b"MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n" + case.octets
    view = look(octets)
    assert (view.kind, view.title) == ("SMTP", "MAIL FROM <a@x>, 2 recipients")
    assert [row.name for row in view.rows] == ["MAIL FROM", "RCPT TO", "RCPT TO", "DATA"]
    start, end = places(view)["X-Mms-Message-Type"]
    assert octets[start:end].startswith(b"X-Mms-Message-Type: MM4_")
    assert look(b"250 2.0.0 taken\r\n").title == "250 2.0.0 taken"
    assert look(b"250-a\r\n250 b\r\n").kind == "SMTP"
