"""A captured request again, edited on a page: /captures/EXCHANGE/replay, and /m/ID/pdu/N/replay that leads there."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from mmsc.console.octet_lines import hex_lines
from mmsc.console.page import control_of, page
from mmsc.console.said import said_of, tell
from mmsc.control.replaying import NotAllowed, Replay, Replayed, Replaying, Unreplayable
from mmsc.control.replaying.model import MAIL
from mmsc.control.replaying.targets import target_of
from mmsc.trace.view import look
from protocols.records import record

_TEXT, _TEXT_LF, _ESCAPED, _HEX, _SAME = "text", "text-lf", "escaped", "hex", "same"
_LARGEST: Final = 16 * 1024  # octets of a body that a page shows
_FORMS: Final = (
    (_TEXT, "text, lines ended by CRLF"),
    (_TEXT_LF, "text, lines ended by LF"),
    (_ESCAPED, "text with other octets as \\xNN, CR as \\r"),
    (_HEX, "octets in hex"),
    (_SAME, "not at all: as captured"),
)
_ESCAPE: Final = re.compile(rb"\\(x[0-9A-Fa-f]{2}|r|\\)")
_ODD: Final = re.compile(rb"[^\n\x20-\x7e]|\\")


def routes() -> Iterator[web.RouteDef]:
    """The page, and what sends."""
    yield web.get(r"/captures/{exchange:\d{1,19}}/replay", _ask)
    yield web.post(r"/captures/{exchange:\d{1,19}}/replay", _send)
    yield web.get(r"/m/{mm_id:\d{1,19}}/pdu/{number:[0-9.]{1,9}}/replay", _of_pdu)


@record(frozen=True, slots=True)
class _Done:
    """What was written in the form, and what came back. Of what was sent only its length in octets is remembered: it
    has the secrets that were given anew."""

    draft: Replay
    form: str
    replayed: Replayed
    sent_octets: int


async def _ask(request: web.Request) -> web.Response:
    done = said_of(request, _Done)
    if done is not None:
        return _shown(request, done.draft, done.form, done=done)
    draft = await _draft(request)
    return _shown(request, draft, form_of(draft.body))


async def _send(request: web.Request) -> web.Response:
    draft, given = await _draft(request), await request.post()
    values = {name: str(value) for name, value in given.items()}
    form = values.get("form", _HEX)
    try:
        draft = _edited(draft, values, form)
        done = await _service(request).send(draft)
    except (NotAllowed, ValueError) as error:
        status = 403 if isinstance(error, NotAllowed) else 422
        return _shown(request, draft, form, status=status, problem=str(error), body=values.get("body"))
    without = replace(draft, authorization="", password="")
    return tell(
        request, _Done(without, form, replace(done, sent=b""), len(done.sent)), len(draft.body) + len(done.answer)
    )


async def _of_pdu(request: web.Request) -> web.Response:
    control = control_of(request)
    traffic = await control.traffic.of(int(request.match_info["mm_id"]))
    pdu = traffic.pdu(request.match_info["number"])
    if pdu is None:
        raise web.HTTPNotFound(reason="no such PDU of this MM is kept")
    raise web.HTTPSeeOther(f"/captures/{pdu.record.exchange}/replay")


def _service(request: web.Request) -> Replaying:
    service = control_of(request).replaying
    if service is None:
        raise web.HTTPNotFound(reason="no captures are kept")
    return service


async def _draft(request: web.Request) -> Replay:
    try:
        return await _service(request).draft(int(request.match_info["exchange"]))
    except Unreplayable as error:
        raise web.HTTPNotFound(reason=str(error)) from error


def _edited(draft: Replay, given: dict[str, str], form: str) -> Replay:
    """Raises ValueError."""
    host, port = target_of(given.get("target", draft.place), draft.port)
    return replace(
        draft,
        host=host,
        port=port,
        head=given.get("head", draft.head).replace("\r\n", "\n"),
        body=draft.body if form == _SAME else octets_of(given.get("body", ""), form),
        correct=given.get("correct") == "1",
        authorization=given.get("authorization", "").strip(),
        system_id=given.get("system_id", ""),
        password=given.get("password", ""),
    )


def form_of(body: bytes) -> str:
    """How a body can stand in a text field, which knows one kind of line end and no controls."""
    if len(body) > _LARGEST:
        return _SAME
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _escaped_or_hex(body)
    bare = text.replace("\r\n", "")
    mixed = "\r" in bare or ("\n" in bare and "\r\n" in text)
    if mixed or not all(one.isprintable() or one in "\r\n\t" for one in text):
        return _escaped_or_hex(body)
    return _TEXT_LF if "\n" in bare else _TEXT


def _escaped_or_hex(body: bytes) -> str:
    """Text where people edit text: an envelope, perhaps with pictures behind it."""
    return _ESCAPED if body[:1] in (b"-", b"<") else _HEX


def octets_of(text: str, form: str) -> bytes:
    """What was written, as octets. Raises ValueError."""
    if form == _HEX:
        try:
            return bytes.fromhex(text)
        except ValueError as error:
            raise ValueError(f"the body is no hexadecimal: {error}") from error
    lines = text.replace("\r\n", "\n")
    if form == _ESCAPED:
        return _ESCAPE.sub(_unescaped, lines.encode("latin-1", "backslashreplace"))
    return (lines if form == _TEXT_LF else lines.replace("\n", "\r\n")).encode()


def _unescaped(found: "re.Match[bytes]") -> bytes:
    word = found[1]
    return b"\r" if word == b"r" else word if word == b"\\" else bytes.fromhex(word[1:].decode())


def _escaped(found: "re.Match[bytes]") -> bytes:
    octet = found[0]
    return b"\\r" if octet == b"\r" else b"\\\\" if octet == b"\\" else b"\\x%02x" % octet[0]


def written(body: bytes, form: str) -> str:
    """A body as the text field has it; "" for one that is not shown."""
    if form == _SAME:
        return ""
    if form == _ESCAPED:
        return _ODD.sub(_escaped, body).decode("ascii")
    return "\n".join(_in_lines(body)) if form == _HEX else body.decode("utf-8", "replace").replace("\r\n", "\n")


def _in_lines(body: bytes) -> Iterator[str]:
    for at in range(0, len(body), 32):
        yield body[at : at + 32].hex(" ")


def _shown(
    request: web.Request,
    draft: Replay,
    form: str,
    *,
    status: int = 200,
    problem: str = "",
    body: str | None = None,
    done: _Done | None = None,
) -> web.Response:
    answer = b"" if done is None or draft.interface in MAIL else done.replayed.answer
    more: dict[str, Any] = {"view": look(answer) if answer else None, "hex": hex_lines(answer)}
    return page(
        request,
        "captures-replay.html",
        status=status,
        title="Replay",
        exchange=request.match_info["exchange"],
        draft=draft,
        mail=draft.interface in MAIL,
        rows=min(20, draft.head.count("\n") + 2),
        body=written(draft.body, form) if body is None else body,
        form=form,
        forms=_FORMS,
        problem=problem,
        done=None if done is None else done.replayed,
        sent_octets=0 if done is None else done.sent_octets,
        **more,
    )
