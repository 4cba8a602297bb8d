"""What leaves the server of one MM: its ladder, and all of it as JSON; for the partner with numbers replaced, contents
emptied and the engine's notes left out (`mmsc/trace/partner.py`)."""

import asyncio
import base64

import msgspec

from mmsc.control.control import Control
from mmsc.control.messages import EventSeen, event_seen
from mmsc.control.traffic import Traffic
from mmsc.trace.ladder import Ladder, Pdu, Row, Wishes
from mmsc.trace.ladder.model import PHONE, Column
from mmsc.trace.ladder.svg import svg
from mmsc.trace.ladder.text import text
from mmsc.trace.partner import Partner, numbers_in
from mmsc.trace.view import View
from mmsc.trace.view.fields import Dissection, Node, dissect
from protocols.records import record


class FieldSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A field, a layer or a finding of a PDU. Octets [start, end) are of buffer `buffer`; -1: it has no place."""

    number: int
    kind: str
    name: str
    value: str
    start: int
    end: int
    buffer: int
    clause: str = ""
    rule: str = ""
    children: "list[FieldSeen]" = []


class LevelSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A byte tab: octets [start, end) of a buffer."""

    key: str
    name: str
    buffer: int
    start: int
    end: int


class PduSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One PDU in a list. Times are µs UTC, `party` the other end."""

    number: str
    name: str
    carries: str
    interface: str
    direction: str
    party: str
    local: str
    remote: str
    at_service: int
    at_real: int
    exchange: str
    octets: int
    answers: str
    answered_by: str
    findings: list[str]
    fault: str
    note: str


class PduWhole(msgspec.Struct, frozen=True, kw_only=True):
    """One PDU with its tree. `buffers` are octets (base64): the PDU, then whatever was decoded or put together."""

    pdu: PduSeen
    tree: list[FieldSeen]
    levels: list[LevelSeen]
    buffers: list[str]


class LadderSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A ladder: parties in the order of travel, and rows whose `source` and `target` are indices of them."""

    columns: list[Column]
    rows: list[Row]
    first: str


class Everything(msgspec.Struct, frozen=True, kw_only=True):
    """All of a message. For the partner without `message` and `events`."""

    mm_id: str
    ladder: LadderSeen
    pdus: list[PduWhole]
    message: object = None
    events: list[EventSeen] = []


@record(frozen=True, slots=True)
class Exported:
    """A ladder that may leave; `partner` replaced its numbers, None: it is as it was."""

    ladder: Ladder
    partner: Partner | None

    def text(self, title: str) -> str:
        """As text, `title` above."""
        return f"{self._said(title)}\n{text(self.ladder)}"

    def svg(self, title: str) -> str:
        """As a picture."""
        return svg(self.ladder, self._said(title))

    def _said(self, title: str) -> str:
        return title if self.partner is None else self.partner.text(title)


def partner_of(traffic: Traffic) -> Partner:
    """Who replaces the numbers that this traffic names, also where only its events do: octets may be gone."""
    phones = [one.key.removeprefix(PHONE) for one in traffic.ladder().columns if one.key.startswith(PHONE)]
    named = [*traffic.about.addresses.values(), *phones]
    return Partner(numbers_in((one.view for one in traffic.pdus), named))


async def exported(control: Control, mm_id: int, wishes: Wishes, *, partner: bool) -> Exported:
    """The ladder of an MM."""
    traffic = await control.traffic.of(mm_id)
    who = partner_of(traffic) if partner else None
    made = traffic.ladder(wishes)
    return Exported(made if who is None else who.ladder(made), who)


async def everything(control: Control, mm_id: int, *, partner: bool) -> bytes:
    """The JSON of all that is known."""
    traffic = await control.traffic.of(mm_id)
    made = traffic.ladder(Wishes(folds=False, unfolded=True))
    if partner:
        traffic, made = await asyncio.to_thread(for_partner, traffic, made)
        return await asyncio.to_thread(lambda: msgspec.json.encode(_all(mm_id, traffic, made)))
    detail = await control.messages.one(mm_id, 1000)
    whole = await asyncio.to_thread(_all, mm_id, traffic, made)
    events = [event_seen(one) for one in traffic.events]
    return msgspec.json.encode(msgspec.structs.replace(whole, message=detail, events=events))


def for_partner(traffic: Traffic, made: Ladder) -> tuple[Traffic, Ladder]:
    """Both with numbers replaced; PDUs are decoded anew from their replaced octets."""
    who = partner_of(traffic)
    return traffic.shown_to(who), who.ladder(made)


def _all(mm_id: int, traffic: Traffic, made: Ladder) -> Everything:
    return Everything(mm_id=str(mm_id), ladder=ladder_seen(made), pdus=[pdu_whole(one) for one in traffic.pdus])


def ladder_seen(made: Ladder) -> LadderSeen:
    """A ladder for programs."""
    return LadderSeen(columns=list(made.columns), rows=list(made.rows), first=made.first)


def pdu_seen(one: Pdu) -> PduSeen:
    """A PDU in a list."""
    record_ = one.record
    return PduSeen(
        number=one.number,
        name=one.named.name,
        carries=one.named.beneath,
        interface=record_.interface,
        direction=str(record_.direction),
        party=one.party,
        local=record_.local,
        remote=record_.remote,
        at_service=record_.at_service,
        at_real=record_.at_real,
        exchange=str(record_.exchange),
        octets=len(one.octets),
        answers=one.answers,
        answered_by=one.answered_by,
        findings=list(one.findings),
        fault=one.fault,
        note=record_.note,
    )


def pdu_whole(one: Pdu, *more: View) -> PduWhole:
    """A PDU with its tree and octets; `more` are views beside it."""
    found: Dissection = dissect(one.view, *more)
    return PduWhole(
        pdu=pdu_seen(one),
        tree=[_field(node) for node in found.roots],
        levels=[
            LevelSeen(key=level.key, name=level.name, buffer=level.buffer, start=level.start, end=level.end)
            for level in found.levels
        ],
        buffers=[base64.b64encode(octets).decode() for octets in found.buffers],
    )


def _field(node: Node) -> FieldSeen:
    return FieldSeen(
        number=node.number,
        kind=node.kind,
        name=node.name,
        value=node.value,
        start=node.start,
        end=node.end,
        buffer=node.buffer,
        clause=node.clause,
        rule=node.rule,
        children=[_field(one) for one in node.children],
    )
