"""MM7 gone wrong on purpose, at the gateway's edges (`mmsc.faults`): what VASPs are answered, and what they are sent.

Stands in the way only while a fault is on, or where magic numbers are.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mmsc.domain.address import Normalised
from mmsc.domain.message import Job
from mmsc.domain.neighbours import Vasp
from mmsc.engine.ports import Directory, Numbers
from mmsc.faults import wrong_mm7 as wrong
from mmsc.faults.plan import Hit, Plan
from mmsc.faults.points import Facts, Point
from mmsc.faults.wrong_http import delayed, instead, spoilt
from mmsc.gateways.mm7.courier import Post
from mmsc.net.http import Handler, HttpAnswer, HttpRequest
from mmsc.net.http_client import HttpReply, HttpUnavailable, made_up
from mmsc.net.manner import Manner, pause
from protocols import mm7
from protocols.errors import DecodeError
from protocols.mm7 import Envelope, SubmitReq

RUN_HEADER: Final = "X-MMSC-Run"
_PARTIAL: Final = 2000  # below it something is taken
_SENT_TO: Final = {"report_mm7": "DeliveryReportReq", "read_mm7": "ReadReplyReq", "deliver_mm7": "DeliverReq"}


class FaultyMm7:
    """In front of the MM7 server's handler."""

    def __init__(self, handle: Handler, plan: Plan, directory: Directory, numbers: Numbers) -> None:
        self._handle = handle
        self._plan = plan
        self._directory = directory
        self._numbers = numbers

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer, which is wrong if a fault says so."""
        plan = self._plan
        if request.method != "POST" or not plan.concerns(request.body):
            return await self._handle(request)
        envelope = _read(request)
        hit = plan.decide(Point.MM7_ANSWER, self._facts(request, envelope))
        if hit is None:
            return await self._handle(request)
        answer = _untaken(hit, envelope) or _wrong(hit, await self._handle(request))
        if not answer.neighbour:
            answer = replace(answer, neighbour=hit.facts.vasp, transaction_id=hit.facts.transaction)
        plan.note(hit, answer.mm_id, request.exchange)
        return answer

    def _facts(self, request: HttpRequest, envelope: Envelope | None) -> Facts:
        run = request.headers.get(RUN_HEADER, "")
        if envelope is None:
            return Facts(vasp=self._by_login(request), run=run)
        message = envelope.message
        vasp = self._by_id(getattr(message, "vasp_id", "")) or self._by_login(request)
        written = (message.to, message.cc, message.bcc) if isinstance(message, SubmitReq) else ()
        return Facts(
            vasp=vasp,
            numbers=tuple(self._number(one.value, vasp) for some in written for one in some),
            run=run,
            transaction=envelope.transaction_id,
            operation=type(message).__name__,
        )

    def _number(self, text: str, vasp: str) -> str:
        found = self._numbers.normalise(text, f"vasp:{vasp}")
        return found.address.value if isinstance(found, Normalised) else text

    def _by_id(self, vasp_id: str) -> str:
        named = (name for name, vasp in self._directory.vasps.items() if vasp_id and vasp.vasp_id == vasp_id)
        return next(named, "")

    def _by_login(self, request: HttpRequest) -> str:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return ""
        try:
            username = base64.b64decode(given).partition(b":")[0].decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return ""
        return next((name for name, vasp in self._directory.vasps.items() if vasp.username == username), "")


def _read(request: HttpRequest) -> Envelope | None:
    try:
        return mm7.decode(request.content_type, request.body).message
    except (DecodeError, mm7.Mm7Error):
        return None


def _untaken(hit: Hit, envelope: Envelope | None) -> HttpAnswer | None:
    """The answer to a request that nobody sees; None when it is to be served."""
    plain = HttpAnswer(fault=hit.name, manner=delayed(hit))
    match hit.name:
        case "mm7-submit-http":
            return replace(plain, status=hit.of("status"))
        case "mm7-submit-refuse":
            return replace(plain, manner=delayed(hit, Manner(dropped=True)))
        case "mm7-submit-fault" if envelope is not None:
            content_type, body = wrong.fault_to(envelope, hit.of("status"))
            return replace(plain, status=500, content_type=content_type, body=body)
        case "mm7-submit-status" if envelope is not None and hit.of("status") >= _PARTIAL:
            told = wrong.answer_to(envelope, hit.of("status"), hit.of("text"))
            return None if told is None else replace(plain, content_type=told[0], body=told[1])
    return None


def _wrong(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    """The answer to a request that was served."""
    made = spoilt(hit, answer)
    if made is not None:
        return made
    body = answer.body
    match hit.name:
        case "mm7-submit-status":
            body = wrong.with_status(body, hit.of("status"), hit.of("text"))
        case "mm7-submit-fault":
            return replace(instead(hit, answer), status=500)  # nobody could read what it is about
        case "mm7-submit-garbage":
            body = wrong.not_well_formed(body)
        case "mm7-submit-transaction":
            body = wrong.with_other_transaction(body)
    return replace(answer, body=body, fault=hit.name, manner=delayed(hit))


class FaultyPost:
    """In front of the way on which MM7 requests leave."""

    def __init__(self, post: Post, plan: Plan) -> None:
        self._post = post
        self._plan = plan

    async def post(
        self,
        vasp: Vasp,
        url: str,
        job: Job,
        headers: Mapping[str, str],
        body: bytes,
        *,
        fault: str = "",
        cut_after: int | None = None,
    ) -> HttpReply:
        """Send a request, wrongly if a fault says so. Raises HttpUnavailable."""
        facts = facts_of(job, vasp)
        hit = self._plan.decide(Point.MM7_REQUEST, facts)
        if hit is not None:
            self._plan.note(hit)
            return await self._spoilt(hit, vasp, url, job, headers, body)
        hit = self._plan.decide(Point.MM7_REPLY, facts)
        if hit is None:
            return await self._post(vasp, url, job, headers, body)
        self._plan.note(hit)
        return await self._misheard(hit, await self._post(vasp, url, job, headers, body, fault=hit.name))

    async def _spoilt(
        self, hit: Hit, vasp: Vasp, url: str, job: Job, headers: Mapping[str, str], body: bytes
    ) -> HttpReply:
        setting = hit.setting
        await _pass(setting.delay_seconds)
        name, cut_after = hit.name, None
        match name:
            case "mm7-request-late":
                await _pass(hit.of("seconds"))
            case "mm7-request-lost":
                raise HttpUnavailable(f"no answer in time ({name})", connected=True)
            case "mm7-request-never":
                return made_up(200, *_taken(headers, body))
            case "mm7-request-twice":
                await self._post(vasp, url, job, headers, body, fault=name)
            case "mm7-request-cut":
                cut_after = hit.of("octets")
            case "mm7-request-type":
                headers = {**headers, "Content-Type": hit.of("text")}
            case "mm7-request-corrupt":
                body = wrong.unclosed(body)
        return await self._post(vasp, url, job, headers, body, fault=name, cut_after=cut_after)

    async def _misheard(self, hit: Hit, reply: HttpReply) -> HttpReply:
        await _pass(hit.setting.delay_seconds)
        match hit.name:
            case "mm7-vasp-status":
                return reply._replace(body=wrong.with_status(reply.body, hit.of("status")))
            case "mm7-vasp-http":
                return made_up(hit.of("status"))
            case "mm7-vasp-slow":
                await _pass(hit.of("seconds"))
            case "mm7-vasp-silence":
                raise HttpUnavailable(f"no answer in time ({hit.name})", connected=True)
            case "mm7-vasp-garbage":
                return reply._replace(body=wrong.not_well_formed(reply.body))
            case "mm7-vasp-empty":
                return made_up(200)
        return reply


def facts_of(job: Job, vasp: Vasp) -> Facts:
    """What is known of a request of ours to a VASP."""
    mm = job.stored_mm
    return Facts(
        vasp=vasp.name,
        numbers=tuple(one.address.value for one in job.recipients),
        run=mm.details.get("run", ""),
        transaction=job.payload.get("transaction_id", ""),
        operation=_SENT_TO.get(str(job.kind), ""),
        mm_id=mm.id,
    )


def _taken(headers: Mapping[str, str], body: bytes) -> tuple[str, bytes]:
    """(Content-Type, body) of an Rsp 1000, as if its VASP had written it."""
    try:
        request = mm7.decode(headers["Content-Type"], body).message
    except (DecodeError, KeyError):
        return "", b""
    return wrong.answer_to(request, int(mm7.StatusCode.SUCCESS)) or ("", b"")


async def _pass(seconds: float) -> None:
    if seconds:
        await pause(seconds)
