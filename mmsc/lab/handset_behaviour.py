"""What a handset does about MMs, one after the other: fetch now or later, refuse, forward, read slowly, lose the line,
answer its sender."""

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from protocols.mm1 import ReadStatus
from protocols.records import record

MAXIMUM_ITEMS: Final = 1000
MAXIMUM_REPEATS: Final = 1_000_000
MAXIMUM_WAIT_SECONDS: Final = 30 * 86_400
MAXIMUM_CUTS: Final = 1000


class Fetching(StrEnum):
    """What it does about a notification."""

    IMMEDIATE = "immediate"  # GET, then m-notifyresp-ind Retrieved
    DEFERRED = "deferred"  # m-notifyresp-ind Deferred; `fetch` later ends with m-acknowledge-ind
    REJECT = "reject"
    UNRECOGNISED = "unrecognised"
    NEVER = "never"  # it shows the notification and does nothing
    SILENT = "silent"  # GET, and no answer ever
    FORWARD = "forward"  # m-forward-req, without fetching


@record(frozen=True, slots=True)
class Behaviour:
    """For one MM. `wait_seconds`: before it acts; for DEFERRED between its answer and the GET, None for "when the user
    says so". `octets_per_second`: how fast it reads (0: at once). `cuts`: how many GETs lose the line halfway;
    `retries`: how often it asks again at once when there was no whole answer, or HTTP 5xx. `read`: what
    m-read-rec-ind says where the MM asks for one, None for no such report. `reply`: the text of an answer to its
    sender. `report_allowed`: X-Mms-Report-Allowed, None for absent."""

    fetching: Fetching = Fetching.IMMEDIATE
    wait_seconds: float | None = None
    octets_per_second: int = 0
    cuts: int = 0
    retries: int = 0
    forward_to: tuple[str, ...] = ()
    read: ReadStatus | None = None
    reply: str = ""
    report_allowed: bool | None = None


class Behaviours:
    """One after the other; the last one goes on for ever."""

    def __init__(self, listed: Sequence[tuple[Behaviour, int]] = ((Behaviour(), 1),)) -> None:
        """Each with how many MMs it is for. ValueError for none."""
        if not listed:
            raise ValueError("no behaviour")
        self._listed = list(listed)
        self._at = self._given = 0

    @property
    def current(self) -> Behaviour:
        """What the next MM gets."""
        return self._listed[self._at][0]

    def next(self) -> Behaviour:
        """For another MM."""
        behaviour, times = self._listed[self._at]
        self._given += 1
        if self._given >= times and self._at + 1 < len(self._listed):
            self._at, self._given = self._at + 1, 0
        return behaviour


FORMS: Final = (
    "immediate, deferred, deferred=SECONDS, reject, never, silent, unrecognised, forward=NUMBER; with + behind it "
    "wait=SECONDS, slow=OCTETS-A-SECOND, cut or cut=TIMES, retry=TIMES, read, deleted, reply=TEXT, no-report, report"
)
_TIMES: Final = re.compile(r"(.*?)\s*\*\s*([0-9]{1,9})", re.DOTALL)
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    **{one.value: {"fetching": one} for one in Fetching if one is not Fetching.FORWARD},
    "cut": {"cuts": 1},
    "read": {"read": ReadStatus.READ},
    "deleted": {"read": ReadStatus.DELETED_WITHOUT_BEING_READ},
    "no-report": {"report_allowed": False},
    "report": {"report_allowed": True},
}
_COUNTED: Final = {"slow": "octets_per_second", "cut": "cuts", "retry": "retries"}


def behaviours_of(text: str) -> Behaviours:
    """From words: `deferred=30+read,reject*2,immediate`. Raises ValueError."""
    items = [one.strip() for one in text.split(",")]
    if len(items) > MAXIMUM_ITEMS:
        raise ValueError(f"{len(items)} behaviours, at most {MAXIMUM_ITEMS}")
    return Behaviours([_item(one) for one in items])


def _item(text: str) -> tuple[Behaviour, int]:
    counted = _TIMES.fullmatch(text)
    times = int(counted[2]) if counted else 1
    if not 1 <= times <= MAXIMUM_REPEATS:
        raise ValueError(f"{text!r}: 1 to {MAXIMUM_REPEATS} times")
    fields: dict[str, Any] = {}
    # a + that a number begins with is no separator
    for word in re.split(r"(?<!=)\+", counted[1] if counted else text):
        for name, value in _word(word.strip()).items():
            if name in fields:
                raise ValueError(f"{word!r} in {text!r}: that is said already")
            fields[name] = value
    behaviour = replace(Behaviour(), **fields)
    if behaviour.cuts > behaviour.retries + 1:
        raise ValueError(f"{text!r}: {behaviour.cuts} cuts need retry={behaviour.cuts - 1} at least")
    return behaviour, times


def _word(word: str) -> dict[str, Any]:
    name, equals, value = word.partition("=")
    name = name.lower()
    if not equals and name in _PLAIN:
        return _PLAIN[name]
    if not equals or not value:
        raise ValueError(f"{word!r} is none of {FORMS}")
    match name:
        case "deferred":
            return {"fetching": Fetching.DEFERRED, "wait_seconds": _seconds(word, value)}
        case "wait":
            return {"wait_seconds": _seconds(word, value)}
        case "forward":
            return {"fetching": Fetching.FORWARD, "forward_to": (value,)}
        case "reply":
            return {"reply": value}
        case "slow" | "cut" | "retry":
            if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:12]) <= _most(name):
                raise ValueError(f"{word!r}: 1 to {_most(name)}")
            return {_COUNTED[name]: int(value)}
    raise ValueError(f"{word!r} is none of {FORMS}")


def _most(name: str) -> int:
    return 1_000_000_000 if name == "slow" else MAXIMUM_CUTS


def _seconds(word: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAXIMUM_WAIT_SECONDS:
        raise ValueError(f"{word!r}: 0 to {MAXIMUM_WAIT_SECONDS} seconds")
    return seconds
