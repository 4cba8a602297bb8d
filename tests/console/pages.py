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
    """One page. `octets` is its budget before compression."""

    name: str
    path: str | Callable[[World], Awaitable[str]]
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
    Page("message", _message),
    Page("message-pdu", _pdu),
    Page("message-content", _tab("content")),
    Page("message-recipients", _tab("recipients")),
    Page("message-events", _tab("events")),
    Page("message-findings", _tab("findings")),
    Page("message-compare", _compared),
    Page("message-text", _pdu_text),
    Page("compare-runs", "/compare?run=a&with=b"),
    Page("phones", "/phones"),
    Page("phone", f"/phones/{EAGER[1:]}"),
    Page("phone-mm", _on_phone("")),
    Page("phone-reply", _on_phone("/reply")),
    Page("phone-new", f"/phones/{EAGER[1:]}/new"),
    Page("send-mm7", "/send/mm7"),
    Page("send-mm1", "/send/mm1"),
    Page("send-mm4", "/send/mm4"),
    Page("send-rest", "/send/rest"),
    Page("findings", "/findings"),
    Page("finding", _finding),
    Page("finding-none", "/findings/MM9-X", status=404),
    Page("faults", "/faults"),
    Page("scenarios", "/scenarios"),
    Page("scenario-draft", "/scenarios/draft", status=404),
    Page("captures", "/captures"),
    Page("capture", _capture),
    Page("replay", _replay),
    Page("compare", "/compare"),
    Page("setup", "/setup"),
    Page("setup-vasps", "/setup/vasps"),
    Page("setup-vasp", "/setup/vasps/weather-vasp"),
    Page("setup-vasp-new", "/setup/vasps/new"),
    Page("setup-peers", "/setup/peers"),
    Page("setup-peer", "/setup/peers/peer-b"),
    Page("setup-smscs", "/setup/smscs"),
    Page("setup-smsc-new", "/setup/smscs/new"),
    Page("setup-subscribers", "/setup/subscribers"),
    Page("setup-subscriber", f"/setup/subscribers/{EAGER[1:]}"),
    Page("setup-subscriber-new", "/setup/subscribers/new"),
    Page("setup-routes", "/setup/routes"),
    Page("setup-profiles", "/setup/profiles"),
    Page("runs", "/runs"),
    Page("api", "/api", octets=400 * 1024),
    Page("login", "/login"),
)
