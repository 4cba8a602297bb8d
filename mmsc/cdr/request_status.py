"""The words of other interfaces as RequestStatusCodeType (TS 32.298)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# X-Mms-Request-Status-Code of MM4 (TS 23.140 8.4.1.4) as RequestStatusCodeType; what is not here is 4, abnormalRelease.
_REQUEST_STATUS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "ok": 0,
        "error-service-denied": 30,
        "error-message-format-corrupt": 31,
        "error-sending-address-unresolved": 32,
        "error-message-not-found": 33,
        "error-network-problem": 34,
        "error-content-not-accepted": 35,
        "error-unsupported-message": 36,
    }
)
ABNORMAL: Final = 4
# StatusCode of MM7 (TS 23.140 8.7.8.3) as RequestStatusCodeType, where it has a word.
_VASP_STATUS: Final[Mapping[int, int]] = MappingProxyType(
    {2001: 30, 4001: 30, 4007: 30, 4008: 30, 2007: 31, 4004: 31, 2004: 35, 4002: 36, 4003: 36}
)


def status_of_peer(word: str) -> int:
    """The code for an X-Mms-Request-Status-Code."""
    return _REQUEST_STATUS.get(word.lower(), ABNORMAL)


def status_of_vasp(code: int) -> int:
    """The code for a StatusCode that is no success."""
    return _VASP_STATUS.get(code, ABNORMAL)
