"""What goes over the wires, prebuilt with holes for the identifiers, and cheap `find()` readers for what comes back."""

import base64
import random
from typing import Final

NAMESPACE: Final = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
VASP_NAME: Final = "bench"
VASP_PASSWORD: Final = "bench-password"
PICTURE_OCTETS: Final = 30 * 1024
SUBSCRIBERS: Final = 100  # so many handsets take turns; the warm-up makes all of them known

_INNER: Final = "mm7-bench-inner"
_SMIL: Final = (
    '<smil><head><layout><root-layout width="160" height="120"/><region id="Image" left="0" top="0" width="160"'
    ' height="120"/></layout></head><body><par dur="5000ms"><img src="picture.jpg" region="Image"/></par></body></smil>'
)
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>'
    f'<mm7:TransactionID xmlns:mm7="{NAMESPACE}" env:mustUnderstand="1">{{transaction}}</mm7:TransactionID>'
    f'</env:Header><env:Body><{{operation}} xmlns="{NAMESPACE}"><MM7Version>6.8.0</MM7Version>{{children}}'
    "</{operation}></env:Body></env:Envelope>"
)
_HOLE: Final = "\0"


def picture() -> bytes:
    """30 KB framed as a JPEG (SOI, APP0 JFIF, one scan, EOI) around seeded noise; no two bytes of it compress."""
    start = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffda0008010100003f00")
    noise = random.Random(20).randbytes(PICTURE_OCTETS - len(start) - 2).replace(b"\xff", b"\xfe")
    return start + noise + b"\xff\xd9"


def number_of(index: int) -> bytes:
    """The fictional subscriber who gets message `index`: +1 555 01 and five digits."""
    return b"+155501%05d" % (index % SUBSCRIBERS)


def transaction_of(index: int) -> bytes:
    """The TransactionID of message `index`; fixed width keeps Content-Length constant."""
    return b"bench-%010d" % index


class SubmitRequest:
    """A SubmitReq as SOAP with Attachments (TS 23.140 clause 8.7.8): SMIL and picture in a multipart/related.

    Every message has its own TransactionID, recipient and outer boundary; all have the same length.
    """

    def __init__(self, port: int) -> None:
        children = (
            f"<SenderIdentification><VASPID>{VASP_NAME}</VASPID><VASID>{VASP_NAME}</VASID>"
            "<SenderAddress><ShortCode>4488</ShortCode></SenderAddress></SenderIdentification>"
            f"<Recipients><To><Number>{_HOLE}</Number></To></Recipients><MessageClass>Informational</MessageClass>"
            "<DeliveryReport>true</DeliveryReport><Priority>Normal</Priority><Subject>Bench</Subject>"
            '<Content href="cid:content@bench" allowAdaptations="true"/>'
        )
        soap = _ENVELOPE.format(transaction=_HOLE, operation="SubmitReq", children=children)
        before_transaction, before_number, rest = soap.encode().split(_HOLE.encode())
        opening = b'\r\nContent-Type: text/xml; charset="utf-8"\r\nContent-ID: <envelope@bench>\r\n\r\n'
        self._soap = opening + before_transaction
        self._before_number = before_number
        self._before_content = rest + b"\r\n--"
        self._content = _attachment() + b"\r\n--"
        token = base64.b64encode(f"{VASP_NAME}:{VASP_PASSWORD}".encode()).decode()
        self._head = (
            f'POST /mm7 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Basic {token}\r\nSOAPAction: ""\r\n'
            'Content-Type: multipart/related; type="text/xml"; start="<envelope@bench>"; boundary='
        ).encode()
        self._length = b"\r\nContent-Length: %d\r\n\r\n" % len(self._body(0))

    def octets(self, index: int) -> bytes:
        """The whole HTTP request of message `index`."""
        return b"".join((self._head, transaction_of(index), self._length, self._body(index)))

    def _body(self, index: int) -> bytes:
        transaction_id = boundary = transaction_of(index)
        return b"".join(
            (
                *(b"--", boundary, self._soap, transaction_id, self._before_number, number_of(index)),
                *(self._before_content, boundary, self._content, boundary, b"--\r\n"),
            )
        )


def _attachment() -> bytes:
    nested = f'multipart/related; boundary="{_INNER}"; type="application/smil"; start="<smil>"'
    before = (
        f"\r\nContent-Type: {nested}\r\nContent-ID: <content@bench>\r\n\r\n"
        f"--{_INNER}\r\nContent-Type: application/smil; charset=utf-8\r\nContent-ID: <smil>\r\n\r\n{_SMIL}\r\n"
        f"--{_INNER}\r\nContent-Type: image/jpeg\r\nContent-ID: <picture>\r\nContent-Location: picture.jpg\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n"
    )
    return before.encode() + picture() + f"\r\n--{_INNER}--\r\n".encode()


def report_answer(transaction_id: bytes) -> bytes:
    """The whole HTTP answer with a DeliveryReportRsp 1000."""
    return _ANSWER_HEAD % (_ANSWER_LENGTH + len(transaction_id)) + _ANSWER_FIRST + transaction_id + _ANSWER_LAST


_ANSWER_HEAD: Final = b'HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset="utf-8"\r\nContent-Length: %d\r\n\r\n'
_ANSWER_FIRST, _ANSWER_LAST = (
    _ENVELOPE.format(
        transaction=_HOLE,
        operation="DeliveryReportRsp",
        children="<Status><StatusCode>1000</StatusCode><StatusText>Success</StatusText></Status>",
    )
    .encode()
    .split(_HOLE.encode())
)
_ANSWER_LENGTH: Final = len(_ANSWER_FIRST) + len(_ANSWER_LAST)


def notify_response(path: bytes, host: bytes, transaction_id: bytes) -> bytes:
    """The POST of an m-notifyresp-ind Retrieved (OMA-TS-MMS_ENC clause 6.2): type 83, version 1.2, status 81."""
    pdu = b"\x8c\x83\x98" + transaction_id + b"\x00\x8d\x92\x95\x81"
    return (
        b"POST %b HTTP/1.1\r\nHost: %b\r\n" % (path, host) + _HANDSET + b"Content-Type: application/vnd.wap.mms-message"
        b"\r\nContent-Length: %d\r\n\r\n" % len(pdu) + pdu
    )


def retrieval(path: bytes, host: bytes) -> bytes:
    """The GET of a Content-Location."""
    return b"GET %b HTTP/1.1\r\nHost: %b\r\n" % (path, host) + _HANDSET + b"\r\n"


_HANDSET: Final = b"Accept: */*, application/vnd.wap.mms-message\r\nUser-Agent: BenchPhone/1.0\r\n"


def notification(push: bytes) -> tuple[bytes, bytes]:
    """(X-Mms-Transaction-ID, X-Mms-Content-Location) of a WSP push with an m-notification-ind (WAP-230 clause 8.2.4.1).

    Raises ValueError when it is anything else.
    """
    pdu = 3 + push[2]  # TID, type 06, a one-octet HeadersLen, the headers
    if push[1] != 0x06 or push[pdu : pdu + 3] != b"\x8c\x82\x98":
        raise ValueError(f"no m-notification-ind: {push.hex(' ')}")
    transaction_id = push[pdu + 3 : push.index(0, pdu + 3)]
    location = push.index(b"\x83http", pdu) + 1
    return transaction_id, push[location : push.index(0, location)]


def between(octets: bytes, opening: bytes, closing: bytes = b"<") -> bytes:
    """What stands between the first `opening` and the next `closing`, without white space; empty when not there."""
    start = octets.find(opening)
    if start < 0:
        return b""
    start += len(opening)
    return octets[start : octets.find(closing, start)].strip()


def element(octets: bytes, name: bytes) -> bytes:
    """The text of the first XML element with this local name, whatever its prefix and attributes."""
    at = octets.find(name)
    while at > 0 and octets[at - 1 : at] not in (b"<", b":"):
        at = octets.find(name, at + 1)
    return between(octets[at:], b">") if at > 0 else b""


def split_url(url: bytes) -> tuple[bytes, bytes]:
    """(host with port, path) of an http URL."""
    host, slash, path = url.removeprefix(b"http://").partition(b"/")
    return host, slash + path
