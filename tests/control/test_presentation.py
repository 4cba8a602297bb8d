"""What a player is told of an MM: SMIL of several families, wrong ones, hostile ones, and none."""

import json

import pytest

from mmsc.control.presentation import (
    LONGEST_TEXT,
    TEXT_OF_ALL,
    Placed,
    Presentation,
    Source,
    amr_milliseconds,
    present,
)
from protocols.content_type import ContentType
from tests.control import smils

TEXT = ContentType("text/plain", (("charset", "utf-8"),))
AMR = b"#!AMR\n" + bytes((0x3C, *range(31))) * 100  # mode 12.2: 32 octets each 20 ms


def sources(root: bytes | None, *more: Source) -> list[Source]:
    parts = [
        Source(ContentType("image/jpeg"), b"jpeg", "pic@x", "a.jpg"),
        Source(ContentType("image/gif"), b"gif", "", "b.jpg"),
        Source(TEXT, "Grüße".encode(), "", "hello.txt"),
        Source(TEXT, b"bye", "", "bye.txt"),
        Source(ContentType("audio/amr"), AMR, "", "tone.amr"),
        *more,
    ]
    return parts if root is None else [Source(ContentType("application/smil"), root, "smil"), *parts]


def played(root: bytes | None, *more: Source) -> Presentation:
    return present(sources(root, *more), place="/p/")


def test_nokia_regions_in_pixels() -> None:
    made = played(smils.NOKIA)
    assert (made.width, made.height, made.background) == (176, 208, "#ffffff")
    assert [(one.name, one.left, one.top, one.width, one.height, one.fit) for one in made.regions] == [
        ("Image", 8, 0, 160, 120, "meet"),
        ("Text", 8, 140, 160, 68, "scroll"),
    ]
    assert [slide.ms for slide in made.slides] == [5000, 8000]
    assert [one.kind for one in made.slides[1].media] == ["text", "audio"]
    assert made.ms == 13_000
    assert [one.name for one in made.others] == ["b.jpg"]
    assert made.remarks == []


def test_android_regions_in_per_cent_of_a_square() -> None:
    made = played(smils.ANDROID)
    assert (made.width, made.height) == (320, 320)
    assert [(one.top, one.height) for one in made.regions] == [(0, 160), (160, 160)]


def test_iphone_with_a_root_layout_without_size() -> None:
    made = played(smils.IPHONE)
    assert (made.width, made.regions[0].top, made.slides[0].ms) == (320, 224, 10_000)
    assert [one.slide for one in made.source] == [None, 0, None]
    assert (made.source[1].text[:4], made.source[1].text[-6:]) == ("<par", "</par>")


def test_ericsson_with_a_doctype_edges_times_and_colours() -> None:
    made = played(smils.ERICSSON)
    image, text = made.regions
    assert made.background == "#000080"
    assert (image.left, image.width, image.height, image.fit) == (10, 220, 160, "meet")
    assert (text.top, text.background, text.fit) == (160, "#ffffff", "fill")
    picture, words = made.slides[0].media
    assert (picture.begin, picture.end, words.begin, words.end) == (1000, 3000, 500, None)
    assert words.colour == "#ff8800"
    assert made.slides[0].ms == 5500  # as long as what it shows: text for five seconds from 0.5 s on


def test_media_in_a_sequence_follow_one_another() -> None:
    first, second, words = played(smils.IN_TURN).slides[0].media
    assert (first.begin, first.end, second.begin, second.end) == (0, 3000, 3000, None)
    assert words.end == 6000
    assert played(smils.IN_TURN).slides[0].ms == 8000


@pytest.mark.parametrize(
    ("root", "remark"),
    [
        (smils.NO_LAYOUT, "no layout"),
        (smils.LOST_REGION, "'Txt'"),
        (smils.OFF_STAGE, "no place on the stage"),
    ],
)
def test_without_a_layout_that_fits_it_is_one_column(root: bytes, remark: str) -> None:
    made = played(root)
    assert (made.width, made.regions) == (0, [])
    assert any(remark in one for one in made.remarks)
    assert [one.kind for one in made.slides[0].media] in (["image", "text"], ["image"])


def test_media_outside_of_a_par_are_slides() -> None:
    made = played(smils.NO_PAR)
    assert [[one.kind for one in slide.media] for slide in made.slides] == [["image"], ["text"]]
    assert any("outside of any par" in one for one in made.remarks)


def test_a_part_that_is_missing_is_said() -> None:
    made = played(smils.LOST_PART)
    assert any("'gone.jpg'" in one for one in made.remarks)
    assert [one.kind for one in made.slides[0].media] == ["text"]


def test_odd_times_are_bounded() -> None:
    made = played(smils.ODD_TIMES)
    assert [slide.ms for slide in made.slides] == [5000, 24 * 3600 * 1000]
    assert (made.slides[0].media[0].begin, made.slides[0].media[0].end) == (0, None)
    assert any("'soon'" in one for one in made.remarks)


@pytest.mark.parametrize("root", [smils.EMPTY, smils.CUT, smils.ENTITIES, b"", b"\xff\xfe<", None])
def test_without_a_presentation_each_part_is_a_slide(root: bytes | None) -> None:
    made = played(root)
    assert [slide.media[0].kind for slide in made.slides] == ["image", "image", "text", "text", "audio"]
    assert made.remarks


def test_a_single_part_needs_no_presentation() -> None:
    made = present([Source(TEXT, b"hi")])
    assert (made.remarks, made.slides[0].media) == ([], [Placed(0, "text", "", "", 0, None)])


def test_nothing_hostile_becomes_more_than_text() -> None:
    page = Source(ContentType("text/html"), b"<script>boom()</script>", "", "page.html")
    words = Source(TEXT, b"<script>boom()</script>", "", "<img src=x onerror=boom()>.txt")
    made = played(smils.HOSTILE, page, words)
    assert made.background == ""
    assert {one.url for one in made.parts} == {f"/p/{number}" for number in range(8)}
    assert [(one.kind, one.part) for one in made.slides[0].media] == [("text", 7)]
    assert [one.name for one in made.parts[-2:]] == ["page.html", "img src=x onerror=boom()_.txt"]
    assert made.parts[6].kind == ""
    kept = json.loads(made.as_json())
    assert kept["slides"][0]["media"][0]["part"] == 7
    assert "javascript:" not in json.dumps([kept["regions"], kept["slides"], kept["parts"], kept["background"]])


def test_comments_full_of_slides_cost_nothing() -> None:
    made = played(smils.MANY)
    assert (len(made.slides), len(made.source)) == (1, 1)


def test_start_names_the_presentation() -> None:
    two = [
        Source(ContentType("application/smil"), smils.NO_PAR, "one"),
        Source(ContentType("application/smil"), smils.NO_LAYOUT, "two"),
        *sources(None),
    ]
    assert len(present(two, "<two>").slides) == 1
    assert len(present(two).slides) == 2


def test_a_slide_is_as_long_as_its_sound() -> None:
    root = b"<smil><body><par dur='1s'><audio src='tone.amr'/></par></body></smil>"
    assert amr_milliseconds(AMR) == 2000
    assert played(root).slides[0].ms == 2000
    assert amr_milliseconds(b"no amr") == 0
    assert not next(one for one in played(root).parts if one.kind == "audio").playable


def test_texts_are_bounded() -> None:
    many = [Source(TEXT, b"x" * 30_000, "", f"{number}.txt") for number in range(20)]
    made = present(many)
    assert len(made.parts[0].text) == LONGEST_TEXT + 1
    assert sum(len(one.text) for one in made.parts) <= TEXT_OF_ALL + len(many)


def test_text_in_its_own_character_set() -> None:
    latin = Source(ContentType("text/plain", (("charset", "iso-8859-1"),)), "Grüße".encode("latin-1"))
    assert present([latin]).parts[0].text == "Grüße"
