"""Where a request really comes from when reverse proxies stand before a listener.

A header says anything, so it is believed only from proxies of the settings, and only as far as they wrote it: hops are
read from the right, those of our own proxies are passed over, and the first other one is the client. Which header the
proxies write is a setting: the other one may be the client's own. What the proxy did not understand stays unknown.
"""

import base64
import re
import ssl
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import unquote

from mmsc.net.http import HttpRequest
from mmsc.net.tls_server import ClientCertificate, of_der, plain_digest
from protocols.records import record

FORWARDED: Final = "Forwarded"  # RFC 7239
X_FORWARDED_FOR: Final = "X-Forwarded-For"
_Networks = tuple[IPv4Network | IPv6Network, ...]
_REMEMBERED: Final = 1024
_MAXIMUM_HOPS: Final = 32  # read from the right; a longer way is nobody's
_FOR: Final = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?")
_WITH_PORT: Final = re.compile(r"([0-9.]+):[0-9]+")
_DIGEST_KINDS: Final = {40: "sha1", 64: "sha256"}


@record(frozen=True, slots=True)
class Source:
    """A client: its IP address ("" when a proxy does not tell it), and the certificate that it showed."""

    address: str
    certificate: ClientCertificate | None = None


@lru_cache(maxsize=_REMEMBERED)
def networks_of(texts: tuple[str, ...]) -> _Networks:
    """Addresses and networks as written in the settings. ValueError for what is neither."""
    return tuple(ip_network(text, strict=False) for text in texts)


@lru_cache(maxsize=_REMEMBERED)
def lies_in(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an IP address is in one of the networks; False for what is no address. An IPv4 address that came over an
    IPv6 socket (RFC 4291 2.5.5.2) is that IPv4 address."""
    found = _address(address)
    return found is not None and any(found in network for network in networks_of(networks))


class Proxies:
    """The reverse proxies of one listener.

    `networks` are theirs; `header` is the one in which they tell the way (Forwarded or X-Forwarded-For);
    `certificate_header`, "" for none, that in which they tell the client's certificate: as RFC 9440 writes it, as
    percent-encoded PEM, or as its SHA-256 or SHA-1 digest in hexadecimal."""

    def __init__(
        self, networks: Sequence[str] = (), *, header: str = X_FORWARDED_FOR, certificate_header: str = ""
    ) -> None:
        self._networks = tuple(networks)
        self._header = header
        self._certificate_header = certificate_header

    def are_trusted(self, remote: str) -> bool:
        """Whether a connection's other end is one of ours."""
        return bool(self._networks) and lies_in(remote, self._networks)

    def source(self, request: HttpRequest) -> Source:
        """Who sent a request. A proxy's own certificate is never taken for its client's."""
        if not self.are_trusted(request.remote):
            return Source(request.remote, request.certificate)
        header = self._certificate_header
        shown = request.headers.getall(header, []) if header else []
        certificate = told_certificate(shown[0]) if len(shown) == 1 else None
        return Source(self._client(request), certificate)

    def _client(self, request: HttpRequest) -> str:
        lines = request.headers.getall(self._header, [])
        hops = forwarded_for(lines) if self._header == FORWARDED else _listed(lines)
        address = request.remote
        for hop in reversed(hops[-_MAXIMUM_HOPS:]):
            found = _address(_bare(hop))
            if found is None:
                return ""
            address = str(found)
            if not lies_in(address, self._networks):
                return address
        return address if len(hops) <= _MAXIMUM_HOPS else ""


def forwarded_for(lines: Iterable[str]) -> list[str]:
    """The `for` of each hop of Forwarded (RFC 7239 4), "" for a hop that tells none."""
    found: list[str] = []
    for element in _listed(lines):
        told = _FOR.search(element)
        found.append("" if told is None else re.sub(r"\\(.)", r"\1", told[1] if told[1] is not None else told[2]))
    return found


def told_certificate(text: str) -> ClientCertificate | None:
    """The certificate that a proxy tells in a header; None when it is none that can be read."""
    text = text.strip()
    try:
        if len(text) > 2 and text[0] == text[-1] == ":":  # RFC 9440 2.2: a Byte Sequence of RFC 8941
            return of_der(base64.b64decode(text[1:-1], validate=True))
        if "BEGIN" in text:
            return of_der(ssl.PEM_cert_to_DER_cert(_pem(unquote(text))))
    except ValueError:
        return None
    digest = plain_digest(text)
    kind = _DIGEST_KINDS.get(len(digest))
    if kind is None or re.fullmatch(r"[0-9a-f]+", digest) is None:
        return None
    return ClientCertificate(sha1=digest) if kind == "sha1" else ClientCertificate(sha256=digest)


def _pem(text: str) -> str:
    """PEM with its line breaks: some proxies write them as blanks."""
    body = text.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END CERTIFICATE-----")[0]
    return f"-----BEGIN CERTIFICATE-----\n{''.join(body.split())}\n-----END CERTIFICATE-----"


def _listed(lines: Iterable[str]) -> list[str]:
    """The elements of a header that may stand in several lines (RFC 9110 5.3)."""
    return [element.strip() for element in ",".join(lines).split(",") if element.strip()]


def _bare(hop: str) -> str:
    """An address without its port (RFC 7239 6)."""
    found = _BRACKETED.fullmatch(hop) or _WITH_PORT.fullmatch(hop)
    return hop if found is None else found[1]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
