"""Every page of the console, for the tests that look at all of them: whether everybody can use it, what it weighs, how
it looks. Whoever makes a page adds it here; `path` may ask the world for an id."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tests.console.world import EAGER, World


async def _newest(world: World) -> str:
    found = await world.control.messages.find(limit=50)
    return next(row.mm_id for row in found.rows if row.subject == "Storm warning, Friday" and EAGER in row.recipients)


async def _message(world: World) -> str:
    return f"/m/{await _newest(world)}"


async def _pdu(world: World) -> str:
    return f"/m/{await _newest(world)}/pdu/1"


def _tab(name: str) -> Callable[[World], Awaitable[str]]:
    async def path(world: World) -> str:
        return f"/m/{await _newest(world)}/{name}"

    return path


@dataclass(frozen=True)
class Page:
    """One page. `route` is what the server must have for it to be looked at; `octets` its budget before compression;
    `dense` pages may hold targets of less than 24 px (octets of hex, rows of a ladder)."""

    name: str
    path: str | Callable[[World], Awaitable[str]]
    route: str = ""
    status: int = 200
    octets: int = 60 * 1024

    async def address(self, world: World) -> str:
        """Where it is in this world."""
        return self.path if isinstance(self.path, str) else await self.path(world)


PAGES: Final = (
    Page("list", "/messages", octets=35 * 1024),
    Page("list-by-state", "/messages?group=state", octets=35 * 1024),
    Page("list-filtered", "/messages?q=path:mm7&since=2h&run=ci-4711"),
    Page("list-error", "/messages?q=stat:x", status=400),
    Page("lanes", "/lanes"),
    Page("lane", "/lanes/peer:peer-down"),
    Page("lane-none", "/lanes/peer:nobody", status=404),
    Page("message", _message, route="/m/{mm_id}"),
    Page("message-pdu", _pdu, route="/m/{mm_id}/pdu/{number}"),
    Page("message-content", _tab("content"), route="/m/{mm_id}/content"),
    Page("message-recipients", _tab("recipients"), route="/m/{mm_id}/recipients"),
    Page("message-events", _tab("events"), route="/m/{mm_id}/events"),
    Page("message-findings", _tab("findings"), route="/m/{mm_id}/findings"),
    Page("phones", "/phones", route="/phones"),
    Page("phone", f"/phones/{EAGER[1:]}", route="/phones/{digits}"),
    Page("send-mm7", "/send/mm7", route="/send/{way}"),
    Page("send-mm1", "/send/mm1", route="/send/{way}"),
    Page("send-mm4", "/send/mm4", route="/send/{way}"),
    Page("send-rest", "/send/rest", route="/send/{way}"),
    Page("findings", "/findings", route="/findings"),
    Page("faults", "/faults", route="/faults"),
    Page("scenarios", "/scenarios", route="/scenarios"),
    Page("captures", "/captures", route="/captures"),
    Page("setup", "/setup", route="/setup"),
    Page("setup-vasps", "/setup/vasps", route="/setup/{kind}"),
    Page("runs", "/runs", route="/runs"),
    Page("api", "/api", route="/api", octets=200 * 1024),
    Page("login", "/login"),
)


def there(world: World) -> list[Page]:
    """Those that this server has."""
    listener = world.app.operations._listener
    assert listener is not None
    routes = {resource.canonical for resource in listener._runner.app.router.resources()}
    return [page for page in PAGES if not page.route or page.route in routes]
