"""The other tabs of a message: content, recipients, events, findings, and two messages beside each other."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.console.message import sentence
from mmsc.console.message_head import id_in, message_of, number_of
from mmsc.console.page import control_of, page
from mmsc.console.said import said_of, tell
from mmsc.control.acting import in_words
from mmsc.control.comparing import MOST, MOST_LADDERS, Comparison, compared
from mmsc.engine.acting import Action
from mmsc.gateways.rest.handsets import part_answer
from mmsc.trace.ladder import Pdu, Wishes
from mmsc.trace.ladder.compare import align, marks
from mmsc.trace.ladder.reading import findings_of
from mmsc.trace.view.fields import dissect
from protocols.errors import Finding
from protocols.records import record

_PEOPLE: Final = 50
_EVENTS: Final = 200
_ONE: Final = "/m/{mm_id:[0-9]+}"


def routes() -> Iterator[web.RouteDef]:
    """/m/ID/content, /recipients, /events, /findings and /compare"""
    yield web.get(f"{_ONE}/content", _content)
    yield web.get(f"{_ONE}/content/{{part:[0-9]{{1,6}}}}", _part)
    yield web.get(f"{_ONE}/recipients", _recipients)
    yield web.post(f"{_ONE}/recipients", _act)
    yield web.get(f"{_ONE}/events", _events)
    yield web.get(f"{_ONE}/findings", _findings)
    yield web.get(f"{_ONE}/compare", _compare)
    yield web.get("/compare", _runs)


async def _content(request: web.Request) -> web.Response:
    found = await message_of(request)
    content = await control_of(request).contents.of(int(found.detail.content_id))
    shown = None if content is None else content.presentation(f"/m/{found.id}/content/")
    return page(
        request, "message-content.html", title=found.title, m=found, tab="content", presentation=shown, content=content
    )


async def _part(request: web.Request) -> web.Response:
    found = await message_of(request)
    content = await control_of(request).contents.of(int(found.detail.content_id))
    number = int(request.match_info["part"])
    if content is None or number >= len(content.sources):
        raise web.HTTPNotFound(reason=f"message {found.id} has no part {number}")
    return part_answer(content.sources[number], number)


async def _recipients(request: web.Request) -> web.Response:
    found = await message_of(request)
    after = request.query.get("after", "0")
    people = await control_of(request).messages.recipients(found.id, id_in(after) or 0, _PEOPLE)
    return page(
        request,
        "message-recipients.html",
        title=found.title,
        m=found,
        tab="recipients",
        people=people,
        said=said_of(request, str) or "",
        can_all=sorted({one for row in people.rows for one in row.can}),
    )


async def _act(request: web.Request) -> web.Response:
    """Retry now, expire now or cancel, for one recipient or all; the page says what came of it. Where it was asked for
    on a ladder, that shows it."""
    form = await request.post()
    try:
        action = Action(str(form.get("action", "")))
    except ValueError as error:
        raise web.HTTPBadRequest(reason="no such action") from error
    one = str(form.get("recipient", ""))
    chosen = id_in(one)
    if one and chosen is None:
        raise web.HTTPBadRequest(reason="no such recipient")
    only = None if chosen is None else {chosen}
    outcome = await control_of(request).acting.act(action, number_of(request), "console", only)
    if form.get("back") and outcome.done:
        raise web.HTTPSeeOther(f"/m/{number_of(request)}")
    return tell(request, in_words(outcome))


async def _events(request: web.Request) -> web.Response:
    found = await message_of(request)
    after = id_in(request.query.get("after", "0")) or 0
    events = await control_of(request).messages.events(found.id, after, _EVENTS)
    more = events[-1].id if len(events) == _EVENTS else ""
    return page(
        request,
        "message-events.html",
        title=found.title,
        m=found,
        tab="events",
        events=events,
        more=more,
        as_json=lambda data: msgspec.json.encode(data).decode(),
    )


@record(frozen=True, slots=True)
class FindingSeen:
    """A finding with the PDU that it is in, and its octets there (counted in byte tab `key`)."""

    finding: Finding
    pdu: Pdu
    key: str
    place: str


def _of_pdu(pdu: Pdu) -> Iterator[FindingSeen]:
    if not findings_of(pdu.view):
        return
    dissection = dissect(pdu.view)
    level = dissection.levels[0]
    for node in dissection.nodes():
        if node.kind == "finding":
            finding = Finding(node.rule, node.clause, node.start, node.value)
            placed = node.buffer == level.buffer and node.start >= 0
            yield FindingSeen(finding, pdu, level.key, f"{node.start}-{node.end - 1}" if placed else "")


async def _findings(request: web.Request) -> web.Response:
    found = await message_of(request)
    traffic = await control_of(request).traffic.of(found.id)
    seen = [one for pdu in traffic.pdus for one in _of_pdu(pdu)]
    shown = {one.finding.rule for one in seen}
    noted = [
        one for one in traffic.events if one.kind == "finding.noted" and getattr(one.data, "rule", "") not in shown
    ]
    return page(
        request,
        "message-findings.html",
        title=found.title,
        m=found,
        tab="findings",
        seen=seen,
        noted=noted,
        pdus=len(traffic.pdus),
        text=_for_mail,
    )


def _for_mail(one: FindingSeen) -> str:
    """What to send to the partner: the rule, the clause, what was said, and the octets around it."""
    finding, octets = one.finding, one.pdu.octets
    lines = [f"{one.pdu.named.name}: {finding.rule}, {finding.clause}", finding.remark]
    if one.place:
        first, last = (int(part) for part in one.place.split("-"))
        shown = octets[first : min(last + 1, first + 64)]
        text = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in shown)
        lines.append(f"At octet {first} (0x{first:x}): {text}")
    return "\n".join(lines)


async def _compare(request: web.Request) -> web.Response:
    found = await message_of(request)
    other = request.query.get("with", "")
    values: dict[str, Any] = {"pairs": [], "other": None, "error": "", "left": None, "right": None, "asked": other}
    if other:
        values |= await _beside(request, found.id, other)
    return page(request, "message-compare.html", title=found.title, m=found, tab="compare", **values)


async def _beside(request: web.Request, mm_id: int, other: str) -> dict[str, Any]:
    """Both ladders, aligned."""
    control = control_of(request)
    number = id_in(other)
    if number is None:
        return {"error": f"{other[:40]} is no id of a message: it is the number in its address"}
    left, right = await control.traffic.of(mm_id), await control.traffic.of(number)
    if not right.events:
        return {"error": f"There is no message {other} here"}
    ours, theirs = (one.ladder(Wishes(notes=False, folds=False)) for one in (left, right))
    pairs = align(ours.rows, theirs.rows)
    return {
        "pairs": pairs,
        "other": number,
        "left": ours,
        "right": theirs,
        "says": sentence,
        "differences": sum(marks(one) != () for one in pairs),
        "marks": marks,
    }


async def _runs(request: web.Request) -> web.Response:
    """Two runs by their tags: messages paired by subject and order."""
    left, right = request.query.get("run", ""), request.query.get("with", "")
    found = await compared(control_of(request), left, right) if left and right else Comparison()
    return page(
        *(request, "compare-runs.html"),
        title="Compare runs",
        left=left,
        right=right,
        pairs=found.pairs,
        unread=found.unread,
        longer=found.longer,
        most=MOST,
        most_ladders=MOST_LADDERS,
    )
