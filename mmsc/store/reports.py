"""SQL of the report ledger: what is stored of the recipients of VASPs' MMs and of the reports about them, page by page.

A page is a range of ids, found by primary key: of recipients, in the order in which they were submitted, or of tasks
where only open reports are asked for, so that a million MMs that have ended cost nothing then. It is read as
recipients, then tasks, then events: a report that leaves meanwhile is seen twice rather than not at all, so no
transaction has to hold a page together.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import msgspec

from mmsc.domain.instant import HOUR, Instant
from mmsc.domain.ledger import Case, EndedReport, OpenReport, ReportStatus
from mmsc.domain.message import Interface, RefusedRecipient, TaskKind
from mmsc.domain.states import RecipientState
from mmsc.store.core import Row, SqlValue
from mmsc.trace import events as trace
from protocols.records import record

FOR_EVER: Final = Instant(1 << 62)
CLOCKS_DIFFER: Final = HOUR  # ids follow real time, and submissions service time on another node's clock


class Source(Protocol):
    """Anything that reads a store: a running server's own, or a reader beside it."""

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """Rows of a query. Raises `StoreUnavailable`."""
        ...


@record(frozen=True, slots=True, kw_only=True)
class Whose:
    """Which MMs: of a VASP ("": of all), submitted from `since` up to before `until` (service time, µs), with a report
    asked for unless `unasked_too`."""

    vasp: str = ""
    since: Instant = Instant(0)
    until: Instant = FOR_EVER
    unasked_too: bool = False


class _Walk(NamedTuple):
    """The statements of a page: $1 and $2 are the ids that it lies between, the other values those of `_params`."""

    last: str
    recipients: str
    tasks: str
    ends: str
    tries: str


class _Asked(msgspec.Struct, frozen=True):
    """Of the column `mm.details` what the ledger needs."""

    message_id: str
    message_class: str = ""
    delivery_report: bool = False
    details: dict[str, str] = {}


class _Vasp(msgspec.Struct, frozen=True):
    """Of a VASP's settings what the ledger needs."""

    report_url: str = ""


_KIND: Final = TaskKind.REPORT_MM7.value
_OF_A_REPORT: Final = f'event.data LIKE \'%"task":"{_KIND}"%\''
# $3 to $6: the VASP, whether also MMs without a report asked for, since, until
_WHOSE: Final = (
    f"mm.origin = '{Interface.MM7.value}' AND ($3 = '' OR mm.neighbour = $3)"
    " AND ($4 <> 0 OR mm.details LIKE '%\"delivery_report\":true%') AND mm.submitted_at >= $5 AND mm.submitted_at < $6"
)
_COLUMNS: Final = (
    "recipient.id, recipient.mm_id, recipient.address, recipient.state, recipient.state_at, mm.neighbour,"
    " mm.submitted_at, mm.details, CASE WHEN mm.answer IS NULL THEN NULL WHEN recipient.id ="
    " (SELECT min(one.id) FROM recipient one WHERE one.mm_id = mm.id) THEN mm.answer END"  # with the first of them
)
_ENDS: Final = (
    f"(event.kind = 'report.delivered' OR (event.kind = 'task.given_up' AND {_OF_A_REPORT})"
    " OR (event.kind = 'recipient.moved' AND (event.data LIKE '%\"no_report\":\"%'"
    f' OR (event.task_id IS NOT NULL AND event.data LIKE \'%"after":"{RecipientState.DEFERRED.value}"%\')'
    f' OR (event.data LIKE \'%"after":"{RecipientState.RELAYED.value}"%\' AND event.data LIKE \'%"report":"%\'))))'
)
_TRIES: Final = f"event.kind IN ('attempt.failed', 'attempt.postponed') AND {_OF_A_REPORT}"


def _walk(table: str, joined: str, key: str) -> _Walk:
    """The statements of pages of `table`; `key` is the event's column that holds its ids."""
    kind = f"task.kind = '{_KIND}'"
    between = f"{table}.id > $1 AND {table}.id <= $2 AND {_WHOSE}"
    if table == "task":
        page = tasks = f"FROM {joined} WHERE {kind} AND {between}"
    else:
        page = f"FROM {joined} WHERE {between}"
        tasks = f"FROM {joined} JOIN task ON task.recipient_id = recipient.id WHERE {kind} AND {between}"
    # The events of an MM are found once, and not for each of its recipients.
    of_mms = (
        f"FROM (SELECT DISTINCT mm.id AS id {page}) page JOIN event ON event.mm_id = page.id"
        f" WHERE event.{key} > $1 AND event.{key} <= $2"
    )
    return _Walk(
        f"SELECT max(id), count(*) FROM (SELECT id FROM {table} WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) page",
        f"SELECT {_COLUMNS} {page} ORDER BY {table}.id",
        "SELECT task.recipient_id, task.id, task.state, task.due_at, task.attempt, task.payload"
        f" {tasks} ORDER BY task.id",
        f"SELECT event.recipient_id, event.task_id, event.at_service, event.kind, event.data {of_mms}"
        f" AND {_ENDS} ORDER BY event.id",
        "SELECT event.task_id, event.data FROM"
        f" (SELECT max(event.id) AS id {of_mms} AND {_TRIES} GROUP BY event.task_id) last"
        " JOIN event ON event.id = last.id",
    )


RECIPIENTS: Final = _walk("recipient", "recipient JOIN mm ON mm.id = recipient.mm_id", "recipient_id")
TASKS: Final = _walk(
    "task", "task JOIN recipient ON recipient.id = task.recipient_id JOIN mm ON mm.id = recipient.mm_id", "task_id"
)
_NEXT_MM: Final = "SELECT id, submitted_at FROM mm WHERE id >= $1 ORDER BY id LIMIT 1"
_LAST_MM: Final = "SELECT max(id) FROM mm"
_OF_MM: Final = "SELECT min(id), max(id) FROM recipient WHERE mm_id = $1"
_VASPS: Final = "SELECT name, data FROM config WHERE kind = 'vasp' ORDER BY name"
_details: Final = msgspec.json.Decoder(_Asked).decode
_payload: Final = msgspec.json.Decoder(dict[str, str]).decode
_vasp: Final = msgspec.json.Decoder(_Vasp).decode
_refused: Final = msgspec.json.Decoder(tuple[RefusedRecipient, ...]).decode


async def vasps(source: Source) -> dict[str, bool]:
    """The VASPs that are configured now, and whether each has an address for reports."""
    return {str(name): bool(_vasp(str(data)).report_url) for name, data in await source.fetch(_VASPS)}


async def recipients_of(source: Source, mm_id: int) -> tuple[int, int] | None:
    """(below, up to) of the ids of an MM's recipients; None when it has none here."""
    ((first, last),) = await source.fetch(_OF_MM, mm_id)
    return None if first is None else (_integer(first) - 1, _integer(last))


async def first_from(source: Source, moment: Instant) -> int | None:
    """The id of the first MM that was submitted at this time or later; None when there is none. Ids grow with time, so
    it is found in a few looks, as exact as the clocks of the nodes agree (`CLOCKS_DIFFER`)."""
    ((last,),) = await source.fetch(_LAST_MM)
    if last is None:
        return None
    low, high = 0, _integer(last) + 1  # every MM below `low` is too early
    while low < high:
        middle = (low + high) // 2
        row = next(iter(await source.fetch(_NEXT_MM, middle)), None)
        if row is None or _integer(row[1]) >= moment:
            high = middle
        else:
            low = _integer(row[0]) + 1
    found = await source.fetch(_NEXT_MM, low)
    return _integer(found[0][0]) if found else None


async def page_end(source: Source, walk: _Walk, above: int, up_to: int, limit: int) -> tuple[int, int] | None:
    """(the last id, how many) of the next rows above an id; None when there are none."""
    ((last, count),) = await source.fetch(walk.last, above, up_to, limit)
    return None if last is None else (_integer(last), _integer(count))


async def cases(
    source: Source, walk: _Walk, above: int, up_to: int, whose: Whose, addresses: dict[str, bool]
) -> list[Case]:
    """What is known of the recipients of a page; `addresses` are `vasps`. Raises `StoreUnavailable`."""
    params = (above, up_to, whose.vasp, int(whose.unasked_too), whose.since, whose.until)
    rows = await source.fetch(walk.recipients, *params)
    if not rows:
        return []
    tasks = await source.fetch(walk.tasks, *params)
    ends = _Ends(await source.fetch(walk.ends, *params))
    tries = await source.fetch(walk.tries, *params) if tasks else []
    last = {row[0]: _because(str(row[1])) for row in tries}
    queued: defaultdict[SqlValue, list[OpenReport]] = defaultdict(list)
    for row in tasks:
        queued[row[0]].append(_open(row, last.get(row[1], "")))
    found = {}
    for row in rows:
        for case in _cases_of(row, tuple(queued[row[0]]), ends, addresses):
            found[case.recipient_id, case.recipient] = case  # a recipient may have two open reports
    return list(found.values())


class _Ends:
    """How reports ended, and why there are none, by recipient."""

    def __init__(self, rows: list[Row]) -> None:
        """`rows`: (recipient_id, task_id, at_service, kind, data) in the order of their ids."""
        self.why_none: dict[SqlValue, str] = {}
        self.reports: defaultdict[SqlValue, list[EndedReport]] = defaultdict(list)
        before_the_end: dict[SqlValue, str] = {}
        for recipient_id, task_id, at, kind, text in rows:
            data = trace.read_data(str(kind), str(text))
            if isinstance(data, trace.RecipientMoved):
                if data.no_report:
                    self.why_none[recipient_id] = data.no_report
                elif data.after in (RecipientState.DEFERRED, RecipientState.RELAYED):
                    before_the_end[task_id] = data.after
            elif isinstance(data, trace.ReportDelivered | trace.TaskGivenUp):
                about = before_the_end.get(task_id, "")
                self.reports[recipient_id].append(_ended(_integer(task_id or 0), about, _integer(at), data))


def _ended(task_id: int, about: str, at: int, data: trace.ReportDelivered | trace.TaskGivenUp) -> EndedReport:
    if isinstance(data, trace.ReportDelivered):
        status = ReportStatus.NONE if data.nothing_sent else ReportStatus.SENT
        return EndedReport(task_id, data.state, Instant(at), status, data.attempt, data.note)
    status = ReportStatus.REFUSED if data.refused else ReportStatus.GIVEN_UP
    return EndedReport(task_id, about, Instant(at), status, data.attempt, data.because)


def _open(row: Row, because: str) -> OpenReport:
    _, task_id, state, due_at, attempts, text = row
    payload = _payload(text) if isinstance(text, str) else {}
    due = Instant(_integer(due_at))
    born = Instant(int(payload.get("born", due)))
    about = payload.get("state", "")
    return OpenReport(_integer(task_id), about, born, _integer(attempts), due, state == "leased", because)


def _because(text: str) -> str:
    data = msgspec.json.decode(text, type=dict[str, object])
    return str(data.get("because", ""))


def _cases_of(row: Row, queued: tuple[OpenReport, ...], ends: _Ends, addresses: dict[str, bool]) -> Iterator[Case]:
    """The recipient, and behind the first one of an MM those that its SubmitRsp refused (status 1100)."""
    recipient_id, mm_id, address, state, state_at, vasp, submitted_at, text, answer = row
    details = _details(str(text))

    def case(recipient: str, state: str, since: SqlValue, no_report: str) -> Case:
        return Case(
            recipient_id=_integer(recipient_id),
            mm_id=_integer(mm_id),
            message_id=details.message_id,
            mm7_transaction_id=details.details.get("mm7_transaction_id", ""),
            vasp=str(vasp),
            submitted_at=Instant(_integer(submitted_at)),
            recipient=recipient,
            state=state,
            state_at=Instant(_integer(since)),
            asked=details.delivery_report,
            message_class=details.message_class,
            has_address=addresses.get(str(vasp), False),
            no_report=no_report,
            queued=queued if state else (),
            ended=tuple(ends.reports.get(recipient_id, ())) if state else (),
        )

    yield case(str(address), str(state), state_at, ends.why_none.get(recipient_id, ""))
    if isinstance(answer, str):
        for one in _refused(answer):
            yield case(one.text, "", submitted_at, one.because)


def _integer(value: SqlValue) -> int:
    assert isinstance(value, int), f"an id, a time or a count is {value!r}"
    return value
