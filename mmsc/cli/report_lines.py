"""What `mmsc reports` prints: lines for people, CSV and JSON for programs, and the totals."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mmsc.domain.instant import Instant
    from mmsc.domain.ledger import Entry, Totals

COLUMNS: Final = (
    "vasp", "message_id", "mm_id", "mm7_transaction_id", "submitted_at", "recipient", "recipient_state",
    "recipient_state_since", "report", "report_since", "age_seconds", "attempts", "next_attempt_at", "code", "why",
)  # fmt: skip
MOST_REASONS: Final = 10  # told behind the totals
_TABLE: Final = "{:<19}  {:<10}  {:<27}  {:<14}  {:<13}  {:<14} {:<19}  {:<8} {:>7}  {}"
HEAD: Final = _TABLE.format(
    "SUBMITTED (UTC)", "VASP", "MESSAGE ID", "TRANSACTION ID", "RECIPIENT", "STATE", "SINCE", "REPORT", "AGE", "WHY"
)
_SECOND: Final = 1_000_000
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def table(entries: "Iterable[Entry]", now: "Instant") -> Iterator[str]:
    """A line for each, for people."""
    for one in entries:
        yield _printable(
            _TABLE.format(
                _time(one.submitted_at),
                one.vasp,
                one.message_id,
                one.mm7_transaction_id,
                one.recipient,
                one.state or "not accepted",
                _time(one.state_at),
                one.status.replace("_", " "),
                _age(one.age(now)),
                _why(one),
            )
        )


def csv_lines(entries: "Iterable[Entry]", now: "Instant") -> Iterator[str]:
    """Lines of CSV (RFC 4180) under `COLUMNS`, times in RFC 3339; one a line, whatever a VASP wrote."""
    for one in entries:
        fields = _fields(one, now)
        yield _printable(csv_line(fields[name] for name in COLUMNS))


def csv_line(values: Iterable[object]) -> str:
    """One line of CSV, its end left to whoever prints it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow("" if value is None else value for value in values)
    return text.getvalue()


def json_lines(entries: "Iterable[Entry]", now: "Instant") -> Iterator[str]:
    """An object a line with the names of `COLUMNS`; what is not known is left out."""
    for one in entries:
        known = {name: value for name, value in _fields(one, now).items() if value not in (None, "")}
        yield json.dumps(known, ensure_ascii=False)


def totals_json(totals: "Totals", recipients: int) -> str:
    """The last line of JSON: all recipients that were looked at, and those that are listed."""
    reasons = [
        {"report": str(status), "why": why, "recipients": count}
        for (status, why), count in totals.reasons.most_common()
    ]
    told = {"recipients": recipients, "listed": totals.recipients, **totals.by_status(), "reasons": reasons}
    return json.dumps({"totals": told}, ensure_ascii=False)


def totals_lines(totals: "Totals", recipients: int) -> Iterator[str]:
    """The sum of it, and the reasons that are most frequent."""
    many = f"{totals.recipients:,} of {recipients:,}" if recipients != totals.recipients else f"{recipients:,}"
    counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in totals.by_status().items() if count)
    yield f"{many} recipients: {counts or 'none to tell of'}"
    reasons = totals.reasons.most_common(MOST_REASONS)
    for (status, why), count in reasons:
        yield _printable(f"  {count:>10,}  {status.replace('_', ' ')}: {why}")
    left = totals.missing - sum(count for _, count in reasons)
    if left:
        yield f"  {left:>10,}  for other reasons"


def _fields(one: "Entry", now: "Instant") -> dict[str, object]:
    from mmsc.ids import to_text

    return {
        "vasp": one.vasp,
        "message_id": one.message_id,
        "mm_id": to_text(one.mm_id),
        "mm7_transaction_id": one.mm7_transaction_id,
        "submitted_at": _rfc3339(one.submitted_at),
        "recipient": one.recipient,
        "recipient_state": one.state,
        "recipient_state_since": _rfc3339(one.state_at),
        "report": str(one.status),
        "report_since": _rfc3339(one.since),
        "age_seconds": one.age(now) // _SECOND,
        "attempts": one.attempts,
        "next_attempt_at": None if one.next_attempt_at is None else _rfc3339(one.next_attempt_at),
        "code": one.code,
        "why": one.why,
    }


def _why(one: "Entry") -> str:
    """Everything else that there is to say, in a few words."""
    words = [" ".join(filter(None, (one.code, one.why)))]
    if one.next_attempt_at is not None:
        words.append(f"next {_time(one.next_attempt_at)}")
    if one.attempts > 1 or (one.attempts and one.next_attempt_at is not None):
        words.append(f"{one.attempts} attempt{'s' if one.attempts > 1 else ''}")
    return ", ".join(filter(None, words))


def _age(micros: int) -> str:
    """In the largest unit that it fills."""
    seconds = micros // _SECOND
    size, name = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    return f"{seconds // size} {name}"


def _time(at: "Instant") -> str:
    return _rfc3339(at)[:19].replace("T", " ")


def _rfc3339(at: "Instant") -> str:
    from mmsc.domain.instant import to_datetime

    return to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _printable(text: str) -> str:
    """On one line, and nothing that a terminal would obey: much of it was written by VASPs."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
