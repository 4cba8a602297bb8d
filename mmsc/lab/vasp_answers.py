"""What a VASP is told to answer: `1000`, `3000*2,1000`, `HTTP 503`, `fault:4001`, and ways of not answering at all."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from protocols.records import record

MAXIMUM_REPEATS: Final = 1_000_000
MAXIMUM_ITEMS: Final = 1000
_ITEM: Final = re.compile(
    r"(?:(?P<code>\d{4})|http[ :]?(?P<http>\d{3})|fault(?:[ :](?P<fault>\d{4}))?|(?P<word>empty|html|silent))"
    r"(?:\s*\*\s*(?P<times>\d{1,9}))?",
    re.IGNORECASE | re.ASCII,
)
FORMS: Final = "1000, 'HTTP 503', fault, fault:4001, empty, html or silent, with *N behind it for N times"


class Kind(StrEnum):
    """How it is answered."""

    RSP = "rsp"  # the Rsp of the request
    FAULT = "fault"  # a SOAP Fault with VASPErrorRsp, HTTP 500
    HTTP = "http"  # a bare HTTP status
    EMPTY = "empty"  # HTTP 200 without a body
    HTML = "html"  # HTTP 200 with what is no MM7
    SILENT = "silent"  # never


@record(frozen=True, slots=True)
class Told:
    """One answer. `code` is a StatusCode or an HTTP status, 0 for neither."""

    kind: Kind
    code: int = 0

    def __str__(self) -> str:
        match self.kind:
            case Kind.RSP:
                return str(self.code)
            case Kind.FAULT:
                return f"Fault {self.code}"
            case Kind.HTTP:
                return f"HTTP {self.code}"
            case Kind.EMPTY:
                return "HTTP 200 without a body"
            case Kind.HTML:
                return "HTTP 200 with HTML"
        return "nothing"

    @property
    def is_success(self) -> bool:
        """1xxx."""
        return self.kind is Kind.RSP and 1000 <= self.code < 2000


SUCCESS: Final = Told(Kind.RSP, 1000)


class Script:
    """Answers one after the other; the last one goes on for ever."""

    def __init__(self, answers: Sequence[tuple[Told, int]] = ((SUCCESS, 1),)) -> None:
        """Each with how many times it is given."""
        self._answers = list(answers)
        self._at = self._given = 0

    def next(self) -> Told:
        """The next answer."""
        told, times = self._answers[self._at]
        self._given += 1
        if self._given >= times and self._at + 1 < len(self._answers):
            self._at, self._given = self._at + 1, 0
        return told


def script_of(text: str) -> Script:
    """A script from its words, with commas between them. Raises ValueError."""
    items = [one.strip() for one in text.split(",")]
    if len(items) > MAXIMUM_ITEMS:
        raise ValueError(f"{len(items)} answers; {MAXIMUM_ITEMS} are the most")
    return Script([_item(one) for one in items])


def _item(text: str) -> tuple[Told, int]:
    found = _ITEM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no answer; write {FORMS}")
    times = int(found["times"] or 1)
    if not 1 <= times <= MAXIMUM_REPEATS:
        raise ValueError(f"{text!r}: between 1 and {MAXIMUM_REPEATS} times")
    if found["code"]:
        return Told(Kind.RSP, int(found["code"])), times
    if found["http"]:
        status = int(found["http"])
        if not 200 <= status < 600:
            raise ValueError(f"{text!r}: an HTTP status is 200 to 599")
        return Told(Kind.HTTP, status), times
    if found["word"]:
        return Told(Kind(found["word"].lower())), times
    return Told(Kind.FAULT, int(found["fault"] or 3000)), times
