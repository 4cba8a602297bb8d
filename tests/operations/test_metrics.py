"""What /metrics, /healthz and /readyz say of a server that runs over its real sockets."""

import asyncio
import os
import re
import sqlite3
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mmsc.app import App
from mmsc.clock import VirtualClock
from mmsc.domain.durations import Durations
from mmsc.ids import NODE_BITS
from mmsc.operations import reference
from mmsc.operations.readiness import Phase
from mmsc.operations.reference import METRICS
from mmsc.operations.tally import OPEN_AT_MOST, Tally
from mmsc.settings.model import Console
from mmsc.store.core import Gauges
from mmsc.trace import events as trace
from mmsc.trace.events import Event
from tests.console.pausing import unpaused
from tests.operations.conftest import get
from tests.scenarios.conftest import PHONE, Lab

PAGE = Path(__file__).parents[2] / "mmsc" / "operations" / "METRICS.md"


def samples(text: str) -> dict[str, float]:
    """Every sample as `name{label=value,...}`."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_the_reference_page_is_that_of_the_code() -> None:
    assert PAGE.read_text() == reference.page(), "write it anew: python -m mmsc.operations.reference"


@pytest.mark.parametrize("metric", METRICS)
def test_names_keep_to_the_conventions(metric: reference.Metric) -> None:
    """prometheus.io/docs/practices/naming: counters end in _total, units are base units, everything has a meaning."""
    assert re.fullmatch(r"mmsc_[a-z0-9_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert metric.type != "histogram" or metric.name.endswith("_seconds")
    assert not re.search(r"milli|micro|octets|_ms$|minutes|hours|kilo", metric.name)
    assert len(metric.help) > 15
    assert metric.help.endswith(".")


async def test_a_message_is_counted_at_each_of_its_steps(lab: Lab, tmp_path: Path) -> None:
    phone = await lab.phone(PHONE)
    await lab.vasp.submit(PHONE)
    await lab.vasp.report()
    assert phone.inbox.messages
    tally = lab.app.operations.tally
    async with asyncio.timeout(10):
        while not tally.reports["vasp"]:
            await lab.app.store.fetch_one("SELECT 1")  # a turn of the loop and of its threads
    assert tally.accepted == {("mm7", "news"): 1}
    assert tally.moved["retrieved"] == 1
    assert {step: times.count for step, times in tally.steps.items()} == dict.fromkeys(tally.steps, 1)
    assert all(0 < times.total < 30_000_000 for times in tally.steps.values())
    calls = lab.app.engine.desk.calls
    assert {kind: times.count for kind, times in calls.times.items()} == {"smsc": 1, "vasp": 1}


async def test_every_metric_is_exposed_and_none_beside_them(app: App) -> None:
    status, text = await get(app, "/metrics")
    assert status == 200
    told = set(re.findall(r"^# TYPE (mmsc_\S+)", text, re.MULTILINE))
    assert told == {metric.name for metric in METRICS}
    for metric in METRICS:
        assert f"# HELP {metric.name} {metric.help}\n" in text
    found = samples(text)
    assert found["mmsc_ready{}"] == 1
    assert found["mmsc_smsc_sessions_bound{neighbour=local}"] == 1
    assert found["mmsc_lane_due_tasks{kind=smsc,neighbour=local}"] == 0
    assert found["mmsc_store_commit_seconds_count{}"] == found["mmsc_store_commits_total{}"] > 0
    assert found["process_cpu_seconds_total{}"] > 0
    assert found["process_open_fds{}"] > 0
    assert found["python_gc_collections_total{generation=0}"] >= 0


async def test_what_waits_in_the_store_is_told_by_lane(app: App) -> None:
    app.engine.hold(held=True)
    for lane, age in (("smsc:local", 100), ("smsc:local", 7), ("vasp:removed", 50)):
        await _put_task(app, lane, age)
    _, text = await get(app, "/metrics")
    found = samples(text)
    assert found["mmsc_lane_due_tasks{kind=smsc,neighbour=local}"] == 2
    assert 100 <= found["mmsc_lane_oldest_due_seconds{kind=smsc,neighbour=local}"] < 160
    assert found["mmsc_lane_due_tasks{kind=vasp,neighbour=other}"] == 1
    assert "removed" not in text


async def _put_task(app: App, lane: str, age_seconds: int) -> None:
    from mmsc.domain.instant import Instant
    from mmsc.domain.message import TaskId, TaskKind
    from mmsc.store import tasks
    from mmsc.store.core import Unit

    app.engine.lanes.get(lane)
    due_at = Instant(app.clock.now() - age_seconds * 1_000_000)
    row = tasks.TaskRow(TaskId(app.ids.new_id()), None, None, TaskKind.RES_MM4, lane, due_at, 1, {})
    await app.store.commit(Unit(None, (tasks.insert(row),)))


async def test_the_store_tells_its_file_and_what_is_left_on_the_disk(app: App) -> None:
    found = samples((await get(app, "/metrics"))[1])
    path = app.settings.store.path
    assert found["mmsc_store_file_bytes{}"] == (await asyncio.to_thread(Path(path).stat)).st_size > 0
    disk = os.statvfs(path)
    assert 0 < found["mmsc_store_disk_free_bytes{}"] <= disk.f_blocks * disk.f_frsize


async def test_a_store_without_a_file_of_its_own_alarms_nobody(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.operations.sources, "store_gauges", Gauges)
    found = samples((await get(app, "/metrics"))[1])
    assert not {"mmsc_store_file_bytes{}", "mmsc_store_disk_free_bytes{}"} & found.keys()


async def test_a_lane_is_paused_and_asks_afterwards_but_not_both(app: App) -> None:
    lane = app.engine.lanes.get("smsc:local")

    async def told() -> tuple[float, float]:
        found = samples((await get(app, "/metrics"))[1])
        label = "{kind=smsc,neighbour=local}"
        return found[f"mmsc_lane_paused{label}"], found[f"mmsc_lane_probing{label}"]

    assert await told() == (0, 0)
    lane.pause_seconds = 3600.0
    app.engine.lanes.pause(lane, "connection refused")
    assert await told() == (1, 0)
    app.engine.lanes.try_now(lane)
    assert await told() == (0, 1)
    app.engine.lanes.resume(lane)
    assert await told() == (0, 0)


async def test_only_configured_names_become_labels_and_no_more_than_a_hundred(app: App) -> None:
    neighbours = app.engine.neighbours
    [vasp] = neighbours.vasps.values()
    for number in range(150):
        name = f"v{number}"
        neighbours.vasps[name] = vasp
        app.engine.lanes.get(f"vasp:{name}")
        accept(app.operations.tally, "mm7", name)
    accept(app.operations.tally, "mm7", "stranger")
    accept(app.operations.tally, "mm1", "+15550100123")
    _, text = await get(app, "/metrics")
    found = samples(text)
    accepted = {name: value for name, value in found.items() if name.startswith("mmsc_mm_accepted_total")}
    assert accepted["mmsc_mm_accepted_total{interface=mm7,neighbour=other}"] == 52  # 51 beyond the bound, 1 unknown
    assert accepted["mmsc_mm_accepted_total{interface=mm1,neighbour=}"] == 1
    assert sum(accepted.values()) == 152
    assert len([name for name in found if name.startswith("mmsc_lane_paused{kind=vasp")]) <= 101
    assert "15550100123" not in text
    assert "stranger" not in text


def accept(tally: Tally, interface: str, neighbour: str) -> None:
    data = trace.MmAccepted(interface, neighbour, "m", "s", 1, 1)
    tally.publish(Event(1, 1, None, None, 0, 0, data))


def test_recipients_that_never_fetch_cost_no_more_than_the_bound() -> None:
    tally = Tally(VirtualClock(), lambda event: None)
    for number in range(OPEN_AT_MOST + 10):
        pushed = trace.NotificationPushed("s", 1, ())
        tally.publish(Event(1, 5 << NODE_BITS, number, None, 0, 7, pushed))
    assert len(tally._pushed) == OPEN_AT_MOST
    assert tally.steps["submit_to_push"].total == 2 * (OPEN_AT_MOST + 10)


def test_durations_fall_into_buckets_that_double() -> None:
    times = Durations()
    for micros in (-5, 0, 1, 2, 3, 4, 5, 1024, 1025, 1 << 60):
        times.note(micros)
    assert times.count == 10
    assert dict(times.cumulative(0, 11)) == {
        1: 3, 2: 4, 4: 6, 8: 7, 16: 7, 32: 7, 64: 7, 128: 7, 256: 7, 512: 7, 1024: 8, 2048: 9,
    }  # fmt: skip
    assert list(times.cumulative(11, 11)) == [(2048, 9)]


# --- health


async def test_health_and_readiness_of_a_server_that_runs(app: App) -> None:
    assert await get(app, "/healthz") == (200, '{"status":"alive"}\n')
    assert await get(app, "/readyz") == (200, '{"status":"ready"}\n')
    assert (await get(app, "/elsewhere"))[0] == 404


async def test_not_ready_while_it_starts_or_stops(app: App) -> None:
    for phase in (Phase.STARTING, Phase.STOPPING):
        app.operations.readiness.phase = phase
        status, text = await get(app, "/readyz")
        assert status == 503
        assert msgspec.json.decode(text) == {"status": "not ready", "not_ready": {"server": str(phase)}}
        assert (await get(app, "/healthz"))[0] == 200


async def test_while_the_store_is_away_it_is_alive_and_not_ready(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    store = app.store

    async def silent(sql: str, *params: object) -> None:
        from mmsc.store.core import StoreUnavailable

        raise StoreUnavailable("gone")

    monkeypatch.setattr(store, "fetch_one", silent)
    status, text = await get(app, "/readyz")
    assert (status, msgspec.json.decode(text)["not_ready"]) == (503, {"store": "it does not answer"})
    assert (await get(app, "/healthz"))[0] == 200
    monkeypatch.undo()
    assert (await get(app, "/readyz"))[0] == 200


@pytest.mark.slow
async def test_a_file_that_takes_nothing_is_told_and_so_is_its_end(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's program writes to the database: when the patience with it is at its end, commits fail."""
    monkeypatch.setattr("mmsc.store.sqlite._BUSY_MILLISECONDS", 50)
    from mmsc.engine.ports import ResMm4
    from mmsc.store.core import StoreUnavailable

    other = sqlite3.connect(app.settings.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreUnavailable):
            await app.engine.submit.answer_refused(ResMm4("nobody", {}))
        status, text = await get(app, "/readyz")
        assert (status, msgspec.json.decode(text)["not_ready"]) == (503, {"store": "it takes nothing at the moment"})
        assert (await get(app, "/healthz"))[0] == 200
        assert samples((await get(app, "/metrics"))[1])["mmsc_store_available{}"] == 0
    finally:
        other.close()
    async with asyncio.timeout(20):
        while (await get(app, "/readyz"))[0] != 200:
            await app.store.fetch_one("SELECT 1")


async def test_a_part_that_ended_is_told(app: App) -> None:
    app.operations.readiness.add("part", lambda: "it ended")
    assert msgspec.json.decode((await get(app, "/readyz"))[1])["not_ready"] == {"part": "it ended"}


async def test_metrics_ask_for_the_token_and_health_does_not(
    tmp_path: Path, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mmsc.operating import Operations

    unpaused(monkeypatch)
    token = "0123456789abcdef"
    operations = Operations(app.store, app.clock, app.bus)
    place = await operations.open(Console(enabled=True, port=0, token=token))
    assert place is not None
    app.listeners["console"] = place
    try:
        assert (await get(app, "/metrics"))[0] == 401
        assert (await get(app, "/metrics", Authorization="Bearer 0123456789abcdeX"))[0] == 401
        assert (await get(app, "/metrics", Authorization=f"Basic {token}"))[0] == 401
        assert (await get(app, "/metrics", Authorization=f"Bearer {token}"))[0] == 200
        assert (await get(app, "/healthz"))[0] == 200
        assert (await get(app, "/readyz"))[0] == 503  # this one never started
    finally:
        await operations.close()
