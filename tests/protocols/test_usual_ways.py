"""Short ways for what nearly every request looks like: they say what the thorough way says (TS 23.140 8.7.8; SOAP 1.1
clause 4; RFC 2045 5)."""

import gc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from protocols import header_fields, mime, mm7
from protocols.mm7 import elements
from protocols.mm7.namespaces import ENVELOPE
from protocols.mm7.soap import open_envelope

LATEST = mm7.BASE + mm7.LATEST
NAMESPACES = st.sampled_from(
    [LATEST, LATEST, LATEST, mm7.BASE + "REL-5-MM7-1-0", LATEST + ".xsd", "urn:x", "", ENVELOPE]
)
NAMES = st.sampled_from(["TransactionID", "TransactionID", "SubmitReq", "SubmitReq", "Fault", "Security"])
SOAP_NAMES = st.sampled_from(["Header", "Body", "Header", "Body", "Envelope"])
SOAP_NAMESPACES = st.sampled_from([ENVELOPE] * 4 + ["http://schemas.xmlsoap.org/soap/soap-envelope", ""])
TEXTS = st.sampled_from(["bench-1", "", " a\n"])

Node = tuple[str, str, str, list[Any]]  # namespace, name, text, children
NOTHING: st.SearchStrategy[list[Any]] = st.builds(list)
BLOCK = st.tuples(NAMESPACES, NAMES, TEXTS, NOTHING)
BLOCKS = st.lists(BLOCK, max_size=2)
PARTS = st.lists(st.tuples(SOAP_NAMESPACES, SOAP_NAMES, TEXTS, BLOCKS), max_size=3)
ENVELOPES = st.tuples(SOAP_NAMESPACES, st.sampled_from(["Envelope", "Envelope", "Body"]), TEXTS, PARTS)


def whole(header: list[Node], body: list[Node], *names: str) -> Node:
    """An Envelope with both, or what else they are called."""
    root, first, second = names or ("Envelope", "Header", "Body")
    return (ENVELOPE, root, "", [(ENVELOPE, first, "", header), (ENVELOPE, second, "", body)])


NEARLY_USUAL = st.builds(whole, st.lists(BLOCK, min_size=1, max_size=1), st.lists(BLOCK, min_size=1, max_size=1))
TRANSACTION: Node = (LATEST, "TransactionID", " t ", [])
SUBMIT: Node = (LATEST, "SubmitReq", "", [])


def written(node: Node) -> str:
    """A tree as text."""
    namespace, name, text, inner = node
    return f'<{name} xmlns="{namespace}">{text}{"".join(map(written, inner))}</{name}>'


def opened(root: etree._Element) -> tuple[object, ...]:
    """What an envelope says, or why it is refused."""
    try:
        one = open_envelope(root)
    except mm7.Mm7Error as error:
        return (error.status, error.where, error.reason, error.fault_code, error.transaction_id, error.dialect)
    return (one.transaction_id, one.dialect, one.operation, one.element, one.envelope_namespace, one.header_dialect)


@given(ENVELOPES | NEARLY_USUAL)
@example(whole([TRANSACTION], [SUBMIT]))
@example(whole([TRANSACTION], [SUBMIT, SUBMIT]))
@example(whole([TRANSACTION, TRANSACTION], [SUBMIT]))
@example(whole([TRANSACTION], [SUBMIT], "Body", "Header", "Body"))
@example(whole([TRANSACTION], [SUBMIT], "Envelope", "Headers", "Body"))
@example(whole([TRANSACTION], [SUBMIT], "Envelope", "Header", "Header"))
def test_an_envelope_is_opened_alike(node: Node) -> None:
    """What else an Envelope holds is passed over, and makes it one that is not usual."""
    root = etree.fromstring(written(node))
    said = opened(root)
    etree.SubElement(root, "{urn:x}more")
    assert opened(root) == said


PIECES = st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b" ", b"content-id: <a>", b"x: y", b"z" * 300])


@given(st.lists(PIECES, max_size=8).map(b"".join))
@example(b"content-id: <a>\r\nx: y\r\n\r\nz")
@example(b"content-id: <a>\n\nx: y\r\n\r\nz")
@example(b"\r\nx: y\r\n\r\nz")
def test_the_head_of_a_part_ends_at_its_first_empty_line(octets: bytes) -> None:
    block, data = mime.split_headers(octets)
    part = mime.parse_part(octets)
    assert (part.headers, part.data) == (header_fields.parse_headers(block), data)


def test_what_is_remembered_of_heads_is_no_body() -> None:
    for octets in (b"Content-Type: text/plain\n\nSECRET 1\r\n\r\nBye", b"\r\nSECRET 2\r\n\r\nBye"):
        mime.parse_part(octets)
    assert "SECRET" not in repr(gc.get_referents(mime._remembered_head))


@pytest.mark.parametrize(
    ("attributes", "href", "allows"),
    [
        ('href="cid:a"', "cid:a", None),
        ('href=" cid:a "', "cid:a", None),
        ('href="cid:a" allowAdaptations="true"', "cid:a", True),
        ('allowAdaptations="false" href="cid:a"', "cid:a", False),
        ('xmlns:q="urn:q" q:href="cid:b"', "cid:b", None),
        ('xmlns:q="urn:q" q:href="cid:b" href="cid:a"', "cid:b", None),
        ('allowAdaptations="1"', "", True),
        ("", "", None),
    ],
)
def test_content_is_what_its_attributes_say(attributes: str, href: str, allows: bool | None) -> None:
    element = etree.fromstring(f"<Content {attributes}/>")
    assert elements.content({"Content": element}, "SubmitReq") == (href, allows)
