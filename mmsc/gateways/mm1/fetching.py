"""The GET of a Content-Location (OMA-TS-MMS_ENC 6.3; OMA-TS-MMS_CTR)."""

from collections.abc import Awaitable, Callable
from typing import Final
from zlib import crc32

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.engine.box_ports import Place
from mmsc.engine.ports import Evidence, Gone, GoneBecause, Retrievable, Retrieval
from mmsc.gateways.mm1.asked import MMS_MESSAGE, NO_CACHE, gone_answer
from mmsc.gateways.mm1.box_fetching import BoxFetches
from mmsc.gateways.mm1.mmbox_translate import place_of
from mmsc.gateways.mm1.progress import Progress
from mmsc.gateways.once import OncePerMm, is_for_one
from mmsc.gateways.pdus import retrieve_conf
from mmsc.gateways.vasp_fields import tells_time
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.net.http_ranges import OctetRange, wanted
from mmsc.trace.captures import BodyReference
from protocols import mm1

_PATH: Final = "/m/"
# Nothing waits there any more: what its recipient has kept of it in the box is still shown.
_PERHAPS_BOXED: Final = (GoneBecause.EXPIRED, GoneBecause.ENDED)


class Fetches:
    """Serves `/m/TOKEN`, and `/m/TID` to clients that append X-Mms-Transaction-ID to the Content-Location."""

    def __init__(self, retrieval: Retrieval, clock: Clock, boxed: BoxFetches) -> None:
        self._retrieval = retrieval
        self._boxed = boxed
        self._clock = clock
        self._progress = Progress()
        self._heads: OncePerMm[mm1.Alike] = OncePerMm()

    async def get(self, request: HttpRequest, identity: Address | None, evidence: Evidence) -> HttpAnswer:
        """GET, also of a single range, and HEAD; 404 for any other path."""
        place = place_of(request.path)
        if place is not None and place.boxed:
            answer = await self._boxed.get(place, identity, head=request.method == "HEAD")
            return gone_answer(answer, self._clock) if isinstance(answer, Gone) else answer
        if not request.path.startswith(_PATH):
            return HttpAnswer(status=404)
        token = request.path[len(_PATH) :].partition("/")[0]
        found = await self._retrieval.open(token, identity, evidence)
        if isinstance(found, Gone):
            kept: HttpAnswer | Gone = found
            if found.because in _PERHAPS_BOXED:
                kept = await self._boxed.get(Place(token, boxed=False), identity, head=request.method == "HEAD")
            return gone_answer(found, self._clock) if isinstance(kept, Gone) else kept
        head = self._head(found)
        body = found.content.body
        tag = f'"{found.mm.content_id}-{crc32(head)}"'  # a replaced MM has another content, another version a head
        answer = HttpAnswer(
            content_type=MMS_MESSAGE,
            body=head + body,
            headers=(*NO_CACHE, ("Accept-Ranges", "bytes"), ("ETag", tag)),
            neighbour=found.recipient.address.value,
            transaction_id=found.transaction_id,
            mm_id=found.mm.id,
            reference=BodyReference(found.mm.content_id, 0, len(body), len(head)),
        )
        if request.method == "GET":
            piece = wanted(request.headers, tag, len(answer.body))
            if not piece.is_whole and not _cut(answer, piece):
                return answer
            self._retrieval.begun(found)
            answer.after = self._after(found, tag, piece)
        return answer

    def _head(self, found: Retrievable) -> bytes:
        """Of the m-retrieve-conf."""
        mm, transaction_id, version = found.mm, found.transaction_id, mm1.spoken(found.mms_version)
        if is_for_one(mm) or not transaction_id or tells_time(mm.details):
            return mm1.encode_head(retrieve_conf(mm, transaction_id, version, self._clock.now))
        common = self._heads.of(mm, version, lambda: mm1.alike(retrieve_conf(mm, transaction_id, version)))
        return common.head(transaction_id)

    def _after(self, found: Retrievable, tag: str, piece: OctetRange) -> Callable[[bool], Awaitable[None]]:
        async def after(whole: bool) -> None:
            if self._progress.sent(found.recipient.id, tag, piece, whole=whole):
                await self._retrieval.fetched(found)
                await self._boxed.fetched_outside(found.recipient.id)
            else:
                self._retrieval.broken_off(found)

        return after


def _cut(answer: HttpAnswer, piece: OctetRange) -> bool:
    """Leave of an answer what was asked for (RFC 9110 15.3.7); False when that is nothing (15.5.17)."""
    answer.headers += (("Content-Range", piece.content_range),)
    answer.reference = None  # the trace holds the piece itself
    answer.body = answer.body[piece.start : piece.end]
    answer.status = 206 if answer.body else 416
    if not answer.body:
        answer.content_type = ""
    return bool(answer.body)
