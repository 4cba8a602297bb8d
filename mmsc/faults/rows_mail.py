"""The catalogue's rows for MM4: what goes over SMTP."""

from typing import Final

from mmsc.faults.parameters import Choice, Parameter, choice, octets, seconds, status, words
from mmsc.faults.points import Group, Point
from mmsc.faults.row import Fault
from protocols.mm4 import RequestStatusCode

STAGES: Final = ("connect", "ehlo", "mail", "rcpt", "data", "end")
_STAGE: Final = choice("stage", "rcpt", "when", *STAGES)
_REPLY: Final = status(451, "SMTP reply code", lowest=400, highest=599)
_RES: Final = status(
    RequestStatusCode.ERROR_SERVICE_DENIED.value,
    "X-Mms-Request-Status-Code",
    choices=[Choice(one.value) for one in RequestStatusCode],
)


def _answer(name: str, text: str, clause: str, *parameters: Parameter, only: str = "reply") -> Fault:
    return Fault(name, Group.MM4_ANSWERS, Point.MM4_ANSWER, text, clause, parameters, (only,))


def _res(name: str, text: str, *parameters: Parameter) -> Fault:
    return Fault(name, Group.MM4_ANSWERS, Point.MM4_RES, text, "TS 23.140 8.4.1.2", parameters, ("MM4_forward.RES",))


def _mail(name: str, text: str, clause: str, *parameters: Parameter, only: tuple[str, ...] = ()) -> Fault:
    return Fault(name, Group.MM4_MAILS, Point.MM4_MAIL, text, clause, parameters, only)


FAULTS: Final = (
    _answer(
        "mm4-smtp",
        "We reply with this code at this stage; nothing is taken",
        "RFC 5321 4.2",
        _REPLY,
        _STAGE,
        words("4.3.0 not now", "what the reply says behind its code"),
    ),
    _answer("mm4-slow", "Our reply at this stage comes late", "RFC 5321 4.5.3.2", seconds(10), _STAGE),
    _answer(
        "mm4-answer-lost",
        "The mail is taken, and cut before its 250: the peer must repeat",
        "RFC 5321 6.1",
        only="taken",
    ),
    _res("mm4-res-status", "MM4_forward.RES carries the status you choose", _RES),
    _res("mm4-res-lost", "MM4_forward.RES never leaves"),
    _res("mm4-res-twice", "MM4_forward.RES comes twice"),
    _res("mm4-res-late", "MM4_forward.RES leaves late (service time)", seconds(120, highest=86_400)),
    _res("mm4-res-transaction", "MM4_forward.RES has another X-Mms-Transaction-ID"),
    _mail("mm4-mail-lost", "The mail is not sent, and counts as taken", "RFC 5321 6.1"),
    _mail("mm4-mail-twice", "Every mail comes twice, with the same X-Mms-Transaction-ID", "TS 23.140 8.4.1.2"),
    _mail(
        "mm4-mail-cut",
        "The mail ends behind so many octets",
        "RFC 5321 4.1.1.4",
        octets(1000, "octets of the mail that are sent"),
    ),
    _mail(
        "mm4-mail-jpeg",
        "Pictures are damaged as one known MMSC does: each LF in them becomes CRLF",
        "RFC 2046 4.2",
        only=("MM4_forward.REQ",),
    ),
    _mail("mm4-mail-id", "X-Mms-Message-ID is another one", "TS 23.140 8.4.4.1"),
    _mail("mm4-peer-smtp", "The mail is not sent: the peer's reply counts as this code", "RFC 5321 4.2", _REPLY),
)
