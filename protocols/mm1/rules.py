"""The rules of MM1 whose breach is forgiven and remarked (OMA-TS-MMS_ENC 6, 7): what each asks, and why it matters.
What concerns the encodings beneath is in `protocols.wsp.rules`, what PDUs mean in `meaning_rules.py`.

Names are permanent and never used twice. A rule that is no longer looked for keeps its row.
"""

from enum import StrEnum
from typing import Final

from protocols.rules import Rule
from protocols.wsp import rules as wsp_rules


class Frame(StrEnum):
    """What the examples of a rule stand in; they are octets in hex."""

    NOTIFICATION = wsp_rules.Frame.NOTIFICATION
    PDU = wsp_rules.Frame.PDU


_E: Final = "OMA-TS-MMS_ENC "
_ACK: Final = "8c 85 98 74 00 8d 92"
_RETRIEVE: Final = "8c 84 8d 92 85 01 01"
_SEND: Final = "8c 80 98 74 00 8d 92 89 01 81 97 61 40 62 00"
_MIXED: Final = "84 a3 00"
_INBOX: Final = "8c 82 98 4e 00 8d 92 8a 80 8e 02 30 39"


def _rule(number: int, clause: str, text: str, why: str, good: str, bad: str, where: Frame = Frame.PDU) -> Rule:
    return Rule(name=f"MM1-H{number:03}", clause=_E + clause, text=text, why=why, where=where, good=good, bad=bad)


ORDER: Final = _rule(
    1,
    "7",
    "X-Mms-Message-Type comes first, then X-Mms-Transaction-ID where the PDU has one, then X-Mms-MMS-Version.",
    "Some readers refuse the PDU (mmsd does). Who does not know the type yet cannot tell how other fields are read.",
    "8c 85 98 74 00 8d 92",
    "8c 85 8d 92 98 74 00",
)
NO_VERSION: Final = _rule(
    2,
    "7.3.34",
    "Every PDU has X-Mms-MMS-Version.",
    "Without one it is read, and answered, as 1.0. Android drops the PDU.",
    "8c 85 98 74 00 8d 92",
    "8c 85 98 74 00",
)
TWICE: Final = _rule(
    3,
    "7",
    "A field that may not repeat stands there once.",
    "The last one counts here, and in Android. Who takes the first reads another message.",
    "96 61 00",
    "96 61 00 96 62 00",
    Frame.NOTIFICATION,
)
SHIFT: Final = Rule(
    name="MM1-H004",
    clause="WAP-230-WSP 8.4.1.2",
    text="MMS fields are all on the first code page: nothing shifts it.",
    why="The shift is passed over. Readers that do not know shifts take it for a field.",
    where=Frame.PDU,
    good=f"{_ACK} 91 80",
    bad=f"{_ACK} 7f 01 91 80",
)
MISSING: Final = _rule(
    5,
    "6",
    "A PDU has its mandatory fields.",
    "What can be served without is read all the same. Android and mmsd drop the whole PDU, without a word.",
    f"{_RETRIEVE} {_MIXED}",
    f"8c 84 8d 92 {_MIXED}",
)
UNASSIGNED: Final = _rule(
    6,
    "7.4",
    "The number of a field is one that MMS assigns: 0x81 to 0xBF.",
    "It is kept and written back. Android does not step over its value, and may lose the PDU. Extensions have names.",
    "58 2d 4f 77 6e 00 31 00",
    "d5 80",
    Frame.NOTIFICATION,
)
UNLISTED: Final = _rule(
    7,
    "6",
    "A PDU has no fields but those that its table lists.",
    "It is kept and means nothing: a status by the name of another status is no status.",
    "96 61 00",
    "95 81",
    Frame.NOTIFICATION,
)
NEWER: Final = _rule(
    8,
    "7.3.34",
    "A PDU of a version has no fields that a later version brought, and is not one that a later version brought.",
    "It is read as it is. A client of the version that is named may not know the field, and some drop the PDU for it.",
    "8c 82 98 4e 00 8d 93 8a 80 8e 02 30 39 88 05 81 03 02 a3 00 83 75 00 b7 61 00",
    "8c 82 98 4e 00 8d 92 8a 80 8e 02 30 39 88 05 81 03 02 a3 00 83 75 00 b7 61 00",
)
BY_NAME: Final = _rule(
    9,
    "7.4",
    "A field that has a number is sent by its number.",
    "Under its name in text it is an unknown field: kept, but it means nothing.",
    "8f 82",
    "58 2d 4d 6d 73 2d 50 72 69 6f 72 69 74 79 00 48 69 67 68 00",
    Frame.NOTIFICATION,
)
LONG: Final = _rule(
    11,
    "7.3.12, 7.3.14, 7.3.20, 7.3.31",
    "Dates, sizes and the seconds of a time are Long-integers, also below 128.",
    "Android drops a PDU whose X-Mms-Message-Size or X-Mms-Expiry is short; Wireshark shows 0.",
    f"8c 84 8d 92 85 01 05 {_MIXED}",
    f"8c 84 8d 92 85 85 {_MIXED}",
)
YES_NO: Final = _rule(
    12,
    "7.3.13",
    "Yes is 0x80, No is 0x81.",
    "The word is understood here. Other readers take it for the next fields, or refuse the PDU.",
    "86 80",
    "86 59 65 73 00",
    Frame.NOTIFICATION,
)
VERSION: Final = _rule(
    13,
    "7.3.34",
    "X-Mms-MMS-Version is a Short-integer: major and minor number in one octet.",
    "The grammar of WSP allows text; readers in the field take its first letter for the version.",
    "8c 85 98 74 00 8d 92",
    "8c 85 98 74 00 8d 31 2e 32 00",
)
WORD: Final = _rule(
    14,
    "7.3",
    "A value of an enumeration is its octet.",
    "The word, or the octet in a length, is understood here. Other readers refuse the PDU.",
    "8f 82",
    "8f 48 69 67 68 00",
    Frame.NOTIFICATION,
)
UNKNOWN: Final = _rule(
    15,
    "7.3",
    "A value of an enumeration is one that the enumeration has.",
    "It is kept and written back, and means nothing. Statuses from 0xC5 are read as a failure, transient or permanent.",
    "8f 82",
    "8f 85",
    Frame.NOTIFICATION,
)
ABSOLUTE: Final = _rule(
    16,
    "6.2, 7.3.20",
    "X-Mms-Expiry of an m-notification-ind is relative.",
    "A handset counts from when it got the notification; its clock may be wrong by years.",
    f"{_INBOX} 88 05 81 03 02 a3 00 83 75 00",
    f"{_INBOX} 88 06 80 04 65 53 f1 00 83 75 00",
)
INSERT: Final = _rule(
    17,
    "6.2, 6.3, 7.3.21",
    "The insert-address-token goes from a client to the MMSC, never to a client.",
    "A handset shows the sender as `insert-address-token`. Who hides is left out.",
    "89 06 80 61 40 62 63 00",
    "89 01 81",
    Frame.NOTIFICATION,
)
BCC: Final = _rule(
    18,
    "6.2, 6.3",
    "Bcc is never told to a recipient.",
    "It is kept and not shown, but who reads the octets knows now who else has the message.",
    f"{_RETRIEVE} 97 61 40 62 00 {_MIXED}",
    f"{_RETRIEVE} 81 61 40 62 00 {_MIXED}",
)
BRACKETS: Final = _rule(
    19,
    "7.3.29",
    "A Message-ID has no angle brackets.",
    "It is compared without them here. Elsewhere a report that names it so is about no message at all.",
    f"{_RETRIEVE} 8b 61 40 62 00 {_MIXED}",
    f"{_RETRIEVE} 8b 3c 61 40 62 3e 00 {_MIXED}",
)
NO_COUNT: Final = _rule(
    20,
    "7.3.48",
    "In the confirmations of deletions status, location and text have a length and a count, which tie them together.",
    "It is read as that of the first message. With several messages nobody knows which one it is about.",
    "8c 92 98 44 31 00 8d 92 92 02 80 80",
    "8c 92 98 44 31 00 8d 92 92 80",
)
STORE: Final = _rule(
    21,
    "6.1.1",
    "X-Mms-MM-State and X-Mms-MM-Flags come with X-Mms-Store: Yes.",
    "Nothing is stored, so nothing has a state or flags: they are of no effect.",
    f"{_SEND} a2 80 a3 81 {_MIXED}",
    f"{_SEND} a3 81 {_MIXED}",
)
CHARGING: Final = _rule(
    22,
    "7.3.43 to 7.3.46",
    "X-Mms-Reply-Charging-Deadline and -Size come with X-Mms-Reply-Charging.",
    "Nobody offers to pay for the reply: there is nothing to limit.",
    "9c 82 9f 01 64",
    "9f 01 64",
    Frame.NOTIFICATION,
)
FROM_LENGTH: Final = _rule(
    23,
    "7.3.21",
    "From is a Value-length, a token and, behind address-present, the address.",
    "The bare address is understood here. Other readers take its first letter for the length.",
    f"{_SEND} {_MIXED}",
    f"8c 80 98 74 00 8d 92 89 61 40 62 00 97 61 40 62 00 {_MIXED}",
)
NOBODY: Final = _rule(
    24,
    "6.1.1",
    "A submission has a recipient: To, Cc or Bcc.",
    "Nobody would get it: it is refused with Error-permanent-message-format-corrupt.",
    f"{_SEND} {_MIXED}",
    f"8c 80 98 74 00 8d 92 89 01 81 {_MIXED}",
)
NO_MESSAGE_ID: Final = _rule(
    25,
    "6.1.2",
    "An m-send-conf with Ok has a Message-ID.",
    "Delivery and read reports name the message by it: without it they cannot be told apart.",
    "8c 81 98 54 00 8d 92 92 80 8b 61 00",
    "8c 81 98 54 00 8d 92 92 80",
)
BODY: Final = _rule(
    26,
    "7.3.11",
    "A body of several parts is application/vnd.wap.multipart.*, for it is written as WSP has it.",
    "multipart/mixed is another name for the same octets; Android refuses the message.",
    f"{_RETRIEVE} 84 a3 00",
    f"{_RETRIEVE} 84 8c 00",
)
TRAILING: Final = _rule(
    27,
    "6",
    "A PDU without a body ends with its last field.",
    "Empty octets and ends of lines behind it are passed over; other readers take them for fields.",
    _ACK,
    f"{_ACK} 00 0d 0a",
)
PDU_RULES: Final = (
    *(ORDER, NO_VERSION, TWICE, SHIFT, MISSING, UNASSIGNED, UNLISTED, NEWER, BY_NAME),
    *(LONG, YES_NO, VERSION, WORD, UNKNOWN, ABSOLUTE, INSERT, BCC, BRACKETS, NO_COUNT, STORE, CHARGING),
    *(FROM_LENGTH, NOBODY, NO_MESSAGE_ID, BODY, TRAILING),
)
RULES: Final = (*PDU_RULES, *wsp_rules.RULES)
