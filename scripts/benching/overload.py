"""What a flood does: one VASP with far more SubmitReqs under way than are looked at at once, while nothing can be
delivered.

Whoever of it waits must be served or told "later" (StatusCode 4006, or HTTP 503) and nothing else, memory must stay
flat while the store fills, a VASP beside it that sends one at a time must be let in every time and not behind all of
the flood, and what was accepted must be in the store afterwards.
"""

import asyncio
import contextlib
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benching import octets
from benching.load import WireError
from benching.product import NOTIFY_PATH, product_command, store_path
from benching.servers import Ports, Server, free_ports
from benching.soak import FEWEST_SAMPLES, GROWTH
from mmsc.load.mix import Choice, Mix
from mmsc.load.octets import picture
from mmsc.load.plan import Plan, Until
from mmsc.load.session import Session, Setup
from mmsc.load.target import target_of

SECONDS: Final = 40.0
FLOOD: Final = 900  # SubmitReqs under way, of the 1,000 connections that there may be
COMMIT_DELAY_MS: Final = 100  # a slow disk: else the processor is the limit
LATER: Final = frozenset({"4006", "HTTP 503"})
_CALM: Final = "calm"
_SETTINGS: Final = f'[vasp.{_CALM}]\nvasp_id = "{_CALM}"\nusername = "{_CALM}"\npassword = "{_CALM}"\n'
_SAMPLES: Final = 40  # of memory, over the whole run
_FILLING: Final = 0.25  # of the run, in which what is remembered fills: not looked at
_HOST: Final = "127.0.0.1"


async def overload(
    say: Callable[[str], None],
    seconds: float = SECONDS,
    *,
    flood: int = FLOOD,
    picture_octets: int = octets.PICTURE_OCTETS,
) -> dict[str, Any]:
    """One run of a server of its own. Raises WireError, ServerFailed, OSError."""
    mm1, mm7, smsc, report = free_ports(4)
    ports = Ports(mm1=mm1, mm7=mm7, smsc=smsc, report=report)
    samples: list[float] = []
    with tempfile.TemporaryDirectory(prefix="mmsc-overload-") as name:
        folder = Path(name)
        many = _session(mm7, octets.VASP_NAME, octets.VASP_PASSWORD, flood, seconds, picture_octets, smsc)
        one = _session(mm7, _CALM, _CALM, 1, seconds, octets.PICTURE_OCTETS)
        async with many, one:
            command = product_command(
                ports, folder, postgres="", profile=None, more=f"commit_delay = {COMMIT_DELAY_MS}", sections=_SETTINGS
            )
            server = await Server.start(command, folder, mm7)
            sampling = asyncio.create_task(_sample(server, seconds, samples, say))
            try:
                async with asyncio.timeout(3 * seconds + 60):
                    await asyncio.gather(many.run(), one.run())
            except TimeoutError as error:
                raise WireError(f"{many.driver.out} requests are still without an answer") from error
            finally:
                sampling.cancel()
                await asyncio.gather(sampling, return_exceptions=True)
                await server.stop()
        return _figures(many, one, samples, _stored(folder), seconds, picture_octets)


def _session(
    port: int, name: str, password: str, in_flight: int, seconds: float, picture_octets: int, smsc: int = 0
) -> Session:
    """A VASP that sends so many at once; `smsc`: it also plays an SMSC that takes no bind."""
    target = target_of(
        f"http://{_HOST}:{port}/mm7",
        user=f"{name}:{password}",
        vasp_id=name,
        vas_id=name,
        sender=octets.SHORT_CODE if smsc else "",
        subject="Flood",
    )
    numbers = [octets.number_of(index) for index in range(octets.SUBSCRIBERS)]
    mix = Mix(target, [(picture(picture_octets), 1)], numbers, [Choice(1, 1)], reports=True, prefix=name)
    setup = Setup(smsc_listen=(_HOST, smsc) if smsc else None, notify_path=NOTIFY_PATH, hold_binds=True)
    plan = Plan(in_flight=in_flight, connections=in_flight, seconds=seconds, until=Until.ACCEPTED, exact=False)
    return Session(target, plan, mix, setup, may_fetch=_HOST.__eq__)


async def _sample(server: Server, seconds: float, samples: list[float], say: Callable[[str], None]) -> None:
    await asyncio.sleep(_FILLING * seconds)
    while True:
        samples.append(server.usage().rss_mb)
        say(f"overload: {samples[-1]:.0f} MB")
        await asyncio.sleep(seconds / _SAMPLES)


def _stored(folder: Path) -> int:
    """MMs in the store of a server that has ended."""
    with contextlib.closing(sqlite3.connect(store_path(folder))) as store:
        (number,) = store.execute("SELECT count(*) FROM mm").fetchone()
    return int(number)


def _figures(
    many: Session, one: Session, samples: Sequence[float], stored: int, seconds: float, picture_octets: int
) -> dict[str, Any]:
    flood, calm = many.tally, one.tally
    later = sum(number for kind, number in flood.answers.items() if kind in LATER)
    other = {kind: number for kind, number in flood.answers.items() if kind not in {*LATER, "1000"}}
    third = max(1, len(samples) // 3)
    first, last = (statistics.median(part) if part else 0.0 for part in (samples[:third], samples[-third:]))
    return {
        "case": "overload",
        "in_flight": many.plan.in_flight,
        "picture_octets": picture_octets,
        "messages_per_s": round(flood.accepted / seconds),
        "later_per_s": round(later / seconds),
        "other_answers": other,
        "calm_messages_per_s": round(calm.accepted / seconds, 1),
        "calm_share": round(
            calm.accepted * many.plan.in_flight / max(1, flood.accepted), 1
        ),  # 1: first come, first served
        "calm_p99_ms": round(calm.submit.percentile(99) * 1000, 2),
        "calm_refused": calm.errors,
        "rss_first_third_mb": round(first, 1),
        "rss_last_third_mb": round(last, 1),
        "rss_most_mb": round(max(samples, default=0.0), 1),
        "flat": last <= first * GROWTH if len(samples) >= FEWEST_SAMPLES else None,
        "stored": stored,
        "unharmed": not other and not calm.errors and stored == flood.accepted + calm.accepted,
        "lost": max(0, flood.accepted + calm.accepted - stored),
    }
