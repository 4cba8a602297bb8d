"""REST: the lanes, what waits on one, and what can be done about it."""

from typing import Final

import msgspec

from mmsc.control.lanes import Act, Acting, LaneSeen, LaneState
from mmsc.engine.engine import QueuedTask
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One neighbour's queue on this node. Times are microseconds since 1970, UTC: `until` and `last_answer_at` real
    time, `next_at` service time; 0: none."""

    name: str
    kind: str
    target: str
    state: LaneState
    why: str
    in_flight: int
    in_memory: int
    waiting: int
    oldest_seconds: float
    next_at: int
    until: int
    last_answer: str
    last_answer_good: bool
    last_answer_at: int
    done: list[int]
    failed: list[int]
    acts: list[Act]


class Lanes(msgspec.Struct, frozen=True):
    """All lanes; those that do not move first."""

    lanes: list[Lane]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a lane has to do. `recipient` "": for all recipients of the MM; `mm_id` "": it is about none."""

    id: str
    mm_id: str
    sender: str
    recipient: str
    kind: str
    due_at: int
    attempt: int
    owner: str
    in_hands: bool


class Queue(msgspec.Struct, frozen=True):
    """A lane and its tasks: those in somebody's hands, then the first 200 that wait."""

    lane: Lane
    tasks: list[Task]


async def _listed(call: Call) -> Answer:
    return Answer(Lanes([_lane(one) for one in await call.control.lanes.listed()]))


async def _one(call: Call) -> Answer:
    name = call.path["name"]
    seen = await call.control.lanes.one(name)
    if seen is None:
        raise _unknown(name)
    tasks = await call.control.lanes.queue(name)
    if tasks is None:
        raise _store_away()
    return Answer(Queue(_lane(seen), [_task(one) for one in tasks]))


async def _act(call: Call) -> Answer:
    try:
        act = Act(call.path["act"])
    except ValueError:
        raise Problem(404, f"{call.path['act'][:40]!r} is none of {', '.join(Act)}") from None
    done = await call.control.lanes.act(call.path["name"], act, "rest")
    if done is Acting.STORE_AWAY:
        raise _store_away()
    if done is Acting.NO_SUCH_LANE:
        raise _unknown(call.path["name"])
    return Answer(status=204)


def _lane(seen: LaneSeen) -> Lane:
    last = seen.last
    return Lane(
        name=seen.name,
        kind=seen.kind,
        target=seen.target,
        state=seen.state,
        why=seen.why,
        in_flight=seen.in_flight,
        in_memory=seen.in_memory,
        waiting=seen.waiting,
        oldest_seconds=seen.oldest_seconds,
        next_at=seen.next_at,
        until=seen.until,
        last_answer="" if last is None else last.words,
        last_answer_good=last is not None and last.good,
        last_answer_at=0 if last is None else last.at_real,
        done=list(seen.done),
        failed=list(seen.failed),
        acts=list(seen.acts),
    )


def _task(task: QueuedTask) -> Task:
    return Task(
        id=str(task.id),
        mm_id="" if task.mm_id is None else str(task.mm_id),
        sender=task.sender,
        recipient=task.recipient,
        kind=task.kind,
        due_at=task.due_at,
        attempt=task.attempt,
        owner=task.owner,
        in_hands=task.in_hands,
    )


def _unknown(name: str) -> Problem:
    return Problem(404, f"no lane {name[:60]!r} has had anything to do since the start")


def _store_away() -> Problem:
    return Problem(503, "the store takes nothing at the moment", retry_after="5")


_NAME: Final = {"name": "as `smsc:NAME`, `vasp:NAME`, `peer:NAME`"}
ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/lanes",
        summary="All lanes: whether they move, and why not",
        tag="lanes",
        handle=_listed,
        answers={200: Lanes},
    ),
    Endpoint(
        method="GET",
        path="/lanes/{name}",
        summary="One lane and what it has to do",
        tag="lanes",
        handle=_one,
        answers={200: Queue},
        problems=(404, 503),
        parameters=_NAME,
    ),
    Endpoint(
        method="POST",
        path="/lanes/{name}/{act}",
        summary="Stop a lane, let it go, have it try now, or end its back-off",
        tag="lanes",
        handle=_act,
        answers={204: None},
        problems=(404, 503),
        parameters={**_NAME, "act": "stop, go, retry or drop_back_off"},
    ),
)
