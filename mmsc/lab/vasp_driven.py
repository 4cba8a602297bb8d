"""A VASP that programs drive: it submits and withdraws through any MMSC's MM7, repeats itself octet for octet, loses
answers on purpose, and keeps what its listener got. REST, scenarios and test suites speak through it.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from mmsc.clock import Clock
from mmsc.ids import Ids
from mmsc.lab.mm7_addresses import address_of
from mmsc.lab.mm7_content import presentation_of, whole
from mmsc.lab.mm7_words import as_object, element_name
from mmsc.lab.vasp_answers import SUCCESS, Kind, Script, script_of
from mmsc.lab.vasp_listener import Arrived, Behaviour, VaspListener
from mmsc.net import http_digest
from mmsc.net.http_client import ClientLimits, HttpClient, HttpUnavailable
from mmsc.net.http_target import request_head, target_of
from mmsc.trace.captures import WireTap
from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.mm7 import Envelope, Message
from protocols.records import record

MAXIMUM_KEPT: Final = 1000  # requests that it got; the oldest go
MAXIMUM_REPEATABLE: Final = 200  # requests that it can send again
MAXIMUM_REPEATABLE_OCTETS: Final = 32 * 1024 * 1024
_ANSWER_SECONDS: Final = 60.0
_LIMITS: Final = ClientLimits(connections=8, total_seconds=_ANSWER_SECONDS)
_PLAIN: Final = ContentType("text/plain", (("charset", "utf-8"),))


@record(frozen=True, slots=True, kw_only=True)
class Attached:
    """A part that is no text of the message itself."""

    content_type: str
    octets: bytes
    name: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the MMSC said. `status_code` is 0 where nothing of MM7 came: `problem` says why."""

    transaction_id: str
    http_status: int = 0
    answer: str = ""  # the element: SubmitRsp, Fault ...
    status_code: int = 0
    status_text: str = ""
    details: str = ""
    message_id: str = ""
    problem: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Got:
    """What its listener got, numbered from 1. `message` holds the elements by their names."""

    number: int
    at: int  # µs of real time
    name: str
    transaction_id: str
    message: Mapping[str, object]
    answer: str
    is_repeat: bool
    problem: str = ""


class DrivenVasp:
    """One VASP: `start` and `stop` once each."""

    def __init__(
        self,
        url: str,
        *,
        vasp_id: str,
        username: str = "",
        password: str = "",
        sender: str = "",
        port: int = 0,
        ids: Ids | None = None,
    ) -> None:
        self.url = url
        self.vasp_id = vasp_id
        self.sender = sender
        self.behaviour = Behaviour()
        self._auth = http_digest.basic(username, password) if username else ""
        self._ids = ids or Ids()
        self._listener = VaspListener(self.behaviour, self._heard, port=port)
        self._client: HttpClient | None = None
        self._got: deque[Got] = deque(maxlen=MAXIMUM_KEPT)
        self._count = 0
        self._sent: dict[str, tuple[str, bytes]] = {}
        self.script = "1000"
        self.watch: list[Any] = []  # called with each `Got`

    @property
    def report_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.port}/mm7"

    async def start(self) -> None:
        """Listen. OSError when the address cannot be had."""
        await self._listener.start()

    async def stop(self) -> None:
        """Answers under way have a second."""
        await self._listener.stop()
        if self._client is not None:
            await self._client.close()

    # --- what it answers, and got ---

    def answers(self, text: str, delay_seconds: float = 0.0) -> None:
        """What it answers from now on: `HTTP 503*2,1000`. Raises ValueError."""
        self.behaviour.script = script_of(text) if text else Script([(SUCCESS, 1)])
        self.behaviour.delay_seconds = delay_seconds
        self.script = text or "1000"

    def received(self, after: int = 0) -> list[Got]:
        """What came behind a number."""
        return [one for one in self._got if one.number > after]

    def forget(self) -> None:
        """As if nothing had come; numbers go on. It answers 1000 again."""
        self._got.clear()
        self._sent.clear()
        self.answers("")

    def _heard(self, arrived: Arrived) -> None:
        envelope = arrived.envelope
        self._count += 1
        got = Got(
            number=self._count,
            at=arrived.at,
            name="" if envelope is None else element_name(envelope.message),
            transaction_id="" if envelope is None else envelope.transaction_id,
            message={} if envelope is None else as_object(envelope.message),
            answer=str(arrived.answer) if arrived.answer.kind is not Kind.SILENT else "nothing",
            is_repeat=arrived.is_repeat,
            problem=arrived.problem,
        )
        self._got.append(got)
        for watcher in self.watch:
            watcher(got)

    # --- what it sends ---

    async def submit(
        self,
        fields: Mapping[str, Any],
        *,
        text: str = "",
        attached: Sequence[Attached] = (),
        transaction_id: str = "",
        namespace: str = "",
        lose_answer: bool = False,
    ) -> Answered:
        """A SubmitReq (TS 23.140 8.7.1). `fields` are those of `mm7.SubmitReq`, its addresses as people type them.
        Raises ValueError for what cannot be written."""
        spoken = mm7.dialect(namespace if namespace.startswith(mm7.BASE) else mm7.BASE + (namespace or mm7.LATEST))
        if spoken is None:
            raise ValueError(f"{namespace!r} is no MM7 schema tag; try {mm7.LATEST}")
        content = _content(text, attached)
        message = mm7.SubmitReq(
            mm7_version=spoken.version,
            content_href="" if content is None else f"cid:{content.content_id}",
            **self._spelt(fields),
        )
        envelope = Envelope(transaction_id or self._ids.transaction_id(), spoken, message)
        return await self.send(envelope, content, lose_answer=lose_answer)

    async def cancel(self, message_id: str, **fields: Any) -> Answered:
        """A CancelReq (TS 23.140 8.7.3.1)."""
        spoken = mm7.dialect(mm7.BASE + mm7.LATEST)
        assert spoken is not None
        message = mm7.CancelReq(mm7_version=spoken.version, vasp_id=self.vasp_id, message_id=message_id, **fields)
        return await self.send(Envelope(self._ids.transaction_id(), spoken, message))

    async def repeat(self, transaction_id: str) -> Answered:
        """The same request again, octet for octet. KeyError for one that it did not send, or not lately."""
        return await self._post(transaction_id, *self._sent[transaction_id])

    def _remember(self, transaction_id: str, media: str, body: bytes) -> None:
        """The last ones, as far as they fit; the newest always."""
        self._sent[transaction_id] = media, body
        octets = sum(len(one) for _, one in self._sent.values())
        while len(self._sent) > 1 and (len(self._sent) > MAXIMUM_REPEATABLE or octets > MAXIMUM_REPEATABLE_OCTETS):
            _, oldest = self._sent.pop(next(iter(self._sent)))
            octets -= len(oldest)

    async def send(
        self, envelope: Envelope, content: mime.OutPart | None = None, *, lose_answer: bool = False
    ) -> Answered:
        """Any request. With `lose_answer` the connection is cut when the first octet of the answer is there: the MMSC
        has taken it, and its VASP does not know."""
        transaction_id = envelope.transaction_id
        if content is None:
            media, body = mm7.encode(envelope)
        else:
            media, body = mm7.encode_with_content(envelope, content, transaction_id)
        self._remember(transaction_id, media, body)
        if lose_answer:
            await self._post_and_go(media, body)
            return Answered(transaction_id=transaction_id, problem="the answer was lost on purpose")
        return await self._post(transaction_id, media, body)

    def _spelt(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        made = {name: value for name, value in fields.items() if value not in (None, "", (), [])}
        for name in ("to", "cc", "bcc"):
            if name in made:
                made[name] = tuple(map(address_of, made[name]))
        sender = made.pop("sender_address", self.sender)
        if sender:
            made["sender_address"] = address_of(sender)
        return {"vasp_id": self.vasp_id, **made}

    def _headers(self, media: str) -> dict[str, str]:
        headers = {"Content-Type": media, "SOAPAction": '""'}
        return {**headers, "Authorization": self._auth} if self._auth else headers

    async def _post(self, transaction_id: str, media: str, body: bytes) -> Answered:
        if self._client is None:
            self._client = HttpClient(_LIMITS, WireTap("mm7", None, Clock()))
        headers = self._headers(media)
        try:
            reply = await self._client.send("POST", self.url, headers=headers, body=body)
        except HttpUnavailable as error:
            return Answered(transaction_id=transaction_id, problem=error.why)
        try:
            decoded = mm7.decode(reply.content_type, reply.body).message
        except DecodeError as error:
            return Answered(transaction_id=transaction_id, http_status=reply.status, problem=str(error))
        return _answered(decoded, reply.status)

    async def _post_and_go(self, media: str, body: bytes) -> None:
        target = target_of(self.url)
        head = request_head("POST", target, self._headers(media), len(body))
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(target.host, target.port)
            try:
                writer.write(head + body)
                await writer.drain()
                await reader.read(1)
            finally:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()


def attached_of(content_type: str, content_base64: str, name: str) -> Attached:
    """A part as JSON has it. Raises ValueError."""
    octets = base64.b64decode(content_base64, validate=True)
    try:
        ContentType.parse(content_type)
    except DecodeError as error:
        raise ValueError(f"{content_type!r}: {error}") from error
    return Attached(content_type=content_type, octets=octets, name=name)


def _content(text: str, attached: Sequence[Attached]) -> mime.OutPart | None:
    parts = [
        mime.OutPart(ContentType.parse(one.content_type), one.octets, f"file{number}", one.name or f"file{number}")
        for number, one in enumerate(attached, 1)
    ]
    if text:
        parts.append(mime.OutPart(_PLAIN, text.encode(), "text", "text.txt"))
    if not parts:
        return None
    return whole([presentation_of(parts, "binary"), *parts])


def _answered(envelope: Envelope, http_status: int) -> Answered:
    message: Message = envelope.message
    status = getattr(message, "status", None)
    return Answered(
        transaction_id=envelope.transaction_id,
        http_status=http_status,
        answer=element_name(message),
        status_code=0 if status is None else int(status.code),
        status_text="" if status is None else status.text,
        details="" if status is None else status.details,
        message_id=getattr(message, "message_id", ""),
    )
