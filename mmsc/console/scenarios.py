"""Scenarios: the files left, a run right; steps appear as they pass."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from aiohttp import web

from mmsc.client import ApiError
from mmsc.console.live import Push, stream
from mmsc.console.page import control_of, markup, page
from mmsc.control.scenarios import MAXIMUM_TEXT, AnotherRuns, News, Run, Scenarios, report_junit
from mmsc.gateways.rest.scenarios import report_answer
from mmsc.scenario.model import ScenarioError

_MINUTES: Final = 5
_LOOK_SECONDS: Final = 1.0
_MAXIMUM_MINUTES: Final = 100_000


def routes() -> Iterator[web.RouteDef]:
    """/scenarios"""
    yield web.get("/scenarios", _all)
    yield web.post("/scenarios/run", _start)
    yield web.get("/scenarios/draft", _draft)
    yield web.post("/scenarios/draft", _run_draft)
    yield web.get("/scenarios/{run}", _one)
    yield web.get("/scenarios/{run}/live", _live)
    yield web.get("/scenarios/{run}/report.html", _report)
    yield web.get("/scenarios/{run}/junit.xml", _junit)
    yield web.post("/scenarios/{run}/stop", _stop)


def _known(request: web.Request) -> Scenarios | None:
    return control_of(request).scenarios


def _run(request: web.Request) -> Run:
    known = _known(request)
    found = None if known is None else known.run(request.match_info["run"])
    if found is None:
        raise web.HTTPNotFound(reason="there is no such run (any more)")
    return found


async def _all(request: web.Request) -> web.Response:
    known = _known(request)
    run = next(iter(known.runs), None) if known else None
    return await _page(request, run)


async def _one(request: web.Request) -> web.Response:
    return await _page(request, _run(request))


async def _page(
    request: web.Request, run: Run | None, *, problems: Sequence[str] = (), status: int = 200
) -> web.Response:
    known = _known(request)
    return page(
        request,
        "scenarios.html",
        status=status,
        title="Scenarios" if run is None else f"{run.words} · Scenarios",
        live="/live" if run is None or run.result is not None else f"/scenarios/{run.id}/live",
        offered=[] if known is None else await known.offered(),
        runs=() if known is None else known.runs,
        busy=None if known is None else known.under_way,
        has_lab=known is not None,
        in_own_lab=known is not None and known.in_own_lab,
        run=run,
        problems=problems,
    )


async def _live(request: web.Request) -> web.StreamResponse:
    run = _run(request)
    known = _known(request)
    assert known is not None

    shown = ""

    async def render(_: Sequence[News]) -> Iterable[Push]:
        """Also as time passes: what happened between the page and its stream is no news any more."""
        nonlocal shown
        before, shown = shown, markup("scenarios_run.html", run=run, in_own_lab=known.in_own_lab)
        if shown == before:
            return []
        return [Push("run", shown)] if run.result is None else [Push("run", shown), Push("behind", "")]

    return await stream(request, known.bus, render, wanted=lambda news: news.run == run.id, every_seconds=_LOOK_SECONDS)


async def _start(request: web.Request) -> web.Response:
    given = await request.post()
    names = [str(one) for one in given.getall("scenario", [])]
    known = _known(request)
    if known is None:
        raise web.HTTPNotFound
    try:
        run = known.start(await known.meant(names))
    except (ScenarioError, KeyError, AnotherRuns) as error:
        return await _page(request, None, problems=_problems(error), status=409)
    raise web.HTTPSeeOther(f"/scenarios/{run.id}")


def _problems(error: Exception) -> tuple[str, ...]:
    if isinstance(error, ScenarioError):
        return error.problems
    return (f"there is no file {error.args[0]}",) if isinstance(error, KeyError) else (str(error),)


async def _stop(request: web.Request) -> web.Response:
    run, known = _run(request), _known(request)
    assert known is not None
    known.stop(run)
    raise web.HTTPSeeOther(f"/scenarios/{run.id}")


async def _report(request: web.Request) -> web.Response:
    return report_answer(_run(request))


async def _junit(request: web.Request) -> web.Response:
    run = _run(request)
    headers = {"Content-Disposition": f'attachment; filename="{run.id}.xml"'}
    return web.Response(body=report_junit(run), content_type="application/xml", charset="utf-8", headers=headers)


async def _draft(request: web.Request) -> web.Response:
    """YAML of what happened, to be edited and run."""
    known = _known(request)
    mm_ids = [one for one in request.query.get("mm", "").split(",") if one.isascii() and one.isdecimal()]
    if known is None:
        return _draft_page(request, "", ("This server has no lab to run scenarios in: start one with mmsc lab.",), 404)
    try:
        text = await known.draft(mm_ids, _minutes(request))
    except (ApiError, OSError) as error:
        return _draft_page(request, "", (str(error),), 409)
    return _draft_page(request, text)


def _minutes(request: web.Request) -> float:
    try:
        given = float(request.query.get("minutes", _MINUTES))
    except ValueError:
        return _MINUTES
    return min(max(given, 0.0), _MAXIMUM_MINUTES) if math.isfinite(given) else _MINUTES


def _draft_page(request: web.Request, text: str, problems: Sequence[str] = (), status: int = 200) -> web.Response:
    known = _known(request)
    return page(
        request,
        "scenarios_draft.html",
        status=status,
        title="Draft · Scenarios",
        text=text,
        problems=problems,
        in_own_lab=known is not None and known.in_own_lab,
    )


async def _run_draft(request: web.Request) -> web.Response:
    given = await request.post()
    text = str(given.get("text", ""))[:MAXIMUM_TEXT].replace("\r\n", "\n")
    known = _known(request)
    if known is None:
        raise web.HTTPNotFound
    try:
        run = known.start(await known.meant([], text or " "))
    except (ScenarioError, AnotherRuns) as error:
        return _draft_page(request, text, _problems(error), 409)
    raise web.HTTPSeeOther(f"/scenarios/{run.id}")
