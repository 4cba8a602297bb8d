"""Content codings of HTTP bodies (RFC 9110 8.4), undone within a bound that holds whatever the sender declares."""

import zlib
from typing import Final

CODINGS: Final = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
TAKEN: Final = frozenset((*CODINGS, "", "identity"))  # by a listener, of those that have a name


class BodyRefused(Exception):
    """The body cannot be had; `status` is the HTTP answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def inflate(octets: bytes, coding: str, maximum_octets: int) -> bytes:
    """Decompress at most `maximum_octets` (RFC 1950, 1952); BodyRefused 400 for octets that are not, 413 for more."""
    decompressor = zlib.decompressobj(CODINGS[coding])
    try:
        plain = decompressor.decompress(octets, maximum_octets + 1)
    except zlib.error as error:
        raise BodyRefused(400, f"compressed body: {error}") from error
    if len(plain) > maximum_octets:
        raise BodyRefused(413, f"more than {maximum_octets} octets when decompressed")
    if not decompressor.eof:
        raise BodyRefused(400, "the compressed body is cut short")
    return plain
