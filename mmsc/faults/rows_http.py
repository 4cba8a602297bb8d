"""The catalogue's rows for what goes over HTTP: MM7, MM1 and the web link."""

from typing import Final

from mmsc.faults.parameters import Choice, Parameter, octets, seconds, status, words
from mmsc.faults.points import Group, Point
from mmsc.faults.row import Fault
from protocols.mm1.enums import ResponseStatus, RetrieveStatus, in_words
from protocols.mm7.status import TEXTS

_CODES: Final = tuple(Choice(str(code), text, code) for code, text in TEXTS.items())
_CODE: Final = status(4006, "StatusCode", choices=_CODES, lowest=1000, highest=9999)
_HTTP: Final = status(503, "HTTP status", lowest=200, highest=599)
_RESPONSE: Final = tuple(Choice(in_words(one), "", int(one)) for one in ResponseStatus)
_RETRIEVE: Final = tuple(Choice(in_words(one), "", int(one)) for one in RetrieveStatus)
_TYPE: Final = words("text/plain", "the Content-Type")
_62: Final = "OMA-TS-MMS_ENC 6.2"
_IND: Final = ("m-notification-ind",)
_DELIVERY: Final = ("m-delivery-ind",)
_8783: Final = "TS 23.140 8.7.8.3"


def _out_of(group: Group, point: Point) -> "type[_Rows]":
    return type("_", (_Rows,), {"group": group, "point": point})


class _Rows:
    group: Group
    point: Point

    @classmethod
    def row(cls, name: str, text: str, clause: str, *parameters: Parameter, only: tuple[str, ...] = ()) -> Fault:
        """A fault of this group."""
        return Fault(name, cls.group, cls.point, text, clause, parameters, only)


_answer = _out_of(Group.MM7_ANSWERS, Point.MM7_ANSWER).row
_reply = _out_of(Group.MM7_REPLIES, Point.MM7_REPLY).row
_request = _out_of(Group.MM7_REQUESTS, Point.MM7_REQUEST).row
_mm1 = _out_of(Group.MM1_ANSWERS, Point.MM1_ANSWER).row
_push = _out_of(Group.MM1_PUSHES, Point.MM1_PUSH).row
_link = _out_of(Group.WEBLINK, Point.WEBLINK).row

FAULTS: Final = (
    _answer(
        "mm7-submit-status",
        "The Rsp carries the StatusCode you choose; with 2000 and above nothing is taken",
        _8783,
        _CODE,
        words("", "StatusText; empty: the standard's"),
    ),
    _answer("mm7-submit-fault", "The answer is a SOAP Fault with this StatusCode; nothing is taken", _8783, _CODE),
    _answer("mm7-submit-http", "The answer is this HTTP status without a body; nothing is taken", "RFC 9110 15", _HTTP),
    _answer("mm7-submit-slow", "Taken, and the answer comes late", "TS 23.140 8.7.8.1", seconds(20)),
    _answer("mm7-submit-refuse", "The connection is cut before anything is taken", "RFC 9112 9.6"),
    _answer("mm7-submit-silence", "Taken, and cut without an answer: the client must repeat, and is recognised", _8783),
    _answer(
        "mm7-submit-hang", "Taken, and never answered while the connection stays open", "RFC 9110 9.2.2", seconds(120)
    ),
    _answer("mm7-submit-cut", "Taken, and the answer is cut", "RFC 9112 8", octets(300, "octets that are sent")),
    _answer("mm7-submit-garbage", "Taken, and the answer is not well-formed XML", "SOAP 1.1 4"),
    _answer("mm7-submit-transaction", "Taken, and the Rsp has another TransactionID", "TS 23.140 8.7.8.1"),
    _answer("mm7-submit-empty", "Taken, and the answer is HTTP 200 without a body", "SOAP 1.1 6.2"),
    _answer("mm7-submit-type", "Taken, and the answer has another Content-Type", "TS 23.140 8.7.8.2", _TYPE),
    _reply(
        "mm7-vasp-status",
        "The VASP's answer counts as this StatusCode, which may be final",
        _8783,
        _CODE,
    ),
    _reply("mm7-vasp-http", "The VASP's answer counts as this HTTP status without a body", "RFC 9110 15", _HTTP),
    _reply("mm7-vasp-slow", "The VASP's answer comes late", "TS 23.140 8.7.8.1", seconds(20)),
    _reply("mm7-vasp-silence", "The request arrives, and its answer is lost", "RFC 9110 9.2.2"),
    _reply("mm7-vasp-garbage", "The VASP's answer is not well-formed XML", "SOAP 1.1 4"),
    _reply("mm7-vasp-empty", "The VASP's answer is HTTP 200 without a body", "SOAP 1.1 6.2"),
    _request("mm7-request-late", "The request leaves late", "TS 23.140 8.7.8.1", seconds(20)),
    _request("mm7-request-lost", "The request is not sent, and counts as unanswered: it comes again", "RFC 9110 9.2.2"),
    _request("mm7-request-never", "The request is not sent, and counts as taken: it never comes", "TS 23.140 8.7.4"),
    _request("mm7-request-twice", "The request is sent twice, with the same TransactionID", "TS 23.140 8.7.8.1"),
    _request(
        "mm7-request-cut",
        "The body is cut behind so many octets, Content-Length is not",
        "RFC 9112 8",
        octets(200, "octets that are sent"),
    ),
    _request(
        "mm7-request-type",
        "The request has another Content-Type: what the VASP says to it counts",
        "TS 23.140 8.7.8.2",
        _TYPE,
    ),
    _request(
        "mm7-request-corrupt", "The request is not well-formed XML: what the VASP says to it counts", "SOAP 1.1 4"
    ),
    _mm1(
        "mm1-send-status",
        "m-send-conf carries the status you choose; nothing is taken",
        "OMA-TS-MMS_ENC 7.3.48",
        status(0xC0, "X-Mms-Response-Status", choices=_RESPONSE, lowest=128, highest=255),
        words("", "X-Mms-Response-Text"),
        only=("m-send-req", "m-forward-req"),
    ),
    _mm1(
        "mm1-retrieve-status",
        "m-retrieve-conf carries the status you choose, and no content",
        "OMA-TS-MMS_ENC 7.3.50",
        status(0xC0, "X-Mms-Retrieve-Status", choices=_RETRIEVE, lowest=128, highest=255),
        words("", "X-Mms-Retrieve-Text"),
        only=("GET",),
    ),
    _mm1("mm1-http", "The answer is this HTTP status without a body", "OMA-TS-MMS_CTR 7", _HTTP),
    _mm1("mm1-late", "The answer comes late", "OMA-TS-MMS_CTR 7", seconds(10)),
    _mm1(
        "mm1-slow",
        "The answer comes at so many octets a second",
        "OMA-TS-MMS_CTR 7",
        octets(4000, "octets a second", lowest=1),
    ),
    _mm1(
        "mm1-get-cut",
        "m-retrieve-conf is cut behind so many octets",
        "RFC 9112 8",
        octets(12_000, "octets sent"),
        only=("GET",),
    ),
    _mm1("mm1-get-silence", "A GET is cut without an answer", "RFC 9112 9.6", only=("GET",)),
    _mm1("mm1-garbage", "The answer is no PDU", "OMA-TS-MMS_ENC 7"),
    _mm1("mm1-type", "The answer has another Content-Type", "OMA-TS-MMS_CTR 7", _TYPE),
    _mm1(
        "mm1-ack-lost",
        "m-notifyresp-ind and m-acknowledge-ind are answered and forgotten",
        "OMA-TS-MMS_ENC 6.2",
        only=("m-notifyresp-ind", "m-acknowledge-ind"),
    ),
    _push("mm1-notification-lost", "m-notification-ind is not sent, and counts as pushed", _62, only=_IND),
    _push("mm1-notification-twice", "m-notification-ind is sent twice", _62, only=_IND),
    _push("mm1-notification-late", "m-notification-ind leaves late (service time)", _62, seconds(30), only=_IND),
    _push(
        "mm1-notification-size",
        "X-Mms-Message-Size is wrong",
        "OMA-TS-MMS_ENC 7.3.29",
        octets(1, "the size that is told"),
        only=_IND,
    ),
    _push(
        "mm1-notification-url",
        "Content-Location leads nowhere",
        "OMA-TS-MMS_ENC 7.3.10",
        words("http://127.0.0.1:9/m/nowhere", "the URL that is told"),
        only=_IND,
    ),
    _push("mm1-delivery-lost", "m-delivery-ind is not sent, and counts as sent", "OMA-TS-MMS_ENC 6.5", only=_DELIVERY),
    _push("mm1-delivery-twice", "m-delivery-ind is sent twice", "OMA-TS-MMS_ENC 6.5", only=_DELIVERY),
    _link(
        "weblink-http",
        "The page is answered with this HTTP status",
        "RFC 9110 15",
        status(404, "HTTP status", lowest=200, highest=599),
    ),
    _link(
        "weblink-slow",
        "The page comes at so many octets a second",
        "RFC 9110 9.2.2",
        octets(4000, "octets a second", lowest=1),
    ),
)
