"""The result of a run as plain values: what the text, the JSON and the page are made from."""

from typing import Any, Final

from mmsc.load.histogram import Histogram
from mmsc.load.plan import Plan
from mmsc.load.session import Session
from mmsc.load.target import Target
from protocols.mm7.status import TEXTS
from protocols.records import record

PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0, 99.9)
FORMAT: Final = 1  # of the JSON


@record(frozen=True, slots=True, kw_only=True)
class Story:
    """What a report tells beside the counts."""

    target: Target
    plan: Plan
    command: str
    started: str  # ISO 8601, UTC
    version: str


def latency_of(histogram: Histogram) -> dict[str, Any]:
    """Count, mean, percentiles and maximum, milliseconds."""
    found: dict[str, Any] = {"count": histogram.count, "mean": _ms(histogram.mean())}
    found |= {f"p{percent:g}": _ms(histogram.percentile(percent)) for percent in PERCENTILES}
    found["max"] = _ms(histogram.maximum / 1e6)
    return found


def figures_of(session: Session, story: Story) -> dict[str, Any]:
    """Everything that was measured. Times are seconds, latencies milliseconds."""
    driver, tally, plan = session.driver, session.tally, story.plan
    until = driver.window_closed or session.now()
    seconds = max(0.0, until - driver.window_opened) if driver.counting else 0.0
    latencies = {"submit": tally.submit, "report": tally.report, "push": tally.push_after, "retrieve": tally.retrieve}
    return {
        "format": FORMAT,
        "mmsc": story.version,
        "command": story.command,
        "target": story.target.url,
        "started": story.started,
        "loop": "open" if plan.rate else "closed",
        "rate": plan.rate or None,
        "in_flight": plan.in_flight or None,
        "connections": plan.connections,
        "until": plan.until.value,
        "seconds": round(seconds, 3),
        "warm_up_seconds": round(driver.window_opened - driver.started_at, 3) if driver.counting else None,
        "stopped": driver.stopped or session.broke,
        "messages": _messages(session, seconds),
        "answers": dict(sorted(tally.answers.items(), key=lambda item: -item[1])),
        "samples": tally.samples,
        "connections_failed": tally.connects,
        "reports": tally.reports if plan.reports else None,
        "handsets": _handsets(session),
        "push_of": tally.accepted if plan.pushes else None,  # of so many a push was looked for
        "latency_ms": {name: latency_of(one) for name, one in latencies.items() if one.count},
        "distribution_ms": {
            name: [[_ms(upper), number] for upper, number in one.slots()]
            for name, one in latencies.items()
            if one.count
        },
        "series": _series(session),
    }


def _messages(session: Session, seconds: float) -> dict[str, Any]:
    driver, tally, plan = session.driver, session.tally, session.plan
    open_at_end = driver.awaiting
    return {
        "sent": tally.sent,
        "accepted": tally.accepted,
        "errors": tally.errors,
        "unanswered": tally.sent - sum(tally.answers.values()),
        "unsent": driver.unsent,
        "per_s": round(driver.ended_in_window / seconds, 1) if seconds else 0.0,
        "reported": tally.messages_reported if plan.reports else None,
        "recipients_reported": tally.recipients_reported if plan.reports else None,
        "recipients_reported_per_s": _reported_per_s(session, seconds),
        "lost": tally.overdue if plan.reports else None,
        "report_open": max(0, open_at_end - tally.overdue) if plan.reports else None,
        "report_repeats": tally.report_repeats,
        "strange_reports": tally.strange_reports,
        "early_reports": tally.early_reports,
        "untracked": tally.untracked,
        "other_requests": tally.other_requests,
    }


def _reported_per_s(session: Session, seconds: float) -> float | None:
    """Until the last report where that came after sending ended: an MMSC that lags does not keep up."""
    driver = session.driver
    if not session.plan.reports or not seconds:
        return None
    return round(session.tally.recipients_reported / max(seconds, driver.last_reported_at - driver.window_opened), 1)


def _handsets(session: Session) -> dict[str, Any] | None:
    tally, smsc = session.tally, session.smsc
    if not session.plays_smsc:
        return None
    return {
        "pushes": tally.pushed,
        "segments": smsc.segments,
        "texts": smsc.texts,
        "unreadable": smsc.unreadable,
        "retrieved": tally.whole,
        "different_contents": tally.different_contents,
        "not_followed": tally.pushes,
        "failed": tally.retrievals,
    }


def _series(session: Session) -> list[dict[str, Any]]:
    return [
        {
            "at": round(one.begins, 3),
            "seconds": round(one.seconds, 3),
            "accepted": one.accepted,
            "errors": one.errors,
            "reported": one.reported,
            "pushed": one.pushed,
            "in_flight": one.in_flight,
            "p50": _ms(one.p50),
            "p99": _ms(one.p99),
            "max": _ms(one.maximum),
        }
        for one in session.tally.series.intervals
    ]


def is_bad(figures: dict[str, Any]) -> bool:
    """Whether the exit status is 1: a stop condition, a loss, or nothing that worked."""
    messages = figures["messages"]
    return bool(figures["stopped"] or messages["lost"] or (not messages["accepted"] and messages["sent"]))


def name_of(kind: str) -> str:
    """An answer's kind with the standard's own text."""
    text = TEXTS.get(int(kind)) if kind.isdecimal() else None
    return f"{kind} {text}" if text else kind


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
