"""The plots of a report."""

import re

import pytest

from mmsc.load.plots import Line, curves


@pytest.mark.parametrize(("values", "strokes"), [([5.0], 1), ([5.0, 6.0], 0), ([None, 5.0], 1)])
def test_a_run_of_one_piece_is_seen_too(values: list[float | None], strokes: int) -> None:
    plot = curves("Rate", [0.5, 1.5][: len(values)], [Line("a", "accepted", values)], "/s")
    [path] = re.findall(r'<path class="a" d="([^"]+)"', plot)
    assert path.count("m-4 0h8") == strokes
    assert plot.count("<circle") == sum(value is not None for value in values)
