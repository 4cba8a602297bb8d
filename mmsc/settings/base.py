"""What every section of the settings is made of."""

from typing import Annotated, Any, Final, TypeVar

import msgspec

T = TypeVar("T")
_APPLY: Final = "apply"

# A server that reads its file again could take a new value of a live key; every other key waits for a restart.
Live = Annotated[T, msgspec.Meta(extra={_APPLY: "live"})]

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]  # 0: any free port, printed at start
Count = Annotated[int, msgspec.Meta(ge=1)]
Octets = Annotated[int, msgspec.Meta(ge=1)]
Hours = Annotated[float, msgspec.Meta(gt=0, le=876_000)]  # a hundred years: instants fit into the store's integers
KeptHours = Annotated[float, msgspec.Meta(ge=0, le=876_000)]  # 0: for ever
Bound = Annotated[int, msgspec.Meta(ge=0)]  # octets; 0: none
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3_153_600_000)]
Waits = Annotated[tuple[Seconds, ...], msgspec.Meta(min_length=1)]  # the last one repeats
# A value of a secret key is never shown, however wrong it is.
_SHOW: Final = "show"
Secret = Annotated[T, msgspec.Meta(extra={_SHOW: "never"})]

# `\Z`, because `$` would let a line break at the end through.
_NAME: Final = r"^[A-Za-z0-9._-]+\Z"
_PREFIX: Final = r"^\+[0-9]*\Z"
_DIGITS: Final = r"^[0-9]*\Z"
_URL: Final = r"^(https?://[^\s/]+[^\x00-\x20\x7f]*)?\Z"
_PROXY: Final = r"^(direct|http://[^\s/]+/?)?\Z"
_TEXT: Final = r"^[^\x00-\x1f\x7f-\x9f]*\Z"
_SMPP_TEXT: Final = r"^[ -~\xa0-\xff]*\Z"
_QUOTABLE: Final = r"^[ !#-\[\]-~]*\Z"
_HOST: Final = r"^[^\x00-\x20\x7f/@\[\]]+\Z"
_PORT: Final = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_HOST_AND_PORT: Final = rf"^([^\x00-\x20\x7f/@\[\]:]+|\[[0-9A-Fa-f.:]+\]):{_PORT}\Z"
_LABELS: Final = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
_DOMAIN: Final = rf"^{_LABELS}\Z"
_HOSTNAME: Final = rf"^({_LABELS}|\[[0-9A-Fa-f.:Pv]+\])?\Z"
TOKEN: Final = r"^([A-Za-z0-9._~+/-]{16,}=*)?\Z"
SCHEMA: Final = r"^[a-z_][a-z0-9_]*\Z"
BUCKET: Final = r"^(s3://[A-Za-z0-9.-]+(/[A-Za-z0-9._/-]*)?)?\Z"
COUNTRY_CODE: Final = r"^[1-9][0-9]{0,2}\Z"
CERTIFICATE_NAME: Final = (
    r"^(?i:(CN|SAN)=[^\x00-\x1f\x7f-\x9f]+|SHA256=([0-9a-f]{2}:?){31}[0-9a-f]{2}|SHA1=([0-9a-f]{2}:?){19}[0-9a-f]{2})\Z"
)
SENDER_PATTERN: Final = r"^[^*\x00-\x1f\x7f-\x9f]*\*?\Z"
MEDIA_PATTERN: Final = r"^([A-Za-z0-9!#$&^_.+-]+/(\*|[A-Za-z0-9!#$&^_.+-]+)|\*/\*)\Z"
HA1_MD5: Final = r"^([0-9a-fA-F]{32})?\Z"
HA1_SHA256: Final = r"^([0-9a-fA-F]{64})?\Z"
HEADER_NAME: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]*\Z"
PASSWORD_HASH: Final = r"^(scrypt\$([0-9a-f]{2})+\$[0-9a-f]{64})?\Z"
NUMBERED: Final = r"^[0-9]{1,3}\.[0-9]{1,3}\Z"
RUN_TAG: Final = r"^[A-Za-z0-9._-]{0,64}\Z"
XML_NAME: Final = r"^[A-Za-z_][A-Za-z0-9._-]*\Z"
XML_PATH: Final = r"^[A-Za-z_][A-Za-z0-9._-]*/[A-Za-z_][A-Za-z0-9._-]*\Z"
TIME_ZONE: Final = r"^(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
TOLD_CODE: Final = r"^[0-9]{4}( [A-Za-z0-9/]+)?\Z"
TOLD_HEADER: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z"
# How a person is told what a pattern asks for.
PATTERNS: Final = {
    _NAME: "letters, digits, dots, hyphens and underscores",
    _PREFIX: "+ and digits",
    _DIGITS: "digits",
    _URL: "http://HOST or https://HOST",
    _PROXY: "http://HOST:PORT or direct",
    _TEXT: "one line without control characters",
    _SMPP_TEXT: "one line of ASCII or Latin-1",
    _QUOTABLE: "one line of ASCII without quotation marks and backslashes",
    _HOST: "a host name or an IP address",
    _HOST_AND_PORT: "HOST:PORT with a port from 1 to 65535",
    _DOMAIN: "a domain name",
    _HOSTNAME: "a domain name or an [ADDRESS]",
    TOKEN: "16 or more letters, digits and ._~+/-",
    SCHEMA: "small letters, digits and underscores, no digit first",
    BUCKET: "s3://BUCKET or s3://BUCKET/PREFIX",
    COUNTRY_CODE: "one to three digits, no 0 first",
    NUMBERED: "a version like 3.0",
    CERTIFICATE_NAME: "CN=NAME, SAN=NAME, SHA256=DIGEST or SHA1=DIGEST",
    SENDER_PATTERN: "an address, or how it begins and a * at the end",
    MEDIA_PATTERN: "TYPE/SUBTYPE or TYPE/*",
    HA1_MD5: "32 hexadecimal digits",
    HA1_SHA256: "64 hexadecimal digits",
    HEADER_NAME: "the name of an HTTP header",
    RUN_TAG: "letters, digits, dots, hyphens and underscores, at most 64",
    XML_NAME: "an XML name without a colon",
    XML_PATH: "PARENT/NAME",
    TIME_ZONE: "Z, +hh:mm or -hh:mm",
    TOLD_CODE: "a StatusCode, or a StatusCode and the element it is about",
    TOLD_HEADER: "the name of an HTTP header",
    PASSWORD_HASH: "scrypt$SALT$HASH, both in hexadecimal",
}

Name = Annotated[str, msgspec.Meta(pattern=_NAME)]
Prefix = Annotated[str, msgspec.Meta(pattern=_PREFIX)]  # "+" is every number
Digits = Annotated[str, msgspec.Meta(pattern=_DIGITS)]
Url = Annotated[str, msgspec.Meta(pattern=_URL)]
ProxyUrl = Annotated[str, msgspec.Meta(pattern=_PROXY)]  # "direct": none, whatever the default is
Text = Annotated[str, msgspec.Meta(pattern=_TEXT)]  # what goes into a header, an element or a line of the trace
SmppText = Annotated[str, msgspec.Meta(pattern=_SMPP_TEXT)]  # SMPP v3.4 3.1
Quotable = Annotated[str, msgspec.Meta(pattern=_QUOTABLE)]  # between the marks of a quoted-string (RFC 9110 5.6.4)
Host = Annotated[str, msgspec.Meta(pattern=_HOST)]
HostAndPort = Annotated[str, msgspec.Meta(pattern=_HOST_AND_PORT)]
Domain = Annotated[str, msgspec.Meta(pattern=_DOMAIN)]  # RFC 5321 4.1.2, and underscores as labs have them
RunTag = Annotated[str, msgspec.Meta(pattern=RUN_TAG)]
Hostname = Annotated[str, msgspec.Meta(pattern=_HOSTNAME)]  # RFC 5321 4.1.1.1: EHLO takes an address literal, too


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file. Its keys are its fields; `config/mmsc.toml` says what each means."""


def is_live(annotated: Any) -> bool:
    """Whether a field's type says that a running server may take a new value."""
    return _says(annotated, _APPLY, "live")


def is_secret(annotated: Any) -> bool:
    """Whether a field's type says that its value is shown to nobody."""
    return _says(annotated, _SHOW, "never")


def _says(annotated: Any, key: str, value: str) -> bool:
    return any(
        isinstance(item, msgspec.Meta) and (item.extra or {}).get(key) == value
        for item in getattr(annotated, "__metadata__", ())
    )
