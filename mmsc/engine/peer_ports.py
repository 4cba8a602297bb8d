"""What the MM4 gateway may tell the engine; each call returns only after the commit."""

from collections.abc import Callable, Sequence
from typing import Protocol

from mmsc.domain.instant import Instant
from mmsc.domain.states import Happening
from mmsc.engine.ports import ResMm4


class PeerReports(Protocol):
    """What a foreign MMSC says about MMs we forwarded to it."""

    async def forward_answered(
        self,
        peer: str,
        message_id: str,
        *,
        ok: bool,
        because: str,
        recipients: Sequence[str] = (),
        transaction_id: str = "",
        status: str = "",
    ) -> bool:
        """A MM4_forward.RES with its `status`, or a bounce; `recipients` empty means all that its forward asked for.
        `transaction_id` tells apart forwards with the same Message-ID. False: no such message went to this peer."""
        ...

    async def delivery_report(
        self,
        peer: str,
        message_id: str,
        recipient: str,
        happening: Happening,
        *,
        date: Instant,
        to_originator: bool,
        text: str = "",
        res: Callable[[bool], ResMm4] | None = None,
    ) -> bool:
        """A MM4_delivery_report.REQ, matched by message id and normalised recipient.

        `res(found)` makes the RES that is stored in the same unit. False: not found (RES Error-message-not-found)."""
        ...

    async def report_answered(self, peer: str, message_id: str, *, status: str, text: str) -> bool:
        """A MM4_delivery_report.RES; it is only recorded. False: no message of this peer has this id."""
        ...
