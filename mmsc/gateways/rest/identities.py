"""REST: which subscriber has which IP address, for labs without a gateway that adds the number to each request.

IP is an address or a network (`2001:db8::/64`). What was answered with 200, 201 or 204 is stored, and counts at once.
"""

from typing import Annotated, Final

import msgspec

from mmsc.domain.address import AddressKind, NotAnAddress
from mmsc.domain.networks import network_of, spelled
from mmsc.engine.address_ports import Assigning
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem

_PLACE: Final = "/identities"
_ONE: Final = f"{_PLACE}/{{ip:.+}}"
_LONGEST_PAGE: Final = 1000


class AssignedNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose an address is."""

    number: str


class Identity(msgspec.Struct, frozen=True):
    """An address or a network, and its subscriber."""

    ip: str
    number: str


class Identities(msgspec.Struct, frozen=True):
    """A page of them; `next` is the `after` of the next one, "" when this is the last."""

    identities: list[Identity]
    next: str


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page."""

    after: str = ""
    limit: Annotated[int, msgspec.Meta(ge=0)] = _LONGEST_PAGE


async def _listed(call: Call) -> Answer:
    limit = min(max(1, call.query.limit), _LONGEST_PAGE)
    found = call.control.engine.assigned.listed(call.query.after, limit)
    more = found[-1][0] if found and len(found) == limit else ""
    return Answer(Identities([Identity(network, number.value) for network, number in found], more))


async def _one(call: Call) -> Answer:
    network = _network(call, 404)
    number = call.control.engine.assigned.number_of(network)
    if number is None:
        raise _unknown(network)
    return Answer(Identity(network, number.value))


async def _put(call: Call) -> Answer:
    network = _network(call, 400)
    text = call.body.number
    found = call.control.engine.numbers.normalise(text)
    if isinstance(found, NotAnAddress) or found.address.kind is not AddressKind.PHONE:
        why = found.because if isinstance(found, NotAnAddress) else f"{found.address.kind} is no telephone number"
        raise Problem(400, f"number {text[:60]!r}: {why}")
    outcome = await call.control.engine.assigned.assign(network, found.address)
    if outcome is Assigning.STORE_AWAY:
        raise _store_away()
    if outcome is Assigning.FULL:
        raise Problem(409, "as many addresses are assigned as are kept: release some")
    status = 201 if outcome is Assigning.NEW else 200
    return Answer(Identity(network, found.address.value), status)


async def _delete(call: Call) -> Answer:
    network = _network(call, 404)
    outcome = await call.control.engine.assigned.release(network)
    if outcome is Assigning.STORE_AWAY:
        raise _store_away()
    if outcome is not Assigning.RELEASED:
        raise _unknown(network)
    return Answer(status=204)


def _network(call: Call, status: int) -> str:
    text = call.path["ip"]
    try:
        return spelled(network_of(text))
    except ValueError as error:
        raise Problem(status, f"{text[:60]!r} is no IP address and no network") from error


def _store_away() -> Problem:
    return Problem(503, "the store takes nothing at the moment", retry_after="5")


def _unknown(network: str) -> Problem:
    return Problem(404, f"{network} is not assigned")


_IP: Final = {"ip": "an IP address, or a network as 192.0.2.0/24"}
ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path=_PLACE,
        summary="The addresses that are assigned to subscribers",
        tag="identities",
        handle=_listed,
        query=Page,
        answers={200: Identities},
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        summary="Whose an address is",
        tag="identities",
        handle=_one,
        answers={200: Identity},
        problems=(404,),
        parameters=_IP,
    ),
    Endpoint(
        method="PUT",
        path=_ONE,
        summary="Assign an address to a subscriber",
        tag="identities",
        handle=_put,
        body=AssignedNumber,
        answers={200: Identity, 201: Identity},
        problems=(409, 503),
        parameters=_IP,
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        summary="Release an address",
        tag="identities",
        handle=_delete,
        answers={204: None},
        problems=(404, 503),
        parameters=_IP,
    ),
)
