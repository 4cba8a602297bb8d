"""REST: run tags, and what became of a run."""

from typing import Annotated, Any, Final

import msgspec
from aiohttp import web

from mmsc.control.runs import RunPage, RunReport, as_text
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem


class RunsWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page."""

    after: Annotated[str, msgspec.Meta(description="the `next` of the page before")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200, description="runs of a page")] = 50


async def _listed(call: Call) -> Answer:
    return Answer(await call.control.runs.listed(call.query.after, call.query.limit))


async def _report(call: Call) -> RunReport:
    found = await call.control.runs.report(call.path["run"])
    if found is None:
        raise Problem(404, f"no message has the tag {call.path['run'][:64]!r}")
    return found


async def _one(call: Call) -> Answer:
    return Answer(await _report(call))


async def _text(call: Call) -> web.Response:
    text = as_text(await _report(call))
    return web.Response(text=text, content_type="text/plain", headers={"Cache-Control": "no-store"})


_COMMON: Final[dict[str, Any]] = {
    "tag": "runs",
    "parameters": {"run": "the tag: letters, digits, dots, hyphens and underscores"},
    "examples": {"run": "ci-4711"},
}
ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/runs",
        summary="The runs, by name",
        tag="runs",
        handle=_listed,
        query=RunsWanted,
        answers={200: RunPage},
    ),
    Endpoint(
        method="GET",
        path="/runs/{run}",
        summary="What became of a run",
        handle=_one,
        answers={200: RunReport},
        **_COMMON,
    ),
    Endpoint(
        method="GET",
        path="/runs/{run}/report.txt",
        summary="The same as text, for a ticket",
        handle=_text,
        answers={200: "text/plain"},
        **_COMMON,
    ),
)
