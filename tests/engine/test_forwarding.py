"""Recipients of one forward that fare differently, and a RES about some of them (TS 23.140 8.4.1; semantics 9)."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from mmsc.domain.address import Address, Rewrite
from mmsc.domain.message import Job, Relative, TaskKind
from mmsc.domain.neighbours import Smsc, Subscriber
from mmsc.domain.states import Happening
from mmsc.engine import delivery
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Outcome, ResMm4, Retry
from mmsc.store.core import StoreUnavailable, Unit
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, PHONE, Bench

SECOND_ONE = "+16660100124"
THIRD_ONE = "+16660100125"


@dataclass
class PuttingOff:
    """A courier whose peer takes all but those in `put_off`, and says a RES while the mail is still on its way."""

    bench: Bench
    put_off: dict[str, Later | Retry]
    message_id: str = ""
    res: dict[str, object] | None = None
    jobs: list[Job] = field(default_factory=list)

    async def deliver(self, job: Job) -> Outcome:
        self.jobs.append(job)
        if self.res is not None:
            news = self.bench.engine.peer_reports
            assert await news.forward_answered("other", job.stored_mm.message_id, because="", **self.res)  # type: ignore[arg-type]
        taken = Delivered(answer_expected=True)
        return Mixed({one.id: self.put_off.get(one.address.value, taken) for one in job.recipients})

    def served(self) -> list[set[str]]:
        return [{one.address.value for one in job.recipients} for job in self.jobs]


@dataclass
class Slow:
    """A courier that needs as long as a test wants."""

    done: asyncio.Event

    async def deliver(self, job: Job) -> Outcome:
        await self.done.wait()
        return Delivered()


def peer_that(bench: Bench, put_off: dict[str, Later | Retry]) -> PuttingOff:
    courier = PuttingOff(bench, put_off)
    bench.engine.couriers[TaskKind.FORWARD] = courier
    return courier


@pytest.mark.parametrize(
    "named",
    [(), (f"{FOREIGN}/TYPE=PLMN",), ("+19990100123",), (FOREIGN, SECOND_ONE)],
    ids=["all", "one", "nobody known", "everybody"],
)
@pytest.mark.parametrize("early", [False, True])
async def test_a_res_ends_nothing_for_who_was_put_off(bench: Bench, named: tuple[str, ...], early: bool) -> None:
    """450 at RCPT means later: a RES about the others, even faster than their 250, is not about it."""
    peer = peer_that(bench, {SECOND_ONE: Retry("450 4.2.0 greylisted")})
    peer.res = {"ok": True, "recipients": named} if early else None
    accepted = await bench.submit(FOREIGN, SECOND_ONE)
    await bench.until(trace.ForwardSent)
    peer.put_off, peer.res = {}, None
    if not early:
        news = bench.engine.peer_reports
        assert await news.forward_answered("other", accepted.message_id, ok=True, because="", recipients=named)
    await bench.at_rest()
    assert (await bench.state(FOREIGN), await bench.state(SECOND_ONE)) == ("relayed", "accepted")
    bench.clock.advance(3600)
    await bench.until(trace.ForwardSent, 2)
    assert peer.served() == [{FOREIGN, SECOND_ONE}, {SECOND_ONE}]
    assert await bench.state(SECOND_ONE) == "relayed"


async def test_a_res_that_is_faster_than_the_250_spares_the_repeats(bench: Bench) -> None:
    peer = peer_that(bench, {})
    peer.res = {"ok": True}
    await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    async with asyncio.timeout(10):
        while [str(row[0]) for row in await bench.tasks()] != ["watch"]:
            await bench.at_rest()
    assert len(peer.jobs) == 1


@pytest.mark.parametrize("early", [False, True])
async def test_a_refusal_is_about_who_got_the_mail(bench: Bench, early: bool) -> None:
    peer = peer_that(bench, {SECOND_ONE: Retry("450 4.2.0 greylisted")})
    peer.res = {"ok": False} if early else None
    accepted = await bench.submit(FOREIGN, SECOND_ONE)
    await bench.until(trace.ForwardSent)
    peer.put_off, peer.res = {}, None
    if not early:
        assert await bench.engine.peer_reports.forward_answered("other", accepted.message_id, ok=False, because="no")
    await bench.until(trace.ReportDelivered)
    assert (await bench.state(FOREIGN), await bench.state(SECOND_ONE)) == ("rejected", "accepted")
    bench.clock.advance(3600)
    await bench.until(trace.ForwardSent, 2)
    assert await bench.state(SECOND_ONE) == "relayed"


async def test_a_refusal_of_somebody_unknown_moves_nobody(bench: Bench) -> None:
    peer_that(bench, {})
    accepted = await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    news = bench.engine.peer_reports
    stranger = ("+16669999999/TYPE=PLMN",)
    assert not await news.forward_answered("other", accepted.message_id, ok=False, because="", recipients=stranger)
    assert await bench.state(FOREIGN) == "relayed"


async def test_further_mails_use_up_no_repeats(bench: Bench) -> None:
    """452 at RCPT: the rest goes in a further mail at once (RFC 5321 4.5.3.1.10); then come all repeats, each with all
    recipients: after 60 s, 5 min and 30 min."""
    peer = peer_that(bench, {SECOND_ONE: Later(0.0, "452"), THIRD_ONE: Later(0.0, "452")})
    await bench.submit(FOREIGN, SECOND_ONE, THIRD_ONE)
    await bench.until(trace.ForwardSent)
    peer.put_off = {THIRD_ONE: Later(0.0, "452")}
    bench.clock.advance(1)
    await bench.until(trace.ForwardSent, 2)
    peer.put_off = {}
    bench.clock.advance(1)
    await bench.until(trace.ForwardSent, 3)
    for count, wait in enumerate((61, 301, 1801), 4):
        bench.clock.advance(wait)
        await bench.until(trace.ForwardSent, count)
    everybody = {FOREIGN, SECOND_ONE, THIRD_ONE}
    assert peer.served()[-3:] == [everybody] * 3
    bench.clock.advance(1801)
    await bench.until(trace.FindingNoted)
    assert len(peer.jobs) == 6


async def test_a_peer_that_takes_nobody_is_given_time(bench: Bench) -> None:
    """One recipient too many and another not now: that is an attempt, and no further mail at once."""
    courier = bench.hands[TaskKind.FORWARD]

    def say(job: Job) -> None:
        full, busy = (one.id for one in job.recipients)
        courier.answers.append(Mixed({full: Later(0.0, "452"), busy: Retry("451")}))

    courier.on_job = say
    await bench.submit(FOREIGN, SECOND_ONE)
    await bench.until(trace.AttemptFailed)
    await bench.at_rest()
    assert len(courier.jobs) == 1
    bench.clock.advance(6)
    assert len(await bench.until(trace.AttemptFailed, 2)) == len(courier.jobs) == 2


async def test_a_repeat_after_expiry_waits_as_the_peer_says(bench: Bench) -> None:
    """No RES, and the peer is full when the request comes again: the MM's expiry is no reason to hurry."""
    courier = bench.hands[TaskKind.FORWARD]
    courier.answers = [Delivered(answer_expected=True), *(Later(60.0, "452"),) * 3]
    await bench.submit(FOREIGN, expires=Relative(30))
    await bench.until(trace.ForwardSent)
    for count in (1, 2):
        bench.clock.advance(61)
        await bench.until(trace.AttemptPostponed, count)
        await bench.at_rest()
        assert len(courier.jobs) == 1 + count


@pytest.mark.parametrize("ok", [True, False])
@pytest.mark.parametrize("outcome", [Delivered(answer_expected=True), Failed("550", Happening.REFUSED_BY_PEER)])
async def test_a_store_that_goes_away_behind_a_mail_makes_no_second_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, outcome: Delivered | Failed, ok: bool
) -> None:
    peer = peer_that(bench, {})
    peer.res = {"ok": ok}
    calls = {"apply": 0, "_rest": 0}

    def falters(owner: object, name: str) -> None:
        real = getattr(owner, name)

        async def once_in_vain(*values: object) -> object:
            calls[name] += 1
            if calls[name] == 1:
                raise StoreUnavailable("away")
            return await real(*values)

        monkeypatch.setattr(owner, name, once_in_vain)

    falters(bench.engine.transitions, "apply")
    falters(bench.engine.peer_reports, "_rest")
    monkeypatch.setattr(delivery, "_PATIENCE_WITH_STORE_SECONDS", 0.0)

    async def deliver(job: Job) -> Outcome:
        await PuttingOff.deliver(peer, job)
        return outcome

    peer.deliver = deliver  # type: ignore[method-assign]
    await bench.submit(FOREIGN)
    async with asyncio.timeout(10):
        while max(calls.values()) < 2:
            await bench.store.commit(Unit(None, ()))
    await bench.at_rest()
    assert len(peer.jobs) == 1


async def test_a_report_that_is_faster_than_the_250_stays_the_last_word(bench: Bench) -> None:
    peer = peer_that(bench, {})

    async def told(job: Job) -> Outcome:
        news = bench.engine.peer_reports
        date, mm = bench.clock.now(), job.stored_mm
        assert await news.delivery_report(
            "other", mm.message_id, FOREIGN, Happening.PEER_RETRIEVED, date=date, to_originator=True
        )
        return Delivered(answer_expected=True)

    peer.deliver = told  # type: ignore[method-assign]
    await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    await bench.until(trace.ReportDelivered)
    bench.clock.advance(61)
    await bench.at_rest()
    assert await bench.state(FOREIGN) == "retrieved"
    moves = [event.data for event in bench.events if isinstance(event.data, trace.RecipientMoved)]
    assert [one.after for one in moves] == ["retrieved"], "what is told is what happened"


async def test_a_peer_may_name_recipients_as_it_was_told_them(bench: Bench) -> None:
    """A peer that is told 0044... may report about 0044..., though nothing says how to read that."""
    peers = bench.engine.neighbours.peers
    peers["other"] = replace(peers["other"], rewrites_out=(Rewrite("+1666", "0049777"),))
    peer_that(bench, {})
    accepted = await bench.submit(FOREIGN, SECOND_ONE)
    await bench.until(trace.ForwardSent)
    news = bench.engine.peer_reports
    as_told = FOREIGN.replace("+1666", "0049777")
    assert await news.forward_answered("other", accepted.message_id, ok=False, because="no", recipients=(as_told,))
    assert (await bench.state(FOREIGN), await bench.state(SECOND_ONE)) == ("rejected", "relayed")
    date = bench.clock.now()
    as_told = SECOND_ONE.replace("+1666", "0049777")
    assert await news.delivery_report(
        "other", accepted.message_id, as_told, Happening.PEER_RETRIEVED, date=date, to_originator=True
    )
    assert await bench.state(SECOND_ONE) == "retrieved"


@pytest.mark.parametrize("mixed", [False, True])
async def test_a_repeat_that_is_refused_says_nothing_about_the_first(bench: Bench, mixed: bool) -> None:
    """A peer without RES answers the repeat with 554: what became of the MM it tells by its report (semantics 9)."""
    courier = bench.hands[TaskKind.FORWARD]
    refused = Failed("554 5.6.0 a duplicate", Happening.REFUSED_BY_PEER)
    courier.answers = [Delivered(answer_expected=True)]
    accepted = await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    (job,) = courier.jobs
    courier.answers = [Mixed({job.recipients[0].id: refused}) if mixed else refused]
    bench.clock.advance(61)
    (finding,) = await bench.until(trace.FindingNoted)
    assert "a duplicate" in finding.remark  # type: ignore[attr-defined]
    assert await bench.state(FOREIGN) == "relayed"
    news = bench.engine.peer_reports
    assert await news.delivery_report(
        "other",
        accepted.message_id,
        FOREIGN,
        Happening.PEER_RETRIEVED,
        date=bench.clock.now(),
        to_originator=True,
    )
    await bench.until(trace.ReportDelivered)
    assert await bench.state(FOREIGN) == "retrieved"


async def test_a_peer_that_was_sent_nothing_yet_gets_its_res(bench: Bench) -> None:
    """After a restart, or about a message that nobody knows: a RES is owed all the same (sheet 6)."""
    answered = await bench.engine.peer_reports.delivery_report(
        "other",
        "m1@nowhere",
        FOREIGN,
        Happening.PEER_RETRIEVED,
        date=bench.clock.now(),
        to_originator=True,
        res=lambda found: ResMm4("other", {"found": str(found)}),
    )
    assert not answered
    await bench.until(trace.ReportDelivered)
    (job,) = bench.hands[TaskKind.RES_MM4].jobs
    assert job.payload["found"] == "False"


async def test_an_smsc_with_the_name_of_a_peer_shares_nothing_with_it(bench: Bench) -> None:
    """A forward that was claimed from the store is for the peer's recipients: not for the SMSC's, which get the MM over
    MM1."""
    neighbours = bench.engine.neighbours
    namesake = replace(neighbours.peers["other"], name="local", prefixes=(FOREIGN,))
    await neighbours.load((namesake, Smsc(name="local"), Subscriber(address=Address.of(PHONE))))
    pushed = asyncio.Event()
    bench.engine.couriers[TaskKind.NOTIFY] = Slow(pushed)
    bench.engine.lanes.held = True  # no seat: both tasks are claimed later
    await bench.submit(PHONE, FOREIGN)
    bench.engine.lanes.held = False
    bench.clock.advance(1)
    await bench.until(trace.ForwardSent)
    (job,) = bench.hands[TaskKind.FORWARD].jobs
    assert [one.address.value for one in job.recipients] == [FOREIGN]
    pushed.set()
