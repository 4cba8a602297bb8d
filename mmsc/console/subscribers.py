"""Setup: subscribers, where numbers go, and the dialects of MM7."""

from collections.abc import Iterator, Mapping

from aiohttp import web

from mmsc.console.page import control_of, page
from mmsc.console.setup import PAGE_ROWS, REFUSALS, TABS, errors_of, form_of, setup_of
from mmsc.control.setup_forms import grouped, keys_of, read, written
from mmsc.control.setup_tables import SetupWrong
from mmsc.control.subscribers import Listed
from mmsc.domain.address import NotAnAddress

_KIND = "subscriber"


def routes() -> Iterator[web.RouteDef]:
    """/setup/subscribers, /setup/routes and /setup/profiles."""
    yield web.get("/setup/subscribers", _listed)
    yield web.get("/setup/subscribers/new", _new)
    yield web.post("/setup/subscribers/new", _make)
    yield web.get("/setup/subscribers/{number:[0-9]+}", _shown)
    yield web.post("/setup/subscribers/{number:[0-9]+}", _change)
    yield web.post("/setup/subscribers/{number:[0-9]+}/delete", _delete)
    yield web.get("/setup/routes", _routes)
    yield web.get("/setup/profiles", _profiles)
    yield web.get("/setup/profiles/{name}", _profile)


async def _listed(request: web.Request) -> web.Response:
    subscribers = setup_of(request).subscribers
    query, after = request.query.get("q", ""), request.query.get("after", "")
    found, more = subscribers.listed(f"+{after}" if after else "", PAGE_ROWS, query)
    return page(
        request,
        "setup_subscribers.html",
        title="Subscribers",
        tabs=TABS,
        tab="subscribers",
        rows=found,
        q=query,
        more=more.lstrip("+"),
        total=subscribers.count,
    )


async def _new(request: web.Request) -> web.Response:
    values = {key.name: written(key, key.default) for key in keys_of(_KIND)}
    return _form(request, None, request.query.get("number", ""), values)


async def _make(request: web.Request) -> web.Response:
    form = await form_of(request)
    return await _put(request, form.get("number", ""), form, None)


async def _shown(request: web.Request) -> web.Response:
    one = _one(request)
    told = {"mms": str(one.subscriber.mms), "smsc": one.subscriber.smsc, "ip": one.subscriber.ip}
    return _form(request, one, one.subscriber.address.value, {**told, "run": one.subscriber.run})


async def _change(request: web.Request) -> web.Response:
    one = _one(request)
    return await _put(request, one.subscriber.address.value, await form_of(request), one)


async def _put(request: web.Request, text: str, form: Mapping[str, str], one: Listed | None) -> web.Response:
    subscribers = setup_of(request).subscribers
    try:
        number = subscribers.number(text)
        await subscribers.put(number, read(_KIND, form))
    except REFUSALS as error:
        values = {key.name: form.get(key.name, "") for key in keys_of(_KIND)}
        return _form(request, one, text, values, errors_of(error))
    raise web.HTTPSeeOther(f"/setup/subscribers/{number.value.lstrip('+')}?saved=1")


async def _delete(request: web.Request) -> web.Response:
    one = _one(request)
    try:
        await setup_of(request).subscribers.delete(one.subscriber.address)
    except REFUSALS as error:
        values = {key.name: "" for key in keys_of(_KIND)}
        return _form(request, one, one.subscriber.address.value, values, errors_of(error))
    raise web.HTTPSeeOther("/setup/subscribers")


def _form(
    request: web.Request,
    one: Listed | None,
    number: str,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
) -> web.Response:
    heading = number if one is not None else "New subscriber"
    return page(
        request,
        "setup_subscriber.html",
        status=400 if errors else 200,
        title=heading,
        tabs=TABS,
        tab="subscribers",
        heading=heading,
        one=one,
        number=number,
        groups=grouped(_KIND),
        values=values,
        locked=one is not None and one.origin == "config",
        errors=errors or {},
        saved="saved" in request.query,
    )


async def _routes(request: web.Request) -> web.Response:
    """Where a number goes, and why: the steps of `mmsc route`, for what is in force now."""
    control = control_of(request)
    number, neighbour = request.query.get("number", "").strip()[:200], request.query.get("from", "").strip()[:200]
    known = control.engine.neighbours
    steps, told = [], None
    if number:
        found = control.engine.numbers.normalise(number, neighbour)
        if isinstance(found, NotAnAddress):
            steps = [f"Not an address: {found.because}"]
        else:
            told = (found.address, *control.engine.numbers.route(found.address))
            steps = list(found.steps)
    named_by = [*(f"vasp:{name}" for name in known.vasps), *(f"peer:{name}" for name in known.peers)]
    return page(
        request,
        "setup_routes.html",
        title="Routes",
        tabs=TABS,
        tab="routes",
        number=number,
        neighbour=neighbour,
        named_by=sorted(named_by),
        steps=steps,
        told=told,
        codes=sorted(known.short_codes.items())[:500],
        prefixes=sorted((prefix, peer.name) for peer in known.peers.values() for prefix in peer.prefixes)[:500],
        own=control.engine.policy.routing,
    )


async def _profiles(request: web.Request) -> web.Response:
    found = setup_of(request).profiles()
    return page(request, "setup_profiles.html", title="Profiles", tabs=TABS, tab="profiles", rows=found)


async def _profile(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    found = next((one for one in setup_of(request).profiles() if one.name == name), None)
    if found is None:
        raise web.HTTPNotFound
    return page(request, "setup_profile.html", title=found.name, tabs=TABS, tab="profiles", one=found)


def _one(request: web.Request) -> Listed:
    subscribers = setup_of(request).subscribers
    try:
        found = subscribers.one(subscribers.number(f"+{request.match_info['number']}"))
    except SetupWrong as error:
        raise web.HTTPNotFound from error
    if found is None:
        raise web.HTTPNotFound
    return found
