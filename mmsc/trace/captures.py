"""What was on the wire: the octets of each PDU, both ways, as the taps hand them in. `ring.py` keeps them.

A capture is an observation, not state: losing one loses nothing of a message. A body that the store has already is
named, not copied. Secrets are masked before a capture leaves the tap (`redact.py`).
"""

import itertools
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from mmsc.clock import Clock, host_now

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


class CaptureRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One PDU, or one half of an exchange. Times are microseconds UTC.

    `exchange` ties a request to its answer, and through the answer's `mm_id` to the MM. `neighbour` is the configured
    name where it is known; `local` and `remote` are `address:port`.
    """

    interface: str  # mm1, mm4, mm7, smpp, weblink
    direction: Direction
    octets: bytes
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

    def whole(self, body: bytes | None) -> bytes:
        """The octets with the stored body put back in; None (retention took it) leaves the gap."""
        if self.reference is None or body is None:
            return self.octets
        part = body[self.reference.start : self.reference.start + self.reference.length]
        return self.octets[: self.reference.at] + part + self.octets[self.reference.at :]


Tap = Callable[[CaptureRecord], None]  # never raises, never waits


def ignore(record: CaptureRecord) -> None:
    """The tap where captures are off."""


def new_exchange() -> int:
    """A number for one request with its answer (or one SMTP transaction), unique also across restarts."""
    return next(_exchanges)


class WireTap:
    """Stamps what one interface sends and receives, masks its secrets, and hands it to `tap`."""

    def __init__(
        self, interface: str, tap: Tap | None, clock: Clock, mask: Callable[[bytes], bytes] = lambda octets: octets
    ) -> None:
        self._interface = interface
        self._tap = tap
        self._clock = clock
        self._mask = mask

    @property
    def is_on(self) -> bool:
        """Whether anybody listens: spares the work of rebuilding octets for nobody."""
        return self._tap is not None

    def saw(
        self,
        direction: Direction,
        octets: bytes,
        *,
        local: str,
        remote: str,
        exchange: int,
        neighbour: str = "",
        transaction_id: str = "",
        mm_id: int | None = None,
        reference: BodyReference | None = None,
        note: str = "",
    ) -> None:
        """Hand one PDU in; `octets` without what `reference` names."""
        if self._tap is None:
            return
        self._tap(
            CaptureRecord(
                interface=self._interface,
                direction=direction,
                octets=self._mask(octets),
                local=local,
                remote=remote,
                at_real=self._clock.real_now(),
                at_service=self._clock.now(),
                exchange=exchange,
                neighbour=neighbour,
                transaction_id=transaction_id,
                mm_id=mm_id,
                reference=reference,
                note=note,
            )
        )
