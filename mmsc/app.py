"""The only room that knows everyone: builds the parts, wires them, starts them in order and stops them in reverse."""

import asyncio
import itertools
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, Protocol

import msgspec

from mmsc import configured, standing_in
from mmsc.capability.decide import Decider, learn
from mmsc.cdr.remaining import writer_of_the_rest
from mmsc.cdr.triggers import Beside, owing
from mmsc.cdr.writer import Writer
from mmsc.clock import Clock, ClockState
from mmsc.control import Control
from mmsc.control.sending import Sending
from mmsc.domain.message import TaskKind
from mmsc.domain.neighbours import Peer, Smsc, Vasp, VaspInterface
from mmsc.engine.engine import Engine
from mmsc.faults.plan import Plan
from mmsc.gateways.eaif.courier import ByInterface, EaifCourier
from mmsc.gateways.mm1.faulty import FaultyMm1
from mmsc.gateways.mm4.courier import Mm4Courier
from mmsc.gateways.mm7.courier import Mm7Courier
from mmsc.gateways.mm7.deliver import DeliverCourier, Knowledge
from mmsc.gateways.mm7.faulty import FaultyMm7
from mmsc.gateways.sms.binds import Binds
from mmsc.gateways.sms.courier import COURIER_KINDS, SmsCourier, SmsInbox, SmsPolicy
from mmsc.gateways.sms.esme import Esme
from mmsc.gateways.turns import Turns
from mmsc.ids import Ids
from mmsc.net.http import Handler, HttpListener
from mmsc.net.http_client import HttpClient
from mmsc.net.listening import listening
from mmsc.net.octets import OctetBudget
from mmsc.net.smtp import Handler as SmtpHandler
from mmsc.net.smtp import SmtpServer
from mmsc.net.smtp_spoiling import Mailing
from mmsc.net.stopping import Stop
from mmsc.net.tls_server import server_context
from mmsc.operating import Operations
from mmsc.reloading import Live
from mmsc.serving_mail import mm3_server, mm4_sender, mm4_server, smtp_limits
from mmsc.serving_mm1 import mm1_server
from mmsc.serving_mm7 import mm7_server
from mmsc.setting_up import SettingUp
from mmsc.settings import Settings
from mmsc.settings.model import HttpListener as HttpSettings
from mmsc.settings.model import Mm3, Mm4
from mmsc.store import meta
from mmsc.store.core import Store
from mmsc.storing import new_store, objects
from mmsc.trace import redact
from mmsc.trace.bus import Bus
from mmsc.trace.captures import Tap, WireTap
from mmsc.trace.events import Event
from mmsc.trace.rings import Captures
from mmsc.weblink.server import WebLinkServer

_log: Final = logging.getLogger(__name__)


class Renew(Protocol):
    """Gives connections up."""

    async def __call__(self, *, everything: bool) -> None:
        """Those of neighbours that changed, or all."""


class App:
    """One MMSC. `async with App(settings) as app:` runs it; `wait` returns when a part of it died."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None, synchronous: str = "FULL") -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.store: Store = new_store(settings, self.clock, synchronous)
        self.bus: Bus[Event] = Bus(settings.trace.events_in_memory)
        self.ids = Ids()
        self.faults = Plan(self.clock)
        self.operations = Operations(self.store, self.clock, self.bus)
        self.live = Live()
        self.captures: Captures | None = None
        self.charging: Writer | None = None
        self.listeners: dict[str, tuple[str, int]] = {}
        self.schemes: dict[str, str] = {}  # of those over HTTP: http or https
        self._stack = AsyncExitStack()
        self._stop = Stop(settings.node.stop_seconds)
        self._budget = OctetBudget(settings.limits.maximum_octets_in_memory)
        self._turns = Turns()
        self._stop.doors.append(self._turns.close)
        self._running: list[asyncio.Task[None]] = []
        self.setting_up = SettingUp(self)
        self.engine: Engine

    async def __aenter__(self) -> "App":
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.operations.stopping()
        await self._stop.begin(self.engine.finish)
        await self._stack.aclose()

    async def wait(self) -> None:
        """Until a part of the server dies (its exception is raised) or the caller is cancelled."""
        done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _start(self) -> None:
        settings = self.settings
        self._stack.push_async_callback(self.operations.close)
        console = await self.operations.open(settings.console)
        if console is not None:
            self.listeners["console"] = console
            self.schemes["console"] = "http"
        await self.store.open()
        self._at_stop(self.store.close)
        self._run(self.store.ended(), "store's threads")
        await self._restore_clock()
        await self.setting_up.begin()
        settings = self.settings
        self.captures = self.operations.keep_captures(settings, self.live)
        if self.captures is not None:
            self._stack.callback(self.captures.close)
        self.engine = Engine(
            self.store,
            self.clock,
            self.ids,
            node=settings.node.name,
            number=settings.node.number,
            agreed=configured.agreed(self.setting_up.file),
            policy=configured.engine_policy(settings),
            capability=standing_in.FaultyDecider(Decider(), self.faults),
            learn=learn,
            publish=self.operations.tally.publish,
            beside=self._charging(),
            objects=await objects(self.settings),
        )
        self._at_stop(self.engine.end)  # also when the start fails half-way: the node says that it is gone
        await self.engine.begin(*self.setting_up.neighbours(settings))
        self.setting_up.started()
        self._run(self.setting_up.run(), "setup")
        await self._start_charging()
        standing_in.begin(self.faults, self.engine, settings, self.live)
        self._stack.push_async_callback(self._stop.close_doors)
        self.operations.sources.engine = self.engine
        self.control = self._control()
        self.operations.offer(self.control)
        await self._start_mm7()
        sms = await self._start_mm1()
        await self._start_mail()
        self._run(self.engine.run(), "engine")
        self._start_sms(sms)
        self.operations.running()

    def _control(self) -> Control:
        """What people see and do."""
        faults, clocking = standing_in.controls(self.faults, self.engine)
        self._run(faults.run(), "faults")
        return Control(
            sending=self._sending(),
            engine=self.engine,
            bus=self.bus,
            captures=self.captures,
            clock=self.clock,
            ids=self.ids,
            server=self.setting_up.server,
            places=self._places,
            counters=self.operations.tally,
            faults=faults,
            clocking=clocking,
            setup=self.setting_up.setup,
            may_call=self._may_call,
            replay_targets=self.settings.console.replay_targets,
        )

    def _places(self) -> dict[str, str]:
        return {name: self._place(name) for name in self.listeners}

    def _sending(self) -> Sending:
        return Sending(
            *(self._places, self.clock, self.ids, self.bus),
            domain=self.settings.node.domain,
            logins=lambda: configured.logins(self.settings),
            numbers=lambda: tuple(itertools.islice(self.settings.subscriber, 2)),
            may_call=self._may_call,
        )

    def _may_call(self, host: str) -> bool:
        return host in self.settings.console.replay_hosts

    def _place(self, name: str) -> str:
        """Where an interface is called, from outside of this process."""
        host, port = self.listeners[name]
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"{self.schemes[name]}://{place}" if name in self.schemes else place

    def _charging(self) -> Beside | None:
        """What units write besides, so that charging records are owed."""
        if not self.settings.cdr.enabled:
            return None
        self.charging = Writer(self.store, self.clock, configured.charging(self.settings))
        return owing(self.settings.node.name)

    async def _start_charging(self) -> None:
        """Once the node's name is ours. The writer ends after the engine."""
        if self.charging is None:
            self.charging = await writer_of_the_rest(self.store, self.clock, configured.charging(self.settings))
        if self.charging is not None:
            self._running.append(self.charging.start())
            self._at_stop(self.charging.close)

    async def _restore_clock(self) -> None:
        """Service time goes on from where the lab left it."""
        saved = await meta.read(self.store, "clock")
        if saved is not None:
            self.clock.go_on(msgspec.json.decode(saved, type=ClockState))

    def _at_stop(self, work: Callable[[], Awaitable[object]]) -> None:
        """A step of the stop, in reverse order, each within what is left of its time."""
        self._stack.push_async_callback(self._stop.step, work)

    def _run(self, work: Awaitable[None], name: str) -> None:
        """Start a part that lives as long as the server."""
        task = asyncio.ensure_future(work)
        task.set_name(name)
        self._running.append(task)
        self.operations.readiness.add(name, lambda: "it ended" if task.done() else "")

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._at_stop(stop)

    def _tap(self, interface: str, mask: Callable[[bytes], bytes]) -> WireTap:
        keep: Tap | None = self.captures.keep if self.captures is not None else None
        return WireTap(interface, keep, self.clock, mask, redact.soap if interface == "mm7" else None)

    async def _listen(
        self,
        name: str,
        settings: HttpSettings,
        handler: Handler,
        wrong: Handler,
        tls: ssl.SSLContext | None = None,
        handshake_refused: Callable[[str, str], Awaitable[None]] | None = None,
    ) -> str:
        """Open an HTTP interface; its public URL. `wrong` answers while faults are on."""
        limits = configured.http_limits(settings, self._stop.patience)
        tap = self._tap(name, redact.http)
        listener = HttpListener(
            *(handler, settings.host, settings.port, limits, tap, self._budget),
            tls=tls,
            handshake_refused=handshake_refused,
        )
        with listening(name, settings.host, settings.port):
            await listener.start()
        standing_in.answers(self.faults, listener, handler, wrong)
        self._stop.doors.append(listener.stop)
        self.operations.sources.http[name] = listener
        self.listeners[name] = (settings.host, listener.port)
        self.schemes[name] = "http" if tls is None else "https"
        return configured.public_url(settings, listener.port, self.schemes[name])

    async def _start_mm7(self) -> None:
        settings = self.settings.mm7
        courier = Mm7Courier(self.engine.neighbours, self._vasp_client, server_id=self.settings.node.domain)
        self._stop.goodbyes.append(courier.close)
        self._at_stop(courier.close)
        self._renew(courier.renew, lambda now: configured.vasp_client_limits(now, Vasp(name="")))
        standing_in.requests(self.faults, courier)
        engine = self.engine
        known = engine.neighbours
        knowledge = Knowledge(known, engine.recent, engine.numbers, engine.dialects, self.settings.node.domain)
        eaif = EaifCourier(known, courier.client, engine.recent)
        ways = {
            TaskKind.REPORT_MM7: (courier.deliver, eaif.delivery_report),
            TaskKind.READ_MM7: (courier.deliver, eaif.read_report),
            TaskKind.DELIVER_MM7: (DeliverCourier(courier, knowledge).deliver, eaif.message),
        }
        for kind, (by_mm7, by_eaif) in ways.items():
            engine.couriers[kind] = ByInterface(known, {VaspInterface.MM7: by_mm7, VaspInterface.EAIF: by_eaif})
        if settings.enabled:
            server = mm7_server(engine, self.settings, self.live, self.clock, self._turns)
            files = configured.tls_files(self.settings)
            tls = None if files is None else server_context("mm7.tls", files)
            wrong = FaultyMm7(server.handle, self.faults, known, engine.numbers)
            server.public_url = await self._listen(
                *("mm7", settings, server.handle, wrong.handle), tls, server.handshake_refused
            )

    def _vasp_client(self, vasp: Vasp) -> HttpClient:
        limits = configured.vasp_client_limits(self.settings, vasp)
        return HttpClient(limits, self._tap("mm7", redact.http), configured.vasp_way(vasp))

    async def _start_mm1(self) -> SmsCourier:
        settings = self.settings.mm1
        urls = {"mm1": "", "weblink": ""}
        policy = SmsPolicy(
            mm1_url=lambda: urls["mm1"],
            weblink_url=lambda: urls["weblink"],
            template=lambda: self.settings.fallback.template,
            append_transaction_id=lambda: self.settings.mm1.append_transaction_id,
            manual_above=lambda: self.settings.notification.manual_above_octets,
        )
        courier = SmsCourier(self.engine.neighbours, self.clock, self.ids, policy)
        for kind in COURIER_KINDS:
            self.engine.couriers[kind] = courier
        standing_in.pushes(self.faults, self.engine, courier)
        if settings.enabled:
            server = mm1_server(self.engine, settings, self.live, self.clock, lambda: urls["mm1"], self._turns)
            meant_by = self.engine.retrieval.meant_by
            wrong = FaultyMm1(server.handle, self.faults, server.subscriber_of, meant_by).handle
            urls["mm1"] = await self._listen("mm1", settings, server.handle, wrong)
        if self.settings.weblink.enabled:
            page = WebLinkServer(
                self.engine.links, self.clock, view_needs_tap=lambda: self.settings.weblink.view_needs_tap
            )
            spoilt = standing_in.page(self.faults, self.engine, page.handle)
            urls["weblink"] = await self._listen("weblink", self.settings.weblink, page.handle, spoilt)
        return courier

    async def _start_mail(self) -> None:
        settings, domain = self.settings.mm4, self.settings.node.domain
        hostname = settings.hostname or domain
        tap = self._tap("mm4", redact.smtp)

        def new_sender(peer: Peer) -> Mailing:
            sender = mm4_sender(peer, hostname, tap, self.settings.delivery.peer.timeout_seconds)
            return standing_in.mailing(self.faults, sender, peer)

        engine = self.engine
        courier = Mm4Courier(engine.recent, engine.neighbours, engine.numbers, self.clock, new_sender, domain=domain)
        self._stop.goodbyes.append(courier.close)
        self._at_stop(courier.close)
        self._renew(courier.renew, lambda now: now.delivery.peer.timeout_seconds)
        for kind in (TaskKind.FORWARD, TaskKind.REPORT_MM4, TaskKind.RES_MM4):
            engine.couriers[kind] = courier
        standing_in.mails(self.faults, engine, courier)
        if settings.enabled:
            handler = mm4_server(engine, self.settings, self.live, self.clock)
            await self._listen_smtp("mm4", settings, handler, hostname)
        if self.settings.mm3.enabled:
            mail = mm3_server(engine, self.settings, self.live, self.clock)
            await self._listen_smtp("mm3", self.settings.mm3, mail, domain)

    async def _listen_smtp(self, name: str, settings: Mm3 | Mm4, handler: SmtpHandler, hostname: str) -> None:
        """Open an SMTP interface."""
        limits, tap = smtp_limits(settings, self._stop.patience), self._tap(name, redact.smtp)
        place = (settings.host, settings.port)
        server = SmtpServer(handler, *place, hostname=hostname, limits=limits, tap=tap, budget=self._budget)
        with listening(name, *place):
            await server.start()
        if name == "mm4":
            standing_in.replies(self.faults, self.engine, server)
        self._stop.doors.append(server.stop)
        self.operations.sources.smtp[name] = server
        self.listeners[name] = (settings.host, server.port)

    def _start_sms(self, courier: SmsCourier) -> None:
        inbox = SmsInbox(self.engine.receipts, self.engine.numbers)
        smscs = self.engine.neighbours.smscs
        binds = Binds(courier, lambda smsc: self._session(smsc, inbox), smscs, configured.esme_timers(self.settings))
        self._run(binds.run(), "smscs")
        self._stop.goodbyes.append(binds.close)
        self.live.connections.append(lambda now: binds.take_over(smscs, configured.esme_timers(now)))
        self.operations.sources.sessions = binds.state

    def _session(self, smsc: Smsc, inbox: SmsInbox) -> Esme:
        esme = Esme(
            smsc,
            on_message=lambda pdu: inbox.take(smsc.name, pdu),
            on_bound=lambda: self.engine.lane_is_up(f"smsc:{smsc.name}"),
            tap=self._tap("smpp", redact.smpp),
        )
        standing_in.session(self.faults, esme)
        return esme

    def _renew(self, renew: Renew, limits_of: Callable[[Settings], object]) -> None:
        """Connections to neighbours that changed are given up, all of them when their limits did."""
        limits = limits_of(self.settings)

        async def change(now: Settings) -> None:
            nonlocal limits
            before, limits = limits, limits_of(now)
            await renew(everything=before != limits)

        self.live.connections.append(change)
