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


async def _pdu_text(world: World) -> str:
    return f"/m/{await _newest(world)}/pdu/1?b=soap&as=text"


async def _compared(world: World) -> str:
    newest = await _newest(world)
    found = await world.control.messages.find(limit=50)
    other = next(row.mm_id for row in found.rows if row.mm_id != newest)
    return f"/m/{newest}/compare?with={other}"


def _tab(name: str) -> Callable[[World], Awaitable[str]]:
    async def path(world: World) -> str:
        return f"/m/{await _newest(world)}/{name}"

    return path


def _on_phone(what: str) -> Callable[[World], Awaitable[str]]:
    async def path(world: World) -> str:
        item = await world.phone(EAGER).arrival(lambda one: one.message is not None, 0, 20)
        assert item is not None
        return f"/phones/{EAGER[1:]}/{item.number}{what}"

    return path


async def _finding(world: World) -> str:
    found = await world.control.findings.page()
    return f"/findings/{found.rows[0].rule}"


async def _exchange(world: World) -> int:
    assert world.control.captures is not None
    return next(one.exchange for one in reversed(world.control.captures.latest(200)) if one.interface == "mm7")


async def _capture(world: World) -> str:
    return f"/captures/{await _exchange(world)}"


async def _replay(world: World) -> str:
    return f"/captures/{await _exchange(world)}/replay"


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
    Page("message", _message, route="/m/{mm}", octets=72 * 1024),  # ladder 60, and the octets of one PDU
    Page("message-pdu", _pdu, route="/m/{mm}/pdu/{number}", octets=72 * 1024),
    Page("message-content", _tab("content"), route="/m/{mm}/content"),
    Page("message-recipients", _tab("recipients"), route="/m/{mm}/recipients"),
    Page("message-events", _tab("events"), route="/m/{mm}/events"),
    Page("message-findings", _tab("findings"), route="/m/{mm}/findings"),
    Page("message-compare", _compared, route="/m/{mm}/compare"),
    Page("message-text", _pdu_text, route="/m/{mm}/pdu/{number}"),
    Page("compare-runs", "/compare?run=a&with=b", route="/compare"),
    Page("phones", "/phones", route="/phones"),
    Page("phone", f"/phones/{EAGER[1:]}", route="/phones/{number}"),
    Page("phone-mm", _on_phone(""), route="/phones/{number}/{item}"),
    Page("phone-reply", _on_phone("/reply"), route="/phones/{number}/{item}/reply"),
    Page("phone-new", f"/phones/{EAGER[1:]}/new", route="/phones/{number}/new"),
    Page("send-mm7", "/send/mm7", route="/send/{whom}"),
    Page("send-mm1", "/send/mm1", route="/send/{whom}"),
    Page("send-mm4", "/send/mm4", route="/send/{whom}"),
    Page("send-rest", "/send/rest", route="/send/{whom}"),
    Page("findings", "/findings", route="/findings"),
    Page("finding", _finding, route="/findings/{rule}"),
    Page("finding-none", "/findings/MM9-X", route="/findings/{rule}", status=404),
    Page("faults", "/faults", route="/faults"),
    Page("scenarios", "/scenarios", route="/scenarios"),
    Page("captures", "/captures", route="/captures"),
    Page("capture", _capture, route="/captures/{exchange}"),
    Page("replay", _replay, route="/captures/{exchange}/replay"),
    Page("compare", "/compare", route="/compare"),
    Page("setup", "/setup", route="/setup"),
    Page("setup-vasps", "/setup/vasps", route="/setup/{kind}"),
    Page("setup-vasp", "/setup/vasps/weather-vasp", route="/setup/{kind}/{name}"),
    Page("runs", "/runs", route="/runs"),
    Page("api", "/api", route="/api", octets=400 * 1024),
    Page("login", "/login"),
)


def there(world: World) -> list[Page]:
    """Those that this server has."""
    listener = world.app.operations._listener
    assert listener is not None
    routes = {resource.canonical for resource in listener._runner.app.router.resources()}
    return [page for page in PAGES if not page.route or page.route in routes]
