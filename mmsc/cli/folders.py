"""A folder that what arrives is saved in, numbered and with names that no file system minds."""

import re
from pathlib import Path
from typing import Final

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 80  # characters
_ENDINGS: Final = {
    "application/smil": ".smil",
    "text/plain": ".txt",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/png": ".png",
    "audio/amr": ".amr",
    "video/3gpp": ".3gp",
}


class NumberedFolder:
    """Files `0001-NAME`. Nothing that is there is written over: numbers go on."""

    def __init__(self, path: Path) -> None:
        """Made when it is not there. Raises OSError."""
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        numbers = (one.name.partition("-")[0] for one in path.iterdir())
        self._number = max((int(one) for one in numbers if one.isascii() and one.isdecimal()), default=0)

    def next(self) -> str:
        """The number of the next thing that is saved, as its files begin."""
        self._number += 1
        return f"{self._number:04}"

    def write(self, name: str, octets: bytes) -> str:
        """The file that was written. Raises OSError."""
        path = self._path / name
        with path.open("xb") as opened:
            opened.write(octets)
        return str(path)


def safe_name(told: str, media_type: str) -> str:
    """What somebody calls a file, as far as a file may be called so; an ending by its type where it has none."""
    name = _UNSAFE.sub("_", told.rpartition("/")[2]).strip("._")[-_LONGEST_NAME:] or "part"
    return name if "." in name else name + _ENDINGS.get(media_type, ".bin")
