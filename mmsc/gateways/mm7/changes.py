"""CancelReq and ReplaceReq to domain words, and what came of them to an answer (TS 23.140 8.7.3, 8.7.4)."""

import hashlib
from typing import Final

from mmsc.domain.address import Address, told
from mmsc.domain.changes import Asked, Changed, Replacement, Unknown
from mmsc.domain.message import Relative
from mmsc.domain.neighbours import Repeats, Vasp
from mmsc.domain.refusal import Refused
from mmsc.engine.ports import Changes
from mmsc.gateways.mm7.answers import answered, context_of, refused
from mmsc.gateways.mm7.coded import as_named
from mmsc.gateways.mm7.translate import STATUS_OF, bounded, content_of, read_time
from mmsc.net.http import HttpAnswer
from protocols.mm7 import CancelReq, Envelope, ReplaceReq, StatusCode

_DETAILS: Final = ("service_code", "content_class", "applic_id", "reply_applic_id", "aux_applic_info")
_FLAGS: Final = ("distribution_indicator", "drm_content")


async def change(changes: Changes, envelope: Envelope, request: CancelReq | ReplaceReq, vasp: Vasp) -> HttpAnswer:
    """Carry a request out for the VASP that sent it. Raises Mm7Error for values that mean nothing."""
    context = context_of(envelope, vasp)
    asked = Asked(
        vasp=vasp.name,
        message_id=request.message_id,
        key=_key(envelope, vasp, context.operation),
        identifier=envelope.transaction_id,
    )
    if isinstance(request, CancelReq):
        outcome = await changes.cancel(asked)
    else:
        outcome = await changes.replace(asked, _replacement(envelope, request))
    match outcome:
        case Unknown():
            why = f"no MM of yours has the MessageID {request.message_id!r}"
            return refused(context, StatusCode.MESSAGE_ID_NOT_FOUND, why)
        case Refused():
            return refused(context, STATUS_OF[outcome.reason], outcome.because)
        case Changed():
            late = "; ".join(f"{_spelled(address, vasp, outcome)}: {why}" for address, why in outcome.late)
            if not outcome.done:
                answer = refused(context, StatusCode.NOT_POSSIBLE, late)
            else:
                answer = answered(context, StatusCode.PARTIAL_SUCCESS if late else StatusCode.SUCCESS, late)
            answer.mm_id = outcome.mm_id
            return answer


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
    digest = hashlib.sha256(f"mm7\0{vasp.name}\0{operation}\0{envelope.transaction_id}\0".encode())
    if vasp.repeats is Repeats.CONTENT:
        digest.update(envelope.soap)
        digest.update(b"" if envelope.content is None else envelope.content.data)
    return digest.hexdigest()
