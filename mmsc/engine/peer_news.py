"""What foreign MMSCs say about MMs that we forwarded to them: RES, bounces and delivery reports (MM4)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Final

from mmsc.domain.address import Normalised, told
from mmsc.domain.instant import Instant
from mmsc.domain.message import Job, Mm, MmId, Recipient, RecipientId, at_peer
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine.answers import res_task
from mmsc.engine.delivery import Desk
from mmsc.engine.directory import Neighbours
from mmsc.engine.ports import Numbers, ResMm4
from mmsc.engine.transitions import Circumstances
from mmsc.ids import Ids, from_text
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Statement
from mmsc.trace import events as trace
from protocols.records import record

_EARLY_ANSWERS: Final = 100  # kept while a mail is on its way; more of them say nothing new
WAITING: Final = (RecipientState.ACCEPTED, RecipientState.SCHEDULED)


@record(frozen=True, slots=True)
class Answer:
    """What a MM4_forward.RES, or a bounce, said of an MM at a peer; `recipients` empty means all who got the mail."""

    mm_id: MmId
    peer: str
    ok: bool
    because: str
    recipients: tuple[str, ...]
    status: str = ""


@record(frozen=True, slots=True)
class Early:
    """What a peer said while the mail was still on its way: RES, and recipients that it reported about."""

    answers: list[Answer] = field(default_factory=list)
    reported: set[RecipientId] = field(default_factory=set)


class PeerNews:
    """Implements `ports.PeerReports`."""

    def __init__(self, desk: Desk, neighbours: Neighbours, numbers: Numbers, ids: Ids) -> None:
        self._desk = desk
        self._neighbours = neighbours
        self._numbers = numbers
        self._ids = ids
        self._early: dict[tuple[MmId, str], Early] = {}

    @contextmanager
    def kept(self, job: Job) -> Iterator[Early]:
        """What comes while the mail is still on its way is kept until it is known who got it: a peer may be faster
        with its RES than with the 250."""
        key = (job.stored_mm.id, job.lane)
        early = self._early[key] = Early()
        try:
            yield early
        finally:
            self._early.pop(key, None)

    def reported(self, job: Job) -> set[RecipientId]:
        """Recipients that the peer reported about while the mail was on its way."""
        early = self._early.get((job.stored_mm.id, job.lane))
        return set() if early is None else early.reported

    async def forward_answered(
        self,
        peer: str,
        message_id: str,
        *,
        ok: bool,
        because: str,
        recipients: Sequence[str] = (),
        transaction_id: str = "",
        status: str = "",
    ) -> bool:
        """A MM4_forward.RES with its `status`, or a bounce; `recipients` empty means all that its forward asked for.
        `transaction_id` tells apart forwards with the same Message-ID. False: no such message went to this peer."""
        about = await self._answered(peer, message_id, transaction_id)
        heeded = [await self._note(Answer(mm_id, peer, ok, because, tuple(recipients), status)) for mm_id in about]
        return any(heeded)

    async def _answered(self, peer: str, message_id: str, transaction_id: str) -> list[MmId]:
        """The MMs that a RES is about."""
        own = await self._own(peer, message_id)
        if own is not None:
            return [own.id]
        found = await task_sql.forwards_of(self._desk.store, message_id, f"peer:{peer}")
        exactly = [mm_id for mm_id, known in found if known == transaction_id]
        return exactly or [mm_id for mm_id, _ in found]

    async def _note(self, answer: Answer) -> bool:
        event = self._desk.chronicle.event(
            trace.ForwardAnswered(answer.peer, answer.ok, answer.because, answer.status), mm_id=answer.mm_id
        )
        await self._desk.store.commit(self._desk.chronicle.unit(None, (), (event,)))
        early = self._early.get((answer.mm_id, f"peer:{answer.peer}"))
        if early is None:
            return await self.heed(answer)
        if len(early.answers) < _EARLY_ANSWERS:
            early.answers.append(answer)
        return True

    async def heed(self, answer: Answer) -> bool:
        """Do what follows from an answer. It is about recipients that got the mail (RFC 5321 4.2.1), all of them or
        those it names: never about who was put off by 450 or 452, and still waits for its turn."""
        found = await sql.with_recipients(self._desk.store, answer.mm_id)
        if found is None:
            return False
        mm, ours = found[0], at_peer(answer.peer, found[1])
        if answer.ok:
            if not any(one.state in WAITING for one in ours):
                await self._rest(mm, answer.peer)
            return True
        named = self._named(answer.peer, answer.recipients)
        about = [one for one in ours if not answer.recipients or self._is_named(one, answer.peer, named)]
        got_it = [one for one in about if one.state is RecipientState.RELAYED]
        for one in got_it:
            how = Circumstances(because=answer.because, text=answer.because, source=f"peer:{answer.peer}")
            await self._desk.transitions.apply(mm, one, Happening.REFUSED_BY_PEER, how)
        return bool(got_it)

    async def _rest(self, mm: Mm, peer: str) -> None:
        """The forward only waits for reports."""
        planned = self._desk.planned
        due_at = Instant(mm.expires_at + self._desk.policy.report_grace)
        effect = task_sql.watch_forward(mm.id, f"peer:{peer}", due_at)
        await self._desk.store.commit(self._desk.chronicle.unit(None, (effect,), (), lambda: planned(due_at)))

    async def delivery_report(
        self,
        peer: str,
        message_id: str,
        recipient: str,
        happening: Happening,
        *,
        date: Instant,
        to_originator: bool,
        text: str = "",
        res: Callable[[bool], ResMm4] | None = None,
    ) -> bool:
        """A MM4_delivery_report.REQ, matched by message id and normalised recipient."""
        found = await self._forwarded(peer, message_id, recipient)
        about = [] if found is None else found[1]
        answer = None if res is None else res(bool(about))
        planned, now = self._desk.planned, self._desk.clock.now()
        effects: tuple[Statement, ...] = ()
        if answer is not None:
            task = res_task(self._ids, now, answer, None if found is None else found[0].id)
            effects = (task_sql.insert(task),)
            self._desk.lanes.get(task.lane)  # perhaps nothing went to this peer since the start
        if found is None:
            await self._desk.store.commit(self._desk.chronicle.unit(None, effects, (), lambda: planned(now)))
            return False
        early = self._early.get((found[0].id, f"peer:{peer}"))
        if early is not None:
            early.reported.add(about[0].id)
        how = Circumstances(
            because=text,
            text=text,
            at=date,
            report_allowed=to_originator,
            source=f"peer:{peer}",
            ack_asked=answer is not None,
            effects=effects,
            then=lambda: planned(now),
        )
        await self._desk.transitions.apply(found[0], about[0], happening, how)
        return True

    async def report_answered(self, peer: str, message_id: str, *, status: str, text: str) -> bool:
        """A MM4_delivery_report.RES; it is only recorded. False: no message of this peer has this id."""
        mm_id = await sql.came_with(self._desk.store, message_id, peer)
        if mm_id is None:
            return False
        note = trace.ReportAnswered(peer, message_id, status, text)
        await self._desk.store.commit(self._desk.chronicle.note(note, mm_id=mm_id))
        return True

    def _named(self, peer: str, texts: Sequence[str]) -> set[str]:
        found = (self._numbers.normalise(text, f"peer:{peer}") for text in texts)
        return {one.address.value for one in found if isinstance(one, Normalised)}

    def _is_named(self, one: Recipient, peer: str, named: set[str]) -> bool:
        """By its address, or as the peer was told it: who is told numbers in a spelling of its own may use that."""
        known = self._neighbours.peers.get(peer)
        spelling = told(one.address, known.rewrites_out if known is not None else ()).value
        return one.address.value in named or not named.isdisjoint(self._named(peer, (spelling,)))

    async def _own(self, peer: str, message_id: str) -> Mm | None:
        """The MM that we gave this X-Mms-Message-ID, if the peer has recipients of it."""
        try:
            mm_id = MmId(from_text(message_id.partition("@")[0]))
        except ValueError:
            return None
        found = await sql.with_recipients(self._desk.store, mm_id)
        if found is None or found[0].message_id != message_id or not at_peer(peer, found[1]):
            return None
        return found[0]

    async def _forwarded(self, peer: str, message_id: str, recipient: str) -> tuple[Mm, list[Recipient]] | None:
        """The MM with this X-Mms-Message-ID and the recipient at this peer; None when there is none."""
        named = self._named(peer, (recipient,))
        own = await self._own(peer, message_id)
        mm_id = None if own is None else own.id
        for address in named:
            mm_id = mm_id or await sql.forwarded_with(self._desk.store, message_id, peer, address)
        found = None if mm_id is None else await sql.with_recipients(self._desk.store, mm_id)
        if found is None:
            return None
        about = [one for one in at_peer(peer, found[1]) if self._is_named(one, peer, named)]
        return (found[0], about) if about else None
