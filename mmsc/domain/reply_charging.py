"""Reply charging (TS 23.140 7.1.7): a sender offers to pay for the first reply of each recipient, within limits. The
offer stands in the details of its MM, in the words of MM7; a reply names the MM and is held against the offer."""

from collections.abc import Mapping
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import Content
from protocols.records import record

OFFERED: Final = "reply_charging"  # in an MM's details: one of the two words
SIZE: Final = "reply_charging_size"
DEADLINE: Final = "reply_deadline"
ANSWERS: Final = "reply_charging_id"  # in a reply's details: the Message-ID of the MM with the offer
PAID_BY: Final = "charged_party"  # in a reply's details, as a VASP says it: "recipient" when its recipient pays
ANY: Final = "requested"
TEXT_ONLY: Final = "requested text only"
_TEXT: Final = ("text/", "application/smil")


@record(frozen=True, slots=True)
class Offer:
    """What the sender of an MM pays for: a reply until `deadline` of at most `size` octets (encoded content, as all
    sizes are), None for as long and as large as others may be."""

    text_only: bool = False
    deadline: Instant | None = None
    size: int | None = None


def kept(offer: Offer) -> dict[str, str]:
    """As it stands in an MM's details."""
    found = {OFFERED: TEXT_ONLY if offer.text_only else ANY}
    if offer.deadline is not None:
        found[DEADLINE] = str(offer.deadline)
    if offer.size is not None:
        found[SIZE] = str(offer.size)
    return found


def offer_of(details: Mapping[str, str]) -> Offer | None:
    """The offer of an MM with these details, None when it makes none."""
    if OFFERED not in details:
        return None
    deadline, size = details.get(DEADLINE), details.get(SIZE)
    return Offer(
        details[OFFERED] == TEXT_ONLY,
        None if deadline is None else Instant(int(deadline)),
        None if size is None else int(size),
    )


def why_not(offer: Offer | None, content: Content, now: Instant) -> str:
    """Which limit of the offer this reply breaks, "" when it is within all of them."""
    if offer is None:
        return "no reply to this MM was offered to be paid for"
    if offer.deadline is not None and now >= offer.deadline:
        return "the deadline for replies is over"
    if offer.size is not None and len(content.body) > offer.size:
        return f"a reply of {len(content.body)} octets, the limit is {offer.size}"
    if offer.text_only:
        for part in content.parts:
            if not part.content_type.strip().lower().startswith(_TEXT):
                return f"replies are limited to text, and there is {part.content_type.partition(';')[0].strip()}"
    return ""
