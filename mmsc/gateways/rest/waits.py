"""REST: long polls. Answered when a message is where it is wanted, or when the time is over."""

from typing import Annotated, Final

import msgspec

from mmsc.control.messages import MessageRow
from mmsc.control.waiting import LONGEST_SECONDS, TooManyWait, Waited
from mmsc.domain.states import RecipientState
from mmsc.engine.queries.messages import Gone
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem, number_in
from mmsc.gateways.rest.messages import ID, Id, Query, problem_of, query_of
from mmsc.gateways.rest.shapes import shape_of, shaped
from mmsc.trace.events import KINDS

_TAG: Final = "wait"
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_SECONDS)]
_Names = Annotated[str, msgspec.Meta(max_length=500)]


class Wished(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when: `state` is one or several states (with commas) that every recipient is in or was in, with `any` at
    least one of them; `event` kinds of events that the message has. With neither: until no recipient is open. `timeout`
    is real time, in seconds."""

    state: _Names = ""
    event: _Names = ""
    any: bool = False
    timeout: Seconds = 30.0


class WishedMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until there is a message above number `after` that `q` finds; `timeout` is real time, in seconds."""

    q: Query = ""
    after: Id = 0
    timeout: Seconds = 30.0


class WaitEnded(msgspec.Struct, frozen=True):
    """How it ended: as it was wanted, or the time was over. `message` is null when there is none yet."""

    reached: bool
    message: MessageRow | None


async def _for_message(call: Call) -> Answer:
    mm_id, asked = number_in(call, "id"), call.query
    states = [_state(one) for one in _listed(asked.state)]
    kinds = [_kind(one) for one in _listed(asked.event)]
    try:
        waited = await call.control.waiting.for_message(
            mm_id, states=states, events=kinds, every=not asked.any, timeout_seconds=asked.timeout
        )
    except TooManyWait as error:
        raise _busy(error) from error
    if isinstance(waited, Gone):
        raise problem_of(mm_id, waited)
    return _ended(waited)


async def _for_query(call: Call) -> Answer:
    asked: WishedMessage = call.query
    query = query_of(call, asked.q)
    try:
        waited = await call.control.waiting.for_query(query, after=asked.after, timeout_seconds=asked.timeout)
    except TooManyWait as error:
        raise _busy(error) from error
    return _ended(waited)


def _ended(waited: Waited) -> Answer:
    return Answer(shaped(WaitEnded(waited.reached, waited.message)))


def _busy(error: TooManyWait) -> Problem:
    return Problem(429, str(error), retry_after="5")


def _listed(text: str) -> list[str]:
    return [one for part in text.split(",") if (one := part.strip().lower())]


def _state(name: str) -> RecipientState:
    try:
        return RecipientState(name)
    except ValueError as error:
        raise Problem(400, f"state: {name[:40]!r} is none of {', '.join(RecipientState)}") from error


def _kind(name: str) -> str:
    if name not in KINDS:
        raise Problem(400, f"event: {name[:40]!r} is no kind of event")
    return name


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/messages/wait",
        summary="Wait for a message that is looked for; it may be there already",
        tag=_TAG,
        handle=_for_query,
        query=WishedMessage,
        answers={200: shape_of(WaitEnded)},
        problems=(429,),
        examples={"q": "to:+15550100123 state:retrieved", "timeout": 0},
        description="`q` as in `GET /messages`. A client that goes away waits no longer.",
    ),
    Endpoint(
        method="GET",
        path="/messages/{id}/wait",
        summary="Wait until a message reaches a state, or something happened to it",
        tag=_TAG,
        handle=_for_message,
        query=Wished,
        answers={200: shape_of(WaitEnded)},
        problems=(410, 429),
        parameters=ID,
        examples={"state": "retrieved,expired", "timeout": 0},
    ),
)
