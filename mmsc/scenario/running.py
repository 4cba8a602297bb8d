"""A run: scenarios one after the other on one lab, until they are through or one is enough."""

import time
from collections.abc import Callable, Sequence

from mmsc.client import ApiError, Client
from mmsc.scenario.model import Scenario
from mmsc.scenario.runner import Runner
from mmsc.scenario.verdicts import CaseResult, RunResult, StepResult, Verdict


def run_all(
    client: Client,
    scenarios: Sequence[Scenario],
    *,
    keep_going: bool = True,
    began: Callable[[Scenario], None] = lambda scenario: None,
    step: Callable[[StepResult], None] = lambda step: None,
    ended: Callable[[CaseResult], None] = lambda case: None,
    stop: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Each from a clean lab. `began`, `step` and `ended` hear how it goes. Never raises for what a lab does."""
    began_at, real = time.time_ns() // 1000, time.monotonic()
    runner = Runner(client, step)
    cases: list[CaseResult] = []
    for scenario in scenarios:
        if stop():
            break
        began(scenario)
        cases.append(runner.run(scenario, stop))
        ended(cases[-1])
        if cases[-1].verdict is not Verdict.PASS and not keep_going:
            break
    return RunResult(
        cases=tuple(cases),
        server=client.url,
        version=_version(client),
        began_at=began_at,
        real=round((time.monotonic() - real) * 1_000_000),
        left_out=len(scenarios) - len(cases),
    )


def _version(client: Client) -> str:
    try:
        return str(client.get("/server").get("version", ""))
    except (ApiError, OSError):
        return ""
