"""A VASP whose report listener misbehaves harms nobody else: the reports of another one all arrive meanwhile, its own
are kept, and the trace says in words what was wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import trustme

from mmsc.reloading import reload
from mmsc.settings.model import Deliveries, Lanes
from mmsc.settings.neighbours import Vasp, VaspDelivery
from mmsc.trace import events as trace
from protocols import mm7
from tests import tls
from tests.scenarios.conftest import LATEST, PHONE, Lab, open_lab

REPORTS = 3
OF_THE_OTHER = 10
MAXIMUM_ANSWER = 64 * 1024
HUNDRED_MB = 100_000_000
OK = b"HTTP/1.1 200 OK\r\n"
IMPATIENT = VaspDelivery(
    waits_seconds=(0.1,), timeout_seconds=0.5, connect_seconds=0.4, maximum_answer_octets=MAXIMUM_ANSWER
)
LANES = Lanes(first_pause_seconds=0.05, longest_pause_seconds=0.1)


@dataclass
class BadVasp:
    """Its report listener. `answer` is how it misbehaves, until it is mended."""

    answer: Callable[["BadVasp", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    written: int = 0  # octets of the longest answer that was taken from it
    attempts: int = 0
    mended: bool = False
    reports: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            octets = await reader.readexactly(length)
            self.attempts += 1
            if not self.mended:
                await self.answer(self, reader, writer)
                return
            envelope = mm7.decode("text/xml", octets).message
            rsp = mm7.DeliveryReportRsp(status=mm7.Status(mm7.StatusCode.SUCCESS))
            _, body = mm7.encode(mm7.Envelope(envelope.transaction_id, envelope.dialect, rsp))
            self.reports.put_nowait(envelope.transaction_id)
            writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def flood(self, writer: asyncio.StreamWriter, head: bytes, piece: bytes) -> None:
        """Write as much as is taken."""
        writer.write(head)
        written = 0
        with suppress(OSError):
            while written < HUNDRED_MB and not writer.is_closing():
                writer.write(piece)
                await writer.drain()
                written += len(piece)
                self.written = max(self.written, written)


async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, piece: bytes) -> None:
    """One piece each tenth of a second, until nobody listens any more."""
    writer.write(head)
    while not await _gone(reader, 0.1):
        writer.write(piece)


async def _gone(reader: asyncio.StreamReader, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await reader.read(1)
    except TimeoutError:
        return False
    except OSError:  # hung up on
        return True
    return True


def flooding(head: bytes, piece: bytes) -> Callable[..., Awaitable[None]]:
    return lambda vasp, _reader, writer: vasp.flood(writer, head, piece)


def trickling(head: bytes, piece: bytes) -> Callable[..., Awaitable[None]]:
    return lambda _vasp, reader, writer: trickle(reader, writer, head, piece)


def ending(octets: bytes) -> Callable[..., Awaitable[None]]:
    """Says this and goes."""

    async def end(_vasp: BadVasp, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)

    return end


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = f"the answer is larger than {MAXIMUM_ANSWER} octets"
LONG_HEAD = "the head of the answer is larger than 65536 octets"
ENDLESS = "the answer has chunk extensions or trailers without end"
LATE = "no answer in time"
FAULTS: dict[str, tuple[Callable[..., Awaitable[None]], str]] = {
    "says nothing": (trickling(b"", b""), LATE),
    "a head that is slow": (trickling(b"HTTP/1.1 200 OK\r\nX: ", b"y"), LATE),
    "a slow body": (trickling(OK + b"Content-Length: 1000\r\n\r\n", b"x"), LATE),
    "chunks of an octet": (trickling(CHUNKED, b"1\r\nx\r\n"), LATE),
    "headers that never end": (trickling(OK, b"X: y\r\n"), LATE),
    "100 MB, announced": (flooding(OK + b"Content-Length: 100000000\r\n\r\n", b"x" * 65536), LARGE),
    "100 MB, until it closes": (flooding(b"HTTP/1.0 200 OK\r\n\r\n", b"x" * 65536), LARGE),
    "100 MB in chunks": (flooding(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"), LARGE),
    "100 MB of headers": (flooding(OK, b"X-Name: value\r\n" * 4000), LONG_HEAD),
    "100 MB of one header": (flooding(OK + b"X: ", b"x" * 65536), LONG_HEAD),
    "100 MB of 100 Continue": (flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000), LONG_HEAD),
    "100 MB of trailers": (flooding(CHUNKED + b"0\r\n", b"X-Name: value\r\n" * 4000), ENDLESS),
    "100 MB of a chunk's extension": (flooding(CHUNKED + b"1", b";x=y" * 16000), ENDLESS),
    "a cut answer": (ending(OK + b"Content-Length: 9\r\n\r\nx"), "the answer was cut"),
    "no answer": (ending(b""), "closed without an answer"),
    "no HTTP": (ending(b"220 ESMTP\r\n\r\n"), "no HTTP answer"),
}


async def submit(lab: Lab, vasp_id: str) -> None:
    assert LATEST is not None
    lab.vasp.number += 1
    request = mm7.SubmitReq(vasp_id=vasp_id, to=(mm7.Address(PHONE),), delivery_report=True)
    content_type, body = mm7.encode(mm7.Envelope(f"{vasp_id}-{lab.vasp.number}", LATEST, request))
    login = {"Authorization": "Basic YmFkOnNlY3JldA=="} if vasp_id == "bad" else {}
    _, rsp = await lab.vasp.post(content_type, body, **login)
    assert isinstance(rsp, mm7.SubmitRsp)
    assert rsp.status is not None
    assert rsp.status.code == 1000


async def said_of(watcher: AsyncIterator[trace.Event], lane: str) -> str:
    """Why an attempt on this lane failed."""
    async with asyncio.timeout(20):
        async for event in watcher:
            if isinstance(event.data, trace.AttemptFailed | trace.LanePaused) and event.data.lane == lane:
                return event.data.because
    raise AssertionError("the watcher ended")


@asynccontextmanager
async def two_vasps(folder: Path, report_url: str, tls_ca_file: str = "") -> AsyncIterator[Lab]:
    """`news` behaves; `bad` gets its reports at `report_url`."""
    async with open_lab(folder, delivery=Deliveries(vasp=IMPATIENT), lanes=LANES) as lab:
        bad = Vasp(vasp_id="bad", username="bad", password="secret", report_url=report_url, tls_ca_file=tls_ca_file)
        settings = msgspec.structs.replace(lab.app.settings, vasp={**lab.app.settings.vasp, "bad": bad})
        assert await reload(lab.app, lambda: settings) == "applied"
        await lab.phone(PHONE)
        yield lab


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_reports_of_another_vasp_arrive_meanwhile(fault: str, tmp_path: Path) -> None:
    answer, why = FAULTS[fault]
    bad = BadVasp(answer)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(tls.serving(bad.serve))
        lab = await stack.enter_async_context(two_vasps(tmp_path, f"http://127.0.0.1:{port}/"))
        watcher = stack.enter_context(lab.app.bus.watch(capacity=10_000))
        for _ in range(REPORTS):
            await submit(lab, "bad")
        assert (await said_of(watcher, "vasp:bad")).startswith(why)
        for _ in range(OF_THE_OTHER):
            await submit(lab, "news")
        for _ in range(OF_THE_OTHER):
            assert (await lab.vasp.report()).mm_status == "Retrieved"
        assert bad.reports.empty()
        assert bad.written < 16 * 1024 * 1024, "what the sockets between hold, and no more"
        bad.mended = True
        async with asyncio.timeout(20):
            arrived = {await bad.reports.get() for _ in range(REPORTS)}
        assert len(arrived) == REPORTS, "each was kept"


async def test_a_fault_of_tls_pauses_the_lane_and_keeps_the_report(tmp_path: Path) -> None:
    """The certificate is renewed where the VASP is; nothing here is touched, and the report goes out."""
    ca = trustme.CA()
    file = tls.written(tmp_path, "ca.pem", ca.cert_pem)
    expired = ca.issue_cert("localhost", not_before=tls.YEAR_2020, not_after=tls.YEAR_2021)
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(tls.target_of(tls.server_context(expired)))
        lab = await stack.enter_async_context(two_vasps(tmp_path, target.url, tls_ca_file=file))
        watcher = stack.enter_context(lab.app.bus.watch(capacity=10_000))
        await submit(lab, "bad")
        why = await said_of(watcher, "vasp:bad")
        assert why == "the certificate of localhost expired on 2021-01-31 12:00:00 UTC"
        (owed,) = (lane for lane in lab.app.engine.lanes if lane.name == "vasp:bad")
        assert owed.probing, "the neighbour counts as down"
        await submit(lab, "news")
        assert (await lab.vasp.report()).mm_status == "Retrieved"
        assert target.heads == []
        target.body = b"<Status><StatusCode>1000</StatusCode></Status>"
        target.context = tls.server_context(ca.issue_cert("localhost"))
        async with asyncio.timeout(20):
            async for event in watcher:
                if isinstance(event.data, trace.LaneResumed) and event.data.lane == "vasp:bad":
                    break
        assert target.heads[0].startswith(b"POST /reports ")
