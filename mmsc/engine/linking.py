"""LinkedID: the MM that was delivered to a VASP and that its SubmitReq answers (TS 23.140 8.7.1, 8.7.2)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mmsc.domain.message import Mm, Remark, Submission, on_lane
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.chronicle import Chronicle
from mmsc.ids import id_in
from mmsc.store import messages as sql
from mmsc.store.core import Store, StoreBusy, StoreUnavailable
from mmsc.trace import events as trace

_RULE: Final = "MM7-R901"  # from 900 on: what only the engine can see


async def linked(store: Store, submission: Submission) -> tuple[Submission, Mm | None] | Refused:
    """The submission, and the MM that it answers. One that is unknown, or was another VASP's, is refused; or it is None
    and a remark, where the VASP's setting says so. Delivery may still be under way: the VASP may answer before it says
    that it has the MM."""
    wanted = id_in(submission.linked_id)
    try:
        found = None if wanted is None else await sql.with_recipients(store, wanted)
    except StoreBusy:
        return Refused(RefusalReason.BUSY, "too many requests wait for the store")
    except StoreUnavailable as error:
        return Refused(RefusalReason.STORE_UNAVAILABLE, str(error))
    if found is not None and on_lane(submission.origin.key, found[1]):
        return submission, found[0]
    why = f"no MM that was delivered to this VASP has the LinkedID {submission.linked_id!r}"
    if not submission.unknown_linked_id_accepted:
        return Refused(RefusalReason.LINKED_ID_UNKNOWN, why)
    remark = Remark(_RULE, "TS 23.140 8.7.1", -1, why)
    return replace(submission, remarks=(*submission.remarks, remark)), None


def both_told(chronicle: Chronicle, submission: Submission, answer: Mm, delivered: Mm) -> Sequence[trace.Event]:
    """The events, one for each of the pair."""
    pair = trace.MmLinked(submission.origin.neighbour, submission.linked_id, delivered.message_id, answer.message_id)
    return [chronicle.event(pair, mm_id=one.id) for one in (answer, delivered)]
