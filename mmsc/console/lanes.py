"""The lanes' pages: does it move, and if not, why not; what waits; and what can be done about it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from mmsc.console.live import Push, Shown, stream
from mmsc.console.page import control_of, markup, page
from mmsc.control import Control
from mmsc.control.lanes import QUEUE_AT_MOST, Act, Acting, LaneSeen

_WORDS: Final = {
    Act.RETRY: "Retry now",
    Act.DROP_BACK_OFF: "Drop back-off",
    Act.STOP: "Stop",
    Act.GO: "Let it go",
}
_EVERY_SECONDS: Final = 1.0
_CHART: Final = (240, 28)  # of the answers, in px
_ONE: Final = "/lanes/{name:[^/]+:[^/]+|nowhere}"


def routes() -> Iterator[web.RouteDef]:
    """/lanes and /lanes/NAME"""
    yield web.get("/lanes", _lanes)
    yield web.get("/lanes/live", _lanes_live)
    yield web.get(_ONE, _lane)
    yield web.get(f"{_ONE}/live", _lane_live)
    yield web.post(f"{_ONE}/{{act}}", _act)


async def _lanes(request: web.Request) -> web.Response:
    lanes = await control_of(request).lanes.listed()
    return page(request, "lanes.html", title="Lanes", live="/lanes/live", **_values(lanes))


async def _lanes_live(request: web.Request) -> web.StreamResponse:
    control, shown = control_of(request), Shown()

    async def render(_: Sequence[object]) -> Iterable[Push]:
        return shown.fresh([Push("lanes", markup("lanes-rows.html", **_values(await control.lanes.listed())))])

    return await stream(request, None, render, every_seconds=_EVERY_SECONDS)


async def _lane(request: web.Request) -> web.Response:
    control, name = control_of(request), request.match_info["name"]
    values = await _one(control, name)
    if values is None:
        text = f"No lane {name!r}: it has had nothing to do since the start."
        return page(request, "lane-none.html", status=404, title="No such lane", text=text)
    return page(request, "lane.html", title=name, live=f"/lanes/{quote(name)}/live", **values)


async def _lane_live(request: web.Request) -> web.StreamResponse:
    control, name, shown = control_of(request), request.match_info["name"], Shown()

    async def render(_: Sequence[object]) -> Iterable[Push]:
        values = await _one(control, name)
        return [] if values is None else shown.fresh([Push("lane", markup("lane-body.html", **values))])

    return await stream(request, None, render, every_seconds=_EVERY_SECONDS)


async def _one(control: Control, name: str) -> dict[str, Any] | None:
    lane = await control.lanes.one(name)
    if lane is None:
        return None
    queue = await control.lanes.queue(name)
    full = queue is not None and len(queue) == QUEUE_AT_MOST
    return {"lane": lane, "queue": queue, "queue_full": full, **_values([lane])}


async def _act(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    given = await request.post()
    try:
        act = Act(request.match_info["act"])
        done = await control_of(request).lanes.act(name, act, "console")
    except ValueError:
        raise web.HTTPNotFound from None
    if done is Acting.STORE_AWAY:
        raise web.HTTPServiceUnavailable(reason="the store takes nothing at the moment")
    if done is Acting.NO_SUCH_LANE:
        raise web.HTTPNotFound
    back = "/lanes" if given.get("back") == "/lanes" else f"/lanes/{quote(name)}"
    return web.Response(status=303, headers={"Location": back})


def _values(lanes: Sequence[LaneSeen]) -> dict[str, Any]:
    return {"lanes": lanes, "words": _WORDS, "charts": {lane.name: _chart(lane) for lane in lanes}}


def _chart(lane: LaneSeen) -> dict[str, object]:
    """Two paths of bars over ten minutes, answers done above the axis and failed below; and both sums."""
    width, height = _CHART
    most = max([1, *lane.done, *lane.failed])
    half, step = height / 2, width / 60
    first = 60 - len(lane.done)

    def bars(values: Sequence[int], direction: int) -> str:
        tall = (max(1.0, value / most * half) if value else 0.0 for value in values)
        return "".join(
            f"M{(first + number) * step:.0f} {half:g}v{direction * size:.1f}h{step - 1:g}v{-direction * size:.1f}z"
            for number, size in enumerate(tall)
            if size
        )

    return {"done": bars(lane.done, -1), "failed": bars(lane.failed, 1), "sum": (sum(lane.done), sum(lane.failed))}
