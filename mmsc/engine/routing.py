"""Where a number lives: own prefixes, peers' prefixes (the longest wins), short codes; and why."""

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from typing import Final

from mmsc.domain.address import (
    Address,
    AddressKind,
    Normalised,
    NotAnAddress,
    NumberPlan,
    Rewrite,
    longest_first,
    longest_prefix,
)
from mmsc.domain.message import Route
from mmsc.engine.directory import Neighbours
from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """Which numbers are ours, and who takes what nobody else does. `default_peer` may be a hub."""

    own_prefixes: tuple[str, ...] = ("+",)
    own_domains: tuple[str, ...] = ("mms.example",)
    unknown_subscribers_served: bool = True
    default_peer: str = ""
    rewrites: Mapping[str, tuple[Rewrite, ...]] = field(default_factory=dict)


_REMEMBERED: Final = 8192  # addresses
_SHORT: Final = 64  # letters: no address that means somebody is longer than its few


class Routing:
    """Implements `ports.Numbers`."""

    def __init__(self, plan: NumberPlan, policy: RoutingPolicy, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self.take_over(plan, policy)

    def take_over(self, plan: NumberPlan, policy: RoutingPolicy) -> None:
        """From now on these."""
        self._plan = plan
        self._policy = policy
        self._own_prefixes = longest_first(policy.own_prefixes)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(plan.normalise)  # the same few write most messages

    def normalise(self, text: str, neighbour: str = "") -> Normalised | NotAnAddress:
        """The address that a neighbour (`vasp:NAME`, `peer:NAME`, "" for a subscriber) means by `text`."""
        normalise = self._remembered if len(text) <= _SHORT else self._plan.normalise
        found = normalise(self._without_own_domain(text), self._rewrites(neighbour))
        if isinstance(found, Normalised) and found.address.value in self._neighbours.short_codes:
            return Normalised(Address(AddressKind.SHORT_CODE, found.address.value), found.steps)
        return found

    def route(self, address: Address) -> tuple[Route, str, str]:
        """(route, target, why)."""
        if address.kind is AddressKind.SHORT_CODE:
            vasp = self._neighbours.short_codes.get(address.value)
            if vasp is None:
                return Route.NONE, "", f"no VASP has the short code {address}"
            return Route.VASP, vasp, f"short code of VASP {vasp}"
        if address.kind is AddressKind.PHONE:
            return self._route_number(address)
        return Route.NONE, "", f"nothing here takes {address.kind} addresses"

    def why_not_ours(self, address: Address) -> str:
        """Why this is no subscriber of ours; "" when it is one."""
        if self._neighbours.is_listed(address):
            return ""
        own = longest_prefix(address.value, self._own_prefixes) if address.kind is AddressKind.PHONE else ""
        if not own or len(own) < len(self._neighbours.peer_for(address.value)[1]):
            return f"{address} is no number of ours"
        if self._policy.unknown_subscribers_served:
            return ""
        return f"{address} has our prefix {own} and is no subscriber"

    def delivers(self, vasp: str) -> bool:
        """Whether this VASP has an address for MM7_deliver."""
        known = self._neighbours.vasps.get(vasp)
        return known is not None and bool(known.delivers_to)

    def largest_for(self, peer: str) -> int:
        """Octets of the largest content that a peer takes, 0 when it is not configured."""
        known = self._neighbours.peers.get(peer)
        return 0 if known is None else known.maximum_octets

    def _route_number(self, address: Address) -> tuple[Route, str, str]:
        own = longest_prefix(address.value, self._own_prefixes)
        peer, theirs = self._neighbours.peer_for(address.value)
        listed = self._neighbours.is_listed(address)
        if listed or (own and len(own) >= len(theirs)):
            if not listed and not self._policy.unknown_subscribers_served:
                return Route.NONE, "", f"{address} has our prefix {own} and is no subscriber"
            smsc = self._neighbours.smsc_of(address)
            if not smsc:
                return Route.NONE, "", "no SMSC is configured"
            return Route.SUBSCRIBER, smsc, "listed subscriber" if listed else f"own prefix {own}"
        if peer:
            return Route.PEER, peer, f"prefix {theirs} of peer {peer}"
        if self._policy.default_peer:
            return Route.PEER, self._policy.default_peer, "default peer"
        return Route.NONE, "", f"no prefix matches {address}"

    def _rewrites(self, neighbour: str) -> tuple[Rewrite, ...]:
        kind, _, name = neighbour.partition(":")
        if kind == "vasp" and name in self._neighbours.vasps:
            return self._neighbours.vasps[name].rewrites
        if kind == "peer" and name in self._neighbours.peers:
            return self._neighbours.peers[name].rewrites
        return self._policy.rewrites.get(neighbour, ())

    def _without_own_domain(self, text: str) -> str:
        if "@" not in text:
            return text
        local, _, domain = text.rpartition("@")
        return local if domain.lower().rstrip(">") in self._policy.own_domains else text
