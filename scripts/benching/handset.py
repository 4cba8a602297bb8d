"""The handsets: GET of the Content-Location at once, then m-notifyresp-ind Retrieved, over kept connections."""

import asyncio
from collections.abc import Callable

from benching import octets
from benching.http1 import ClientConnection, WireError


class Handsets:
    """All handsets share a pool of connections, as behind one WAP gateway. Each body is compared octet for octet."""

    def __init__(self, notify_path: str, failed: Callable[[Exception], None]) -> None:
        self._notify_path = notify_path.encode()
        self._failed = failed
        self._idle: list[ClientConnection] = []
        self._all: list[ClientConnection] = []
        self._picture = octets.picture()
        self._opening: set[asyncio.Task[None]] = set()
        self.retrieved = 0

    def pushed(self, push: bytes) -> None:
        """A WAP push arrived: fetch what it points at."""
        transaction_id, url = octets.notification(push)
        host, path = octets.split_url(url)
        if self._idle:
            self._fetch(self._idle.pop(), host, path, transaction_id)
            return
        task = asyncio.get_running_loop().create_task(self._open_and_fetch(host, path, transaction_id))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def close(self) -> None:
        """Drop every connection."""
        for connection in self._all:
            connection.close()

    async def _open_and_fetch(self, host: bytes, path: bytes, transaction_id: bytes) -> None:
        name, _, port = host.decode().partition(":")
        try:
            connection = await ClientConnection.open(name, int(port or "80"), self._failed)
        except OSError as error:
            self._failed(error)
            return
        self._all.append(connection)
        self._fetch(connection, host, path, transaction_id)

    def _fetch(self, connection: ClientConnection, host: bytes, path: bytes, transaction_id: bytes) -> None:
        def fetched(status: int, body: bytes) -> None:
            if status != 200 or not self._is_whole(body):
                self._failed(WireError(f"GET {path!r} was answered {status} with {len(body)} octets: {body[:200]!r}"))
                return
            connection.request(octets.notify_response(self._notify_path, host, transaction_id), acknowledged)

        def acknowledged(status: int, body: bytes) -> None:
            if status not in (200, 204):
                self._failed(WireError(f"m-notifyresp-ind was answered {status}: {body[:200]!r}"))
                return
            self.retrieved += 1
            self._idle.append(connection)

        connection.request(octets.retrieval(path, host), fetched)

    def _is_whole(self, body: bytes) -> bool:
        start = body.find(self._picture[:16])
        return start >= 0 and body[start : start + len(self._picture)] == self._picture
