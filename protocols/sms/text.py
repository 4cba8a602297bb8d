"""Text in SMS: the GSM 7-bit alphabet (3GPP TS 23.038 6.2.1), its extension, UCS-2, and what else data_coding names.
Over SMPP a septet is an octet of its own; only the SMSC packs."""

from typing import Final

DATA_CODING_DEFAULT: Final = 0x00
DATA_CODING_UCS2: Final = 0x08
ESCAPE: Final = 0x1B

_DEFAULT: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_TO_SEPTETS: Final = {
    **{char: bytes((code,)) for code, char in enumerate(_DEFAULT) if code != ESCAPE},
    **{char: bytes((ESCAPE, code)) for code, char in _EXTENSION.items()},
}

_LATIN_1: Final = "latin-1"
_UCS2: Final = "utf-16-be"
# Values 0x00 to 0x0E of SMPP v3.4 5.2.19; "" is the default alphabet, also for what is reserved there. An octet beyond
# IA5 is shown as Latin-1; no codec reads pictograms (0x09), and JIS X 0212 (0x0D) comes without its escapes.
_LISTED: Final = (
    "",
    _LATIN_1,  # IA5, whose @ is no GSM @
    _LATIN_1,  # binary
    _LATIN_1,
    _LATIN_1,  # binary
    "shift_jis",
    "iso8859-5",
    "iso8859-8",
    _UCS2,
    _LATIN_1,
    "iso2022_jp",
    "",
    "",
    _LATIN_1,
    "cp949",  # KS C 5601 with the syllables that phones added to it
)


def is_gsm(text: str) -> bool:
    """Whether every character is in the default alphabet or its extension."""
    return all(char in _TO_SEPTETS for char in text)


def encode_gsm(text: str) -> bytes:
    """One septet an octet. Raises KeyError for a character outside the alphabet: ask `is_gsm` first."""
    return b"".join(_TO_SEPTETS[char] for char in text)


def decode_gsm(octets: bytes) -> str:
    """The text of unpacked septets. An unknown escape shows the default character; octets from 0x80 are Latin-1."""
    out: list[str] = []
    escaped = False
    for octet in octets:
        if escaped:
            escaped = False
            out.append(_EXTENSION.get(octet, " " if octet == ESCAPE else _default(octet)))
        elif octet == ESCAPE:
            escaped = True
        else:
            out.append(_default(octet))
    return "".join(out) + (" " if escaped else "")


def _default(octet: int) -> str:
    return _DEFAULT[octet] if octet < len(_DEFAULT) else chr(octet)


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Septets into octets, after `fill_bits` zero bits (TS 23.038 6.1.2.1; TS 23.040 9.2.3.24)."""
    out = bytearray()
    bits, held = 0, fill_bits
    for septet in septets:
        bits |= (septet & 0x7F) << held
        held += 7
        if held >= 8:
            out.append(bits & 0xFF)
            bits >>= 8
            held -= 8
    return bytes(out) + (bytes((bits,)) if held else b"")


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """`count` septets out of packed octets, zero where these end before."""
    out = bytearray()
    bits, held = 0, -fill_bits
    for octet in octets[: (7 * count + fill_bits + 7) // 8]:
        bits |= octet << held if held >= 0 else octet >> -held
        held += 8
        while held >= 7 and len(out) < count:
            out.append(bits & 0x7F)
            bits >>= 7
            held -= 7
    out.append(bits & 0x7F)
    return bytes(out[:count].ljust(count, b"\0"))


def encode_text(text: str) -> tuple[int, bytes]:
    """(data_coding, octets): GSM where every character has a place, else UCS-2 (UTF-16 big-endian)."""
    if is_gsm(text):
        return DATA_CODING_DEFAULT, encode_gsm(text)
    return DATA_CODING_UCS2, text.encode("utf-16-be", "surrogatepass")


def decode_text(data_coding: int, octets: bytes) -> str:
    """Text in a data_coding of SMPP v3.4 5.2.19 or a leaked TP-DCS (TS 23.038 4); binary is shown as Latin-1."""
    codec = _LISTED[data_coding] if data_coding < len(_LISTED) else _of_dcs(data_coding)
    if not codec and octets.isascii():
        return decode_gsm(octets)
    return octets.decode(codec or _LATIN_1, "replace")  # septets end at 0x7F: more is a sender that means Latin-1


def _of_dcs(dcs: int) -> str:
    """The codec of a TP-DCS, "" for the default alphabet: bits 3 and 2 say it up to 0x7F (0x40 to 0x7F is for automatic
    deletion), the group in message waiting (0xE0 to 0xEF is UCS-2), bit 2 from 0xF0 on."""
    if dcs >= 0xF0:
        return _LATIN_1 if dcs & 0x04 else ""
    if dcs >= 0x80:
        return _UCS2 if dcs >= 0xE0 else ""
    return ("", _LATIN_1, _UCS2, "")[dcs >> 2 & 0x03]
