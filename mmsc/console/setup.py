"""Setup: VASPs, peers and SMSCs as plain forms. What the settings file names is shown locked, with its line."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiohttp import web

from mmsc.console.page import control_of, page
from mmsc.control.away import STORE_AWAY
from mmsc.control.setup import Setup
from mmsc.control.setup_forms import grouped, keys_of, read, written
from mmsc.control.setup_tables import Entry, SetupFull, SetupLocked, SetupWaits, SetupWrong

_KINDS: Final = {"vasps": ("vasp", "VASP"), "peers": ("peer", "peer"), "smscs": ("smsc", "SMSC")}
_PLACE: Final = "/setup/{kinds:vasps|peers|smscs}"
PAGE_ROWS: Final = 50
AWAY: Final = "The store takes nothing at the moment. Nothing was changed."
TABS: Final = (
    ("vasps", "VASPs"),
    ("peers", "Peers"),
    ("smscs", "SMSCs"),
    ("subscribers", "Subscribers"),
    ("routes", "Routes"),
    ("profiles", "Profiles"),
)


def routes() -> Iterator[web.RouteDef]:
    """/setup and what is below it, but for subscribers."""
    yield web.get("/setup", _first)
    yield web.get(_PLACE, _listed)
    yield web.get(f"{_PLACE}/new", _new)
    yield web.post(f"{_PLACE}/new", _make)
    yield web.get(f"{_PLACE}/{{name}}", _shown)
    yield web.post(f"{_PLACE}/{{name}}", _change)
    yield web.get(f"{_PLACE}/{{name}}/delete", _asking)
    yield web.post(f"{_PLACE}/{{name}}/delete", _delete)


def setup_of(request: web.Request) -> Setup:
    """The server's. Raises HTTPNotFound where there is none."""
    setup = control_of(request).setup
    if setup is None:
        raise web.HTTPNotFound
    return setup


async def form_of(request: web.Request) -> dict[str, str]:
    """The fields of a form; files are none."""
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def errors_of(error: Exception) -> dict[str, str]:
    """Key -> what is wrong with it; "" for what is about none of them."""
    if not isinstance(error, SetupWrong):
        return {"": AWAY if isinstance(error, STORE_AWAY) else str(error)}
    found: dict[str, str] = {}
    for key, why in error.errors:
        found[key] = f"{found[key]}; {why}" if key in found else why
    return found


REFUSALS: Final = (SetupWrong, SetupLocked, SetupFull, *STORE_AWAY)


async def _first(_: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/setup/vasps")


async def _listed(request: web.Request) -> web.Response:
    kinds, (kind, title) = _kind_of(request)
    query, after = request.query.get("q", ""), request.query.get("after", "")
    found, more = setup_of(request).listed(kind, after, PAGE_ROWS, query)
    return page(
        request,
        "setup_list.html",
        title=dict(TABS)[kinds],
        **_common(kinds, title),
        rows=[(one, _in_short(one)) for one in found],
        q=query,
        after=after,
        more=more,
        origin=f"{request.scheme}://{request.host}",
    )


async def _new(request: web.Request) -> web.Response:
    kinds, (kind, _) = _kind_of(request)
    values = {key.name: "" if key.default is None else written(key, key.default) for key in keys_of(kind)}
    return _form(request, kinds, name=request.query.get("name", ""), values=values, entry=None)


async def _make(request: web.Request) -> web.Response:
    form = await form_of(request)
    kinds, (kind, title) = _kind_of(request)
    name = form.get("name", "").strip()
    if setup_of(request).one(kind, name) is not None:
        return _again(request, kinds, form, {"name": f"there is a {title} of this name"}, None)
    return await _put(request, name, form, None)


async def _shown(request: web.Request) -> web.Response:
    kinds, entry = _entry_of(request)
    values = {key.name: _value(entry, key.name) for key in keys_of(entry.kind)}
    return _form(request, kinds, name=entry.name, values=values, entry=entry)


async def _change(request: web.Request) -> web.Response:
    _, entry = _entry_of(request)
    return await _put(request, entry.name, await form_of(request), entry)


async def _put(request: web.Request, name: str, form: Mapping[str, str], entry: Entry | None) -> web.Response:
    kinds, (kind, _) = _kind_of(request)
    try:
        await setup_of(request).put(kind, name, read(kind, form))
    except REFUSALS as error:
        return _again(request, kinds, form, errors_of(error), entry)
    raise web.HTTPSeeOther(f"/setup/{kinds}/{name}?saved=1")


async def _asking(request: web.Request) -> web.Response:
    kinds, entry = _entry_of(request)
    waiting = await setup_of(request).waiting(entry.kind, entry.name)
    return _sure(request, kinds, entry, waiting, "")


async def _delete(request: web.Request) -> web.Response:
    kinds, entry = _entry_of(request)
    form = await form_of(request)
    try:
        await setup_of(request).delete(entry.kind, entry.name, with_work="with_work" in form)
    except SetupWaits as error:
        return _sure(request, kinds, entry, error.tasks, "")
    except REFUSALS as error:
        return _sure(request, kinds, entry, 0, "; ".join(errors_of(error).values()))
    raise web.HTTPSeeOther(f"/setup/{kinds}")


def _sure(request: web.Request, kinds: str, entry: Entry, waiting: int, why: str) -> web.Response:
    title = _KINDS[kinds][1]
    return page(
        request,
        "setup_delete.html",
        status=409 if why else 200,
        title=f"Delete {entry.name}",
        **_common(kinds, title),
        entry=entry,
        waiting=waiting,
        why=why,
        lane=f"{entry.kind}:{entry.name}",
    )


def _again(
    request: web.Request, kinds: str, form: Mapping[str, str], errors: dict[str, str], entry: Entry | None
) -> web.Response:
    """The form as it was sent, with what is wrong beside its fields."""
    name = entry.name if entry is not None else form.get("name", "")
    values = {key.name: form.get(key.name, "") for key in keys_of(_KINDS[kinds][0])}
    for key in keys_of(_KINDS[kinds][0]):
        if key.form == "flag":
            values[key.name] = str(key.name in form)
    return _form(request, kinds, name=name, values=values, entry=entry, errors=errors)


def _form(
    request: web.Request,
    kinds: str,
    *,
    name: str,
    values: Mapping[str, str],
    entry: Entry | None,
    errors: Mapping[str, str] | None = None,
) -> web.Response:
    kind, title = _KINDS[kinds]
    heading = name if entry is not None else f"New {title}"
    return page(
        request,
        "setup_one.html",
        status=400 if errors else 200,
        title=heading,
        **_common(kinds, title),
        heading=heading,
        name=name,
        groups=grouped(kind),
        values=values,
        entry=entry,
        locked=entry is not None and entry.origin == "config",
        errors=errors or {},
        saved="saved" in request.query,
        now=control_of(request).clock.real_now(),
    )


def _value(entry: Entry, name: str) -> str:
    key = next(one for one in keys_of(entry.kind) if one.name == name)
    return "" if key.form == "secret" else written(key, entry.shown[name])


def _in_short(entry: Entry) -> str:
    """What tells one from another in a list."""
    table = entry.shown
    if entry.kind == "vasp":
        codes = ", ".join(table["short_codes"])
        return " · ".join(one for one in (table["username"], codes, table["report_url"]) if one)
    place = f"{table['host']}:{table['port']}"
    if entry.kind == "peer":
        return " · ".join(one for one in (table["domain"], place, ", ".join(table["prefixes"])) if one)
    return f"{place} · {table['system_id']} · {table['bind']}"


def _common(kinds: str, title: str) -> dict[str, Any]:
    return {"tabs": TABS, "tab": kinds, "kinds": kinds, "kind_title": title}


def _kind_of(request: web.Request) -> tuple[str, tuple[str, str]]:
    kinds = request.match_info["kinds"]
    return kinds, _KINDS[kinds]


def _entry_of(request: web.Request) -> tuple[str, Entry]:
    kinds, (kind, _) = _kind_of(request)
    found = setup_of(request).one(kind, request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    return kinds, found
