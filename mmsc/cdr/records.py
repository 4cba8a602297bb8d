"""The 33 charging records of MMS as data: names, numbers, fields with tags (TS 32.298 MMSChargingDataTypes).

A later feature adds a trigger (`triggers.py`); the names, their order and the CSV columns are here already.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from protocols.records import record


@record(frozen=True, slots=True)
class Field:
    """A field of a record: its name and context tag; a mandatory one is in every record of its type."""

    name: str
    tag: int
    mandatory: bool


@record(frozen=True, slots=True)
class RecordType:
    """A record: its number (recordType, and the tag in the CHOICE), its name, its fields in the order of their tags.

    In every record also: recordType first, localSequenceNumber and recordExtensions last."""

    number: int
    name: str
    fields: tuple[Field, ...]


_FIELD: Final = re.compile(r"(\w+) (\d+)(\??)")


def _type(number: int, name: str, fields: str) -> RecordType:
    found = [_FIELD.fullmatch(one) for one in fields.split(", ")]
    return RecordType(number, name, tuple(Field(one[1], int(one[2]), not one[3]) for one in found if one is not None))


# NAME TAG, and "?" where the field is optional.
RECORD_TYPES: Final = (
    _type(
        30,
        "O1S",
        "originatorMmsRSAddress 1, messageID 2, replyChargingID 3?, originatorAddress 4, recipientAddresses "
        "5, accessCorrelation 6?, contentType 7, mmComponentType 8?, messageSize 9, messageClass 10?, "
        "chargeInformation 11?, submissionTime 12?, timeOfExpiry 13?, earliestTimeOfDelivery 14?, "
        "durationOfTransmission 15?, requestStatusCode 16?, deliveryReportRequested 17?, replyCharging 18?, "
        "replyDeadline 19?, replyChargingSize 20?, priority 21?, senderVisibility 22?, readReplyRequested "
        "23?, statusText 24, recordTimeStamp 25, mMBoxstorageInformation 28?, mscfInformation 29?, "
        "sGSNPLMNIdentifier 30?, rATType 31?, mSTimeZone 32?",
    ),
    _type(
        31,
        "O4FRq",
        "originatorMmsRSAddress 1, recipientMmsRSAddress 2, messageID 3, mms3GPPVersion 4?, originatorAddress "
        "5, recipientAddresses 6, contentType 7, mmComponentType 8?, messageSize 9, messageClass 10?, "
        "submissionTime 11, timeOfExpiry 12?, deliveryReportRequested 13, priority 14?, senderVisibility 15, "
        "readReplyRequested 16, acknowledgementRequest 17, forwardCounter 18?, forwardingAddress 19?, "
        "recordTimeStamp 20",
    ),
    _type(
        32,
        "O4FRs",
        "originatorMmsRSAddress 1?, recipientMmsRSAddress 2, messageID 3, mms3GPPVersion 4?, "
        "requestStatusCode 5?, statusText 6?, recordTimeStamp 7?",
    ),
    _type(
        33,
        "O4D",
        "recipientMmsRSAddress 1?, originatorMmsRSAddress 2?, messageID 3, mms3GPPVersion 4?, "
        "originatorAddress 5?, recipientAddress 6, mmDateAndTime 7, acknowledgementRequest 8, mmStatusCode 9, "
        "statusText 10?, recordTimeStamp 11?",
    ),
    _type(
        34,
        "O1D",
        "recipientMmsRSAddress 1?, originatorMmsRSAddress 2?, accessCorrelation 3?, messageID 4, "
        "mms3GPPVersion 5?, originatorAddress 6?, recipientAddress 7, mmStatusCode 8?, recordTimeStamp 9?, "
        "sGSNPLMNIdentifier 12?, rATType 13?, mSTimeZone 14?",
    ),
    _type(
        35,
        "O4R",
        "recipientMmsRSAddress 1?, originatorMmsRSAddress 2?, messageID 3, mms3GPPVersion 4?, "
        "originatorAddress 5?, recipientAddresses 6?, mmDateAndTime 7?, acknowledgementRequest 8, readStatus "
        "9?, statusText 10?, recordTimeStamp 11?",
    ),
    _type(
        36,
        "O1R",
        "recipientMmsRSAddress 1?, originatorMmsRSAddress 2?, accessCorrelation 3?, messageID 4, "
        "mms3GPPVersion 5?, originatorAddress 6?, recipientAddress 7?, readStatus 8?, recordTimeStamp 9?, "
        "sGSNPLMNIdentifier 12?, rATType 13?, mSTimeZone 14?",
    ),
    _type(
        37,
        "OMD",
        "originatorMmsRSAddress 1?, recipientMmsRSAddress 2?, messageID 3, messageSize 4?, mmStatusCode 5?, "
        "statusText 6?, recordTimeStamp 7?",
    ),
    _type(
        38,
        "R4F",
        "recipientMmsRSAddress 1, originatorMmsRSAddress 2, messageID 3, mms3GPPVersion 4?, originatorAddress "
        "5, recipientAddresses 6, contentType 7, mmComponentType 8?, messageSize 9, messageClass 10?, "
        "submissionTime 11, timeOfExpiry 12?, deliveryReportRequested 13, priority 14?, senderVisibility 15, "
        "readReplyRequested 16, requestStatusCode 17, statusText 18, acknowledgementRequest 19, "
        "forwardCounter 20?, forwardingAddress 21?, recordTimeStamp 22",
    ),
    _type(
        39,
        "R1NRq",
        "recipientMmsRSAddress 1, messageID 2, replyChargingID 3?, senderAddress 4, recipientAddress 5, "
        "accessCorrelation 6?, messageClass 7?, mmComponentType 8?, messageSize 9, timeOfExpiry 10?, "
        "messageReference 11, deliveryReportRequested 12?, replyCharging 13?, replyDeadline 14?, "
        "replyChargingSize 15?, mmStatusCode 16?, statusText 17?, recordTimeStamp 18?, mscfInformation 21?, "
        "vaspID 22?, vasID 23?, sGSNPLMNIdentifier 24?, rATType 25?, mSTimeZone 26?",
    ),
    _type(
        40,
        "R1NRs",
        "recipientMmsRSAddress 1, messageID 2, recipientAddress 3, accessCorrelation 4?, reportAllowed 5?, "
        "mmStatusCode 6?, statusText 7?, recordTimeStamp 8?, sGSNPLMNIdentifier 11?, rATType 12?, mSTimeZone "
        "13?",
    ),
    _type(
        41,
        "R1Rt",
        "recipientMmsRSAddress 1, messageID 2, replyChargingID 3?, senderAddress 4?, recipientAddress 5, "
        "accessCorrelation 6?, contentType 7, mmComponentType 8?, messageClass 9?, submissionTime 10, "
        "messageSize 11?, deliveryReportRequested 12?, priority 13?, readReplyRequested 14?, mmStatusCode "
        "15?, statusText 16?, replyDeadline 17?, replyChargingSize 18?, durationOfTransmission 19?, "
        "timeOfExpiry 20?, recordTimeStamp 21?, messageReference 24, vaspID 25?, vasID 26?, "
        "sGSNPLMNIdentifier 27?, rATType 28?, mSTimeZone 29?",
    ),
    _type(
        42,
        "R1A",
        "recipientMmsRSAddress 1, messageID 2, recipientAddress 3, accessCorrelation 4?, reportAllowed 5?, "
        "mmStatusCode 6?, statusText 7?, recordTimeStamp 8?, sGSNPLMNIdentifier 11?, rATType 12?, mSTimeZone "
        "13?",
    ),
    _type(
        43,
        "R4DRq",
        "recipientMmsRSAddress 1, originatorMmsRSAddress 2, messageID 3, mms3GPPVersion 4?, originatorAddress "
        "5, recipientAddress 6, mmDateAndTime 7?, acknowledgementRequest 8, mmStatusCode 9?, statusText 10?, "
        "recordTimeStamp 11?",
    ),
    _type(
        44,
        "R4DRs",
        "recipientMmsRSAddress 1, originatorMmsRSAddress 2, messageID 3, mms3GPPVersion 4?, requestStatusCode "
        "5?, statusText 6?, recordTimeStamp 7?",
    ),
    _type(
        45,
        "R1RR",
        "recipientMmsRSAddress 1, messageID 2, recipientAddress 3, originatorAddress 4, accessCorrelation 5?, "
        "mmStatusCode 6?, statusText 7?, recordTimeStamp 8?, sGSNPLMNIdentifier 11?, rATType 12?, mSTimeZone "
        "13?",
    ),
    _type(
        46,
        "R4RRq",
        "recipientMmsRSAddress 1, originatorMmsRSAddress 2, messageID 3, mms3GPPVersion 4?, originatorAddress "
        "5, recipientAddress 6, mmDateAndTime 7?, acknowledgementRequest 8, mmStatusCode 9?, statusText 10?, "
        "recordTimeStamp 11?",
    ),
    _type(
        47,
        "R4RRs",
        "recipientMmsRSAddress 1, originatorMmsRSAddress 2, messageID 3, mms3GPPVersion 4?, requestStatusCode "
        "5?, statusText 6?, recordTimeStamp 7?",
    ),
    _type(
        48,
        "RMD",
        "originatorMmsRSAddress 1, recipientMmsRSAddress 2?, messageID 3, messageSize 4, mmStatusCode 5?, "
        "statusText 6?, recordTimeStamp 7?",
    ),
    _type(
        49,
        "F",
        "forwardingMmsRSAddress 1, messageID 2, forwardingAddress 3, recipientAddresses 4, chargeInformation "
        "5?, timeOfExpiry 6?, earliestTimeOfDelivery 7?, deliveryReportRequested 8?, readReplyRequested 9?, "
        "messageReference 10, mmStatusCode 11?, statusText 12?, recordTimeStamp 13?, mMBoxstorageInformation "
        "16?",
    ),
    _type(
        50,
        "Bx1S",
        "mmsRelayAddress 1, managingAddress 2, accessCorrelation 3?, contentType 4?, messageSize 5?, "
        "messageReference 6?, mmState 7?, mmFlags 8?, storeStatus 9?, storeStatusText 10?, sequenceNumber "
        "11?, timeStamp 12?, sGSNPLMNIdentifier 14?, rATType 15?, mSTimeZone 16?",
    ),
    _type(
        51,
        "Bx1V",
        "mmsRelayAddress 1, managingAddress 2, accessCorrelation 3?, attributesList 4?, messageSelection 5?, "
        "start 6?, limit 7?, totalsRequested 8?, quotasRequested 9?, mmListing 10?, requestStatusCode 11?, "
        "statusText 12?, totals 13?, quotas 14?, sequenceNumber 15?, timeStamp 16?, sGSNPLMNIdentifier 18?, "
        "rATType 19?, mSTimeZone 20?",
    ),
    _type(
        52,
        "Bx1U",
        "mmsRelayAddress 1, managingAddress 2, accessCorrelation 3?, recipientsAddressList 4, messageClass "
        "5?, uploadTime 6?, timeOfExpiry 7?, earliestTimeOfDelivery 8?, priority 9?, mmState 10?, mmFlags "
        "11?, contentType 12?, messageSize 13?, messageReference 14?, requestStatusCode 15?, statusText 16?, "
        "sequenceNumber 17?, timeStamp 18?, sGSNPLMNIdentifier 20?, rATType 21?, mSTimeZone 22?",
    ),
    _type(
        53,
        "Bx1D",
        "mmsRelayAddress 1, managingAddress 2, accessCorrelation 3?, messageReference 4?, requestStatusCode "
        "5?, statusText 6?, sequenceNumber 7?, timeStamp 8?, sGSNPLMNIdentifier 20?, rATType 21?, mSTimeZone "
        "22?",
    ),
    _type(
        54,
        "7S",
        "originatorMmsRSAddress 1, linkedID 2?, vaspID 3, vasID 4, messageID 5, originatorAddress 6, "
        "recipientAddresses 7, serviceCode 8?, contentType 9, mmComponentType 10?, messageSize 11, "
        "messageClass 12?, chargeInformation 13?, submissionTime 14?, timeOfExpiry 15?, "
        "earliestTimeOfDelivery 16?, deliveryReportRequested 17?, readReplyRequested 18?, replyCharging 19?, "
        "replyDeadline 20?, replyChargingSize 21?, priority 22?, messageDistributionIndicator 23?, "
        "requestStatusCode 24?, statusText 25?, recordTimeStamp 26, mscfInformation 29?",
    ),
    _type(
        55,
        "7DRq",
        "recipientMmsRSAddress 1, linkedID 2?, replyChargingID 3?, originatorAddress 4, recipientAddress 5, "
        "mmComponentType 6?, messageSize 7, contentType 8, priority 9?, recordTimeStamp 10?",
    ),
    _type(
        56,
        "7DRs",
        "recipientMmsRSAddress 1, messageID 2, recipientAddress 3, serviceCode 4?, requestStatusCode 5?, "
        "statusText 6?, recordTimeStamp 7?",
    ),
    _type(
        57,
        "7C",
        "originatorMmsRSAddress 1, vaspID 2, vasID 3, messageID 4, originatorAddress 5, serviceCode 6?, "
        "requestStatusCode 7?, statusText 8?, recordTimeStamp 9?",
    ),
    _type(
        58,
        "7R",
        "originatorMmsRSAddress 1, vaspID 2, vasID 3, messageID 4, originatorAddress 5, serviceCode 6?, "
        "contentType 7, submissionTime 8?, timeOfExpiry 9?, earliestTimeOfDelivery 10?, requestStatusCode "
        "11?, statusText 12?, recordTimeStamp 13?",
    ),
    _type(
        59,
        "7DRRq",
        "recipientMmsRSAddress 1?, messageID 2, originatorAddress 3?, recipientAddress 4, mmDateAndTime 5?, "
        "mmStatusCode 6, mmStatusText 7?, recordTimeStamp 8?",
    ),
    _type(
        60,
        "7DRRs",
        "recipientMmsRSAddress 1?, messageID 2, originatorAddress 3?, recipientAddress 4, requestStatusCode "
        "5?, statusText 6?, recordTimeStamp 7?",
    ),
    _type(
        61,
        "7RRq",
        "recipientMmsRSAddress 1?, messageID 2, originatorAddress 3?, recipientAddress 4, mmDateAndTime 5?, "
        "readStatus 6, mmStatusText 7?, recordTimeStamp 8?",
    ),
    _type(
        62,
        "7RRs",
        "recipientMmsRSAddress 1?, messageID 2, originatorAddress 3?, recipientAddress 4, requestStatusCode "
        "5?, statusText 6?, recordTimeStamp 7?",
    ),
)
BY_NAME: Final[Mapping[str, RecordType]] = MappingProxyType({one.name: one for one in RECORD_TYPES})

# Codes of RequestStatusCodeType (an INTEGER). Words for people; the record holds the number.
REQUEST_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "normalRelease",
        4: "abnormalRelease",
        30: "serviceDenied",
        31: "messageFormatCorrupt",
        32: "sendingAddressUnresolved",
        33: "messageNotFound",
        34: "networkProblem",
        35: "contentNotAccepted",
        36: "unsupportedMessage",
    }
)
# MMStatusCodeType (an ENUMERATED): the record holds the word. `indeterminate` is told on MM4 and MM7 and has no number.
MM_STATUS: Final[Mapping[str, int | None]] = MappingProxyType(
    {
        "retrieved": 0,
        "forwarded": 1,
        "expired": 2,
        "rejected": 3,
        "deferred": 4,
        "unrecognised": 5,
        "read": 6,
        "deletedWithoutBeingRead": 7,
        "indeterminate": None,
    }
)

_OWN_FIRST: Final = ("recordType", "localSequenceNumber", "recordTimeStamp")
_LAST: Final = "recordExtensions"


def columns() -> tuple[str, ...]:
    """The columns of the CSV: what every record has, then each field where the records first name it."""
    names = dict.fromkeys(field.name for one in RECORD_TYPES for field in one.fields)
    return (*_OWN_FIRST, *(name for name in names if name not in _OWN_FIRST), _LAST)
