"""The compose page: left the form, right the request as it will go out, beneath it what came back. Every field can be
given in the query, so that a message to be sent can be pasted into a ticket."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from aiohttp import web
from multidict import MultiMapping

from mmsc.console.message import ladder_values, view_of
from mmsc.console.page import control_of, markup, page
from mmsc.console.said import said_of, tell
from mmsc.console.send_fields import FIELDS
from mmsc.control import Control
from mmsc.control.sending import Attachment, BadDraft, Draft, Sent, Wire, shown
from mmsc.control.sending.draft import MAXIMUM_ATTACHMENTS, As
from mmsc.control.sending.submission import submission_of
from mmsc.domain.refusal import Refused
from protocols.records import record

_LISTS: Final = ("to", "cc", "bcc")
NO_LADDER: Final[Mapping[str, Any]] = MappingProxyType({"ladder": None, "live": "/live"})
_NAMES: Final = {As.MM7: "VASP (MM7)", As.MM1: "Handset (MM1)", As.MM4: "MMSC (MM4)", As.REST: "REST"}


def routes() -> Iterator[web.RouteDef]:
    """/send and one page for each whom one can send as."""
    yield web.get("/send", _first)
    yield web.get("/send/{whom:mm7|mm1|mm4|rest}", _form)
    yield web.post("/send/{whom:mm7|mm1|mm4|rest}", _send)
    yield web.post("/send/{whom:mm7|mm1|mm4|rest}/shown", _shown)


async def _first(request: web.Request) -> web.Response:
    raise web.HTTPSeeOther(f"/send/mm7?{request.query_string}" if request.query_string else "/send/mm7")


@record(frozen=True, slots=True)
class _Done:
    """A form that was sent, and what came back."""

    values: Mapping[str, str]
    attachments: tuple[Attachment, ...]
    sent: Sent


async def _form(request: web.Request) -> web.Response:
    whom = As(request.match_info["whom"])
    done = said_of(request, _Done)
    if done is not None:
        ladder = await _its_ladder(request, done.sent)
        return _page(request, whom, done.values, done.attachments, sent=done.sent, ladder=ladder)
    return _page(request, whom, {**_start(control_of(request), whom), **request.query}, ())


async def _send(request: web.Request) -> web.Response:
    whom = As(request.match_info["whom"])
    given = await request.post()
    values, attachments = _texts(given), _attachments(given)
    control = control_of(request)
    if given.get("act") == "show":
        return _page(request, whom, values, attachments)
    try:
        draft = _draft(values, attachments)
        sent = await (_by_rest(control, draft) if whom is As.REST else control.sending.send(whom, draft))
    except BadDraft as error:
        return _page(request, whom, values, attachments, wrong=error, status=400)
    octets = len(sent.answer) + sum(len(one.content_base64) for one in attachments)
    return tell(request, _Done(values, attachments, sent), octets)


async def _shown(request: web.Request) -> web.Response:
    """The request alone, for the script that follows the form."""
    whom = As(request.match_info["whom"])
    given = await request.post()
    values = _request(control_of(request), whom, _texts(given), _attachments(given))
    return web.Response(text=markup("send_request.html", **values), content_type="text/html")


async def _its_ladder(request: web.Request, sent: Sent) -> dict[str, Any]:
    """What is known of the new MM by now; the page's stream lets it grow."""
    if sent.mm_id is None:
        return dict(NO_LADDER)
    values = ladder_values(sent.mm_id, await control_of(request).traffic.of(sent.mm_id), view_of(request), "")
    return {**values, "live": f"/m/{sent.mm_id}/live?have={values['digest']}"}


async def _by_rest(control: Control, draft: Draft) -> Sent:
    """REST is this server: the MM goes in by its own door."""
    outcome = await control.engine.submit.accept(submission_of(draft))
    if isinstance(outcome, Refused):
        return Sent(status=f"{outcome.reason}: {outcome.because}", http_status=422)
    outcome.answered()
    return Sent(status="taken", ok=True, message_id=outcome.message_id, mm_id=outcome.mm_id, http_status=201)


def _page(
    request: web.Request,
    whom: As,
    values: Mapping[str, str],
    attachments: tuple[Attachment, ...],
    *,
    sent: Sent | None = None,
    wrong: BadDraft | None = None,
    status: int = 200,
    ladder: Mapping[str, Any] = NO_LADDER,
) -> web.Response:
    control = control_of(request)
    return page(
        request,
        "send.html",
        status=status,
        title=f"Send as {_NAMES[whom]}",
        whom=whom,
        names=_NAMES,
        fields=FIELDS[whom],
        values=values,
        files=[one.name for one in attachments],
        vasps=control.sending.logins(),
        sent=sent,
        **ladder,
        **(_request(control, whom, values, attachments) | ({"wrong": wrong} if wrong is not None else {})),
    )


def _request(
    control: Control, whom: As, values: Mapping[str, str], attachments: tuple[Attachment, ...]
) -> dict[str, Any]:
    """What `send_request.html` shows."""
    try:
        wire = control.sending.wire(whom, _draft(values, attachments))
    except BadDraft as error:
        return {"wire": None, "wrong": error, "texts": ()}
    return {"wire": wire, "wrong": None, "texts": tuple(_ways(wire))}


def _ways(wire: Wire) -> Iterable[tuple[str, str, str]]:
    """(tab, its id, text)."""
    yield "raw", "raw", shown.raw(wire)
    yield "curl", "curl", shown.curl(wire)
    yield "Python", "python", shown.python(wire)


def _start(control: Control, whom: As) -> dict[str, str]:
    """What stands in a form that nobody has filled in: a message that this server takes."""
    vasps = control.engine.neighbours.vasps
    known = next((name for name in control.sending.logins() if name in vasps), "")
    numbers = control.sending.numbers()
    start = {"to": numbers[0] if numbers else "", "text": "Hello", "delivery_report": "true", "presentation": "yes"}
    if whom is As.MM7 and known:
        start |= {"vasp": known, "vasp_id": vasps[known].vasp_id, "sender": next(iter(vasps[known].short_codes), "")}
    if whom is As.MM1:
        start |= {"number": numbers[-1] if numbers else "", "mms_version": "1.3"}
    if whom is As.MM4:
        peer = next(iter(control.engine.neighbours.peers.values()), None)
        start |= {"sender": "+15559990001", "ack_request": "true", "peer": "" if peer is None else peer.domain}
    if whom is As.REST:
        start |= {"sender": numbers[-1] if numbers else ""}
    return start


def _texts(given: MultiMapping[Any]) -> dict[str, str]:
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _draft(values: Mapping[str, str], attachments: tuple[Attachment, ...]) -> Draft:
    """Raises BadDraft for what is too long."""
    said: dict[str, Any] = {name: values[name].strip() for name in _TEXT_FIELDS if values.get(name)}
    said |= {name: _addresses(values.get(name, "")) for name in _LISTS}
    said |= {"delivery_report": values.get("delivery_report", ""), "presentation": values.get("presentation") == "yes"}
    said["attachments"] = list(attachments)
    try:
        return msgspec.convert(said, Draft)
    except msgspec.ValidationError as error:
        raise BadDraft("the form", str(error)) from error


_TEXT_FIELDS: Final = tuple(
    name for name in Draft.__struct_fields__ if name not in (*_LISTS, "attachments", "presentation", "delivery_report")
)


def _addresses(text: str) -> list[str]:
    return text.replace(";", " ").replace("\n", " ").split()


def _attachments(given: MultiMapping[Any]) -> tuple[Attachment, ...]:
    """The files, read: they can be read once."""
    files = [one for one in given.getall("file", []) if isinstance(one, web.FileField) and one.filename]
    return tuple(
        Attachment(
            name=one.filename,
            content_type=one.content_type,
            content_base64=base64.b64encode(one.file.read()).decode(),
        )
        for one in files[:MAXIMUM_ATTACHMENTS]
    )
