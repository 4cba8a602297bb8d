"""Sends what was composed, over a socket like any neighbour, and says what came back."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from mmsc import ids as identifiers
from mmsc.clock import Clock
from mmsc.control.sending.as_handset import send_req
from mmsc.control.sending.as_peer import forward_req
from mmsc.control.sending.as_program import rest_request
from mmsc.control.sending.as_vasp import submit_req
from mmsc.control.sending.draft import As, BadDraft, Draft
from mmsc.control.sending.wire import Wire
from mmsc.ids import Ids
from mmsc.net import http_digest
from mmsc.net.http_client import ClientLimits, HttpClient, HttpUnavailable
from mmsc.net.smtp import SmtpSender, SmtpUnavailable
from mmsc.trace.bus import Bus, Watcher, WatcherCut
from mmsc.trace.captures import WireTap
from mmsc.trace.events import Event, MmAccepted
from protocols import mm1, mm7
from protocols.errors import DecodeError
from protocols.records import record

_SECONDS: Final = 60.0
_MAIL_SECONDS: Final = 10.0  # from the peer's 250 to the event
_LIMITS: Final = ClientLimits(connections=1, total_seconds=_SECONDS)
_MAIL_TAKEN: Final = 250
_LARGEST_PORT: Final = 65_535
Logins = Callable[[], Mapping[str, tuple[str, str]]]  # VASP -> username and password, those that the settings name


@record(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came back: `status` as the interface words it ("1000 Success", "Ok", "250 Ok"), or `problem` where nothing
    did that can be read. `mm_id` where the answer names an MM of this server."""

    status: str = ""
    ok: bool = False
    message_id: str = ""
    mm_id: int | None = None
    http_status: int = 0
    answer: bytes = b""
    problem: str = ""


class Sending:
    """Composing and sending, from this server to itself or to another. `may_call` says which hosts may be called."""

    def __init__(
        self,
        places: Callable[[], Mapping[str, str]],
        clock: Clock,
        ids: Ids,
        bus: Bus[Event],
        *,
        domain: str,
        logins: Logins = dict,
        numbers: Callable[[], tuple[str, ...]] = tuple,
        may_call: Callable[[str], bool] = lambda host: False,
    ) -> None:
        self._places = places
        self._clock = clock
        self._ids = ids
        self._bus = bus
        self._domain = domain
        self._logins = logins
        self.numbers = numbers  # of subscribers, to begin a form with
        self._may_call = may_call

    def logins(self) -> tuple[str, ...]:
        """The VASPs whose passwords are known here."""
        return tuple(self._logins())

    def wire(self, whom: As, draft: Draft) -> Wire:
        """The request as it would go out now. Raises BadDraft."""
        transaction_id = draft.transaction_id or self._ids.transaction_id()
        match whom:
            case As.MM7:
                return submit_req(draft, self._url(draft, "mm7", "/mm7"), transaction_id)
            case As.MM1:
                return send_req(draft, self._url(draft, "mm1", "/"), transaction_id)
            case As.MM4:
                return forward_req(draft, self._mail_place(draft), self._domain, transaction_id, self._clock.now())
            case As.REST:
                return rest_request(draft, self._url(draft, "console", "/api/v1/messages"))

    async def send(self, whom: As, draft: Draft) -> Sent:
        """Compose and send it. Raises BadDraft."""
        wire = self.wire(whom, draft)
        host = wire.place[0] if wire.is_mail else urlsplit(wire.url).hostname or ""
        if draft.url and not self._may_call(host):
            raise BadDraft("url", f"{host} is not one of this server's, nor of console.replay_hosts")
        if whom is As.REST:
            raise BadDraft("message", "REST is asked, not called: POST /api/v1/messages")
        if wire.is_mail:
            return await self._mail(wire, ours=not draft.url)
        return await self._post(wire, self._authorization(draft), ours=not draft.url)

    def _authorization(self, draft: Draft) -> str:
        if not draft.vasp:
            return ""
        username, password = self._logins().get(draft.vasp, (draft.vasp, ""))
        return http_digest.basic(username, draft.password or password)

    def _url(self, draft: Draft, interface: str, path: str) -> str:
        if draft.url:
            if not _is_http(draft.url):
                raise BadDraft("url", f"{draft.url!r} is no address of HTTP")
            return draft.url
        place = self._places().get(interface)
        if place is None:
            raise BadDraft("url", f"this server does not listen on {interface.upper()}")
        return f"{place}{path}"

    def _mail_place(self, draft: Draft) -> tuple[str, int]:
        text = draft.url.removeprefix("smtp://") or self._places().get("mm4", "")
        host, _, port = text.rstrip("/").rpartition(":")
        if not (host and port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= _LARGEST_PORT):
            why = "this server does not listen on MM4" if not draft.url else f"{draft.url!r} is no HOST:PORT"
            raise BadDraft("url", why)
        return host.strip("[]"), int(port)

    async def _post(self, wire: Wire, authorization: str, *, ours: bool) -> Sent:
        client = HttpClient(_LIMITS, WireTap(wire.interface, None, self._clock))
        headers = dict(wire.headers) | ({"Authorization": authorization} if authorization else {})
        try:
            reply = await client.send(wire.method, wire.url, headers=headers, body=wire.body)
        except HttpUnavailable as error:
            return Sent(problem=error.why)
        finally:
            await client.close()
        read = _of_mm7 if wire.interface == "mm7" else _of_mm1
        try:
            status, ok, message_id = read(reply.content_type, reply.body)
        except DecodeError as error:
            return Sent(http_status=reply.status, answer=reply.body, problem=f"HTTP {reply.status}: {error}")
        mm_id = identifiers.id_in(message_id) if ok and ours and message_id else None
        return Sent(
            status=status, ok=ok, message_id=message_id, mm_id=mm_id, http_status=reply.status, answer=reply.body
        )

    async def _mail(self, wire: Wire, *, ours: bool) -> Sent:
        host, port = wire.place
        tap = WireTap("mm4", None, self._clock)
        sender = SmtpSender(host, port, hostname=wire.mail_from.partition("@")[2], tap=tap, connections=1)
        with self._bus.watch() as watcher:
            try:
                sent = await sender.send(wire.mail_from, wire.mail_to, wire.body)
            except SmtpUnavailable as error:
                return Sent(problem=str(error))
            finally:
                await sender.close()
            final = sent.final or next(iter(sent.refused.values()))
            refused = "".join(f"; {one}: {why.code} {why.text}" for one, why in sent.refused.items() if why != final)
            ok = final.code == _MAIL_TAKEN
            mm_id = await _taken(watcher, wire.message_id) if ok and ours else None
            return Sent(status=f"{final.code} {final.text}{refused}", ok=ok, mm_id=mm_id)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket without its other half, a port that is none
        return False


async def _taken(watcher: Watcher[Event], message_id: str) -> int | None:
    """Which MM a mail became: its event was published before the mail was answered."""

    def is_it(event: Event) -> bool:
        data = event.data
        return isinstance(data, MmAccepted) and data.message_id == message_id

    try:
        async with asyncio.timeout(_MAIL_SECONDS):
            return (await watcher.until(is_it)).mm_id
    except (TimeoutError, WatcherCut):
        return None


def _of_mm7(content_type: str, body: bytes) -> tuple[str, bool, str]:
    message = mm7.decode(content_type, body).message.message
    status = getattr(message, "status", None)
    if status is None:
        return type(message).__name__, False, ""
    words = " ".join(filter(None, (str(int(status.code)), status.text, status.details)))
    ok = isinstance(message, mm7.SubmitRsp) and status.code.is_success
    return words, ok, getattr(message, "message_id", "")


def _of_mm1(_: str, body: bytes) -> tuple[str, bool, str]:
    pdu = mm1.decode(body).message
    if not isinstance(pdu, mm1.MSendConf) or pdu.response_status is None:
        raise DecodeError("the answer is no m-send-conf")
    words = " ".join(filter(None, (pdu.response_status.name, pdu.response_text)))
    return words, pdu.response_status is mm1.ResponseStatus.OK, pdu.message_id or ""
