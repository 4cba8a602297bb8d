"""SQL of MMs and their recipients, and the rows' way to domain values and back."""

from collections.abc import Collection
from typing import Final

import msgspec

from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.domain.message import ContentId, Interface, Mm, MmId, Origin, Priority, Recipient, RecipientId, Role, Route
from mmsc.domain.states import Cause, Happening, RecipientState, move, sources
from mmsc.store.core import Row, SqlValue, Statement, Store
from mmsc.store.tasks import HAS_IT


class _Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """The column `mm.details`: what is stored with an MM and never searched for."""

    message_id: str
    content_type: str
    size: int
    date: int
    subject: str = ""
    message_class: str = ""
    delivery_report: bool = False
    system_report: bool = False
    read_report: bool = False
    sender_hidden: bool = False
    adaptation_allowed: bool = True
    forward_counter: int = 0
    shown_to: tuple[tuple[Role, str], ...] = ()
    details: dict[str, str] = {}


CHANGED: Final = "changed:"  # a wake: what other nodes remember of MMs and recipients may be old
RUN: Final = "run"  # in an MM's details: the tag of the test run that it belongs to
_REQUEST_IDS: Final = {  # in an MM's details, by where it came in: the originator's identifier of its request
    Interface.MM1: "mm1_transaction_id",
    Interface.MM4: "mm4_transaction_id",
    Interface.MM7: "mm7_transaction_id",
}
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Details).decode

_INSERT_MM = (
    "INSERT INTO mm (id, origin, neighbour, sender, repeat_key, foreign_id, content_id, submitted_at, deliver_at,"
    " expires_at, priority, details, answer, request, run)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    " ON CONFLICT (repeat_key) DO NOTHING RETURNING id"
)
MM_COLUMNS = (
    "mm.id, mm.origin, mm.neighbour, mm.sender, mm.foreign_id, mm.content_id, mm.submitted_at, mm.deliver_at,"
    " mm.expires_at, mm.priority, mm.details"
)
MM_WIDTH = 11
_INSERT_RECIPIENT = (
    "INSERT INTO recipient (id, mm_id, address, role, route, target, state, state_at, transaction_id, token,"
    " link_token, fetched_at, pushes, cause) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
)
RECIPIENT_COLUMNS = (
    "recipient.id, recipient.mm_id, recipient.address, recipient.role, recipient.route, recipient.target,"
    " recipient.state, recipient.state_at, recipient.cause, recipient.transaction_id, recipient.token,"
    " recipient.link_token, recipient.fetched_at, recipient.pushes"
)
_BOTH = f"SELECT {MM_COLUMNS}, {RECIPIENT_COLUMNS} FROM recipient JOIN mm ON mm.id = recipient.mm_id WHERE "


def insert_mm(mm: Mm, *, repeat_key: bytes | None, answer: str | None) -> Statement:
    """Write an MM: a guard, lost when the repeat key is there already. `answer` is what a repeat is told (JSON)."""
    details = _details(mm)
    params: tuple[SqlValue, ...] = (
        mm.id,
        str(mm.origin.interface),
        mm.origin.neighbour,
        mm.sender.value,
        repeat_key,
        mm.foreign_id,
        mm.content_id,
        mm.submitted_at,
        mm.deliver_at,
        mm.expires_at,
        int(mm.priority),
        _encode(details).decode(),
        answer,
        mm.details.get(_REQUEST_IDS.get(mm.origin.interface, "")),
        mm.details.get(RUN),
    )
    return Statement(_INSERT_MM, params)


def _details(mm: Mm) -> _Details:
    return _Details(
        message_id=mm.message_id,
        content_type=mm.content_type,
        size=mm.size,
        date=mm.date,
        subject=mm.subject,
        message_class=mm.message_class,
        delivery_report=mm.delivery_report,
        system_report=mm.system_report,
        read_report=mm.read_report,
        sender_hidden=mm.sender_hidden,
        adaptation_allowed=mm.adaptation_allowed,
        forward_counter=mm.forward_counter,
        shown_to=mm.shown_to,
        details=dict(mm.details),
    )


def insert_recipient(recipient: Recipient) -> Statement:
    """Write a recipient."""
    params: tuple[SqlValue, ...] = (
        recipient.id,
        recipient.mm_id,
        recipient.address.value,
        str(recipient.role),
        str(recipient.route),
        recipient.target,
        str(recipient.state),
        recipient.state_at,
        recipient.transaction_id or None,
        recipient.token or None,
        recipient.link_token or None,
        recipient.fetched_at,
        recipient.pushes,
        str(recipient.cause) or None,
    )
    return Statement(_INSERT_RECIPIENT, params)


# A recipient that fetched its MM, whose forward is in somebody's hands, or whose application took it with a 202 has it:
# nothing is withdrawn any more.
_UNLESS_ON_ITS_WAY: Final = (
    " AND fetched_at IS NULL AND NOT EXISTS (SELECT 1 FROM task WHERE task.mm_id = recipient.mm_id AND"
    f" task.recipient_id IS NULL AND {HAS_IT} AND task.lane = recipient.route || ':' || recipient.target)"
)


def _guarded(happening: Happening, *, leaving: bool = False, waiting: bool = False) -> str:
    """The UPDATE that carries out `happening`: it names the states it may leave, and where each leads. `leaving` leaves
    out those that lead to themselves, `waiting` those who have got it or are being sent it."""
    branches: dict[str, list[str]] = {}
    staying: list[str] = []
    for source in sources(happening):
        target = move(source, happening)
        assert target is not None, f"{source} lists {happening} and leads nowhere"
        if leaving and target is source:
            continue
        branches.setdefault(target.value, []).append(f"'{source.value}'")
        if target is source:
            staying.append(f"'{source.value}'")
    listed = ", ".join(name for names in branches.values() for name in names)
    if len(branches) == 1:
        state = f"'{next(iter(branches))}'"
    else:
        whens = " ".join(f"WHEN state IN ({', '.join(names)}) THEN '{to}'" for to, names in branches.items())
        state = f"CASE {whens} END"
    at = f"CASE WHEN state IN ({', '.join(staying)}) THEN state_at ELSE $2 END" if staying else "$2"
    unless = _UNLESS_ON_ITS_WAY if waiting or happening is Happening.CANCELLED else ""
    pushed = ", pushes = pushes + 1" if happening in (Happening.PUSHED, Happening.LINK_SENT) else ""
    fetched = ", fetched_at = $2" if happening is Happening.FETCHED else ""
    return (
        f"UPDATE recipient SET state = {state}, state_at = {at}, cause = $3{pushed}{fetched}"
        f" WHERE id = $1 AND state IN ({listed}){unless} RETURNING id, state"
    )


_REPLACEABLE: Final = ", ".join(f"'{state.value}'" for state in sources(Happening.CANCELLED))
_REPLACE_MM: Final = (
    "UPDATE mm SET deliver_at = $2, details = $3 WHERE id = $1 AND $4 = (SELECT COUNT(*) FROM recipient"
    f" WHERE recipient.mm_id = mm.id AND recipient.state IN ({_REPLACEABLE}){_UNLESS_ON_ITS_WAY}) RETURNING id"
)
_MOVE: Final = {happening: _guarded(happening) for happening in Happening}
_LEAVE: Final = {
    happening: _guarded(happening, leaving=True)
    for happening in Happening
    if any(move(source, happening) is not source for source in sources(happening))
}
_EXPIRE_WAITING: Final = _guarded(Happening.EXPIRED, leaving=True, waiting=True)


def move_recipient(
    recipient_id: RecipientId, happening: Happening, at: Instant, cause: Cause, *, leaving: bool = False
) -> Statement:
    """Carry out a happening where the table of moves allows it: a guard (zero rows: it does not), or an effect. With
    `leaving` only where it changes the state: what is told of a change must not be told twice."""
    cancels = happening is Happening.CANCELLED
    text = (_LEAVE if leaving else _MOVE)[happening]
    return Statement(text, (recipient_id, at, str(cause) or None), CHANGED if cancels else None, cancels)


def expire_waiting(recipient_id: RecipientId, at: Instant) -> Statement:
    """A guard: a recipient expires before its time; lost when it has got the MM, or is being sent it."""
    return Statement(_EXPIRE_WAITING, (recipient_id, at, None), CHANGED, looks_around=True)


def mark_replied(recipient_id: RecipientId, at: Instant) -> Statement:
    """A recipient has replied at the cost of the MM's sender: a guard, lost when it did so before."""
    return Statement(
        "UPDATE recipient SET replied_at = $2 WHERE id = $1 AND replied_at IS NULL RETURNING id", (recipient_id, at)
    )


def is_replaceable(recipient: Recipient, lanes_under_way: Collection[str]) -> bool:
    """Whether `replace_mm` counts a recipient among those who have not got the MM."""
    on_its_way = f"{recipient.route}:{recipient.target}" in lanes_under_way
    waits = move(recipient.state, Happening.CANCELLED) is not None
    return waits and recipient.fetched_at is None and not on_its_way


def replace_mm(before: Mm, after: Mm, waiting: int) -> Statement:
    """What changes about an MM when it is replaced: a guard, lost unless exactly so many recipients (`is_replaceable`)
    have not got it: whoever began to serve one meanwhile serves the old content."""
    details = _encode(_details(after)).decode()
    return Statement(_REPLACE_MM, (before.id, after.deliver_at, details, waiting), CHANGED, looks_around=True)


async def answer_to_repeat(store: Store, repeat_key: bytes) -> Row | None:
    """What a repeat is told: (mm id, submitted_at, details, answer)."""
    return await store.fetch_one("SELECT id, submitted_at, details, answer FROM mm WHERE repeat_key = $1", repeat_key)


async def recipients_by_foreign_id(
    store: Store, foreign_id: str, neighbour: str
) -> dict[bytes, tuple[Instant, set[str]]]:
    """Who was served by MMs that came from a neighbour with this X-Mms-Message-ID: (submitted_at, addresses) by repeat
    key."""
    rows = await store.fetch(
        "SELECT mm.repeat_key, mm.submitted_at, recipient.address FROM mm JOIN recipient ON recipient.mm_id = mm.id"
        " WHERE mm.foreign_id = $1 AND mm.neighbour = $2 AND mm.repeat_key IS NOT NULL",
        foreign_id,
        neighbour,
    )
    found: dict[bytes, tuple[Instant, set[str]]] = {}
    for key, at, address in rows:
        assert isinstance(key, bytes), "a repeat key is a digest"
        found.setdefault(key, (Instant(_integer(at)), set()))[1].add(str(address))
    return found


def forget_repeat(repeat_key: bytes, before: Instant) -> Statement:
    """A request like one from before that time is new from now on."""
    return Statement(
        "UPDATE mm SET repeat_key = NULL WHERE repeat_key = $1 AND submitted_at < $2", (repeat_key, before)
    )


def message_id_of(details: str) -> str:
    """The Message-ID in a `details` column."""
    return _decode(details).message_id


async def by_token(store: Store, token: str) -> tuple[Mm, Recipient] | None:
    """The recipient behind a Content-Location."""
    return _both(await store.fetch_one(_BOTH + "recipient.token = $1", token))


async def by_link_token(store: Store, link_token: str) -> tuple[Mm, Recipient] | None:
    """The recipient behind a web link."""
    return _both(await store.fetch_one(_BOTH + "recipient.link_token = $1", link_token))


async def by_transaction_id(store: Store, transaction_id: str) -> tuple[Mm, Recipient] | None:
    """The recipient whose notification had this X-Mms-Transaction-ID."""
    return _both(await store.fetch_one(_BOTH + "recipient.transaction_id = $1", transaction_id))


async def by_recipient(store: Store, recipient_id: int) -> tuple[Mm, Recipient] | None:
    """A recipient and its MM."""
    return _both(await store.fetch_one(_BOTH + "recipient.id = $1", recipient_id))


async def with_recipients(store: Store, mm_id: int) -> tuple[Mm, tuple[Recipient, ...]] | None:
    """An MM and all its recipients."""
    rows = await store.fetch(_BOTH + "mm.id = $1 ORDER BY recipient.id", mm_id)
    if not rows:
        return None
    return mm_of(rows[0]), tuple(recipient_of(row[MM_WIDTH:]) for row in rows)


async def forwarded_with(store: Store, foreign_id: str, peer: str, address: str) -> MmId | None:
    """The newest MM that came in with this X-Mms-Message-ID and went to a recipient at a peer."""
    row = await store.fetch_one(
        "SELECT mm.id FROM mm JOIN recipient ON recipient.mm_id = mm.id WHERE mm.foreign_id = $1 AND"
        " recipient.route = 'peer' AND recipient.target = $2 AND recipient.address = $3 ORDER BY mm.id DESC LIMIT 1",
        foreign_id,
        peer,
        address,
    )
    return None if row is None else MmId(_integer(row[0]))


async def came_with(store: Store, foreign_id: str, neighbour: str) -> MmId | None:
    """The newest MM that came from a neighbour with this X-Mms-Message-ID."""
    row = await store.fetch_one(
        "SELECT id FROM mm WHERE foreign_id = $1 AND neighbour = $2 ORDER BY id DESC LIMIT 1", foreign_id, neighbour
    )
    return None if row is None else MmId(_integer(row[0]))


async def told_to(
    store: Store, message_id: str, address: Address, own: int | None = None
) -> tuple[Mm, Recipient] | None:
    """The recipient with this address of the newest MM that was told to it as `message_id`: `own` is the MM that we
    gave it to, if we did; else it came with it."""
    where = "mm.id = $2" if own is not None else "mm.foreign_id = $2"
    row = await store.fetch_one(
        f"{_BOTH}{where} AND recipient.address = $1 AND recipient.route = 'subscriber' ORDER BY mm.id DESC LIMIT 1",
        address.value,
        message_id if own is None else own,
    )
    both = _both(row)
    return both if both is not None and both[0].message_id == message_id else None


def _integer(value: SqlValue) -> int:
    assert isinstance(value, int), f"an integer column holds {value!r}"
    return value


def _text(value: SqlValue) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: SqlValue) -> Instant | None:
    return Instant(value) if isinstance(value, int) else None


def mm_of(row: Row) -> Mm:
    """The MM in a row of `MM_COLUMNS`."""
    details = _decode(_text(row[10]))
    return Mm(
        id=MmId(_integer(row[0])),
        message_id=details.message_id,
        origin=Origin(Interface(_text(row[1])), _text(row[2])),
        sender=Address.of(_text(row[3])),
        subject=details.subject,
        message_class=details.message_class,
        priority=Priority(_integer(row[9])),
        delivery_report=details.delivery_report,
        system_report=details.system_report,
        read_report=details.read_report,
        sender_hidden=details.sender_hidden,
        adaptation_allowed=details.adaptation_allowed,
        shown_to=details.shown_to,
        submitted_at=Instant(_integer(row[6])),
        date=Instant(details.date),
        deliver_at=_moment(row[7]),
        expires_at=Instant(_integer(row[8])),
        foreign_id=_text(row[4]) or None,
        forward_counter=details.forward_counter,
        content_id=ContentId(_integer(row[5])),
        content_type=details.content_type,
        size=details.size,
        details=details.details,
    )


def recipient_of(row: Row) -> Recipient:
    """The recipient in a row of `RECIPIENT_COLUMNS`."""
    return Recipient(
        id=RecipientId(_integer(row[0])),
        mm_id=MmId(_integer(row[1])),
        address=Address.of(_text(row[2])),
        role=Role(_text(row[3])),
        route=Route(_text(row[4])),
        target=_text(row[5]),
        state=RecipientState(_text(row[6])),
        state_at=Instant(_integer(row[7])),
        cause=Cause(_text(row[8])),
        transaction_id=_text(row[9]),
        token=_text(row[10]),
        link_token=_text(row[11]),
        fetched_at=_moment(row[12]),
        pushes=_integer(row[13]),
    )


def _both(row: Row | None) -> tuple[Mm, Recipient] | None:
    return None if row is None else (mm_of(row), recipient_of(row[MM_WIDTH:]))
