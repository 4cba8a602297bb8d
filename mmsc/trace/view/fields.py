"""A view as people walk it: layers and fields as one tree, each with its place; and the octets it stands in, level by
level, as a protocol analyser's byte tabs.

Octets that lie in others as they are share their places (one buffer); what was decoded, inflated or put together from
segments has a buffer of its own.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from itertools import pairwise
from typing import Final

from mmsc.trace.view.model import Row, View
from protocols.records import record

MAXIMUM_NODES: Final = 3000
_LONGEST_VALUE: Final = 400  # characters
_LEVELS: Final = {
    "HTTP": ("http", "HTTP"),
    "SMTP": ("smtp", "SMTP"),
    "SMPP": ("smpp", ""),
    "SMS": ("sms", ""),
    "user data": ("short_message", "short_message"),
    "WAP push": ("push", "WAP push"),
    "put together": ("reassembled", "reassembled"),
    "MMS PDU": ("mms", ""),
    "MM7": ("soap", "SOAP"),
    "MM4": ("mail", "mail"),
    "multipart": ("multipart", "multipart"),
    "content": ("content", ""),
    "octets": ("octets", "octets"),
}
_TABS: Final = 7


@record(frozen=True, slots=True, kw_only=True)
class Node:
    """A layer, a field, a finding or a problem. `number` is its own in the tree; [start, end) are octets of its buffer,
    -1 where it has no place. `rule` is a finding's."""

    number: int
    kind: str  # layer, field, finding, problem, text
    name: str
    value: str
    start: int
    end: int
    buffer: int
    clause: str = ""
    rule: str = ""
    children: "tuple[Node, ...]" = field(default=())
    typed: object = None

    @property
    def length(self) -> int:
        """Its octets."""
        return max(0, self.end - self.start)


@record(frozen=True, slots=True)
class Level:
    """A byte tab: octets [start, end) of a buffer."""

    key: str
    name: str
    buffer: int
    start: int
    end: int


@record(frozen=True, slots=True)
class Dissection:
    """All of a PDU."""

    roots: tuple[Node, ...]
    buffers: tuple[bytes, ...]
    levels: tuple[Level, ...]

    def level(self, key: str) -> Level:
        """The level with this key, else the one to begin with: the user data of a short message, or the whole."""
        known = {one.key: one for one in self.levels}
        return known.get(key) or known.get("reassembled") or known.get("short_message") or self.levels[0]

    def nodes(self) -> Iterator[Node]:
        """All nodes, outer ones first."""
        return _walked(self.roots)

    def runs(self, level: Level) -> list[tuple[int, int, int]]:
        """(start, end, number) of the octets that belong to the same innermost node, counted from the level's start;
        0: nobody's."""
        own = [one for one in self.nodes() if one.kind in ("layer", "field") and one.buffer == level.buffer]
        edges = {level.start, level.end, *(one.start for one in own), *(one.end for one in own)}
        places = sorted(one for one in edges if level.start <= one <= level.end)
        owners = [0] * (len(places) - 1)
        for node in own:  # outer ones first: what is inside is painted over them
            first, last = bisect_left(places, node.start), bisect_left(places, node.end)
            if node.start >= 0 and first < last:
                owners[first : min(last, len(owners))] = [node.number] * (min(last, len(owners)) - first)
        return [
            (start - level.start, end - level.start, owner)
            for (start, end), owner in zip(pairwise(places), owners, strict=True)
        ]

    def at(self, level: Level, first: int, last: int) -> Node | None:
        """The innermost node that has all octets from `first` up to and with `last` of the level."""
        found = None
        for node in self.nodes():
            own = node.kind in ("layer", "field") and node.buffer == level.buffer
            if own and node.start <= level.start + first and level.start + last < node.end:
                found = node if found is None or node.length <= found.length else found
        return found


def _walked(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walked(node.children)


class _Maker:
    """Numbers nodes and buffers on the way down."""

    def __init__(self) -> None:
        self.count = 0
        self.buffers: list[bytes] = []
        self.levels: list[Level] = []

    def next(self) -> int:
        self.count += 1
        return self.count

    def buffer(self, octets: bytes) -> int:
        self.buffers.append(octets)
        return len(self.buffers) - 1

    def layer(self, view: View, buffer: int, base: int) -> Node:
        number = self.next()
        end = base + len(view.octets)
        self._level(view, buffer, base)
        children = list(self._children(view, buffer, base))
        return Node(
            number=number,
            kind="layer",
            name=view.kind,
            value=_cut(_summary(view)),
            start=base,
            end=end,
            buffer=buffer,
            children=tuple(children),
        )

    def _children(self, view: View, buffer: int, base: int) -> Iterator[Node]:
        findings = list(view.findings)
        for row in view.rows:
            if self.count >= MAXIMUM_NODES:
                return
            own = [one for one in findings if row.start >= 0 and row.start <= one.offset < max(row.end, row.start + 1)]
            yield self._field(row, buffer, base)
            for finding in own:
                findings.remove(finding)
                start, end = (base + row.start, base + row.end) if row.start >= 0 else (-1, -1)
                yield self._said("finding", finding.rule, finding.remark, start, end, buffer, finding.clause)
        for inner in view.inside:
            if self.count < MAXIMUM_NODES:
                yield self._inner(inner, buffer, base)
        for finding in findings:
            place = (base + finding.offset, base + finding.offset + 1) if finding.offset >= 0 else (-1, -1)
            yield self._said("finding", finding.rule, finding.remark, *place, buffer, finding.clause)
        if view.text:
            yield self._said("text", "text", _cut(view.text), base, base + len(view.octets), buffer)
        if view.problem:
            yield self._problem(view, buffer, base)

    def _inner(self, inner: View, buffer: int, base: int) -> Node:
        if inner.at >= 0:
            return self.layer(inner, buffer, base + inner.at)
        return self.layer(inner, self.buffer(inner.octets), 0)

    def _field(self, row: Row, buffer: int, base: int) -> Node:
        placed = row.start >= 0
        return Node(
            number=self.next(),
            kind="field",
            name=row.name,
            value=_cut(row.value),
            start=base + row.start if placed else -1,
            end=base + row.end if placed else -1,
            buffer=buffer,
            clause=row.clause,
            typed=row.typed,
        )

    def _problem(self, view: View, buffer: int, base: int) -> Node:
        """From where on nothing could be read: behind the last field that could, or the last part."""
        read = max((base + row.end for row in view.rows if row.end >= 0), default=base)
        read = max((read, *(base + _read_to(one) for one in view.inside if one.at >= 0)))
        end = base + len(view.octets)
        return self._said("problem", "Undecodable", view.problem, min(read, end), end, buffer)

    def _said(self, kind: str, name: str, value: str, start: int, end: int, buffer: int, clause: str = "") -> Node:
        rule = name if kind == "finding" else ""
        return Node(
            number=self.next(),
            kind=kind,
            name=name,
            value=value,
            start=start,
            end=end,
            buffer=buffer,
            clause=clause,
            rule=rule,
        )

    def _level(self, view: View, buffer: int, base: int) -> None:
        known = _LEVELS.get(view.kind)
        inline = view.kind == "content" and base > 0
        if known is None or inline or len(self.levels) >= _TABS or not view.octets:
            return
        if any((one.buffer, one.start, one.end) == (buffer, base, base + len(view.octets)) for one in self.levels):
            return
        key, name = known
        taken = sum(one.key.rstrip("0123456789") == key for one in self.levels)
        told = name or view.title.partition(",")[0]
        self.levels.append(Level(f"{key}{taken + 1 if taken else ''}", told, buffer, base, base + len(view.octets)))


def _read_to(view: View) -> int:
    """The end of what could be read of it, as its own layer has it."""
    if not view.problem:
        return view.at + len(view.octets)
    ends = [row.end for row in view.rows] + [_read_to(one) for one in view.inside if one.at >= 0]
    return view.at + max(ends, default=0)


def _summary(view: View) -> str:
    """What a folded layer says of itself."""
    told = {row.name.lower(): row.value for row in view.rows}
    if view.kind == "SMPP" and "sequence_number" in told:
        to = told.get("destination_addr", "")
        return f"{view.title}, sequence {told['sequence_number']}" + (f", to {to}" if to else "")
    if view.kind == "HTTP":
        secret = told.get("authorization", "").partition(" ")[0]
        return f"{view.title}, {len(view.octets):,} octets" + (f", {secret} ***" if secret else "")
    if view.kind == "user data" and (ports := next((row.value for row in view.rows if "ports" in row.name), "")):
        return f"{view.title}: {ports}"
    return view.title


def dissect(view: View, *more: View) -> Dissection:
    """The tree of a view; `more` are views beside it (a push put together of several PDUs), which come first."""
    maker = _Maker()
    roots = [maker.layer(replace(one, at=-1), maker.buffer(one.octets), 0) for one in more]
    roots.append(maker.layer(view, maker.buffer(view.octets), 0))
    levels = maker.levels or [Level("octets", "octets", 0, 0, len(view.octets))]
    return Dissection(tuple(roots), tuple(maker.buffers), tuple(levels))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
