"""The enumerations of MM1 (OMA-TS-MMS_ENC clause 7.3). Open: a number newer than we are is kept and written back."""

from enum import Enum
from typing import Final

from protocols.enums import OpenEnum


class MessageType(OpenEnum):
    """X-Mms-Message-Type (7.3.30)."""

    M_SEND_REQ = 0x80
    M_SEND_CONF = 0x81
    M_NOTIFICATION_IND = 0x82
    M_NOTIFYRESP_IND = 0x83
    M_RETRIEVE_CONF = 0x84
    M_ACKNOWLEDGE_IND = 0x85
    M_DELIVERY_IND = 0x86
    M_READ_REC_IND = 0x87
    M_READ_ORIG_IND = 0x88
    M_FORWARD_REQ = 0x89
    M_FORWARD_CONF = 0x8A
    M_MBOX_STORE_REQ = 0x8B
    M_MBOX_STORE_CONF = 0x8C
    M_MBOX_VIEW_REQ = 0x8D
    M_MBOX_VIEW_CONF = 0x8E
    M_MBOX_UPLOAD_REQ = 0x8F
    M_MBOX_UPLOAD_CONF = 0x90
    M_MBOX_DELETE_REQ = 0x91
    M_MBOX_DELETE_CONF = 0x92
    M_MBOX_DESCR = 0x93
    M_DELETE_REQ = 0x94
    M_DELETE_CONF = 0x95
    M_CANCEL_REQ = 0x96
    M_CANCEL_CONF = 0x97


class MessageClass(OpenEnum):
    """X-Mms-Message-Class (7.3.27)."""

    PERSONAL = 0x80
    ADVERTISEMENT = 0x81
    INFORMATIONAL = 0x82
    AUTO = 0x83


class Priority(OpenEnum):
    """X-Mms-Priority (7.3.35)."""

    LOW = 0x80
    NORMAL = 0x81
    HIGH = 0x82


class SenderVisibility(OpenEnum):
    """X-Mms-Sender-Visibility (7.3.52)."""

    HIDE = 0x80
    SHOW = 0x81


class Status(OpenEnum):
    """X-Mms-Status (7.3.54)."""

    EXPIRED = 0x80
    RETRIEVED = 0x81
    REJECTED = 0x82
    DEFERRED = 0x83
    UNRECOGNISED = 0x84
    INDETERMINATE = 0x85
    FORWARDED = 0x86
    UNREACHABLE = 0x87


class ResponseStatus(OpenEnum):
    """X-Mms-Response-Status (7.3.48). 0x81 to 0x87 are of version 1.0 and still sent to its clients."""

    OK = 0x80
    ERROR_UNSPECIFIED = 0x81
    ERROR_SERVICE_DENIED = 0x82
    ERROR_MESSAGE_FORMAT_CORRUPT = 0x83
    ERROR_SENDING_ADDRESS_UNRESOLVED = 0x84
    ERROR_MESSAGE_NOT_FOUND = 0x85
    ERROR_NETWORK_PROBLEM = 0x86
    ERROR_CONTENT_NOT_ACCEPTED = 0x87
    ERROR_UNSUPPORTED_MESSAGE = 0x88
    ERROR_TRANSIENT_FAILURE = 0xC0
    ERROR_TRANSIENT_SENDING_ADDRESS_UNRESOLVED = 0xC1
    ERROR_TRANSIENT_MESSAGE_NOT_FOUND = 0xC2
    ERROR_TRANSIENT_NETWORK_PROBLEM = 0xC3
    ERROR_TRANSIENT_PARTIAL_SUCCESS = 0xC4
    ERROR_PERMANENT_FAILURE = 0xE0
    ERROR_PERMANENT_SERVICE_DENIED = 0xE1
    ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT = 0xE2
    ERROR_PERMANENT_SENDING_ADDRESS_UNRESOLVED = 0xE3
    ERROR_PERMANENT_MESSAGE_NOT_FOUND = 0xE4
    ERROR_PERMANENT_CONTENT_NOT_ACCEPTED = 0xE5
    ERROR_PERMANENT_REPLY_CHARGING_LIMITATIONS_NOT_MET = 0xE6
    ERROR_PERMANENT_REPLY_CHARGING_REQUEST_NOT_ACCEPTED = 0xE7
    ERROR_PERMANENT_REPLY_CHARGING_FORWARDING_DENIED = 0xE8
    ERROR_PERMANENT_REPLY_CHARGING_NOT_SUPPORTED = 0xE9
    ERROR_PERMANENT_ADDRESS_HIDING_NOT_SUPPORTED = 0xEA
    ERROR_PERMANENT_LACK_OF_PREPAID = 0xEB


class RetrieveStatus(OpenEnum):
    """X-Mms-Retrieve-Status (7.3.50)."""

    OK = 0x80
    ERROR_TRANSIENT_FAILURE = 0xC0
    ERROR_TRANSIENT_MESSAGE_NOT_FOUND = 0xC1
    ERROR_TRANSIENT_NETWORK_PROBLEM = 0xC2
    ERROR_PERMANENT_FAILURE = 0xE0
    ERROR_PERMANENT_SERVICE_DENIED = 0xE1
    ERROR_PERMANENT_MESSAGE_NOT_FOUND = 0xE2
    ERROR_PERMANENT_CONTENT_UNSUPPORTED = 0xE3


class ReadStatus(OpenEnum):
    """X-Mms-Read-Status (7.3.38)."""

    READ = 0x80
    DELETED_WITHOUT_BEING_READ = 0x81


class ReplyCharging(OpenEnum):
    """X-Mms-Reply-Charging (7.3.43)."""

    REQUESTED = 0x80
    REQUESTED_TEXT_ONLY = 0x81
    ACCEPTED = 0x82
    ACCEPTED_TEXT_ONLY = 0x83


class MmState(OpenEnum):
    """X-Mms-MM-State (7.3.33)."""

    DRAFT = 0x80
    SENT = 0x81
    NEW = 0x82
    RETRIEVED = 0x83
    FORWARDED = 0x84


class StoreStatus(OpenEnum):
    """X-Mms-Store-Status (7.3.58)."""

    SUCCESS = 0x80
    ERROR_TRANSIENT_FAILURE = 0xC0
    ERROR_TRANSIENT_NETWORK_PROBLEM = 0xC1
    ERROR_PERMANENT_FAILURE = 0xE0
    ERROR_PERMANENT_SERVICE_DENIED = 0xE1
    ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT = 0xE2
    ERROR_PERMANENT_MESSAGE_NOT_FOUND = 0xE3
    ERROR_PERMANENT_MMBOX_FULL = 0xE4


class ContentClass(OpenEnum):
    """X-Mms-Content-Class (7.3.9)."""

    TEXT = 0x80
    IMAGE_BASIC = 0x81
    IMAGE_RICH = 0x82
    VIDEO_BASIC = 0x83
    VIDEO_RICH = 0x84
    MEGAPIXEL = 0x85
    CONTENT_BASIC = 0x86
    CONTENT_RICH = 0x87


class RecommendedRetrievalMode(OpenEnum):
    """X-Mms-Recommended-Retrieval-Mode (7.3.39)."""

    MANUAL = 0x80


class CancelStatus(OpenEnum):
    """X-Mms-Cancel-Status (7.3.7)."""

    SUCCESSFULLY_RECEIVED = 0x80
    CORRUPTED = 0x81


class InsertAddress(Enum):
    """The From token that asks the MMSC to insert the sender's address (7.3.21)."""

    TOKEN = 0x81


INSERT_ADDRESS: Final = InsertAddress.TOKEN
VERSION_1_0: Final = 0x10
VERSION_1_1: Final = 0x11
VERSION_1_2: Final = 0x12
VERSION_1_3: Final = 0x13


_LOWER: Final = (MessageType, ContentClass)  # m-send-req, image-basic
_SPACED: Final = (ReadStatus, ReplyCharging, CancelStatus)  # Deleted without being read


def in_words(value: OpenEnum) -> str:
    """A value as OMA-TS-MMS_ENC 7.3 spells it; one that it does not know by its number."""
    if not value.is_known:
        return f"unknown (0x{int(value):02x})"
    words = value.name.lower().replace("_", " " if isinstance(value, _SPACED) else "-")
    return words if isinstance(value, _LOWER) else words[0].upper() + words[1:]
