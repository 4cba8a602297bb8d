"""The neighbours in memory, as configured now. They live in the store; this is what every lookup reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import msgspec

from mmsc.clock import Clock
from mmsc.domain.address import Address, longest_first, longest_prefix
from mmsc.domain.message import Interface, Mm
from mmsc.domain.neighbours import FallbackReport, MmsFlag, Peer, Smsc, Subscriber, Vasp
from mmsc.domain.networks import Network, NetworkTable, address_of, network_of
from mmsc.engine.assigned import Assigned
from mmsc.engine.roll import Roll
from mmsc.store import neighbours as sql
from mmsc.store.core import Lost, Statement, Store, Unit

Neighbour = Vasp | Peer | Smsc | Subscriber
_TYPES: Final[Mapping[str, type[Neighbour]]] = {"vasp": Vasp, "peer": Peer, "smsc": Smsc, "subscriber": Subscriber}
_KINDS: Final = {cls: kind for kind, cls in _TYPES.items()}


def key_of(neighbour: Neighbour) -> tuple[str, str]:
    """(kind, name), as its row has them."""
    kind = _KINDS[type(neighbour)]
    return kind, neighbour.address.value if isinstance(neighbour, Subscriber) else neighbour.name


def _numbers_of(neighbours: tuple[Neighbour, ...]) -> frozenset[str]:
    return frozenset(one.address.value for one in neighbours if isinstance(one, Subscriber))


def _is_aside(kind: str, name: str, origin: object, kept: set[tuple[str, str]]) -> bool:
    """Whether a row is that of a neighbour that people made and that is not in force."""
    return origin == "console" and kind != "subscriber" and (kind, name) not in kept


class Neighbours:
    """Implements `ports.Directory`."""

    def __init__(self, store: Store, clock: Clock, default_smsc: str = "", assigned: Assigned | None = None) -> None:
        """`assigned` are the addresses that subscribers get while the server runs."""
        self._assigned = assigned
        self._store = store
        self._clock = clock
        self._default_smsc = default_smsc
        self.vasps: dict[str, Vasp] = {}
        self.peers: dict[str, Peer] = {}
        self.smscs: dict[str, Smsc] = {}
        self.short_codes: dict[str, str] = {}
        self._subscribers: dict[str, Subscriber] = {}  # by the address's value: its kind follows from it
        self._listed: dict[str, None] = {}
        self._configured: frozenset[str] = frozenset()  # subscribers of the settings
        self._roll = Roll()
        self._by_ip: NetworkTable[Address] = NetworkTable()
        self._has_ips = False
        self._runs: dict[str, str] = {}  # of the subscribers that have one
        self._prefixes: dict[str, str] = {}
        self._longest_first: tuple[str, ...] = ()

    async def load(self, configured: tuple[Neighbour, ...], made: tuple[Neighbour, ...] = ()) -> None:
        """Upsert what the configuration names (origin config), drop what it no longer names, read everything. `made`
        are the VASPs, peers and SMSCs that people made (origin console): those that are to be in force."""
        await self._configure(configured, made=made)
        self._configured = _numbers_of(configured)
        learned: list[Subscriber] = []
        kept = set(map(key_of, made))
        for table, name, origin, stored in await sql.all_of(self._store):
            assert isinstance(stored, str)
            if table == "learned":
                learned.append(msgspec.json.decode(stored, type=Subscriber))
            elif table in _TYPES and not _is_aside(str(table), str(name), origin, kept):
                self._keep(msgspec.json.decode(stored, type=_TYPES[str(table)]))
        for subscriber in learned:
            self._remember(subscriber)

    async def replace(
        self,
        configured: tuple[Neighbour, ...],
        default_smsc: str,
        beside: tuple[Statement, ...] = (),
        made: tuple[Neighbour, ...] = (),
    ) -> None:
        """From now on the configuration names these, and people made those: what differs is written, in one unit with
        `beside`, then all of it is changed here at once. Raises StoreUnavailable and StoreBusy, and then nothing is
        changed here."""
        await self._configure(configured, beside, made)
        kept = set(map(key_of, made))
        others = [
            msgspec.json.decode(str(data), type=_TYPES[str(kind)])
            for kind, name, origin, data in await sql.all_of(self._store)
            if kind in _TYPES and origin != "config" and not _is_aside(str(kind), str(name), origin, kept)
        ]
        self._default_smsc = default_smsc
        self._configured = _numbers_of(configured)
        self._refill((*others, *configured))

    async def change(
        self, statements: tuple[Statement, ...], put: Neighbour | None, taken: tuple[str, str] | None = None
    ) -> bool:
        """Write (the first statement is a guard), then have `put`, or `taken` (kind, name) no longer; False when the
        guard was lost. Raises StoreUnavailable and StoreBusy."""

        def then() -> None:
            self.adopt(put, taken)

        outcome = await self._store.commit(Unit(statements[0], statements[1:], then))
        return not isinstance(outcome, Lost)

    def adopt(self, put: Neighbour | None, taken: tuple[str, str] | None = None) -> None:
        """From now on here: this one, and that one (kind, name) no longer. What a handset has shown stays known."""
        gone = key_of(put) if put is not None else taken
        learned = None
        if gone is not None and gone[0] == "subscriber":
            learned = self._subscribers.get(gone[1])
        if gone is not None:
            self._forget(*gone, keep_place=put is not None)
        if put is not None:
            self._keep(put)
        if learned is not None and learned.seen_at is not None:
            self._remember(learned)

    def _forget(self, kind: str, name: str, *, keep_place: bool) -> None:
        """All that this one has said. Its place in the order of names is kept for who is put there again."""
        if kind == "vasp":
            self.short_codes = {code: vasp for code, vasp in self.short_codes.items() if vasp != name}
        elif kind == "peer":
            self._prefixes = {prefix: peer for prefix, peer in self._prefixes.items() if peer != name}
            self._longest_first = longest_first(self._prefixes)
        elif kind == "subscriber" and (known := self._subscribers.get(name)) is not None:
            self._listed.pop(name, None)
            self._runs.pop(name, None)
            if known.ip:
                self._by_ip.drop(network_of(known.ip))
        if kind == "subscriber" or not keep_place:
            tables: dict[str, dict[str, Any]] = {"vasp": self.vasps, "peer": self.peers, "smsc": self.smscs}
            tables.get(kind, self._subscribers).pop(name, None)
        if kind == "subscriber" and not keep_place:
            self._roll.drop(name)

    def _refill(self, neighbours: Sequence[Neighbour]) -> None:
        """These and no others; what handsets have shown stays known."""
        learned = [one for one in self._subscribers.values() if one.seen_at is not None]
        tables: tuple[dict[str, Any], ...] = (self.vasps, self.peers, self.smscs, self.short_codes)
        for table in (*tables, self._subscribers, self._prefixes, self._runs):
            table.clear()
        self._by_ip.clear()
        self._has_ips = False
        self._listed.clear()
        self._roll.forget()
        self._longest_first = ()
        for neighbour in neighbours:
            self._keep(neighbour)
        for subscriber in learned:
            self._remember(subscriber)

    async def _configure(
        self,
        configured: tuple[Neighbour, ...],
        beside: tuple[Statement, ...] = (),
        made: tuple[Neighbour, ...] = (),
    ) -> None:
        """One unit, its rows in one order, and only what differs: nodes that start together neither wait for one
        another in a circle nor take away what the other has just written. The file of who started last counts."""
        now = self._clock.real_now()
        stored = {(str(kind), str(name)): (origin, data) for kind, name, origin, data in await sql.all_of(self._store)}
        wanted = {key_of(one): ("console", msgspec.json.encode(one).decode()) for one in made}
        wanted |= {key_of(one): ("config", msgspec.json.encode(one).decode()) for one in configured}
        new = [(key, one) for key, one in sorted(wanted.items()) if stored.get(key) != one]
        old = [key for key, (origin, _) in sorted(stored.items()) if origin == "config" and key not in wanted]
        upserts = [sql.upsert(kind, name, origin, data, now) for (kind, name), (origin, data) in new]
        if upserts or old or beside:
            await self._store.commit(Unit(None, (*upserts, *[sql.drop(kind, name) for kind, name in old], *beside)))

    def subscriber(self, address: Address) -> Subscriber:
        """The subscriber, a blank one when nothing is known of the number."""
        return self._subscribers.get(address.value) or Subscriber(address=address)

    def some_subscribers(self, number: int) -> list[Subscriber]:
        """The first of those that are known."""
        return list(islice(self._subscribers.values(), number))

    def subscriber_at(self, ip: str) -> Subscriber | None:
        """The subscriber with this IP address: as it was assigned, else as the configuration has it; the narrower
        network counts first."""
        assigned = None if self._assigned is None else self._assigned.find(ip)
        configured = None
        if self._has_ips and (address := address_of(ip)) is not None:
            configured = self._by_ip.find(address)
        found = configured if assigned is None or (configured and configured[0] > assigned[0]) else assigned
        return None if found is None else self.subscriber(found[1])

    def run_of(self, address: Address) -> str:
        """The run tag of what a subscriber sends, "" for none."""
        return self._runs.get(address.value, "")

    def is_listed(self, address: Address) -> bool:
        """Whether the number is a configured subscriber, or one that the operator has a flag for."""
        known = self._subscribers.get(address.value)
        return known is not None and (known.mms is not MmsFlag.UNKNOWN or address.value in self._listed)

    def listed(self) -> Iterator[Subscriber]:
        """The subscribers that somebody configured, in order; to be read at once, before any of them changes."""
        return (self._subscribers[value] for value in self._listed)

    def listed_one(self, number: str) -> Subscriber | None:
        """A subscriber that somebody configured, by the number (`+15550100123`)."""
        return self._subscribers[number] if number in self._listed else None

    @property
    def subscriber_count(self) -> int:
        """How many numbers are known."""
        return len(self._subscribers)

    def subscriber_page(self, after: str, beginning: str, limit: int) -> list[str]:
        """At most `limit` numbers that are known, begin so and come after `after`, in order."""
        return self._roll.page(self._subscribers, after, beginning, limit)

    def is_known(self, address: Address) -> bool:
        """Whether a number is configured, was made, or is that of a handset that was here."""
        return address.value in self._subscribers

    def is_configured(self, address: Address) -> bool:
        """Whether a number is the settings'."""
        return address.value in self._configured

    def is_made(self, address: Address) -> bool:
        """Whether somebody made this subscriber while the server ran."""
        return address.value in self._listed and address.value not in self._configured

    def configured_at(self, network: Network) -> Address | None:
        """Whose exactly this network is, None when it is nobody's."""
        return self._by_ip.get(network)

    def smsc_of(self, address: Address) -> str:
        """The SMSC that reaches this subscriber, "" when none is configured."""
        known = self._subscribers.get(address.value)
        return (known.smsc if known is not None else "") or self._default_smsc or next(iter(self.smscs), "")

    def link_is_told_by_receipt(self, mm: Mm) -> bool:
        """Whether the SMSC's receipt of the web link is the report, and not the page's first view."""
        vasp = self.vasps.get(mm.origin.neighbour) if mm.origin.interface is Interface.MM7 else None
        return vasp is not None and vasp.fallback_report is FallbackReport.SMS_DELIVERED

    def peer_for(self, number: str) -> tuple[str, str]:
        """(peer, its longest prefix of this number), both "" when there is none."""
        prefix = longest_prefix(number, self._longest_first)
        return self._prefixes.get(prefix, ""), prefix

    async def learn(self, subscriber: Subscriber) -> bool:
        """Keep what MM1 requests showed of a handset; returns after the commit."""
        data = msgspec.json.encode(subscriber).decode()
        statement = sql.upsert("learned", subscriber.address.value, "learned", data, self._clock.real_now())
        outcome = await self._store.commit(Unit(None, (statement,)))
        self._remember(subscriber)
        return not isinstance(outcome, Lost)

    def _keep(self, neighbour: Neighbour) -> None:
        match neighbour:
            case Vasp():
                self.vasps[neighbour.name] = neighbour
                self.short_codes.update(dict.fromkeys(neighbour.short_codes, neighbour.name))
            case Peer():
                self.peers[neighbour.name] = neighbour
                self._prefixes.update(dict.fromkeys(neighbour.prefixes, neighbour.name))
                self._longest_first = longest_first(self._prefixes)
            case Smsc():
                self.smscs[neighbour.name] = neighbour
            case Subscriber():
                self._listed[neighbour.address.value] = None
                self._roll.add(neighbour.address.value)
                self._subscribers[neighbour.address.value] = neighbour
                if neighbour.run:
                    self._runs[neighbour.address.value] = neighbour.run
                if neighbour.ip:
                    self._by_ip.put(network_of(neighbour.ip), neighbour.address)
                    self._has_ips = True

    def _remember(self, learned: Subscriber) -> None:
        if learned.address.value not in self._subscribers:
            self._roll.add(learned.address.value)
        configured = self.subscriber(learned.address)
        self._subscribers[learned.address.value] = replace(
            configured,
            user_agent=learned.user_agent or configured.user_agent,
            profile_url=learned.profile_url or configured.profile_url,
            mms_version=learned.mms_version or configured.mms_version,
            seen_at=learned.seen_at,
        )
