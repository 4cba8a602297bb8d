"""MM4: between MMSCs (TS 23.140 8.4), as Internet mail."""

from protocols.mm4.codec import Mm4Error, decode, encode
from protocols.mm4.messages import (
    DeliveryReportReq,
    DeliveryReportRes,
    ForwardReq,
    ForwardRes,
    Message,
    MmStatusCode,
    RequestStatusCode,
)

__all__ = [
    "DeliveryReportReq",
    "DeliveryReportRes",
    "ForwardReq",
    "ForwardRes",
    "Message",
    "Mm4Error",
    "MmStatusCode",
    "RequestStatusCode",
    "decode",
    "encode",
]
