"""Who may send, in whose name, and whether it may hide its number (OMA-TS-MMS_ENC 7.3.21, 7.3.48, 7.3.52)."""

from collections.abc import Sequence
from typing import Final

from mmsc.domain.address import Address
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.gateways.mm1.identity import Identities
from protocols import mm1
from protocols.errors import Finding
from protocols.mm1 import InsertAddress, ResponseStatus, SenderVisibility
from protocols.records import record

_CLAUSE_FROM: Final = "OMA-TS-MMS_ENC 7.3.21"
_QUOTED: Final = 100  # characters of a stranger's text in an answer


@record(frozen=True, slots=True, kw_only=True)
class SenderPolicy:
    """`address_hiding` is offered or refused; a From that is not its subscriber's own is replaced, or refused."""

    address_hiding: bool = True
    foreign_from_refused: bool = False


@record(frozen=True, slots=True)
class Objection:
    """Why a submission is not taken, for the trace, and the X-Mms-Response-Status that says it (for 1.1 and later)."""

    refused: Refused
    status: ResponseStatus


class Senders:
    """Judges the From and X-Mms-Sender-Visibility of m-send-req and m-forward-req."""

    def __init__(self, identities: Identities, policy: SenderPolicy | None = None) -> None:
        self._identities = identities
        self.policy = policy or SenderPolicy()

    def objection(
        self,
        from_: str | InsertAddress | None,
        identity: Address,
        version: int,
        visibility: SenderVisibility | None = None,
    ) -> Objection | None:
        """Why this is not taken; None when it is."""
        if why := self._identities.why_no_subscriber(identity):
            refused = Refused(RefusalReason.SENDER_NOT_ALLOWED, why)
            return Objection(refused, ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED)
        if visibility is SenderVisibility.HIDE and not self.policy.address_hiding:
            status = ResponseStatus.ERROR_PERMANENT_ADDRESS_HIDING_NOT_SUPPORTED
            if version < mm1.VERSION_1_2:  # which brought that status
                status = ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED
            return Objection(Refused(RefusalReason.NOT_OFFERED, "numbers are not hidden here"), status)
        if self.policy.foreign_from_refused and self._is_foreign(from_, identity):
            refused = Refused(RefusalReason.SENDER_NOT_ALLOWED, f"From {str(from_)[:_QUOTED]} is not {identity}")
            return Objection(refused, ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED)
        return None

    def run_of(self, subscriber: Address) -> str:
        """The run tag of what a subscriber sends, "" for none."""
        return self._identities.run_of(subscriber)

    def findings(self, from_: str | InsertAddress | None, identity: Address) -> Sequence[Finding]:
        """What there is to remark about a From that is taken."""
        if not self._is_foreign(from_, identity):
            return ()
        remark = f"From {str(from_)[:_QUOTED]} is not {identity}, who sent it: replaced"
        return (Finding("MM1-H905", _CLAUSE_FROM, -1, remark),)

    def _is_foreign(self, from_: str | InsertAddress | None, identity: Address) -> bool:
        return isinstance(from_, str) and bool(from_) and not self._identities.spells(from_, identity)
