"""The memory of the fast path: what it holds of a long run, and that a run at full speed reads nothing back."""

import random
from collections import deque

from mmsc.clock import Clock
from mmsc.domain.message import Content, ContentId
from mmsc.engine.recent import MAXIMUM_OCTETS, MAXIMUM_RECIPIENTS, Recent
from mmsc.store.bodies import Bodies
from mmsc.store.core import Row, SqlValue
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests.cdr.world import World

RATE = 500  # MMs a second
BODY_OCTETS = 30_000
IN_FLIGHT = 64


class Counting(SqliteStore):
    """Says how often it was read."""

    reads = 0

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        self.reads += 1
        return await super().fetch(sql, *params)


async def run(messages: int, in_flight: int) -> tuple[Recent, Counting]:
    """Lifecycles, of which so many are under way: kept with the submission, looked up by each GET, acknowledgement and
    report, which come in any order."""
    store = Counting(":memory:", SqliteOptions(inline=True))
    await store.open()
    recent = Recent(store, Bodies(store, None, Clock().real_now))
    world, chance = World(store, Clock()), random.Random(1)
    body = bytes(BODY_OCTETS)
    under_way: deque[tuple[ContentId, str, str]] = deque()
    for number in range(messages):
        mm = world.mm()
        one = world.recipient(mm, f"+1555{number:07}")
        recent.keep(mm, one)
        recent.keep_body(mm.content_id, Content("multipart/mixed", body, ()))
        under_way.append((mm.content_id, one.token, one.transaction_id))
        if len(under_way) > in_flight:
            under_way.rotate(-chance.randrange(in_flight // 2))
            content_id, token, transaction_id = under_way.popleft()
            assert await recent.by_token(token) is not None
            assert await recent.content(content_id) is not None
            assert await recent.by_transaction_id(transaction_id) is not None
    await store.close()
    return recent, store


async def test_a_long_run_at_full_speed_is_bounded_and_reads_nothing_back() -> None:
    recent, store = await run(3 * MAXIMUM_RECIPIENTS, IN_FLIGHT)
    assert store.reads == 0
    assert recent.recipients == MAXIMUM_RECIPIENTS <= 10_000
    assert MAXIMUM_OCTETS - BODY_OCTETS < recent.octets <= MAXIMUM_OCTETS <= 32 << 20
    assert len(recent._by_token) == len(recent._by_transaction) == MAXIMUM_RECIPIENTS


async def test_handsets_may_ask_seconds_after_the_submission() -> None:
    """A second and a half for the body; recipients are remembered for twenty."""
    lately = 3 * RATE // 2
    assert lately * BODY_OCTETS <= MAXIMUM_OCTETS
    assert MAXIMUM_RECIPIENTS >= 20 * RATE
    recent = Recent(SqliteStore(":memory:"), Bodies(SqliteStore(":memory:"), None, Clock().real_now))
    for number in range(5000):
        recent.keep_body(ContentId(number), Content("multipart/mixed", bytes(BODY_OCTETS), ()))
        if number >= lately:
            assert ContentId(number - lately) in recent._bodies
