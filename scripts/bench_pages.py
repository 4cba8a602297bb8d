"""Measures the console's pages and REST on a large store: how long each address takes, and whether it is under 200 ms.

    .venv/bin/python scripts/fill_store.py --messages 1000000 --bodies 200 /tmp/million.db
    .venv/bin/python scripts/bench_pages.py /tmp/million.db

A server runs on the file, with nothing else to do; each address is asked for `--times` times over a socket, one by
one, the first of them on a cold page cache of the process. Prints a row an address: median, worst, octets. The exit
status says whether every median was under `--most` milliseconds. A few MMs of the file are given findings, a run and
numbers of their own first, unless they have them; the rings of captures are filled, to `--captures`.
"""

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import aiohttp
from fill_store import furnish

from mmsc.app import App
from mmsc.domain.instant import Instant
from mmsc.settings import Settings
from mmsc.settings.model import Console, Mm1, Mm4, Mm7, StoreSettings, Trace, WebLink
from mmsc.trace.captures import CaptureRecord, Direction
from mmsc.trace.ring import RingLimits
from mmsc.trace.rings import CaptureLimits, Captures

EXCHANGE = 1_000_000_000  # the number of the first exchange in the rings
QUERIES = (
    "",
    "+49170000",
    "to:+49170000",
    "from:4488",
    "to:+1555",
    "tx-7919",
    "state:retrieved",
    "state:expired",
    "finding:any",
    "run:ci-1",
    "since:2h",
    "picture",
    "no-such-word",
    "size:>1m",
    "-vasp:news",
)


PAGES = (
    "/messages?group=state",
    "/findings",
    "/findings/MM7-R012",
    "/lanes",
    "/phones",
    "/send/mm7",
    "/send/mm1",
    "/send/mm4",
    "/send/rest",
    "/captures",
    "/captures?interface=mm1",
    "/captures?neighbour=news",
    "/captures?text=no-such-octets",
    "/captures/{exchange}",
    "/captures/{exchange}/replay",
    "/faults",
    "/scenarios",
    "/runs",
    "/compare",
    "/compare?run=ci-1&with=ci-1",
    "/setup",
    "/setup/vasps",
    "/setup/peers",
    "/setup/smscs",
    "/setup/subscribers",
    "/setup/routes",
    "/setup/profiles",
    "/api",
)
MESSAGE = ("", "/content", "/recipients", "/events", "/findings", "/pdu/1", "/compare?with={other}", ".pcapng")


def addresses(path: Path, captured: int) -> list[str]:
    """What is asked for."""
    connection = sqlite3.connect(path)
    ((oldest, newest),) = connection.execute("SELECT min(id), max(id) FROM mm").fetchall()
    ((token,),) = connection.execute("SELECT token FROM recipient ORDER BY id LIMIT 1").fetchall()
    connection.close()
    middle = (oldest + newest) // 2
    found = [f"/messages?{urlencode({'q': query})}" if query else "/messages" for query in (*QUERIES, token)]
    found += [f"/m/{oldest}{part.format(other=newest)}" for part in MESSAGE]
    found += [*(page.format(exchange=EXCHANGE + captured // 2 - 1) for page in PAGES), f"/captures.pcapng?mm={oldest}"]
    rest = "/api/v1"
    found += [f"{rest}/messages?{urlencode({'q': query})}" for query in QUERIES]
    found += [f"{rest}/messages?before={middle}", f"{rest}/messages/{oldest}", f"{rest}/messages/{oldest}/events"]
    found += [f"{rest}/findings", f"{rest}/findings/MM7-R012", f"{rest}/messages/wait?q=run:ci-1&timeout=0"]
    return found


def settings(path: Path, captures: str) -> Settings:
    """A server of which only the console listens."""
    return Settings(
        store=StoreSettings(path=str(path)),
        trace=Trace(captures_path=captures),
        console=Console(enabled=True, port=0),
        mm1=Mm1(enabled=False),
        mm4=Mm4(enabled=False),
        mm7=Mm7(enabled=False),
        weblink=WebLink(enabled=False),
    )


def keep_captures(folder: Path, path: Path, number: int) -> None:
    """Rings as full as they get: exchanges over all interfaces, now and then one of the oldest MM."""
    connection = sqlite3.connect(path)
    mm_ids = [mm_id for (mm_id,) in connection.execute("SELECT id FROM mm ORDER BY id LIMIT 100000")]
    oldest = mm_ids[0]
    connection.close()
    limits = CaptureLimits(total=RingLimits(), shares=dict(Trace().captures_shares.items()))
    captures = Captures(folder, limits)
    now = time.time_ns() // 1000
    octets = b"POST /mm7 HTTP/1.1\r\nHost: mmsc\r\nContent-Length: 1200\r\n\r\n" + bytes(1200)
    for at in range(number):
        exchange = EXCHANGE + at // 2
        mm_id = oldest if at % 20_000 < 2 or number - at <= 2 else mm_ids[at // 2 % len(mm_ids)]
        captures.keep(
            CaptureRecord(
                interface=("mm7", "mm1", "weblink")[(number - at - 1) // 2 % 3],  # the last one is MM7's
                direction=(Direction.IN, Direction.OUT)[at % 2],
                local="127.0.0.1:8805",
                remote="127.0.0.1:40000",
                at_real=now - number + at,
                at_service=now - number + at,
                exchange=exchange,
                neighbour="news",
                mm_id=mm_id if at % 2 else None,
                pieces=(octets,),
            )
        )
    captures.close()


async def measure(path: Path, times: int, most: float, captured: int) -> bool:
    """Print the table; whether all is as wanted."""
    good = True
    with tempfile.TemporaryDirectory() as captures:
        keep_captures(Path(captures), path, captured)
        async with App(settings(path, captures)) as app, aiohttp.ClientSession() as session:
            host, port = app.listeners["console"]
            print(f"{'median ms':>9} {'worst ms':>9} {'octets':>8}  address")
            for address in addresses(path, captured):
                took, octets, status = await ask(session, f"http://{host}:{port}{address}", times)
                median = statistics.median(took)
                good = good and median < most and status == 200
                note = "" if status == 200 else f"  {status}"
                print(f"{median:9.1f} {max(took):9.1f} {octets:8,}  {address}{note}", flush=True)
    return good


async def ask(session: aiohttp.ClientSession, url: str, times: int) -> tuple[Sequence[float], int, int]:
    """(milliseconds of each time, octets, status)."""
    took, octets, status = [], 0, 0
    for _ in range(times):
        begun = time.monotonic()
        async with session.get(url) as response:
            octets, status = len(await response.read()), response.status
        took.append((time.monotonic() - begun) * 1000)
    return took, octets, status


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--times", type=int, default=9, help="how often each address is asked for (9)")
    parser.add_argument("--captures", type=int, default=200_000, help="captures in the rings, an even number (200,000)")
    parser.add_argument("--most", type=float, default=200.0, help="milliseconds that a median may be (200)")
    given = parser.parse_args()
    connection = sqlite3.connect(given.file)
    bare = not connection.execute("SELECT 1 FROM mm WHERE run = 'ci-1' LIMIT 1").fetchall()
    connection.close()
    if bare:
        furnish(given.file, Instant(time.time_ns() // 1000))
    sys.exit(not asyncio.run(measure(given.file, given.times, given.most, given.captures)))


if __name__ == "__main__":
    main()
