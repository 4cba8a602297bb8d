"""Content built from MIME parts knows where its parts lie without reading itself back (WAP-230-WSP 8.5)."""

from itertools import product

import pytest

from mmsc.gateways.content import MIXED, build, from_wsp
from protocols.content_type import ContentType
from protocols.wsp.multipart import Part

TYPES = (
    "image/jpeg",
    "text/plain; charset=utf-8",
    "text/plain; charset=iso-8859-1; name=a.txt",
    'image/gif; name="a b.gif"',
    "application/x-odd; x-foo=bar",
)


@pytest.mark.parametrize("text", TYPES)
def test_the_index_is_what_reading_back_gives(text: str) -> None:
    for content_id, location in product(("", "a", "a@b"), ("", "x.jpg", "a b", "é.jpg")):
        parts = [
            Part(ContentType.parse(text), b"one", content_id, location),
            Part(ContentType.parse(text), bytes(200), "two", "two"),
        ]
        content = build(parts)
        assert content == from_wsp(ContentType(MIXED), content.body)
        assert [content.octets_of(part) for part in content.parts] == [b"one", bytes(200)]


def test_nothing_is_laid_out_as_nothing() -> None:
    assert build([]) == from_wsp(ContentType(MIXED), b"\x00")
