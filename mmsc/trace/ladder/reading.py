"""Captures of an MM as the PDUs of its ladder: decoded, paired with their answers, numbered."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from mmsc.trace.captures import CaptureRecord, Direction
from mmsc.trace.ladder.model import MMSC, Answer
from mmsc.trace.ladder.naming import Named, named
from mmsc.trace.view import View, every, look
from protocols.errors import Finding
from protocols.records import record

REMEMBERED_VIEWS: Final = 256
REMEMBERED_OCTETS: Final = 16 * 1024  # of the longest that is remembered
_PHONES: Final = ("mm1", "weblink")
_KINDS: Final = {"mm7": "vasp", "smpp": "smsc", "mm4": "peer", "mm3": "mail"}


@record(frozen=True, slots=True, kw_only=True)
class Pdu:
    """One PDU of a ladder. `octets` are whole where the store still has the body; `party` is the other end's key.
    `answers` is the number of the request that it answers, `answered_by` the one that answers it."""

    number: str
    record: CaptureRecord
    octets: bytes
    view: View
    named: Named
    party: str
    findings: tuple[str, ...] = ()
    answers: str = ""
    answered_by: str = ""
    folded: bool = False

    @property
    def at(self) -> int:
        """Service time, µs."""
        return self.record.at_service

    @property
    def outward(self) -> bool:
        """Whether we sent it."""
        return self.record.direction is Direction.OUT

    @property
    def fault(self) -> str:
        """The fault that bit it."""
        return str(getattr(self.record, "fault", ""))

    @property
    def ends(self) -> tuple[str, str]:
        """Keys of the columns that it goes between."""
        return (MMSC, self.party) if self.outward else (self.party, MMSC)


def _looked_at(octets: bytes) -> tuple[View, Named, tuple[str, ...]]:
    """Long ones are not remembered: a view has its octets several times over, layer by layer."""
    return _remembered(octets) if len(octets) <= REMEMBERED_OCTETS else _freshly(octets)


def _freshly(octets: bytes) -> tuple[View, Named, tuple[str, ...]]:
    view = look(octets)
    found = tuple(dict.fromkeys(finding.rule for finding in findings_of(view)))
    return view, named(view), found


_remembered: Final = lru_cache(maxsize=REMEMBERED_VIEWS)(_freshly)


def findings_of(view: View) -> tuple[Finding, ...]:
    """All that there is to remark about a PDU."""
    return tuple(finding for one in every(view) for finding in one.findings)


def read(captures: Sequence[tuple[CaptureRecord, bytes]]) -> tuple[Pdu, ...]:
    """The PDUs of these captures with their whole octets, in ladder order."""
    whose = _parties([one for one, _ in captures])
    order = sorted(range(len(captures)), key=lambda index: (captures[index][0].at_service, captures[index][0].at_real))
    read_in_order = [_pdu(*captures[index], whose) for index in order]
    return tuple(_numbered(_paired(read_in_order)))


def opened(pdu: Pdu, octets: bytes) -> Pdu:
    """The same PDU, looked at with these octets."""
    view, name, findings = _looked_at(octets)
    return replace(pdu, octets=octets, view=view, named=name, findings=findings)


def _parties(records: Sequence[CaptureRecord]) -> dict[int, str]:
    """The other end of each exchange: a request often does not know yet what its answer does."""
    found: dict[int, str] = {}
    for one in records:
        if one.neighbour:
            found[one.exchange] = one.neighbour
    return found


def _pdu(record_: CaptureRecord, octets: bytes, whose: dict[int, str]) -> Pdu:
    view, name, findings = _looked_at(octets)
    neighbour = record_.neighbour or whose.get(record_.exchange, "")
    return Pdu(
        number="",
        record=record_,
        octets=octets,
        view=view,
        named=name,
        party=party_of(record_.interface, neighbour, record_.remote),
        findings=findings,
    )


def party_of(interface: str, neighbour: str, remote: str) -> str:
    """The key of a neighbour's column."""
    kind = "phone" if interface in _PHONES else _KINDS.get(interface, interface)
    return f"{kind}:{neighbour or remote.rpartition(':')[0] or remote or '?'}"


def _paired(pdus: Sequence[Pdu]) -> list[tuple[Pdu, int]]:
    """Each with the index of the request that it answers, -1 for a request."""
    asked: dict[int, int] = {}
    found: list[tuple[Pdu, int]] = []
    for index, one in enumerate(pdus):
        before = asked.get(one.record.exchange)
        if before is not None and pdus[before].outward != one.outward:
            found.append((one, before))
        else:
            asked[one.record.exchange] = index
            found.append((one, -1))
    return found


def _numbered(pairs: Sequence[tuple[Pdu, int]]) -> list[Pdu]:
    """From 1 on; an answer that is folded into its request has its number with an `a`."""
    numbers: dict[int, str] = {}
    again: dict[int, int] = {}
    count = 0
    for index, (one, asked) in enumerate(pairs):
        if asked < 0 or one.named.weight:
            count += 1
            numbers[index] = str(count)
    answered: dict[int, int] = {asked: index for index, (_, asked) in reversed(list(enumerate(pairs))) if asked >= 0}
    for index, (_, asked) in enumerate(pairs):
        if index not in numbers:
            again[asked] = again.get(asked, -1) + 1
            numbers[index] = f"{numbers.get(asked, '')}a{again[asked] or ''}"
    return [
        replace(
            one,
            number=numbers[index],
            answers=numbers[asked] if asked >= 0 else "",
            answered_by=numbers[answered[index]] if index in answered else "",
            folded=asked >= 0 and not one.named.weight,
        )
        for index, (one, asked) in enumerate(pairs)
    ]


def answer_cell(request: Pdu, answer: Pdu | None, why: str = "") -> Answer:
    """What stands beside a request: its answer and how long that took; without one, why there is none."""
    if answer is None:
        return Answer(why or "no answer yet", failed=bool(why))
    took = span(answer.record.at_real - request.record.at_real)
    if not answer.folded:
        return Answer(f"answered by {answer.number}", took)
    said = answer.named.answer
    if not answer.octets and request.outward:
        return Answer(answer.record.note or "no answer", failed=True)
    return Answer(said.text or answer.named.name, ", ".join(filter(None, (said.detail, took))), failed=said.failed)


def span(micros: int) -> str:
    """`9 ms`, `1.4 s`; below a millisecond `<1 ms`."""
    if micros < 1000:
        return "<1 ms"
    return f"{micros / 1000:.0f} ms" if micros < 1_000_000 else f"{micros / 1_000_000:.1f} s"
