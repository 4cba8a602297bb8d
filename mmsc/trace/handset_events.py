"""The events of what handsets do with MMs that they got. Part of the closed list in `events.py`."""

from typing import ClassVar

from mmsc.trace.data import Data


class MmForwarded(Data, frozen=True, omit_defaults=True):
    """A recipient forwarded an MM over MM1: told of both, the MM and the one that was made of it."""

    kind: ClassVar[str] = "mm.forwarded"
    forwarder: str
    message_id: str
    forwarded_as: str  # the other's Message-ID


class ReplyCharged(Data, frozen=True, omit_defaults=True):
    """A reply at the cost of the MM's sender (TS 23.140 7.1.7): told of both, the MM and its reply."""

    kind: ClassVar[str] = "reply.charged"
    replier: str
    message_id: str
    reply_id: str
