"""Plots as SVG that stands in a page: no script, no font and no colour of its own (the page's style sheet has them).

Every mark has a `title`, which browsers show when they are pointed at; the page also has the same figures as a table.
"""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from protocols.records import record

WIDTH: Final = 960
HEIGHT: Final = 260
_LEFT: Final = 64
_RIGHT: Final = 16
_TOP: Final = 14
_BOTTOM: Final = 34
_X_LINES: Final = 8
_Y_LINES: Final = 5


@record(frozen=True, slots=True)
class Line:
    """One curve: its class in the style sheet, its name, its values (None: a gap)."""

    style: str
    name: str
    values: Sequence[float | None]


def curves(
    title: str,
    times: Sequence[float],
    lines: Sequence[Line],
    unit: str,
    *,
    warm_up: float = 0.0,
    logarithmic: bool = False,
) -> str:
    """Lines over time in seconds; the warm-up is shaded."""
    values = [value for line in lines for value in line.values if value is not None and (value > 0 or not logarithmic)]
    if not times or not values:
        return ""
    across, x_marks = _linear(times[0], max(times[-1], times[0] + 1), _LEFT, WIDTH - _RIGHT, _X_LINES)
    bottom, top = HEIGHT - _BOTTOM, _TOP
    if logarithmic:
        up, y_marks = _logarithmic(min(values), max(values), bottom, top)
    else:
        up, y_marks = _linear(0.0, max(values) * 1.05 or 1.0, bottom, top, _Y_LINES)
    drawn = [_shade(across, warm_up, times[0])] if warm_up > times[0] else []
    drawn += _grid(across, x_marks, up, y_marks, "s", unit)
    for line in lines:
        drawn.append(_curve(line, times, across, up, unit, logarithmic=logarithmic))
    return _svg(title, drawn) + _legend(lines)


def bars(title: str, slots: Sequence[tuple[float, int]], marks: Sequence[tuple[str, float]], style: str) -> str:
    """How many took how long: `slots` are (milliseconds, count), on a logarithmic axis; `marks` are named latencies."""
    if not slots:
        return ""
    low, high = max(min(upper for upper, _ in slots), 0.001), max(upper for upper, _ in slots)
    across, x_marks = _logarithmic(low, max(high, 1.02 * low), _LEFT, WIDTH - _RIGHT)
    columns: dict[int, int] = {}
    for upper, number in slots:
        column = int((across(max(upper, low)) - _LEFT) // _COLUMN)
        columns[column] = columns.get(column, 0) + number
    total, most = sum(columns.values()), max(columns.values())
    bottom = HEIGHT - _BOTTOM
    up, y_marks = _linear(0.0, 100 * most / total * 1.1, bottom, _TOP + 14, _Y_LINES)
    drawn = _grid(across, x_marks, up, y_marks, "ms", "%")
    for column, number in sorted(columns.items()):
        y = up(100 * number / total)
        x = float(_LEFT + column * _COLUMN)
        drawn.append(
            f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{_COLUMN - 1}" height="{max(bottom - y, 0.5):.1f}">'
            f"<title>{number:,} ({100 * number / total:.2f} %)</title></rect>"
        )
    last = -100.0
    for name, value in marks:
        x = across(max(value, low))
        drawn.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP + 8}" y2="{bottom}"/>')
        if x - last > _MARK_ROOM:
            drawn.append(f'<text class="mark" x="{x:.1f}" y="{_TOP + 4}" text-anchor="middle">{escape(name)}</text>')
            last = x
    return _svg(title, drawn)


_COLUMN: Final = 8
_MARK_ROOM: Final = 34

Scale = Callable[[float], float]


def _linear(low: float, high: float, start: float, end: float, lines: int) -> tuple[Scale, list[float]]:
    """A scale from values to places, and round values to mark."""
    rough = (high - low) / lines
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step)
    marks = [step * number for number in range(first, math.floor(high / step) + 1)]
    return lambda value: start + (value - low) / (high - low) * (end - start), marks


def _logarithmic(low: float, high: float, start: float, end: float) -> tuple[Scale, list[float]]:
    from_, to = math.log10(low) - 0.03, math.log10(high) + 0.03
    factors = (1, 2, 5) if to - from_ < 3 else (1,)
    candidates = [factor * 10.0**power for power in range(math.floor(from_), math.ceil(to) + 1) for factor in factors]
    marks = [value for value in candidates if from_ <= math.log10(value) <= to]

    def place(value: float) -> float:
        return start + (min(max(math.log10(max(value, 1e-9)), from_), to) - from_) / (to - from_) * (end - start)

    return place, marks


def _grid(
    across: Scale, x_marks: Sequence[float], up: Scale, y_marks: Sequence[float], x_unit: str, y_unit: str
) -> list[str]:
    bottom = HEIGHT - _BOTTOM
    drawn: list[str] = []
    for value in y_marks:
        y = up(value)
        drawn.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    for value in x_marks:
        x = across(value)
        drawn.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>')
        drawn.append(f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{_number(value)}</text>')
    drawn.append(f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{bottom}" y2="{bottom}"/>')
    drawn.append(f'<text class="unit" x="{_LEFT - 8}" y="{HEIGHT - 2}" text-anchor="end">{escape(y_unit)}</text>')
    drawn.append(f'<text class="unit" x="{WIDTH - _RIGHT}" y="{HEIGHT - 2}" text-anchor="end">{escape(x_unit)}</text>')
    return drawn


def _curve(line: Line, times: Sequence[float], across: Scale, up: Scale, unit: str, *, logarithmic: bool) -> str:
    path: list[str] = []
    dots: list[str] = []
    pen = "M"
    for time, value in zip(times, line.values, strict=True):
        if value is None or (logarithmic and value <= 0):
            pen = "M"
            continue
        x, y = across(time), up(value)
        path.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
        words = f"{escape(line.name)}: {_number(value)} {escape(unit)} at {_number(time)} s"
        dots.append(f'<circle class="{line.style}" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{words}</title></circle>')
    if len(path) == 1:  # of a short run; a line of no length is not drawn
        path.append("m-4 0h8")
    return f'<path class="{line.style}" d="{"".join(path)}"/><g class="dots">{"".join(dots)}</g>'


def _shade(across: Scale, warm_up: float, start: float) -> str:
    x, end = across(start), across(warm_up)
    return (
        f'<rect class="warm" x="{x:.1f}" y="{_TOP}" width="{end - x:.1f}" height="{HEIGHT - _BOTTOM - _TOP}">'
        "<title>warm-up, not counted</title></rect>"
    )


def _svg(title: str, drawn: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(drawn)}</svg>'


def _legend(lines: Sequence[Line]) -> str:
    items = "".join(f'<li><i class="{line.style}"></i>{escape(line.name)}</li>' for line in lines)
    return f'<ul class="legend">{items}</ul>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
