"""Reads files of records, ours and other people's: JSON lines or CSV, plain or gzip, single or a folder of them."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from mmsc.cdr.files import OPEN
from mmsc.cdr.forms import FormError
from mmsc.cdr.lines import COLUMNS, Record, from_cells, from_json
from protocols.records import record

_ENDINGS: Final = (".jsonl", ".json", ".csv", ".txt", ".tsv")
_LONGEST_LINE: Final = 4 * 1024 * 1024  # characters: a record of 1,000 recipients has some 60,000
_LONGEST_CELL: Final = 2 * 1024 * 1024
_DELIMITERS: Final = (",", ";", "\t", "|")
# What other people call a column, in small letters without blanks, hyphens and underscores.
_KNOWN: Final = {
    **{name.lower(): name for name in COLUMNS},
    "recipient": "recipientAddress",
    "to": "recipientAddress",
    "msgid": "messageID",
    "size": "messageSize",
    "status": "mmStatusCode",
    "timestamp": "recordTimeStamp",
    "time": "recordTimeStamp",
}


class Unreadable(Exception):
    """A file cannot be read; the text says which, where and why."""


@record(frozen=True, slots=True)
class Found:
    """A record and where it stands: `FILE:LINE`."""

    place: str
    fields: Record


def files_of(path: Path) -> list[Path]:
    """The file itself, or the whole files in a folder by name, those below it too. An open one is left for later.

    Raises Unreadable for a place without any."""
    if not path.exists():
        raise Unreadable(f"{path}: no such file or folder")
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.rglob("*") if one.is_file() and _is_ours(one.name))
    if not found:
        kinds = ", ".join(_ENDINGS)
        hint = "; what ends with .open is still being written" if any(path.rglob(f"*{OPEN}")) else ""
        raise Unreadable(f"{path}: no file here ends with one of {kinds} (or with .gz after it){hint}")
    return _once(found)


def _is_ours(name: str) -> bool:
    return name.removesuffix(".gz").endswith(_ENDINGS)


def _once(paths: list[Path]) -> list[Path]:
    """Where a file lies there in both formats its records are read once."""
    stems = {path.with_suffix("") for path in paths if path.suffix == ".jsonl"}
    return [path for path in paths if not (path.suffix == ".csv" and path.with_suffix("") in stems)]


def read(path: Path) -> Iterator[Found]:
    """The records of a file or of a folder's files, one at a time. Raises Unreadable."""
    for one in files_of(path):
        yield from _read_file(one)


def has_list(path: Path) -> bool:
    """Whether the header of a CSV says that it is somebody's own list, be there rows below it or not. Raises
    Unreadable."""
    return any(_is_list(one) for one in files_of(path))


def _is_list(path: Path) -> bool:
    with _opened(path) as text:
        _, head = _first_line(text)
        return bool(head) and not _is_json(head) and "recordType" not in _header(head)[1]


def _read_file(path: Path) -> Iterator[Found]:
    with _opened(path) as text:
        above, head = _first_line(text)
        if _is_json(head):
            yield from _read_json(path, above, _joined(head, text))
        elif head:
            yield from _read_csv(path, above, head, text)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """The text of a file. What goes wrong while it is read is raised as Unreadable."""
    try:
        with (
            gzip.open(path) if path.suffix == ".gz" else path.open("rb") as octets,
            io.TextIOWrapper(octets, encoding="utf-8-sig", newline="") as text,
        ):
            yield text
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: not UTF-8: {error.reason}") from error


def _first_line(text: TextIO) -> tuple[int, str]:
    """(how many blank lines stand above, the first other one: "" when there is none)."""
    for above, line in enumerate(_joined(text.readline(_LONGEST_LINE), text)):
        if line.strip():
            return above, line
    return 0, ""


def _is_json(head: str) -> bool:
    return head.lstrip().startswith("{")


def _joined(head: str, text: TextIO) -> Iterator[str]:
    while head:
        yield head
        head = text.readline(_LONGEST_LINE)


def _read_json(path: Path, above: int, lines: Iterable[str]) -> Iterator[Found]:
    for number, line in enumerate(lines, above + 1):
        if not line.strip():
            continue
        if len(line) >= _LONGEST_LINE:
            raise Unreadable(f"{path}:{number}: a line of {_LONGEST_LINE} characters or more is no record")
        try:
            yield Found(f"{path}:{number}", from_json(line))
        except FormError as error:
            raise Unreadable(f"{path}:{number}: {error}") from error


def _header(head: str) -> tuple[str, list[str]]:
    """(what stands between cells, the names of the columns)."""
    delimiter = max(_DELIMITERS, key=head.count)
    return delimiter, [_named(name) for name in next(csv.reader([head], delimiter=delimiter))]


def _read_csv(path: Path, above: int, head: str, text: TextIO) -> Iterator[Found]:
    csv.field_size_limit(_LONGEST_CELL)
    delimiter, names = _header(head)
    above += 1
    if "messageID" not in names:
        raise Unreadable(f"{path}:{above}: no column messageID; the header has {', '.join(names)[:200]}")
    rows = csv.reader(_joined(text.readline(_LONGEST_LINE), text), delimiter=delimiter)
    try:
        for row in rows:
            if len(row) > 1 or "".join(row).strip():
                place = f"{path}:{above + rows.line_num}"
                yield Found(place, _cells(place, names, row))
    except csv.Error as error:
        raise Unreadable(f"{path}:{above + rows.line_num}: {error}") from error


def _cells(place: str, names: list[str], row: list[str]) -> Record:
    try:
        return from_cells(names, row)
    except FormError as error:
        raise Unreadable(f"{place}: {error}") from error


def _named(name: str) -> str:
    key = name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")
    return _KNOWN.get(key, name.strip())
