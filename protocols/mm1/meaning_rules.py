"""Rules of MM1 about what PDUs mean (OMA-TS-MMS_ENC 6), where `rules.py` has those about how they are written. Who
reads octets cannot see their breach; who serves the handsets does. Names are permanent and never used twice."""

from typing import Final

from protocols.rules import Rule

_WHERE: Final = "what user agents send"


def _rule(number: int, clause: str, text: str, why: str, good: str, bad: str) -> Rule:
    return Rule(
        name=f"MM1-H{number:03}",
        clause=f"OMA-TS-MMS_ENC {clause}",
        text=text,
        why=why,
        where=_WHERE,
        good=good,
        bad=bad,
    )


REUSED: Final = _rule(
    10,
    "7.3.63",
    "A client gives each transaction an X-Mms-Transaction-ID of its own.",
    "The same one with another content is taken for a new message; elsewhere the client may be told the outcome of the"
    " old one. A client that restarts its counter is the usual cause.",
    "m-send-req t1, then m-send-req t2",
    "m-send-req t1, then m-send-req t1 with another content",
)
NOT_UNDERSTOOD: Final = _rule(
    900,
    "7.3.54",
    "A client understands a notification of the version that it speaks.",
    "It is told once more in 1.0 form, without optional fields; then the MM falls back to a link, or is reported"
    " Indeterminate.",
    "m-notifyresp-ind with X-Mms-Status: Deferred",
    "m-notifyresp-ind with X-Mms-Status: Unrecognised",
)
NOT_ACKNOWLEDGED: Final = _rule(
    901,
    "6.3",
    "A client that fetched an MM acknowledges it: m-notifyresp-ind Retrieved, or m-acknowledge-ind.",
    "After `unacknowledged_after` it is taken for retrieved; whether the originator has a report of it is a setting.",
    "GET, then m-notifyresp-ind with X-Mms-Status: Retrieved",
    "GET, then nothing",
)
NOBODY_KNOWN: Final = _rule(
    902,
    "6.6.1",
    "A read report comes from a subscriber.",
    "Without an identity nobody can tell whose it is: it is not passed on.",
    "m-read-rec-ind with the MSISDN that the gateway added",
    "m-read-rec-ind from nobody we know",
)
NEVER_TOLD: Final = _rule(
    903,
    "6.6.1",
    "A read report is about an MM that its sender was told of.",
    "Its Message-ID names none: it is not passed on.",
    "m-read-rec-ind with the Message-ID of the m-retrieve-conf",
    "m-read-rec-ind with a Message-ID of another MMSC",
)
NOT_THE_SENDER: Final = _rule(
    904,
    "6.6.1",
    "To of a read report is the originator of the MM.",
    "Somebody else would learn who reads what: it is not passed on.",
    "m-read-rec-ind with To as From of the m-retrieve-conf",
    "m-read-rec-ind with To of a third subscriber",
)
FOREIGN_FROM: Final = _rule(
    905,
    "7.3.21",
    "From is the client's own address, or the insert-address-token.",
    "A submission gets the subscriber's own address in its place, or is refused by setting; a read report in another's"
    " name is not passed on.",
    "From: insert-address-token",
    "From: another subscriber's number",
)
NOT_ASKED_FOR: Final = _rule(
    906,
    "6.6.1",
    "A read report is sent where the MM asked for one.",
    "Nobody waits for it: it is kept on record and not passed on.",
    "m-read-rec-ind after X-Mms-Read-Report: Yes",
    "m-read-rec-ind after X-Mms-Read-Report: No",
)
MEANING_RULES: Final = (
    *(REUSED, NOT_UNDERSTOOD, NOT_ACKNOWLEDGED, NOBODY_KNOWN, NEVER_TOLD, NOT_THE_SENDER, FOREIGN_FROM),
    NOT_ASKED_FOR,
)
