"""What a submission comes to: its MM, its recipients by route, a task for each (one for all recipients of a peer), and
the events that tell it. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mmsc.clock import Clock, Moment
from mmsc.domain import limits as limit_rules
from mmsc.domain.address import Address, NotAnAddress
from mmsc.domain.box_entry import BoxEntry
from mmsc.domain.conditions import WHY_FOREIGN, DeliveryCondition, requires
from mmsc.domain.instant import DAY
from mmsc.domain.limits import Limits, Times
from mmsc.domain.message import (
    Content,
    ContentId,
    Interface,
    Mm,
    MmId,
    Recipient,
    RecipientId,
    RecipientSpec,
    RefusedRecipient,
    Role,
    Route,
    Submission,
    TaskId,
    TaskKind,
)
from mmsc.domain.obstacles import nobody_left, obstacle_to
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import Cause, Happening, RecipientState
from mmsc.engine.capping import capped
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.door import DoorLimits
from mmsc.engine.ports import Numbers
from mmsc.engine.repeats import Identifiers
from mmsc.ids import Ids, to_text
from mmsc.store.tasks import TaskRow
from mmsc.trace import events as trace
from protocols.records import record

NOWHERE: Final = "nowhere"  # the lane of recipients that no neighbour can serve
_Unreachable = tuple[RecipientSpec, Address, str]
_CONDITION_FAILED: Final = {"because": WHY_FOREIGN, "happening": str(Happening.CONDITION_FAILED)}
_LONGEST_NAMED: Final = 128  # characters of an address that is none
_MM7: Final = Interface.MM7  # taken once: an enumeration searches for its member each time that it is named
_PEER: Final = Route.PEER
_BCC: Final = Role.BCC
EMPTY_CONTENT: Final = Content("application/vnd.wap.multipart.mixed", b"\x00", ())
_ROLE_ORDER: Final = {Role.TO: 0, Role.CC: 1, Role.BCC: 2}


@record(frozen=True, slots=True, kw_only=True)
class SubmitPolicy:
    """`domain` follows the @ of our Message-IDs; a repeat is recognised for `repeat_window` (µs)."""

    domain: str = "mms.example"
    limits: Limits = field(default_factory=Limits)
    repeat_window: int = DAY
    reply_charging: bool = True  # whether senders may offer to pay for replies
    lease: int = 60_000_000  # real time, µs
    door: DoorLimits = field(default_factory=DoorLimits)


@dataclass(slots=True)
class Plan:
    """A submission that will be taken: what is stored, and what is handed over afterwards."""

    mm: Mm
    content: Content
    recipients: tuple[Recipient, ...]
    tasks: list[TaskRow]
    refused: tuple[RefusedRecipient, ...]
    events: list[trace.Event]
    boxed: BoxEntry | None = None  # for the sender


def _as_written(text: str) -> Address:
    """What a report calls somebody whose address is none."""
    return Address.of("".join(one if one.isprintable() else "?" for one in text[:_LONGEST_NAMED]))


class Planner:
    """Makes plans, and remembers the identifiers of those it made."""

    def __init__(self, clock: Clock, ids: Ids, numbers: Numbers, chronicle: Chronicle, policy: SubmitPolicy) -> None:
        self._clock = clock
        self._ids = ids
        self._numbers = numbers
        self._chronicle = chronicle
        self._policy = policy
        self._identifiers = Identifiers(policy.repeat_window)

    def take_over(self, policy: SubmitPolicy) -> None:
        """From now on this one."""
        self._policy = policy
        self._identifiers.window = policy.repeat_window

    def forget(self) -> None:
        """No identifier was used before."""
        self._identifiers = Identifiers(self._policy.repeat_window)

    def plan(self, submission: Submission) -> Plan | Refused:
        """What a submission comes to; nothing is written."""
        now = self._clock.moment()
        times = limit_rules.check(submission, self._policy.limits, now.service)
        if isinstance(times, Refused):
            return times
        neighbour = submission.origin.key
        sender = self._numbers.normalise(submission.sender, neighbour)
        if isinstance(sender, NotAnAddress):
            because = f"sender {submission.sender}: {sender.because}"
            return Refused(RefusalReason.SENDER_UNRESOLVED, because, submission.sender)
        mm = self._mm(submission, sender.address, times, now)
        taken, refused, events, reasons, unreachable = self._route_all(submission, mm, neighbour, now)
        if not taken or (refused and not submission.partial_success):
            return nobody_left(refused, reasons)
        accepted = trace.MmAccepted(
            str(submission.origin.interface),
            submission.origin.neighbour,
            mm.message_id,
            sender.address.value,
            len(taken),
            mm.size,
            submission.subject,
            submission.details.get("mm7_transaction_id", ""),
            submission.forwards,
        )
        events.insert(0, self._chronicle.event(accepted, mm_id=mm.id, moment=now))
        reused = self._identifiers.remark(submission, now.service)
        if reused is not None:
            events.append(self._chronicle.event(reused, mm_id=mm.id, moment=now))
        for remark in submission.remarks:
            noted = trace.FindingNoted(neighbour, remark.rule, remark.clause, remark.offset, remark.text)
            events.append(self._chronicle.event(noted, mm_id=mm.id, moment=now))
        if times.asked is not None and submission.origin.interface is _MM7:
            events.append(self._chronicle.event(capped(neighbour, times), mm_id=mm.id, moment=now))
        tasks = self._tasks(mm, taken, now)
        if submission.refuses_late and unreachable:
            self._reject_late(mm, unreachable, taken, tasks, events, now)
        return Plan(mm, submission.content or EMPTY_CONTENT, tuple(taken), tasks, tuple(refused), events)

    def _mm(self, submission: Submission, sender: Address, times: Times, now: Moment) -> Mm:
        mm_id = MmId(self._ids.new_id(now.real))
        content = submission.content or EMPTY_CONTENT
        return Mm(  # positional: a keyword to a NamedTuple costs more than its value
            mm_id,
            submission.foreign_id or f"{to_text(mm_id)}@{self._policy.domain}",
            submission.origin,
            sender,
            submission.subject,
            submission.message_class,
            submission.priority,
            submission.delivery_report,
            submission.read_report,
            submission.sender_hidden,
            submission.adaptation_allowed,
            tuple(
                [(spec.role, spec.text) for spec in submission.recipients if spec.role is not _BCC and not spec.hidden]
            ),
            now.service,
            submission.date or now.service,
            times.deliver_at,
            times.expires_at,
            submission.foreign_id,
            submission.forward_counter,
            ContentId(mm_id),
            content.content_type,
            len(content.body),
            submission.details,
            submission.system_report,
        )

    def _route_all(
        self, submission: Submission, mm: Mm, neighbour: str, now: Moment
    ) -> tuple[list[Recipient], list[RefusedRecipient], list[trace.Event], list[RefusalReason], list[_Unreachable]]:
        taken: list[Recipient] = []
        refused: list[RefusedRecipient] = []
        events: list[trace.Event] = []
        reasons: list[RefusalReason] = []
        unreachable: list[_Unreachable] = []
        seen: set[Address] = set()
        for spec in sorted(submission.recipients, key=lambda spec: _ROLE_ORDER[spec.role]):
            if spec.display_only:
                continue
            if spec.obstacle:
                refused.append(RefusedRecipient(spec.text, spec.obstacle))
                reasons.append(RefusalReason.ADDRESS_MALFORMED)
                continue
            found = self._numbers.normalise(spec.text, neighbour)
            if isinstance(found, NotAnAddress):
                refused.append(RefusedRecipient(spec.text, found.because))
                reasons.append(RefusalReason.ADDRESS_MALFORMED)
                unreachable.append((spec, _as_written(spec.text), found.because))
                continue
            if found.address in seen:  # named twice: served once
                continue
            seen.add(found.address)
            route, target, why = self._numbers.route(found.address)
            delivers = route is not Route.VASP or self._numbers.delivers(target)
            obstacle = obstacle_to(submission.origin, route, target, why, delivers=delivers)
            if obstacle:
                refused.append(RefusedRecipient(spec.text, obstacle))
                reasons.append(RefusalReason.RECIPIENT_UNKNOWN)
                unreachable.append((spec, found.address, obstacle))
                continue
            if route is _PEER:
                unfit = self._unfit(mm, target)
                if unfit:
                    refused.append(RefusedRecipient(spec.text, unfit))
                    reasons.append(RefusalReason.CONTENT_REFUSED)
                    continue
                if requires(mm.details, DeliveryCondition.HOME_NETWORK):
                    route, target, why = Route.NONE, "", WHY_FOREIGN
            recipient = self._recipient(mm, spec, found.address, route, target, now)
            taken.append(recipient)
            chosen = trace.RouteChosen(found.address.value, str(route), target, why)
            events.append(self._chronicle.event(chosen, mm_id=mm.id, recipient_id=recipient.id, moment=now))
        return taken, refused, events, reasons, unreachable

    def _unfit(self, mm: Mm, peer: str) -> str:
        """Why an MM that may not be adapted cannot go to a peer, "" when it can (TS 23.140 8.7.1, allowAdaptations)."""
        if mm.adaptation_allowed or mm.origin.interface is not _MM7:
            return ""
        largest = self._numbers.largest_for(peer)
        if not largest or mm.size <= largest:
            return ""
        return f"{mm.size} octets, its MMSC takes {largest}, and the content may not be adapted"

    def _reject_late(
        self,
        mm: Mm,
        unreachable: Sequence[_Unreachable],
        taken: list[Recipient],
        tasks: list[TaskRow],
        events: list[trace.Event],
        now: Moment,
    ) -> None:
        """Where the answer is one for all, who cannot be served beside others gets a Rejected report (semantics 9)."""
        for spec, address, obstacle in unreachable:
            recipient = self._recipient(mm, spec, address, Route.NONE, "", now)
            taken.append(recipient)
            tasks.append(self._task(mm, recipient.id, TaskKind.NOTIFY, NOWHERE, {"because": obstacle}, now))
            chosen = trace.RouteChosen(address.value, str(Route.NONE), "", obstacle)
            events.append(self._chronicle.event(chosen, mm_id=mm.id, recipient_id=recipient.id, moment=now))

    def _recipient(
        self, mm: Mm, spec: RecipientSpec, address: Address, route: Route, target: str, now: Moment
    ) -> Recipient:
        ours = route is Route.SUBSCRIBER
        return Recipient(
            RecipientId(self._ids.new_id(now.real)),
            mm.id,
            address,
            spec.role,
            route,
            target,
            RecipientState.SCHEDULED if mm.deliver_at is not None else RecipientState.ACCEPTED,
            now.service,
            Cause.NONE,
            self._ids.transaction_id(now.real) if ours else "",
            self._ids.token(real=now.real) if ours else "",
            self._ids.token(real=now.real) if ours else "",
        )

    def _tasks(self, mm: Mm, recipients: Sequence[Recipient], now: Moment) -> list[TaskRow]:
        tasks: list[TaskRow] = []
        together: dict[str, TaskKind] = {}  # a task for all recipients at one neighbour
        for recipient in recipients:
            if recipient.route is Route.SUBSCRIBER:
                tasks.append(self._task(mm, recipient.id, TaskKind.NOTIFY, f"smsc:{recipient.target}", {}, now))
            elif recipient.route is Route.NONE:
                tasks.append(self._task(mm, recipient.id, TaskKind.NOTIFY, NOWHERE, _CONDITION_FAILED, now))
            elif recipient.route is Route.PEER:
                together[f"peer:{recipient.target}"] = TaskKind.FORWARD
            else:
                together[f"vasp:{recipient.target}"] = TaskKind.DELIVER_MM7
        for lane, kind in together.items():
            payload = {"transaction_id": self._ids.transaction_id(now.real)}
            if kind is TaskKind.DELIVER_MM7:
                payload["linked_id"] = f"{to_text(mm.id)}@{self._policy.domain}"  # not a peer's Message-ID
            tasks.append(self._task(mm, None, kind, lane, payload, now))
        return tasks

    def _task(
        self, mm: Mm, recipient_id: RecipientId | None, kind: TaskKind, lane: str, payload: dict[str, str], now: Moment
    ) -> TaskRow:
        task_id = TaskId(self._ids.new_id(now.real))
        due_at = mm.deliver_at or mm.submitted_at
        return TaskRow(task_id, mm.id, recipient_id, kind, lane, due_at, int(mm.priority), payload, 0, mm.origin.owner)
