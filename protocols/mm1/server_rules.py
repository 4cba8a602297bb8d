"""Rules of MM1 that no PDU breaks by itself: what a handset says does not fit what the MMSC knows of it and its MMs
(OMA-TS-MMS_ENC 6). The server remarks them; their examples are in words."""

from typing import Final

from protocols.rules import Rule

SERVER: Final = "what the server makes of several PDUs"
_E: Final = "OMA-TS-MMS_ENC "


def _rule(number: int, clause: str, text: str, why: str, good: str, bad: str) -> Rule:
    return Rule(name=f"MM1-H{number:03}", clause=_E + clause, text=text, why=why, where=SERVER, good=good, bad=bad)


NOT_UNDERSTOOD: Final = _rule(
    900,
    "7.3.54",
    "A client understands the notification of a version that it spoke.",
    "X-Mms-Status Unrecognised: it is told once more in 1.0 form, without optional fields; then the MM falls back"
    " to a link, or is reported Indeterminate.",
    "m-notifyresp-ind with X-Mms-Status: Deferred",
    "m-notifyresp-ind with X-Mms-Status: Unrecognised",
)
NOT_ACKNOWLEDGED: Final = _rule(
    901,
    "6.3",
    "Who fetched an MM says so, by m-notifyresp-ind Retrieved or m-acknowledge-ind.",
    "Without it nobody knows that the handset has the whole MM. After notification.unacknowledged_after_seconds it"
    " counts as retrieved; notification.unacknowledged_report says whether its originator hears of that.",
    "GET, then m-notifyresp-ind with X-Mms-Status: Retrieved",
    "GET, and nothing more",
)
READER_UNKNOWN: Final = _rule(
    902,
    "6.6.1",
    "An m-read-rec-ind comes from a subscriber.",
    "A Message-ID is no secret: whoever heard of it could say that somebody read the MM. The report goes no further.",
    "m-read-rec-ind with the identity that the operator's gateway adds",
    "m-read-rec-ind without one",
)
NOT_TOLD: Final = _rule(
    903,
    "6.6.1",
    "An m-read-rec-ind names, by its Message-ID, an MM that its sender was told of.",
    "The report goes no further: the MM is another's, unknown, or gone with retention.",
    "the Message-ID of the m-retrieve-conf",
    "the X-Mms-Transaction-ID instead, or the Message-ID of another subscriber's MM",
)
NOT_ITS_SENDER: Final = _rule(
    904,
    "6.6.1",
    "To in an m-read-rec-ind is who sent the MM.",
    "The report goes no further: it would tell one subscriber what another did with somebody else's MM.",
    "To is the From of the m-retrieve-conf",
    "To is the reader's own number",
)
FOREIGN_FROM: Final = _rule(
    905,
    "7.3.21",
    "From is the subscriber who sends, or the token that has it inserted.",
    "In an m-send-req it is replaced, or the MM is refused (mm1.foreign_from); a read report in another's name goes"
    " no further.",
    "From: insert-address-token",
    "From: +15550100999/TYPE=PLMN, sent by +15550100123",
)
READ_NOT_ASKED: Final = _rule(
    906,
    "6.6.1",
    "An m-read-rec-ind is sent where X-Mms-Read-Report asked for it.",
    "It is recorded, and told to nobody: its originator did not want to know.",
    "an m-read-rec-ind about an m-retrieve-conf with X-Mms-Read-Report: Yes",
    "one about an m-retrieve-conf with X-Mms-Read-Report: No",
)
SERVER_RULES: Final = (
    *(NOT_UNDERSTOOD, NOT_ACKNOWLEDGED, READER_UNKNOWN, NOT_TOLD),
    *(NOT_ITS_SENDER, FOREIGN_FROM, READ_NOT_ASKED),
)
