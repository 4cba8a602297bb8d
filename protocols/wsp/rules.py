"""The rules of WSP's encodings whose breach is forgiven and remarked (WAP-230-WSP 8): in the values of MMS fields, in
content types, and in multipart bodies.

Names are permanent and never used twice. A rule that is no longer looked for keeps its row.
"""

from enum import StrEnum
from typing import Final

from protocols.rules import Rule


class Frame(StrEnum):
    """What the examples of a rule stand in; they are octets in hex."""

    NOTIFICATION = "fields in an m-notification-ind of version 1.2, behind its mandatory ones"
    PDU = "the PDU"
    BODY = "the multipart body"


def _rule(
    number: int, clause: str, text: str, why: str, good: str, bad: str, where: Frame = Frame.NOTIFICATION
) -> Rule:
    return Rule(name=f"WSP-H{number:03}", clause=clause, text=text, why=why, where=where, good=good, bad=bad)


LEFT_OVER: Final = _rule(
    1,
    "WAP-230-WSP 8.4.2.2",
    "A value fills the length that is declared for it.",
    "The length is believed: what is left over is passed over. A reader that believes the text instead takes the rest"
    " for the next field.",
    "89 0c 80 2b 31 35 35 35 30 31 30 30 31 00",
    "89 0d 80 2b 31 35 35 35 30 31 30 30 31 00 00",
)
CHARSET_NUMBER: Final = _rule(
    2,
    "WAP-230-WSP 8.4.2.8",
    "A character set has a number of IANA's (MIBenum).",
    "Nobody can tell what the octets mean. They are read as UTF-8.",
    "96 04 ea c3 a9 00",
    "96 04 ff c3 a9 00",
)
CHARSET_OCTETS: Final = _rule(
    3,
    "WAP-230-WSP 8.4.2.8",
    "The octets of a text are octets of the character set that it names.",
    "What the set does not have is lost: each reader shows something else in its place.",
    "96 04 ea c3 a9 00",
    "96 03 ea e9 00",
)
CHARSET_MISSING: Final = _rule(
    4,
    "OMA-TS-MMS_ENC 7.3.19",
    "Text of other letters than ASCII's names its character set; a Text-string, which cannot, is UTF-8.",
    "Without a name it is US-ASCII. It is read as UTF-8 where it can be, else as ISO 8859-1; handsets differ.",
    "96 08 ea 48 c3 a9 6c 6c 6f 00",
    "96 48 c3 a9 6c 6c 6f 00",
)
QUOTE: Final = _rule(
    5,
    "WAP-230-WSP 8.4.2.1",
    "A Text-string begins with the quote 0x7F when its first octet is 0x80 or above, and only then.",
    "Without it the octet is a value of its own by the rule for skipping, and the text behind it becomes other fields.",
    "96 7a 00",
    "96 7f 7a 00",
)
NUL: Final = _rule(
    6,
    "WAP-230-WSP 8.4.2.1",
    "A text ends with a NUL, inside the length too that is declared for it.",
    "The length says where it ends. Readers that look for the NUL read on into the next field.",
    "96 04 ea c3 a9 00",
    "96 03 ea c3 a9",
)
MIME_PARAMETERS: Final = _rule(
    7,
    "WAP-230-WSP 8.4.2.24",
    "Parameters of a content type are parameters, not text behind a semicolon.",
    "They are read as MIME has them. Handsets compare the whole text with the types they know, and find none.",
    "01 07 01 03 83 81 ea 8e 61 00 78",
    "01 1c 01 74 65 78 74 2f 70 6c 61 69 6e 3b 63 68 61 72 73 65 74 3d 75 74 66 2d 38 00 8e 61 00 78",
    Frame.BODY,
)
NUMBER: Final = _rule(
    8,
    "WAP-230-WSP 8.4.2.24",
    "The number of a media type or of a parameter is an assigned one.",
    "An unknown type is called application/x-wap-0xNN; an unknown parameter is passed over, and not written again.",
    "01 04 01 83 8e 61 00 78",
    "01 04 01 d9 8e 61 00 78",
    Frame.BODY,
)
SHORTEST: Final = _rule(
    9,
    "WAP-230-WSP 8.4.2.1",
    "A number takes as few octets as it needs: one up to 127 where an Integer-value may stand, no leading zeros.",
    "Some readers take a longer form for another type of value, and drop the PDU.",
    "8c 84 8d 92 85 02 30 39 84 a3 00",
    "8c 84 8d 92 85 03 00 30 39 84 a3 00",
    Frame.PDU,
)
CHARSET_NAME: Final = _rule(
    10,
    "WAP-230-WSP 8.4.2.8",
    "A character set is named by its number.",
    "Its name as text is understood here; other readers take the first letter for the number.",
    "96 04 ea c3 a9 00",
    "96 09 75 74 66 2d 38 00 c3 a9 00",
)
REST: Final = _rule(
    11,
    "WAP-230-WSP 8.5.1",
    "A multipart ends with its last part.",
    "The count of parts is believed: what comes behind the last one is passed over, and with it a part if it is wrong.",
    "01 04 01 83 8e 61 00 78",
    "01 04 01 83 8e 61 00 78 79",
    Frame.BODY,
)
CONTENT_ID: Final = _rule(
    12,
    "WAP-230-WSP 8.4.2.1",
    "Content-ID is a Quoted-string: 0x22, the identifier in angle brackets, NUL; one quotation mark, at its beginning.",
    "The parts of a presentation are found by it. Some readers compare it with its brackets, and show an empty page.",
    "01 08 01 83 c0 22 3c 74 31 3e 00 78",
    "01 05 01 83 c0 74 31 00 78",
    Frame.BODY,
)
DISPOSITION: Final = _rule(
    13,
    "WAP-230-WSP 8.4.2.21",
    "Content-Disposition is a Value-length, a token and parameters.",
    "Without its length it is read as far as it goes; other readers take the token for a length.",
    "01 04 01 83 c5 01 81 78",
    "01 03 01 83 c5 81 78",
    Frame.BODY,
)
STRAY: Final = _rule(
    14,
    "WAP-230-WSP 8.4.1.2",
    "Between the headers of a part there is nothing else: no shift of the code page, no empty octet.",
    "It is passed over. Some readers drop all headers that follow, and with them the name of the part.",
    "01 04 01 83 8e 61 00 78",
    "01 05 01 83 00 8e 61 00 78",
    Frame.BODY,
)
HIGH_NUMBER: Final = _rule(
    15,
    "WAP-230-WSP 8.4.2.24",
    "A media type whose number is 0x53 or above is named by text.",
    "Android fails on the number, and with it on the whole message; registered numbers of two octets it takes for any"
    " type. The MMSC passes the type on as text.",
    "01 19 01 61 70 70 6c 69 63 61 74 69 6f 6e 2f 6f 63 74 65 74 2d 73 74 72 65 61 6d 00 78",
    "01 04 01 da 8e 61 00 78",
    Frame.BODY,
)
BEHIND: Final = _rule(
    16,
    "WAP-230-WSP 8.5.3",
    "Content-ID and Content-Location of a part stand before its other headers that have numbers.",
    "Android passes over all headers of a part that follow one whose number it does not know: the presentation then"
    " names parts that nobody finds. The MMSC passes the part on with these two first.",
    "01 0a 01 83 c0 22 3c 61 3e 00 8e 61 00 78",
    "01 0a 01 83 88 80 8e 61 2e 74 78 74 00 78",
    Frame.BODY,
)
RULES: Final = (
    *(LEFT_OVER, CHARSET_NUMBER, CHARSET_OCTETS, CHARSET_MISSING, QUOTE, NUL, MIME_PARAMETERS, NUMBER, SHORTEST),
    *(CHARSET_NAME, REST, CONTENT_ID, DISPOSITION, STRAY, HIGH_NUMBER, BEHIND),
)
