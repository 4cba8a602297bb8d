"""The list of messages: what is going on, and which one to open."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.console import words
from mmsc.console.filtering import Filter
from mmsc.console.first_steps import steps
from mmsc.console.frame import has
from mmsc.console.live import Push, stream
from mmsc.console.message_head import id_in
from mmsc.console.message_rows import Line, grouped, lines
from mmsc.console.page import control_of, markup, page
from mmsc.console.said import said_of, tell
from mmsc.control import Control
from mmsc.control.acting import in_words
from mmsc.control.messages import MessagePage, other_run_in_words
from mmsc.control.query import QueryError, parse
from mmsc.control.rates import Series
from mmsc.domain.searching import Field, MessageQuery
from mmsc.engine.acting import Action
from mmsc.engine.queries.messages import Gone
from mmsc.trace.events import Event

ROWS: Final = 50
CHART_SECONDS: Final = 120
CHANGED_AT_ONCE: Final = 20  # messages whose rows are renewed a quarter second; beyond them they are only counted
NEW_PER_SECOND: Final = 20  # messages; beyond them, too
_HELPS: Final = (
    ("+15550107", "a number, an id, a Message-ID, a TransactionID, a token, or any text; several words must all hold"),
    ("state:expired", "any state of a recipient, or open, or ended"),
    ("from:+1555 to:+46705550118", "a number or its beginning"),
    ("vasp:NAME peer:NAME smsc:NAME", "a neighbour, on either side"),
    ("finding:MM7-R012 fault:NAME", "or any"),
    ("run:ci-4711", "the tag of a test run"),
    ("since:1h until:14:05", "service time: a span, a time of day, a date"),
    ("size:>300k path:mm4", "octets; an interface that it came in by or went out by"),
    ('-state:retrieved "two words"', "a minus for what must not be, quotes for what belongs together"),
)
_ACCEPTED: Final = "mm.accepted"


def routes() -> Iterator[web.RouteDef]:
    """/, /messages and what they follow."""
    yield web.get("/", _list)
    yield web.get("/messages", _list)
    yield web.post("/messages", _act)
    yield web.get("/messages/live", _live)


async def _list(request: web.Request) -> web.Response:
    control, filtered = control_of(request), Filter.of(request)
    try:
        query = _query(control, filtered)
    except QueryError as error:
        return _page(request, filtered, MessagePage(rows=[]), error=error, status=400)
    found = await control.messages.find(query, filtered.below, ROWS)
    said = said_of(request, str) or ""
    if _is_one(request, query, found) and not said:
        raise web.HTTPSeeOther(f"/m/{found.rows[0].mm_id}")
    if found.rows:
        return _page(request, filtered, found, said=said)
    more: dict[str, Any] = {} if query.terms else {"steps": steps(request, control)}
    return _page(request, filtered, found, said=said, elsewhere=await _elsewhere(control, filtered), **more)


async def _elsewhere(control: Control, filtered: Filter) -> tuple[str, str]:
    """The id that was looked for, and of which run it is, where that is another than the filter's."""
    wanted = id_in(filtered.q)
    row = await control.messages.row(wanted) if filtered.run and wanted is not None else Gone()
    return ("", "") if isinstance(row, Gone) else (row.mm_id, other_run_in_words(row, filtered.run))


async def _act(request: web.Request) -> web.Response:
    """Retry now or cancel what is selected; the same list then says what came of it."""
    control, filtered, form = control_of(request), Filter.of(request), await request.post()
    ids = [id_in(str(one)) for one in form.getall("mm", [])]
    chosen = [one for one in ids if one is not None]
    try:
        _query(control, filtered)
        action = Action(str(form.get("action", "")))
        if not ids or len(chosen) < len(ids):
            raise ValueError
        outcome = await control.acting.act_on_many(action, chosen, "console")
    except ValueError as error:
        raise web.HTTPBadRequest(reason="no such action, or no such messages") from error
    return tell(request, in_words(outcome))


def _query(control: Control, filtered: Filter) -> MessageQuery:
    """Raises `QueryError`."""
    return parse(filtered.text, control.clock.now(), control.engine.numbers)


def _is_one(request: web.Request, query: MessageQuery, found: MessagePage) -> bool:
    """One hit of a search for nothing but words opens it."""
    words_only = bool(query.terms) and all(term.field is Field.WORD for term in query.terms)
    return words_only and len(found.rows) == 1 and found.more is None


def _page(request: web.Request, filtered: Filter, found: MessagePage, **more: Any) -> web.Response:
    control = control_of(request)
    shown = lines(found.rows, control.clock.now())
    values: dict[str, Any] = {
        "filter": filtered,
        "lines": shown,
        "groups": grouped(shown) if filtered.group else [],
        "older": filtered.address(before=str(found.more)) if found.more is not None else "",
        "stopped": found.stopped,
        "looked_at": found.looked_at,
        "newest": shown[0].id if shown else "",
        "rates": [_rate(one) for one in control.rates.series(CHART_SECONDS)],
        "has_pcapng": has(request, "/captures.pcapng"),
        "has_send": has(request, "/send/mm7"),
        "error": None,
        "said": "",
        "steps": [],
        "elsewhere": ("", ""),
        "helps": _HELPS,
        "status": 200,
        **more,
    }
    status = values.pop("status")
    live = filtered.address("/messages/live") if filtered.is_live and not values["error"] else "/live"
    return page(request, "messages.html", status=status, title=_title(filtered), live=live, **values)


def _title(filtered: Filter) -> str:
    return f"{filtered.text[:60]} · Messages" if filtered.text else "Messages"


async def _live(request: web.Request) -> web.StreamResponse:
    """Rows that changed, as far as they belong to the filter; how many are new where they are too many; and rates."""
    control, filtered = control_of(request), Filter.of(request)
    try:
        query = _query(control, filtered)
    except QueryError as error:
        raise web.HTTPBadRequest(reason="the query is not understood") from error
    followed = _Followed(control, query)
    return await stream(request, control.bus, followed.render, wanted=_is_about_an_mm, every_seconds=1.0)


def _is_about_an_mm(event: Event) -> bool:
    return event.mm_id is not None


class _Followed:
    """One open list."""

    def __init__(self, control: Control, query: MessageQuery) -> None:
        self._control = control
        self._query = query
        self._ticks = control.rates.ticks - 1
        self._new = self._new_before = 0  # messages of this second, and of the one before
        self._untold = 0  # of them, those that are only counted

    async def render(self, events: Sequence[Event]) -> Iterable[Push]:
        """What the list is told of these events."""
        return [*await self._rows(events), *self._of_a_second()]

    async def _rows(self, events: Sequence[Event]) -> list[Push]:
        changed = list({event.mm_id: None for event in events if event.mm_id is not None})
        new = sum(event.kind == _ACCEPTED for event in events)
        self._new += new
        if len(changed) > CHANGED_AT_ONCE or max(self._new, self._new_before) > NEW_PER_SECOND:
            self._untold += new
            return []
        if not changed:
            return []
        rows = await self._control.messages.among(self._query, changed)
        shown: list[Line] = lines(rows, self._control.clock.now())
        return [Push("rows", markup("messages-rows.html", lines=shown))] if shown else []

    def _of_a_second(self) -> list[Push]:
        """Once a second: how many were only counted, and rates."""
        rates = self._control.rates
        if rates.ticks == self._ticks:
            return []
        self._ticks = rates.ticks
        self._new_before, self._new = self._new, 0
        pushes = [Push("many", str(self._untold))] if self._untold else []
        self._untold = 0
        return [*pushes, Push("rates", msgspec.json.encode([_rate(one, last=1) for one in rates.series(10)]).decode())]


def _rate(series: Series, last: int = CHART_SECONDS) -> dict[str, Any]:
    """One figure and its line, in as few characters as can be."""
    values = [None if one is None else round(one, 3) for one in series.values[-last:]]
    return {
        "name": series.name,
        "label": series.label,
        "unit": series.unit,
        "now": _figure(series.now),
        "line": msgspec.json.encode(values).decode(),
    }


def _figure(value: float | None) -> str:
    """Three digits are enough."""
    if value is None:
        return "–"
    return words.count(round(value)) if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2g}"
