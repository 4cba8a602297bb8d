"""The catalogue's rows for SMPP, and for what happens inside the server."""

from typing import Final

from mmsc.faults.parameters import Choice, Parameter, choice, seconds, status
from mmsc.faults.points import Group, Point
from mmsc.faults.row import Fault
from protocols.smpp.enums import CommandStatus, MessageState

_STATUS: Final = status(
    int(CommandStatus.ESME_RSYSERR),
    "command_status",
    choices=[Choice(one.name, "", int(one)) for one in CommandStatus if one is not CommandStatus.ESME_ROK],
    lowest=1,
    highest=0xFFFFFFFF,
)
_STATES: Final = tuple(one.name for one in MessageState)


def _smsc(point: Point, name: str, text: str, clause: str, *parameters: Parameter) -> Fault:
    return Fault(name, Group.SMSC, point, text, f"SMPP v3.4 {clause}", parameters)


def _inside(point: Point, name: str, text: str, clause: str, *parameters: Parameter) -> Fault:
    return Fault(name, Group.INSIDE, point, text, clause, parameters)


FAULTS: Final = (
    Fault(
        "smpp-drop",
        Group.SMPP,
        Point.SMPP_REQUEST,
        "submit_sm is not sent, and counts as unanswered",
        "SMPP v3.4 7.2",
    ),
    Fault(
        "smpp-reordered",
        Group.SMPP,
        Point.SMPP_REQUEST,
        "The segments of a message leave in reverse order",
        "3GPP TS 23.040 9.2.3.24.1",
    ),
    _smsc(Point.SMSC_BIND, "smsc-down", "The bind is refused (ESME_RBINDFAIL) and closed", "4.1"),
    _smsc(Point.SMSC_ANSWER, "smsc-throttle", "submit_sm_resp ESME_RTHROTTLED", "5.1.3"),
    _smsc(Point.SMSC_ANSWER, "smsc-queue-full", "submit_sm_resp ESME_RMSGQFUL", "5.1.3"),
    _smsc(Point.SMSC_ANSWER, "smsc-status", "submit_sm_resp with the command_status you choose", "5.1.3", _STATUS),
    _smsc(Point.SMSC_ANSWER, "smsc-slow", "submit_sm_resp comes late", "7.2", seconds(5)),
    _smsc(Point.SMSC_ANSWER, "smsc-silence", "submit_sm is taken, and never answered", "7.2"),
    _smsc(Point.SMSC_ANSWER, "smsc-unbind", "The SMSC unbinds instead of an answer", "4.2"),
    _smsc(Point.SMSC_ANSWER, "smsc-cut", "The connection is cut instead of an answer", "7.2"),
    _smsc(Point.SMSC_DELIVERY, "smsc-lost", "The message is taken, and never reaches the handset", "4.4"),
    _smsc(Point.SMSC_RECEIPT, "smsc-no-receipt", "No deliver_sm tells what became of the message", "5.2.17"),
    _smsc(Point.SMSC_RECEIPT, "smsc-receipt-late", "The receipt comes late", "5.2.17", seconds(10)),
    _smsc(Point.SMSC_RECEIPT, "smsc-receipt-twice", "The receipt comes twice", "5.2.17"),
    _smsc(
        Point.SMSC_RECEIPT,
        "smsc-receipt-state",
        "The receipt tells this message_state",
        "5.2.28",
        choice("state", "UNDELIVERABLE", "message_state", *_STATES),
    ),
    _smsc(
        Point.SMSC_RECEIPT,
        "smsc-receipt-id",
        "The receipt names the message in another form than submit_sm_resp did",
        "appendix B",
        choice("form", "decimal", "how it is written", "decimal", "hex-small", "hex-bare", "unknown"),
    ),
    _inside(
        Point.STORE, "store-refused", "Commits are refused as by a full disk: the accept door closes", "RFC 5321 4.2.2"
    ),
    _inside(Point.STORE, "store-slow", "Each commit takes so much longer", "RFC 9110 9.2.2", seconds(0.5, highest=60)),
    _inside(
        Point.CAPABILITY,
        "capability-verdict",
        "What is thought of the handset, whatever it showed",
        "TS 23.140 8.1.9",
        choice("state", "unknown", "the verdict", "unknown", "capable", "incapable"),
    ),
    _inside(
        Point.DOOR,
        "mm-validity",
        "MMs are kept for so many seconds only, whatever their senders asked for",
        "TS 23.140 7.1.11",
        seconds(60, "how long it is kept", highest=86_400),
    ),
)
