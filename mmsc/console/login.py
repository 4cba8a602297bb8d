"""Where a browser shows the console's token once. Who shows many wrong ones waits."""

from collections.abc import Iterator

from aiohttp import web

from mmsc.clock import Clock
from mmsc.console.attempts import Attempts
from mmsc.console.guard import Guard
from mmsc.console.page import markup


def routes(guard: Guard, clock: Clock) -> Iterator[web.RouteDef]:
    """/login and /logout."""
    attempts = Attempts()

    async def ask(request: web.Request) -> web.Response:
        return _form(request.query.get("to", "/"))

    async def enter(request: web.Request) -> web.Response:
        given = await request.post()
        to = _own(str(given.get("to", "/")))
        address, now = request.remote or "", clock.real_now()
        if wait := attempts.wait(address, now):
            return _form(to, status=429, why=f"Too many wrong tokens from your address. Again in {wait} s.", wait=wait)
        answer = web.Response(status=303, headers={"Location": to})
        if guard.asks and not guard.enter(answer, str(given.get("token", "")), secure=request.secure):
            attempts.wrong(address, now)
            return _form(to, status=403, why="That is not the token of this server (console.token in its settings).")
        attempts.right(address)
        return answer

    async def leave(_: web.Request) -> web.Response:
        answer = web.Response(status=303, headers={"Location": "/login"})
        guard.leave(answer)
        return answer

    yield web.get("/login", ask)
    yield web.post("/login", enter)
    yield web.post("/logout", leave)


def _form(to: str, *, status: int = 200, why: str = "", wait: int = 0) -> web.Response:
    text = markup("login.html", to=_own(to), why=why)
    headers = {"Cache-Control": "no-store", **({"Retry-After": str(wait)} if wait else {})}
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def _own(to: str) -> str:
    """A path of ours, whatever a link said."""
    plain = to.isascii() and to.isprintable() and " " not in to
    return to if plain and to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
