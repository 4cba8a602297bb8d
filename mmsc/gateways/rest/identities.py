"""REST: which subscriber has which IP address, for labs without a gateway that adds the number to each request.

`GET /api/v1/identities?after=IP&limit=N`, `GET`, `PUT {"number": "+15550100123"}` and `DELETE` of
`/api/v1/identities/IP`, where IP is an address or a network (`2001:db8::/64`). What was answered with 200, 201 or 204
is stored, and counts at once.
"""

from typing import Final
from urllib.parse import parse_qsl, unquote

import msgspec

from mmsc.domain.address import AddressKind, NotAnAddress
from mmsc.domain.networks import network_of, spelled
from mmsc.engine.address_ports import AddressBook, Assigning
from mmsc.engine.ports import Numbers
from mmsc.gateways.rest.answers import json_answer, no_content, problem
from mmsc.net.http import HttpAnswer, HttpRequest

PLACE: Final = "/api/v1/identities"
_LONGEST_PAGE: Final = 1000
_DIGITS: Final = 9
_ALLOWED: Final = "GET, HEAD, PUT, DELETE"


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    number: str


class Identities:
    """Handles what lies at PLACE."""

    def __init__(self, numbers: Numbers, book: AddressBook) -> None:
        self._numbers = numbers
        self._book = book

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        text = unquote(request.path.removeprefix(PLACE)).removeprefix("/")
        if not text:
            return self._list(request)
        try:
            network = spelled(network_of(text))
        except ValueError:
            return problem(404 if request.method != "PUT" else 400, f"{text[:60]!r} is no IP address and no network")
        match request.method:
            case "GET" | "HEAD":
                return self._one(network)
            case "PUT":
                return await self._put(network, request)
            case "DELETE":
                return await self._delete(network)
        return problem(405, f"{request.method} is not offered here", allow=_ALLOWED)

    def _list(self, request: HttpRequest) -> HttpAnswer:
        if request.method not in ("GET", "HEAD"):
            return problem(405, f"{request.method} is not offered here", allow="GET, HEAD")
        asked = dict(parse_qsl(request.query))
        if asked.keys() - {"after", "limit"} or not asked.get("limit", "1").isdecimal():
            return problem(400, "only after=IP and limit=N may be asked for")
        limit = min(max(1, int(asked.get("limit", "")[:_DIGITS] or _LONGEST_PAGE)), _LONGEST_PAGE)
        found = self._book.listed(asked.get("after", ""), limit)
        more = found[-1][0] if found and len(found) == limit else ""
        identities = [{"ip": network, "number": number.value} for network, number in found]
        return json_answer(200, {"identities": identities, "next": more})

    def _one(self, network: str) -> HttpAnswer:
        number = self._book.number_of(network)
        return _unknown(network) if number is None else json_answer(200, {"ip": network, "number": number.value})

    async def _put(self, network: str, request: HttpRequest) -> HttpAnswer:
        try:
            text = msgspec.json.decode(request.body, type=_Body).number
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return problem(400, f'the body must be {{"number": "+15550100123"}}: {error}')
        found = self._numbers.normalise(text)
        if isinstance(found, NotAnAddress) or found.address.kind is not AddressKind.PHONE:
            why = found.because if isinstance(found, NotAnAddress) else f"{found.address.kind} is no telephone number"
            return problem(400, f"number {text[:60]!r}: {why}")
        outcome = await self._book.assign(network, found.address)
        if outcome is Assigning.STORE_AWAY:
            return _store_away()
        if outcome is Assigning.FULL:
            return problem(409, "as many addresses are assigned as are kept: release some")
        status = 201 if outcome is Assigning.NEW else 200
        return json_answer(status, {"ip": network, "number": found.address.value})

    async def _delete(self, network: str) -> HttpAnswer:
        outcome = await self._book.release(network)
        if outcome is Assigning.STORE_AWAY:
            return _store_away()
        return no_content() if outcome is Assigning.RELEASED else _unknown(network)


def _store_away() -> HttpAnswer:
    return problem(503, "the store takes nothing at the moment", retry_after="5")


def _unknown(network: str) -> HttpAnswer:
    return problem(404, f"{network} is not assigned")
