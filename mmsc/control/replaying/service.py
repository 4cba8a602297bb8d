"""Finds the request of an exchange, sees that it goes only where it may, and sends it."""

from collections.abc import Callable, Mapping
from typing import Final

from mmsc.clock import Clock
from mmsc.control.capturing import Capturing
from mmsc.control.replaying import wires
from mmsc.control.replaying.model import MAIL, Replay, Replayed, Unreplayable, taken_apart
from mmsc.control.replaying.targets import Targets
from mmsc.trace.captures import Direction
from mmsc.trace.pcapng import Captured
from mmsc.trace.pcapng.addresses import wire
from mmsc.trace.pcapng.dialogue import is_answer

_REQUESTS: Final = 0x80000000  # below it command_ids are requests (SMPP v3.4 5.1.2.1)


class Replaying:
    """`Control.replaying`. `places` says where this server listens, `targets` what may be called."""

    def __init__(
        self,
        capturing: Capturing,
        places: Callable[[], Mapping[str, str]],
        targets: Targets,
        clock: Clock,
    ) -> None:
        self._capturing = capturing
        self._places = places
        self._targets = targets
        self._clock = clock

    async def draft(self, exchange: int) -> Replay:
        """The request of an exchange as it was captured; to this server where it came in, else to whom it went. Raises
        Unreplayable."""
        request = _request_of(await self._capturing.exchange(exchange))
        record = request.record
        head, body, masked = taken_apart(record.interface, request.octets)
        host, port = self._target(request)
        return Replay(interface=record.interface, host=host, port=port, head=head, body=body, masked=masked)

    async def send(self, replay: Replay) -> Replayed:
        """Send it, and wait for the answer. Raises NotAllowed, and ValueError for what cannot be octets."""
        self._targets.check(replay.host, replay.port)
        send = wires.smtp if replay.interface in MAIL else wires.smpp if replay.interface == "smpp" else wires.http
        began = self._clock.real_now()
        done = await send(replay)
        return wires.timed(done, self._clock.real_now() - began)

    def _target(self, request: Captured) -> tuple[str, int]:
        record = request.record
        if record.direction is Direction.IN and record.interface in self._places():
            return wire(self._places()[record.interface].rpartition("//")[2].partition("/")[0])
        there = record.local if record.direction is Direction.IN else record.remote
        host, port = wire(there)
        return host, port or 80


def _request_of(captured: list[Captured]) -> Captured:
    for one in captured:
        if one.record.interface == "smpp":
            if int.from_bytes(one.octets[4:8]) < _REQUESTS and one.record.direction is Direction.OUT:
                return one
        elif not is_answer(one.octets):
            return one
    raise Unreplayable("no request of this exchange is kept, or it is one of the SMSC")
