"""Who may turn the clock, how far, and what is said of what is due."""

import pytest

from mmsc.clock import ClockState, VirtualClock
from mmsc.control.clocking import Clocking, ClockRefused, Nonsense
from mmsc.domain.instant import HOUR, Instant, later
from mmsc.domain.message import TaskKind
from mmsc.domain.states import RecipientState
from mmsc.engine.queries.due import Due, about, what
from mmsc.store.due import DueTask

S = RecipientState


class Keeper:
    """Remembers instead of a store."""

    def __init__(self) -> None:
        self.others: list[str] = []
        self.messages = False
        self.listed: list[Due] = []
        self.states: list[tuple[ClockState, str, int]] = []

    async def keep(self, state: ClockState, how: str, *, jumped: int) -> None:
        self.states.append((state, how, jumped))

    async def due(self, after: Instant, limit: int) -> list[Due]:
        return self.listed[:limit]

    async def timers(self) -> int:
        return len(self.listed)

    async def has_messages(self) -> bool:
        return self.messages

    async def other_nodes(self) -> list[str]:
        return self.others


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def clocking(clock: VirtualClock, keeper: Keeper) -> Clocking:
    return Clocking(clock, keeper)  # type: ignore[arg-type]


async def test_nobody_turns_it_beside_another_node(clocking: Clocking, clock: VirtualClock, keeper: Keeper) -> None:
    """Each has its own clock: an MM would expire at one and be fetched at the other."""
    keeper.others = ["b", "c"]
    before = clock.state
    for turn in (clocking.pause(), clocking.resume(), clocking.step(60), clocking.speed(60)):
        with pytest.raises(ClockRefused, match="b, c run on the same database"):
            await turn
    assert clock.state is before
    assert keeper.states == []


async def test_every_change_is_kept_with_what_was_done(clocking: Clocking, keeper: Keeper) -> None:
    await clocking.step(86_400)
    await clocking.speed(60)
    await clocking.pause()
    assert [(how, jumped) for _, how, jumped in keeper.states] == [("+1 d", 24 * HOUR), ("x60", 0), ("paused", 0)]
    assert keeper.states[-1][0].paused


async def test_it_never_goes_back_while_messages_are_stored(
    clocking: Clocking, clock: VirtualClock, keeper: Keeper
) -> None:
    await clocking.step(3600)
    keeper.messages = True
    with pytest.raises(ClockRefused, match="never runs back"):
        await clocking.to_real()
    with pytest.raises(ClockRefused, match="never runs back"):
        await clocking.to(Instant(clock.now() - 1))
    keeper.messages = False
    assert (await clocking.to_real()).ahead == 0


async def test_behind_real_time_it_may_always_catch_up(clocking: Clocking, clock: VirtualClock, keeper: Keeper) -> None:
    keeper.messages = True
    await clocking.pause()
    clock.advance(600)
    assert clocking.view().ahead == -600_000_000
    assert (await clocking.to_real()).is_real


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 1e12])
async def test_what_is_no_step(clocking: Clocking, seconds: float) -> None:
    with pytest.raises(Nonsense):
        await clocking.step(seconds)


async def test_to_next_lands_just_behind_it(clocking: Clocking, clock: VirtualClock, keeper: Keeper) -> None:
    with pytest.raises(ClockRefused, match="nothing is due"):
        await clocking.to_next()
    at = later(clock.now(), 300)
    keeper.listed = [Due(at, "Push again", "", "smsc:a", 7)]
    view = await clocking.to_next()
    assert at < view.now <= later(at, 0.01)
    assert keeper.states[-1][1] == "to next due: Push again"


def task(**fields: object) -> DueTask:
    given = {"task_id": 1, "mm_id": 2, "kind": TaskKind.NOTIFY, "lane": "smsc:a", "due_at": Instant(100), "attempt": 0}
    return DueTask(**{**given, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "happens"),
    [
        ({"state": S.SCHEDULED, "deliver_at": 100}, "Delivery time"),
        ({"state": S.NOTIFIED, "pushes": 1}, "Push again"),
        ({"state": S.ACCEPTED}, "submit_sm (m-notification-ind)"),
        ({"state": S.DEFERRED, "pushes": 1, "expires_at": 100}, "Expiry"),
        ({"state": S.NOTIFIED, "pushes": 1, "fetched": True}, "Counts as retrieved: never acknowledged"),
        ({"kind": TaskKind.REPORT_MM7}, "DeliveryReportReq again"),
        ({"kind": TaskKind.WATCH}, "End of the wait for the peer's report"),
    ],
)
def test_what_is_due_in_words(fields: dict[str, object], happens: str) -> None:
    assert what(task(**fields)) == happens


def test_for_whom_and_why() -> None:
    told = about(task(sender="4488", address="+15550100123", state=S.NOTIFIED, pushes=1))
    assert told == "4488 → +15550100123, no GET yet"
    assert about(task(sender="4488", attempt=2)) == "4488, attempt 3"
    assert about(task(mm_id=None)) == "smsc:a"
