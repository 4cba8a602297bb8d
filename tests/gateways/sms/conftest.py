"""An ESME and its courier on a real socket to the virtual SMSC; the engine is what these tests say it is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from mmsc.clock import Clock, VirtualClock
from mmsc.domain.address import Address
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import (
    ContentId,
    Interface,
    Job,
    Mm,
    MmId,
    Origin,
    Priority,
    Recipient,
    RecipientId,
    Role,
    Route,
    TaskId,
    TaskKind,
)
from mmsc.domain.neighbours import Peer, Smsc, Subscriber, Vasp
from mmsc.domain.states import RecipientState
from mmsc.gateways.sms.courier import SmsCourier, SmsPolicy
from mmsc.gateways.sms.esme import Esme, EsmeTimers
from mmsc.ids import Ids
from mmsc.lab.smsc import VirtualSmsc
from mmsc.trace.captures import WireTap
from protocols.smpp import CommandStatus, DataSm, DeliverSm

PHONE = "+15550100123"
QUICK = EsmeTimers(connect=5, response=5, first_reconnect=0.01, longest_reconnect=0.02, unbind=1)


@dataclass
class Directory:
    """The one SMSC, and subscribers of whom nothing is known."""

    smscs: Mapping[str, Smsc]
    vasps: Mapping[str, Vasp] = field(default_factory=dict)
    peers: Mapping[str, Peer] = field(default_factory=dict)

    def subscriber(self, address: Address) -> Subscriber:
        return Subscriber(address=address)

    def run_of(self, address: Address) -> str:
        raise NotImplementedError

    def subscriber_at(self, ip: str) -> Subscriber | None:
        return None


@dataclass
class Link:
    """An SMSC, one session to it and the courier that uses it."""

    smsc: VirtualSmsc
    esme: Esme
    courier: SmsCourier
    clock: VirtualClock
    bound: asyncio.Semaphore
    messages: asyncio.Queue[DeliverSm | DataSm]
    answers: list[CommandStatus | None]

    async def until_bound(self) -> None:
        """The next bind that the SMSC took."""
        async with asyncio.timeout(10):
            await self.bound.acquire()


@asynccontextmanager
async def link(smsc: VirtualSmsc, timers: EsmeTimers = QUICK, **changes: object) -> AsyncIterator[Link]:
    """A session that is being brought up; `changes` are settings of the SMSC."""
    settings = replace(Smsc(name="local", port=smsc.port, password="secret"), **changes)  # type: ignore[arg-type]
    messages: asyncio.Queue[DeliverSm | DataSm] = asyncio.Queue()
    answers: list[CommandStatus | None] = []
    bound = asyncio.Semaphore(0)

    async def take(pdu: DeliverSm | DataSm) -> CommandStatus | None:
        messages.put_nowait(pdu)
        return answers.pop(0) if answers else CommandStatus.ESME_ROK

    esme = Esme(settings, take, bound.release, WireTap("smpp", None, Clock()), timers)
    clock = VirtualClock()
    policy = SmsPolicy(mm1_url=lambda: "http://mms.example", weblink_url=lambda: "http://web.example")
    courier = SmsCourier(Directory({"local": settings}), clock, Ids.seeded(1, real=clock.real_now), policy)
    courier.sessions["local"] = [esme]
    running = asyncio.create_task(esme.run())
    try:
        yield Link(smsc, esme, courier, clock, bound, messages, answers)
    finally:
        await esme.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def smsc() -> AsyncIterator[VirtualSmsc]:
    server = VirtualSmsc({"mmsc": "secret"})
    await server.start()
    yield server
    await server.stop()


def job(kind: TaskKind, now: Instant, *, subject: str = "", **payload: str) -> Job:
    """A task about one MM to `PHONE`, good for an hour."""
    sender = Address.of("+15550100200")
    mm = Mm(
        id=MmId(1),
        message_id="m1",
        origin=Origin(Interface.MM1, sender.value),
        sender=sender,
        subject=subject,
        message_class="personal",
        priority=Priority.NORMAL,
        delivery_report=True,
        read_report=False,
        sender_hidden=False,
        adaptation_allowed=True,
        shown_to=((Role.TO, PHONE),),
        submitted_at=now,
        date=now,
        deliver_at=None,
        expires_at=Instant(now + 3600 * SECOND),
        foreign_id=None,
        forward_counter=0,
        content_id=ContentId(1),
        content_type="application/vnd.wap.multipart.mixed",
        size=30_000,
        details={},
    )
    recipient = Recipient(
        id=RecipientId(2),
        mm_id=mm.id,
        address=Address.of(PHONE),
        role=Role.TO,
        route=Route.SUBSCRIBER,
        target="local",
        state=RecipientState.ACCEPTED,
        state_at=now,
        transaction_id="T1",
        token="TOKEN",
        link_token="LINK",
    )
    return Job(
        task_id=TaskId(3),
        kind=kind,
        lane="smsc:local",
        attempt=1,
        due_at=now,
        mm=mm,
        recipients=(recipient,),
        payload=payload,
    )
