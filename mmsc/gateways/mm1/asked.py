"""What a user agent's PDU brings along, and how PDUs are answered."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.engine.ports import Evidence, Gone, GoneBecause
from mmsc.gateways.mm1.translate import gone_conf
from mmsc.net.http import HttpAnswer
from protocols import mm1
from protocols.errors import Finding
from protocols.mm1 import Pdu
from protocols.records import record

P_co = TypeVar("P_co", bound=Pdu, covariant=True)

MMS_MESSAGE: Final = "application/vnd.wap.mms-message"
NO_CACHE: Final = (("Cache-Control", "no-cache"), ("Pragma", "no-cache"))


@record(frozen=True, slots=True)
class Asked(Generic[P_co]):
    """A PDU, who sent it (None: nobody that we know), what the request showed of the handset, what there was to remark,
    the PDU's octets, and the run tag of the request."""

    pdu: P_co
    identity: Address | None
    evidence: Evidence
    findings: Sequence[Finding] = ()
    octets: int = 0
    run: str = ""

    @property
    def version(self) -> int:
        """The version to answer in: the sender's own, or ours if that is lower (OMA-TS-MMS_ENC 7)."""
        return min(self.pdu.mms_version, mm1.VERSION_1_3)


Handler = Callable[[Asked[Pdu]], Awaitable[HttpAnswer]]


def pdu_answer(pdu: Pdu, *, transaction_id: str = "") -> HttpAnswer:
    """HTTP 200 with a PDU."""
    return HttpAnswer(content_type=MMS_MESSAGE, body=mm1.encode(pdu), transaction_id=transaction_id)


def gone_answer(found: Gone, clock: Clock) -> HttpAnswer:
    """404 where nothing is known, 503 where nobody can look, else an m-retrieve-conf that says why."""
    if found.because is GoneBecause.STORE_AWAY:
        return HttpAnswer(status=503, headers=(*NO_CACHE, ("Retry-After", "10")))
    if found.because is GoneBecause.UNKNOWN:
        return HttpAnswer(status=404, content_type="text/plain; charset=utf-8", body=b"Message not found\n")
    conf = gone_conf(found.because, clock.now(), mm1.spoken(found.mms_version))
    return HttpAnswer(content_type=MMS_MESSAGE, body=mm1.encode(conf), headers=NO_CACHE)
