"""MM1 answers gone wrong on purpose, at the gateway's edge (`mmsc.faults`). Stands in the way only while a fault is on,
or where magic numbers are."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from mmsc.domain.message import MmId
from mmsc.faults import wrong_mm1 as wrong
from mmsc.faults.plan import Hit, Plan
from mmsc.faults.points import Facts, Point
from mmsc.faults.wrong_http import GARBAGE, delayed, instead, spoilt
from mmsc.gateways.mm1.asked import MMS_MESSAGE
from mmsc.gateways.mm1.refusing import refused
from mmsc.net.http import Handler, HttpAnswer, HttpRequest
from protocols import mm1
from protocols.errors import DecodeError
from protocols.mm1 import Pdu, ResponseStatus

_PLACES: Final = "/m/"


class FaultyMm1:
    """In front of the MM1 server's handler."""

    def __init__(
        self,
        handle: Handler,
        plan: Plan,
        subscriber_of: Callable[[HttpRequest], str],
        meant_by: Callable[[str], Awaitable[MmId | None]],
    ) -> None:
        """`subscriber_of` names who asks, "" for nobody that is known; `meant_by` the MM that a transaction is of."""
        self._handle = handle
        self._plan = plan
        self._subscriber_of = subscriber_of
        self._meant_by = meant_by

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer, which is wrong if a fault says so."""
        if request.method == "POST":
            return await self._posted(request)
        if request.method != "GET" or not request.path.startswith(_PLACES):
            return await self._handle(request)
        answer = await self._handle(request)  # which tells whose MM it is
        number = answer.neighbour or self._subscriber_of(request)
        facts = Facts(
            numbers=(number,) if number else (),
            transaction=answer.transaction_id,
            operation="GET",
            mm_id=answer.mm_id,
        )
        hit = self._plan.decide(Point.MM1_ANSWER, facts)
        return answer if hit is None else self._noted(hit, _wrong(hit, answer), request)

    async def _posted(self, request: HttpRequest) -> HttpAnswer:
        pdu = _read(request)
        hit = self._plan.decide(Point.MM1_ANSWER, self._facts(request, pdu))
        if hit is None:
            return await self._handle(request)
        answer = None if pdu is None else _untaken(hit, pdu)
        if answer is None:
            answer = _wrong(hit, await self._handle(request))
        elif hit.name == "mm1-ack-lost":  # whose it is nobody else will tell
            number = self._subscriber_of(request)
            answer = replace(answer, mm_id=await self._meant_by(answer.transaction_id), neighbour=number)
        return self._noted(hit, answer, request)

    def _facts(self, request: HttpRequest, pdu: Pdu | None) -> Facts:
        number = self._subscriber_of(request)
        return Facts(
            numbers=(number,) if number else (),
            transaction=str(getattr(pdu, "transaction_id", "") or ""),
            operation="" if pdu is None else pdu.message_type.name.lower().replace("_", "-"),
        )

    def _noted(self, hit: Hit, answer: HttpAnswer, request: HttpRequest) -> HttpAnswer:
        self._plan.note(hit, answer.mm_id, request.exchange)
        return answer


def _read(request: HttpRequest) -> Pdu | None:
    try:
        return mm1.decode(request.body).message
    except DecodeError:
        return None


def _untaken(hit: Hit, pdu: Pdu) -> HttpAnswer | None:
    """The answer to a request that nobody sees; None when it is to be served."""
    transaction_id = str(getattr(pdu, "transaction_id", "") or "")
    match hit.name:
        case "mm1-send-status":
            status = ResponseStatus(hit.of("status"))
            answer = refused(pdu.message_type, transaction_id, pdu.mms_version, status, hit.of("text") or hit.name)
        case "mm1-ack-lost":
            answer = HttpAnswer(transaction_id=transaction_id)
        case _:
            return None
    return replace(answer, fault=hit.name, manner=delayed(hit))


def _wrong(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    """The answer to a request that was served."""
    made = spoilt(hit, answer)
    if made is not None:
        return made
    body = GARBAGE
    if hit.name == "mm1-retrieve-status":
        body = wrong.retrieve_conf(answer.body, hit.of("status"), hit.of("text") or hit.name) or answer.body
    return replace(instead(hit, answer), content_type=MMS_MESSAGE, body=body)
