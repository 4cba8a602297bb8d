"""What a VASP is answered: the Rsp of its request, or a Fault, in its own namespace and version (TS 23.140 8.7.8)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mmsc.domain.neighbours import Vasp
from mmsc.engine.ports import Accepted
from mmsc.gateways.mm7.profiles import answer_headers, style_of, told_code
from mmsc.net.http import HttpAnswer
from protocols import mm7
from protocols.mm7 import (
    CancelRsp,
    Dialect,
    Envelope,
    ExtendedCancelRsp,
    ExtendedReplaceRsp,
    Fault,
    Message,
    Mm7Error,
    ReplaceRsp,
    Status,
    StatusCode,
    SubmitRsp,
)
from protocols.records import record

_AS_FAULT: Final = (
    StatusCode.MESSAGE_FORMAT_CORRUPT,
    StatusCode.SERVER_ERROR,
    StatusCode.IMPROPER_IDENTIFICATION,
    StatusCode.UNSUPPORTED_VERSION,
    StatusCode.UNSUPPORTED_OPERATION,
    StatusCode.VALIDATION_ERROR,
)
Rsp = SubmitRsp | CancelRsp | ReplaceRsp | ExtendedCancelRsp | ExtendedReplaceRsp
RSP_OF: Final[Mapping[str, type[Rsp]]] = MappingProxyType(
    {
        "SubmitReq": SubmitRsp,
        "CancelReq": CancelRsp,
        "ReplaceReq": ReplaceRsp,
        "extendedCancelReq": ExtendedCancelRsp,
        "extendedReplaceReq": ExtendedReplaceRsp,
    }
)
OPERATION_OF: Final[Mapping[type, str]] = MappingProxyType(
    {
        mm7.SubmitReq: "SubmitReq",
        mm7.CancelReq: "CancelReq",
        mm7.ReplaceReq: "ReplaceReq",
        mm7.ExtendedCancelReq: "extendedCancelReq",
        mm7.ExtendedReplaceReq: "extendedReplaceReq",
    }
)


@record(frozen=True, slots=True)
class Context:
    """What an answer must echo. `operation` is the element that was sent, "" when it is none that has an Rsp."""

    transaction_id: str
    dialect: Dialect
    version: str
    vasp: Vasp | None
    operation: str = ""
    where: str = ""  # the element that an error is about
    run: str = ""  # the request's run tag


def context_of(envelope: Envelope, vasp: Vasp | None) -> Context:
    """What the answer to a request that could be read echoes."""
    message = envelope.message
    operation = OPERATION_OF.get(type(message), "")
    return Context(envelope.transaction_id, envelope.dialect, message.mm7_version, vasp, operation)


def error_about(envelope: Envelope, code: StatusCode, where: str, why: str) -> Mm7Error:
    """A request that could be read, and is not served."""
    return Mm7Error(
        code,
        where=where,
        why=why,
        transaction_id=envelope.transaction_id,
        spoken=envelope.dialect,
        mm7_version=envelope.message.mm7_version,
    )


def answered(context: Context, code: StatusCode, details: str = "", message_id: str = "") -> HttpAnswer:
    """The Rsp to a request that was understood. `message_id` where that Rsp has one."""
    made = RSP_OF[context.operation]
    status = Status(told_code(context.vasp, code, context.where), code.text, details)
    message: Message
    if made is SubmitRsp or made is ExtendedReplaceRsp:
        message = made(mm7_version=context.version, status=status, message_id=message_id)
    else:
        message = made(mm7_version=context.version, status=status)
    return _http(context, message, 200)


def accepted(context: Context, outcome: Accepted) -> HttpAnswer:
    """The Rsp to an MM that was taken; delivery begins when it was handed over."""
    code = StatusCode.PARTIAL_SUCCESS if outcome.refused else StatusCode.SUCCESS
    details = "; ".join(f"{one.text}: {one.because}" for one in outcome.refused)
    answer = answered(context, code, details, outcome.message_id)

    async def after(_: bool) -> None:
        outcome.answered()

    answer.after = after
    answer.mm_id = outcome.mm_id
    return answer


def refused(context: Context, code: StatusCode, why: str, message_id: str = "") -> HttpAnswer:
    """A request that was understood and is not served: an Rsp, or a Fault where the VASP wants one."""
    if not context.operation or _is_fault(context.vasp, code):
        return _fault(context, code, why, code.fault_code)
    return answered(context, code, why, message_id)


def failed(error: Mm7Error, vasp: Vasp | None) -> HttpAnswer:
    """A request that was not understood, or by somebody it does not become."""
    operation = error.where.partition("/")[0].partition(" ")[0]
    known = operation if operation in RSP_OF else ""
    context = Context(error.transaction_id, error.dialect, error.mm7_version, vasp, known, error.where)
    why = f"{error.where}: {error.reason}"
    if known and not _is_fault(vasp, error.status):
        return answered(context, error.status, why)
    return _fault(context, error.status, why, error.fault_code)


def _is_fault(vasp: Vasp | None, code: StatusCode) -> bool:
    errors = vasp.errors if vasp is not None else "auto"
    return errors == "fault" or (errors == "auto" and code in _AS_FAULT)


def _fault(context: Context, code: StatusCode, why: str, fault_code: str) -> HttpAnswer:
    status = Status(told_code(context.vasp, code, context.where), code.text, why)
    fault = Fault(fault_code=fault_code, fault_string=code.text, mm7_version=context.version, status=status)
    return _http(context, fault, context.vasp.fault_http_status if context.vasp is not None else 500)


def _http(context: Context, message: Message, status: int) -> HttpAnswer:
    vasp = context.vasp
    content_type, body = mm7.encode(Envelope(context.transaction_id, context.dialect, message), style_of(vasp))
    return HttpAnswer(
        status=status,
        headers=answer_headers(vasp),
        content_type=content_type,
        body=body,
        neighbour="" if vasp is None else vasp.name,
        transaction_id=context.transaction_id,
    )
