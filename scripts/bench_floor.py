"""The yardstick of `scripts/bench`: the least that an MMSC on these libraries must do for each message.

The same sockets, octets, durable units and driver as the product, and nothing else: no check, no engine, no trace.
aiohttp serves MM7 and MM1 and sends the reports; lxml parses SOAP, and the attachments are split with their headers,
because nobody can do with less; the WAP push is a prebuilt submit_sm with its identifiers patched in. Every
step that must survive a crash goes through a group commit of its own on SQLite with `synchronous=FULL`: accepted (body,
MM, recipient, task), notified, fetched, retrieved (with the report's task), reported. It uses nothing of `mmsc` and
`protocols`, so that a slower product cannot lower its own yardstick.

It changes only with a dated note here:

- 2026-11-24: first version; on uvloop where that is installed, as `mmsc serve` is.
- 2026-11-24: its durable units are the product's own (the same rows, columns and indexes, without events and guards),
  as it was always meant: until now it wrote narrow rows that could not have been found again.
- 2026-11-26: `--postgres`: the same units on PostgreSQL, through asyncpg.
"""

import argparse
import asyncio
import gc
import hashlib
import itertools
import os
import re
import signal
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import aiohttp
from aiohttp import web
from benching.group_commit import GroupCommitter
from lxml import etree

if TYPE_CHECKING:
    from benching.group_commit_postgres import PostgresGroupCommitter

NAMESPACE: Final = b"http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
ENVELOPE: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
    b'<env:Header><mm7:TransactionID xmlns:mm7="%b" env:mustUnderstand="1">%%b</mm7:TransactionID></env:Header>'
    b"<env:Body>%%b</env:Body></env:Envelope>" % NAMESPACE
)
SUBMIT_RSP: Final = (
    b'<SubmitRsp xmlns="%b"><MM7Version>6.8.0</MM7Version><Status><StatusCode>1000</StatusCode>'
    b"<StatusText>Success</StatusText></Status><MessageID>%%b</MessageID></SubmitRsp>" % NAMESPACE
)
REPORT_REQ: Final = (
    b'<DeliveryReportReq xmlns="%b"><MM7Version>6.8.0</MM7Version><MessageID>%%b</MessageID><Recipient><Number>%%b'
    b"</Number></Recipient><Sender><ShortCode>4488</ShortCode></Sender><Date>2026-11-24T12:00:00Z</Date>"
    b"<MMStatus>Retrieved</MMStatus></DeliveryReportReq>" % NAMESPACE
)
XML: Final = {"Content-Type": 'text/xml; charset="utf-8"'}
MMS: Final = {"Content-Type": "application/vnd.wap.mms-message"}
INSERT_CONTENT: Final = "INSERT INTO content VALUES (?, ?, ?, ?, ?)"
INSERT_MM: Final = "INSERT INTO mm VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_RECIPIENT: Final = "INSERT INTO recipient VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_TASK: Final = "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
NOTIFIED: Final = "UPDATE recipient SET state = 'notified', state_at = ?, pushes = pushes + 1 WHERE id = ?"
AGAIN_LATER: Final = (
    "UPDATE task SET state = 'ready', node = NULL, start_no = NULL, lease_until = NULL, due_at = ? WHERE id = ?"
)
FETCHED: Final = "UPDATE recipient SET state_at = ?, fetched_at = ? WHERE id = ?"
RETRIEVED: Final = "UPDATE recipient SET state = 'retrieved', state_at = ? WHERE id = ?"
DELETE_TASKS: Final = "DELETE FROM task WHERE recipient_id = ?"
DELETE_TASK: Final = "DELETE FROM task WHERE id = ?"
NOW: Final = 1795521600000000  # µs; what is due later is due at twice that
DETAILS: Final = (
    '{"message_id":"1K10XKBGJDJ00@mms.example","content_type":"application/vnd.wap.multipart.related","size":31003,'
    '"date":1795534276282777,"subject":"Bench","message_class":"Informational","delivery_report":true}'
)
PARTS: Final = (
    '[{"content_type":"application/smil; charset=utf-8","content_id":"smil","content_location":"","offset":33,'
    '"length":220},{"content_type":"image/jpeg","content_id":"picture","content_location":"picture.jpg","offset":283,'
    '"length":30720}]'
)
REPORT: Final = '{"state":"retrieved","date":"1795534276285614","transaction_id":"1V6Q1C5NSDTNAVTE2C"}'

NUMBER: Final = f".//{{{NAMESPACE.decode()}}}Number"
TRANSACTION_ID: Final = f".//{{{NAMESPACE.decode()}}}TransactionID"
STATUS_CODE: Final = f".//{{{NAMESPACE.decode()}}}StatusCode"
BOUNDARY: Final = re.compile(rb'boundary="?([^";]+)')
PARSER: Final = etree.XMLParser(no_network=True, resolve_entities=False, huge_tree=False)


class Message:
    """What the floor remembers of a message until its report was answered."""

    __slots__ = ("body", "id", "number", "task_id", "token", "transaction_id")

    def __init__(self, number: bytes, body: bytes) -> None:
        self.id = next(IDS)
        self.task_id = next(IDS)
        self.token = f"{self.id:06x}{os.urandom(13).hex()}"
        self.transaction_id = b"N%015d" % self.id
        self.number = number
        self.body = body


IDS: Final = itertools.count(1)


class Smpp(asyncio.Protocol):
    """An ESME that binds once and never checks anything (SMPP v3.4 clauses 4.1.5 and 4.4.1)."""

    _HEADER: Final = struct.Struct(">IIII")

    def __init__(self, floor: "Floor") -> None:
        self._floor = floor
        self._buffer = bytearray()
        self._sequence = itertools.count(2)
        self._waiting: dict[int, Message] = {}
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send(0x00000009, 1, b"floor\x00floor\x00\x00\x34\x00\x00\x00")

    def push(self, message: Message, url: bytes) -> None:
        """One submit_sm with UDH (ports 9200 to 2948), WSP push and m-notification-ind."""
        pdu = (
            b"\x8c\x82\x98%b\x00\x8d\x92\x89\x18\x80+15550100001/TYPE=PLMN\x00\x8a\x82\x8e\x02\x78\x00\x88\x05\x81\x03"
            b"\x02\xa3\x00\x83%b\x00" % (message.transaction_id, url)
        )
        user_data = b"\x06\x05\x04\x0b\x84\x23\xf0\x01\x06\x03\xbe\xaf\x84" + pdu
        sequence = next(self._sequence)
        self._waiting[sequence] = message
        head = b"\x00\x01\x014488\x00\x01\x01%b\x00\x40\x00\x00\x00\x00\x00\x00\xf5\x00%c"
        self._send(0x00000004, sequence, head % (message.number.lstrip(b"+"), len(user_data)) + user_data)

    def _send(self, command: int, sequence: int, body: bytes) -> None:
        assert self._transport is not None
        self._transport.write(self._HEADER.pack(16 + len(body), command, 0, sequence) + body)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 16:
            length, _, _, sequence = self._HEADER.unpack_from(buffer)
            if len(buffer) < length:
                return
            del buffer[:length]
            message = self._waiting.pop(sequence, None)
            if message is not None:
                self._floor.notified(message)


class Floor:
    """The handlers, in the order of a message's life."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._location = f"http://127.0.0.1:{options.mm1}/m/"
        self._report_url = f"http://127.0.0.1:{options.report}/mm7"
        self._held = options.case == "accept"
        self._by_token: dict[str, Message] = {}
        self._by_transaction: dict[bytes, Message] = {}
        self._reports: set[asyncio.Task[None]] = set()
        self._smpp = Smpp(self)

    async def run(self) -> None:
        """Serve until SIGINT."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        self._store = await new_store(self._options)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64), auto_decompress=False)
        if not self._held:
            await loop.create_connection(lambda: self._smpp, "127.0.0.1", self._options.smsc)
        await loop.create_server(web.Server(self.mm1, access_log=None), "127.0.0.1", self._options.mm1)
        await loop.create_server(web.Server(self.mm7, access_log=None), "127.0.0.1", self._options.mm7)
        gc.freeze()
        await stop.wait()
        await self._session.close()
        closing = self._store.close()
        if closing is not None:
            await closing

    async def mm7(self, request: web.BaseRequest) -> web.StreamResponse:
        """SubmitReq: durable, answered, then pushed."""
        (_, soap), (headers, content) = parts_of(await request.read(), request.headers["Content-Type"].encode())
        media = parts_of(content, headers[b"content-type"])
        envelope = etree.fromstring(soap, PARSER)
        number = envelope.findtext(NUMBER) or ""
        transaction_id = (envelope.findtext(TRANSACTION_ID) or "").encode()
        message = Message(number.encode(), encode_content(media))
        self._by_token[message.token] = message
        self._by_transaction[message.transaction_id] = message
        await self._store.commit(
            (INSERT_MM, mm_row(message, soap)),
            (INSERT_CONTENT, (message.id, "application/vnd.wap.multipart.related", message.body, 31003, PARTS)),
            (INSERT_RECIPIENT, recipient_row(message, number)),
            (INSERT_TASK, task_row(message.task_id, message.id, "notify", "smsc:bench", None)),
        )
        response = web.Response(body=ENVELOPE % (transaction_id, SUBMIT_RSP % (b"%d" % message.id)), headers=XML)
        await response.prepare(request)
        await response.write_eof()
        if self._held:
            del self._by_token[message.token], self._by_transaction[message.transaction_id]
        else:
            self._smpp.push(message, (self._location + message.token).encode())
        return response

    def notified(self, message: Message) -> None:
        """The SMSC took the push."""
        self._store.commit((AGAIN_LATER, (2 * NOW, message.task_id)), (NOTIFIED, (NOW, message.id)))

    async def mm1(self, request: web.BaseRequest) -> web.StreamResponse:
        """The GET, or the m-notifyresp-ind."""
        if request.method == "GET":
            return await self._retrieve(request)
        pdu = await request.read()
        message = self._by_transaction.pop(between(pdu, b"\x98", b"\x00"))
        report_id = next(IDS)
        await self._store.commit(
            (RETRIEVED, (NOW, message.id)),
            (DELETE_TASKS, (message.id,)),
            (INSERT_TASK, task_row(report_id, message.id, "report_mm7", "vasp:bench", REPORT)),
        )
        task = asyncio.get_running_loop().create_task(self._report(message, report_id))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)
        return web.Response(status=204)

    async def _retrieve(self, request: web.BaseRequest) -> web.StreamResponse:
        message = self._by_token.pop(request.path.rpartition("/")[2])
        head = b"\x8c\x84\x98%b\x00\x8d\x92\x8b%d\x00\x85\x04\x6a\x00\x00\x00\x84\xb3" % (
            message.transaction_id,
            message.id,
        )
        response = web.Response(body=head + message.body, headers=MMS)
        await response.prepare(request)
        await response.write_eof()
        await self._store.commit((FETCHED, (NOW, NOW, message.id)))
        return response

    async def _report(self, message: Message, report_id: int) -> None:
        body = ENVELOPE % (b"R%d" % report_id, REPORT_REQ % (b"%d" % message.id, message.number))
        async with self._session.post(self._report_url, data=body, headers=XML) as answer:
            if etree.fromstring(await answer.read(), PARSER).findtext(STATUS_CODE) != "1000":
                raise RuntimeError("the driver refused a report")
        await self._store.commit((DELETE_TASK, (report_id,)))


async def new_store(options: argparse.Namespace) -> "GroupCommitter | PostgresGroupCommitter":
    """On the file, or on PostgreSQL."""
    if not options.postgres:
        return GroupCommitter(options.file)
    from benching.group_commit_postgres import PostgresGroupCommitter

    store = PostgresGroupCommitter(options.postgres)
    await store.open()
    return store


def mm_row(message: Message, soap: bytes) -> tuple[object, ...]:
    """A row of the table mm. The repeat key is a digest of what was asked."""
    key = hashlib.sha256(soap).digest()
    return (message.id, "mm7", "bench", "4488", key, None, message.id, NOW, None, 2 * NOW, 1, DETAILS, None)


def recipient_row(message: Message, number: str) -> tuple[object, ...]:
    """A row of the table recipient; its tokens grow with time, as the product's do."""
    token, transaction_id = message.token, message.transaction_id.decode()
    who = (message.id, message.id, number, "to", "subscriber", "bench", "accepted", NOW)
    return (*who, transaction_id, token, f"L{token}", None, 0, None)


def task_row(task_id: int, message_id: int, kind: str, lane: str, payload: str | None) -> tuple[object, ...]:
    """A leased row of the table task."""
    return (task_id, message_id, message_id, kind, lane, "leased", NOW, None, 1, 0, "floor", 1, 2 * NOW, payload)


def parts_of(octets: bytes, content_type: bytes) -> list[tuple[dict[bytes, bytes], bytes]]:
    """(headers, data) of each part of a multipart (RFC 2046 clause 5.1)."""
    delimiter = b"--" + BOUNDARY.search(content_type)[1]  # type: ignore[index] # the driver always sends one
    found: list[tuple[dict[bytes, bytes], bytes]] = []
    for piece in octets.removeprefix(delimiter).split(b"\r\n" + delimiter)[:-1]:
        head, _, data = piece.partition(b"\r\n\r\n")
        lines = (line.partition(b":") for line in head.split(b"\r\n") if line)
        found.append(({name.lower(): value.strip() for name, _, value in lines}, data))
    return found


def encode_content(media: Sequence[tuple[dict[bytes, bytes], bytes]]) -> bytes:
    """A WSP multipart (WAP-230 clause 8.5.2): what MM1 retrieval sends as it is."""
    octets = [b"%c" % len(media)]
    for headers, data in media:
        media_type = headers[b"content-type"].partition(b";")[0]
        head = b"%b\x00\x8e%b\x00" % (media_type, headers.get(b"content-location", b""))
        size = b"%c%c%c" % (0x80 | len(data) >> 14, 0x80 | (len(data) >> 7) & 0x7F, len(data) & 0x7F)
        octets += (b"%c" % len(head), size, head, data)
    return b"".join(octets)


def between(octets: bytes, opening: bytes, closing: bytes) -> bytes:
    """What stands between the first `opening` and the next `closing`."""
    start = octets.index(opening) + len(opening)
    return octets[start : octets.index(closing, start)]


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--mm1", "--mm7", "--smsc", "--report"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--postgres", default="", metavar="URL")
    parser.add_argument("--case", choices=("accept", "lifecycle"), required=True)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(serve(options))


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop that the product would use here."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def serve(options: argparse.Namespace) -> None:
    """Make the floor inside the loop that it works on."""
    await Floor(options).run()


if __name__ == "__main__":
    main()
