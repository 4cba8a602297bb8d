"""Scenarios on this server: the files there are, runs one at a time, their verdicts, and drafts of what happened.

A run asks over REST, in a thread, as anybody's run does from elsewhere. Every scenario begins with a clean lab: on a
server that is one, all messages are forgotten; any other keeps its own, and starts a lab as a child for each run, which
is gone with it. Drafts are always of what happened here. Runs are remembered while the process lives, the last
`MAXIMUM_RUNS` of them. YAML and what runs are loaded when they are first needed: a server that starts needs neither.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mmsc.client import Client, NoLab, own_lab
from mmsc.clock import Clock
from mmsc.domain.instant import Instant
from mmsc.ids import Ids
from mmsc.scenario.model import Scenario, ScenarioError
from mmsc.scenario.verdicts import CaseResult, RunResult, StepResult, Verdict
from mmsc.trace.bus import Bus
from protocols.records import record

MAXIMUM_RUNS: Final = 20
MAXIMUM_TEXT: Final = 256 * 1024  # characters of YAML that is run without being a file
_CAPACITY: Final = 1000
_STOP_SECONDS: Final = 5.0


class AnotherRuns(Exception):
    """One run at a time: they share the clock and the phones."""


@record(frozen=True, slots=True)
class Offered:
    """A file with scenarios: `name` is how it is asked for; `problems` why it cannot be read."""

    name: str
    path: str
    scenarios: tuple[str, ...] = ()
    description: str = ""
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Case:
    """One scenario of a run, as far as it is."""

    scenario: Scenario
    steps: list[StepResult] = field(default_factory=list)
    result: CaseResult | None = None
    under_way: bool = False

    @property
    def verdict(self) -> str:
        """What came of it: a verdict, "running" or "waiting"."""
        if self.result is not None:
            return self.result.verdict.value
        return "running" if self.under_way else "waiting"


@dataclass(slots=True)
class Run:
    """A run. `result` is there when it is over."""

    id: str
    began_at: Instant
    cases: list[Case]
    result: RunResult | None = None
    stopped: bool = False

    def count(self, verdict: str) -> int:
        """How many cases have it."""
        return sum(case.verdict == verdict for case in self.cases)

    @property
    def starting(self) -> bool:
        """Whether none of it has begun: a lab may be on its way."""
        return self.result is None and self.count("waiting") == len(self.cases)

    @property
    def words(self) -> str:
        """How it stands, in one line."""
        parts = [f"{self.count(one)} {one}" for one in (*(v.value for v in Verdict), "running", "waiting")]
        return ", ".join(one for one in parts if not one.startswith("0 ")) or "nothing to do"


@record(frozen=True, slots=True)
class News:
    """Something in a run is not as it was: case and step, counted from 1 (step 0: the case as a whole)."""

    id: int
    run: str
    case: int = 0
    step: int = 0


class Scenarios:
    """`url` is the server's own REST, `token` what it asks for. With `in_own_lab` runs leave this server alone."""

    def __init__(
        self,
        url: str,
        token: str,
        clock: Clock,
        ids: Ids,
        folder: Path | None = None,
        *,
        in_own_lab: bool = False,
    ) -> None:
        self.bus: Bus[News] = Bus(_CAPACITY)
        self.in_own_lab = in_own_lab
        self._url = url
        self._token = token
        self._clock = clock
        self._ids = ids
        self._given = folder
        self._runs: dict[str, Run] = {}
        self._task: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()
        self._offered: dict[Path, tuple[tuple[int, int], Offered]] = {}
        self._count = 0

    @property
    def _folder(self) -> Path:
        from mmsc.scenario.files import ready

        return self._given or ready()

    @property
    def runs(self) -> tuple[Run, ...]:
        """The last ones, newest first."""
        return tuple(reversed(self._runs.values()))

    @property
    def under_way(self) -> Run | None:
        """The one that runs."""
        return next((run for run in self.runs if run.result is None), None)

    def run(self, run: str) -> Run | None:
        """One of them."""
        return self._runs.get(run)

    async def offered(self) -> list[Offered]:
        """The files of the folder. They are read in a thread, and again when they are others."""
        async with self._reading:
            return await asyncio.to_thread(self._offers)

    def _offers(self) -> list[Offered]:
        from mmsc.scenario.files import listed

        found = {path: _mark(path) for path in listed([self._folder])}
        self._offered = {
            path: (mark, before[1] if (before := self._offered.get(path)) and before[0] == mark else self._offer(path))
            for path, mark in found.items()
        }
        return [offered for _, offered in self._offered.values()]

    def _offer(self, path: Path) -> Offered:
        from mmsc.scenario.reading import read

        name = path.relative_to(self._folder).as_posix()
        try:
            found = read(path)
        except ScenarioError as error:
            return Offered(name, str(path), problems=error.problems)
        return Offered(name, str(path), tuple(one.name for one in found), found[0].description.strip())

    async def meant(self, names: Sequence[str], text: str = "") -> list[Scenario]:
        """The scenarios of these files, all where none is named; or those of a text. Raises ScenarioError, KeyError for
        a name that is none. YAML takes seconds where it is long: it is read in a thread, one text at a time."""
        async with self._reading:
            return await asyncio.to_thread(self._meant, names, text)

    def _meant(self, names: Sequence[str], text: str) -> list[Scenario]:
        from mmsc.scenario.files import read_all
        from mmsc.scenario.reading import read_text

        if text:
            return read_text(text, "draft")
        known = {one.name: Path(one.path) for one in self._offers()}
        wanted = [(name, known[name]) for name in names or known]
        return [replace(one, file=name) for name, path in wanted for one in read_all([path])]

    def start(self, scenarios: Sequence[Scenario]) -> Run:
        """Begin. Raises AnotherRuns."""
        if self._task is not None and not self._task.done():
            raise AnotherRuns(f"run {self.under_way.id if self.under_way else ''} is under way: one at a time")
        run = Run(self._ids.token(40).lower(), self._clock.real_now(), [Case(one) for one in scenarios])
        self._runs[run.id] = run
        while len(self._runs) > MAXIMUM_RUNS:
            del self._runs[next(iter(self._runs))]
        self._task = asyncio.ensure_future(self._carry_out(run))
        return run

    def stop(self, run: Run) -> None:
        """It ends with the step that is under way."""
        run.stopped = True

    async def close(self) -> None:
        """The server stops: so does what runs."""
        run = self.under_way
        if run is not None:
            run.stopped = True
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_STOP_SECONDS)

    async def draft(self, mm_ids: Sequence[str], minutes: float = 0.0) -> str:
        """YAML of these messages, or of those of the last minutes. Raises ApiError, OSError."""
        return await asyncio.to_thread(self._drafted, mm_ids, minutes)

    def _drafted(self, mm_ids: Sequence[str], minutes: float) -> str:
        from mmsc.scenario import record as recording

        with self._here() as client:
            return recording.record(client, mm_ids or recording.latest(client, minutes))

    async def _carry_out(self, run: Run) -> None:
        loop = asyncio.get_running_loop()

        def later(does: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(does)

        run.result = await asyncio.to_thread(self._in_thread, run, _Hearing(run, later, self._tell))
        self._tell(run)

    def _in_thread(self, run: Run, hearing: "_Hearing") -> RunResult:
        """Elsewhere than the loop: what changes the run is handed to it."""
        from mmsc.scenario.running import run_all

        scenarios = [case.scenario for case in run.cases]
        try:
            with self._lab() as client:
                return run_all(
                    client,
                    scenarios,
                    lasts=not self.in_own_lab,
                    began=hearing.began,
                    step=hearing.step,
                    ended=hearing.ended,
                    stop=lambda: run.stopped,
                )
        except NoLab as error:
            cases = [hearing.not_run(one, str(error)) for one in scenarios]
            return RunResult(cases=tuple(cases), began_at=run.began_at)

    def _lab(self) -> AbstractContextManager[Client]:
        return own_lab() if self.in_own_lab else self._here()

    def _here(self) -> Client:
        return Client(self._url, token=self._token)

    def _tell(self, run: Run, case: int = 0, step: int = 0) -> None:
        self._count += 1
        self.bus.publish(News(self._count, run.id, case, step))


def _mark(path: Path) -> tuple[int, int]:
    """What is another one when a file is written; (0, 0) for one that is gone."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


class _Hearing:
    """What a run's thread says of it; `later` does something in the loop, `tell` names the case and step there."""

    def __init__(
        self, run: Run, later: Callable[[Callable[[], None]], None], tell: Callable[[Run, int, int], None]
    ) -> None:
        self._run, self._later, self._tell = run, later, tell
        self._number = 0

    def began(self, _: Scenario) -> None:
        """The next one."""
        self._number += 1
        number, case = self._number, self._run.cases[self._number - 1]

        def change() -> None:
            case.under_way = True
            self._tell(self._run, number, 0)

        self._later(change)

    def step(self, one: StepResult) -> None:
        """A step of it is over."""
        number, case = self._number, self._run.cases[self._number - 1]

        def change() -> None:
            case.steps.append(one)
            self._tell(self._run, number, one.number)

        self._later(change)

    def ended(self, result: CaseResult) -> None:
        """It is over."""
        number, case = self._number, self._run.cases[self._number - 1]

        def change() -> None:
            case.result, case.under_way = result, False
            self._tell(self._run, number, 0)

        self._later(change)

    def not_run(self, scenario: Scenario, why: str) -> CaseResult:
        """There was nobody to ask: neither passed nor failed."""
        result = CaseResult(name=scenario.name, file=scenario.file, verdict=Verdict.INCONCLUSIVE, why=why)
        self.began(scenario)
        self.ended(result)
        return result


def result_of(run: Run) -> RunResult:
    """What came of a run so far."""
    if run.result is not None:
        return run.result
    return RunResult(cases=tuple(_told(run)), began_at=run.began_at, left_out=run.count("waiting"))


def _told(run: Run) -> Iterator[CaseResult]:
    for case in run.cases:
        if case.result is not None:
            yield case.result


def report_html(run: Run) -> str:
    """As one file."""
    from mmsc.scenario.page import page

    return page(result_of(run))


def report_junit(run: Run) -> bytes:
    """For continuous integration."""
    from mmsc.scenario.junit import junit

    return junit(result_of(run))
