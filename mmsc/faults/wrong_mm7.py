"""Right MM7 made wrong (TS 23.140 8.7): octets to octets, so that no codec has to write what it must not."""

import re
from typing import Final
from xml.sax.saxutils import escape

from protocols import mm7
from protocols.mm7 import Envelope, Fault, Message, Status, StatusCode

_CODE: Final = re.compile(rb"(<(?:\w+:)?StatusCode[^>]*>)[^<]*(</)")
_TEXT: Final = re.compile(rb"(<(?:\w+:)?StatusText[^>]*>)[^<]*(</)")
_TRANSACTION: Final = re.compile(rb"(<(?:\w+:)?TransactionID[^>]*>)[^<]*(</)")
_RSP_OF: Final[dict[type, type]] = {
    mm7.SubmitReq: mm7.SubmitRsp,
    mm7.CancelReq: mm7.CancelRsp,
    mm7.ReplaceReq: mm7.ReplaceRsp,
    mm7.ExtendedCancelReq: mm7.ExtendedCancelRsp,
    mm7.ExtendedReplaceReq: mm7.ExtendedReplaceRsp,
    mm7.DeliverReq: mm7.DeliverRsp,
    mm7.DeliveryReportReq: mm7.DeliveryReportRsp,
    mm7.ReadReplyReq: mm7.ReadReplyRsp,
}
OTHER_TRANSACTION: Final = b"a-transaction-that-nobody-began"


def with_status(body: bytes, code: int, text: str = "") -> bytes:
    """The same Rsp or Fault with another StatusCode."""
    told = escape(text or StatusCode(code).text).encode()
    body = _CODE.sub(rb"\g<1>%d\g<2>" % code, body)
    return _TEXT.sub(lambda found: found[1] + told + found[2], body)


def answer_to(request: Envelope, code: int, text: str = "") -> tuple[str, bytes] | None:
    """(Content-Type, body) of the Rsp to a request, with this StatusCode; None for what has no Rsp."""
    made = _RSP_OF.get(type(request.message))
    if made is None:
        return None
    status = Status(StatusCode(code), text or StatusCode(code).text, "")
    message: Message = made(mm7_version=request.message.mm7_version, status=status)
    return mm7.encode(Envelope(request.transaction_id, request.dialect, message))


def fault_to(request: Envelope, code: int) -> tuple[str, bytes]:
    """(Content-Type, body) of a SOAP Fault with this StatusCode."""
    known = StatusCode(code)
    status = Status(known, known.text, "")
    fault = Fault(
        fault_code=known.fault_code,
        fault_string=known.text,
        mm7_version=request.message.mm7_version,
        status=status,
    )
    return mm7.encode(Envelope(request.transaction_id, request.dialect, fault))


def not_well_formed(body: bytes) -> bytes:
    """The XML ends in the middle of the SOAP body: tags stay open. What is no XML ends halfway."""
    at = body.find(b"Body>")
    return body[: at + 5] if at >= 0 else body[: len(body) // 2]


def unclosed(body: bytes) -> bytes:
    """One end tag is no end tag, all octets else are there: for a body behind which something follows."""
    at = body.find(b"</")
    return body if at < 0 else body[:at] + b"<x" + body[at + 2 :]


def with_other_transaction(body: bytes) -> bytes:
    """A TransactionID that nobody asked about."""
    return _TRANSACTION.sub(lambda found: found[1] + OTHER_TRANSACTION + found[2], body)
