"""The events between us and VASPs, beside submissions and reports. Part of the closed list in `events.py`."""

from typing import ClassVar

from mmsc.trace.data import Data


class ChangeAnswered(Data, frozen=True, omit_defaults=True):
    """A VASP asked to cancel or replace its MM: for how many recipients it was done, and for whom it came too late."""

    kind: ClassVar[str] = "change.answered"
    operation: str  # cancel, replace, extended_cancel, extended_replace
    neighbour: str
    identifier: str  # its TransactionID
    key: str = ""  # of the request: a repeat gets this answer again
    done: int = 0
    late: tuple[tuple[str, str], ...] = ()  # (address, why)


class DeliverAnswered(Data, frozen=True, omit_defaults=True):
    """What a VASP said for good to the DeliverReq with an MM for this recipient. `status` is the StatusCode of its
    DeliverRsp or fault; 0: it sent none that can be read."""

    kind: ClassVar[str] = "deliver.answered"
    vasp: str
    attempt: int
    taken: bool
    status: int = 0
    text: str = ""
    service_code: str = ""
    linked_id: str = ""
    transaction_id: str = ""


class MmLinked(Data, frozen=True, omit_defaults=True):
    """A VASP's SubmitReq names the LinkedID of an MM that was delivered to it. It is written for both MMs."""

    kind: ClassVar[str] = "mm.linked"
    vasp: str
    linked_id: str
    delivered: str  # Message-ID of the MM that was delivered
    answer: str  # Message-ID of the one that the VASP submitted


class ReadReported(Data, frozen=True, omit_defaults=True):
    """The VASP took a read report (ReadReplyReq), or the SMSC one for a handset (m-read-orig-ind)."""

    kind: ClassVar[str] = "read.reported"
    lane: str
    read: bool
    attempt: int
    note: str = ""
    read_at: int = 0  # when it was read (µs)


class CancelPushed(Data, frozen=True, omit_defaults=True):
    """The SMSC took an m-cancel-req for a handset that has the MM."""

    kind: ClassVar[str] = "cancel.pushed"
    smsc: str
    attempt: int
    remote_ids: tuple[str, ...] = ()


class CancelConfirmed(Data, frozen=True, omit_defaults=True):
    """A handset answered an m-cancel-req with its m-cancel-conf."""

    kind: ClassVar[str] = "cancel.confirmed"
    understood: bool  # X-Mms-Cancel-Status: successfully received, else corrupted
