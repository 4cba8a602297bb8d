"""Colours on their grounds, computed from the style sheet itself (WCAG 2.2 1.4.3 and 1.4.11; console.md 9)."""

import re
from collections.abc import Iterator
from importlib import resources
from typing import Final

import pytest

TEXT, GRAPHICS = 4.5, 3.0
SHEET: Final = (resources.files("mmsc.console") / "static/css/00-tokens.css").read_text()
PAPER: Final = {"#fff"}
OF_A_STAGE: Final = dict(re.findall(r"--(stage[a-z-]*): (#[0-9A-F]{6})", SHEET))  # black in either theme
_TOKEN: Final = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9A-F]{6}), (#[0-9A-F]{6})\)")
TOKENS: Final = {name: pair for name, *pair in _TOKEN.findall(SHEET)}
GROUNDS: Final = ("bg", "surface", "sunk")
# What is written on what; edges and states' shapes are graphics.
INKS: Final = {
    **dict.fromkeys(
        ("ink", "ink2"), (*GROUNDS, "accent-tint", "fault-tint", "wait-tint", "bad-tint", "ok-tint", "mark2")
    ),
    "ink3": (*GROUNDS, "accent-tint"),
    "accent": (*GROUNDS, "accent-tint", "fault-tint"),
    "ok": (*GROUNDS, "ok-tint", "accent-tint"),
    "wait": (*GROUNDS, "wait-tint", "accent-tint", "fault-tint"),
    "bad": (*GROUNDS, "bad-tint", "accent-tint", "fault-tint"),
    "fault": (*GROUNDS, "fault-tint", "accent-tint"),
}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def pairs() -> Iterator[tuple[str, str, float]]:
    """(ink, ground, least contrast)."""
    for ink, grounds in INKS.items():
        yield from ((ink, ground, TEXT) for ground in grounds)
    yield "ink", "mark", TEXT
    yield "surface", "accent", TEXT  # filled buttons
    yield "surface", "ink", TEXT  # pressed ones
    yield from (("edge", ground, GRAPHICS) for ground in ("bg", "surface"))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), list(pairs()))
def test_what_is_written_can_be_read(ink: str, ground: str, least: float, theme: int) -> None:
    found = contrast(TOKENS[ink][theme], TOKENS[ground][theme])
    assert found >= least, f"{ink} on {ground}: {found:.2f}"


@pytest.mark.parametrize(("ink", "ground"), [("ink", ""), ("link", ""), ("mark", ""), ("mark-ink", "-mark")])
def test_what_stands_on_a_stage_can_be_read(ink: str, ground: str) -> None:
    assert contrast(OF_A_STAGE[f"stage-{ink}"], OF_A_STAGE[f"stage{ground}"]) >= TEXT


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_sheets_name_no_colours_of_their_own() -> None:
    """Else the pairs above would not be all of them. Paper is white."""
    folder = resources.files("mmsc.console") / "static/css"
    for sheet in [*folder.iterdir(), *(folder / "pages").iterdir()]:
        if sheet.name.endswith(".css") and sheet.name != "00-tokens.css":
            text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
            found = set(re.findall(r"#[0-9a-f]{3,8}\b", text.lower())) - PAPER
            assert not found, f"{sheet.name}: {found}"
