"""Tells a story of a seed: what is submitted, what goes wrong and when, and what must be true at the end."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.simulation.chance import Options
from tests.simulation.loop import Stuck, run
from tests.simulation.verdict import holding, judge
from tests.simulation.world import FOREIGNERS, SHORT_CODE, SUBSCRIBERS, World

_LAST_TURNS: Final = 100  # of a tenth of a second: a claim that is under way holds seats
_SLACK_SECONDS: Final = 1200.0  # beyond the validity: report grace, leases, the pause after an SMS without a response


@dataclass(frozen=True, slots=True)
class Told:
    """A story that was told: what was found against it, and how much happened."""

    options: Options
    crash_at: int
    violations: tuple[str, ...]
    lines: tuple[str, ...]
    digest: str
    commits: int
    crashes: int
    seconds: float  # virtual


def tell(options: Options, crash_at: int = 0) -> Told:
    """Tell one story, alone in this thread."""
    worlds: list[World] = []
    try:
        run(_told(options, crash_at, worlds))
    except Stuck as error:
        worlds[0].object_to(str(error))
    world = worlds[0]
    return Told(
        options,
        crash_at,
        tuple(world.violations),
        tuple(world.story),
        world.digest(),
        world.commits,
        world.crashes,
        world.loop.time(),
    )


async def _told(options: Options, crash_at: int, worlds: list[World]) -> None:
    world = World(options, crash_at)
    worlds.append(world)
    with _errors_of_the_log(world):
        try:
            await _story(world)
        finally:
            await world.over()


async def _story(world: World) -> None:
    options = world.options
    await world.begin()
    submitting = [world.spawn(_submission(world, number)) for number in range(options.submissions)]
    mischief = world.spawn(_mischief(world))
    await _pass(world, options.phase_one_seconds)
    world.calm_down()
    end = world.loop.time() + options.validity_seconds + _SLACK_SECONDS
    while not world.violations and (not mischief.done() or not all(one.done() for one in submitting) or _left(world)):
        if world.loop.time() > end:
            world.object_to(f"not over {_SLACK_SECONDS:.0f} s after everything expired: {_left(world)}")
        await _pass(world, 3)
    if not world.violations:
        await world.all_up()
        for _ in range(_LAST_TURNS):
            if not holding(world):
                break
            await asyncio.sleep(0.1)
        judge(world)


async def _pass(world: World, seconds: float) -> None:
    """Let time pass, unless an invariant is broken already."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await world.failed.wait()


def _left(world: World) -> list[tuple[object, ...]]:
    """Work that is still to be done."""
    return world.database.connection.execute(
        "SELECT kind, lane, state, due_at, attempt, node, lease_until FROM task"
    ).fetchall()


async def _submission(world: World, number: int) -> None:
    """One MM, from somebody to somebody."""
    chance = world.chance
    await asyncio.sleep(chance.between(0, world.options.phase_one_seconds * 0.6))
    kind = chance.pick(("mm7", "mm7", "mm7", "mm4", "mm1"))
    if kind == "mm1":
        sender = chance.pick(SUBSCRIBERS)
        await world.handsets[sender].send(chance.pick((*SUBSCRIBERS, *FOREIGNERS, *[SHORT_CODE] * 4)), f"s{number}")
        return
    among = (*SUBSCRIBERS, SHORT_CODE) if kind == "mm4" else (*SUBSCRIBERS, *FOREIGNERS)
    to = tuple(dict.fromkeys(chance.pick(among) for _ in range(chance.whole(1, 4))))
    if kind == "mm4":
        await world.peer.forward(to)
    else:
        await world.vasp.submit(f"v{number}", to, chance.whole(5, 60) if chance.happens(0.2) else 0)


async def _mischief(world: World) -> None:
    """What happens to processes, clocks and binds in phase one, in the order of its moments."""
    options, chance = world.options, world.chance
    deeds = ["crash"] * options.crashes + ["restart"] * options.restarts
    deeds += ["clock"] * options.clock_jumps + ["outage"] * options.outages
    deeds += ["act"] * options.acts + ["lane"] * options.lane_acts + ["reset"] * options.resets
    by_hand: list[asyncio.Task[None]] = []
    planned = sorted((chance.between(0.5, options.phase_one_seconds), deed) for deed in deeds)
    for at, deed in planned:
        await asyncio.sleep(max(0.0, at - world.loop.time()))
        if chance.calm:
            break
        match deed:
            case "crash":
                world.arm()
            case "restart":
                await world.restart()
            case "act":
                by_hand.append(world.spawn(world.operator.acts()))
            case "lane":
                by_hand.append(world.spawn(world.operator.acts_on_lane()))
            case "reset":
                by_hand.append(world.spawn(world.operator.resets()))
            case "outage":
                seconds = chance.between(1, 30)
                world.say(f"the SMSC is away for {seconds:.0f} s")
                world.smsc.outage(seconds)
            case _:
                await _turn_the_clock(world)
    await asyncio.gather(*by_hand)


async def _turn_the_clock(world: World) -> None:
    chance = world.chance
    seconds = chance.between(1, 100)
    deed = chance.pick(("sleep", "step", "speed", "back", "pause"))
    world.say(f"clock: {deed} {seconds:.1f}")
    world.watch.shared_work = world.watch.shared_work or world.options.nodes > 1
    if deed == "sleep" or world.options.nodes > 1:
        world.set_clock(seconds)
        return
    if deed == "back":
        world.set_clock(-min(seconds, 30.0))
        return
    node = await world.any_node()
    if deed == "step":
        node.clock.step(seconds)
    elif deed == "pause":
        node.clock.pause()
        await asyncio.sleep(chance.between(1, 10))
        (await world.any_node()).clock.resume()
    else:
        node.clock.set_speed(chance.pick((0.5, 3.0, 20.0)))
        await asyncio.sleep(chance.between(1, 10))
        (await world.any_node()).clock.set_speed(1.0)


class _Errors(logging.Handler):
    """What the product logs as an error is one: a courier that raised, a callback that failed."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if not text.startswith("the store takes nothing"):
            error = record.exc_info[1] if record.exc_info else None
            self._world.object_to(f"logged: {text} {error!r}")


@contextmanager
def _errors_of_the_log(world: World) -> Iterator[None]:
    handler, log = _Errors(world), logging.getLogger("mmsc")
    before = log.propagate
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = before
