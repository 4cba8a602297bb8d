"""A whole MMSC with faults at its SMSC, and words for what the tests ask of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from mmsc.app import App
from mmsc.cli.wrongdoing import wrongdoing
from mmsc.settings.model import Console, Deliveries, Lanes
from mmsc.settings.neighbours import SmscDelivery, VaspDelivery
from mmsc.trace import events as trace
from mmsc.trace.captures import CaptureRecord
from protocols import mime, mm7
from protocols.content_type import ContentType
from tests.scenarios.conftest import CREDENTIALS, LATEST, Lab, open_lab

TEXT = mime.OutPart(ContentType("text/plain"), b"A storm comes on Friday.", "content")
QUICK = Deliveries(
    smsc=SmscDelivery(waits_seconds=(0.05,)), vasp=VaspDelivery(waits_seconds=(0.05,), timeout_seconds=5.0)
)


@asynccontextmanager
async def faulty_lab(folder: Path, **changes: Any) -> AsyncIterator[Lab]:
    """`changes` are sections of the settings."""
    given = {"lanes": Lanes(first_pause_seconds=0.05, longest_pause_seconds=0.1), "delivery": QUICK, **changes}
    console = Console(enabled=True, port=0)
    async with open_lab(folder, console=console, **given) as lab:
        host, port = lab.app.listeners["mm1"]
        async with wrongdoing(lab.app, lab.smsc, f"http://{host}:{port}/"):
            yield lab


async def until(condition: Callable[[], Awaitable[Any] | Any], seconds: float = 20.0) -> Any:
    """What a condition says once it says something. Looked at whenever the loop has done something else."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if isinstance(found, Awaitable):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


async def states(lab: Lab) -> dict[str, str]:
    """Number to state, of the last MM to each."""
    rows = await lab.app.store.fetch("SELECT address, state FROM recipient ORDER BY id")
    return {str(address): str(state) for address, state in rows}


async def in_state(lab: Lab, number: str, wanted: str, seconds: float = 20.0) -> None:
    """Wait until a recipient is in a state."""

    async def looks() -> bool:
        return (await states(lab)).get(number) == wanted

    try:
        await until(looks, seconds)
    except TimeoutError:
        raise AssertionError(f"{number} is {(await states(lab)).get(number)}, not {wanted}") from None


async def hits(lab: Lab, fault: str) -> list[tuple[int | None, trace.FaultHit]]:
    """The events of a fault's hits, as they are stored: (MM, what)."""
    rows = await lab.app.store.fetch("SELECT mm_id, data FROM event WHERE kind = 'fault.hit' ORDER BY id")
    read = [(mm_id, msgspec.json.decode(str(data), type=trace.FaultHit)) for mm_id, data in rows]
    return [(mm_id if isinstance(mm_id, int) else None, data) for mm_id, data in read if data.fault == fault]


async def one_hit(lab: Lab, fault: str) -> tuple[int | None, trace.FaultHit]:
    """The first of them, once it is stored."""
    return (await until(lambda: hits(lab, fault)))[0]  # type: ignore[no-any-return]


def marked(lab: Lab, fault: str) -> list[CaptureRecord]:
    """The captures that a fault is marked on."""
    assert lab.app.captures is not None
    return [one for one in lab.app.captures.latest(1000) if one.fault == fault]


def request_of(*to: str, transaction_id: str = "t1") -> tuple[str, bytes]:
    """(Content-Type, body) of a SubmitReq with a text."""
    assert LATEST is not None
    addresses = tuple(mm7.Address(one) for one in to)
    request = mm7.SubmitReq(vasp_id="news", to=addresses, delivery_report=True, content_href="cid:content")
    return mm7.encode_with_content(mm7.Envelope(transaction_id, LATEST, request), TEXT, "seed")


async def posted(lab: Lab, *to: str, transaction_id: str = "t1", run: str = "") -> tuple[int, str, bytes]:
    """(HTTP status, Content-Type, octets) of the answer to a SubmitReq, on a connection of its own. Raises
    aiohttp.ClientError when the connection is cut."""
    content_type, body = request_of(*to, transaction_id=transaction_id)
    headers = {**CREDENTIALS, "Content-Type": content_type, "SOAPAction": '""', **({"X-MMSC-Run": run} if run else {})}
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(lab.vasp.url, data=body, headers=headers) as response,
    ):
        return response.status, response.headers.get("Content-Type", ""), await response.read()


def said(answer: tuple[int, str, bytes]) -> mm7.Envelope:
    """The MM7 in an answer."""
    return mm7.decode(answer[1], answer[2]).message


async def asked(app: App, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """(status, JSON) of a REST operation."""
    host, port = app.listeners["console"]
    data = msgspec.json.encode(body) if body is not None else None
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://{host}:{port}/api/v1{path}", data=data, headers=headers) as response,
    ):
        octets = await response.read()
        if not octets or "json" not in response.headers.get("Content-Type", ""):
            return response.status, octets.decode()
        return response.status, msgspec.json.decode(octets)
