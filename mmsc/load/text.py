"""The report as text."""

from collections.abc import Iterator
from typing import Any, Final

from mmsc.load.figures import name_of

LATENCIES: Final = {
    "submit": "SubmitReq to SubmitRsp",  # or to the end of the wait for it
    "report": "SubmitReq to its report",
    "push": "SubmitReq to the push",
    "retrieve": "push to notifyresp's answer",
}
ODD: Final = {
    "unanswered": "without an answer when it ended",
    "unsent": "due and not sent: all connections were busy",
    "report_open": "reports still open when it ended",
    "report_repeats": "reports again about the same recipient",
    "strange_reports": "reports about messages that are not out: repeats, or not ours",
    "early_reports": "reports before their SubmitRsp",
    "untracked": "accepted, their reports not followed: too many at once",
    "other_requests": "other requests to the report listener",
}


def text_of(figures: dict[str, Any]) -> str:
    """Everything that a person wants to know, with a line for each thing."""
    return "\n".join(_lines(figures))


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    messages = figures["messages"]
    pace = f"{figures['rate']:g}/s" if figures["rate"] else f"{figures['in_flight']} in flight"
    yield f"{figures['target']}  {pace}, {figures['connections']} connections, {figures['seconds']:g} s measured"
    if figures["stopped"]:
        yield f"ended early: {figures['stopped']}"
    yield ""
    yield f"{'messages/s':28}{messages['per_s']:>12,.1f}"
    yield f"{'sent':28}{messages['sent']:>12,}"
    yield f"{'accepted':28}{messages['accepted']:>12,}"
    yield f"{'errors':28}{messages['errors']:>12,}"
    if messages["reported"] is not None:
        yield f"{'reported':28}{messages['reported']:>12,}{_percent(messages['reported'], messages['accepted'])}"
        yield f"{'recipients reported/s':28}{messages['recipients_reported_per_s'] or 0:>12,.1f}"
        yield f"{'lost':28}{messages['lost']:>12,}"
    for key, words in ODD.items():
        if messages[key]:
            yield f"{messages[key]:>12,}  {words}"
    yield from _kinds("answers", figures["answers"])
    yield from _kinds("reports by MMStatus", figures["reports"] or {})
    yield from _kinds("connections that failed", figures["connections_failed"])
    if figures["handsets"] is not None:
        yield from _handsets(figures["handsets"])
    yield from _latencies(figures["latency_ms"])
    if note := push_note(figures):
        yield note


def push_note(figures: dict[str, Any]) -> str:
    """What the latency of pushes leaves out; "" when it has them all, or nobody looked."""
    accepted, measured = figures["push_of"] or 0, figures["latency_ms"].get("push", {"count": 0})["count"]
    if measured >= accepted:
        return ""
    why = "of several MMs on their way to one number nobody can tell which a push belongs to; name more with --to"
    return f"{LATENCIES['push']}: measured of {measured:,} of {accepted:,}; {why}"


def _kinds(title: str, kinds: dict[str, int]) -> Iterator[str]:
    if kinds:
        total = sum(kinds.values())
        yield ""
        yield title
        for kind, number in kinds.items():
            yield f"  {name_of(kind):40}{number:>12,}{_percent(number, total)}"


def _handsets(handsets: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "handsets"
    for name in ("pushes", "segments", "retrieved", "texts", "unreadable", "different_contents"):
        if handsets[name] or name in ("pushes", "retrieved"):
            yield f"  {name.replace('_', ' '):40}{handsets[name]:>12,}"
    for name in ("not_followed", "failed"):
        for why, number in handsets[name].items():
            yield f"  {name.replace('_', ' ')}: {why:40}{number:>8,}"


def _latencies(latencies: dict[str, dict[str, float]]) -> Iterator[str]:
    if not latencies:
        return
    columns = list(next(iter(latencies.values())))
    yield ""
    yield f"{'latency, ms':28}" + "".join(f"{name:>10}" for name in columns)
    for name, values in latencies.items():
        yield f"{LATENCIES[name]:28}" + "".join(_cell(values[column], column) for column in columns)


def _cell(value: float, column: str) -> str:
    return f"{value:>10,}" if column == "count" else f"{value:>10,.1f}"


def _percent(part: int, whole: int) -> str:
    return f"  {100 * part / whole:6.2f} %" if whole else ""
