"""The neighbours in memory, as configured now. They live in the store; this is what every lookup reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from mmsc.clock import Clock
from mmsc.domain.address import Address, longest_first, longest_prefix
from mmsc.domain.message import Interface, Mm
from mmsc.domain.neighbours import FallbackReport, MmsFlag, Peer, Smsc, Subscriber, Vasp
from mmsc.domain.networks import NetworkTable, address_of, network_of
from mmsc.engine.assigned import Assigned
from mmsc.store import neighbours as sql
from mmsc.store.core import Lost, Statement, Store, Unit

Neighbour = Vasp | Peer | Smsc | Subscriber
_TYPES: Final[Mapping[str, type[Neighbour]]] = {"vasp": Vasp, "peer": Peer, "smsc": Smsc, "subscriber": Subscriber}
_KINDS: Final = {cls: kind for kind, cls in _TYPES.items()}


def _name(neighbour: Neighbour) -> str:
    return neighbour.address.value if isinstance(neighbour, Subscriber) else neighbour.name


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
        self._by_ip: NetworkTable[Address] = NetworkTable()
        self._has_ips = False
        self._runs: dict[str, str] = {}  # of the subscribers that have one
        self._prefixes: dict[str, str] = {}
        self._longest_first: tuple[str, ...] = ()

    async def load(self, configured: tuple[Neighbour, ...]) -> None:
        """Upsert what the configuration names (origin config), drop what it no longer names, read everything."""
        await self._configure(configured)
        learned: list[Subscriber] = []
        for table, _, _, stored in await sql.all_of(self._store):
            assert isinstance(stored, str)
            if table == "learned":
                learned.append(msgspec.json.decode(stored, type=Subscriber))
            elif table in _TYPES:
                self._keep(msgspec.json.decode(stored, type=_TYPES[str(table)]))
        for subscriber in learned:
            self._remember(subscriber)

    async def replace(
        self, configured: tuple[Neighbour, ...], default_smsc: str, beside: tuple[Statement, ...] = ()
    ) -> None:
        """From now on the configuration names these: what differs is written, in one unit with `beside`, then all of it
        is changed here at once. Raises StoreUnavailable and StoreBusy, and then nothing is changed here."""
        await self._configure(configured, beside)
        others = [
            msgspec.json.decode(str(data), type=_TYPES[str(kind)])
            for kind, _, origin, data in await sql.all_of(self._store)
            if kind in _TYPES and origin != "config"
        ]
        self._default_smsc = default_smsc
        self._refill((*others, *configured))

    def _refill(self, neighbours: Sequence[Neighbour]) -> None:
        """These and no others; what handsets have shown stays known."""
        learned = [one for one in self._subscribers.values() if one.seen_at is not None]
        tables: tuple[dict[str, Any], ...] = (self.vasps, self.peers, self.smscs, self.short_codes)
        for table in (*tables, self._subscribers, self._prefixes, self._runs):
            table.clear()
        self._by_ip.clear()
        self._has_ips = False
        self._listed.clear()
        self._longest_first = ()
        for neighbour in neighbours:
            self._keep(neighbour)
        for subscriber in learned:
            self._remember(subscriber)

    async def _configure(self, configured: tuple[Neighbour, ...], beside: tuple[Statement, ...] = ()) -> None:
        """One unit, its rows in one order, and only what differs: nodes that start together neither wait for one
        another in a circle nor take away what the other has just written. The file of who started last counts."""
        now = self._clock.real_now()
        stored = {(str(kind), str(name)): (origin, data) for kind, name, origin, data in await sql.all_of(self._store)}
        wanted = {(_KINDS[type(one)], _name(one)): ("config", msgspec.json.encode(one).decode()) for one in configured}
        new = [(key, one) for key, one in sorted(wanted.items()) if stored.get(key) != one]
        old = [key for key, (origin, _) in sorted(stored.items()) if origin == "config" and key not in wanted]
        upserts = [sql.upsert(kind, name, origin, data, now) for (kind, name), (origin, data) in new]
        if upserts or old or beside:
            await self._store.commit(Unit(None, (*upserts, *[sql.drop(kind, name) for kind, name in old], *beside)))

    def subscriber(self, address: Address) -> Subscriber:
        """The subscriber, a blank one when nothing is known of the number."""
        return self._subscribers.get(address.value) or Subscriber(address=address)

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
        """The subscribers that somebody configured, in order."""
        return (self._subscribers[value] for value in tuple(self._listed))

    def listed_one(self, number: str) -> Subscriber | None:
        """A subscriber that somebody configured, by the number (`+15550100123`)."""
        return self._subscribers[number] if number in self._listed else None

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
                self._subscribers[neighbour.address.value] = neighbour
                if neighbour.run:
                    self._runs[neighbour.address.value] = neighbour.run
                if neighbour.ip:
                    self._by_ip.put(network_of(neighbour.ip), neighbour.address)
                    self._has_ips = True

    def _remember(self, learned: Subscriber) -> None:
        configured = self.subscriber(learned.address)
        self._subscribers[learned.address.value] = replace(
            configured,
            user_agent=learned.user_agent or configured.user_agent,
            profile_url=learned.profile_url or configured.profile_url,
            mms_version=learned.mms_version or configured.mms_version,
            seen_at=learned.seen_at,
        )
