"""A record as a line of a file: JSON (one object a line) or CSV (RFC 4180, with a header, always the same columns)."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from mmsc.cdr.forms import FormError, Value, form_of
from mmsc.cdr.records import columns

JSON_LINES: Final = "jsonl"
CSV: Final = "csv"
COLUMNS: Final = columns()

Record = dict[str, Value]
_encode: Final = msgspec.json.Encoder().encode


def json_lines(records: Sequence[Mapping[str, Value]]) -> bytes:
    """One object a line; fields that a record has not are left out."""
    return b"".join(_encode(one) + b"\n" for one in records)


def csv_header() -> bytes:
    """The first line of every CSV file."""
    return _rows((COLUMNS,))


def csv_lines(records: Sequence[Mapping[str, Value]]) -> bytes:
    """One row a record; an empty cell is a field that the record has not."""
    return _rows([[_cell(name, one.get(name)) for name in COLUMNS] for one in records])


def _cell(name: str, value: Value) -> str:
    return "" if value is None else form_of(name).write(value)


def _rows(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def from_json(line: str) -> Record:
    """The record in a line. Raises FormError."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormError(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise FormError("no JSON object")
    return found


def from_cells(names: Sequence[str], cells: Sequence[str]) -> Record:
    """The record in a row of CSV whose header is `names`. Raises FormError with the column."""
    found: Record = {}
    if len(cells) > len(names):
        raise FormError(f"{len(cells)} cells under {len(names)} columns")
    for name, cell in zip(names, cells, strict=False):
        if cell == "":
            continue
        try:
            found[name] = form_of(name).read(cell)
        except FormError as error:
            raise FormError(f"{name}: {error}") from error
    return found
