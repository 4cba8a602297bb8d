"""What a scenario may say: one table of its keys, from which files are read, checked and described (`schema`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    """What stands behind a key."""

    TEXT = "text"
    TEXTS = "texts"  # one, or a list
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"  # 30 s, 5 min, 2 h, PT1H, or seconds: service time
    PATTERN = "pattern"
    PATTERNS = "patterns"  # a mapping of names to patterns
    FREE = "free"  # a mapping of anything
    NAMES = "names"  # a mapping of names to texts
    SECTION = "section"  # a mapping with keys of its own
    SECTIONS = "sections"  # a mapping of names to such


@dataclass(frozen=True)
class Key:
    """A key: what stands behind it, what it is for, and the keys in it."""

    kind: Kind
    about: str
    inside: Mapping[str, "Key"] | None = None
    needed: bool = False
    more: bool = False  # beside the keys inside, others of any name


def _key(kind: Kind, about: str, **more: Any) -> Key:
    return Key(kind, about, **more)


_OF: Final = _key(Kind.TEXT, "which message, by the name that `as` gave it; without, the last one")
_AS: Final = _key(Kind.TEXT, "the name of the message from here on")
_ANSWER: Final = _key(Kind.PATTERNS, "what the MMSC must answer, by field: status_code, message_id, details ...")
_SAVE: Final = _key(Kind.NAMES, "variables to keep: NAME: FIELD of the answer, or of what was met")
_VASP: Final = _key(Kind.TEXT, "a VASP of the lab [demo]")
_ADDRESSES: Final = "+NUMBER, MAIL@DOMAIN or a short code; one or a list"

_MET: Final = {  # what an expectation looks for
    "vasp_got": _key(Kind.PATTERN, "a request that a VASP got: DeliveryReportReq, ReadReplyReq, DeliverReq"),
    "phone_got": _key(Kind.PATTERN, "what is on a handset: message, text, delivery_report, read_report, sent"),
    "event": _key(Kind.PATTERN, "an event of the message, by its kind: recipient.moved, attempt.failed ..."),
    "pdu": _key(Kind.PATTERN, "a PDU of the message's ladder, by its name: SubmitReq, m-notification-ind ..."),
    "state": _key(Kind.PATTERN, "the state of the recipient `number`, or of all: retrieved, expired ..."),
    "of": _OF,
    "vasp": _VASP,
    "phone": _key(Kind.TEXT, "which handset, for phone_got"),
    "number": _key(Kind.TEXT, "which recipient, for state and event"),
    "from": _key(Kind.PATTERN, "who sent the PDU, as the ladder names its columns"),
    "to": _key(Kind.PATTERN, "to whom the PDU went"),
    "fields": _key(Kind.PATTERNS, "what its fields must be"),
}
_WITHIN: Final = _key(Kind.TIME, "how long to wait for it in service time [60 s]")

STEPS: Final[Mapping[str, Key]] = {
    "submit": _key(
        Kind.SECTION,
        "a VASP submits an MM by MM7; further keys are the elements of SubmitReq",
        inside={
            "vasp": _VASP,
            "to": _key(Kind.TEXTS, _ADDRESSES),
            "cc": _key(Kind.TEXTS, _ADDRESSES),
            "bcc": _key(Kind.TEXTS, _ADDRESSES),
            "subject": _key(Kind.TEXT, "Subject"),
            "text": _key(Kind.TEXT, "a text part; a presentation is made for it"),
            "delivery_report": _key(Kind.FLAG, "DeliveryReport [true]"),
            "read_reply": _key(Kind.FLAG, "ReadReply"),
            "expiry": _key(Kind.TIME, "ExpiryDate, as a duration"),
            "deliver_after": _key(Kind.TIME, "EarliestDeliveryTime, as a duration"),
            "sender_address": _key(Kind.TEXT, "SenderAddress"),
            "transaction_id": _key(Kind.TEXT, "TransactionID [a new one]"),
            "namespace": _key(Kind.TEXT, "the MM7 schema's tag, as REL-5-MM7-1-2"),
            "lose_answer": _key(Kind.FLAG, "the connection is cut when the answer comes"),
            "as": _AS,
            "answer": _ANSWER,
            "save": _SAVE,
        },
        more=True,
    ),
    "send": _key(
        Kind.SECTION,
        "an MM is sent over the wire as the compose page does; further keys are those of its form",
        inside={
            "by": _key(Kind.TEXT, "mm4 (another MMSC), rest, mm1 (a handset) or mm7 (a VASP)", needed=True),
            "to": _key(Kind.TEXTS, _ADDRESSES),
            "cc": _key(Kind.TEXTS, _ADDRESSES),
            "bcc": _key(Kind.TEXTS, _ADDRESSES),
            "sender": _key(Kind.TEXT, "the originator's address"),
            "subject": _key(Kind.TEXT, "Subject"),
            "text": _key(Kind.TEXT, "a text part"),
            "peer": _key(Kind.TEXT, "for mm4: as which MMSC, its domain"),
            "number": _key(Kind.TEXT, "for mm1: the handset"),
            "as": _AS,
            "answer": _ANSWER,
            "save": _SAVE,
        },
        more=True,
    ),
    "repeat": _key(
        Kind.SECTION,
        "the VASP sends a SubmitReq again, octet for octet",
        inside={"of": _OF, "vasp": _VASP, "answer": _ANSWER, "save": _SAVE},
    ),
    "cancel": _key(
        Kind.SECTION,
        "the VASP withdraws an MM by MM7",
        inside={"of": _OF, "vasp": _VASP, "answer": _ANSWER, "save": _SAVE},
    ),
    "phone": _key(
        Kind.SECTION,
        "a handset does something; further keys are what the doing takes",
        inside={
            "number": _key(Kind.TEXT, "which handset", needed=True),
            "does": _key(
                Kind.TEXT, "send, fetch, reject, read, delete, forward, reply, off, on, behave, open_link", needed=True
            ),
            "behaviour": _key(Kind.TEXT, "as `mmsc handset --behaviour` has it: deferred, reject, immediate+read ..."),
            "to": _key(Kind.TEXTS, "to whom, for send and forward"),
            "subject": _key(Kind.TEXT, "for send"),
            "text": _key(Kind.TEXT, "for send"),
            "delivery_report": _key(Kind.FLAG, "for send"),
            "read_report": _key(Kind.FLAG, "for send"),
            "of": _OF,
            "as": _AS,
            "answer": _ANSWER,
            "save": _SAVE,
        },
        more=True,
    ),
    "vasp": _key(
        Kind.SECTION,
        "what a VASP answers from now on",
        inside={
            "name": _VASP,
            "answers": _key(Kind.TEXT, "`1000`, `HTTP 503*2,1000`, `fault:4001`, `silent` ..."),
            "delay": _key(Kind.TIME, "before each answer, in real time"),
        },
    ),
    "smsc": _key(
        Kind.SECTION,
        "the SMSC's mood from now on: statuses, numbers, per_second, lost, refuse_binds, receipt_state",
        inside={"name": _key(Kind.TEXT, "an SMSC of the lab [builtin]")},
        more=True,
    ),
    "fault": _key(
        Kind.SECTION,
        "switch a fault on; further keys are its parameters",
        inside={"name": _key(Kind.TEXT, "as the catalogue names it", needed=True)},
        more=True,
    ),
    "clear": _key(Kind.TEXT, "switch a fault off, or `all`"),
    "clock": _key(Kind.TEXT, "`pause`, `resume`, `step 1 h`, `next due`, `speed 60`"),
    "expect": _key(
        Kind.SECTION,
        "something must come, or be, within a time",
        inside={**_MET, "within": _WITHIN, "save": _SAVE},
    ),
    "nothing": _key(Kind.SECTION, "nothing of this may come for a time [60 s]", inside={**_MET, "within": _WITHIN}),
    "settle": _key(Kind.TIME, "let service time pass, with all that is due in it"),
    "note": _key(Kind.TEXT, "words for the reader of the report"),
}

SETUP: Final[Mapping[str, Key]] = {
    "phones": _key(Kind.NAMES, "handset: its behaviour"),
    "subscribers": _key(
        Kind.SECTIONS,
        "subscriber: what is known of it",
        inside={"mms": _key(Kind.TEXT, "on, off or unknown")},
        more=True,
    ),
    "vasps": _key(
        Kind.SECTIONS,
        "VASP of the lab: what it answers",
        inside={"answers": STEPS["vasp"].inside["answers"], "delay": STEPS["vasp"].inside["delay"]},  # type: ignore[index]
    ),
    "smscs": _key(Kind.SECTIONS, "SMSC of the lab: its mood", inside={}, more=True),
    "faults": _key(Kind.SECTIONS, "faults that are on from the beginning", inside={}, more=True),
}

TOP: Final[Mapping[str, Key]] = {
    "name": _key(Kind.TEXT, "what the scenario shows", needed=True),
    "description": _key(Kind.TEXT, "why that matters"),
    "clause": _key(Kind.TEXT, "where it is written"),
    "tags": _key(Kind.TEXTS, "words to choose it by"),
    "setup": _key(Kind.SECTION, "what holds before the first step", inside=SETUP),
    "steps": _key(Kind.FREE, "a list; each has one key", needed=True),
}


@dataclass(frozen=True)
class Step:
    """One step: its verb, what stands behind it, and the line of the file."""

    verb: str
    what: Any
    line: int

    def get(self, name: str, otherwise: Any = None) -> Any:
        """What stands behind a key of it."""
        return self.what.get(name, otherwise) if isinstance(self.what, Mapping) else otherwise


@dataclass(frozen=True)
class Scenario:
    """One file, or one document of it."""

    name: str
    steps: tuple[Step, ...]
    setup: Mapping[str, Any]
    file: str
    description: str = ""
    clause: str = ""
    tags: tuple[str, ...] = ()
    text: str = ""


class ScenarioError(Exception):
    """A file is no scenario. `problems` are sentences, each with file and line."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
