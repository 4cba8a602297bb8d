"""The source of a presentation as text, cut where its slides begin and end, so that a reader can mark the one that
plays."""

import re
from typing import Final

import msgspec

LONGEST: Final = 64 * 1024  # characters
_TAG: Final = re.compile(r"<(/?)(?:[A-Za-z][\w.-]*:)?par\b[^<>]*>")


class Stretch(msgspec.Struct, frozen=True):
    """Some of the source; `slide` counts from 0, None for what belongs to no slide."""

    text: str
    slide: int | None = None


def stretches(octets: bytes, slides: int) -> list[Stretch]:
    """In order, all of it. Where it has not just so many slides (comments and nesting can do that), it is one."""
    text = _text(octets)
    found = _pars(text) if slides else []
    if len(found) != slides:
        return [Stretch(text)]
    cut: list[Stretch] = []
    at = 0
    for number, (begin, end) in enumerate(found):
        cut += (Stretch(text[at:begin]), Stretch(text[begin:end], number))
        at = end
    return [one for one in (*cut, Stretch(text[at:])) if one.text]


def _pars(text: str) -> list[tuple[int, int]]:
    """Where each outermost `par` begins and ends, tag by tag: the time this takes grows with the text alone."""
    found: list[tuple[int, int]] = []
    depth = begin = 0
    for tag in _TAG.finditer(text):
        if depth == 0:
            begin = tag.start()
        if tag[1]:
            depth -= 1
        elif not tag[0].endswith("/>"):
            depth += 1
        if depth <= 0:
            depth = 0
            found.append((begin, tag.end()))
    return found


def _text(octets: bytes) -> str:
    in_utf16 = octets[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = octets.decode("utf-16" if in_utf16 else "utf-8", "replace").strip("\0 \r\n\t\ufeff")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
