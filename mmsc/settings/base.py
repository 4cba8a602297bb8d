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
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3_153_600_000)]
Waits = Annotated[tuple[Seconds, ...], msgspec.Meta(min_length=1)]  # the last one repeats
_NAME: Final = r"^[A-Za-z0-9._-]+\Z"
_PREFIX: Final = r"^\+[0-9]*\Z"
_URL: Final = r"^(https?://[^\s/]+[^\r\n]*)?\Z"
_HOST: Final = r"^[A-Za-z0-9._:%-]+\Z"
_DOMAIN: Final = r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\Z"
_DOMAIN_OR_NONE: Final = r"^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)?\Z"
_QUOTABLE: Final = r"^[ !#-\[\]-~]*\Z"
# How a person is told what a pattern asks for.
PATTERNS: Final = {
    _NAME: "letters, digits, dots, hyphens and underscores",
    _PREFIX: "+ and digits",
    _URL: "http://HOST or https://HOST",
    _HOST: "a host name or an IP address",
    _DOMAIN: "a domain, such as mms.example",
    _DOMAIN_OR_NONE: "a domain, such as mms.example, or nothing",
    _QUOTABLE: "printable ASCII without quotes and backslashes",
}

Name = Annotated[str, msgspec.Meta(pattern=_NAME)]
Prefix = Annotated[str, msgspec.Meta(pattern=_PREFIX)]  # "+" is every number
Url = Annotated[str, msgspec.Meta(pattern=_URL)]
Host = Annotated[str, msgspec.Meta(pattern=_HOST)]
Domain = Annotated[str, msgspec.Meta(pattern=_DOMAIN)]  # RFC 1035 2.3.1
DomainOrNone = Annotated[str, msgspec.Meta(pattern=_DOMAIN_OR_NONE)]
Quotable = Annotated[str, msgspec.Meta(pattern=_QUOTABLE)]  # goes into a quoted-string of a header (RFC 9110 5.6.4)


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file. Its keys are its fields; `config/mmsc.toml` says what each means."""


def is_live(annotated: Any) -> bool:
    """Whether a field's type says that a running server may take a new value."""
    return any(
        isinstance(item, msgspec.Meta) and (item.extra or {}).get(_APPLY) == "live"
        for item in getattr(annotated, "__metadata__", ())
    )
