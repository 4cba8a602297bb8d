"""TLS towards a neighbour: what we trust and show, and why a handshake failed, in words (RFC 8446, RFC 5280, RFC 9525).

The words name the certificate that is wrong and what is wrong with it: whoever reads them has no other way to see it.
"""

import ssl
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from mmsc.net.tls_words import ALERTS_ABOUT_US, why_refused
from protocols.records import record

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class TlsUnusable(Exception):
    """Our own half of TLS cannot be had: a file is missing, unreadable, or not what it should be."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@record(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """How one target is trusted. Files are PEM; they are read when first needed, and again after a failure."""

    ca_file: str = ""  # "": what the system trusts
    certificate_file: str = ""  # ours, with its intermediates; "": we show none
    key_file: str = ""  # its key, not encrypted; "": it is in the certificate's file
    server_name: str = ""  # sent (SNI, RFC 6066 3) and looked for in the certificate; "": the URL's host
    verify: bool = True
    minimum_version: str = "1.2"  # or 1.3

    @property
    def has_files(self) -> bool:
        """Whether anything is read from files of the operator's."""
        return bool(self.ca_file or self.certificate_file)


class _Handshake(ssl.SSLObject):
    """Remembers the chain that was refused: the exception alone does not say whose certificate it is about."""

    def do_handshake(self) -> None:
        """As ever; an SSLCertVerificationError leaves with `chain`."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            error.chain = _chain(self)  # type: ignore[attr-defined]
            raise


def _chain(handshake: ssl.SSLObject) -> Sequence[Mapping[str, Any]]:
    """The certificates as they were sent, their owner's first; none where this Python has no way to see them: only
    Python 3.13 names one, for octets, and what is beneath has the fields since 3.10."""
    try:
        sent = handshake._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # noqa: SLF001
        return [one.get_info() for one in sent or ()]
    except (AttributeError, ValueError, ssl.SSLError):
        return ()


def context_of(options: TlsOptions) -> ssl.SSLContext:
    """What handshakes are made with. Reads files: not for the event loop's thread. Raises TlsUnusable."""
    return _read(options) if options.has_files else _of_the_system(options.verify, options.minimum_version)


@lru_cache(maxsize=8)
def _of_the_system(verify: bool, minimum_version: str) -> ssl.SSLContext:
    return _read(TlsOptions(verify=verify, minimum_version=minimum_version))


def _read(options: TlsOptions) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = _Handshake
    context.minimum_version = _VERSIONS[options.minimum_version]
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif options.ca_file:
        _read_ca(context, options.ca_file)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if options.certificate_file:
        _read_certificate(context, options)
    return context


def _read_ca(context: ssl.SSLContext, name: str) -> None:
    try:
        context.load_verify_locations(_path(name))
    except ssl.SSLError as error:  # before OSError, which it is
        raise TlsUnusable(f"tls_ca_file {name} holds no certificate in PEM: {_reason(error)}") from error
    except OSError as error:
        raise TlsUnusable(f"tls_ca_file {name}: {error.strerror}") from error


def _read_certificate(context: ssl.SSLContext, options: TlsOptions) -> None:
    names = options.certificate_file + (f" with tls_key_file {options.key_file}" if options.key_file else "")
    key = _path(options.key_file) if options.key_file else None
    try:
        context.load_cert_chain(_path(options.certificate_file), key, password=_no_password)
    except ssl.SSLError as error:
        why = "they do not belong together" if "KEY_VALUES_MISMATCH" in str(error) else _reason(error)
        raise TlsUnusable(f"tls_certificate_file {names}: {why}") from error
    except _Encrypted as error:
        raise TlsUnusable(f"tls_certificate_file {names}: the key is encrypted") from error
    except OSError as error:
        raise TlsUnusable(f"tls_certificate_file {names}: {error.strerror}") from error


class _Encrypted(Exception):
    """The key has a password."""


def _no_password() -> str:
    """Called for an encrypted key; without it OpenSSL would ask at the terminal."""
    raise _Encrypted


def _path(name: str) -> str:
    try:
        return str(Path(name).expanduser())
    except RuntimeError:  # no such home folder
        return name


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "not PEM, or no certificate with its key").lower().replace("_", " ")


def why_it_failed(error: OSError, options: TlsOptions, host: str) -> str:
    """A sentence about a handshake with `host` that failed, or a connection that an alert of TLS ended."""
    return why_refused(
        error,
        host,
        name=options.server_name or host,
        minimum_version=options.minimum_version,
        shows_certificate=bool(options.certificate_file),
    )


def is_alert_about_us(error: BaseException | None) -> bool:
    """Whether the target refuses our client certificate, or asks for one. In TLS 1.3 it says so after the handshake,
    and has read nothing of what we sent (RFC 8446 4.4.2.4)."""
    return isinstance(error, ssl.SSLError) and error.reason in ALERTS_ABOUT_US
