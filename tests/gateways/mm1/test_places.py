"""Which Content-Locations are ours (OMA-TS-MMS_ENC 7.3.10)."""

import pytest

from mmsc.engine.box_ports import Place
from mmsc.gateways.mm1.mmbox_translate import place_of


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("http://mms.example/m/abc", Place("abc", boxed=False)),
        ("/b/a_b-c/T1?x#y", Place("a_b-c", boxed=True)),
        ("http://mms.example/b/", None),
        ("/m/abc!", None),
        (f"/m/{'a' * 101}", None),
        ("", None),
    ],
)
def test_a_location_is_a_token_of_ours_or_nothing(location: str, place: Place | None) -> None:
    assert place_of(location) == place


@pytest.mark.parametrize("end", ["\n!", "!", "\n"])
def test_a_location_without_end_is_looked_at_once(end: str) -> None:
    """A PDU has room for 2 MB of it: a search in the square of that would stop the server for hours."""
    assert place_of("/m/!" * 500_000 + end) is None
    assert place_of("/m/a" * 500_000 + end) == Place("a", boxed=False)
