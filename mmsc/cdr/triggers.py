"""Which committed event makes which records. What is in no row of `TRIGGERS` costs nothing and is never charged."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from mmsc.domain.states import Happening
from mmsc.store import charging
from mmsc.store.core import Statement
from mmsc.trace import events as trace
from mmsc.trace.events import Data, Event
from protocols.records import record

# The reports of a peer, by what they do to a recipient, in the words of MMStatusCodeType.
PEER_REPORTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        str(Happening.PEER_RETRIEVED): "retrieved",
        str(Happening.PEER_REJECTED): "rejected",
        str(Happening.PEER_EXPIRED): "expired",
        str(Happening.PEER_FORWARDED): "forwarded",
        str(Happening.PEER_UNRECOGNISED): "unrecognised",
        str(Happening.PEER_INDETERMINATE): "indeterminate",
        str(Happening.PEER_DEFERRED): "deferred",
    }
)
_SUBMITTED: Final[Mapping[str, tuple[str, ...]]] = {"mm1": ("O1S",), "mm7": ("7S",), "mm4": ("R4F",)}
_REPORTED: Final[Mapping[str, tuple[str, ...]]] = {
    "smsc": ("O1D",),
    "vasp": ("7DRRq", "7DRRs"),
    "peer": ("R4DRq",),
}
_ANSWERED: Final[Mapping[str, tuple[str, ...]]] = {"notifyresp": ("R1NRs",), "acknowledge": ("R1A",)}


@record(frozen=True, slots=True)
class Trigger:
    """A kind of event: the records that it may make, which of them one event does make, and when (for people)."""

    records: tuple[str, ...]
    of: Callable[[Any], tuple[str, ...]]
    when: str


def _always(*names: str) -> Callable[[Any], tuple[str, ...]]:
    return lambda data: names


def _moved(data: trace.RecipientMoved) -> tuple[str, ...]:
    if data.answer:
        return _ANSWERED.get(data.answer, ())
    return ("O4D",) if data.happening in PEER_REPORTS else ()


def _told(data: trace.ReportDelivered) -> tuple[str, ...]:
    """A RES that was sent is a task without a state; a report for which there was no word was never sent."""
    return _REPORTED.get(data.lane.partition(":")[0], ()) if data.state and not data.nothing_sent else ()


def _overtaken(data: trace.TaskOvertaken) -> tuple[str, ...]:
    """A handset may be faster than the SMSC's response: the notification was sent all the same."""
    return ("R1NRq",) if (data.task, data.outcome) == ("notify", "pushed") else ()


_PUSHED: Final = "the SMSC took a notification: each push is one"
TRIGGERS: Final[Mapping[type[Data], Trigger]] = MappingProxyType(
    {
        trace.MmAccepted: Trigger(
            ("O1S", "7S", "R4F", "F"),
            lambda data: ("F",) if data.forwards else _SUBMITTED.get(data.interface, ()),
            "an MM was accepted (O1S over MM1, 7S over MM7, R4F over MM4, F when a recipient made it by an"
            " m-forward-req): not for repeats and refusals",
        ),
        trace.ForwardSent: Trigger(
            ("O4FRq",),
            lambda data: () if data.resent else ("O4FRq",),
            "the peer took the mail (250): not for the same request again when its RES is late",
        ),
        trace.ForwardAnswered: Trigger(
            ("O4FRs",), lambda data: ("O4FRs",) if data.status else (), "a MM4_forward.RES came: not for bounces"
        ),
        trace.NotificationPushed: Trigger(("R1NRq",), _always("R1NRq"), _PUSHED),
        trace.TaskOvertaken: Trigger(("R1NRq",), _overtaken, _PUSHED),
        trace.MmFetched: Trigger(("R1Rt",), _always("R1Rt"), "all octets of an m-retrieve-conf were written"),
        trace.RecipientMoved: Trigger(
            ("R1NRs", "R1A", "O4D"),
            _moved,
            "an m-notifyresp-ind (R1NRs), m-acknowledge-ind (R1A) or MM4_delivery_report.REQ (O4D) was heeded: not when"
            " it came late or again",
        ),
        trace.ChangeAnswered: Trigger(
            ("7C", "7R"),
            lambda data: ("7C",) if "cancel" in data.operation else ("7R",),
            "a CancelReq (7C) or ReplaceReq (7R), extended or not, about an MM of its VASP was answered: not when it"
            " comes again",
        ),
        trace.ReportDelivered: Trigger(
            ("O1D", "R4DRq", "7DRRq", "7DRRs"),
            _told,
            "the SMSC (O1D), the peer (R4DRq) or the VASP (7DRRq, and 7DRRs for its answer) took a delivery report",
        ),
        trace.ReportAnswered: Trigger(
            ("R4DRs",), _always("R4DRs"), "a MM4_delivery_report.RES came; this server asks for none"
        ),
        trace.MmRead: Trigger(("R1RR",), _always("R1RR"), "an m-read-rec-ind came from who has the MM"),
        trace.DeliverAnswered: Trigger(
            ("7DRq", "7DRs"),
            lambda data: ("7DRq", "7DRs") if data.status else ("7DRq",),
            "a VASP took a DeliverReq or refused it for good: one for each recipient that is its, 7DRs when its answer"
            " could be read; not for attempts that are tried again",
        ),
        trace.ReadReported: Trigger(
            ("O1R", "7RRq", "7RRs"),
            lambda data: ("O1R",) if data.lane.startswith("smsc:") else ("7RRq", "7RRs"),
            "the SMSC (O1R) or the VASP (7RRq, and 7RRs for its answer) took a read report",
        ),
        trace.MmDeleted: Trigger(
            ("OMD", "RMD"),
            lambda data: ("RMD",) if data.interface == "mm4" else ("OMD",),
            "retention removed an MM; its messageSize is that of the whole encoded content",
        ),
    }
)


def names_of(data: Data) -> tuple[str, ...]:
    """The records that an event makes."""
    trigger = TRIGGERS.get(type(data))
    return () if trigger is None else trigger.of(data)


Beside = Callable[[Sequence[Event]], Sequence[Statement]]


def owing(node: str) -> Beside:
    """What a unit writes beside its events so that their records are owed by this node's files."""

    def beside(events: Sequence[Event]) -> Sequence[Statement]:
        return [charging.owed(node, event.id) for event in events if names_of(event.data)]

    return beside


def coverage() -> dict[str, str]:
    """Record name -> when it is written."""
    return {name: trigger.when for trigger in TRIGGERS.values() for name in trigger.records}
