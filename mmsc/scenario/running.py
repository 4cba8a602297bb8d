"""A run: scenarios one after the other on one lab, until they are through or one is enough."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from mmsc.client import ApiError, Client
from mmsc.scenario.model import Scenario
from mmsc.scenario.runner import Runner
from mmsc.scenario.verdicts import CaseResult, RunResult, StepResult, Verdict


def run_all(
    client: Client,
    scenarios: Sequence[Scenario],
    *,
    keep_going: bool = True,
    lasts: bool = True,
    began: Callable[[Scenario], None] = lambda scenario: None,
    step: Callable[[StepResult], None] = lambda step: None,
    ended: Callable[[CaseResult], None] = lambda case: None,
    stop: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Each from a clean lab; when it does not last, nothing of what is told leads to it. `began`, `step` and `ended`
    hear how it goes. Never raises for what a lab does."""
    began_at, real = time.time_ns() // 1000, time.monotonic()
    runner = Runner(client, step)
    cases: list[CaseResult] = []
    for scenario in scenarios:
        if stop():
            break
        began(scenario)
        case = runner.run(scenario, stop)
        cases.append(case if lasts else _without_links(case))
        ended(cases[-1])
        if cases[-1].verdict is not Verdict.PASS and not keep_going:
            break
    return RunResult(
        cases=tuple(cases),
        server=client.url if lasts else "a lab started for this run",
        version=_version(client),
        began_at=began_at,
        real=round((time.monotonic() - real) * 1_000_000),
        left_out=len(scenarios) - len(cases),
    )


def _without_links(case: CaseResult) -> CaseResult:
    return replace(case, messages=tuple(replace(one, url="") for one in case.messages))


def _version(client: Client) -> str:
    try:
        return str(client.get("/server").get("version", ""))
    except (ApiError, OSError):
        return ""
