"""The GET of a Content-Location (OMA-TS-MMS_ENC 6.3; OMA-TS-MMS_CTR)."""

from collections.abc import Awaitable, Callable
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.engine.ports import Evidence, Gone, Retrievable, Retrieval
from mmsc.gateways.mm1.asked import MMS_MESSAGE, NO_CACHE, gone_answer
from mmsc.gateways.pdus import retrieve_conf
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.trace.captures import BodyReference
from protocols import mm1

_PATH: Final = "/m/"


class Fetches:
    """Serves `/m/TOKEN`."""

    def __init__(self, retrieval: Retrieval, clock: Clock) -> None:
        self._retrieval = retrieval
        self._clock = clock

    async def get(self, request: HttpRequest, identity: Address | None, evidence: Evidence) -> HttpAnswer:
        """GET and HEAD; 404 for any other path."""
        if not request.path.startswith(_PATH):
            return HttpAnswer(status=404)
        token = request.path[len(_PATH) :].partition("/")[0]
        found = await self._retrieval.open(token, identity, evidence)
        if isinstance(found, Gone):
            return gone_answer(found, self._clock)
        head = mm1.encode_head(
            retrieve_conf(found.mm, found.transaction_id, mm1.spoken(found.mms_version), self._clock.now)
        )
        body = found.content.body
        answer = HttpAnswer(
            content_type=MMS_MESSAGE,
            body=head + body,
            headers=NO_CACHE,
            neighbour=found.recipient.address.value,
            transaction_id=found.transaction_id,
            mm_id=found.mm.id,
            reference=BodyReference(found.mm.content_id, 0, len(body), len(head)),
        )
        if request.method == "GET":
            self._retrieval.begun(found)
            answer.after = self._after(found)
        return answer

    def _after(self, found: Retrievable) -> Callable[[bool], Awaitable[None]]:
        async def after(whole: bool) -> None:
            if whole:
                await self._retrieval.fetched(found)
            else:
                self._retrieval.broken_off(found)

        return after
