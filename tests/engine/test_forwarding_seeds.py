"""A peer that says anything at any time: however it answers, repeats itself and contradicts itself, each recipient ends
in one final state with one report (semantics 1 and 9). Phase one, faults; phase two, none."""

from collections import Counter
from random import Random

import pytest

from mmsc.domain.instant import DAY, SECOND
from mmsc.domain.message import Job, Relative, TaskKind
from mmsc.domain.states import FINAL, Happening, RecipientState
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Outcome, Retry
from mmsc.store.core import Unit
from tests.engine.conftest import Bench

NUMBERS = tuple(f"+1666010012{digit}" for digit in range(4))
REPORTS = tuple(one for one in Happening if one.value.startswith("peer_"))
STEPS = 12


class Whimsical:
    """A peer and its courier: what it takes, answers and reports follows from the seed."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.random = Random(seed)
        self.faulty = True
        self.message_id = ""
        self.sent: Counter[str] = Counter()

    async def deliver(self, job: Job) -> Outcome:
        if not self.faulty:
            self.sent.update(one.address.value for one in job.recipients)
            return Delivered(answer_expected=False)
        if self.random.random() < 0.3:
            await self.news()
        if self.random.random() < 0.5:
            return self.one()
        outcomes = {one.id: self.one() for one in job.recipients}
        if self.random.random() < 0.3:
            await self.news()
        return Mixed(outcomes)

    def one(self) -> Delivered | Later | Retry | Failed:
        return self.random.choice(
            (
                Delivered(answer_expected=True),
                Delivered(answer_expected=False),
                Later(self.random.choice((0.0, 60.0)), "452"),
                Retry("451"),
                Retry("no connection", neighbour_down=self.random.random() < 0.3),
                Failed("550", Happening.REFUSED_BY_PEER),
            )
        )

    async def news(self) -> None:
        news = self.bench.engine.peer_reports
        some = tuple(self.random.sample(NUMBERS, self.random.randint(0, len(NUMBERS))))
        if self.random.random() < 0.5:
            ok = self.random.random() < 0.7
            await news.forward_answered("other", self.message_id, ok=ok, because="so", recipients=some)
            return
        number, happening = self.random.choice(NUMBERS), self.random.choice(REPORTS)
        date = self.bench.clock.now()
        await news.delivery_report("other", self.message_id, number, happening, date=date, to_originator=True)


@pytest.mark.parametrize("seed", range(30))
async def test_everything_ends_once_whatever_a_peer_does(bench: Bench, seed: int) -> None:
    peer = Whimsical(bench, seed)
    bench.engine.couriers[TaskKind.FORWARD] = peer
    accepted = await bench.submit(*NUMBERS, expires=Relative(2 * DAY / SECOND), answered=False)
    peer.message_id = accepted.message_id
    accepted.answered()
    for _ in range(STEPS):
        await settled(bench)
        if peer.random.random() < 0.4:
            await peer.news()
        bench.clock.advance(peer.random.choice((1, 31, 61, 301, 1801)))
    peer.faulty = False
    await settled(bench)
    before = dict(await states(bench))
    for _ in range(8):
        await settled(bench)
        bench.clock.advance(DAY / SECOND)
    await bench.at_rest()
    after = dict(await states(bench))
    assert {RecipientState(state) for state in after.values()} <= FINAL
    for number, state in before.items():
        if RecipientState(state) in FINAL:
            assert after[number] == state, "a final state stays"
            assert not peer.sent[number], "and nothing is sent any more"
    told = Counter(job.recipients[0].address.value for job in bench.hands[TaskKind.REPORT_MM7].jobs)
    assert told == dict.fromkeys(NUMBERS, 1)
    assert await bench.tasks() == []


async def settled(bench: Bench) -> None:
    """Let everybody work who can; a lane that is paused stays so until time goes on."""
    for _ in range(40):
        await bench.store.commit(Unit(None, ()))


async def states(bench: Bench) -> list[tuple[str, str]]:
    rows = await bench.store.fetch("SELECT address, state FROM recipient")
    return [(str(address), str(state)) for address, state in rows]
