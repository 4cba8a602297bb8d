"""One PDU: what it is, decoded as a tree, and its octets; the selection is in the query (`o` octets, `b` byte tab)."""

import re
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from mmsc.console import octets
from mmsc.console.message_head import has_route
from mmsc.console.words import clock
from mmsc.control.traffic import Traffic
from mmsc.trace.ladder import Pdu
from mmsc.trace.ladder.reading import answer_cell
from mmsc.trace.view import View, every, reassembled
from mmsc.trace.view.fields import Dissection, Level, Node, dissect
from protocols.records import record

_RANGE: Final = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_TEXTUAL: Final = ("soap", "mail", "http", "smtp")
_ENVELOPES: Final = ("HTTP", "SMTP", "multipart", "part", "user data", "MIME")
_OPEN_AT_MOST: Final = 60  # fields: what has more begins folded


@record(frozen=True, slots=True, kw_only=True)
class Pane:
    """All that the pane shows. `chosen` is the node that is selected (0: none), `marked` the octets of the level."""

    pdu: Pdu
    number: str
    total: int
    before: str
    after: str
    said: str
    answer: str
    dissection: Dissection
    level: Level
    chosen: int
    marked: range
    open: frozenset[int]
    most: int
    as_text: bool
    can_replay: bool

    @property
    def layers(self) -> list[Node]:
        """All layers, outer ones first: the tree shows them one below another."""
        return [one for one in self.dissection.nodes() if one.kind == "layer"]

    @property
    def tabs(self) -> list[Level]:
        """The byte tabs: of a short message what it carries first."""
        levels = list(self.dissection.levels)
        return levels[::-1] if any(one.key == "smpp" for one in levels) else levels

    @property
    def lines(self) -> list[octets.Line]:
        """The octets of the level, line by line."""
        return octets.lines(self.dissection, self.level, self.marked, self.most)

    @property
    def runs(self) -> list[octets.Run]:
        """The level as text."""
        return octets.as_text(self.dissection, self.level, self.marked)

    @property
    def size(self) -> int:
        """Octets of the level."""
        return self.level.end - self.level.start

    @property
    def is_textual(self) -> bool:
        """Whether the level can be read as text."""
        return self.level.key.rstrip("0123456789") in _TEXTUAL

    def place(self, node: Node) -> str:
        """Its octets, first and last, counted from the start of the level; "" for what is not in it."""
        level = self.level
        if node.buffer != level.buffer or node.start < level.start or node.end > level.end or node.end <= node.start:
            return ""
        return f"{node.start - level.start}-{node.end - level.start - 1}"

    def level_of(self, node: Node) -> str:
        """The innermost byte tab that has all of a node."""
        inside = [
            one
            for one in self.dissection.levels
            if one.buffer == node.buffer and one.start <= node.start and node.end <= one.end
        ]
        return min(inside, key=lambda one: one.end - one.start).key if inside and node.start >= 0 else ""

    def link(self, node: Node) -> str:
        """The query that selects a node: in this tab where it has it, else in the one that has."""
        place = self.place(node)
        if place:
            return f"?b={self.level.key}&o={place}"
        key = self.level_of(node)
        if not key:
            return f"?b={self.level.key}"
        level = self.dissection.level(key)
        return f"?b={key}&o={node.start - level.start}-{max(node.start, node.end - 1) - level.start}"

    @property
    def told(self) -> str:
        """`80-128 (0x50-0x80), 49 octets` of what is marked, else how long the level is."""
        if not self.marked:
            return f"{self.size:,} octets"
        first, last = self.marked[0], self.marked[-1]
        octets_ = f"{len(self.marked):,} octet{'' if len(self.marked) == 1 else 's'}"
        return f"{first}-{last} (0x{first:02x}-0x{last:02x}), {octets_}"


def pane_of(request: web.Request, traffic: Traffic, pdu: Pdu, most: int = octets.AT_FIRST) -> Pane:
    """The pane of a PDU as the query wants it; about `most` of its octets are shown unless all are asked for."""
    dissection = dissect(pdu.view, *_reassembled(traffic.pdus, pdu))
    level = dissection.level(request.query.get("b", ""))
    marked = _marked(request.query.get("o", ""), level)
    node = dissection.at(level, marked[0], marked[-1]) if marked else _finding(dissection, level)
    if node is not None and not marked:
        marked = range(node.start - level.start, node.end - level.start)
    numbered = [one.number for one in traffic.pdus if not one.folded]
    here = numbered.index(pdu.number) if pdu.number in numbered else numbered.index(pdu.answers)
    return Pane(
        pdu=pdu,
        number=pdu.number,
        total=len(numbered),
        before=numbered[here - 1] if here else "",
        after=numbered[here + 1] if here + 1 < len(numbered) else "",
        said=_said(traffic, pdu),
        answer=pdu.answered_by,
        dissection=dissection,
        level=level,
        chosen=node.number if node is not None else 0,
        marked=marked,
        open=_opened(dissection, level, node),
        most=octets.MOST if request.query.get("whole") == "1" else most,
        as_text=request.query.get("as") == "text",
        can_replay=not pdu.answers and not pdu.outward and has_route(request, "/m/", "/replay"),
    )


def _said(traffic: Traffic, pdu: Pdu) -> str:
    """`PDU 2 of 9 · 14:02:43.883 · ESME_ROK in 4 ms`"""
    count = sum(not one.folded for one in traffic.pdus)
    place = f"Answer to PDU {pdu.answers}" if pdu.folded else f"PDU {pdu.number} of {count}"
    told = [place, clock(pdu.at)]
    if abs(pdu.record.at_real - pdu.at) > 1000:
        told.append(f"real time {clock(pdu.record.at_real)}")
    if not pdu.answers:
        answer = answer_cell(pdu, traffic.pdu(pdu.answered_by) if pdu.answered_by else None)
        told.append(", ".join(filter(None, (answer.text, answer.detail))))
    return " · ".join([*told, *filter(None, (pdu.record.note,))])


def _reassembled(pdus: Sequence[Pdu], pdu: Pdu) -> list[View]:
    """What was pushed in several short messages, put together, where all of them are there."""
    own = next((one.segment for one in every(pdu.view) if one.segment is not None), None)
    if own is None:
        return []
    views = [
        one.view
        for one in pdus
        if any(inner.segment is not None and inner.segment.of == own.of for inner in every(one.view))
    ]
    return list(reassembled(views))


def _marked(text: str, level: Level) -> range:
    found = _RANGE.fullmatch(text)
    if found is None:
        return range(0)
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    size = level.end - level.start
    return range(first, min(last, size - 1) + 1) if first <= last and first < size else range(0)


def _finding(dissection: Dissection, level: Level) -> Node | None:
    """What a PDU opens with: its first finding that has a place in the level."""
    for node in dissection.nodes():
        in_level = node.buffer == level.buffer and level.start <= node.start and node.end <= level.end
        if node.kind == "finding" and in_level and node.start >= 0:
            return dissection.at(level, node.start - level.start, node.end - level.start - 1)
    return None


def _opened(dissection: Dissection, level: Level, chosen: Node | None) -> frozenset[int]:
    """The layers that are not folded: those in the level but envelopes, those with something to remark, the one that is
    selected, and the only one."""
    layers = [one for one in dissection.nodes() if one.kind == "layer"]
    if len(layers) == 1:
        return frozenset(one.number for one in layers)
    return frozenset(one.number for one in layers if _is_open(one, level, chosen))


def _is_open(layer: Node, level: Level, chosen: Node | None) -> bool:
    remarked = any(one.kind in ("finding", "problem") for one in layer.children)
    has_chosen = chosen is not None and (chosen is layer or chosen in layer.children)
    in_level = layer.buffer != level.buffer or (level.start <= layer.start and layer.end <= level.end)
    few = len(layer.children) <= _OPEN_AT_MOST and layer.name not in _ENVELOPES
    return remarked or has_chosen or (in_level and few)
