"""A body in a text field and back: the same octets, also after a browser has ended all lines with CRLF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.console.replay import form_of, octets_of, written

BODIES = st.one_of(st.binary(max_size=300), st.text("ab<-\r\n\\x0aé", max_size=60).map(str.encode))


@given(BODIES)
def test_what_is_shown_comes_back(body: bytes) -> None:
    form = form_of(body)
    shown = written(body, form)
    assert octets_of(shown, form) == body
    assert octets_of(shown.replace("\r\n", "\n").replace("\n", "\r\n"), form) == body


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"<a>\r\n</a>", "text"),
        (b"<a>\n</a>", "text-lf"),
        (b"--b\r\nx\n\xff", "escaped"),
        (b"\x8c\x80", "hex"),
        (bytes(20_000), "same"),
    ],
)
def test_the_form_fits_the_body(body: bytes, form: str) -> None:
    assert form_of(body) == form


def test_what_is_no_hexadecimal_is_told() -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        octets_of("0g", "hex")
