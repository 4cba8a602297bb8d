"""Parts of an MM as files: how a browser may show each, and a name for it that is one and never a path."""

import re
from typing import Final
from urllib.parse import quote

_SHOWN: Final = {
    "image/jpeg": "image",
    "image/jpg": "image",
    "image/png": "image",
    "image/gif": "image",
    "image/webp": "image",
    "image/bmp": "image",
    "audio/amr": "audio",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "audio/ogg": "audio",
    "audio/wav": "audio",
    "audio/aac": "audio",
    "video/mp4": "video",
    "video/3gpp": "video",
    "video/webm": "video",
    "text/plain": "text",
}
_EXTENSIONS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "text/plain": ".txt",
    "audio/amr": ".amr",
    "video/3gpp": ".3gp",
    "video/mp4": ".mp4",
    "application/smil": ".smil",
}
UNPLAYABLE: Final = frozenset(("audio/amr", "video/3gpp"))  # no browser plays them: they are saved
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\"\\/:*?<>|;%]+")
_LONGEST_NAME: Final = 80


def shown_as(media_type: str) -> str:
    """How a part is shown: text, image, audio, video; "" when it is only a download (what could run among them)."""
    return _SHOWN.get(media_type, "")


def file_name(wanted: str, media_type: str, number: int) -> str:
    """A name that is one, whatever a sender wanted; `number` (from 0) is the part's, for one without a name."""
    # Not printable: controls, lone surrogates, and the marks that make `gpj.exe` read backwards.
    wanted = "".join(one if one.isprintable() else "_" for one in wanted)
    clean = _UNSAFE.sub("_", wanted.replace("\\", "/").rpartition("/")[2]).strip(" ._")[:_LONGEST_NAME]
    extension = _EXTENSIONS.get(media_type, "")
    clean = clean or f"part{number + 1}"
    return clean if "." in clean or not extension else clean + extension


def disposition(name: str, *, inline: bool) -> str:
    """Content-Disposition in both forms of RFC 6266 4.3."""
    kind = "inline" if inline else "attachment"
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
