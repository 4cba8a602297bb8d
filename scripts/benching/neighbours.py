"""VASP, report listener, SMSC and handsets of `mmsc load`, for one run against one server (or its nodes)."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from benching import octets
from benching.load import ACCEPT, Figures, Plan, Usage, WireError, check, figures_of
from benching.servers import Ports
from mmsc.load.mix import Choice, Mix
from mmsc.load.octets import picture
from mmsc.load.plan import Plan as LoadPlan
from mmsc.load.plan import Until
from mmsc.load.session import Session, Setup
from mmsc.load.target import target_of

_HOST = "127.0.0.1"


class Neighbours:
    """On the ports that the server was told. An async context manager; `also` are the MM7 ports of further nodes."""

    def __init__(self, plan: Plan, ports: Ports, notify_path: str, *, also: Sequence[int] = ()) -> None:
        self._plan = plan
        self._ports = ports
        self._notify_path = notify_path
        self._also = also
        self._usages: list[tuple[Usage, float]] = []
        self._usage: Callable[[], Usage] = lambda: Usage(0.0, 0.0)
        self._progress: Callable[[int], None] = lambda ended: None
        self.session: Session

    async def __aenter__(self) -> "Neighbours":
        plan = self._plan
        reports = plan.case != ACCEPT
        target = target_of(
            f"http://{_HOST}:{self._ports.mm7}/mm7",
            user=f"{octets.VASP_NAME}:{octets.VASP_PASSWORD}",
            vasp_id=octets.VASP_NAME,
            vas_id=octets.VASP_NAME,
            sender=octets.SHORT_CODE,
            subject="Bench",
        )
        mix = Mix(
            target,
            [(picture(plan.picture_octets), 1)],
            [octets.number_of(index) for index in range(octets.SUBSCRIBERS)],
            [Choice(plan.recipients, 1)],
            reports=True,
            prefix=f"bench-{secrets.token_hex(4)}",  # a store that is kept takes the same for repeats
        )
        setup = Setup(
            report_listen=(_HOST, self._ports.report),
            smsc_listen=(_HOST, self._ports.smsc),
            notify_path=self._notify_path,
            hold_binds=not reports,
            also=[(_HOST, port) for port in self._also],
        )
        self.session = Session(
            target, _load_plan(plan), mix, setup, may_fetch=_HOST.__eq__, window=self._window, ticked=self._tick
        )
        await self.session.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.__aexit__(kind, error, trace)

    @property
    def connections(self) -> int:
        """That the server opened to us so far."""
        return self.session.connections

    async def run(self, usage: Callable[[], Usage], progress: Callable[[int], None]) -> Figures:
        """Wait for the bind, then play the plan. `usage` tells what the server has used so far.

        Raises WireError when the server answered wrongly or stopped answering, OSError when it cannot be reached."""
        self._usage, self._progress = usage, progress
        session = self.session
        try:
            await asyncio.wait_for(session.run(), self._plan.bound_seconds + self._plan.seconds)
        except TimeoutError as error:
            raise WireError(f"{session.driver.ended} messages ended within the time of the run") from error
        check(session)
        if session.driver.stopped or len(self._usages) < 2 or not session.driver.ended_in_window:
            ended = session.driver.ended_in_window
            raise WireError(f"{ended} of {session.driver.begun} messages ended, then nothing more came")
        (before, own_before), (after, own_after) = self._usages
        return figures_of(session, self._plan, before, after, own_after - own_before)

    def _window(self, opens: bool) -> None:
        del opens
        self._usages.append((self._usage(), time.process_time()))

    def _tick(self) -> None:
        self._progress(self.session.driver.ended)
        if self.session.tally.errors:
            self.session.driver.stop("a wrong answer voids the run")


def _load_plan(plan: Plan) -> LoadPlan:
    reports = plan.case != ACCEPT
    return LoadPlan(
        in_flight=plan.in_flight,
        connections=plan.in_flight,
        messages=0 if plan.seconds else plan.messages,
        seconds=plan.seconds,
        warm_up_messages=plan.warm_up,
        until=Until.REPORTED if reports else Until.ACCEPTED,
        reports=reports,
        pushes=reports and plan.in_flight == 1 and plan.recipients == 1,
        exact=False,
        grace_seconds=plan.grace_seconds,
    )
