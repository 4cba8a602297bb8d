"""What user agents say about MMs that they were told of (OMA-TS-MMS_ENC 6.2, 6.4, 6.6): indications, answered by HTTP
200 with an empty body, or 503 when it could not be kept."""

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.states import Happening
from mmsc.engine.ports import Gone, ReadSaid, Retrieval
from mmsc.gateways.mm1.asked import Asked, gone_answer
from mmsc.gateways.mm1.translate import HAPPENINGS
from mmsc.net.http import HttpAnswer
from protocols.mm1 import CancelStatus, MAcknowledgeInd, MCancelConf, MNotifyRespInd, MReadRecInd, ReadStatus
from protocols.mm1.values import bare_id


class Answers:
    """Hands them to the engine."""

    def __init__(self, retrieval: Retrieval, clock: Clock) -> None:
        self._retrieval = retrieval
        self._clock = clock

    async def notifyresp_ind(self, asked: Asked[MNotifyRespInd]) -> HttpAnswer:
        """m-notifyresp-ind; a status that says nothing to us is taken and means nothing."""
        status = asked.pdu.status
        happening = HAPPENINGS.get(status) if status is not None else None
        return await self._answered(asked, happening, acknowledged=False)

    async def acknowledge_ind(self, asked: Asked[MAcknowledgeInd]) -> HttpAnswer:
        """m-acknowledge-ind."""
        return await self._answered(asked, Happening.RETRIEVED, acknowledged=True)

    async def _answered(
        self, asked: Asked[MNotifyRespInd] | Asked[MAcknowledgeInd], happening: Happening | None, *, acknowledged: bool
    ) -> HttpAnswer:
        """200 also when nothing waited for it."""
        pdu = asked.pdu
        if happening is not None:
            outcome = await self._retrieval.answer(
                pdu.transaction_id,
                happening,
                report_allowed=pdu.report_allowed is not False,
                evidence=asked.evidence,
                identity=asked.identity,
                acknowledged=acknowledged,
            )
            if isinstance(outcome, Gone):
                return gone_answer(outcome, self._clock)
        return HttpAnswer(status=200, transaction_id=pdu.transaction_id)

    async def cancel_conf(self, asked: Asked[MCancelConf]) -> HttpAnswer:
        """m-cancel-conf: recorded where it answers an m-cancel-req of ours."""
        pdu = asked.pdu
        understood = pdu.cancel_status is CancelStatus.SUCCESSFULLY_RECEIVED
        outcome = await self._retrieval.cancel_confirmed(
            pdu.transaction_id, understood=understood, identity=asked.identity
        )
        if isinstance(outcome, Gone):
            return gone_answer(outcome, self._clock)
        return HttpAnswer(status=200, transaction_id=pdu.transaction_id)

    async def read_rec_ind(self, asked: Asked[MReadRecInd]) -> HttpAnswer:
        """m-read-rec-ind: 200 whatever it is worth, which the trace tells; 503 when it could not be kept."""
        pdu = asked.pdu
        said = ReadSaid(
            read=pdu.read_status is not ReadStatus.DELETED_WITHOUT_BEING_READ,
            to=pdu.to,
            in_name_of=pdu.from_ if isinstance(pdu.from_, str) else "",
            date=None if pdu.date is None else Instant(pdu.date * SECOND),
        )
        outcome = await self._retrieval.read_by(bare_id(pdu.message_id or ""), asked.identity, said)
        return gone_answer(outcome, self._clock) if isinstance(outcome, Gone) else HttpAnswer(status=200)
