"""MM7: between MMSC and VASP (TS 23.140 8.7), SOAP over HTTP."""

from protocols.mm7.codec import Envelope, decode, encode, encode_with_content
from protocols.mm7.messages import (
    Address,
    AddressForm,
    DeliveryReportReq,
    DeliveryReportRsp,
    ErrorElement,
    Fault,
    Message,
    Status,
    SubmitReq,
    SubmitRsp,
)
from protocols.mm7.namespaces import BASE, LATEST, TAGS, Dialect, dialect
from protocols.mm7.soap import Mm7Error
from protocols.mm7.status import StatusCode

__all__ = [
    "BASE",
    "LATEST",
    "TAGS",
    "Address",
    "AddressForm",
    "DeliveryReportReq",
    "DeliveryReportRsp",
    "Dialect",
    "Envelope",
    "ErrorElement",
    "Fault",
    "Message",
    "Mm7Error",
    "Status",
    "StatusCode",
    "SubmitReq",
    "SubmitRsp",
    "decode",
    "dialect",
    "encode",
    "encode_with_content",
]
