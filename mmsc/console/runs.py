"""Runs: which tags there are, what became of one, and taking one's messages away."""

from collections.abc import Iterator

from aiohttp import web

from mmsc.console.page import control_of, page
from mmsc.console.setup import TABS
from mmsc.control.away import STORE_AWAY
from mmsc.control.runs import as_text


def routes() -> Iterator[web.RouteDef]:
    """/runs"""
    yield web.get("/runs", _listed)
    yield web.get("/runs/{run}", _shown)
    yield web.get("/runs/{run}/report.txt", _text)
    yield web.post("/runs/{run}/reset", _reset)


async def _listed(request: web.Request) -> web.Response:
    after = request.query.get("after", "")
    found = await control_of(request).runs.listed(after)
    return page(request, "runs.html", title="Runs", tabs=TABS, tab="runs", found=found, after=after)


async def _shown(request: web.Request) -> web.Response:
    return await _report(request, "")


async def _report(request: web.Request, wrong: str) -> web.Response:
    name = request.match_info["run"]
    report = await control_of(request).runs.report(name)
    if report is None:
        return page(request, "runs_none.html", status=404, title="No such run", tabs=TABS, tab="runs", name=name[:64])
    status = 503 if wrong else 200
    return page(request, "run.html", status=status, title=name, tabs=TABS, tab="runs", report=report, wrong=wrong)


async def _text(request: web.Request) -> web.Response:
    report = await control_of(request).runs.report(request.match_info["run"])
    if report is None:
        raise web.HTTPNotFound
    return web.Response(text=as_text(report), content_type="text/plain", headers={"Cache-Control": "no-store"})


async def _reset(request: web.Request) -> web.Response:
    control = control_of(request)
    name = request.match_info["run"]
    if await control.runs.report(name) is None:
        raise web.HTTPNotFound
    try:
        await control.resetting.of_run(name)
    except STORE_AWAY:
        return await _report(request, "The store takes nothing at the moment. Nothing was taken away.")
    raise web.HTTPSeeOther("/runs")
