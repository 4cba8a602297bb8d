"""The command line of `scripts/bench`."""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benching.cases import ALONE, CASES, CODEC, FLOOR, HOSTILE, LARGE_OCTETS, MM1, PRODUCT, TABLE, Case, Side
from benching.codec import codec
from benching.hostile import hostile
from benching.instructions import count_instructions
from benching.load import Figures, Plan, WireError
from benching.mm1 import mm1_codec
from benching.octets import PICTURE_OCTETS, SUBSCRIBERS
from benching.overload import overload
from benching.play import Ground, fill, one_run
from benching.servers import ServerFailed
from benching.soak import soak
from benching.table import print_table
from benching.throwaway import postgres

_DEFAULT_CASES: Final = ("accept", "lifecycle")
_DEFAULT_MESSAGES: Final = 3000
SOAKS: Final = {"soak": PICTURE_OCTETS, "soak-large": LARGE_OCTETS}

Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asked for."""

    cases: tuple[str, ...]
    in_flight: tuple[int, ...]
    messages: int | None
    rounds: int
    postgres: str
    only: str
    profile: Path | None
    minutes: float
    stored: Path | None
    table: bool
    instructions: bool


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; argparse ends the program when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures the MMSC over its sockets, alternating with the floor (scripts/bench_floor.py) or another"
        " side. Prints one JSON object per case and number of messages in flight: medians over the rounds, and the"
        " ratio of the first side to the second.",
    )
    names = (*CASES, *ALONE, *SOAKS)
    parser.add_argument("cases", nargs="*", choices=(*names, []), metavar="CASE", help="the same as --case CASE")
    parser.add_argument("--case", action="append", choices=names, help="only this; again for more (accept lifecycle)")
    parser.add_argument("--table", action="store_true", help="all cases that something is wanted of, and a table")
    parser.add_argument(
        "--instructions",
        action="store_true",
        help="count the instructions of a message instead (valgrind): product and driver in one process, no noise",
    )
    parser.add_argument("--in-flight", action="append", type=int, help="messages in flight; again for more")
    parser.add_argument("--messages", type=int, help="messages counted per run, after the warm-up")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side (3)")
    parser.add_argument("--minutes", type=float, default=20.0, help="how long a soak takes (20)")
    parser.add_argument("--postgres", default="", metavar="URL", help="the store of all sides: this database")
    parser.add_argument(
        "--stored", type=Path, metavar="FILE", help="a full store; else scripts/fill_store.py makes one"
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--no-floor", action="store_const", dest="only", const=PRODUCT, help="without the floor")
    only.add_argument("--only-floor", action="store_const", dest="only", const=FLOOR, help="the floor alone")
    parser.add_argument("--profile", type=Path, help="write a cProfile of the product's main thread to this file")
    given = parser.parse_args(arguments)
    wanted = (
        tuple(dict.fromkeys(row.case for row in TABLE if row.case in (*CASES, *ALONE)))
        if given.table
        else _DEFAULT_CASES
    )
    chosen = (*given.cases, *(given.case or ())) or wanted
    both = (MM1,) if CODEC in chosen and MM1 not in chosen else ()  # the codecs are MM7's and MM1's
    return Options(
        cases=(*chosen, *both),
        in_flight=tuple(given.in_flight or ()),
        messages=given.messages,
        rounds=given.rounds,
        postgres=given.postgres,
        only=given.only or "",
        profile=given.profile,
        minutes=given.minutes,
        stored=given.stored,
        table=given.table,
        instructions=given.instructions,
    )


def _sides(case: Case, only: str) -> tuple[Side, ...]:
    if not only:
        return case.sides
    return tuple(side for side in case.sides if side.is_floor == (only == FLOOR))


async def measure(case: Case, in_flight: int, messages: int, options: Options, ground: Ground) -> Result:
    """Alternate the sides for all rounds; the medians as the JSON object to print."""
    warm_up = max(in_flight, min(2 * SUBSCRIBERS, 2 * messages) // case.recipients, messages // 6)
    plan = Plan(
        case=case.kind,
        in_flight=in_flight,
        warm_up=warm_up,
        messages=messages,
        recipients=case.recipients,
        picture_octets=case.picture_octets,
    )
    sides = _sides(case, options.only)
    runs: dict[str, list[Figures]] = {side.name: [] for side in sides}
    for number in range(options.rounds):
        for side in sides:
            figures = await one_run(side, plan, ground, lambda text: _say(f"{case.name} {in_flight}: {text}"))
            runs[side.name].append(figures)
            gc.collect()
        _say(f"{case.name} {in_flight}: {number + 1} of {options.rounds} rounds")
    return _summary(case, plan, runs)


def _summary(case: Case, plan: Plan, runs: dict[str, list[Figures]]) -> Result:
    def median(name: str, side: str) -> float:
        return float(statistics.median(getattr(figures, name) for figures in runs[side]))

    first, *others = runs
    result: Result = {
        "case": case.name,
        "in_flight": plan.in_flight,
        "messages_per_s": round(median("messages_per_s", first)),
        "p50_ms": round(median("p50_ms", first), 2),
        "p99_ms": round(median("p99_ms", first), 2),
        "cpu_us_per_message": round(median("cpu_us_per_message", first)),
        "driver_us_per_message": round(median("driver_us_per_message", first)),
        "rss_mb": round(median("rss_mb", first)),
        "lost": sum(figures.lost for of in runs.values() for figures in of),
    }
    if plan.recipients > 1:
        result["recipients_per_s"] = result["messages_per_s"] * plan.recipients
    if push := median("push_p50_ms", first):
        result["push_p50_ms"] = round(push, 3)
    for other in others:
        name = other.replace(" ", "_")
        result[f"{name}_messages_per_s"] = round(median("messages_per_s", other))
        result[f"{name}_cpu_us_per_message"] = round(median("cpu_us_per_message", other))
        result["ratio"] = round(median("messages_per_s", first) / median("messages_per_s", other), 3)
        if used := median("cpu_us_per_message", other):  # 0 where a few messages took less than a tick of the system
            result["cpu_ratio"] = round(median("cpu_us_per_message", first) / used, 3)
        if push:
            result[f"{name}_push_p50_ms"] = round(median("push_p50_ms", other), 3)
            result["push_ratio"] = round(median("push_p50_ms", other) / push, 3)
    return result


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


async def _ground(cases: Sequence[Case], options: Options, stack: AsyncExitStack) -> Ground:
    """What these cases need and nobody gave."""
    sides = [side for case in cases for side in _sides(case, options.only)]
    url, stored = options.postgres, options.stored
    if not url and any(side.on_postgres for side in sides):
        url = await stack.enter_async_context(postgres())
    if stored is None and any(side.stored for side in sides):
        _say("filling a store ...")
        stored = fill(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mmsc-bench-stored-"))))
    return Ground(postgres=url, stored=stored, profile=options.profile)


async def _play(name: str, options: Options) -> list[Result]:
    """All comparisons of one name of --case."""
    if name in SOAKS:
        result = await soak(options.minutes, options.in_flight, options.postgres, _say, picture_octets=SOAKS[name])
        _tell(result)
        return [result]
    if name in ALONE:
        result = await _alone(name)
        _tell(result)
        return [result]
    results: list[Result] = []
    async with AsyncExitStack() as stack:
        ground = await _ground(CASES[name], options, stack)
        for case in CASES[name]:
            wanted = [row.in_flight for row in TABLE if row.case == case.name] if options.table else []
            for in_flight in options.in_flight or dict.fromkeys(wanted or case.in_flight):
                messages = options.messages or case.in_flight.get(in_flight, _DEFAULT_MESSAGES)
                results.append(await measure(case, in_flight, messages, options, ground))
                _tell(results[-1])
    return results


async def _alone(name: str) -> Result:
    """A case without sides."""
    if name == CODEC:
        return codec()
    if name == MM1:
        return mm1_codec()
    return await (hostile(_say) if name == HOSTILE else overload(_say))


def _tell(result: Result) -> None:
    _say("")
    print(json.dumps(result), flush=True)


def _went_wrong(result: Result) -> bool:
    return bool(result["lost"]) or result.get("flat") is False or result.get("unharmed") is False


def main() -> int:
    """Run everything that was asked for; the exit status is 1 when a message was lost, a run was void, memory grew in a
    soak or under overload, hostile requests or too many harmed others, or (with --table) something is not as wanted."""
    options = parse(sys.argv[1:])
    if options.instructions:
        return count_instructions(options.cases)
    gc.disable()  # the driver's own pauses are no part of the figures; it collects between runs
    results: list[Result] = []
    failed = False
    for name in options.cases:
        try:
            results += asyncio.run(_play(name, options))
        except (WireError, ServerFailed, OSError, TimeoutError) as error:
            _say("")
            print(f"scripts/bench: {name}: {type(error).__name__}: {error}", file=sys.stderr)
            failed = True
    if options.table:
        failed |= not print_table(results, options.cases)
    return 1 if failed or any(map(_went_wrong, results)) else 0


if __name__ == "__main__":
    sys.exit(main())
