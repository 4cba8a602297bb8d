"""Where elements stand in the octets of an XML document, as far as it is one. Parsers know lines, not octets.

Forgiving: what cannot be read ends the search, and what was found until then counts. Entities are not expanded, nothing
is fetched, and every octet is looked at once or twice.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from protocols.charset import decode

MAXIMUM_ELEMENTS: Final = 5000
MAXIMUM_OCTETS: Final = 1024 * 1024
MAXIMUM_DEPTH: Final = 64
_TAG: Final = re.compile(rb"<(/?)([^\s/>!?<]++)((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
_ATTRIBUTE: Final = re.compile(rb"([^\s=/]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
_ENCODING: Final = re.compile(rb"<\?xml[^>]{0,80}encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})")
_SKIPPED: Final = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"), (b"<!", b">"))


@dataclass(slots=True, kw_only=True)
class Element:
    """One element: its path of local names from the root, its octets [start, end), those of its start tag
    [start, inner), what its text says (CDATA included, children not), and the lines of its start tag, from 1."""

    path: tuple[str, ...]
    start: int
    inner: int
    end: int = -1
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""
    lines: tuple[int, int] = (0, 0)
    has_children: bool = False
    pieces: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its local name."""
        return self.path[-1]


class _Search:
    """One pass over the octets."""

    def __init__(self, octets: bytes, charset: str) -> None:
        self._octets = octets[:MAXIMUM_OCTETS]
        declared = _ENCODING.match(self._octets.lstrip()[:200])
        self._charset = _known(declared[1].decode() if declared is not None else charset)
        self._open: list[Element] = []
        self._line, self._counted = 1, 0
        self.found: list[Element] = []

    def run(self) -> None:
        octets, at = self._octets, 0
        while len(self.found) < MAXIMUM_ELEMENTS:
            begin = octets.find(b"<", at)
            if self._open:
                self._open[-1].pieces.append(octets[at : begin if begin >= 0 else len(octets)])
            if begin < 0:
                return
            at = self._next(begin)
            if at < 0:
                return

    def _next(self, begin: int) -> int:
        """What begins here, and where it ends; -1: nobody can say."""
        octets = self._octets
        for opening, closing in _SKIPPED:
            if octets.startswith(opening, begin):
                end = octets.find(closing, begin + len(opening))
                if opening == b"<![CDATA[" and self._open and end >= 0:
                    self._open[-1].pieces.append(_escaped(octets[begin + 9 : end]))
                return end + len(closing) if end >= 0 else -1
        tag = _TAG.match(octets, begin)
        if tag is None:
            return -1
        if tag[1]:
            self._close(_local(tag[2]), tag.end())
            return tag.end()
        return tag.end() if self._opened(tag) else -1

    def _opened(self, tag: re.Match[bytes]) -> bool:
        if len(self._open) >= MAXIMUM_DEPTH:
            return False
        first, last = self._line_at(tag.start()), self._line_at(tag.end())
        above = self._open[-1].path if self._open else ()
        if self._open:
            self._open[-1].has_children = True
        element = Element(
            path=(*above, _local(tag[2])),
            start=tag.start(),
            inner=tag.end(),
            attributes=tuple(self._attributes(tag[3])),
            lines=(first, last),
        )
        self.found.append(element)
        if tag[3].endswith(b"/"):
            element.end = tag.end()
        else:
            self._open.append(element)
        return True

    def _attributes(self, octets: bytes) -> Iterator[tuple[str, str]]:
        for one in _ATTRIBUTE.finditer(octets):
            yield one[1].decode("latin-1"), self._text(one[2] or one[3] or b"")

    def _close(self, name: str, end: int) -> None:
        """The innermost open element with this name; those in it were never closed, and end here, too."""
        if all(one.name != name for one in self._open):
            return
        while self._open:
            element = self._open.pop()
            element.end, element.text = end, self._text(b"".join(element.pieces))
            if element.name == name:
                return

    def finish(self) -> None:
        for element in self._open:
            element.end, element.text = len(self._octets), self._text(b"".join(element.pieces))

    def _line_at(self, at: int) -> int:
        self._line += self._octets.count(b"\n", self._counted, at)
        self._counted = at
        return self._line

    def _text(self, octets: bytes) -> str:
        return html.unescape(decode(octets, self._charset)).strip()


def elements(octets: bytes, charset: str = "") -> tuple[Element, ...]:
    """The elements in the order of their start tags; none where octets are wider than a letter (UTF-16)."""
    if b"\0" in octets[:8] or octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ()
    search = _Search(octets, charset)
    search.run()
    search.finish()
    return tuple(search.found)


def _known(charset: str) -> str:
    try:
        decode(b"", charset or "utf-8")
    except LookupError:
        return "utf-8"
    return charset or "utf-8"


def _escaped(octets: bytes) -> bytes:
    return octets.replace(b"&", b"&amp;")


def _local(name: bytes) -> str:
    return name.rpartition(b":")[2].decode("utf-8", "replace")
