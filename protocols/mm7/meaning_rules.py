"""Rules of MM7 about what values mean (TS 23.140 8.7.1), where `rules.py` has those about how they are written. Who
reads octets cannot see their breach; who serves the request does. Names are permanent and never used twice."""

from typing import Final

from protocols.rules import Rule

_CLAUSE: Final = "TS 23.140 8.7.1"
_WHERE: Final = "in a SubmitReq, behind Recipients"


def _rule(number: int, text: str, why: str, good: str, bad: str, where: str = _WHERE, clause: str = _CLAUSE) -> Rule:
    return Rule(name=f"MM7-R{number}", clause=clause, text=text, why=why, where=where, good=good, bad=bad)


CONDITION: Final = _rule(
    100,
    "DC is a delivery condition that both sides know.",
    "Nothing here stands for the number: the MM is delivered as if it were not there.",
    "<DeliveryCondition><DC>1</DC></DeliveryCondition>",
    "<DeliveryCondition><DC>77</DC></DeliveryCondition>",
)
AUTO: Final = _rule(
    101,
    "A message of class Auto asks for no reports.",
    "None is sent for it (OMA-TS-MMS_ENC 7.3.27): who waits for one waits for ever.",
    "<MessageClass>Informational</MessageClass><DeliveryReport>true</DeliveryReport>",
    "<MessageClass>Auto</MessageClass><DeliveryReport>true</DeliveryReport>",
)
MESSAGE_CLASS: Final = _rule(
    102,
    "MessageClass is Personal, Informational, Advertisement or Auto.",
    "Handsets that filter by class take an unknown one for Personal.",
    "<MessageClass>Informational</MessageClass>",
    "<MessageClass>News</MessageClass>",
)
TIME_STAMP: Final = _rule(
    103,
    "TimeStamp is when the message was submitted, by a clock that is right.",
    "Another time is not believed: the MM carries that of its reception, and so do the records of both sides differ.",
    "<TimeStamp>2026-11-27T10:00:00Z</TimeStamp>",
    "<TimeStamp>1970-01-01T00:00:00Z</TimeStamp>",
)
EXPIRY: Final = _rule(
    104,
    "ExpiryDate lies within what the MMSC keeps messages for.",
    "It is kept as long as the operator allows, and reported Expired then.",
    "<ExpiryDate>P3D</ExpiryDate>",
    "<ExpiryDate>P10Y</ExpiryDate>",
)
CONTENT_CLASS: Final = _rule(
    105,
    "The content has the media types and the size of its ContentClass (OMA-TS-MMS_CONF).",
    "Handsets are chosen, and content is adapted, by the class that was declared. An operator may refuse with 2004.",
    "<ContentClass>video-basic</ContentClass>, with 90 KB of video/3gpp",
    "<ContentClass>text</ContentClass>, with image/jpeg",
)
DRM_CONTENT: Final = _rule(
    106,
    "DRMContent is true where, and only where, the content is protected.",
    "Protected media may be neither adapted nor shown on a web page; unprotected ones may be, whatever the flag says.",
    "<DRMContent>true</DRMContent>, with application/vnd.oma.drm.message",
    "<DRMContent>true</DRMContent>, with image/jpeg",
)
CHARGED_PARTY: Final = _rule(
    107,
    "ChargedParty is Sender, Recipient, Both or Neither, and from REL-6 on ThirdParty, whom ChargedPartyID names.",
    "What it does not name cannot be charged: the record says nothing about the party.",
    "<ChargedParty>ThirdParty</ChargedParty><ChargedPartyID>sponsor</ChargedPartyID>",
    "<ChargedParty>ThirdParty</ChargedParty>",
)
REUSED_TRANSACTION_ID: Final = _rule(
    900,
    "A TransactionID names one request.",
    "An MMSC that goes by the identifier alone takes the second request for a repeat of the first, and sends nothing.",
    "<TransactionID>t-2</TransactionID>",
    "<TransactionID>t-1</TransactionID>",
    "the second request in a day",
    "TS 23.140 8.7.8",
)
LINKED_ID: Final = _rule(
    901,
    "LinkedID names an MM that was delivered to this VASP.",
    "Elsewhere the request is refused with 2006; here it is where the VASP's setting does not say otherwise.",
    "<LinkedID>LINKEDID-OF-A-DELIVERREQ</LinkedID>",
    "<LinkedID>anything-else</LinkedID>",
)
MEANING_RULES: Final = (
    *(CONDITION, AUTO, MESSAGE_CLASS, TIME_STAMP, EXPIRY, CONTENT_CLASS, DRM_CONTENT, CHARGED_PARTY),
    *(REUSED_TRANSACTION_ID, LINKED_ID),
)
