"""Character sets by IANA MIBenum, as WSP numbers them (WAP-230-WSP 8.4.2.8)."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from protocols.charset import decode

UTF_8: Final = 106

NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "*",
        3: "us-ascii",
        **{number + 3: f"iso-8859-{number}" for number in range(1, 11)},
        17: "shift_jis",
        18: "euc-jp",
        36: "ks_c_5601-1987",
        37: "iso-2022-kr",
        38: "euc-kr",
        39: "iso-2022-jp",
        40: "iso-2022-jp-2",
        81: "iso-8859-6-e",
        82: "iso-8859-6-i",
        84: "iso-8859-8-e",
        85: "iso-8859-8-i",
        UTF_8: "utf-8",
        109: "iso-8859-13",
        111: "iso-8859-15",
        113: "gbk",
        114: "gb18030",
        1000: "iso-10646-ucs-2",
        1012: "utf-7",
        1013: "utf-16be",
        1014: "utf-16le",
        1015: "utf-16",
        2025: "gb2312",
        2026: "big5",
        2084: "koi8-r",
        2088: "koi8-u",
        **{2250 + number: f"windows-125{number}" for number in range(9)},
        2259: "tis-620",
    }
)
NUMBERS: Final[Mapping[str, int]] = MappingProxyType({name: number for number, name in NAMES.items()})
_PYTHON: Final = {
    "*": "utf-8",
    "us-ascii": "utf-8",
    "ks_c_5601-1987": "euc-kr",
    **{f"iso-8859-{number}-{order}": f"iso-8859-{number}" for number in (6, 8) for order in "ei"},  # RFC 1556
}
_NUMBERED: Final = re.compile(r"mibenum-([0-9]{1,9})")


def name_of(number: int) -> str:
    """The name of a character set; one that we do not know is named after its number."""
    return NAMES.get(number, f"mibenum-{number}")


def number_of(name: str) -> int | None:
    """The number of a character set, None when it has none."""
    found = _NUMBERED.fullmatch(name.lower())
    if found and name_of(int(found[1])) == name.lower():
        return int(found[1])
    return NUMBERS.get(name.lower())


def decode_text(octets: bytes, charset: str | None) -> str:
    """The text in a named character set; UTF-8 when it names none we know, with U+FFFD for what cannot be read.

    UTF-16 without a byte order mark is big-endian (RFC 2781 4.3), as phones send it."""
    name = (charset or "utf-8").lower()
    if name in ("utf-16", "iso-10646-ucs-2"):
        if octets.startswith(b"\xff\xfe"):
            return octets[2:].decode("utf-16-le", "replace")
        return octets.removeprefix(b"\xfe\xff").decode("utf-16-be", "replace")
    try:
        return decode(octets, _PYTHON.get(name, name))
    except LookupError:
        return octets.decode("utf-8", "replace")
