"""TCP connections written anew around captures: handshake, segments, acknowledgements by the other side, end."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from mmsc.trace.captures import CaptureRecord, Direction
from mmsc.trace.pcapng.addresses import Who
from mmsc.trace.pcapng.packets import ACK, FIN, MAXIMUM_SEGMENT_OCTETS, PSH, SYN, Ends, segment

_MOST_OPEN: Final = 4096  # connections; the one that was silent longest is shown as closed

Key = tuple[object, ...]
Packet = tuple[Direction, bytes]  # whose it is, as seen from us, and its octets


class Session:
    """One connection; sequence numbers begin at 0, as everybody shows them."""

    def __init__(self, who: Who, number: int, *, we_serve: bool) -> None:
        self._ways = {True: Ends(who.client, who.server), False: Ends(who.server, who.client)}
        self._next = {True: 0, False: 0}
        self._we_serve = we_serve
        self.number = number  # of its interface
        self.is_spent = False  # octets are missing: what comes next would not be understood on it

    def open(self) -> list[Packet]:
        """SYN, SYN ACK, ACK."""
        return [self._packet(True, SYN), self._packet(False, SYN | ACK), self._packet(True, ACK)]

    def say(self, octets: bytes, *, to_server: bool) -> list[Packet]:
        """Octets in as many segments as they need; none are an acknowledgement of what came, and nothing more."""
        if not octets:
            return [self._packet(to_server, ACK)]
        starts = range(0, len(octets), MAXIMUM_SEGMENT_OCTETS)
        return [
            self._packet(
                to_server,
                (PSH if start == starts[-1] else 0) | ACK,
                octets[start : start + MAXIMUM_SEGMENT_OCTETS],
            )
            for start in starts
        ]

    def close(self) -> list[Packet]:
        """FIN both ways."""
        return [self._packet(True, FIN | ACK), self._packet(False, FIN | ACK), self._packet(True, ACK)]

    def _packet(self, to_server: bool, flags: int, data: bytes = b"") -> Packet:
        seen = self._next[not to_server] if flags & ACK else 0
        octets = segment(self._ways[to_server], self._next[to_server], seen, flags, data)
        self._next[to_server] += len(data) + (1 if flags & (SYN | FIN) else 0)
        return Direction.IN if to_server is self._we_serve else Direction.OUT, octets


class Sessions:
    """All connections of a file."""

    def __init__(self) -> None:
        self._open: OrderedDict[Key, Session] = OrderedDict()

    def of(self, key: Key, *, asks: bool) -> Session | None:
        """The connection of a capture; None when there is none, or none that can be used for another request."""
        found = self._open.get(key)
        if found is None or (found.is_spent and asks):
            return None
        self._open.move_to_end(key)
        return found

    def begin(self, key: Key, session: Session) -> Iterator[Session]:
        """A new connection takes its place; those that are over."""
        before = self._open.pop(key, None)
        self._open[key] = session
        if before is not None:
            yield before
        while len(self._open) > _MOST_OPEN:
            yield self._open.popitem(last=False)[1]

    def all(self) -> Iterator[Session]:
        """Those that are open, the one that was silent longest first; none is open afterwards."""
        while self._open:
            yield self._open.popitem(last=False)[1]


def key_of(record: CaptureRecord) -> Key:
    """What tells connections apart: both ends where both are known; SMPP has one session with a neighbour, everything
    else one connection an exchange."""
    if record.local and record.remote:
        return record.interface, record.local, record.remote
    if record.interface == "smpp":
        return record.interface, record.remote, record.neighbour
    return record.interface, record.exchange
