"""Makes Prometheus' families from what the server counts anyway, when somebody scrapes and not before."""

import platform
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from mmsc.domain.durations import Durations
from mmsc.domain.instant import SECOND
from mmsc.engine.directory import Neighbours
from mmsc.engine.engine import Engine
from mmsc.engine.lanes import Lane
from mmsc.operations.reference import METRICS, Metric
from mmsc.operations.sources import Sources

NEIGHBOURS_AT_MOST: Final = 100  # of one kind as labels; all others are counted together
KINDS: Final = ("vasp", "peer", "smsc")
OTHER: Final = "other"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[tuple[str, ...], float | Durations]
Samples = dict[str, list[Sample]]


class ServerCollector(Collector):
    """The families of `reference.METRICS`."""

    def __init__(self, sources: Sources, version: str) -> None:
        self._sources = sources
        self._version = version

    def describe(self) -> Iterable[Family]:
        """Nothing in advance: registering scrapes nobody."""
        return ()

    def collect(self) -> Iterator[Family]:
        """All families, also those that have no samples yet."""
        samples: defaultdict[str, list[Sample]] = defaultdict(list)
        parts: tuple[Callable[[], Samples], ...] = (self._server, self._messages, self._listeners, self._store)
        for part in parts:
            samples.update(part())
        if self._sources.engine is not None:
            samples.update(_engine(self._sources.engine, self._sources.clock.real_now()))
        samples.update(self._trace())
        for metric in METRICS:
            yield _family(metric, samples.pop(metric.name, []))
        assert not samples, f"metrics that reference.py does not know: {sorted(samples)}"

    def _server(self) -> Samples:
        s = self._sources
        reloads = s.reloads
        return {
            "mmsc_build_info": [((self._version, platform.python_version()), 1)],
            "mmsc_ready": _one(not s.readiness.obstacles()),
            "mmsc_event_loop_delay_seconds": _one(s.loop_delay()),
            "mmsc_clock_ahead_seconds": _one(s.clock.offset_seconds()),
            "mmsc_config_reloads_total": [((result,), count) for result, count in reloads.results.items()],
            "mmsc_config_last_success_timestamp_seconds": _one(reloads.last_success),
            "mmsc_config_restart_keys": _one(len(reloads.restart)),
        }

    def _messages(self) -> Samples:
        tally = self._sources.tally
        engine = self._sources.engine
        accepted: defaultdict[tuple[str, str], int] = defaultdict(int)
        for (interface, name), count in tally.accepted.items():
            kind = {"mm7": "vasp", "mm4": "peer"}.get(interface, "")
            known = _labels(engine.neighbours, kind) if engine is not None else ()
            accepted[interface, name if not name or name in known else OTHER] += count
        return {
            "mmsc_mm_accepted_total": list(accepted.items()),
            "mmsc_mm_recipients_total": _one(tally.recipients),
            "mmsc_mm_content_bytes_total": _one(tally.octets),
            "mmsc_submissions_refused_total": list(tally.refused.items()),
            "mmsc_submissions_repeated_total": _by_one(tally.repeated),
            "mmsc_recipients_moved_total": _by_one(tally.moved),
            "mmsc_reports_delivered_total": _by_one(tally.reports),
            "mmsc_tasks_given_up_total": _by_one(tally.given_up),
            "mmsc_attempts_failed_total": _by_one(tally.failed),
            "mmsc_attempts_postponed_total": _by_one(tally.postponed),
            "mmsc_findings_total": _by_one(tally.findings),
            "mmsc_events_total": [((cls.kind,), count) for cls, count in tally.kinds.items()],
            "mmsc_step_seconds": [((step,), times) for step, times in tally.steps.items()],
        }

    def _listeners(self) -> Samples:
        http = self._sources.http
        connections: list[Sample] = [((name,), one.connections) for name, one in http.items()]
        connections += [((name,), one.sessions) for name, one in self._sources.smtp.items()]
        return {
            "mmsc_listener_connections": connections,
            "mmsc_http_requests_total": [
                ((name, str(status)), count) for name, one in http.items() for status, count in one.statuses.items()
            ],
            "mmsc_http_request_seconds": [((name,), one.times) for name, one in http.items()],
        }

    def _store(self) -> Samples:
        counters, gauges = self._sources.store_counters(), self._sources.store_gauges()
        idle = gauges.idle_connections
        return {
            "mmsc_store_available": _one(self._sources.store_available()),
            "mmsc_store_commits_total": _one(counters.commits),
            "mmsc_store_units_total": _one(counters.units),
            "mmsc_store_lost_units_total": _one(counters.lost),
            "mmsc_store_statements_total": _one(counters.statements),
            "mmsc_store_reads_total": _one(counters.reads),
            "mmsc_store_waiting_units": _one(gauges.waiting_units),
            "mmsc_store_commit_seconds": [((), counters.batches)],
            "mmsc_store_file_bytes": _known(gauges.file_octets),
            "mmsc_store_log_bytes": _one(gauges.log_octets),
            "mmsc_store_disk_free_bytes": _known(gauges.disk_free),
            "mmsc_store_connections": [(("idle",), idle), (("used",), gauges.connections - idle)],
        }

    def _trace(self) -> Samples:
        s = self._sources
        sessions = [((name,), *both) for name, both in list(s.sessions().items())[:NEIGHBOURS_AT_MOST]]
        samples: Samples = {
            "mmsc_smsc_sessions": [(label, configured) for label, configured, _ in sessions],
            "mmsc_smsc_sessions_bound": [(label, bound) for label, _, bound in sessions],
            "mmsc_events_beyond_memory_total": _one(s.bus.lost),
        }
        if s.captures is not None:
            samples["mmsc_captures"] = _one(s.captures.records)
            samples["mmsc_captures_bytes"] = _one(s.captures.octets)
            samples["mmsc_captures_lost_total"] = _one(s.captures.lost)
        return samples


def _engine(engine: Engine, real_now: int) -> Samples:
    calls = engine.desk.calls
    neighbours = engine.neighbours
    samples: Samples = {
        "mmsc_outbound_call_seconds": [((kind,), times) for kind, times in calls.times.items()],
        "mmsc_outbound_calls_total": [
            ((kind, outcome.__name__.lower()), count) for (kind, outcome), count in calls.outcomes.items()
        ],
        "mmsc_neighbours": [((kind,), len(_names(neighbours, kind))) for kind in KINDS],
        "mmsc_store_claim_seconds": [((), engine.claims)],
        "mmsc_recent_recipients": _one(engine.recent.recipients),
        "mmsc_recent_bytes": _one(engine.recent.octets),
    }
    known = _labels(neighbours, "vasp")
    samples["mmsc_vasp_credits_left"] = [
        ((name,), left) for name, left in engine.credits.all_left().items() if name in known
    ]
    samples.update(_lanes(engine, real_now))
    return samples


def _lanes(engine: Engine, real_now: int) -> Samples:
    """Each lane under its neighbour's name; lanes of neighbours that are no labels are added up."""
    known = {kind: _labels(engine.neighbours, kind) for kind in KINDS}
    found: defaultdict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    for lane in engine.lanes:
        kind, _, name = lane.name.partition(":")
        label = (kind, name if kind not in known or name in known[kind] else OTHER)
        for metric, value in _lane(lane, real_now).items():
            found[metric][label] = found[metric].get(label, 0) + value
        waiting = engine.backlog.waiting.get(lane.name)
        if waiting is not None:
            due, oldest = found["mmsc_lane_due_tasks"], found["mmsc_lane_oldest_due_seconds"]
            due[label] = due.get(label, 0) + waiting.tasks
            oldest[label] = max(oldest.get(label, 0), waiting.oldest_seconds)
    return {metric: list(values.items()) for metric, values in found.items()}


def _lane(lane: Lane, real_now: int) -> dict[str, float]:
    paused = real_now < lane.paused_until
    return {
        "mmsc_lane_paused": paused,
        "mmsc_lane_probing": lane.probing and not paused,
        "mmsc_lane_seats_taken": lane.taken,
        "mmsc_lane_seats": lane.limits.concurrency + lane.limits.backlog,
        "mmsc_lane_concurrency": lane.limits.concurrency,
        "mmsc_lane_jobs_waiting": lane.waiting,
    }


def _labels(neighbours: Neighbours, kind: str) -> tuple[str, ...]:
    """The neighbours of a kind that have a label of their own."""
    return _names(neighbours, kind)[:NEIGHBOURS_AT_MOST]


def _names(neighbours: Neighbours, kind: str) -> tuple[str, ...]:
    match kind:
        case "vasp":
            return tuple(neighbours.vasps)
        case "peer":
            return tuple(neighbours.peers)
        case "smsc":
            return tuple(neighbours.smscs)
        case _:
            return ()


def _one(value: float) -> list[Sample]:
    return [((), value)]


def _known(value: float | None) -> list[Sample]:
    return [] if value is None else _one(value)


def _by_one(counts: dict[str, int]) -> list[Sample]:
    return [((key,), count) for key, count in counts.items()]


def _family(metric: Metric, samples: Iterable[Sample]) -> Family:
    if metric.type == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, times in samples:
            assert isinstance(times, Durations)
            buckets = [(str(bound / SECOND), so_far) for bound, so_far in times.cumulative(metric.first, metric.last)]
            histogram.add_metric(labels, [*buckets, ("+Inf", times.count)], times.total / SECOND)
        return histogram
    cls = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
    family = cls(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        assert not isinstance(value, Durations)
        family.add_metric(labels, float(value))
    return family


def registry(sources: Sources, version: str) -> CollectorRegistry:
    """A registry with the server's own metrics, and those of its process and interpreter."""
    found = CollectorRegistry(auto_describe=False)
    found.register(ServerCollector(sources, version))
    ProcessCollector(registry=found)
    GCCollector(registry=found)
    return found


def exposition(found: CollectorRegistry) -> bytes:
    """Prometheus' text format."""
    return generate_latest(found)
