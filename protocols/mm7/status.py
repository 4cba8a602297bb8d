"""MM7 status codes and their texts (TS 23.140 8.7.8.3)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from protocols.enums import OpenEnum


class StatusCode(OpenEnum):
    """StatusCode. The first digit says whose fault it is: 1 success, 2 client, 3 server, 4 service."""

    SUCCESS = 1000
    PARTIAL_SUCCESS = 1100
    CLIENT_ERROR = 2000
    OPERATION_RESTRICTED = 2001
    ADDRESS_ERROR = 2002
    ADDRESS_NOT_FOUND = 2003
    MULTIMEDIA_CONTENT_REFUSED = 2004
    MESSAGE_ID_NOT_FOUND = 2005
    LINKED_ID_NOT_FOUND = 2006
    MESSAGE_FORMAT_CORRUPT = 2007
    APPLICATION_ID_NOT_FOUND = 2008
    REPLY_APPLICATION_ID_NOT_FOUND = 2009
    SERVER_ERROR = 3000
    NOT_POSSIBLE = 3001
    MESSAGE_REJECTED = 3002
    MULTIPLE_ADDRESSES_NOT_SUPPORTED = 3003
    APPLICATION_ADDRESSING_NOT_SUPPORTED = 3004
    GENERAL_SERVICE_ERROR = 4000
    IMPROPER_IDENTIFICATION = 4001
    UNSUPPORTED_VERSION = 4002
    UNSUPPORTED_OPERATION = 4003
    VALIDATION_ERROR = 4004
    SERVICE_ERROR = 4005
    SERVICE_UNAVAILABLE = 4006
    SERVICE_DENIED = 4007
    APPLICATION_DENIED = 4008

    @property
    def is_success(self) -> bool:
        """1xxx."""
        return 1000 <= self < 2000

    @property
    def text(self) -> str:
        """The StatusText of the standard."""
        return TEXTS.get(self, "Unknown status")

    @property
    def fault_code(self) -> str:
        """Whose fault, in SOAP's words (SOAP 1.1 4.4.1)."""
        return "Client" if 2000 <= self < 3000 or self in _SENDERS_FAULT else "Server"


_SENDERS_FAULT: Final = (4001, 4002, 4003, 4004)
TEXTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1000: "Success",
        1100: "Partial success",
        2000: "Client error",
        2001: "Operation restricted",
        2002: "Address Error",
        2003: "Address Not Found",
        2004: "Multimedia content refused",
        2005: "Message ID Not found",
        2006: "LinkedID not found",
        2007: "Message format corrupt",
        2008: "Application ID not found",
        2009: "Reply Application ID not found",
        3000: "Server Error",
        3001: "Not Possible",
        3002: "Message rejected",
        3003: "Multiple addresses not supported",
        3004: "Application Addressing not supported",
        4000: "General service error",
        4001: "Improper identification",
        4002: "Unsupported version",
        4003: "Unsupported operation",
        4004: "Validation error",
        4005: "Service error",
        4006: "Service unavailable",
        4007: "Service denied",
        4008: "Application denied",
    }
)
