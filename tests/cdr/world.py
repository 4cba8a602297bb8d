"""MMs and events in a real store, without an engine: what the charging writer lives on."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmsc.cdr.happened import House
from mmsc.cdr.triggers import names_of, owing
from mmsc.cdr.writer import ChargingPolicy, Writer
from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.domain.instant import HOUR, Instant
from mmsc.domain.message import (
    Content,
    ContentId,
    Interface,
    Mm,
    MmId,
    Origin,
    Part,
    Priority,
    Recipient,
    RecipientId,
    Role,
    Route,
)
from mmsc.domain.states import RecipientState
from mmsc.engine.chronicle import Chronicle
from mmsc.ids import Ids, from_text, to_text
from mmsc.store import content as content_sql
from mmsc.store import messages as sql
from mmsc.store.core import Store
from mmsc.trace import events as trace

CONTENT = Content(
    "application/vnd.wap.multipart.mixed", b"\x01\x02\x01\x83\xaax", (Part("text/plain; charset=utf-8", "t", "", 5, 1),)
)


class World:
    """A node that tells events and owes their records."""

    def __init__(self, store: Store, clock: Clock, node: str = "a", number: int = 0) -> None:
        self.store, self.clock, self.node = store, clock, node
        self.ids = Ids(number, real=clock.real_now)
        self.chronicle = Chronicle(clock, self.ids, lambda event: None, owing(node))

    def mm(self, interface: str = "mm7", **changes: Any) -> Mm:
        mm_id, now = MmId(self.ids.new_id()), self.clock.now()
        details = {"vasp_id": "news", "vas_id": "v1", "service_code": "gold; 7,50", "charged_party": "Both"}
        return Mm(
            id=mm_id,
            message_id=f"{to_text(mm_id)}@mms.example",
            origin=Origin(Interface(interface), "news"),
            sender=Address.of("4488"),
            subject="Grüße",
            message_class="Personal",
            priority=Priority.NORMAL,
            delivery_report=True,
            read_report=False,
            sender_hidden=False,
            adaptation_allowed=True,
            shown_to=(),
            submitted_at=now,
            date=now,
            deliver_at=None,
            expires_at=Instant(now + HOUR),
            foreign_id=None,
            forward_counter=0,
            content_id=ContentId(mm_id),
            content_type=CONTENT.content_type,
            size=len(CONTENT.body),
            details=details,
        )._replace(**changes)

    def recipient(self, mm: Mm, text: str = "+15550100123", **changes: Any) -> Recipient:
        one = Recipient(
            RecipientId(self.ids.new_id()),
            mm.id,
            Address.of(text),
            Role.TO,
            Route.SUBSCRIBER,
            "local",
            RecipientState.ACCEPTED,
            mm.submitted_at,
            token=f"t{mm.id}",
            transaction_id=f"x{mm.id}",
            link_token=f"l{mm.id}",
        )
        return one._replace(**changes)

    async def accept(self, mm: Mm, *recipients: Recipient) -> None:
        """What a submission writes."""
        accepted = trace.MmAccepted(
            str(mm.origin.interface), "news", mm.message_id, mm.sender.value, len(recipients), mm.size
        )
        event = self.chronicle.event(accepted, mm_id=mm.id)
        effects = [content_sql.insert(mm.content_id, CONTENT), *map(sql.insert_recipient, recipients)]
        guard = sql.insert_mm(mm, repeat_key=None, answer=None)
        await self.store.commit(self.chronicle.unit(guard, effects, (event,)))

    async def tell(self, mm: Mm, recipient: Recipient | None, *data: trace.Data) -> None:
        """Events of one unit."""
        rid = None if recipient is None else recipient.id
        events = [self.chronicle.event(one, mm_id=mm.id, recipient_id=rid) for one in data]
        await self.store.commit(self.chronicle.unit(None, (), events))

    async def life(self, mm: Mm | None = None) -> None:
        """An MM from its submission to its report."""
        mm = mm or self.mm()
        one = self.recipient(mm)
        await self.accept(mm, one)
        await self.tell(mm, one, trace.NotificationPushed("local", 1, ("1",)))
        await self.tell(mm, one, trace.MmFetched())
        moved = trace.RecipientMoved("notified", "retrieved", "retrieved", answer="notifyresp")
        await self.tell(mm, one, moved, trace.FindingNoted("mm1", "r", "c", 0, "w"))
        await self.tell(mm, one, trace.ReportDelivered("vasp:news", "retrieved", 1))


def policy(folder: Path, node: str = "a", **changes: Any) -> ChargingPolicy:
    values: dict[str, Any] = {"rotate_octets": 1 << 30, "write_seconds": 3600.0, **changes}
    return ChargingPolicy(
        house=House("mms.example", node, {"other": "mms.other.example"}), folder=folder / "cdr", **values
    )


def writer(store: Store, clock: Clock, folder: Path, node: str = "a", **changes: Any) -> Writer:
    return Writer(store, clock, policy(folder, node, **changes))


def files(folder: Path, node: str = "a", ending: str = "jsonl") -> list[Path]:
    """The whole files, in order."""
    return sorted((folder / "cdr").glob(f"{node}-*.{ending}"))


def records(paths: Sequence[Path]) -> list[dict[str, Any]]:
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


async def owed(store: Store, nodes: Sequence[int] = (0,)) -> Counter[tuple[int, str]]:
    """(event, record) of all that the store's events owe, by the tables alone."""
    found: Counter[tuple[int, str]] = Counter()
    for event_id, kind, text in await store.fetch("SELECT id, kind, data FROM event"):
        data = trace.read_data(str(kind), str(text))
        assert isinstance(event_id, int)
        assert isinstance(data, trace.Data)
        if event_id % 1024 in nodes:
            found.update((event_id, name) for name in names_of(data))
    return found


def written(found: Sequence[dict[str, Any]]) -> Counter[tuple[int, str]]:
    return Counter((from_text(one["recordExtensions"]["eventID"]), one["recordType"]) for one in found)


async def assert_exactly_once(store: Store, folder: Path, node: str = "a", number: int = 0) -> int:
    """Every event has exactly its records, and neither records nor files have a gap; how many records there are."""
    paths = files(folder, node)
    found = records(paths)
    assert written(found) == await owed(store, (number,))
    assert [one["localSequenceNumber"] for one in found] == list(range(1, len(found) + 1))
    assert [int(path.name.split("-")[-2]) for path in paths] == list(range(1, len(paths) + 1))
    assert not await store.fetch("SELECT event_id FROM cdr WHERE node = $1", node)
    return len(found)
