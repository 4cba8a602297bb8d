"""Why TLS with a target failed, in words, from what OpenSSL says and the certificates that were sent."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

_LONGEST_NAME: Final = 200  # characters of what a certificate says
_MOST_NAMES: Final = 5

# X509_V_ERR_*, as `openssl verify` numbers them.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_SELF_SIGNED: Final = 18
_UNKNOWN_ROOT: Final = 19
_NO_ISSUER: Final = (2, 20, 21)
_WRONG_NAME: Final = (62, 64)  # host, IP address

_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
_OLD_VERSION: Final = (
    *("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE"),
    "UNSUPPORTED_SSL_VERSION",
)
_WANTS_CERTIFICATE: Final = ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_NO_CERTIFICATE")
_REFUSES_CERTIFICATE: Final = {  # RFC 8446 6.2, in OpenSSL's spelling
    "SSLV3_ALERT_BAD_CERTIFICATE": "it is bad",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "its kind is not supported",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "it was revoked",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it is not accepted",
    "TLSV1_ALERT_UNKNOWN_CA": "it is signed by a CA unknown there",
    "TLSV1_ALERT_ACCESS_DENIED": "it gives no access",
    "TLSV1_ALERT_DECRYPT_ERROR": "its signature does not hold",
}

ALERTS_ABOUT_US: Final = (*_WANTS_CERTIFICATE, *_REFUSES_CERTIFICATE, "SSLV3_ALERT_HANDSHAKE_FAILURE")


def why_refused(error: OSError, host: str, *, name: str, minimum_version: str, shows_certificate: bool) -> str:
    """A sentence. `name` is the one that the certificate must have."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _about_certificate(error, name)
    reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    if not reason or "EOF" in reason:
        return f"{host} closed the connection during the TLS handshake"
    if reason in _NO_TLS:
        return f"{host} does not speak TLS there"
    if reason in _OLD_VERSION:
        return f"{host} speaks no TLS version from {minimum_version} on"
    if reason in _WANTS_CERTIFICATE:
        return f"{host} asks for a client certificate"
    if reason in _REFUSES_CERTIFICATE and shows_certificate:
        return f"{host} refuses our client certificate: {_REFUSES_CERTIFICATE[reason]}"
    if reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
        wish = "" if shows_certificate else ", or it wants a client certificate"
        return f"{host} refuses the TLS handshake: nothing in common{wish}"
    if reason == "TLSV1_UNRECOGNIZED_NAME":
        return f"{host} does not know the server name {name}"
    return f"TLS with {host} failed: {reason.lower().replace('_', ' ')}"


def _about_certificate(error: ssl.SSLCertVerificationError, name: str) -> str:
    chain: Sequence[Mapping[str, Any]] = getattr(error, "chain", ())
    code = error.verify_code
    if chain and code == _EXPIRED:
        one = min(chain, key=lambda each: _at(each, "notAfter"))
        return f"the certificate {_whose(one, chain, name)} expired on {_said(one, 'notAfter')}"
    if chain and code == _NOT_YET_VALID:
        one = max(chain, key=lambda each: _at(each, "notBefore"))
        return f"the certificate {_whose(one, chain, name)} is not valid before {_said(one, 'notBefore')}"
    if chain and code in _WRONG_NAME:
        return f"the certificate is for {_names(chain[0])}, not for {name}"
    if code == _SELF_SIGNED:
        return f"the certificate of {name} is signed by itself, and not one that is trusted here"
    if chain and code == _UNKNOWN_ROOT:
        return f"the certificate of {name} leads to the CA {_who(chain[-1], 'subject')}, which is not trusted here"
    if chain and code in _NO_ISSUER:
        return _without_issuer(chain, name)
    return f"the certificate of {name} is refused: {error.verify_message}"


def _without_issuer(chain: Sequence[Mapping[str, Any]], name: str) -> str:
    """RFC 8446 4.4.2: each certificate that is sent certifies the one before it; only the root may be left out. Who
    left out an intermediate looks from here like one who has another root."""
    issuer = _who(chain[-1], "issuer")
    sent, last = ("alone", "it") if len(chain) == 1 else (f"with {len(chain) - 1} more", "the last")
    told = f"the certificate of {name} came {sent}, and {issuer}, who issued {last}, is not known here"
    return f"{told}: an intermediate is missing there, or the CA here"


def _whose(one: Mapping[str, Any], chain: Sequence[Mapping[str, Any]], name: str) -> str:
    return f"of {name}" if one is chain[0] else f"of the CA {_who(one, 'subject')} in the chain of {name}"


def _at(certificate: Mapping[str, Any], field: str) -> int:
    return ssl.cert_time_to_seconds(certificate[field])


def _said(certificate: Mapping[str, Any], field: str) -> str:
    return datetime.fromtimestamp(_at(certificate, field), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _who(certificate: Mapping[str, Any], field: str) -> str:
    """A distinguished name: its common name, else what it has."""
    parts = [pair for group in certificate.get(field, ()) for pair in group]
    named = [value for kind, value in parts if kind == "commonName"]
    return _plain(named[-1] if named else ", ".join(value for _, value in parts)) or "nobody named"


def _names(certificate: Mapping[str, Any]) -> str:
    """Whom a certificate is for (RFC 9525 2): its subjectAltNames."""
    names = list(_alternatives(certificate))
    shown = ", ".join(names[:_MOST_NAMES]) + (" and others" if len(names) > _MOST_NAMES else "")
    return shown or "nobody: it has no subjectAltName"


def _alternatives(certificate: Mapping[str, Any]) -> Iterator[str]:
    for kind, value in certificate.get("subjectAltName", ()):
        if kind in ("DNS", "IP Address"):
            yield _plain(value)


def _plain(text: str) -> str:
    """What a certificate says, fit for a line."""
    return "".join(one if one.isprintable() else "?" for one in text)[:_LONGEST_NAME]
