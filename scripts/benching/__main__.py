"""The command line of `scripts/bench`."""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benching.http1 import WireError
from benching.load import ACCEPT, LIFECYCLE, Figures, Plan
from benching.neighbours import Neighbours
from benching.octets import SUBSCRIBERS
from benching.product import NOTIFY_PATH, product_command
from benching.servers import Ports, Server, ServerFailed, floor_command, free_ports

PRODUCT: Final = "product"
FLOOR: Final = "floor"
_MESSAGES: Final = {1: 400, 32: 3000, 64: 3000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asked for."""

    cases: tuple[str, ...]
    in_flight: tuple[int, ...]
    messages: int | None
    rounds: int
    postgres: str
    servers: tuple[str, ...]
    profile: Path | None


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; argparse ends the program when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures the MMSC over its sockets, alternating with the floor (scripts/bench_floor.py)."
        " Prints one JSON object per case and number of messages in flight: medians over the rounds.",
    )
    parser.add_argument("--case", action="append", choices=(ACCEPT, LIFECYCLE), help="only this case; may be repeated")
    parser.add_argument("--in-flight", action="append", type=int, help="messages in flight; may be repeated (1 32 64)")
    parser.add_argument("--messages", type=int, help="messages counted per run, after the warm-up")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server (3)")
    parser.add_argument("--postgres", default="", metavar="URL", help="the store of both: this database, not SQLite")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--no-floor", action="store_true", help="the product alone, without a ratio")
    only.add_argument("--only-floor", action="store_true", help="the floor alone")
    parser.add_argument("--profile", type=Path, help="write a cProfile of the product's main thread to this file")
    given = parser.parse_args(arguments)
    servers = (FLOOR,) if given.only_floor else (PRODUCT,) if given.no_floor else (PRODUCT, FLOOR)
    return Options(
        cases=tuple(given.case or (ACCEPT, LIFECYCLE)),
        in_flight=tuple(given.in_flight or _MESSAGES),
        messages=given.messages,
        rounds=given.rounds,
        postgres=given.postgres,
        servers=servers,
        profile=given.profile,
    )


async def one_run(which: str, plan: Plan, options: Options) -> Figures:
    """Start the server and the neighbours afresh, play the plan once, and throw everything away."""
    mm1, mm7, smsc, report = free_ports(4)
    ports = Ports(mm1=mm1, mm7=mm7, smsc=smsc, report=report)
    with tempfile.TemporaryDirectory(prefix="mmsc-bench-") as name:
        folder = Path(name)
        if which == FLOOR:
            command = floor_command(ports, folder, case=plan.case, postgres=options.postgres)
        else:
            command = product_command(ports, folder, postgres=options.postgres, profile=options.profile)
        async with Neighbours(plan, ports, NOTIFY_PATH) as neighbours:
            server = await Server.start(command, folder, ports.mm7)
            try:
                return await neighbours.run(
                    server.usage, lambda ended: _say(f"{which} {plan.case} {plan.in_flight}: {ended}")
                )
            except (WireError, OSError, TimeoutError):
                server.check()  # a server that died says more than the broken connection
                raise
            finally:
                await server.stop()


async def measure(case: str, in_flight: int, options: Options) -> dict[str, object]:
    """Alternate the servers for all rounds; the medians as the JSON object to print."""
    messages = options.messages or _MESSAGES.get(in_flight, 3000)
    warm_up = max(in_flight, 2 * SUBSCRIBERS, messages // 6)
    plan = Plan(case=case, in_flight=in_flight, warm_up=warm_up, messages=messages)
    runs: dict[str, list[Figures]] = {which: [] for which in options.servers}
    for _ in range(options.rounds):
        for which in options.servers:
            runs[which].append(await one_run(which, plan, options))
            gc.collect()
    return _summary(plan, runs)


def _summary(plan: Plan, runs: dict[str, list[Figures]]) -> dict[str, object]:
    main = next(iter(runs.values()))

    def median(name: str, of: Sequence[Figures] = main) -> float:
        return float(statistics.median(getattr(figures, name) for figures in of))

    result: dict[str, object] = {
        "case": plan.case,
        "in_flight": plan.in_flight,
        "messages_per_s": round(median("messages_per_s")),
        "p50_ms": round(median("p50_ms"), 2),
        "p99_ms": round(median("p99_ms"), 2),
        "cpu_us_per_message": round(median("cpu_us_per_message")),
        "rss_mb": round(median("rss_mb")),
        "lost": sum(figures.lost for of in runs.values() for figures in of),
    }
    if PRODUCT in runs and FLOOR in runs:
        floor = median("messages_per_s", runs[FLOOR])
        result["floor_messages_per_s"] = round(floor)
        result["floor_cpu_us_per_message"] = round(median("cpu_us_per_message", runs[FLOOR]))
        result["ratio"] = round(median("messages_per_s") / floor, 3)
    return result


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def main() -> int:
    """Run everything that was asked for; the exit status is 1 when a message was lost or a run was void."""
    options = parse(sys.argv[1:])
    gc.disable()  # the driver's own pauses are no part of the figures; it collects between runs
    lost = 0
    try:
        for case in options.cases:
            for in_flight in options.in_flight:
                result = asyncio.run(measure(case, in_flight, options))
                _say("")
                print(json.dumps(result), flush=True)
                lost += int(str(result["lost"]))
    except (WireError, ServerFailed, OSError, TimeoutError) as error:
        _say("")
        print(f"scripts/bench: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
