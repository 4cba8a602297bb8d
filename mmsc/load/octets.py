"""What goes over the wires, prebuilt with holes for the identifiers, and cheap `find()` readers for what comes back."""

import base64
import random
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from mmsc.load.target import Target
from protocols.records import record

_INNER: Final = "mm7-load-inner"
_HOLE: Final = "\0"
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>'
    '<mm7:TransactionID xmlns:mm7="{namespace}" env:mustUnderstand="1">{transaction}</mm7:TransactionID>'
    '</env:Header><env:Body><{operation} xmlns="{namespace}"><MM7Version>{version}</MM7Version>{children}'
    "</{operation}></env:Body></env:Envelope>"
)
_SMIL: Final = (
    '<smil><head><layout><root-layout width="160" height="120"/><region id="Image" left="0" top="0" width="160"'
    ' height="120"/></layout></head><body><par dur="5000ms"><{element} src="{name}" region="Image"/></par></body>'
    "</smil>"
)
_ELEMENTS: Final = {"image": "img", "audio": "audio", "video": "video", "text": "text"}
_PROBE_OCTETS: Final = 16
_PROBE_AT: Final = 64  # behind the head of a picture, which many have alike


@record(frozen=True, slots=True)
class Content:
    """A medium to send: its octets, its media type, the file name that it travels under."""

    octets: bytes
    media_type: str
    name: str

    @property
    def probe(self) -> bytes:
        """A few octets by which it is found in what a handset got."""
        at = _PROBE_AT if len(self.octets) >= _PROBE_AT + _PROBE_OCTETS else 0
        return self.octets[at : at + _PROBE_OCTETS]

    def is_in(self, body: bytes) -> bool:
        """Whether it stands in `body`, octet for octet."""
        probe = self.probe
        start = body.find(probe) - (_PROBE_AT if len(self.octets) >= _PROBE_AT + _PROBE_OCTETS else 0)
        return start >= 0 and body.startswith(self.octets, start)


def picture(size: int, seed: int = 20) -> Content:
    """So many octets framed as a JPEG (SOI, APP0 JFIF, one scan, EOI) around seeded noise: no two of it compress."""
    start = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffda0008010100003f00")
    noise = random.Random(seed).randbytes(max(0, size - len(start) - 2)).replace(b"\xff", b"\xfe")
    return Content(start + noise + b"\xff\xd9", "image/jpeg", "picture.jpg")


def address(text: str) -> bytes:
    """An address as an element of Recipients or SenderAddress (TS 23.140 8.7.9): by its look."""
    if "@" in text:
        return f"<RFC2822Address>{escape(text)}</RFC2822Address>".encode()
    is_number = text.startswith("+") or (text.isdecimal() and len(text) > 6)
    name = "Number" if is_number else "ShortCode"
    return f"<{name}>{escape(text)}</{name}>".encode()


class SubmitTemplate:
    """A SubmitReq as SOAP with Attachments (TS 23.140 8.7.8): SMIL and one medium in a multipart/related.

    Every message has its own TransactionID, recipients and outer boundary (which is its TransactionID)."""

    def __init__(self, target: Target, content: Content, *, reports: bool) -> None:
        soap = _ENVELOPE.format(
            namespace=target.namespace,
            version=target.version,
            transaction=_HOLE,
            operation="SubmitReq",
            children=_children(target, reports=reports),
        )
        before_transaction, before_to, rest = soap.encode().split(_HOLE.encode())
        self._soap = (
            b'\r\nContent-Type: text/xml; charset="utf-8"\r\nContent-ID: <envelope@load>\r\n\r\n' + before_transaction
        )
        self._before_to = before_to
        self._before_content = rest + b"\r\n--"
        self._content = _attachment(content) + b"\r\n--"
        credentials = ""
        if target.user:
            credentials = f"Authorization: Basic {base64.b64encode(target.user.encode()).decode()}\r\n"
        self._head = (
            f'POST {target.path} HTTP/1.1\r\nHost: {target.authority}\r\n{credentials}SOAPAction: ""\r\n'
            'Content-Type: multipart/related; type="text/xml"; start="<envelope@load>"; boundary='
        ).encode()
        self._fixed = sum(map(len, (self._soap, before_to, self._before_content, self._content))) + len(b"----\r\n")

    def octets(self, transaction_id: bytes, recipients: bytes) -> bytes:
        """The whole HTTP request; `recipients` are elements made by `address`."""
        boundary = transaction_id
        return b"".join(
            (
                *(self._head, boundary),
                b"\r\nContent-Length: %d\r\n\r\n--" % (self._fixed + 4 * len(boundary) + len(recipients)),
                *(boundary, self._soap, transaction_id, self._before_to, recipients),
                *(self._before_content, boundary, self._content, boundary, b"--\r\n"),
            )
        )


def _children(target: Target, *, reports: bool) -> str:
    sender = address(target.sender).decode() if target.sender else ""
    if target.plain_sender and sender:
        sender = escape(target.sender)
    vas = f"<VASID>{escape(target.vas_id)}</VASID>" if target.vas_id else ""
    sender = f"<SenderAddress>{sender}</SenderAddress>" if sender else ""
    return (
        f"<SenderIdentification><VASPID>{escape(target.vasp_id)}</VASPID>{vas}{sender}</SenderIdentification>"
        f"<Recipients><To>{_HOLE}</To></Recipients><MessageClass>Informational</MessageClass>"
        f"<DeliveryReport>{'true' if reports else 'false'}</DeliveryReport><Priority>Normal</Priority>"
        f'<Subject>{escape(target.subject)}</Subject><Content href="cid:content@load"/>'
    )


def _attachment(content: Content) -> bytes:
    nested = f'multipart/related; boundary="{_INNER}"; type="application/smil"; start="<smil>"'
    element = _ELEMENTS.get(content.media_type.partition("/")[0], "ref")
    smil = _SMIL.format(element=element, name=escape(content.name, {'"': "&quot;"}))
    before = (
        f"\r\nContent-Type: {nested}\r\nContent-ID: <content@load>\r\n\r\n"
        f"--{_INNER}\r\nContent-Type: application/smil; charset=utf-8\r\nContent-ID: <smil>\r\n\r\n{smil}\r\n"
        f"--{_INNER}\r\nContent-Type: {content.media_type}\r\nContent-ID: <medium>\r\n"
        f"Content-Location: {content.name}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    )
    return before.encode() + content.octets + f"\r\n--{_INNER}--\r\n".encode()


class ReportAnswer:
    """The HTTP answer to a DeliveryReportReq: DeliveryReportRsp 1000."""

    def __init__(self, target: Target) -> None:
        envelope = _ENVELOPE.format(
            namespace=target.namespace,
            version=target.version,
            transaction=_HOLE,
            operation="DeliveryReportRsp",
            children="<Status><StatusCode>1000</StatusCode><StatusText>Success</StatusText></Status>",
        )
        self._first, self._last = envelope.encode().split(_HOLE.encode())
        self._length = len(self._first) + len(self._last)

    def octets(self, transaction_id: bytes) -> bytes:
        """For the report of this TransactionID (as it stood in the XML)."""
        return _ANSWER_HEAD % (self._length + len(transaction_id)) + self._first + transaction_id + self._last


_ANSWER_HEAD: Final = b'HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset="utf-8"\r\nContent-Length: %d\r\n\r\n'
NOT_A_REPORT: Final = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n"


def notify_response(path: bytes, host: bytes, transaction_id: bytes) -> bytes:
    """The POST of an m-notifyresp-ind Retrieved (OMA-TS-MMS_ENC 6.2): type 83, version 1.2, status 81."""
    pdu = b"\x8c\x83\x98" + transaction_id + b"\x00\x8d\x92\x95\x81"
    return (
        b"POST %b HTTP/1.1\r\nHost: %b\r\n" % (path, host) + _HANDSET + b"Content-Type: application/vnd.wap.mms-message"
        b"\r\nContent-Length: %d\r\n\r\n" % len(pdu) + pdu
    )


def retrieval(path: bytes, host: bytes) -> bytes:
    """The GET of a Content-Location."""
    return b"GET %b HTTP/1.1\r\nHost: %b\r\n" % (path, host) + _HANDSET + b"\r\n"


_HANDSET: Final = b"Accept: */*, application/vnd.wap.mms-message\r\nUser-Agent: LoadPhone/1.0\r\n"


def notification(push: bytes) -> tuple[bytes, bytes] | None:
    """(X-Mms-Transaction-ID, X-Mms-Content-Location) of a push with an m-notification-ind (OMA-TS-MMS_ENC 6.2).

    None when it is anything else, or its location is no http."""
    pdu = push.find(b"\x8c\x82\x98")  # the first two fields in their order, behind WSP's own headers
    end = push.find(0, pdu + 3)
    location = push.find(b"\x83http", end) + 1
    stop = push.find(0, location)
    if pdu < 0 or end < 0 or location < 1 or stop < 0:
        return None
    return push[pdu + 3 : end], push[location:stop]


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
    while at > 0 and octets[at - 1 : at] not in _OPENINGS:
        at = octets.find(name, at + 1)
    return between(octets[at:], b">") if at > 0 else b""


_OPENINGS: Final = (b"<", b":")


def elements_of(numbers: Sequence[str]) -> tuple[bytes, ...]:
    """Each address as its element."""
    return tuple(map(address, numbers))


def split_url(url: bytes) -> tuple[bytes, bytes]:
    """(host with port, path) of an http URL."""
    host, slash, path = url.removeprefix(b"http://").partition(b"/")
    return host, slash + path
