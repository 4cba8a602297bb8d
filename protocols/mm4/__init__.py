"""MM4: between MMSCs (TS 23.140 8.4), as Internet mail."""

from protocols.mm4.bounce import Bounce, Bounced, read_bounce
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
    "Bounce",
    "Bounced",
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
    "read_bounce",
]
