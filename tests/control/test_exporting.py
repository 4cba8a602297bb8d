"""What leaves for a partner also when the octets of a story are gone: no number in any of its forms."""

import base64
import dataclasses

import msgspec
import pytest

from mmsc.control.exporting import for_partner, ladder_seen, pdu_whole
from mmsc.trace.ladder.svg import svg
from mmsc.trace.ladder.text import text
from tests.trace.stories import stories, story


@pytest.mark.parametrize("gone", [False, True], ids=["octets", "gone"])
@pytest.mark.parametrize("name", stories())
def test_no_number_is_left_with_octets_and_without(name: str, gone: bool) -> None:
    whole = story(name).traffic()
    numbers = [one.key.removeprefix("phone:+") for one in whole.ladder().columns if one.key.startswith("phone:+")]
    traffic = dataclasses.replace(whole, pdus=()) if gone else whole
    shown, made = for_partner(traffic, traffic.ladder())
    pdus = [pdu_whole(one) for one in shown.pdus]
    told = [text(made), svg(made), msgspec.json.encode((ladder_seen(made), pdus)).decode()]
    told += [base64.b64decode(octets).decode("latin-1") for one in pdus for octets in one.buffers]
    assert not [number for number in numbers for one in told if number[-8:] in one]
