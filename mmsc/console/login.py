"""Where a browser shows the console's token once."""

from collections.abc import Iterator

from aiohttp import web

from mmsc.console.guard import Guard
from mmsc.console.page import markup


def routes(guard: Guard) -> Iterator[web.RouteDef]:
    """/login and /logout."""

    async def ask(request: web.Request) -> web.Response:
        return _form(request.query.get("to", "/"))

    async def enter(request: web.Request) -> web.Response:
        given = await request.post()
        to = _own(str(given.get("to", "/")))
        answer = web.Response(status=303, headers={"Location": to})
        if guard.asks and not guard.enter(answer, str(given.get("token", "")), secure=request.secure):
            return _form(to, wrong=True)
        return answer

    async def leave(_: web.Request) -> web.Response:
        answer = web.Response(status=303, headers={"Location": "/login"})
        guard.leave(answer)
        return answer

    yield web.get("/login", ask)
    yield web.post("/login", enter)
    yield web.post("/logout", leave)


def _form(to: str, *, wrong: bool = False) -> web.Response:
    text = markup("login.html", to=_own(to), wrong=wrong)
    return web.Response(text=text, content_type="text/html", status=403 if wrong else 200)


def _own(to: str) -> str:
    """A path of ours, whatever a link said."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
