"""Faults and the clock: the catalogue with its switches, what was hit, and service time with what is due next. Plain
forms change things; the stream brings hits, the clock and what is due."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web

from mmsc.console.live import Push, stream
from mmsc.console.page import control_of, markup, page
from mmsc.control import Control
from mmsc.control.clocking import SPEEDS, STORE_AWAY, Clocking, ClockRefused
from mmsc.control.faults import DOSES, Faults, FaultView, Group, Kind, Setting, UnknownFault, WrongParameter
from mmsc.domain.instant import Instant, from_datetime

_EVERY_SECONDS: Final = 1.0
_DUE: Final = 8  # rows of what is due next
_ONE: Final = "/faults/{name:[a-z0-9-]+}"
_STEPS: Final = (("+1 min", 60), ("+1 h", 3600), ("+1 d", 86_400))
_DOSE_WORDS: Final = {
    "rate": "Rate, 0 to 1",
    "seed": "Seed of the dice",
    "times": "At most so many hits, then off",
    "each": "At most so many for each transaction",
    "delay_seconds": "Seconds before it bites",
    "expires_after_seconds": "Off by itself after so many seconds",
}
_MATCH_WORDS: Final = {
    "vasp": "VASP",
    "peer": "Peer",
    "smsc": "SMSC",
    "number": "Number begins with",
    "run": "Run",
    "transaction": "Transaction begins with",
    "operation": "Operation",
}


def routes() -> Iterator[web.RouteDef]:
    """/faults, its switches and its clock."""
    yield web.get("/faults", _faults)
    yield web.get("/faults/live", _live)
    yield web.get("/faults/form/{name}", _form)
    yield web.get("/faults/config", _config)
    yield web.post("/faults/off", _all_off)
    yield web.post("/faults/clock", _turn)
    yield web.post(f"{_ONE}/on", _on)
    yield web.post(f"{_ONE}/off", _off)
    yield web.post(f"{_ONE}/set", _set)


async def _faults(request: web.Request) -> web.Response:
    return await _page(request)


async def _page(request: web.Request, *, status: int = 200, **more: Any) -> web.Response:
    faults, clocking = _parts(request)
    wanted = request.query.get("q", "").strip()
    shown = [(group, [one for one in views if _has(one, group, wanted)]) for group, views in faults.groups()]
    opened = request.query.get("set", "")
    values = {
        "groups": [(group, views) for group, views in shown if views],
        "views": faults.catalogue(),
        "active": faults.active(),
        "wanted": wanted,
        "opened": opened,
        "form": _fields(faults, opened) if opened else None,
        "magic": faults.magic(),
        "prefix": faults.prefix,
        "config": faults.config() if "config" in request.query else None,
        "wrong": "",
        **await _clock_values(clocking),
        **more,
    }
    return page(request, "faults.html", status=status, title="Faults & clock", live="/faults/live", **values)


def _has(view: FaultView, group: Group, wanted: str) -> bool:
    text = f"{view.fault.name} {view.fault.text} {group.value} {view.fault.clause} {'on' if view.is_on else 'off'}"
    return all(word in text.lower() for word in wanted.lower().split())


async def _clock_values(clocking: Clocking) -> dict[str, Any]:
    values: dict[str, Any] = {"clock": clocking.view(), "speeds": SPEEDS, "steps": _STEPS}
    try:
        due, timers = await clocking.due(_DUE), await clocking.timers()
        return {**values, "due": due, "timers": timers, "stays": await clocking.why_not_back(), "away": False}
    except STORE_AWAY:
        return {**values, "due": [], "timers": 0, "stays": "", "away": True}


async def _live(request: web.Request) -> web.StreamResponse:
    """What changed: rows by themselves, so that a form that is open stays as it is."""
    faults, clocking = _parts(request)
    seen = {view.fault.name: _row(view) for view in faults.catalogue()}
    known = {"time": "", "clock": "", "due": "", "active": ""}

    async def render(_: Sequence[object]) -> Iterable[Push]:
        pushes = []
        rows = {view.fault.name: _row(view) for view in faults.catalogue()}
        changed = [text for name, text in rows.items() if seen[name] != text]
        seen.update(rows)
        if changed:
            pushes.append(Push("rows", "".join(changed)))
        values = await _clock_values(clocking)
        pieces = {
            "time": markup("faults-time.html", **values),
            "clock": markup("faults-clock.html", **values),
            "due": markup("faults-due.html", **values),
            "active": markup("faults-active.html", active=faults.active(), views=faults.catalogue()),
        }
        for name, text in pieces.items():
            if known[name] != text:
                known[name] = text
                pushes.append(Push(name, text))
        return pushes

    return await stream(request, None, render, every_seconds=_EVERY_SECONDS)


def _row(view: FaultView) -> str:
    return markup("faults-row.html", view=view, oob=True)


async def _form(request: web.Request) -> web.Response:
    """The parameters of one fault, for a script that opens them in its row."""
    try:
        text = markup("faults-form.html", form=_fields(_parts(request)[0], request.match_info["name"]), wrong="")
    except UnknownFault:
        raise web.HTTPNotFound from None
    return web.Response(text=text, content_type="text/html")


def _fields(faults: Faults, name: str, given: dict[str, str] | None = None) -> dict[str, Any] | None:
    """What a form shows: the fault's own parameters, whom it meets, how often."""
    try:
        view = faults.one(name)
    except UnknownFault:
        return None
    setting = view.setting or Setting()
    told = given or {}

    def value(field: str) -> str:
        if field in told:
            return told[field]
        known = getattr(setting, field)
        return "" if known in (0, "") else f"{known:g}" if isinstance(known, float) else str(known)

    own = [
        {
            "name": one.name,
            "text": one.text[:1].upper() + one.text[1:],
            "value": told.get(one.name) or one.shown(_known(setting, one.name, one.default)),
            "choices": one.choices,
            "fixed": one.kind is Kind.CHOICE,
            "number": one.kind in (Kind.SECONDS, Kind.OCTETS),
            "highest": f"{one.highest:g}",
        }
        for one in view.fault.parameters
    ]
    matches = [(one, _MATCH_WORDS[one], value(one)) for one in view.matches]
    doses = [(one, _DOSE_WORDS[one], value(one) or ("1" if one == "rate" else "")) for one in DOSES]
    return {"view": view, "own": own, "matches": matches, "doses": doses}


def _known(setting: Setting, name: str, otherwise: object) -> object:
    value = getattr(setting, name)
    return otherwise if value is msgspec.UNSET else value


async def _config(request: web.Request) -> web.Response:
    return web.Response(text=_parts(request)[0].config(), content_type="text/plain", charset="utf-8")


async def _on(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    try:
        _parts(request)[0].set(name)
    except UnknownFault:
        raise web.HTTPNotFound from None
    return await _back(request, name)


async def _off(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    try:
        _parts(request)[0].clear(name)
    except UnknownFault:
        raise web.HTTPNotFound from None
    return await _back(request, name)


async def _all_off(request: web.Request) -> web.Response:
    _parts(request)[0].clear()
    return await _back(request)


async def _set(request: web.Request) -> web.Response:
    faults, name = _parts(request)[0], request.match_info["name"]
    given = {key: str(value).strip() for key, value in (await request.post()).items() if key != "q"}
    try:
        filled = {key: value for key, value in given.items() if value}
        faults.set(name, msgspec.convert(filled, Setting, strict=False))
    except UnknownFault:
        raise web.HTTPNotFound from None
    except (WrongParameter, msgspec.ValidationError) as error:
        form = _fields(faults, name, given)
        return await _page(request, status=400, opened=name, form=form, wrong=str(error))
    return await _back(request, name)


async def _back(request: web.Request, name: str = "") -> web.Response:
    wanted = str((await request.post()).get("q", ""))
    query = f"?{urlencode({'q': wanted})}" if wanted else ""
    anchor = f"#{quote(name)}" if name else ""
    return web.Response(status=303, headers={"Location": f"/faults{query}{anchor}"})


async def _turn(request: web.Request) -> web.Response:
    clocking = _parts(request)[1]
    given = {key: str(value) for key, value in (await request.post()).items()}
    try:
        await _turned(clocking, given)
    except (ClockRefused, ValueError) as error:
        return await _page(request, status=409, clock_wrong=str(error))
    except STORE_AWAY as error:
        return await _page(
            request, status=503, clock_wrong=f"The clock runs so, but a restart will not know it: {error}"
        )
    return await _back(request)


async def _turned(clocking: Clocking, given: dict[str, str]) -> None:
    does, value = given.get("do", ""), given.get("value", "")
    match does:
        case "pause":
            await clocking.pause()
        case "resume":
            await clocking.resume()
        case "next":
            await clocking.to_next()
        case "real":
            await clocking.to_real()
        case "step":
            await clocking.step(float(value))
        case "speed":
            await clocking.speed(float(value))
        case "to":
            await clocking.to(_moment(value))
        case _:
            raise ValueError(f"{does[:40]!r} is nothing that a clock does")


def _moment(text: str) -> Instant:
    """µs since 1970, or a date with a time (UTC when it names no zone). Raises ValueError."""
    if text.isascii() and text.isdecimal():
        return Instant(int(text))
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no date with a time") from error
    return from_datetime(found if found.tzinfo else found.replace(tzinfo=UTC))


def _parts(request: web.Request) -> tuple[Faults, Clocking]:
    control: Control = control_of(request)
    if control.faults is None or control.clocking is None:
        raise web.HTTPNotFound
    return control.faults, control.clocking
