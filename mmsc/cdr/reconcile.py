"""Compares the records of two parties. Memory stays small: a temporary SQLite database holds and sorts both."""

import itertools
import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Final

from mmsc.cdr.forms import FormError
from mmsc.cdr.lines import Record
from mmsc.cdr.parties import (
    LIST,
    PAIR_OF,
    PAIRS,
    Pair,
    differences,
    domain,
    far_apart,
    other_of,
    recipients_of,
    times_of,
    type_of,
    writer_of,
)
from mmsc.cdr.reading import Unreadable, has_list, read
from protocols.records import record

SIDES: Final = ("A", "B")
_ROWS_AT_ONCE: Final = 1000
_MOST_DOMAINS: Final = 1000  # that a party may write in its records before this is no party
_TABLE: Final = (
    "CREATE TABLE entry (pair INTEGER, message TEXT, recipient TEXT, side INTEGER, type TEXT, at TEXT, data TEXT)"
)
_SORTED: Final = (
    "SELECT pair, message, recipient, side, data FROM entry ORDER BY pair, message, recipient, side, at, rowid"
)


@record(frozen=True, slots=True, kw_only=True)
class Asked:
    """`ours` is the domain of A, `theirs` that of B ("": as their records say); times may differ by `tolerance`
    seconds; with `bcd` bare numbers are BCD."""

    ours: str = ""
    theirs: str = ""
    tolerance: float = 60.0
    bcd: bool = False


@record(frozen=True, slots=True)
class Difference:
    """What does not agree. `kind` is only_in_a, only_in_b or differs; `places` says where the records stand."""

    kind: str
    pair: str
    message_id: str
    recipient: str
    places: tuple[str, ...]
    fields: tuple[tuple[str, str, str], ...] = ()  # (name, A's, B's)


@record(frozen=True, slots=True)
class Totals:
    """What was found, by pair; complete when all differences were taken."""

    records: Counter[str] = field(default_factory=Counter)  # per side: all that were read
    matched: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    only_in_a: Counter[str] = field(default_factory=Counter)
    only_in_b: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)  # per side: about others, or of no pair

    @property
    def equal(self) -> bool:
        """Whether the parties agree. Who has nothing that can be compared agrees with nobody."""
        return bool(self.matched) and not (self.differing or self.only_in_a or self.only_in_b)

    @property
    def nothing(self) -> bool:
        """Whether neither side has anything that can be compared."""
        return not (self.matched or self.differing or self.only_in_a or self.only_in_b)


def compare(a: Path, b: Path, asked: Asked, totals: Totals) -> Iterator[Difference]:
    """The differences, sorted by pair, message and recipient; `totals` is filled on the way. Raises Unreadable."""
    with (
        tempfile.TemporaryDirectory(prefix="mmsc-reconcile-") as folder,
        closing(sqlite3.connect(Path(folder) / "entries.db", isolation_level=None)) as database,
    ):
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(_TABLE)
        _fill(database, (a, b), asked, totals)
        yield from _differences(database, asked, totals)


def _fill(database: sqlite3.Connection, paths: tuple[Path, Path], asked: Asked, totals: Totals) -> None:
    for path in paths:
        if path.is_fifo():
            raise Unreadable(f"{path}: a pipe; it is read more than once, so write it to a file")
    known = (domain(asked.ours), domain(asked.theirs))
    spoken = [{known[side]} if known[side] else _domains(paths[side]) for side in (0, 1)]
    for side, path in enumerate(paths):
        rows = _entries(path, side, spoken[1 - side], asked, totals)
        database.execute("BEGIN")
        while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            database.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", some)
        database.execute("COMMIT")
    _leave_out(database, paths, totals)


def _leave_out(database: sqlite3.Connection, paths: tuple[Path, Path], totals: Totals) -> None:
    """Somebody's own list says nothing about MM4; where there is none, nothing can confirm a submission. A side without
    any record may be either: all that the other has is missing there, unless its header says that it is a list."""
    empty = [path for side, path in zip(SIDES, paths, strict=True) if not totals.records[side]]
    listed = database.execute("SELECT 1 FROM entry WHERE type = ? LIMIT 1", (LIST,)).fetchone() is not None
    listed = listed or any(has_list(path) for path in empty)
    if empty and not listed:
        return
    wrong = f"pair {'<>' if listed else '='} {PAIR_OF[LIST]}"
    for side, count in database.execute(f"SELECT side, count(*) FROM entry WHERE {wrong} GROUP BY side"):
        totals.left_out[SIDES[side]] += count
    database.execute(f"DELETE FROM entry WHERE {wrong}")


def _domains(path: Path) -> set[str]:
    """Who wrote these records."""
    found: set[str] = set()
    for one in read(path):
        if type_of(one.fields) in PAIR_OF and (who := writer_of(one.fields)):
            found.add(who)
            if len(found) > _MOST_DOMAINS:
                raise Unreadable(f"{path}: records of more than {_MOST_DOMAINS} MMSCs; name one (--ours, --theirs)")
    return found


_Entry = tuple[int, str, str, int, str, str, str]


def _entries(path: Path, side: int, others: set[str], asked: Asked, totals: Totals) -> Iterator[_Entry]:
    for one in read(path):
        totals.records[SIDES[side]] += 1
        at = PAIR_OF.get(type_of(one.fields))
        message = one.fields.get("messageID")
        other = other_of(one.fields)
        if at is None or (PAIRS[at].by_recipient and others and other and other not in others):
            totals.left_out[SIDES[side]] += 1
            continue
        if not isinstance(message, str) or not message:
            raise Unreadable(f"{one.place}: no messageID")
        data = json.dumps({"place": one.place, "fields": one.fields})
        when = str(one.fields.get("recordTimeStamp", ""))
        people = recipients_of(one.fields, bcd=asked.bcd) if PAIRS[at].by_recipient else [""]
        for person in people or [""]:
            yield at, message.strip("<>"), person, side, type_of(one.fields), when, data


def _differences(database: sqlite3.Connection, asked: Asked, totals: Totals) -> Iterator[Difference]:
    rows = iter(database.execute(_SORTED))
    for (at, message, person), group in itertools.groupby(rows, key=lambda row: tuple(row[:3])):
        sides: tuple[list[Record], list[Record]] = ([], [])
        for row in group:
            sides[row[3]].append(json.loads(row[4]))
        yield from _judge(PAIRS[at], message, person, sides, asked, totals)


def _judge(
    pair: Pair,
    message: str,
    person: str,
    sides: tuple[list[Record], list[Record]],
    asked: Asked,
    totals: Totals,
) -> Iterator[Difference]:
    """Match what is about one message (and recipient). Each direction for itself: a message may go there and back."""
    for sent, received in ((0, 1), (1, 0)):
        one = [each for each in sides[sent] if type_of(each["fields"]) == pair.sent]
        two = [each for each in sides[received] if type_of(each["fields"]) == pair.received]
        if not pair.by_recipient:
            one = _united(one, asked)
            two = [{**each, "people": recipients_of(each["fields"], bcd=asked.bcd)} for each in two]
        name = f"{SIDES[sent]}'s {pair.sent} - {SIDES[received]}'s {pair.received}"
        for first, second in itertools.zip_longest(one, two):
            a, b = (first, second) if sent == 0 else (second, first)
            found = _differ(pair, a, b, asked) if a is not None and b is not None else ()
            places = tuple(each["place"] for each in (a, b) if each is not None)
            if a is not None and b is not None and not found:
                totals.matched[name] += 1
                continue
            kind = "differs" if found else "only_in_a" if b is None else "only_in_b"
            counter = {"differs": totals.differing, "only_in_a": totals.only_in_a, "only_in_b": totals.only_in_b}
            counter[kind][name] += 1
            yield Difference(kind, name, message, person, places, found)


def _united(rows: Sequence[Record], asked: Asked) -> list[Record]:
    """The rows of a list about one message as one: a VASP may write a row for each recipient. Who is in it again is of
    a second one, which nothing confirms."""
    found: list[Record] = []
    times: Counter[str] = Counter()
    for row in rows:
        for person in recipients_of(row["fields"], bcd=asked.bcd) or [""]:
            if times[person] == len(found):
                found.append({**row, "people": []})
            found[times[person]]["people"] += [person] if person else []
            times[person] += 1
    return found


def _differ(pair: Pair, a: Record, b: Record, asked: Asked) -> tuple[tuple[str, str, str], ...]:
    found = list(differences(pair, a["fields"], b["fields"], bcd=asked.bcd))
    late = far_apart(_times(pair, a), _times(pair, b), asked.tolerance)
    found += [(name, str(a["fields"][name]), str(b["fields"][name])) for name in late]
    first, second = (sorted(each.get("people", ())) for each in (a, b))
    if first and second and first != second:
        found.append(("recipients", " ".join(first), " ".join(second)))
    return tuple(found)


def _times(pair: Pair, row: Record) -> dict[str, datetime]:
    try:
        return times_of(pair, row["fields"])
    except FormError as error:
        raise Unreadable(f"{row['place']}: {error}") from error
