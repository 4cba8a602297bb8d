"""What an offer to pay for replies covers (TS 23.140 7.1.7)."""

import pytest

from mmsc.domain.instant import Instant
from mmsc.domain.message import Content, Part
from mmsc.domain.reply_charging import Offer, kept, offer_of, why_not
from tests.domain.test_rules import T0

MIXED = "application/vnd.wap.multipart.mixed"


def reply(*types: str) -> Content:
    """A reply of ten octets."""
    return Content(MIXED, b"\0" * 10, tuple(Part(one, "", "", 0, 1) for one in types))


@pytest.mark.parametrize("offer", [Offer(), Offer(True), Offer(False, T0, 7), Offer(True, T0), Offer(size=1)])
def test_what_is_kept_is_read_back(offer: Offer) -> None:
    assert offer_of(kept(offer)) == offer


def test_an_mm_without_an_offer_makes_none() -> None:
    assert offer_of({"vasp_id": "news"}) is None
    assert why_not(None, reply(), T0) == "no reply to this MM was offered to be paid for"


@pytest.mark.parametrize(
    ("offer", "content", "why"),
    [
        (Offer(), reply("image/jpeg"), ""),
        (Offer(deadline=Instant(T0 + 1), size=10), reply("image/jpeg"), ""),
        (Offer(deadline=T0), reply(), "the deadline for replies is over"),
        (Offer(size=9), reply(), "a reply of 10 octets, the limit is 9"),
        (Offer(True), reply("text/plain; charset=utf-8", "Application/SMIL", "text/x-vcard"), ""),
        (Offer(True), reply("text/plain", "image/jpeg; a=b"), "replies are limited to text, and there is image/jpeg"),
        (Offer(True), reply(), ""),
    ],
)
def test_each_limit(offer: Offer, content: Content, why: str) -> None:
    assert why_not(offer, content, T0) == why
