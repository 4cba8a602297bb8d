"""Who sits at the console of a story: retries, expires, cancels, stops lanes and lets them go, and begins again."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mmsc.engine.acting import Acted, Action
from mmsc.engine.lane_acts import Act, Acting
from mmsc.store.core import StoreBusy, StoreUnavailable
from tests.simulation.node import Cut, Node

if TYPE_CHECKING:
    from tests.simulation.world import World

RUN: Final = "r1"
_WHO: Final = "console"
_ENDS_IN: Final = {Action.CANCEL: ("cancelled",), Action.EXPIRE: ("expired", "indeterminate")}
T = TypeVar("T")


class Operator:
    """What it was told was done must be done."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def _ask(self, node: Node, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """What a node answers; None when it does not."""
        try:
            return await node.serve(work)
        except (Cut, StoreBusy, StoreUnavailable):
            return None

    async def acts(self) -> None:
        """Retry now, expire now or cancel, for all or one of an MM's recipients."""
        world, chance = self._world, self._world.chance
        rows = world.database.connection.execute("SELECT id, mm_id FROM recipient ORDER BY id").fetchall()
        if not rows:
            return
        recipient_id, mm_id = chance.pick(rows)
        only = [recipient_id] if chance.happens(0.4) else None
        action = chance.pick(tuple(Action))
        node = await world.any_node()
        world.say(f"operator: {action} MM {mm_id} for {only or 'all'} on {node.name}")
        acted = await self._ask(node, partial(node.engine.acts.act, action, mm_id, _WHO, only))
        if acted is not None:
            self._look_at(action, acted)

    def _look_at(self, action: Action, acted: Acted) -> None:
        world = self._world
        for one in acted.not_done:
            world.say(f"    not {action} {one.address}: {one.because}")
        for recipient_id in acted.done if action in _ENDS_IN else ():
            row = world.database.connection.execute(
                "SELECT state FROM recipient WHERE id = ?", (recipient_id,)
            ).fetchone()
            if row is not None and row[0] not in _ENDS_IN[action]:
                world.object_to(f"{action} of recipient {recipient_id} was done, and it is {row[0]}")

    async def acts_on_lane(self) -> None:
        """Stop a lane, let it go, hasten it."""
        world, chance = self._world, self._world.chance
        node = await world.any_node()
        lanes = sorted(lane.name for lane in node.engine.lanes)
        if not lanes:
            return
        name, act = chance.pick(lanes), chance.pick((Act.STOP, Act.STOP, *Act))
        await self._on_lane(node, name, act)
        if act is Act.STOP:
            await asyncio.sleep(chance.between(1, 60))
            await self._until_it_goes(node, name)

    async def _on_lane(self, node: Node, name: str, act: Act) -> bool:
        world = self._world
        world.say(f"operator: {act} {name} on {node.name}")
        watch = world.watch
        if act is Act.GO:
            watch.stopped.discard((node, name))  # from here on it may
            watch.let_go[node, name] += 1
        let_go = watch.let_go[node, name]
        done = await self._ask(node, partial(node.engine.lane_acts.act, name, act, _WHO))
        if act is Act.STOP and done is Acting.DONE and watch.let_go[node, name] == let_go:  # by another operator
            world.say(f"    {name} is stopped")
            watch.stops(node, name)
        return done is Acting.DONE

    async def _until_it_goes(self, node: Node, name: str) -> None:
        while not node.dead and not node.closed and not await self._on_lane(node, name, Act.GO):
            await self._pause()

    async def resets(self) -> None:
        """Take away everything, or the MMs of a run; again when it broke off."""
        run = self._world.chance.pick(("", RUN))
        with self._world.watch.resetting(run):
            while not self._world.violations and not await self._reset(run):
                await self._pause()

    async def _reset(self, run: str) -> bool:
        """Whether it was answered; then what was there before it is gone."""
        world = self._world
        node = await world.any_node()
        before = world.mms()
        world.say(f"operator: reset {run or 'everything'} on {node.name}")
        resetter = node.engine.resetter
        done = await self._ask(node, partial(resetter.of_run, run) if run else resetter.everything)
        if done is None:
            return False
        world.say(f"    {done}")
        left = {one for one in world.mms() & before if not run or one[1] == run}
        if left:
            world.object_to(f"{left} are there behind a reset of {run or 'everything'}")
        return True

    async def _pause(self) -> None:
        await asyncio.sleep(1)
