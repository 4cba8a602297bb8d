"""Where faults stand in the way (`mmsc.faults`): puts the wrong handler, courier or sender before the right one while
anything is on, and takes it away when nothing is. So what is off costs nothing."""

import weakref
from dataclasses import replace
from typing import Final

from mmsc import configured_faults
from mmsc.control.clocking import Clocking
from mmsc.control.faults import Faults
from mmsc.domain.address import Normalised
from mmsc.domain.message import MmId, Relative, Submission, TaskKind
from mmsc.domain.neighbours import Capability, Peer, Subscriber, Verdict
from mmsc.engine.clock_keeping import ClockKeeper
from mmsc.engine.engine import Engine
from mmsc.engine.notes import Notes
from mmsc.engine.ports import CapabilityPort, Courier, Retrievable
from mmsc.faults.plan import Plan
from mmsc.faults.points import Facts, Point
from mmsc.faults.wrong_http import spoilt
from mmsc.gateways.mm4.faulty import FaultyMm4, FaultyReplies, FaultySender
from mmsc.gateways.mm7.courier import Mm7Courier
from mmsc.gateways.mm7.faulty import FaultyPost
from mmsc.gateways.sms.courier import SmsCourier
from mmsc.gateways.sms.esme import Esme
from mmsc.gateways.sms.faulty import FaultySms, SessionMarks
from mmsc.net.http import Handler, HttpAnswer, HttpListener, HttpRequest
from mmsc.net.smtp import SmtpServer
from mmsc.net.smtp_spoiling import Mailing
from mmsc.reloading import Live
from mmsc.settings import Settings
from mmsc.store.core import Store
from mmsc.trace.events import Data

_SMS_KINDS: Final = (
    TaskKind.NOTIFY,
    TaskKind.REPORT_MM1,
    TaskKind.CANCEL_MM1,
)  # a link is told by NotificationWork with its own job
_LINK: Final = "/w/"


def controls(plan: Plan, engine: Engine) -> tuple[Faults, Clocking]:
    """What people switch and turn."""
    faults = Faults(plan, engine.clock, engine.chronicle, Notes(engine.store, engine.chronicle))
    return faults, Clocking(engine.clock, ClockKeeper(engine.store, engine.chronicle, engine.heartbeat.holder.node))


def begin(plan: Plan, engine: Engine, settings: Settings, live: Live) -> None:
    """The faults of the settings, now and whenever these are read again; and where the engine asks."""
    configured_faults.take_over(plan, settings)
    live.values.append(lambda now: configured_faults.take_over(plan, now))
    commits(plan, engine.store)
    submissions(plan, engine)


def answers(plan: Plan, listener: HttpListener, right: Handler, wrong: Handler) -> None:
    """An HTTP listener."""
    plan.arm(lambda on: listener.answer_with(wrong if on else right))


def page(plan: Plan, engine: Engine, right: Handler) -> Handler:
    """The web link's handler, with its faults. To look whose link it is counts as no view."""

    async def handle(request: HttpRequest) -> HttpAnswer:
        token = request.path.removeprefix(_LINK).partition("/")[0]
        found = await engine.links.open(token) if request.path.startswith(_LINK) else None
        facts = Facts(transaction=token, operation=request.method)
        if isinstance(found, Retrievable):
            facts = replace(facts, numbers=(found.recipient.address.value,), mm_id=found.mm.id)
        hit = plan.decide(Point.WEBLINK, facts)
        if hit is None:
            return await right(request)
        plan.note(hit, exchange=request.exchange)
        answer = HttpAnswer(mm_id=facts.mm_id) if hit.name == "weblink-http" else await right(request)
        return spoilt(hit, answer) or answer

    return handle


def requests(plan: Plan, courier: Mm7Courier) -> None:
    """What is sent to VASPs."""
    right, wrong = courier.post, FaultyPost(courier.post, plan).post
    plan.arm(lambda on: setattr(courier, "post", wrong if on else right))


def pushes(plan: Plan, engine: Engine, courier: SmsCourier) -> None:
    """What is pushed to handsets."""
    wrong = FaultySms(courier.deliver, plan)

    def arm(on: bool) -> None:
        if on:  # it stays: the last hit of a fault ends it before what it spoils has left
            courier.spoiling = wrong
        _put(engine, (*_SMS_KINDS, TaskKind.LINK, TaskKind.READ_MM1), wrong if on else courier)

    plan.arm(arm)


def session(plan: Plan, esme: Esme) -> None:
    """A session to an SMSC, which may be the built-in one. Sessions come and go with their SMSC."""
    marks, known = SessionMarks(plan), weakref.ref(esme)

    def arm(on: bool) -> None:
        there = known()
        if there is not None and on:  # it stays: what was hit last is asked for when nothing is on any more
            there.mark(marks)

    plan.arm(arm)


def mails(plan: Plan, engine: Engine, courier: Courier) -> None:
    """What is sent to other MMSCs."""
    wrong = FaultyMm4(courier.deliver, plan)
    kinds = (TaskKind.FORWARD, TaskKind.REPORT_MM4, TaskKind.RES_MM4)
    plan.arm(lambda on: _put(engine, kinds, wrong if on else courier))


def mailing(plan: Plan, sender: Mailing, peer: Peer) -> Mailing:
    """The connections to another MMSC."""
    return FaultySender(sender, plan, peer.name)


def replies(plan: Plan, engine: Engine, server: SmtpServer) -> None:
    """What other MMSCs are answered."""
    wrong = FaultyReplies(plan, engine.neighbours)
    plan.arm(lambda on: server.spoil(wrong if on else None))


def commits(plan: Plan, store: Store) -> None:
    """The store. Its hits are counted and make no events: those would be commits of their own."""

    def obstacle() -> float | None:
        hit = plan.decide(Point.STORE)
        if hit is None:
            return 0.0
        plan.note(hit, silently=True)
        return None if hit.name == "store-refused" else float(hit.of("seconds") + hit.setting.delay_seconds)

    plan.arm(lambda on: store.obstruct(obstacle if on else None))


def submissions(plan: Plan, engine: Engine) -> None:
    """The door for new MMs."""

    def meddle(submission: Submission) -> tuple[Submission, tuple[Data, ...]]:
        hit = plan.decide(Point.DOOR, _facts(engine, submission))
        if hit is None:
            return submission, ()
        plan.note(hit, silently=True)  # its event is one of the MM, stored with it
        return replace(submission, expires=Relative(hit.of("seconds"))), (hit.told,)

    plan.arm(lambda on: setattr(engine.submit, "meddle", meddle if on else None))


def _facts(engine: Engine, submission: Submission) -> Facts:
    origin, by = submission.origin, f"{submission.origin.interface}"
    found = [engine.numbers.normalise(one.text, origin.key) for one in submission.recipients]
    return Facts(
        vasp=origin.neighbour if by == "mm7" else "",
        peer=origin.neighbour if by == "mm4" else "",
        numbers=tuple(one.address.value for one in found if isinstance(one, Normalised)),
        run=submission.details.get("run", ""),
        transaction=next((v for k, v in submission.details.items() if k.endswith("transaction_id")), ""),
    )


class FaultyDecider:
    """What is thought of handsets; implements `ports.CapabilityPort`."""

    def __init__(self, right: CapabilityPort, plan: Plan) -> None:
        self._right = right
        self._plan = plan

    def decide(self, subscriber: Subscriber, mm_id: MmId, /) -> Capability:
        """The verdict for this MM, and the evidence for it."""
        capability = self._right.decide(subscriber, mm_id)
        if not self._plan.on:
            return capability
        hit = self._plan.decide(Point.CAPABILITY, Facts(numbers=(subscriber.address.value,), mm_id=mm_id))
        if hit is None:
            return capability
        self._plan.note(hit)
        why = f"fault {hit.name}" if not hit.magic else f"a magic number ({hit.magic})"
        return replace(capability, verdict=Verdict(hit.of("state")), evidence=(why, *capability.evidence))


def _put(engine: Engine, kinds: tuple[TaskKind, ...], courier: Courier) -> None:
    for kind in kinds:
        engine.couriers[kind] = courier
