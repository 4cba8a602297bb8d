"""The handsets: GET of the Content-Location at once, then m-notifyresp-ind Retrieved, over kept connections.

All of them share the connections, as behind one WAP gateway. What they get is compared octet for octet with what was
sent. A step that fails ends that retrieval and is counted; the MMSC pushes again when it sees fit."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from mmsc.load import octets
from mmsc.load.http1 import CUT, ClientConnection, Pool
from mmsc.load.tally import Tally

MAXIMUM_CONNECTIONS: Final = 256
MAXIMUM_WAITING: Final = 100_000  # pushes that wait for a connection; further ones are counted and let go
MAXIMUM_HOSTS: Final = 16  # that Content-Locations may name

Address = tuple[str, int]


class Retrieval:
    """One push on its way to m-notifyresp-ind."""

    __slots__ = ("began", "host", "path", "place", "retrieved", "transaction_id")

    def __init__(self, place: Address, host: bytes, path: bytes, transaction_id: bytes, began: float) -> None:
        self.place = place
        self.host = host
        self.path = path
        self.transaction_id = transaction_id
        self.began = began
        self.retrieved = False


class Handsets:
    """Fetches whatever it is pushed from hosts that `may_fetch` allows."""

    def __init__(
        self,
        notify_path: str,
        contents: Sequence[octets.Content],
        tally: Tally,
        now: Callable[[], float],
        *,
        may_fetch: Callable[[str], bool],
        timeout_seconds: float,
    ) -> None:
        self._notify_path = notify_path.encode()
        self._contents = contents
        self._tally = tally
        self._now = now
        self._may_fetch = may_fetch
        self._timeout = timeout_seconds
        self._idle: dict[Address, list[ClientConnection]] = {}
        self._all: set[ClientConnection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[Retrieval] = deque()

    def pushed(self, push: bytes) -> None:
        """A WAP push arrived: fetch what it points at."""
        found = octets.notification(push)
        if found is None:
            self._tally.push("no m-notification-ind")
            return
        transaction_id, url = found
        host, path = octets.split_url(url)
        name, _, port = host.decode("latin-1").rpartition(":") if b":" in host else (host.decode("latin-1"), "", "80")
        place = (name.strip("[]"), int(port) if port.isdecimal() else 0)
        if place not in self._idle:
            if len(self._idle) >= MAXIMUM_HOSTS or not 0 < place[1] < 65536 or not self._may_fetch(place[0]):
                self._tally.push(f"not fetched from {name[:60]}")
                return
            self._idle[place] = []
        self._begin(Retrieval(place, host, path, transaction_id, self._now()))

    def sweep(self) -> None:
        """Give up on answers that are too late."""
        now = self._now()
        for connection in [one for one in self._all if one.job is not None and one.deadline < now]:
            connection.drop(f"no answer in {self._timeout:g} s")

    async def close(self) -> None:
        """Drop every connection."""
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in self._all:
            connection.close()

    def _begin(self, retrieval: Retrieval) -> None:
        idle = self._idle[retrieval.place]
        if idle:
            self._send(idle.pop(), retrieval)
        elif len(self._all) + len(self._opening) < MAXIMUM_CONNECTIONS:
            task = asyncio.get_running_loop().create_task(self._open_and_fetch(retrieval))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        elif len(self._waiting) < MAXIMUM_WAITING:
            self._waiting.append(retrieval)
        else:
            self._tally.retrieval("no connection free")

    async def _open_and_fetch(self, retrieval: Retrieval) -> None:
        pool = Pool(*retrieval.place)
        try:
            connection = await pool.open(lambda: ClientConnection(self._answered, self._broken))
        except OSError as error:
            self._tally.retrieval(f"cannot connect: {error.strerror or type(error).__name__}")
            return
        self._all.add(connection)
        self._send(connection, retrieval)

    def _send(self, connection: ClientConnection, retrieval: Retrieval) -> None:
        """The retrieval's next request."""
        connection.job = retrieval
        connection.deadline = self._now() + self._timeout
        if retrieval.retrieved:
            connection.request(octets.notify_response(self._notify_path, retrieval.host, retrieval.transaction_id))
        else:
            connection.request(octets.retrieval(retrieval.path, retrieval.host))

    def _answered(self, connection: ClientConnection, status: int, body: bytes) -> None:
        retrieval = connection.job
        assert isinstance(retrieval, Retrieval)
        if not retrieval.retrieved and status == 200:
            if not any(content.is_in(body) for content in self._contents):
                self._tally.different_contents += 1
            retrieval.retrieved = True
            if not connection.closed:
                self._send(connection, retrieval)
                return
            connection.job = None
            self._begin(retrieval)  # on another connection: the server ended this one
            return
        if retrieval.retrieved and status in (200, 204):
            self._tally.retrieved(self._now() - retrieval.began)
        else:
            step = "m-notifyresp-ind" if retrieval.retrieved else "GET"
            self._tally.retrieval(f"{step}: HTTP {status}")
        connection.job = None
        if not connection.closed:
            self._next(connection, retrieval.place)

    def _next(self, connection: ClientConnection, place: Address) -> None:
        if not self._waiting:
            self._idle[place].append(connection)
        elif self._waiting[0].place == place:
            self._send(connection, self._waiting.popleft())
        else:
            connection.drop("")  # for one to the other place

    def _broken(self, connection: ClientConnection, why: str) -> None:
        self._all.discard(connection)
        for idle in self._idle.values():
            if connection in idle:
                idle.remove(connection)
        retrieval = connection.job
        if isinstance(retrieval, Retrieval):
            connection.job = None
            if why == CUT and connection.served and not retrieval.retrieved:
                self._begin(retrieval)  # a server may close an idle connection at any time (RFC 9112 9.3.1)
                return
            step = "m-notifyresp-ind" if retrieval.retrieved else "GET"
            self._tally.retrieval(f"{step}: {why}")
        if self._waiting:
            self._begin(self._waiting.popleft())
