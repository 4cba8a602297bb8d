"""Finding MMs and reading what lists and pages show of them.

A search goes through the store newest first, in chunks that grow while they are quick, for about `PATIENCE` of reading
time at most: then it says where it stands, and whoever asked may go on there.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from mmsc.domain.instant import Instant
from mmsc.domain.message import Mm, Recipient
from mmsc.domain.searching import EVERYTHING, Field, MessageQuery, Term
from mmsc.domain.states import FINAL
from mmsc.ids import from_text
from mmsc.store import looking, reports, search
from mmsc.store.looking import Due as Due
from mmsc.store.looking import Group as Group
from mmsc.store.looking import TaskSeen as TaskSeen
from mmsc.store.messages import recipient_of
from mmsc.store.reports import CLOCKS_DIFFER, FOR_EVER, Source
from mmsc.trace import events as trace
from mmsc.trace.events import Event
from mmsc.trace.stored import event_of
from protocols.records import record

PATIENCE: Final = 150_000  # µs of reading: a page of a million MMs is there within 200 ms
LARGEST_PAGE: Final = 500
_EVIDENCE: Final = (trace.NotificationPushed.kind, trace.LinkSent.kind, trace.CapabilityDecided.kind)  # best first
_moved: Final = msgspec.json.Decoder(trace.RecipientMoved).decode
_FIRST_CHUNK: Final = 200
_LARGEST_CHUNK: Final = 20_000
_QUICK: Final = PATIENCE // 8  # a chunk that took less: the next one is larger


@record(frozen=True, slots=True)
class Seen:
    """An MM as a list shows it. `events` are its last ones, oldest first; of one with few recipients all."""

    mm: Mm
    groups: tuple[Group, ...]
    events: tuple[Event, ...]
    due: tuple[Due, ...]


@record(frozen=True, slots=True)
class Found:
    """Some MMs, newest first. `next`: below which id the rest is (None: there is no more); `stopped`: time was up
    before the page was full. `looked_at` MMs were gone through."""

    mms: tuple[Mm, ...]
    next: int | None
    stopped: bool = False
    looked_at: int = 0


@record(frozen=True, slots=True, kw_only=True)
class RecipientSeen:
    """A recipient as a page shows it: its row, its tasks, and what was found about its handset."""

    recipient: Recipient
    tasks: tuple[TaskSeen, ...] = ()
    decided: Event | None = None  # capability.decided, notification.pushed or link.sent: with the evidence
    moved: Event | None = None  # how it came to its state


@record(frozen=True, slots=True, kw_only=True)
class People:
    """Some of an MM's recipients, and the tasks for all of them together. `next`: the id to go on behind."""

    recipients: tuple[RecipientSeen, ...]
    for_all: tuple[TaskSeen, ...] = ()
    next: int | None = None


@record(frozen=True, slots=True)
class Gone:
    """No MM with this id is there. `removed_at`: retention took it then; `too_old`: it is from before the oldest one
    that is kept; neither: it was never seen, or nothing is left to tell."""

    removed_at: Instant | None = None
    too_old: bool = False


class Messages:
    """Questions about MMs. `real_now` is the host's time (µs), `lanes` those to SMSCs now."""

    def __init__(
        self,
        source: Source,
        real_now: Callable[[], int],
        lanes: Callable[[], Sequence[str]] = tuple,
        patience: int = PATIENCE,
    ) -> None:
        self._source = source
        self._real_now = real_now
        self._lanes = lanes
        self._patience = patience

    async def find(self, query: MessageQuery = EVERYTHING, before: int | None = None, limit: int = 50) -> Found:
        """The newest MMs below id `before` for which all of the query holds. Raises `StoreUnavailable`."""
        limit = max(1, min(limit, LARGEST_PAGE))
        begun = self._real_now()
        wanted = await self._resolved(query)
        if wanted.ids is not None:
            below = FOR_EVER if before is None else before
            found = await search.among(self._source, wanted, below, LARGEST_PAGE)
            mms = [mm for mm in found if self._holds(mm, wanted)]
            return Found(tuple(mms[:limit]), mms[limit - 1].id if len(mms) > limit else None)
        return await self._walk(wanted, query, before, limit, begun)

    async def among(self, query: MessageQuery, ids: Sequence[int]) -> tuple[Mm, ...]:
        """Those of a few MMs for which all of the query holds, newest first. Raises `StoreUnavailable`."""
        if not query.terms:
            return tuple(await looking.mms(self._source, ids))
        wanted = await self._resolved(query)
        some = set(ids) if wanted.ids is None else set(ids) & set(wanted.ids)
        if not some:
            return ()
        narrowed = search.Wanted(wanted.terms, wanted.exact, tuple(sorted(some, reverse=True)))
        found = await search.among(self._source, narrowed, FOR_EVER, LARGEST_PAGE)
        return tuple(mm for mm in found if self._holds(mm, narrowed))

    async def seen(self, mms: Sequence[Mm]) -> list[Seen]:
        """What a list shows of these MMs, in the same order."""
        told: list[Seen] = []
        for start in range(0, len(mms), looking.AT_ONCE):
            some = mms[start : start + looking.AT_ONCE]
            ids = [mm.id for mm in some]
            groups = await looking.groups(self._source, ids)
            many = [one for one in ids if sum(group.count for group in groups.get(one, ())) > looking.MANY]
            events = await looking.events(self._source, ids, many)
            due = await looking.due(self._source, ids)
            told += [
                Seen(
                    mm,
                    tuple(groups.get(mm.id, ())),
                    tuple(map(event_of, events.get(mm.id, ()))),
                    tuple(sorted(due.get(mm.id, ()), key=lambda one: one.at)),
                )
                for mm in some
            ]
        return told

    async def one(self, mm_id: int) -> Seen | Gone:
        """An MM as it stands now, or what can be said of one that is not there."""
        mms = await looking.mms(self._source, (mm_id,))
        if mms:
            return (await self.seen(mms))[0]
        removed_at = await looking.removed_at(self._source, mm_id)
        if removed_at is not None:
            return Gone(removed_at)
        return Gone(too_old=0 < mm_id < await looking.first(self._source))

    async def people(self, mm: Mm, after: int = 0, limit: int = 100) -> People:
        """The recipients of an MM behind one, in the order in which they were stored."""
        rows = await looking.recipients(self._source, mm.id, after, limit)
        if not rows:
            return People(recipients=())
        recipients = [recipient_of(row) for row in rows]
        tasks = await looking.tasks(self._source, mm.id, after, recipients[-1].id)
        told = await self._explained(recipients)
        seen = [
            RecipientSeen(
                recipient=one,
                tasks=tuple(task for task in tasks if task.recipient_id == one.id),
                decided=next((told[one.id, kind] for kind in _EVIDENCE if (one.id, kind) in told), None),
                moved=told.get((one.id, trace.RecipientMoved.kind)),
            )
            for one in recipients
        ]
        return People(
            recipients=tuple(seen),
            for_all=tuple(task for task in tasks if task.recipient_id is None),
            next=recipients[-1].id if len(rows) == limit else None,
        )

    async def events(self, mm_id: int, after: int = 0, limit: int = 200) -> list[Event]:
        """The events of an MM with ids above `after`, oldest first."""
        rows = await looking.page_of_events(self._source, mm_id, after, max(1, min(limit, 10_000)))
        return [event_of(row) for row in rows]

    async def latest(self, mm_id: int, limit: int = 200) -> list[Event]:
        """The last events of an MM, newest first."""
        return [event_of(row) for row in await looking.latest_events(self._source, mm_id, limit)]

    async def passed_through(self, mm_id: int) -> dict[int, set[str]]:
        """The states that each recipient of an MM has, or had once."""
        through = {one: {state} for one, state in (await looking.states(self._source, mm_id)).items()}
        for recipient_id, text in await looking.moves(self._source, mm_id):
            moved = _moved(text)
            through.setdefault(recipient_id, set()).update((moved.before, moved.after))
        return through

    async def has_ended(self, mm_id: int) -> bool:
        """Whether no recipient of an MM is open."""
        states = await looking.states(self._source, mm_id)
        return all(state in FINAL for state in states.values())

    async def kinds(self, mm_id: int) -> set[str]:
        """What kinds of events an MM has."""
        return await looking.kinds(self._source, mm_id)

    async def _explained(self, recipients: Sequence[Recipient]) -> dict[tuple[int, str], Event]:
        """The last event of each telling kind about recipients of one MM, by recipient and kind."""
        first, last = recipients[0], recipients[-1]
        rows = await looking.explaining(self._source, first.mm_id, first.id, last.id)
        events = map(event_of, rows)
        return {(event.recipient_id, event.kind): event for event in events if event.recipient_id is not None}

    # --- the search ---

    async def _resolved(self, query: MessageQuery) -> search.Wanted:
        """What words and addresses mean in this store."""
        exact: set[Term] = set()
        ids: set[int] | None = None
        terms = list(query.terms)
        for term in query.terms:
            if term.field in (Field.FROM, Field.TO) and not term.text.endswith("*"):
                if await search.is_address(self._source, term.text, term.field):
                    exact.add(term)
            elif term.field is Field.WORD:
                found = () if term.negated else await self._named(term.text)
                if found:
                    ids = set(found) if ids is None else ids & set(found)
                    terms.remove(term)
                elif await search.is_address(self._source, term.text, term.field):
                    exact.add(term)
        return search.Wanted(tuple(terms), frozenset(exact), None if ids is None else tuple(sorted(ids, reverse=True)))

    async def _named(self, word: str) -> tuple[int, ...]:
        """The MMs that have this word for an identifier. A URL is one by its last segment."""
        bare = word.strip("<>")
        if bare.startswith(("http://", "https://")):
            bare = bare.partition("?")[0].rstrip("/").rpartition("/")[2]
        return await search.named(self._source, bare, numbers_in(bare), self._lanes())

    async def _walk(
        self, wanted: search.Wanted, query: MessageQuery, before: int | None, limit: int, begun: int
    ) -> Found:
        """Chunk by chunk, until the page is full, the ids are through, or the time is up."""
        low, below = await self._bounds(query, before)
        driver, size, looked_at = search.driver_of(wanted), _FIRST_CHUNK, 0
        verified = any(map(_is_verified, wanted.terms))
        mms: list[Mm] = []
        while below > low:
            chunk_begun = self._real_now()
            chunk = await search.chunk(self._source, driver, below, size)
            if chunk is None or below <= low:
                return Found(tuple(mms), None, looked_at=looked_at)
            lowest, count = max(chunk[0], low), chunk[1]
            most = _LARGEST_CHUNK if verified else limit - len(mms) + 1
            found = await search.found(self._source, wanted, driver, (lowest, below, size), most)
            looked_at += count
            mms += [mm for mm in found if self._holds(mm, wanted)]
            if len(mms) > limit:
                return Found(tuple(mms[:limit]), mms[limit - 1].id, looked_at=looked_at)
            if count < size:
                return Found(tuple(mms), None, looked_at=looked_at)
            below = lowest
            now = self._real_now()
            took = now - chunk_begun
            if now - begun + 2 * took >= self._patience * 4 // 5:  # the next chunk would take too long
                return Found(tuple(mms), below, stopped=True, looked_at=looked_at)
            if took < _QUICK:
                size = min(size * 2, _LARGEST_CHUNK)
        return Found(tuple(mms), None, looked_at=looked_at)

    async def _bounds(self, query: MessageQuery, before: int | None) -> tuple[int, int]:
        """(from, up to before) of the ids that can be wanted; times are looked at, too."""
        low, below = 0, FOR_EVER if before is None else Instant(before)
        if query.since is not None:
            first = await reports.first_from(self._source, Instant(query.since - CLOCKS_DIFFER))
            low = FOR_EVER if first is None else first
        if query.until is not None:
            first = await reports.first_from(self._source, Instant(query.until + CLOCKS_DIFFER))
            below = below if first is None else min(below, Instant(first))
        return low, below

    @staticmethod
    def _holds(mm: Mm, wanted: search.Wanted) -> bool:
        """Whether that holds which SQL does not say."""
        return all(_is_so(mm, term) for term in wanted.terms if term not in wanted.exact)


def numbers_in(word: str) -> tuple[int, ...]:
    """What a word can mean as an id of ours: decimal, or 13 letters, also before an `@`."""
    if word.isdecimal() and len(word) <= 19:
        return (int(word),) if int(word) < 1 << 63 else ()
    try:
        return (from_text(word.partition("@")[0]),)
    except ValueError:
        return ()


def _is_verified(term: Term) -> bool:
    return term.field in (Field.LARGER, Field.SMALLER, Field.WORD)


def _is_so(mm: Mm, term: Term) -> bool:
    match term.field:
        case Field.LARGER:
            return (mm.size > term.number) is not term.negated
        case Field.SMALLER:
            return (mm.size < term.number) is not term.negated
        case Field.WORD:
            return (term.text.casefold() in _texts(mm)) is not term.negated
        case _:
            return True


def _texts(mm: Mm) -> str:
    """Where text is looked for."""
    return "\n".join((mm.subject, mm.sender.value, mm.origin.neighbour, mm.message_id, *mm.details.values())).casefold()
