"""Events of the engine as notes on our own line: every change of state, timer and decision, in one sentence.

What an arrow of the ladder says already is not said again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Final

from mmsc.trace import events as trace
from mmsc.trace import sentences
from mmsc.trace.events import Event
from mmsc.trace.ladder.attempts import groups, looked_fine
from mmsc.trace.ladder.model import Row, RowKind
from mmsc.trace.ladder.reading import Pdu, span
from mmsc.trace.sentences.words import neighbour
from mmsc.trace.stored import kind_of
from protocols.records import record

_LONGEST: Final = 90
_TELLING: Final = 1000  # µs; who waits less waits for the lane
_QUIET: Final = ("route.chosen", "capability.decided", "subscriber.learned")  # told with others, or elsewhere
# What these events tell, PDUs with such names show, where their octets are still there.
_SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "notification.pushed": ("m-notification-ind",),
    "mm.fetched": ("m-retrieve-conf",),
    "report.delivered": ("DeliveryReportReq", "m-delivery-ind", "MM4_delivery_report.REQ"),
    "read.reported": ("ReadReplyReq", "m-read-orig-ind"),
    "forward.sent": ("MM4_forward.REQ",),
    "forward.answered": ("MM4_forward.RES",),
    "report.answered": ("MM4_delivery_report.RES",),
    "link.sent": ("SMS with link",),
    "deliver.answered": ("DeliverReq",),
    "cancel.pushed": ("m-cancel-req",),
    "submission.repeated": ("repeat",),
}


@record(frozen=True, slots=True)
class Said:
    """A note: its icon, the state whose shape it has, its sentence."""

    text: str
    icon: str = ""
    state: str = ""


def notes(
    events: Sequence[Event], pdus: Sequence[Pdu], addresses: Mapping[int, str], drawn: Set[int] = frozenset()
) -> Iterator[Row]:
    """The notes; `addresses` names recipients by their id, `drawn` are the events that have an arrow of their own."""
    shown = {name for one in pdus for name in (one.named.name, one.named.beneath)} | _seen(pdus)
    rules = {rule for one in pdus for rule in one.findings}
    faults = {one.fault for one in pdus}
    several = len({event.recipient_id for event in events if event.recipient_id is not None}) > 1
    for event in events:
        is_arrow = event.id in drawn and kind_of(event.data) in _SHOWN_BY
        said = None if is_arrow else _with_why(_said(event, events, shown, rules, faults), event, pdus)
        if said is not None:
            recipient = addresses.get(event.recipient_id or 0, "")
            whose = f"{recipient}: " if several and recipient else ""
            yield Row(
                key=f"n{event.id}",
                kind=RowKind.NOTE,
                at=event.at_service,
                at_real=event.at_real,
                text=_clipped(whose + said.text),
                icon=said.icon,
                state=said.state,
                recipient=recipient,
                event=str(event.id),
            )


def _with_why(said: Said | None, event: Event, pdus: Sequence[Pdu]) -> Said | None:
    """Why it is tried again, where the arrow does not tell."""
    data = event.data
    if said is None or not isinstance(data, trace.AttemptFailed) or not looked_fine(event, data.lane, pdus):
        return said
    return replace(said, text=f"{data.because}: {said.text}")


def _seen(pdus: Sequence[Pdu]) -> set[str]:
    """A push in segments is a notification all the same; a request that came twice says so itself."""
    found = {"m-notification-ind"} if any(one.named.segment for one in pdus) else set()
    came_twice = any(not members[0].outward for members in groups(pdus).values())
    return found | ({"repeat"} if came_twice else set())


def _said(event: Event, events: Sequence[Event], shown: set[str], rules: set[str], faults: set[str]) -> Said | None:
    data, kind = event.data, kind_of(event.data)
    if kind in _QUIET or _is_shown(data, kind, shown):
        return None
    if isinstance(data, trace.FindingNoted):
        return None if data.rule in rules else Said(sentences.short(data), icon="flag")
    if kind == "fault.hit":
        name = str(getattr(data, "fault", ""))
        return None if name in faults else Said(f"fault {name}", icon="bolt")
    if isinstance(data, trace.MmAccepted):
        return Said(_accepted(data, events), state="accepted")
    maker = _WORDS.get(type(data))
    return Said(sentences.short(data)) if maker is None else maker(data, event)


def _is_shown(data: Any, kind: str, shown: set[str]) -> bool:
    if getattr(data, "nothing_sent", False):
        return False
    return any(name in shown for name in _SHOWN_BY.get(kind, ()))


def _accepted(data: trace.MmAccepted, events: Sequence[Event]) -> str:
    people = "1 recipient" if data.recipients == 1 else f"{data.recipients:,} recipients"
    told = f"accepted: {people}"
    if data.recipients != 1:
        return told
    for event in events:
        verdict, evidence = getattr(event.data, "verdict", ""), getattr(event.data, "evidence", ())
        if verdict:
            return f"{told}, {verdict}" + (f" ({evidence[0]})" if evidence else "")
        if isinstance(event.data, trace.RouteChosen) and event.data.route != "subscriber":
            return f"{told}, {event.data.route} {event.data.target}".rstrip()
    return told


def _moved(data: trace.RecipientMoved, _: Event) -> Said:
    after = data.after
    told = sentences.state_word(after)
    why = data.because
    if data.report:
        told += f": final, report due{f', {why}' if why else ''}"
    elif why:
        told += f": {why}"
    return Said(told, state=after)


def _failed(data: trace.AttemptFailed, event: Event) -> Said:
    return Said(f"again in {_wait(data.next_at - event.at_service)} (attempt {data.attempt + 1})", icon="ring")


def _postponed(data: trace.AttemptPostponed, event: Event) -> Said:
    wait = data.next_at - event.at_service
    told = f"waits {_wait(wait)}" if wait >= _TELLING else f"waits for {neighbour(data.lane)}"
    return Said(f"{told}: {data.because}", icon="ring")


def _given_up(data: trace.TaskGivenUp, _: Event) -> Said:
    word = "refused" if data.refused else "given up"
    return Said(f"{sentences.short_work(data.task)} {word} at attempt {data.attempt}: {data.because}", icon="cross")


def _receipt(data: trace.SmsReceipt, _: Event) -> Said:
    purpose = "push" if data.purpose == "notification" else data.purpose
    return Said(f"receipt is for the {purpose}, not for the MM")


def _wait(micros: int) -> str:
    return sentences.in_words(micros) if micros >= 10_000_000 else span(max(0, micros))


_WORDS: Final[Mapping[type, Callable[[Any, Event], Said]]] = {
    trace.RecipientMoved: _moved,
    trace.AttemptFailed: _failed,
    trace.AttemptPostponed: _postponed,
    trace.TaskGivenUp: _given_up,
    trace.SmsReceipt: _receipt,
}


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
