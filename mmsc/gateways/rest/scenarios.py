"""REST: scenarios, their runs and reports, and drafts of what happened."""

from typing import Annotated, Any, Final

import msgspec
from aiohttp import web

from mmsc.client import ApiError
from mmsc.control.scenarios import (
    MAXIMUM_TEXT,
    AnotherRuns,
    Offered,
    Run,
    Scenarios,
    report_html,
    report_junit,
)
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.scenario.model import ScenarioError
from mmsc.scenario.schema import schema
from mmsc.scenario.verdicts import StepResult

_TAG: Final = "scenarios"
_RUN: Final = "/scenarios/runs/{run}"
_NO_LAB: Final = "this server has no lab to run scenarios in: `mmsc lab` starts one"
# A report holds what neighbours sent, escaped; it brings its own style, and nothing else of it may do anything.
REPORT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-same-origin allow-popups"


class ScenarioFile(msgspec.Struct, frozen=True):
    """A file with scenarios; `problems` say why it cannot be read."""

    name: str
    scenarios: list[str]
    description: str
    problems: list[str]


class StepTold(msgspec.Struct, frozen=True):
    """One step: `at` is service time since the scenario began, `took` how much of it the step took (µs); `expected` and
    `got` are aligned lines."""

    number: int
    line: int
    verb: str
    words: str
    verdict: str
    at: int
    took: int
    expected: str
    got: str
    why: str
    mm_id: str


class CaseTold(msgspec.Struct, frozen=True):
    """One scenario of a run; `verdict` is pass, fail, inconclusive, running or waiting. `messages` are the ids of the
    MMs that it was about, in the lab where it ran."""

    name: str
    file: str
    verdict: str
    why: str
    steps: list[StepTold]
    messages: list[str]


class RunTold(msgspec.Struct, frozen=True):
    """A run; `began_at` is real time (µs)."""

    id: str
    began_at: int
    done: bool
    words: str
    cases: list[CaseTold]


class RunRow(msgspec.Struct, frozen=True):
    """A run in the list."""

    id: str
    began_at: int
    done: bool
    words: str


class ScenariosTold(msgspec.Struct, frozen=True):
    """The files of the server, and its last runs, newest first. With `in_own_lab` a run is in a lab that is started for
    it: messages of this server stay, and those of the run are only in its report."""

    files: list[ScenarioFile]
    runs: list[RunRow]
    in_own_lab: bool


class WhatToRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files by name (none: all of them), or the YAML itself. Every scenario begins with a clean lab: `mmsc lab` forgets
    all messages; another server keeps its own, and runs them in a lab that it starts (`in_own_lab`)."""

    scenarios: Annotated[list[Annotated[str, msgspec.Meta(max_length=500)]], msgspec.Meta(max_length=1000)] = []
    text: Annotated[str, msgspec.Meta(max_length=MAXIMUM_TEXT)] = ""


class WhatHappened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages: ids with commas between them, or those of the last minutes."""

    mm_ids: Annotated[str, msgspec.Meta(max_length=1000, pattern=r"^([0-9]{1,19}(,[0-9]{1,19})*)?$")] = ""
    minutes: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 5.0


def _scenarios(call: Call) -> Scenarios:
    if call.control.scenarios is None:
        raise Problem(404, _NO_LAB)
    return call.control.scenarios


def _run(call: Call) -> Run:
    found = _scenarios(call).run(call.path["run"])
    if found is None:
        raise Problem(404, f"there is no run {call.path['run'][:60]!r} (any more)")
    return found


async def _listed(call: Call) -> Answer:
    scenarios = _scenarios(call)
    rows = [RunRow(run.id, run.began_at, run.result is not None, run.words) for run in scenarios.runs]
    return Answer(ScenariosTold([_file(one) for one in await scenarios.offered()], rows, scenarios.in_own_lab))


async def _started(call: Call) -> Answer:
    scenarios = _scenarios(call)
    try:
        run = scenarios.start(await scenarios.meant(call.body.scenarios, call.body.text))
    except ScenarioError as error:
        raise Problem(400, str(error)) from error
    except KeyError as error:
        raise Problem(400, f"there is no scenario file {error.args[0][:200]!r}") from error
    except AnotherRuns as error:
        raise Problem(409, str(error), retry_after="5") from error
    return Answer(_told(run), 201)


async def _one(call: Call) -> Answer:
    return Answer(_told(_run(call)))


async def _stopped(call: Call) -> Answer:
    run = _run(call)
    _scenarios(call).stop(run)
    return Answer(_told(run))


async def _report(call: Call) -> web.Response:
    return report_answer(_run(call))


def report_answer(run: Run) -> web.Response:
    """The report of a run as one file."""
    headers = {"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "no-store"}
    return web.Response(text=report_html(run), content_type="text/html", headers=headers)


async def _junit(call: Call) -> web.Response:
    return web.Response(body=report_junit(_run(call)), content_type="application/xml", charset="utf-8")


async def _drafted(call: Call) -> web.Response:
    ids = [one for one in call.query.mm_ids.split(",") if one]
    try:
        text = await _scenarios(call).draft(ids, call.query.minutes)
    except ApiError as error:
        raise Problem(404 if error.status == 404 else 503, error.detail) from error
    except OSError as error:
        raise Problem(503, str(error)) from error
    return web.Response(text=text, content_type="application/yaml")


async def _schema(_: Call) -> Answer:
    return Answer(schema())


def _file(one: Offered) -> ScenarioFile:
    return ScenarioFile(one.name, list(one.scenarios), one.description, list(one.problems))


def _told(run: Run) -> RunTold:
    cases = [
        CaseTold(
            case.scenario.name,
            case.scenario.file,
            case.verdict,
            "" if case.result is None else case.result.why,
            [_step(one) for one in case.steps],
            [] if case.result is None else [one.mm_id for one in case.result.messages],
        )
        for case in run.cases
    ]
    return RunTold(run.id, run.began_at, run.result is not None, run.words, cases)


def _step(one: StepResult) -> StepTold:
    return StepTold(**{name: getattr(one, name) for name in StepTold.__struct_fields__})


def _row(method: str, path: str, summary: str, handle: Any, answers: dict[int, Any], **more: Any) -> Endpoint:
    made = {"method": method, "path": path, "summary": summary, "tag": _TAG, "handle": handle, "answers": answers}
    parameters = {"run": "a run's id"} if "{run}" in path else {}
    return Endpoint(**{"problems": (404,), "parameters": parameters, **made, **more})


ENDPOINTS: Final = (
    _row("GET", "/scenarios", "The files, and the last runs", _listed, {200: ScenariosTold}),
    _row("GET", "/scenarios/schema", "The JSON Schema of scenario files", _schema, {200: dict[str, Any]}, problems=()),
    _row(
        "GET",
        "/scenarios/draft",
        "A scenario drafted from what happened, as YAML",
        _drafted,
        {200: "application/yaml"},
        query=WhatHappened,
        problems=(404, 503),
    ),
    _row(
        "POST",
        "/scenarios/runs",
        "Run scenarios: a lab forgets all messages, another server starts a lab for them",
        _started,
        {201: RunTold},
        body=WhatToRun,
        problems=(404, 409),
    ),
    _row("GET", _RUN, "How a run goes", _one, {200: RunTold}),
    _row("POST", f"{_RUN}/stop", "End a run with its next step", _stopped, {200: RunTold}),
    _row("GET", f"{_RUN}/report", "The report of a run: one HTML file", _report, {200: "text/html"}),
    _row("GET", f"{_RUN}/junit", "The results of a run as JUnit XML", _junit, {200: "application/xml"}),
)
