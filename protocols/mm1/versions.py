"""What a client of a version can read (OMA-TS-MMS_ENC 7, 7.3.34, 7.4): no field that its version does not have, no
status that it does not know.

An unknown field costs some readers the whole PDU, for they do not step over its value.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

from protocols.forms import UnknownHeader
from protocols.mm1.catalogue import PDUS
from protocols.mm1.enums import VERSION_1_0, VERSION_1_1, VERSION_1_2, VERSION_1_3, ResponseStatus
from protocols.mm1.headers import BY_ATTRIBUTE, BY_NUMBER
from protocols.mm1.pdu import Pdu

P = TypeVar("P", bound=Pdu)
R = ResponseStatus

UNKNOWN_CLIENT: Final = VERSION_1_2  # what is spoken to a client that never spoke: all common ones read it

_OF_1_0: Final[Mapping[R, R]] = {  # 7.3.48: what version 1.0 calls it
    R.ERROR_TRANSIENT_SENDING_ADDRESS_UNRESOLVED: R.ERROR_SENDING_ADDRESS_UNRESOLVED,
    R.ERROR_TRANSIENT_MESSAGE_NOT_FOUND: R.ERROR_MESSAGE_NOT_FOUND,
    R.ERROR_TRANSIENT_NETWORK_PROBLEM: R.ERROR_NETWORK_PROBLEM,
    R.ERROR_TRANSIENT_PARTIAL_SUCCESS: R.OK,
    R.ERROR_PERMANENT_SERVICE_DENIED: R.ERROR_SERVICE_DENIED,
    R.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT: R.ERROR_MESSAGE_FORMAT_CORRUPT,
    R.ERROR_PERMANENT_SENDING_ADDRESS_UNRESOLVED: R.ERROR_SENDING_ADDRESS_UNRESOLVED,
    R.ERROR_PERMANENT_MESSAGE_NOT_FOUND: R.ERROR_MESSAGE_NOT_FOUND,
    R.ERROR_PERMANENT_CONTENT_NOT_ACCEPTED: R.ERROR_CONTENT_NOT_ACCEPTED,
    R.ERROR_PERMANENT_REPLY_CHARGING_LIMITATIONS_NOT_MET: R.ERROR_SERVICE_DENIED,
    R.ERROR_PERMANENT_REPLY_CHARGING_REQUEST_NOT_ACCEPTED: R.ERROR_SERVICE_DENIED,
    R.ERROR_PERMANENT_REPLY_CHARGING_FORWARDING_DENIED: R.ERROR_SERVICE_DENIED,
    R.ERROR_PERMANENT_REPLY_CHARGING_NOT_SUPPORTED: R.ERROR_SERVICE_DENIED,
    R.ERROR_PERMANENT_ADDRESS_HIDING_NOT_SUPPORTED: R.ERROR_SERVICE_DENIED,
    R.ERROR_PERMANENT_LACK_OF_PREPAID: R.ERROR_SERVICE_DENIED,
}
_LATER: Final[Mapping[R, tuple[int, R]]] = {  # the version that brought a status, and what says it before that
    R.ERROR_TRANSIENT_PARTIAL_SUCCESS: (VERSION_1_2, R.OK),  # read as C0 it would be sent again to all of them
    R.ERROR_PERMANENT_ADDRESS_HIDING_NOT_SUPPORTED: (VERSION_1_2, R.ERROR_PERMANENT_SERVICE_DENIED),
    R.ERROR_PERMANENT_LACK_OF_PREPAID: (VERSION_1_3, R.ERROR_PERMANENT_SERVICE_DENIED),
}


def spoken(version: int) -> int:
    """The version to speak to a client that spoke `version` last, 0 when it never did: its own, 1.3 at most."""
    return min(max(version, VERSION_1_0), VERSION_1_3) if version else UNKNOWN_CLIENT


def status_for(status: ResponseStatus, version: int) -> ResponseStatus:
    """The X-Mms-Response-Status that a client of this version can read (7.3.48)."""
    if version < VERSION_1_1:
        legacy = status <= R.ERROR_UNSUPPORTED_MESSAGE
        return status if legacy else _OF_1_0.get(status, R.ERROR_UNSPECIFIED)
    brought, before = _LATER.get(status, (VERSION_1_0, status))
    return status if version >= brought else before


def for_version(pdu: P, version: int) -> P:
    """The PDU as a client of this version can read it: without newer fields, its status one that the version has, and
    X-Mms-MMS-Version no higher. The same object when nothing has to go.

    A class that is newer than the client keeps its own version: whether it is sent at all (`pdu.since <= version`) is
    the sender's business.
    """
    version = max(version, pdu.since)
    changes: dict[str, Any] = {}
    newer = _NEWER.get((type(pdu), version))
    if newer is not None and newer.get(pdu) != newer.nothing:
        changes = dict(zip(newer.names, newer.nothing, strict=True))
    if pdu.mms_version > version:
        changes["mms_version"] = version
    status: ResponseStatus | None = getattr(pdu, "response_status", None)
    if status is not None and status is not R.OK and status_for(status, version) != status:
        changes["response_status"] = status_for(status, version)
    if pdu.unknown and not all(_readable(one, version) for one in pdu.unknown):
        changes["unknown"] = tuple(one for one in pdu.unknown if _readable(one, version))
    return replace(pdu, **changes) if changes else pdu


def _readable(header: UnknownHeader, version: int) -> bool:
    """A field with a text name is; a number that is not assigned, or was not yet, is not (7.4)."""
    if isinstance(header.name, str):
        return True
    row = BY_NUMBER.get(header.name & 0x7F)
    return row is not None and row.since <= version


class _Newer(NamedTuple):
    """Fields of a class that a version does not have: how their values are got at once, and those that say nothing."""

    get: Callable[[Pdu], tuple[Any, ...]]
    names: tuple[str, ...]
    nothing: tuple[Any, ...]


def _newer() -> Iterator[tuple[tuple[type[Pdu], int], _Newer]]:
    for cls in PDUS:
        for version in (VERSION_1_0, VERSION_1_1, VERSION_1_2):
            found = [one for one in fields(cls) if one.name in BY_ATTRIBUTE and BY_ATTRIBUTE[one.name].since > version]
            if found:
                found.append(found[0])  # an attrgetter of one name alone gives no tuple
                names = tuple(one.name for one in found)
                yield (cls, version), _Newer(attrgetter(*names), names, tuple(one.default for one in found))


_NEWER: Final[Mapping[tuple[type[Pdu], int], _Newer]] = dict(_newer())
