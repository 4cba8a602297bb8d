"""Captures as a pcapng file, piece by piece: what one call returns can be sent on before the next one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from mmsc.trace.captures import CaptureRecord, Direction
from mmsc.trace.pcapng import blocks, dialogue
from mmsc.trace.pcapng.addresses import Addresses
from mmsc.trace.pcapng.dialogue import REBUILT, Turn
from mmsc.trace.pcapng.naming import name_of
from mmsc.trace.pcapng.sessions import Packet, Session, Sessions, key_of

_MAIL: Final = ("mm3", "mm4")
_INCOMPLETE: Final = "not kept"  # how the note of a capture ends that was cut
_WORDS: Final = {
    "mm1": "MM1: user agents, HTTP",
    "mm3": "MM3: mail, SMTP",
    "mm4": "MM4: other MMSCs, SMTP",
    "mm7": "MM7: VASPs, HTTP",
    "smpp": "SMPP: SMSCs",
    "weblink": "web link: the page behind the fallback SMS, HTTP",
}


class Captured(NamedTuple):
    """A capture with its octets made whole, whose it is where only its exchange tells, and what there is to say."""

    record: CaptureRecord
    octets: bytes
    neighbour: str = ""
    mm_id: int | None = None
    remarks: tuple[str, ...] = ()


class PcapngWriter:
    """Writes one file. `service_time`: times are those of the service's clock instead of real ones."""

    def __init__(self, *, service_time: bool = False) -> None:
        self._service_time = service_time
        self._addresses = Addresses()
        self._sessions = Sessions()
        self._interfaces: dict[str, int] = {}
        self._last_at = 0

    def begin(self) -> bytes:
        """The head of the file."""
        return blocks.section("mmsc")

    def add(self, captured: Captured) -> bytes:
        """One capture. Captures come in the order of their exchanges: a request before its answer."""
        return b"".join(self._blocks(captured))

    def missed(self, captures: int, comment: str) -> bytes:
        """Say that some captures are not in the file."""
        return b"".join(self._interface("lost")) + blocks.missed(
            self._interfaces["lost"], self._last_at, captures, comment
        )

    def end(self) -> bytes:
        """The connections are shown as closed: analysers end what lasts to the end of a connection there."""
        return b"".join(self._close(self._sessions.all()))

    def _blocks(self, captured: Captured) -> Iterator[bytes]:
        record = captured.record
        at = record.at_service if self._service_time else record.at_real
        self._last_at = max(self._last_at, at)
        yield from self._interface(record.interface)
        answers = _is_answer(record, captured.octets)
        we_serve = record.interface != "smpp" and (record.direction is Direction.IN) is not answers
        who = self._addresses.who(record, captured.neighbour or record.neighbour, we_serve=we_serve)
        if new := self._addresses.new_names():
            yield blocks.names(new)
        key = key_of(record)
        session = self._sessions.of(key, asks=not answers)
        if session is None:
            session = Session(who, self._interfaces[record.interface], we_serve=we_serve)
            yield from self._close(self._sessions.begin(key, session))
            yield from self._packets(session, session.open(), at)
        comments = (_summary(captured), *captured.remarks, *who.remarks)
        for turn in _turns(record, captured.octets, answers=answers):
            said = (REBUILT,) if turn.is_rebuilt else comments
            yield from self._packets(session, session.say(turn.octets, to_server=turn.to_server), at, said)
        session.is_spent = session.is_spent or record.note.endswith(_INCOMPLETE)

    def _interface(self, name: str) -> Iterator[bytes]:
        if name not in self._interfaces:
            self._interfaces[name] = len(self._interfaces)
            yield blocks.interface(name, _WORDS.get(name, name))

    @staticmethod
    def _packets(session: Session, packets: Iterable[Packet], at: int, comments: Sequence[str] = ()) -> Iterator[bytes]:
        for direction, octets in packets:
            yield blocks.packet(session.number, at, direction, octets, comments)
            comments = ()  # they stand at the first one

    def _close(self, sessions: Iterable[Session]) -> Iterator[bytes]:
        for session in sessions:
            yield from self._packets(session, session.close(), self._last_at)


def pcapng(captures: Iterable[Captured], *, service_time: bool = False) -> bytes:
    """A whole file."""
    writer = PcapngWriter(service_time=service_time)
    return b"".join((writer.begin(), *(writer.add(one) for one in captures), writer.end()))


def _is_answer(record: CaptureRecord, octets: bytes) -> bool:
    return record.interface != "smpp" and (not octets or dialogue.is_answer(octets))


def _turns(record: CaptureRecord, octets: bytes, *, answers: bool) -> Iterable[Turn]:
    if record.interface in _MAIL and not answers:
        return dialogue.mail(octets)
    if record.interface == "smpp":
        return (Turn(record.direction is Direction.OUT, octets),)
    return (Turn(not answers, octets),)


def _summary(captured: Captured) -> str:
    record = captured.record
    mm_id = captured.mm_id or record.mm_id
    words = (
        name_of(record.interface, captured.octets),
        f"{record.interface} {record.direction}",
        captured.neighbour or record.neighbour,
        f"MM {mm_id}" if mm_id else "",
        f"transaction {record.transaction_id}" if record.transaction_id else "",
        f"exchange {record.exchange}",
    )
    return ", ".join(word for word in words if word)
