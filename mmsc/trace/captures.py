"""What was on the wire: the octets of each PDU, both ways, as the taps hand them in. `ring.py` keeps them.

A capture is an observation, not state: losing one loses nothing of a message. A body that the store has already is
named, not copied. Secrets are masked before a capture leaves the tap (`redact.py`).
"""

import itertools
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum
from typing import Final

import msgspec

from mmsc.clock import Clock, host_now
from mmsc.domain.instant import Instant

_exchanges: Final = itertools.count(host_now() << 10)  # goes on above an earlier process: it counts slower than µs/1024


class Direction(StrEnum):
    """As seen from this program."""

    IN = "in"
    OUT = "out"


class BodyReference(msgspec.Struct, frozen=True, array_like=True):
    """Octets left out of a capture at index `at`: `length` octets of the stored content, from its octet `start`."""

    content_id: int
    start: int
    length: int
    at: int


class CaptureRecord(msgspec.Struct, frozen=True, array_like=True):
    """One PDU, or one half of an exchange. Times are microseconds UTC.

    `exchange` ties a request to its answer, and through the answer's `mm_id` to the MM. `neighbour` is the configured
    name where it is known; `local` and `remote` are `address:port`; `fault` is what the lab did wrong here on purpose.
    `pieces` are its octets, in as few copies as can be: a large body stays the object that was received.
    """

    interface: str  # mm1, mm4, mm7, smpp, weblink
    direction: Direction
    local: str
    remote: str
    at_real: int
    at_service: int
    exchange: int
    neighbour: str = ""
    transaction_id: str = ""
    mm_id: int | None = None
    reference: BodyReference | None = None
    note: str = ""
    fault: str = ""
    pieces: tuple[bytes, ...] = ()

    @property
    def octets(self) -> bytes:
        """What was on the wire, without what `reference` names."""
        return b"".join(self.pieces)

    def whole(self, body: bytes | None) -> bytes:
        """The octets with the stored body put back in; None (retention took it) leaves the gap."""
        octets = self.octets
        if self.reference is None or body is None:
            return octets
        part = body[self.reference.start : self.reference.start + self.reference.length]
        return octets[: self.reference.at] + part + octets[self.reference.at :]


Tap = Callable[[CaptureRecord], None]  # never raises, never waits


def ignore(record: CaptureRecord) -> None:
    """The tap where captures are off."""


def new_exchange() -> int:
    """A number for one request with its answer (or one SMTP transaction), unique also across restarts."""
    return next(_exchanges)


class Subject:
    """What a request that is being answered turns out to be about: told on the way, read when its answer is captured.
    The first word counts."""

    __slots__ = ("mm_id", "neighbour")

    def __init__(self) -> None:
        self.mm_id: int | None = None
        self.neighbour = ""


_subject: Final[ContextVar[Subject | None]] = ContextVar("subject", default=None)


def new_subject() -> Subject:
    """Whoever takes a request calls this before he has it answered."""
    subject = Subject()
    _subject.set(subject)
    return subject


def about(mm_id: int | None = None, neighbour: str = "") -> None:
    """What is being answered is about this MM, or came from this neighbour; nothing where nothing is being answered."""
    subject = _subject.get()
    if subject is not None:
        subject.mm_id = mm_id if subject.mm_id is None else subject.mm_id
        subject.neighbour = subject.neighbour or neighbour


class WireTap:
    """Stamps what one interface sends and receives, masks its secrets, and hands it to `tap`."""

    def __init__(
        self,
        interface: str,
        tap: Tap | None,
        clock: Clock,
        mask: Callable[[bytes], bytes] = lambda octets: octets,
        mask_body: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._interface = interface
        self._tap = tap
        self._clock = clock
        self._mask = mask
        self._mask_body = mask_body  # of what stands behind a head; None: no secrets are known there

    @property
    def is_on(self) -> bool:
        """Whether anybody listens: spares the work of rebuilding octets for nobody."""
        return self._tap is not None

    def now(self) -> Instant:
        """Real time, for a capture that is handed in later."""
        return self._clock.real_now()

    def saw(
        self,
        direction: Direction,
        head: bytes,
        *rest: bytes,
        local: str,
        remote: str,
        exchange: int,
        neighbour: str = "",
        transaction_id: str = "",
        mm_id: int | None = None,
        reference: BodyReference | None = None,
        note: str = "",
        fault: str = "",
        at_real: Instant | None = None,
    ) -> None:
        """Hand one PDU in, without what `reference` names. Secrets are looked for in `head`: the whole PDU, or what
        stands before an HTTP body, and in the body where `mask_body` was given. `at_real` is when that was, unless it
        is now."""
        if self._tap is None:
            return
        if self._mask_body is not None and rest:
            rest = (self._mask_body(rest[0]), *rest[1:])
        clock = self._clock
        at_real = clock.real_now() if at_real is None else at_real
        record = CaptureRecord(
            self._interface,
            direction,
            local,
            remote,
            at_real,
            clock.at(at_real),
            exchange,
            neighbour,
            transaction_id,
            mm_id,
            reference,
            note,
            fault,
            (self._mask(head), *rest),
        )
        self._tap(record)
