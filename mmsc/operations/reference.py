"""The metrics: name, type, labels and meaning of each, once. The exposition and the reference page are made of this.

Names follow Prometheus' conventions (prometheus.io/docs/practices/naming): base units, `_total` for what only grows.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple


class Metric(NamedTuple):
    """One metric. `first` and `last` are powers of two in µs: the smallest and largest bound of a histogram."""

    name: str
    type: str  # counter, gauge, histogram
    help: str
    labels: tuple[str, ...] = ()
    first: int = 8
    last: int = 26


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, "counter", meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, "gauge", meaning, labels)


def _histogram(name: str, meaning: str, *labels: str, first: int = 8, last: int = 26) -> Metric:
    return Metric(name, "histogram", meaning, labels, first, last)


METRICS: Final = (
    # --- the server
    _gauge("mmsc_build_info", "Always 1; the version is in the labels.", "version", "python"),
    _gauge("mmsc_ready", "Whether /readyz says ready: 1 or 0."),
    _gauge("mmsc_event_loop_delay_seconds", "Longest delay of the event loop in the last 15 seconds."),
    _gauge("mmsc_clock_ahead_seconds", "How far service time is ahead of the host's clock (the lab can step it)."),
    _counter("mmsc_config_reloads_total", "Times the settings were read again, by what came of it.", "result"),
    _gauge("mmsc_config_last_success_timestamp_seconds", "When settings were last taken over (Unix time)."),
    _gauge("mmsc_config_restart_keys", "Keys that changed in the file and wait for a restart."),
    # --- messages
    _counter("mmsc_mm_accepted_total", "MMs that were stored and answered positively.", "interface", "neighbour"),
    _counter("mmsc_mm_recipients_total", "Recipients of accepted MMs."),
    _counter("mmsc_mm_content_bytes_total", "Encoded content of accepted MMs."),
    _counter("mmsc_submissions_refused_total", "Submissions that were refused, by reason.", "interface", "reason"),
    _counter("mmsc_submissions_repeated_total", "Submissions that were repeats of stored ones.", "interface"),
    _counter("mmsc_recipients_moved_total", "Recipients that came into a state.", "state"),
    _counter("mmsc_reports_delivered_total", "Reports that their originator's side took, by its kind.", "kind"),
    _counter("mmsc_tasks_given_up_total", "Tasks that ended without success.", "task"),
    _counter("mmsc_attempts_failed_total", "Attempts that failed and are tried again.", "task"),
    _counter("mmsc_attempts_postponed_total", "Attempts that a neighbour put off, or that found it down.", "task"),
    _counter("mmsc_findings_total", "Rules that neighbours broke and were forgiven.", "rule"),
    _counter("mmsc_events_total", "Events of the trace, by kind.", "event"),
    _histogram(
        "mmsc_step_seconds",
        "What an MM's steps take: accept (checked to durable), submit_to_push (to the SMSC's first positive answer, a"
        " wait for the delivery time included), push_to_fetch, fetch_to_answer (Retrieved), state_to_report (final"
        " state to report taken), submit_to_report (accepted to report taken). Steps"
        " that began before a restart are not counted.",
        "step",
        first=8,
        last=36,
    ),
    # --- neighbours
    _histogram("mmsc_outbound_call_seconds", "What calls to neighbours take, until there is an outcome.", "kind"),
    _counter("mmsc_outbound_calls_total", "Calls to neighbours, by outcome.", "kind", "outcome"),
    _gauge(
        "mmsc_lane_paused",
        "1 while the neighbour is down and its lane waits, before it is asked again.",
        "kind",
        "neighbour",
    ),
    _gauge(
        "mmsc_lane_probing",
        "1 after such a pause: one job at a time asks whether the neighbour is back.",
        "kind",
        "neighbour",
    ),
    _gauge("mmsc_lane_seats_taken", "Jobs in memory, waiting or carried out.", "kind", "neighbour"),
    _gauge("mmsc_lane_seats", "Jobs that fit into memory.", "kind", "neighbour"),
    _gauge("mmsc_lane_concurrency", "Jobs carried out at once, at most.", "kind", "neighbour"),
    _gauge("mmsc_lane_jobs_waiting", "Jobs in memory that wait for a free worker.", "kind", "neighbour"),
    _gauge("mmsc_lane_due_tasks", "Tasks that are due and wait in the store; counted to 10,000.", "kind", "neighbour"),
    _gauge("mmsc_lane_oldest_due_seconds", "For how long the earliest of them has been due.", "kind", "neighbour"),
    _gauge("mmsc_smsc_sessions", "SMPP sessions that are configured.", "neighbour"),
    _gauge("mmsc_smsc_sessions_bound", "SMPP sessions that are bound.", "neighbour"),
    _gauge("mmsc_neighbours", "Neighbours that are known, by kind.", "kind"),
    _gauge("mmsc_vasp_credits_left", "Recipients that a VASP with credits may still send to.", "neighbour"),
    # --- listeners
    _gauge("mmsc_listener_connections", "Clients that are connected.", "interface"),
    _counter("mmsc_http_requests_total", "HTTP requests that were answered.", "interface", "code"),
    _histogram("mmsc_http_request_seconds", "From a request's arrival to its answer handed over.", "interface"),
    # --- store
    _gauge("mmsc_store_available", "Whether the store takes commits: 1 or 0."),
    _counter("mmsc_store_commits_total", "Transactions: units share them."),
    _counter("mmsc_store_units_total", "Units of work; by mmsc_store_commits_total it is the size of a batch."),
    _counter("mmsc_store_lost_units_total", "Units whose guard found that somebody was first."),
    _counter("mmsc_store_statements_total", "Statements of units."),
    _counter("mmsc_store_reads_total", "Queries that change nothing."),
    _gauge("mmsc_store_waiting_units", "Units that are queued or being committed."),
    _histogram("mmsc_store_commit_seconds", "From the first statement of a batch to its commit.", first=8, last=24),
    _histogram("mmsc_store_claim_seconds", "What it takes to claim due tasks.", first=8, last=24),
    _gauge("mmsc_store_file_bytes", "Size of SQLite's file, without its write-ahead log."),
    _gauge("mmsc_store_log_bytes", "Size of SQLite's write-ahead log file."),
    _gauge("mmsc_store_disk_free_bytes", "Space that is left on the disk of SQLite's file."),
    _gauge("mmsc_store_connections", "Connections of PostgreSQL's readers, by state.", "state"),
    # --- memory and trace
    _gauge("mmsc_recent_recipients", "Recipients in the memory of what was stored or read lately."),
    _gauge("mmsc_recent_bytes", "Content in that memory."),
    _gauge("mmsc_captures", "Captures in the ring."),
    _gauge("mmsc_captures_bytes", "Size of the ring of captures."),
    _counter("mmsc_captures_lost_total", "Captures that the disk did not take."),
    _counter("mmsc_events_beyond_memory_total", "Events that left the memory of the bus; the store has them."),
)


def page() -> str:
    """The reference page, as Markdown."""
    return "\n".join((*_head(), *map(_row, METRICS), *_TAIL))


def _head() -> Iterator[str]:
    yield from ("# Metrics", "")
    yield "What `GET /metrics` of the console's listener tells. Made from `reference.py`; a test keeps it so."
    yield from ("", "| Metric | Type | Labels | Meaning |", "|---|---|---|---|")


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |"


_TAIL: Final = (
    "",
    "`kind` is vasp, peer or smsc (a lane `nowhere` takes recipients that nobody can serve). `neighbour` is a name of",
    "the settings: at most 100 of a kind, all others together are `other`. Telephone numbers are never labels.",
    "Bounds of histograms double from one to the next. `process_*` and `python_gc_*` are those of prometheus-client.",
    "There are no metrics of adaptation, because this version adapts nothing.",
    "",
)


if __name__ == "__main__":
    print(page(), end="")
