"""What a phone sent and received: a line for each PDU and each request, with its time and its transaction."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mmsc.clock import Moment
from protocols import mm1
from protocols.enums import OpenEnum
from protocols.errors import ProtocolError
from protocols.mm1 import Pdu
from protocols.mm1.enums import in_words

MAXIMUM_LINES: Final = 200
_LONGEST: Final = 200  # characters of what a line tells
_WORDS: Final = ("status", "response_status", "retrieve_status", "read_status", "cancel_status")
_PLMN: Final = "/TYPE=PLMN"
_TEXTS: Final = ("response_text", "retrieve_text", "status_text")


class Way(StrEnum):
    """As the phone sees it."""

    IN = "in"
    OUT = "out"
    NOTE = "note"  # nothing on a wire: what the phone makes of something


@dataclass(slots=True)
class Line:
    """`name` as the specification spells it, `about` what else to know, `answer` how it ended. `transaction_id` and
    `message_id` where it has one; `location` is what was fetched."""

    number: int
    at: Moment
    way: Way
    interface: str  # mm1 | smpp, "" for a note
    name: str
    about: str = ""
    answer: str = ""
    transaction_id: str = ""
    message_id: str = ""
    location: str = ""
    octets: int = 0
    failed: bool = False


class Lines:
    """The last ones of a phone."""

    def __init__(self, moment: Callable[[], Moment], changed: Callable[[], None]) -> None:
        self._moment = moment
        self._changed = changed
        self._lines: deque[Line] = deque(maxlen=MAXIMUM_LINES)
        self._last = 0

    def all(self) -> tuple[Line, ...]:
        """Oldest first."""
        return tuple(self._lines)

    def one(self, number: int) -> Line | None:
        """By its number."""
        return next((one for one in self._lines if one.number == number), None)

    def clear(self) -> None:
        """Forget them."""
        self._lines.clear()

    def add(self, way: Way, interface: str, name: str, about: str = "", **more: str | int | bool) -> Line:
        """Another one, now."""
        self._last += 1
        line = Line(self._last, self._moment(), way, interface, name, _short(about), **more)  # type: ignore[arg-type]
        self._lines.append(line)
        self._changed()
        return line

    def pdu(self, way: Way, interface: str, octets: bytes) -> Line:
        """One for an MMS PDU; what cannot be read is told as octets."""
        try:
            pdu = mm1.decode(octets).message
        except ProtocolError as error:
            why = getattr(error, "why", str(error))
            return self.add(way, interface, "unreadable PDU", why, octets=len(octets), failed=True)
        return self.add(
            way,
            interface,
            in_words(pdu.message_type),
            about_of(pdu),
            octets=len(octets),
            transaction_id=getattr(pdu, "transaction_id", "") or "",
            message_id=getattr(pdu, "message_id", "") or "",
        )

    def note(self, text: str) -> Line:
        """What the phone makes of something."""
        return self.add(Way.NOTE, "", "", text, failed=True)

    def ended(self, line: Line, answer: str, *, failed: bool = False) -> None:
        """How a request ended."""
        line.answer, line.failed = _short(answer), failed
        self._changed()


def about_of(pdu: Pdu) -> str:
    """What matters in a PDU, in words."""
    told = [in_words(value) for name in _WORDS if isinstance(value := getattr(pdu, name, None), OpenEnum)]
    told += [str(value) for name in _TEXTS if (value := getattr(pdu, name, None))]
    match pdu:
        case mm1.MNotificationInd():
            size = "" if pdu.message_size is None else f"{pdu.message_size:,} octets"
            told += [f"from {plain(pdu.from_)}" if pdu.from_ else "from somebody hidden", pdu.subject or "", size]
        case mm1.MRetrieveConf():
            told += [f"from {plain(pdu.from_)}" if pdu.from_ else "", pdu.subject or ""]
        case mm1.MSendReq() | mm1.MForwardReq():
            told.append("to " + ", ".join(plain(one) for one in (*pdu.to, *pdu.cc, *pdu.bcc)))
        case mm1.MDeliveryInd():
            told.append(", ".join(map(plain, pdu.to)))
        case mm1.MReadOrigInd():
            told.append(plain(pdu.from_))
        case mm1.MNotifyRespInd() | mm1.MAcknowledgeInd():
            allowed = {None: "", True: "report allowed", False: "no report allowed"}
            told.append(allowed[pdu.report_allowed])
    return ", ".join(filter(None, told))


def plain(value: object) -> str:
    """An address without the type of numbers; "" for a token that stands for one."""
    text = value if isinstance(value, str) else ""
    return text[: -len(_PLMN)] if text.upper().endswith(_PLMN) else text


def _short(text: str) -> str:
    clean = "".join(one if one.isprintable() else " " for one in text)
    return clean if len(clean) <= _LONGEST else clean[: _LONGEST - 1] + "…"
