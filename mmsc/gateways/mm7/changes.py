"""CancelReq, ReplaceReq and their extended forms to domain words, and what came of them to an answer (TS 23.140
8.7.3)."""

from dataclasses import replace
from typing import Final

from mmsc.domain.address import Address, told
from mmsc.domain.changes import Asked, Changed, Replacement, Unknown
from mmsc.domain.message import Relative, Remark
from mmsc.domain.neighbours import Repeats, Vasp
from mmsc.domain.refusal import Refused
from mmsc.domain.runs import RUN
from mmsc.engine.ports import Accepted
from mmsc.engine.vasp_ports import Changes
from mmsc.gateways.content import remarks_of
from mmsc.gateways.mm7.answers import accepted, answered, context_of, refused
from mmsc.gateways.mm7.coded import as_named
from mmsc.gateways.mm7.permission import unwelcome
from mmsc.gateways.mm7.translate import STATUS_OF, bounded, content_of, read_time
from mmsc.gateways.repeats import repeat_key
from mmsc.net.http import HttpAnswer
from protocols.errors import Decoded
from protocols.mm7 import CancelReq, Envelope, ExtendedCancelReq, ExtendedReplaceReq, ReplaceReq, StatusCode

_DETAILS: Final = ("service_code", "content_class", "applic_id", "reply_applic_id", "aux_applic_info")
_FLAGS: Final = ("distribution_indicator", "drm_content")


Request = CancelReq | ReplaceReq | ExtendedCancelReq | ExtendedReplaceReq


async def change(
    changes: Changes, decoded: Decoded[Envelope], request: Request, vasp: Vasp, run: str = ""
) -> HttpAnswer | Refused:
    """Carry a request out for the VASP that sent it; `Refused`, and nothing was done, where this VASP may not. What
    takes an MM's place is of the run that the request names, else of the MM's. Raises Mm7Error for values that mean
    nothing."""
    envelope = decoded.message
    context = context_of(envelope, vasp)
    replacement = _replacement_of(envelope, request)
    denied = None if replacement is None else unwelcome(vasp, replacement.content)
    if denied is not None:
        return denied
    if run and replacement is not None and isinstance(request, ExtendedReplaceReq):
        replacement = replace(replacement, details={**replacement.details, RUN: run})
    asked = _asked(envelope, request, vasp, context.operation, remarks_of(decoded.findings))
    outcome = await _carry_out(changes, request, asked, replacement or Replacement())
    match outcome:
        case Unknown():
            return refused(context, StatusCode.MESSAGE_ID_NOT_FOUND, f"no MM of yours is {_named(request)[:100]!r}")
        case Refused():
            return refused(context, STATUS_OF[outcome.reason], outcome.because)
        case Accepted():
            return accepted(context, outcome)
        case Changed():
            late = "; ".join(f"{_spelled(address, vasp, outcome)}: {why}" for address, why in outcome.late)
            if not outcome.done:
                answer = refused(context, StatusCode.NOT_POSSIBLE, late)
            else:
                answer = answered(context, StatusCode.PARTIAL_SUCCESS if late else StatusCode.SUCCESS, late)
            answer.mm_id = outcome.mm_id
            return answer


def _replacement_of(envelope: Envelope, request: Request) -> Replacement | None:
    match request:
        case ReplaceReq():
            return _replacement(envelope, request)
        case ExtendedReplaceReq():
            return _extended_replacement(envelope, request)
    return None


async def _carry_out(
    changes: Changes, request: Request, asked: Asked, replacement: Replacement
) -> Accepted | Changed | Unknown | Refused:
    match request:
        case CancelReq():
            return await changes.cancel(asked)
        case ReplaceReq():
            return await changes.replace(asked, replacement)
        case ExtendedCancelReq():
            return await changes.extended_cancel(asked)
        case ExtendedReplaceReq():
            return await changes.extended_replace(asked, replacement)


def _named(request: Request) -> str:
    """The Message-ID of the MM that it is about."""
    match request:
        case ExtendedCancelReq():
            return request.cancel_id
        case ExtendedReplaceReq():
            return request.replace_id
    return request.message_id


def _asked(envelope: Envelope, request: Request, vasp: Vasp, operation: str, remarks: tuple[Remark, ...]) -> Asked:
    return Asked(
        vasp=vasp.name,
        message_id=_named(request),
        key=_key(envelope, vasp, operation),
        identifier=bounded(envelope.transaction_id, "TransactionID"),  # told with each recipient
        remarks=remarks,
    )


def _extended_replacement(envelope: Envelope, request: ExtendedReplaceReq) -> Replacement:
    where = "extendedReplaceReq"
    date = read_time(request.time_stamp, f"{where}/TimeStamp")
    code = bounded(request.service_code, f"{where}/ServiceCode")
    own = {
        "mm7_transaction_id": bounded(envelope.transaction_id, "TransactionID"),
        "mm7_namespace": envelope.dialect.namespace,
        "mm7_version": bounded(request.mm7_version, f"{where}/MM7Version"),
    }
    return Replacement(
        content=content_of(envelope, f"{where}/Content"),
        date=None if isinstance(date, Relative) else date,
        deliver_at=read_time(request.earliest_delivery_time, f"{where}/EarliestDeliveryTime"),
        expires=read_time(request.expiry_date, f"{where}/ExpiryDate"),
        read_report=request.read_reply,
        delivery_report=request.delivery_report,
        adaptation_allowed=request.allow_adaptations,
        details={**own, "service_code": code} if code else own,
    )


def _spelled(address: str, vasp: Vasp, outcome: Changed) -> str:
    named = as_named(address, outcome.details)
    return told(Address.of(address), vasp.rewrites_out).value if named is None else named.value


def _replacement(envelope: Envelope, request: ReplaceReq) -> Replacement:
    date = read_time(request.time_stamp, "ReplaceReq/TimeStamp")
    given = {name: getattr(request, name) for name in _DETAILS}
    for name in _FLAGS:
        flag = getattr(request, name)
        if flag is not None:
            given[name] = "true" if flag else "false"
    return Replacement(
        content=content_of(envelope, "ReplaceReq/Content"),
        date=None if isinstance(date, Relative) else date,
        deliver_at=read_time(request.earliest_delivery_time, "ReplaceReq/EarliestDeliveryTime"),
        read_report=request.read_reply,
        adaptation_allowed=request.allow_adaptations,
        details={name: bounded(value, f"ReplaceReq ({name})") for name, value in given.items() if value},
    )


def _key(envelope: Envelope, vasp: Vasp, operation: str) -> str:
    """What makes a request the same again (semantics: identifier and content, or the identifier alone)."""
    if vasp.repeats is Repeats.OFF:
        return ""
    content = b"" if envelope.content is None else envelope.content.data
    octets = (envelope.soap, content) if vasp.repeats is Repeats.CONTENT else ()
    return repeat_key("mm7", vasp.name, operation, envelope.transaction_id, content=octets).hex()
