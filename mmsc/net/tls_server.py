"""TLS of a listener: its context from files, and who a client is by its certificate (RFC 8446, RFC 5280).

A client's certificate counts only when it was issued by the client CA of the settings: OpenSSL refuses the handshake of
any other, of one that has expired, and of one whose key the client does not hold. Here it is only read.
"""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from mmsc.net.accepting import Acceptor
from mmsc.net.listening import CannotListen
from protocols.records import record

HANDSHAKE_SECONDS: Final = 10.0  # a client that only connects is gone by then
_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@record(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """The files of a listener, PEM. `key` is "" when the certificate's file holds it; without `client_ca` no client is
    asked for a certificate, with `client_required` one without is refused in the handshake."""

    certificate: str
    key: str = ""
    client_ca: str = ""
    client_required: bool = False
    minimum_version: str = "1.2"


@record(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """What names a client: its subject's common names, the subjectAltName entries (RFC 5280 4.2.1.6), and digests of
    the whole certificate in lower-case hexadecimal. What is not known is empty."""

    common_names: tuple[str, ...] = ()
    alternative_names: tuple[str, ...] = ()
    sha256: str = ""
    sha1: str = ""

    def is_named(self, name: str) -> bool:
        """Whether `CN=...`, `SAN=...`, `SHA256=...` or `SHA1=...` means this certificate. Case does not count, nor do
        colons in a digest."""
        kind, _, value = name.partition("=")
        match kind.upper():
            case "CN":
                return value.casefold() in map(str.casefold, self.common_names)
            case "SAN":
                return value.casefold() in map(str.casefold, self.alternative_names)
            case "SHA256":
                return bool(self.sha256) and plain_digest(value) == self.sha256
            case "SHA1":
                return bool(self.sha1) and plain_digest(value) == self.sha1
        return False

    def __str__(self) -> str:
        named = [f"CN={name}" for name in self.common_names] + [f"SAN={name}" for name in self.alternative_names]
        return ", ".join(named) or (f"SHA256={self.sha256}" if self.sha256 else f"SHA1={self.sha1}")


def plain_digest(text: str) -> str:
    """A digest in lower-case hexadecimal without colons."""
    return text.replace(":", "").strip().lower()


def server_context(key: str, files: TlsFiles) -> ssl.SSLContext:
    """A listener's context. `key` is the table of the settings that the error names. Raises CannotListen when a file
    cannot be read, holds no certificate, or the key is another's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[files.minimum_version]
    context.set_alpn_protocols(["http/1.1"])
    _check_readable(
        {f"{key}.certificate": files.certificate, f"{key}.key": files.key, f"{key}.client_ca": files.client_ca}
    )
    try:
        # without a password of ours OpenSSL would ask the terminal for that of an encrypted key
        context.load_cert_chain(files.certificate, files.key or None, password=lambda: "")
    except (OSError, ValueError) as error:
        raise CannotListen(
            f"{key}.certificate, {key}.key: no pair in PEM that can be used: {_plainly(error)}"
        ) from error
    if files.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED if files.client_required else ssl.CERT_OPTIONAL
        try:
            context.load_verify_locations(files.client_ca)
        except (OSError, ValueError) as error:
            raise CannotListen(f"{key}.client_ca: no certificate in PEM: {_plainly(error)}") from error
    return context


def _check_readable(paths: Mapping[str, str]) -> None:
    """OpenSSL does not say which file it could not read."""
    for key, path in paths.items():
        try:
            if path:
                Path(path).open("rb").close()
        except OSError as error:
            raise CannotListen(f"{key} = {path!r}: {error.strerror}") from error


def _plainly(error: Exception) -> str:
    """What OpenSSL says, without its numbers."""
    return (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()


def certificate_of(transport: asyncio.BaseTransport) -> ClientCertificate | None:
    """The client's certificate, verified by the handshake; None when it showed none."""
    secured = transport.get_extra_info("ssl_object")
    octets = secured.getpeercert(binary_form=True) if secured is not None else None
    return None if octets is None else of_der(octets, secured.getpeercert() or {})


def of_der(octets: bytes, named: Mapping[str, Any] | None = None) -> ClientCertificate:
    """A certificate by its DER octets; `named` is what `SSLSocket.getpeercert` tells of it."""
    told = named or {}
    subject = [pair for relative in told.get("subject", ()) for pair in relative]
    return ClientCertificate(
        common_names=tuple(value for name, value in subject if name == "commonName"),
        alternative_names=tuple(str(value) for _, value in told.get("subjectAltName", ())),
        sha256=hashlib.sha256(octets).hexdigest(),
        sha1=hashlib.sha1(octets, usedforsecurity=False).hexdigest(),
    )


class TlsServer(Acceptor):
    """Has a protocol made for each client whose handshake went well.

    asyncio's own TLS server says nothing of a handshake that fails or is never finished; here each can be counted and
    ended. `refused` is told the client's address and why, when a certificate, version or cipher was not taken, and not
    when a client only goes away."""

    def __init__(
        self,
        context: ssl.SSLContext,
        make: Callable[[], asyncio.Protocol],
        *,
        is_full: Callable[[], bool],
        refused: Callable[[str, str], Awaitable[None]],
        seconds: float = HANDSHAKE_SECONDS,
    ) -> None:
        super().__init__(self._shake_hands, is_full=is_full)
        self._context = context
        self._make = make
        self._refused = refused
        self._seconds = seconds

    def close(self) -> None:
        """No new clients; those in their handshake are cut."""
        super().close()
        for task in self._taking:
            task.cancel()

    async def _shake_hands(self, client: socket.socket) -> None:
        address = str(client.getpeername()[0])
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                self._make, client, ssl=self._context, ssl_handshake_timeout=self._seconds
            )
        except ssl.SSLError as error:
            await self._refused(address, getattr(error, "verify_message", "") or _plainly(error))
