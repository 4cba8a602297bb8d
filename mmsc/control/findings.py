"""What clients get wrong, as people and programs see it: by rule and client, with samples, and text for the partner."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from mmsc.control.messages import when
from mmsc.control.octets import Line, excerpt, plain
from mmsc.control.traffic import TrafficService
from mmsc.domain.instant import Instant
from mmsc.engine.queries.findings import Count, Findings, Noted, client_of
from mmsc.trace.ladder import Pdu
from mmsc.trace.view import View
from mmsc.trace.view.rules import rule_named
from protocols.records import record

_WIDTH: Final = 76  # characters of a line in a mail
_INTERFACES: Final = {"MM1": "mm1", "MM3": "mm3", "MM4": "mm4", "MM7": "mm7", "SMPP": "smpp"}
_MOST_PDUS: Final = 40  # of one message, looked at for the octets of a finding


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """How often a client broke a rule, and the last time. Times are µs UTC."""

    rule: str
    client: str
    count: int
    first: Instant
    last: Instant
    remark: str
    clause: str
    mm_id: str | None
    event_id: str


class FindingsPage(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, the most frequent first. `through`: all that is stored was counted; else the next look goes on."""

    rows: list[FindingRow]
    counted: int
    through: bool
    captured: int  # PDUs that were seen and are still there


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule asks for (`mmsc explain`)."""

    rule: str
    clause: str
    text: str
    why: str
    where: str
    good: str
    bad: str


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One time that it was broken. `lines` are the octets around it, [] when they left the ring; `start` and `end` are
    those that are marked, from the beginning of `layer`. `pdu` is the number of the PDU in its message's ladder, and
    `octets` where the marked ones stand in it (`80-128`), "" where they are not there as they are."""

    event_id: str
    mm_id: str | None
    at: Instant
    client: str
    remark: str
    clause: str
    pdu: str = ""
    octets: str = ""
    layer: str = ""
    start: int = -1
    end: int = -1
    lines: list[Line] = []


class RulePage(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: what it asks for, who broke it, samples, and text to paste into a mail."""

    rule: str
    explained: Explained | None
    rows: list[FindingRow]
    samples: list[Sample]
    for_the_partner: str


@record(frozen=True, slots=True)
class _Place:
    """Where a finding stands: in which PDU and layer, and which octets of the layer; `base` is where the layer begins
    in the PDU, -1 when it is not there as it is."""

    pdu: Pdu
    layer: View
    base: int
    start: int
    end: int

    @property
    def octets(self) -> str:
        """For the address of the PDU."""
        return f"{self.base + self.start}-{self.base + self.end}" if self.start >= 0 and self.base >= 0 else ""


class FindingService:
    """`Control.findings`. `captured` is how many PDUs are kept. All of it raises `StoreUnavailable` when the store
    cannot be read."""

    def __init__(self, findings: Findings, traffic: TrafficService, captured: Callable[[], int]) -> None:
        self._findings = findings
        self._traffic = traffic
        self._captured = captured

    def forget(self) -> None:
        """Everything was taken away."""
        self._findings.forget()

    async def page(self, client: str = "") -> FindingsPage:
        """All rules that were broken, by one client where it is named."""
        counts = await self._findings.counts()
        rows = [_row(one) for one in counts.rows if client in ("", one.client)]
        return FindingsPage(rows=rows, counted=counts.looked_at, through=counts.through, captured=self._captured())

    async def rule(self, name: str, client: str = "", samples: int = 3) -> RulePage | None:
        """One rule; None when there is none of this name and nobody broke it."""
        known = rule_named(name)
        page = await self.page(client)
        rows = [row for row in page.rows if row.rule == name]
        if known is None and not rows:
            return None
        noted = await self._findings.samples(name, client, samples) if rows else []
        seen = [await self._sample(one) for one in noted]
        explained = None
        if known is not None:
            explained = Explained(
                rule=known.name,
                clause=known.clause,
                text=known.text,
                why=known.why,
                where=str(known.where),
                good=known.good,
                bad=known.bad,
            )
        return RulePage(
            rule=name,
            explained=explained,
            rows=rows,
            samples=seen,
            for_the_partner=_for_the_partner(name, explained, rows, seen),
        )

    async def _sample(self, noted: Noted) -> Sample:
        finding = noted.finding
        place = await self._place(noted)
        told = Sample(
            event_id=str(noted.event_id),
            mm_id=None if noted.mm_id is None else str(noted.mm_id),
            at=noted.at_service,
            client=client_of(finding.source),
            remark=finding.remark,
            clause=finding.clause,
        )
        if place is None:
            return told
        return msgspec.structs.replace(
            told,
            pdu=place.pdu.number,
            octets=place.octets,
            layer=place.layer.title,
            start=place.start,
            end=place.end,
            lines=excerpt(place.layer.octets, place.start, place.end),
        )

    async def _place(self, noted: Noted) -> _Place | None:
        """Where a view has the same to remark, and knows its place better than the codec; of what the whole PDU is
        about, the last request before it was noted."""
        if noted.mm_id is None:
            return None
        interface = _INTERFACES.get(noted.finding.rule.partition("-")[0], "")
        traffic = await self._traffic.of(noted.mm_id)
        incoming = [one for one in traffic.pdus if not one.outward and one.record.interface == interface]
        for pdu in incoming[:_MOST_PDUS]:
            for layer, base in _layers(pdu.view, 0):
                for one in layer.findings:
                    if (one.rule, one.remark) == (noted.finding.rule, noted.finding.remark):
                        return _Place(pdu, layer, base, *_range(layer, one.offset))
        if incoming and noted.finding.offset < 0:
            before = [one for one in incoming if one.record.at_service <= noted.at_service]
            last = max(before, key=lambda one: one.record.at_service, default=incoming[0])
            return _Place(last, last.view, 0, -1, -1)
        return None


def _layers(view: View, base: int) -> Iterator[tuple[View, int]]:
    """A view and all that it holds, each with where it begins in the outermost (-1: it is not there as it is)."""
    yield view, base
    for inner in view.inside:
        yield from _layers(inner, -1 if base < 0 or inner.at < 0 else base + inner.at)


def _range(layer: View, offset: int) -> tuple[int, int]:
    """The octets of the innermost field around an offset; the one octet where no field has it."""
    if offset < 0:
        return -1, -1
    around = [row for row in layer.rows if 0 <= row.start <= offset < row.end]
    smallest = min(around, key=lambda row: row.end - row.start, default=None)
    return (offset, offset + 1) if smallest is None else (smallest.start, smallest.end)


def _row(one: Count) -> FindingRow:
    newest = one.newest
    return FindingRow(
        rule=one.rule,
        client=one.client,
        count=one.count,
        first=one.first,
        last=one.last,
        remark=newest.finding.remark,
        clause=newest.finding.clause,
        mm_id=None if newest.mm_id is None else str(newest.mm_id),
        event_id=str(newest.event_id),
    )


def _for_the_partner(
    name: str, explained: Explained | None, rows: Sequence[FindingRow], samples: Sequence[Sample]
) -> str:
    """Plain text for a mail: what, how often, where exactly, why it matters, and how it would be right."""
    parts = [f"{name}, {explained.clause if explained else rows[0].clause}"]
    if explained is not None:
        parts.append(_wrapped(explained.text))
    parts += [
        _wrapped(f"Seen {row.count} times from {row.client}, first at {when(row.first)}, last at {when(row.last)}.")
        if row.count > 1
        else f"Seen once from {row.client}, at {when(row.last)}."
        for row in rows
    ]
    if samples:
        parts.append(_sample_text(samples[0]))
    if explained is not None:
        parts.append(_wrapped(f"Why it matters: {explained.why}"))
        good = textwrap.indent(explained.good, "  ") if explained.good else "  (nothing)"
        parts.append(f"Right, {explained.where}:\n{good}")
        parts.append(f"Wrong:\n{textwrap.indent(explained.bad, '  ')}")
    return "\n\n".join(parts) + "\n"


def _sample_text(sample: Sample) -> str:
    told = _wrapped(f"At {when(sample.at)}: {sample.remark}")
    if not sample.lines:
        return told
    where = f"Octets {sample.start} to {sample.end - 1} of " if sample.start >= 0 else ""
    return f"{told}\n{where}{sample.layer}:\n{plain(sample.lines)}"


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, _WIDTH))
