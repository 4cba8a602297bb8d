"""REST: subscribers, and where numbers go. What the settings file names is locked; the rest is made here, and is in
force on all nodes with the answer.
"""

from typing import Any, Final

import msgspec

from mmsc.control.subscribers import Listed
from mmsc.domain.address import Address, NotAnAddress
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.gateways.rest.setup import REFUSALS, Page, refused, setup_of
from mmsc.gateways.rest.setup_types import GIVEN

_NUMBER: Final = {"number": "a number, as the number plan reads it: +15550000001, 1 555 000 0001"}
_EXAMPLES: Final = {"number": "+15550000042", "body": {"mms": "on", "run": "ci-4711"}}


class SubscriberEntry(msgspec.Struct, frozen=True):
    """One number. `origin` is config (locked: it is the settings file's), console, or learned: its requests alone tell
    of it. `seen_at` is when its handset spoke last (µs UTC), null for never."""

    number: str
    origin: str
    where: str
    mms: str
    smsc: str
    ip: str
    run: str
    user_agent: str
    profile_url: str
    seen_at: int | None


class SubscriberPage(msgspec.Struct, frozen=True):
    """A page of them; `next` is the `after` of the next one, "" when this is the last. `count` is how many numbers are
    known altogether."""

    subscribers: list[SubscriberEntry]
    next: str
    count: int


class RouteTold(msgspec.Struct, frozen=True):
    """What becomes of a number: how it is read, what it is, where it goes ("none": nowhere), and why."""

    number: str
    kind: str
    steps: list[str]
    route: str
    target: str
    why: str


class NamedBy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who names it: `vasp:NAME`, `peer:NAME`, or "" for a subscriber."""

    neighbour: str = ""


async def _listed(call: Call) -> Answer:
    subscribers = setup_of(call).subscribers
    found, more = subscribers.listed(call.query.after, call.query.limit, call.query.q)
    return Answer(SubscriberPage([_told(one) for one in found], more, subscribers.count))


async def _one(call: Call) -> Answer:
    found = setup_of(call).subscribers.one(_number(call, 404))
    if found is None:
        raise _unknown(call)
    return Answer(_told(found))


async def _put(call: Call) -> Answer:
    number = _number(call, 400)
    try:
        found, new = await setup_of(call).subscribers.put(number, call.body)
    except REFUSALS as error:
        raise refused(error) from error
    return Answer(_told(found), 201 if new else 200)


async def _delete(call: Call) -> Answer:
    number = _number(call, 404)
    try:
        if not await setup_of(call).subscribers.delete(number):
            raise _unknown(call)
    except REFUSALS as error:
        raise refused(error) from error
    return Answer(status=204)


async def _route(call: Call) -> Answer:
    numbers = call.control.engine.numbers
    found = numbers.normalise(call.path["number"], call.query.neighbour)
    if isinstance(found, NotAnAddress):
        return Answer(RouteTold(call.path["number"], "none", [], "none", "", found.because))
    route, target, why = numbers.route(found.address)
    address = found.address
    return Answer(RouteTold(address.value, str(address.kind), list(found.steps), str(route), target, why))


def _number(call: Call, status: int) -> Address:
    try:
        return setup_of(call).subscribers.number(call.path["number"])
    except REFUSALS as error:
        raise Problem(status, str(error)) from error


def _told(listed: Listed) -> SubscriberEntry:
    one = listed.subscriber
    return SubscriberEntry(
        one.address.value,
        listed.origin,
        listed.where,
        str(one.mms),
        one.smsc,
        one.ip,
        one.run,
        one.user_agent,
        one.profile_url,
        one.seen_at,
    )


def _unknown(call: Call) -> Problem:
    return Problem(404, f"nothing is known of {call.path['number'][:60]!r}")


_COMMON: Final[dict[str, Any]] = {
    "path": "/subscribers/{number}",
    "tag": "subscribers",
    "parameters": _NUMBER,
    "examples": _EXAMPLES,
}
ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/subscribers",
        summary="The numbers that are known",
        tag="subscribers",
        handle=_listed,
        query=Page,
        answers={200: SubscriberPage},
    ),
    Endpoint(method="GET", summary="One number", handle=_one, answers={200: SubscriberEntry}, **_COMMON),
    Endpoint(
        method="PUT",
        summary="Make a subscriber, or change all of him",
        handle=_put,
        body=dict[str, Any],
        documented=GIVEN["subscriber"],
        answers={200: SubscriberEntry, 201: SubscriberEntry},
        problems=(409,),
        **_COMMON,
    ),
    Endpoint(
        method="DELETE",
        summary="Delete a subscriber",
        description="MMs that are under way to him go on. What his handset showed stays known.",
        handle=_delete,
        answers={204: None},
        problems=(409,),
        **_COMMON,
    ),
    Endpoint(
        method="GET",
        path="/routes/{number}",
        summary="Where a number goes, and why",
        tag="routes",
        handle=_route,
        query=NamedBy,
        answers={200: RouteTold},
        parameters={"number": "a number, a short code or an address, as somebody wrote it"},
        examples={"number": "+15550000001"},
    ),
)
