"""What content is by its own first octets, and how large a picture is in pixels. Never raises."""

from typing import Final

_JPEG_SIZES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # ITU-T T.81 B.1.1.3: SOF markers
_JPEG_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_MAGIC: Final = (
    (b"#!AMR-WB\n", "AMR-WB"),
    (b"#!AMR\n", "AMR"),
    (b"MThd", "MIDI"),
    (b"BM", "BMP"),
    (b"ID3", "MP3"),
    (b"%PDF", "PDF"),
)
_JPEG_SEGMENTS: Final = 500


def describe(octets: bytes, media_type: str) -> str:
    """`JPEG, 640 x 480 pixels`, or "" for what it does not know."""
    if octets.startswith(b"\x89PNG\r\n\x1a\n") and octets[12:16] == b"IHDR" and len(octets) >= 24:
        return _pixels("PNG", int.from_bytes(octets[16:20]), int.from_bytes(octets[20:24]))
    if octets[:6] in (b"GIF87a", b"GIF89a") and len(octets) >= 10:
        return _pixels("GIF", int.from_bytes(octets[6:8], "little"), int.from_bytes(octets[8:10], "little"))
    if octets.startswith(b"\xff\xd8"):
        return _jpeg(octets)
    if octets[:2] == b"BM" and len(octets) >= 26:
        width, height = (int.from_bytes(octets[at : at + 4], "little", signed=True) for at in (18, 22))
        return _pixels("BMP", width, abs(height))
    if octets[4:8] == b"ftyp":
        return f"ISO media, brand {octets[8:12].decode('latin-1').strip()}"
    if media_type == "image/vnd.wap.wbmp":
        return _wbmp(octets)
    return next((name for magic, name in _MAGIC if octets.startswith(magic)), "")


def _pixels(name: str, width: int, height: int) -> str:
    return f"{name}, {width} x {height} pixels"


def _jpeg(octets: bytes) -> str:
    at = 2
    for _ in range(_JPEG_SEGMENTS):
        if at + 9 > len(octets) or octets[at] != 0xFF:
            break
        marker = octets[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in _JPEG_ALONE:
            at += 2
        elif marker in _JPEG_SIZES:
            return _pixels("JPEG", int.from_bytes(octets[at + 7 : at + 9]), int.from_bytes(octets[at + 5 : at + 7]))
        else:
            at += 2 + int.from_bytes(octets[at + 2 : at + 4])
    return "JPEG without a size"


def _wbmp(octets: bytes) -> str:
    """WAP-237 4.2: type 0, a header octet, width and height as uintvars."""
    numbers: list[int] = []
    value = 0
    for octet in octets[2:12]:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            numbers.append(value)
            value = 0
    return _pixels("WBMP", numbers[0], numbers[1]) if len(numbers) >= 2 and octets[0] == 0 else ""
