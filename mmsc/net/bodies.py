"""The body of an HTTP message, read within a bound that holds whatever the sender declares."""

import zlib
from typing import Final

from aiohttp import web

_CODINGS: Final = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class BodyRefused(Exception):
    """The body cannot be had; `status` is the HTTP answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def read_body(request: web.BaseRequest, maximum_octets: int) -> bytes:
    """The whole body, decompressed. BodyRefused with 400, 413, 415 or 417; the caller bounds the time."""
    declared = request.content_length
    if declared is not None and declared > maximum_octets:
        raise BodyRefused(413, f"Content-Length is {declared}, the limit {maximum_octets}")
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in _CODINGS and coding not in ("", "identity"):
        raise BodyRefused(415, f"Content-Encoding {coding}")
    await _continue(request)
    body = await _bounded(request, maximum_octets)
    return inflate(body, _CODINGS[coding], maximum_octets) if coding in _CODINGS else body


async def _continue(request: web.BaseRequest) -> None:
    """RFC 9110 10.1.1: a client that expects 100 waits for it before it sends."""
    expected = request.headers.get("Expect", "")
    if expected.lower() == "100-continue":
        await request.writer.write(_CONTINUE)
        request.writer.output_size = 0  # the interim answer is no part of the final one
    elif expected:
        raise BodyRefused(417, f"Expect: {expected}")


async def _bounded(request: web.BaseRequest, maximum_octets: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.content.iter_any():
            size += len(piece)
            if size > maximum_octets:
                raise BodyRefused(413, f"more than {maximum_octets} octets")
            pieces.append(piece)
    except web.RequestPayloadError as error:
        raise BodyRefused(400, f"the body is cut or ill-framed: {error}") from error
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def inflate(octets: bytes, window_bits: int, maximum_octets: int) -> bytes:
    """Decompress at most `maximum_octets` (RFC 1950, 1952); BodyRefused 400 for octets that are not, 413 for more."""
    decompressor = zlib.decompressobj(window_bits)
    try:
        plain = decompressor.decompress(octets, maximum_octets + 1)
    except zlib.error as error:
        raise BodyRefused(400, f"compressed body: {error}") from error
    if len(plain) > maximum_octets:
        raise BodyRefused(413, f"more than {maximum_octets} octets when decompressed")
    if not decompressor.eof:
        raise BodyRefused(400, "the compressed body is cut short")
    return plain
