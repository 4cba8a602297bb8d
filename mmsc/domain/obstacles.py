"""What stands between a submission and a recipient, in words for the submitter."""

from collections.abc import Sequence
from typing import Final

from mmsc.domain.message import Interface, Origin, RefusedRecipient, Route
from mmsc.domain.refusal import RefusalReason, Refused

_SAME: Final = {Route.PEER: Interface.MM4, Route.VASP: Interface.MM7}


def obstacle_to(origin: Origin, route: Route, target: str, why: str, *, delivers: bool = True) -> str:
    """Why a recipient of a submission from `origin` cannot be taken, "" when it can. `delivers`: a VASP has an address
    for DeliverReq."""
    if route is Route.NONE:
        return why
    if route is Route.VASP and not delivers:
        return f"{why}, which has no address for MM7_deliver"
    if origin.neighbour == target and origin.interface is _SAME.get(route):
        return f"{why}: it would go back where it came from"
    return ""


def nobody_left(refused: Sequence[RefusedRecipient], reasons: Sequence[RefusalReason]) -> Refused:
    """Why nobody is left to deliver to."""
    if not refused:
        return Refused(RefusalReason.NO_RECIPIENTS, "no recipient to deliver to")
    reason = reasons[0] if len(set(reasons)) == 1 else RefusalReason.RECIPIENT_UNKNOWN
    return Refused(reason, "; ".join(f"{one.text}: {one.because}" for one in refused[:10]), refused[0].text)
