"""PDUs whose octets left the ring, as arrows: events remember their names, their ends and what came of them.

An event is drawn when it is from before the oldest capture that is kept of its interface, and no PDU that is still
there is the one that it tells of. Both are told backwards, for the oldest octets go first.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mmsc.trace import events as trace
from mmsc.trace import sentences
from mmsc.trace.events import Event
from mmsc.trace.ladder.columns import index_of, originator
from mmsc.trace.ladder.model import MMSC, Answer, Column, Row, RowKind
from mmsc.trace.ladder.reading import Pdu
from protocols.records import record

GONE: Final = "octets gone"
_INTERFACES: Final = {"vasp": "mm7", "smsc": "smpp", "peer": "mm4", "mail": "mm3", "phone": "mm1"}
_SUBMISSIONS: Final = {
    "mm7": "SubmitReq",
    "eaif": "POST",
    "mm1": "m-send-req",
    "mm4": "MM4_forward.REQ",
    "mm3": "mail",
}
_REPORTS: Final = {
    "vasp": ("DeliveryReportReq", ""),
    "smsc": ("submit_sm", "m-delivery-ind"),
    "peer": ("MM4_delivery_report.REQ", ""),
}
_READ_REPORTS: Final = {"vasp": ("ReadReplyReq", ""), "smsc": ("submit_sm", "m-read-orig-ind")}
_CHANGES: Final = {
    "cancel": "CancelReq",
    "replace": "ReplaceReq",
    "extended_cancel": "extendedCancelReq",
    "extended_replace": "extendedReplaceReq",
}
_ANSWERS: Final = {"notifyresp": "m-notifyresp-ind", "acknowledge": "m-acknowledge-ind"}
_TASKS: Final = {  # what an attempt sends, and what that carries
    "notify": ("submit_sm", "m-notification-ind"),
    "link": ("submit_sm", "SMS with link"),
    "cancel_mm1": ("submit_sm", "m-cancel-req"),
    "report_mm1": ("submit_sm", "m-delivery-ind"),
    "read_mm1": ("submit_sm", "m-read-orig-ind"),
}
_BY_PEER: Final = "peer_"  # how happenings begin that a MM4_delivery_report.REQ brings


@record(frozen=True, slots=True, kw_only=True)
class Remembered:
    """An arrow that an event tells of, between us and `party` (the key of a column)."""

    event: Event
    party: str
    outward: bool
    name: str
    beneath: str = ""
    answer: Answer | None = None
    answers: bool = False  # it is an answer itself

    @property
    def interface(self) -> str:
        """Where its octets went; a page that a phone views comes over the web link."""
        viewed = isinstance(self.event.data, trace.RecipientMoved) and self.name == "GET"
        return "weblink" if viewed else _INTERFACES.get(self.party.partition(":")[0], "")


def remembered(
    events: Sequence[Event], pdus: Sequence[Pdu], addresses: Mapping[int, str], kept_since: Mapping[str, int]
) -> list[Remembered]:
    """The arrows whose PDUs are gone, in the order of their events. `kept_since`: from when on (µs of real time) the
    ring has all captures of an interface; of one that is not named it has all there ever were."""
    if not kept_since:
        return []
    told = _Teller(events, addresses)
    people = {f"phone:{address}" for address in addresses.values()}
    used: set[str] = set()
    found: list[Remembered] = []
    for event in reversed(events):
        for one in reversed(list(told.of(event))):
            kept = _kept(one, pdus, used, people)
            if kept:
                used |= kept
            elif event.at_real < kept_since.get(one.interface, 0):
                found.append(one)
    return found[::-1]


def rows_of(found: Sequence[Remembered], columns: Sequence[Column], addresses: Mapping[int, str]) -> Iterator[Row]:
    """As rows of the ladder."""
    for number, one in enumerate(found):
        ends = (MMSC, one.party) if one.outward else (one.party, MMSC)
        source, target = (index_of(columns, end) for end in ends)
        if source < 0 or target < 0:
            continue
        yield Row(
            key=f"x{one.event.id}" if not number or found[number - 1].event is not one.event else f"x{one.event.id}a",
            kind=RowKind.ANSWER if one.answers else RowKind.PDU,
            at=one.event.at_service,
            at_real=one.event.at_real,
            source=source,
            target=target,
            name=one.name,
            beneath=one.beneath,
            answer=one.answer,
            failed=one.answer is not None and one.answer.failed,
            recipient=addresses.get(one.event.recipient_id or 0, ""),
            interface=one.interface,
            event=str(one.event.id),
            note=GONE,
            gone=True,
        )


def _kept(one: Remembered, pdus: Sequence[Pdu], used: set[str], people: set[str]) -> set[str]:
    """The numbers of the PDU that is the one that an event tells of, the last before it; all segments of a push."""
    for pdu in reversed(pdus):
        if pdu.number in used or pdu.record.at_real > one.event.at_real or not _is(one, pdu, people):
            continue
        push = pdu.named.segment
        return {pdu.number} | {other.number for other in pdus if push and other.named.segment == push}
    return set()


def _is(one: Remembered, pdu: Pdu, people: set[str]) -> bool:
    """Whether it can be that. A phone that did not say its number is known by its host only."""
    if pdu.outward is not one.outward or pdu.named.name.partition(" ")[0] != one.name:
        return False
    nameless = all(party.startswith("phone:") for party in (one.party, pdu.party)) and pdu.party not in people
    if pdu.party != one.party and not nameless:
        return False
    return one.name != "submit_sm" or bool(pdu.named.segment) or pdu.named.beneath == one.beneath


class _Teller:
    """What events say of PDUs."""

    def __init__(self, events: Sequence[Event], addresses: Mapping[int, str]) -> None:
        self._addresses = addresses
        self._first = originator(events, ())
        self._peers = {
            event.recipient_id: event.data.target
            for event in events
            if isinstance(event.data, trace.RouteChosen) and event.data.route == "peer"
        }

    def of(self, event: Event) -> Iterator[Remembered]:
        """The arrows that an event tells of, in order."""
        data: Any = event.data
        match data:
            case trace.MmAccepted() | trace.SubmissionRepeated():
                yield from self._submission(event, data)
            case trace.RecipientMoved():
                yield from self._moved(event, data)
            case trace.MmFetched():
                yield self._by_phone(event, "GET")
                yield Remembered(
                    event=event, party=self._phone(event), outward=True, name="m-retrieve-conf", answers=True
                )
            case trace.MmRead():
                yield self._by_phone(event, "m-read-rec-ind", "Read" if data.read else "Deleted without being read")
            case trace.CancelConfirmed():
                yield self._by_phone(event, "m-cancel-conf")
            case trace.AttemptFailed() | trace.AttemptPostponed() | trace.TaskGivenUp() if data.lane:
                name, carried = _TASKS.get(data.task, (sentences.work(data.task), ""))
                yield self._sent(event, data.lane, name, carried, Answer(data.because, failed=True))
            case _:
                yield from self._with_neighbours(event, data)

    def _with_neighbours(self, event: Event, data: Any) -> Iterator[Remembered]:
        match data:
            case trace.NotificationPushed():
                yield self._push(event, data.smsc, "m-notification-ind")
            case trace.LinkSent():
                yield self._push(event, data.smsc, "SMS with link")
            case trace.CancelPushed():
                yield self._push(event, data.smsc, "m-cancel-req")
            case trace.SmsReceipt():
                yield self._got(event, f"smsc:{data.smsc}", "deliver_sm", f"receipt {data.state}")
            case trace.ForwardSent():
                yield self._sent(event, f"peer:{data.peer}", "MM4_forward.REQ", answer=Answer("taken", data.note))
            case trace.ForwardAnswered() if data.status:
                yield self._got(event, f"peer:{data.peer}", "MM4_forward.RES", data.status)
            case trace.ReportAnswered():
                yield self._got(event, f"peer:{data.peer}", "MM4_delivery_report.RES", data.status)
            case trace.DeliverAnswered():
                told = Answer(f"{data.status or ''} {data.text}".strip() or "answered", failed=not data.taken)
                yield self._sent(event, f"vasp:{data.vasp}", "DeliverReq", answer=told)
            case trace.ChangeAnswered() if data.operation in _CHANGES:
                yield self._got(event, f"vasp:{data.neighbour}", _CHANGES[data.operation])
            case trace.ReportDelivered() if data.state and not data.nothing_sent:
                yield from self._report(event, data.lane, _REPORTS, data.state, data.note)
            case trace.ReadReported():
                yield from self._report(event, data.lane, _READ_REPORTS, "read" if data.read else "deleted", data.note)

    def _submission(self, event: Event, data: trace.MmAccepted | trace.SubmissionRepeated) -> Iterator[Remembered]:
        name = _SUBMISSIONS.get(data.interface, "")
        again = isinstance(data, trace.SubmissionRepeated)
        if isinstance(data, trace.MmAccepted) and data.forwards:
            name = "m-forward-req"
        if name:
            told = Answer("stored answer" if again else "accepted")
            yield self._got(event, self._first, name, "repeat" if again else "", told)

    def _moved(self, event: Event, data: trace.RecipientMoved) -> Iterator[Remembered]:
        if data.answer in _ANSWERS:
            told = sentences.state_word(data.after).capitalize() if data.answer == "notifyresp" else ""
            yield self._by_phone(event, _ANSWERS[data.answer], told)
        elif data.happening == "link_viewed":
            yield self._by_phone(event, "GET", "web link")
        elif data.happening.startswith(_BY_PEER) and event.recipient_id in self._peers:
            peer = f"peer:{self._peers[event.recipient_id]}"
            yield self._got(event, peer, "MM4_delivery_report.REQ", sentences.state_word(data.after))

    def _report(
        self, event: Event, lane: str, names: Mapping[str, tuple[str, str]], state: str, note: str
    ) -> Iterator[Remembered]:
        kind = lane.partition(":")[0]
        if kind in names:
            name, carried = names[kind]
            yield self._sent(event, lane, name, carried or sentences.state_word(state), Answer("taken", note))

    def _phone(self, event: Event) -> str:
        return f"phone:{self._addresses.get(event.recipient_id or 0, '?')}"

    def _by_phone(self, event: Event, name: str, beneath: str = "") -> Remembered:
        return self._got(event, self._phone(event), name, beneath)

    def _push(self, event: Event, smsc: str, carried: str) -> Remembered:
        return self._sent(event, f"smsc:{smsc}", "submit_sm", carried, Answer("taken"))

    @staticmethod
    def _sent(event: Event, party: str, name: str, beneath: str = "", answer: Answer | None = None) -> Remembered:
        return Remembered(event=event, party=party, outward=True, name=name, beneath=beneath, answer=answer)

    @staticmethod
    def _got(event: Event, party: str, name: str, beneath: str = "", answer: Answer | None = None) -> Remembered:
        return Remembered(event=event, party=party, outward=False, name=name, beneath=beneath, answer=answer)
