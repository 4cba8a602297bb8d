"""REST: send an MM, by REST itself or over the wire as a VASP, a handset or another MMSC; and what such a request looks
like."""

import base64
from typing import Any, Final

import msgspec

from mmsc.control.sending import BadDraft, Draft, Sent
from mmsc.control.sending import shown as as_text
from mmsc.control.sending.draft import As
from mmsc.control.sending.submission import submission_of
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.runs import RUN
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.gateways.runs import tagged

_TAG: Final = "send"
_AS: Final = {"interface": "mm7 (a VASP), mm1 (a handset), mm4 (another MMSC) or rest"}
_LATER: Final = (RefusalReason.BUSY, RefusalReason.STORE_UNAVAILABLE, RefusalReason.TOO_FAST)


class NotTaken(msgspec.Struct, frozen=True):
    """A recipient that was refused while others were taken."""

    address: str
    because: str


class Taken(msgspec.Struct, frozen=True):
    """The MM is stored. `message_id` is what protocols call it."""

    mm_id: str
    message_id: str
    refused: list[NotTaken]


class Answered(msgspec.Struct, frozen=True):
    """What came back over the wire: the interface's own status, or `problem` where nothing came that can be read."""

    ok: bool
    status: str
    message_id: str
    mm_id: str | None
    http_status: int
    answer_base64: str
    problem: str


class Objection(msgspec.Struct, frozen=True):
    """A rule that the request breaks."""

    rule: str
    clause: str
    offset: int
    remark: str


class Shown(msgspec.Struct, frozen=True):
    """A request three ways, and what readers will object to; `refused`: why this server would not take it."""

    curl: str
    python: str
    raw: str
    body_base64: str
    findings: list[Objection]
    refused: str


async def _submit(call: Call) -> Answer:
    try:
        submission = submission_of(call.body)
    except BadDraft as error:
        raise Problem(400, str(error)) from error
    if RUN not in submission.details:
        submission = tagged(submission, call.request.headers, "")
    outcome = await call.control.engine.submit.accept(submission)
    if isinstance(outcome, Refused):
        status = 503 if outcome.reason in _LATER else 422
        raise Problem(status, f"{outcome.reason}: {outcome.because}", retry_after="5" if status == 503 else "")
    outcome.answered()
    refused = [NotTaken(one.text, one.because) for one in outcome.refused]
    return Answer(Taken(str(outcome.mm_id), outcome.message_id, refused), 201)


async def _send(call: Call) -> Answer:
    try:
        return Answer(_told(await call.control.sending.send(_whom(call), call.body)))
    except BadDraft as error:
        raise Problem(400, str(error)) from error


async def _show(call: Call) -> Answer:
    try:
        wire = call.control.sending.wire(_whom(call), call.body)
    except BadDraft as error:
        raise Problem(400, str(error)) from error
    findings = [Objection(one.rule, one.clause, one.offset, one.remark) for one in wire.findings]
    body = base64.b64encode(wire.body).decode()
    return Answer(Shown(as_text.curl(wire), as_text.python(wire), as_text.raw(wire), body, findings, wire.refused))


def _whom(call: Call) -> As:
    try:
        return As(call.path["interface"])
    except ValueError:
        raise Problem(404, f"nobody sends as {call.path['interface'][:60]!r}: {', '.join(As)}") from None


def _told(sent: Sent) -> Answered:
    mm_id = None if sent.mm_id is None else str(sent.mm_id)
    octets = base64.b64encode(sent.answer).decode()
    return Answered(sent.ok, sent.status, sent.message_id, mm_id, sent.http_status, octets, sent.problem)


def _row(path: str, summary: str, handle: Any, **more: Any) -> Endpoint:
    return Endpoint(method="POST", path=path, summary=summary, tag=_TAG, handle=handle, body=Draft, **more)


ENDPOINTS: Final = (
    _row("/messages", "Submit an MM", _submit, answers={201: Taken}, problems=(422, 503)),
    _row(
        "/send/{interface}",
        "Send an MM over the wire, as a neighbour does",
        _send,
        answers={200: Answered},
        problems=(404,),
        parameters=_AS,
    ),
    _row(
        "/send/{interface}/shown",
        "What such a request looks like: curl, Python, octets",
        _show,
        answers={200: Shown},
        problems=(404,),
        parameters=_AS,
    ),
)
