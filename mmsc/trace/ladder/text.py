"""A ladder as text: ASCII, 100 columns, fits a ticket."""

from collections.abc import Iterator
from typing import Final

from mmsc.trace.ladder.model import Column, Ladder, Row, RowKind

WIDTH: Final = 100
_TIME, _NUMBER, _LEFT, _ARROW, _RIGHT = 8, 5, 13, 37, 13
_NOTE_AT: Final = _TIME + _NUMBER + _LEFT + 2
_ASCII: Final = str.maketrans({"…": "~", "≈": "~", "×": "x", "→": "->", "·": "-", "≠": "!=", "✕": "X", "–": "-"})


def text(ladder: Ladder) -> str:
    """All rows, a line each."""
    return "".join(f"{line.rstrip()}\n" for line in _lines(ladder))


def _lines(ladder: Ladder) -> Iterator[str]:
    yield _plain("   ".join(_head(one) for one in ladder.columns))
    if ladder.first:
        yield f"seconds after {_plain(ladder.first)}"
    if any(row.gone for row in ladder.rows):
        yield ":::> octets gone: told by events"
    for row in ladder.rows:
        yield from _fitted(row, ladder.columns)


def _fitted(row: Row, columns: tuple[Column, ...]) -> Iterator[str]:
    """The row, and what does not fit beside it beneath."""
    line = _line(row, columns)
    for piece in _answer(row) if row.source >= 0 else []:
        if len(f"{line} {piece}") > WIDTH:
            yield line[:WIDTH]
            line = f"{'':{_NOTE_AT}}"
        line += f" {piece}"
    yield line[:WIDTH]


def _head(column: Column) -> str:
    return f"{column.name} ({column.kind})" if column.kind else column.name


def _line(row: Row, columns: tuple[Column, ...]) -> str:
    if row.kind is RowKind.GAP or row.kind is RowKind.MORE:
        return f"{'':{_NOTE_AT}}{_plain(row.text)}"
    time = f"{row.offset / 1_000_000:{_TIME}.3f}"
    if row.kind is RowKind.END:
        return f"{'':{_NOTE_AT}}[ {_plain(row.text)} ]"
    if row.source < 0 or row.target < 0:
        return f"{time}{'':{_NOTE_AT - _TIME}}{_sign(row)} {_plain(row.text)}"[: 2 * WIDTH]
    left, right = sorted((row.source, row.target))
    number = f"#{numbers(row)}" if row.number else ""
    parties = _short(columns[left].name, _LEFT), _short(columns[right].name, _RIGHT)
    arrow = _arrow(row, forward=row.source < row.target)
    return f"{time} {number:<{_NUMBER}}{parties[0]:>{_LEFT}} {arrow} {parties[1]:<{_RIGHT}}"


def numbers(row: Row) -> str:
    """The number of its PDU, or the first and the last of those in a fold."""
    return f"{row.numbers[0]}-{row.numbers[-1]}" if len(row.numbers) > 1 else row.number


def _sign(row: Row) -> str:
    return {"ring": "(again)", "cross": "X", "bolt": "!", "flag": "(finding)"}.get(row.icon, "*")


def _arrow(row: Row, *, forward: bool) -> str:
    """`|--NAME (what it carries)-->|`; a line that failed stops short at an X, a dotted one is not on our wire."""
    what = [one for one in (row.beneath if row.kind is not RowKind.FOLD else row.text,) if one]
    if row.attempts > 1 and row.kind is not RowKind.FOLD and not _says_more(row):
        what = [f"{row.attempt} of {row.attempts}"]
    label = _short(f"{_plain(row.name)}{f' ({_plain(what[0])})' if what else ''}", _ARROW - 6)
    dash = ":" if row.gone else "." if row.kind is RowKind.TOLD else "=" if row.kind is RowKind.ANSWER else "-"
    line = f"{dash * 2}{label}".ljust(_ARROW - 3, dash)
    end = "X" if row.failed and row.kind is not RowKind.ANSWER else "|"
    tail = "|"
    return f"{tail}{line}>{end}" if forward else f"{end}<{line}{tail}"


def _says_more(row: Row) -> bool:
    """What a submit_sm carries, and that nothing was sent, says more than which attempt it is: that stands behind."""
    return bool(row.beneath) and row.interface in ("smpp", "")


def _answer(row: Row) -> list[str]:
    """What stands behind the arrow, piece by piece."""
    pieces = [] if row.answer is None else [row.answer.text]
    pieces += [f"[fault {row.fault}]"] if row.fault else []
    pieces += [] if row.answer is None else [row.answer.detail]
    if row.attempts > 1 and row.kind is not RowKind.FOLD and _says_more(row):
        pieces.append(f"attempt {row.attempt} of {row.attempts}")
    pieces += [f"[{one}]" for one in row.findings]
    pieces += [f"repeat of #{row.repeat_of}"] if row.repeat_of else []
    pieces += [row.text] if row.kind is RowKind.FOLD and row.text else []
    return [_plain(one) for one in pieces if one]


def _short(text_: str, width: int) -> str:
    plain = _plain(text_)
    return plain if len(plain) <= width else f"{plain[: width - 1]}~"


def _plain(text_: str) -> str:
    """Letters, and nothing that a terminal would obey."""
    told = text_.translate(_ASCII)
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in told)
