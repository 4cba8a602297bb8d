"""Findings by rule and client: counted when somebody looks, newest first, remembered, and never for longer than a look
may take."""

from mmsc.control.findings import FindingRow
from mmsc.control.octets import excerpt, plain
from mmsc.domain.instant import HOUR
from mmsc.domain.message import Interface, Origin, Remark
from mmsc.engine.queries.findings import Findings
from mmsc.engine.queries.messages import PATIENCE
from mmsc.store import events
from mmsc.store.core import Row, SqlValue, Statement, Store, Unit
from mmsc.trace import events as trace
from mmsc.trace.view.rules import rules
from tests.control.conftest import Desk
from tests.engine.conftest import OTHER, PHONE

RULE = next(iter(rules())).name


async def noted(desk: Desk, number: int, rule: str = "MM7-R012", source: str = "vasp:news", at: int = 0) -> None:
    """So many findings, in events of their own; ids of long ago, or of `at` (real time, µs)."""
    first = (at or desk.bench.clock.real_now() - HOUR) << 10
    data = trace.FindingNoted(source, rule, "8.7", 3, "odd")
    effects = [
        events.insert(trace.Event(first + one, None, None, None, 1000 + one, 1000, data)) for one in range(number)
    ]
    await desk.bench.store.commit(Unit(None, tuple(effects)))


def told(rows: list[FindingRow]) -> list[tuple[str, str, int]]:
    return [(row.rule, row.client, row.count) for row in rows]


async def test_they_are_counted_by_rule_and_client(desk: Desk) -> None:
    bench = desk.bench
    odd, worse = Remark("MM7-R012", "8.7.1", 3, "odd"), Remark("MM7-R013", "8.7.2", -1, "worse")
    await bench.submit(PHONE, remarks=(odd, worse))
    bench.clock.advance(60)
    last = await bench.submit(PHONE, remarks=(odd,))
    phone = await bench.submit(OTHER, origin=Origin(Interface.MM1, PHONE), sender=PHONE, remarks=(odd,))
    page = await desk.control.findings.page()
    assert told(page.rows) == [("MM7-R012", "news", 2), ("MM7-R012", "handsets", 1), ("MM7-R013", "news", 1)]
    assert page.through
    first = page.rows[0]
    assert first.mm_id == str(last.mm_id)
    assert first.last - first.first == 60_000_000
    assert (first.remark, first.clause) == ("odd", "8.7.1")
    only = await desk.control.findings.page("handsets")
    assert [row.mm_id for row in only.rows] == [str(phone.mm_id)]


class Asked:
    """A store that counts the rows that it gave."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.rows = 0

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        rows = await self._store.fetch(sql, *params)
        self.rows += len(rows)
        return rows


async def test_a_second_look_reads_only_what_came_since(desk: Desk) -> None:
    await noted(desk, 30)
    clock = desk.bench.clock
    asked = Asked(desk.bench.store)
    findings = Findings(asked, clock.real_now)

    async def looked() -> tuple[list[int], int]:
        before = asked.rows
        counts = await findings.counts()
        assert counts.through
        return [one.count for one in counts.rows], asked.rows - before

    assert await looked() == ([30], 30)
    assert await looked() == ([30], 0)
    await noted(desk, 2, "MM7-R013", at=clock.real_now())
    assert await looked() == ([30, 2], 2)
    assert await looked() == ([30, 2], 2)  # young ones are read again, and not counted twice
    clock.advance(60)
    assert await looked() == ([30, 2], 2)
    assert await looked() == ([30, 2], 0)


async def test_a_look_that_takes_too_long_goes_on_at_the_next(desk: Desk) -> None:
    await noted(desk, 4500)
    now = desk.bench.clock.real_now()
    time = iter(range(now, now + (1 << 40), PATIENCE * 3 // 4))  # from one look at the clock to the next
    slow = Findings(desk.bench.store, lambda: next(time))
    first = await slow.counts()
    assert (first.looked_at, first.through) == (4000, False)
    second = await slow.counts()
    assert (second.looked_at, second.through) == (4500, True)
    assert [one.count for one in second.rows] == [4500]


async def test_what_retention_took_is_not_counted_for_ever(desk: Desk) -> None:
    await noted(desk, 3)
    assert (await desk.control.findings.page()).rows[0].count == 3
    row = await desk.bench.store.fetch_one("SELECT min(id) FROM event WHERE kind = 'finding.noted'")
    assert row is not None
    await desk.bench.store.commit(Unit(None, (Statement("DELETE FROM event WHERE id = $1", (row[0],)),)))
    desk.bench.clock.advance(3600)
    assert (await desk.control.findings.page()).rows[0].count == 2


async def test_one_rule_is_explained_with_samples_and_a_text_for_the_partner(desk: Desk) -> None:
    bench = desk.bench
    for number in range(5):
        await bench.submit(PHONE, remarks=(Remark(RULE, "7.2", 3, f"remark {number}"),))
    page = await desk.control.findings.rule(RULE, "news")
    assert page is not None
    assert page.explained is not None
    assert [one.remark for one in page.samples] == ["remark 4", "remark 3", "remark 2"]
    assert page.samples[0].lines == []  # nothing was captured
    text = page.for_the_partner
    assert text.startswith(f"{RULE}, ")
    assert "Seen 5 times from news" in text
    assert "remark 4" in text
    assert max(map(len, text.splitlines())) <= 120
    assert (await desk.control.findings.rule(RULE, "nobody")).rows == []  # type: ignore[union-attr]
    assert await desk.control.findings.rule("MM9-X000") is None


async def test_samples_of_a_client_among_many_others(desk: Desk) -> None:
    await noted(desk, 3, source="vasp:rare")
    await noted(desk, 2500, at=desk.bench.clock.real_now() - HOUR // 2)
    page = await desk.control.findings.rule("MM7-R012", "rare")
    assert page is not None
    assert len(page.samples) == 3


def test_octets_are_shown_around_what_is_marked() -> None:
    lines = excerpt(bytes(range(256)), 100, 104)
    assert [line.offset for line in lines] == [64, 80, 96, 112]
    assert [one.hex for line in lines for one in line.octets if one.marked] == ["64", "65", "66", "67"]
    text = plain(lines).splitlines()
    assert text[2].startswith("000060  60 61 62 63 64 65")
    assert text[3].index("^^") == text[2].index("64")
    assert [line.offset for line in excerpt(b"x" * 500, -1, -1)] == list(range(0, 192, 16))
    assert excerpt(b"", 3, 4) == []
