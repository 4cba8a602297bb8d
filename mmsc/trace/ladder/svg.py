"""A ladder as a picture: SVG in light colours, no script, nothing from elsewhere, every text escaped."""

from collections.abc import Iterator
from html import escape
from typing import Final

from mmsc.trace.ladder.model import MMSC, Ladder, Row, RowKind
from mmsc.trace.ladder.text import numbers

_LEFT, _LANES, _ANSWERS, _WIDTH = 90, 560, 20, 920  # time and number; columns; space before answers; all
_HEAD: Final = 52
_HEIGHTS: Final = {RowKind.NOTE: 26, RowKind.GAP: 22, RowKind.MORE: 26, RowKind.END: 30}
_PDU_HEIGHT: Final = 47
_INK, _INK2, _INK3, _EDGE, _LINE = "#15201B", "#43504A", "#5A6761", "#77837D", "#D3DAD6"
_BAD, _WAIT, _FAULT, _FAULT_TINT = "#B0241C", "#855000", "#7427A3", "#F0E3F8"
_CONTROL: Final = {code: "\N{REPLACEMENT CHARACTER}" for code in range(0x20) if code not in (9, 10, 13)}
_STYLE: Final = (
    f"text{{font:12px system-ui,'Segoe UI',Roboto,'Liberation Sans',sans-serif;fill:{_INK}}}"
    ".c{font-family:ui-monospace,Consolas,'DejaVu Sans Mono',monospace}"
    ".h{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}"
    f".s{{font-size:11px;fill:{_INK2}}}.t{{font-size:11px;fill:{_INK3}}}.b{{font-weight:600}}"
    f".bad{{fill:{_BAD}}}.wait{{fill:{_WAIT}}}.fault{{fill:{_FAULT}}}"
)
_PATTERN: Final = (
    '<defs><pattern id="gap" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="3" height="8" fill="{_LINE}"/></pattern></defs>'
)


def svg(ladder: Ladder, title: str = "") -> str:
    """The whole ladder; `title` stands above it."""
    top = _HEAD + (24 if title else 0)
    places = [top]
    for row in ladder.rows:
        places.append(places[-1] + _HEIGHTS.get(row.kind, _PDU_HEIGHT))
    height = places[-1] + 12
    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}">',
        f"<title>{_text(title or 'Ladder')}</title><style>{_STYLE}</style>",
        _PATTERN,
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        *([f'<text x="12" y="20" class="b">{_text(title)}</text>'] if title else []),
        *_lifelines(ladder, top, height - 12),
        *_heads(ladder, top),
    ]
    for row, y in zip(ladder.rows, places, strict=False):
        pieces += _row(row, y, ladder)
    return "\n".join([*pieces, "</svg>\n"])


def _x(ladder: Ladder, index: int) -> float:
    return _LEFT + _LANES * (2 * index + 1) / (2 * max(1, len(ladder.columns)))


def _lifelines(ladder: Ladder, top: int, bottom: int) -> Iterator[str]:
    for index, column in enumerate(ladder.columns):
        width, colour = (3, _INK) if column.key == MMSC else (1, _EDGE)
        x = _x(ladder, index)
        yield f'<path d="M{x:g} {top}V{bottom}" stroke="{colour}" stroke-width="{width}"/>'


def _heads(ladder: Ladder, top: int) -> Iterator[str]:
    for index, column in enumerate(ladder.columns):
        x, y = _x(ladder, index), top - 30
        if column.key == MMSC:
            yield f'<rect x="{x - 28:g}" y="{y - 13}" width="56" height="17" rx="3" fill="{_INK}"/>'
            yield f'<text x="{x:g}" y="{y}" text-anchor="middle" class="b" style="fill:#fff">mmsc</text>'
        else:
            yield f'<text x="{x:g}" y="{y}" text-anchor="middle" class="b">{_text(_cut(column.name, 20))}</text>'
        yield f'<text x="{x:g}" y="{y + 16}" text-anchor="middle" class="s">{_text(_cut(column.kind, 24))}</text>'
    yield f'<path d="M0 {top - 4}H{_WIDTH}" stroke="{_EDGE}"/>'


def _row(row: Row, y: int, ladder: Ladder) -> Iterator[str]:
    if row.kind is RowKind.GAP:
        yield f'<rect x="{_LEFT}" y="{y + 4}" width="{_WIDTH - _LEFT}" height="14" fill="#fff"/>'
        yield f'<rect x="{_LEFT}" y="{y + 4}" width="{_WIDTH - _LEFT}" height="14" fill="url(#gap)" stroke="{_LINE}"/>'
        yield f'<text x="8" y="{y + 15}" class="t c h">{_text(row.text)}</text>'
        return
    if row.source < 0 or row.target < 0:
        yield from _box(row, y, ladder)
        return
    yield from _arrow(row, y, ladder)


def _time(row: Row, y: int) -> str:
    number = f'<text x="84" y="{y}" text-anchor="end" class="t c">{_text(numbers(row))}</text>' if row.number else ""
    return f'<text x="8" y="{y}" class="t c">{row.offset / 1_000_000:.3f}</text>{number}'


def _box(row: Row, y: int, ladder: Ladder) -> Iterator[str]:
    ours = next((index for index, one in enumerate(ladder.columns) if one.key == MMSC), 0)
    words = {"ring": "again", "cross": "✕", "bolt": "fault", "flag": "finding"}.get(row.icon, "")
    said = _cut(f"{words}: {row.text}" if words and not row.text.startswith(words) else row.text, 78)
    width, x = 7 * len(said) + 18, _x(ladder, ours) - 12
    dash = ' stroke-dasharray="4 3"' if row.kind in (RowKind.END, RowKind.MORE) else ""
    if row.kind is RowKind.NOTE:
        yield _time(row, y + 17)
    yield f'<rect x="{x:g}" y="{y + 3}" width="{width}" height="20" rx="3" fill="#fff" stroke="{_EDGE}"{dash}/>'
    yield f'<text x="{x + 9:g}" y="{y + 17}">{_text(said)}</text>'


def _arrow(row: Row, y: int, ladder: Ladder) -> Iterator[str]:
    start, end = _x(ladder, row.source), _x(ladder, row.target)
    way = 1 if end >= start else -1
    dotted = row.kind is RowKind.TOLD or row.gone
    colour = _BAD if row.failed else _EDGE if dotted else _INK
    dash = ' stroke-dasharray="2 3"' if dotted else ' stroke-dasharray="7 4"' if row.kind is RowKind.ANSWER else ""
    stop = end - way * (16 if row.failed and row.kind is not RowKind.ANSWER else 8)
    line = y + 27
    yield _time(row, y + 31)
    yield f'<path d="M{start + way * 4:g} {line}H{stop:g}" stroke="{colour}" stroke-width="2"{dash}/>'
    yield _tip(end - way * 2, line, way, colour, failed=row.failed and row.kind is not RowKind.ANSWER)
    middle = (start + end) / 2
    again = " ↻" if row.attempts > 1 else ""
    yield f'<text x="{middle:g}" y="{y + 20}" text-anchor="middle" class="c h">{_text(row.name)}{again}</text>'
    if row.fault:
        width = 7 * len(row.fault) + 26
        yield f'<rect x="{middle - width / 2:g}" y="{y + 31}" width="{width}" height="15" rx="3" fill="{_FAULT_TINT}"/>'
        yield f'<text x="{middle:g}" y="{y + 42}" text-anchor="middle" class="s fault">⚡ {_text(row.fault)}</text>'
    elif row.beneath or row.text:
        under = row.text if row.kind is RowKind.FOLD and row.text else row.beneath
        yield f'<text x="{middle:g}" y="{y + 41}" text-anchor="middle" class="s h">{_text(_cut(under, 48))}</text>'
    yield from _answer(row, y)


def _tip(x: float, y: int, way: int, colour: str, *, failed: bool) -> str:
    if failed:
        x -= way * 12
        return f'<path d="M{x - 4:g} {y - 4}l8 8m0 -8l-8 8" stroke="{colour}" stroke-width="2"/>'
    return f'<path d="M{x:g} {y}l{-way * 8} -4v8z" fill="{colour}"/>'


def _answer(row: Row, y: int) -> Iterator[str]:
    x = _LEFT + _LANES + _ANSWERS
    under: list[str] = []
    if row.answer is not None:
        word, kind = ("✕ ", " bad") if row.answer.failed else ("", "")
        yield f'<text x="{x}" y="{y + 24}" class="b{kind}">{word}{_text(_cut(row.answer.text, 34))}</text>'
        under.append(row.answer.detail)
    if row.attempts > 1:
        under.append(f"attempt {row.attempt} of {row.attempts}")
    if row.gone:
        under.append(row.note)
    if row.repeat_of:
        under.append(f"repeat of {row.repeat_of}")
    said = _text(_cut(" · ".join(filter(None, under)), 40))
    flags = "".join(f'<tspan class="wait"> ⚑ {_text(one)}</tspan>' for one in row.findings[:3])
    yield f'<text x="{x}" y="{y + 39}" class="s">{said}{flags}</text>'


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _text(text: str) -> str:
    """XML 1.0 has no control characters, not even escaped; nor halves of surrogate pairs."""
    clean = text.translate(_CONTROL).encode("utf-8", "replace").decode()
    return escape(clean.replace("\ufffe", "?").replace("\uffff", "?"))
