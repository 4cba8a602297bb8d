"""A handset's HTTP: straight or by a proxy (absolute-form targets), at the pace of a slow network, and losing the line
on purpose. No redirects, no compression, as handsets (OMA-TS-MMS_CTR)."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp

from protocols.records import record

MAXIMUM_ANSWER_OCTETS: Final = 64 * 1024 * 1024
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_UNHURRIED: Final = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=300)
_SMALL_BUFFER: Final = 4096  # so that a slow handset is felt at the other end, as far as the kernel allows
_CHUNKS_A_SECOND: Final = 10
FAILURES: Final = (aiohttp.ClientError, OSError, TimeoutError)  # what `request` raises where there is no whole answer

Pause = Callable[[float], Awaitable[None]]


@record(frozen=True, slots=True)
class Pace:
    """How an answer's body is read: `octets_per_second` (0: at once); `cut`: the line is lost halfway."""

    octets_per_second: int = 0
    cut: bool = False


class LineLost(aiohttp.ClientError):
    """The handset lost the line on purpose, after so many octets."""

    def __init__(self, octets: int) -> None:
        super().__init__(f"the line was lost after {octets} octets")
        self.octets = octets


FAST: Final = Pace()


def why(error: BaseException) -> str:
    """What went wrong, as a sentence without the HTTP library's own words."""
    match error:
        case aiohttp.ClientSSLError():
            return f"no TLS with {error.host}:{error.port}: {error.args[-1]}"
        case aiohttp.ClientConnectorDNSError():
            return f"no host has the name {error.host} ({error.os_error.strerror})"
        case aiohttp.ClientConnectorError():
            number, text = error.os_error.errno, error.os_error.strerror
            told = os.strerror(number) if number and number > 0 else text or str(error.os_error)
            return f"nobody takes connections at {error.host}:{error.port} ({told})"
        case aiohttp.ClientResponseError():
            return "what listens there does not speak HTTP"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed before an answer"
        case TimeoutError():
            return "no answer in time"
    return str(error) or type(error).__name__


class Transport:
    """The connections of one handset. Open it before use."""

    def __init__(self, headers: Mapping[str, str], proxy: str = "", pause: Pause = asyncio.sleep) -> None:
        """`proxy` is HOST:PORT or a URL, "" for none; `pause` waits for seconds."""
        self._headers = dict(headers)
        self._proxy = f"http://{proxy}" if proxy and "://" not in proxy else proxy
        self._pause = pause
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Ready for requests."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False)

    def introduce(self, headers: Mapping[str, str]) -> None:
        """What it says of itself from the next request on."""
        self._headers = dict(headers)

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()

    async def request(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], pace: Pace = FAST
    ) -> tuple[int, bytes]:
        """(HTTP status, body). Raises one of FAILURES."""
        assert self._session is not None, "use the handset as a context manager"
        own = {**self._headers, **headers}
        given: dict[str, Any] = {"data": body, "headers": own, "allow_redirects": False}
        if self._proxy:
            given["proxy"] = self._proxy
        if pace == FAST:
            async with self._session.request(method, url, **given) as response:
                return response.status, await self._read(response, pace)
        connector = aiohttp.TCPConnector(socket_factory=_small_socket)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_UNHURRIED, read_bufsize=_SMALL_BUFFER) as session,
            session.request(method, url, **given) as response,
        ):
            return response.status, await self._read(response, pace)

    async def _read(self, response: aiohttp.ClientResponse, pace: Pace) -> bytes:
        read = bytearray()
        step = max(1, pace.octets_per_second // _CHUNKS_A_SECOND) if pace.octets_per_second else 65_536
        half = (response.content_length or 2) // 2 if pace.cut else MAXIMUM_ANSWER_OCTETS
        while chunk := await response.content.read(min(step, max(1, half - len(read)))):
            read += chunk
            if pace.cut and len(read) >= half:
                response.close()
                raise LineLost(len(read))
            if len(read) > MAXIMUM_ANSWER_OCTETS:
                raise aiohttp.ClientPayloadError(f"an answer of more than {MAXIMUM_ANSWER_OCTETS} octets")
            if pace.octets_per_second:
                await self._pause(len(chunk) / pace.octets_per_second)
        return bytes(read)


def _small_socket(address: Any) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    return made
