"""A long run: is memory flat, is nothing lost, does the rate stay."""

import asyncio
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benching.load import LIFECYCLE, Plan, Usage
from benching.neighbours import Neighbours
from benching.octets import PICTURE_OCTETS
from benching.product import NOTIFY_PATH, product_command
from benching.servers import Ports, Server, free_ports

SAMPLE_SECONDS: Final = 10.0
GROWTH: Final = 1.1  # the last third's median over the first third's, at most
FEWEST_SAMPLES: Final = 9  # three in each third; of fewer nothing is said
WARM_UP: Final = 3000  # messages: by then the caches are full (24 MB of bodies)


async def soak(
    minutes: float,
    in_flight: Sequence[int],
    postgres: str,
    say: Callable[[str], None],
    *,
    picture_octets: int = PICTURE_OCTETS,
    warm_up: int = WARM_UP,
) -> dict[str, Any]:
    """Lifecycles for so long, RSS sampled every ten seconds. Raises WireError, ServerFailed, OSError."""
    wanted = in_flight[0] if in_flight else 16
    plan = Plan(
        case=LIFECYCLE,
        in_flight=wanted,
        warm_up=warm_up,
        messages=0,
        seconds=60 * minutes,
        picture_octets=picture_octets,
    )
    mm1, mm7, smsc, report = free_ports(4)
    ports = Ports(mm1=mm1, mm7=mm7, smsc=smsc, report=report)
    samples: list[Usage] = []
    with tempfile.TemporaryDirectory(prefix="mmsc-soak-") as name:
        folder = Path(name)
        async with Neighbours(plan, ports, NOTIFY_PATH) as neighbours:
            server = await Server.start(product_command(ports, folder, postgres=postgres, profile=None), folder, mm7)
            sampling = asyncio.create_task(_sample(neighbours, server, samples))
            try:
                figures = await neighbours.run(
                    server.usage,
                    lambda ended: say(f"soak: {ended:,} ended, {samples[-1].rss_mb if samples else 0:.0f} MB"),
                )
            finally:
                sampling.cancel()
                await asyncio.gather(sampling, return_exceptions=True)
                await server.stop()
    third = max(1, len(samples) // 3)
    first = statistics.median(one.rss_mb for one in samples[:third]) if samples else figures.rss_mb
    last = statistics.median(one.rss_mb for one in samples[-third:]) if samples else figures.rss_mb
    return {
        "case": "soak",
        "in_flight": wanted,
        "minutes": minutes,
        "picture_octets": picture_octets,
        "messages": neighbours.session.tally.accepted,
        "messages_per_s": round(figures.messages_per_s),
        "p99_ms": round(figures.p99_ms, 2),
        "samples": len(samples),
        "rss_first_third_mb": round(first, 1),
        "rss_last_third_mb": round(last, 1),
        "rss_most_mb": round(max((one.rss_mb for one in samples), default=figures.rss_mb), 1),
        "flat": last <= first * GROWTH if len(samples) >= FEWEST_SAMPLES else None,
        "lost": figures.lost,
    }


async def _sample(neighbours: Neighbours, server: Server, samples: list[Usage]) -> None:
    """From the end of the warm-up on."""
    while True:
        if neighbours.session.driver.counting and neighbours.session.driver.sending:
            samples.append(server.usage())
            await asyncio.sleep(SAMPLE_SECONDS)
        else:
            await asyncio.sleep(SAMPLE_SECONDS / 20)
