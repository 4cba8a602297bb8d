"""Where faults bite, and what is known there."""

from enum import StrEnum

from protocols.records import record


class Point(StrEnum):
    """A place in a gateway or in the lab that asks the plan."""

    MM7_ANSWER = "mm7.answer"  # our answer to a VASP's request
    MM7_REPLY = "mm7.reply"  # the VASP's answer to a request of ours
    MM7_REQUEST = "mm7.request"  # a request of ours to a VASP
    MM1_ANSWER = "mm1.answer"  # our answer to a handset
    MM1_PUSH = "mm1.push"  # what is pushed to a handset
    MM4_ANSWER = "mm4.answer"  # our SMTP replies to another MMSC
    MM4_RES = "mm4.res"  # our RES to another MMSC
    MM4_MAIL = "mm4.mail"  # a mail of ours to another MMSC
    SMPP_REQUEST = "smpp.request"  # a submit_sm of ours
    SMSC_BIND = "smsc.bind"  # the built-in SMSC: its answer to a bind
    SMSC_ANSWER = "smsc.answer"  # ... to a submit_sm
    SMSC_DELIVERY = "smsc.delivery"  # ... what becomes of the message
    SMSC_RECEIPT = "smsc.receipt"  # ... its delivery receipts
    WEBLINK = "weblink.answer"  # the page behind a web link
    STORE = "store.commit"  # a commit of the store
    CAPABILITY = "capability"  # what is thought of a handset
    DOOR = "submission"  # an MM that is being taken


class Group(StrEnum):
    """The headings of the catalogue."""

    MM7_ANSWERS = "MM7, our answers to the VASP"
    MM7_REPLIES = "MM7, answers of the VASP to us"
    MM7_REQUESTS = "MM7, our requests to the VASP"
    MM1_ANSWERS = "MM1, our answers to the handset"
    MM1_PUSHES = "MM1, what is pushed to the handset"
    MM4_ANSWERS = "MM4, our answers to the other MMSC"
    MM4_MAILS = "MM4, our mails to the other MMSC"
    SMPP = "SMPP, our requests to the SMSC"
    SMSC = "SMPP, the built-in SMSC"
    WEBLINK = "Web link"
    INSIDE = "Inside: store, capability, validity"


@record(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at a point. `operation` is a PDU's name; `transaction` its identifier at that interface."""

    vasp: str = ""
    peer: str = ""
    smsc: str = ""
    numbers: tuple[str, ...] = ()
    run: str = ""
    transaction: str = ""
    operation: str = ""
    stage: str = ""
    mm_id: int | None = None

    @property
    def neighbour(self) -> str:
        """Who is at the other end, "" when that is not known."""
        return self.vasp or self.peer or self.smsc


NOTHING = Facts()
