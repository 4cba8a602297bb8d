"""REST: service time. It is what expiry, retries, delivery times and retention read; network time-outs stay real."""

from typing import Annotated, Any, Final

import msgspec

from mmsc.control.clocking import Clocking, ClockRefused, Nonsense
from mmsc.domain.instant import SECOND, Instant
from mmsc.engine.away import STORE_AWAY
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem

_TAG: Final = "clock"
_MOST: Final = 200


class ClockState(msgspec.Struct, frozen=True):
    """How service time runs. Times are µs UTC since 1970, read together; `ahead_seconds` is below 0 when it is behind
    real time. `stays` says why it does not go back to real time, "" when it may; `held` why nobody may turn it."""

    service: int
    real: int
    ahead_seconds: float
    speed: float
    paused: bool
    timers: int
    stays: str
    held: str


class DueRow(msgspec.Struct, frozen=True):
    """Something that happens at `at` (service time, µs) if nothing happens before."""

    at: int
    what: str
    about: str
    lane: str
    mm_id: str | None


class DueList(msgspec.Struct, frozen=True):
    """What is due next; `timers` counts all that wait (1,000 stands for that or more)."""

    now: int
    timers: int
    due: list[DueRow]


class HowMany(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of them."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] = 20


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do with the clock. `real`: back to real time; `paused`; `speed`: service seconds for each real one;
    `step_seconds`: how far to jump ahead; `to`: the moment to jump to (µs UTC); `to_next`: jump to what is due next;
    in this order. Null and false change nothing."""

    paused: bool | None = None
    speed: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] | None = None
    step_seconds: Annotated[float, msgspec.Meta(gt=0, le=3_153_600_000)] | None = None
    to: Annotated[int, msgspec.Meta(ge=0, le=9_000_000_000_000_000)] | None = None
    to_next: bool = False
    real: bool = False


def _clocking(call: Call) -> Clocking:
    if call.control.clocking is None:
        raise Problem(404, "the clock of this server is not to be turned")
    return call.control.clocking


async def _look(call: Call) -> Answer:
    try:
        return Answer(await _state(_clocking(call)))
    except STORE_AWAY as error:
        raise _away() from error


async def _due(call: Call) -> Answer:
    clocking = _clocking(call)
    try:
        due, timers = await clocking.due(call.query.limit), await clocking.timers()
    except STORE_AWAY as error:
        raise _away() from error
    rows = [DueRow(one.at, one.what, one.about, one.lane, _text(one.mm_id)) for one in due]
    return Answer(DueList(clocking.view().now, timers, rows))


async def _turn(call: Call) -> Answer:
    clocking = _clocking(call)
    try:
        await _turned(clocking, call.body)
        return Answer(await _state(clocking))
    except Nonsense as error:
        raise Problem(400, str(error)) from error
    except ClockRefused as error:
        raise Problem(409, str(error)) from error
    except STORE_AWAY as error:
        raise _away() from error


async def _turned(clocking: Clocking, turn: Turn) -> None:
    if turn.real:
        await clocking.to_real()
    if turn.paused is not None:
        await (clocking.pause() if turn.paused else clocking.resume())
    if turn.speed is not None:
        await clocking.speed(turn.speed)
    if turn.step_seconds is not None:
        await clocking.step(turn.step_seconds)
    if turn.to is not None:
        await clocking.to(Instant(turn.to))
    if turn.to_next:
        await clocking.to_next()


async def _state(clocking: Clocking) -> ClockState:
    view = clocking.view()
    return ClockState(
        view.now,
        view.real,
        view.ahead / SECOND,
        view.speed,
        view.paused,
        await clocking.timers(),
        await clocking.why_not_back(),
        await clocking.why_not(),
    )


def _text(mm_id: int | None) -> str | None:
    return None if mm_id is None else str(mm_id)


def _away() -> Problem:
    return Problem(503, "the store does not answer at the moment", retry_after="5")


def _row(method: str, path: str, summary: str, handle: Any, **more: Any) -> Endpoint:
    made = {"method": method, "path": path, "summary": summary, "tag": _TAG, "handle": handle}
    return Endpoint(**{**made, "problems": (404, 503), **more})


ENDPOINTS: Final = (
    _row("GET", "/clock", "Service time and real time", _look, answers={200: ClockState}),
    _row("GET", "/clock/due", "What is due next", _due, query=HowMany, answers={200: DueList}),
    _row(
        "POST",
        "/clock",
        "Turn the clock",
        _turn,
        body=Turn,
        answers={200: ClockState},
        problems=(400, 404, 409, 503),
        description="Service time never goes back while messages are stored: that is answered with 409.",
    ),
)
