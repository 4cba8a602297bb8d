"""What a VASP changes about an MM that handsets have already (extended cancel and replace, TS 23.140 8.7.3): they are
pushed an m-cancel-req, and the MM that replaces one names it in X-Mms-Replace-ID (OMA-TS-MMS_ENC 1.3)."""

from collections.abc import Sequence

from mmsc.domain.changes import Asked, Replacement, too_old
from mmsc.domain.coded import names_of
from mmsc.domain.instant import Instant
from mmsc.domain.message import Job, Mm, Recipient, RecipientSpec, Route, Submission, TaskId, TaskKind
from mmsc.domain.states import RecipientState
from mmsc.engine.delivery import Desk
from mmsc.engine.directory import Neighbours
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Retry
from mmsc.ids import Ids, to_text
from mmsc.store.tasks import TaskRow
from mmsc.trace import events as trace

REPLACE_ID = "replace_id"  # in an MM's details: the Message-ID of the MM that it replaces
CANCEL_PREFIX = "C"  # of the X-Mms-Transaction-ID of an m-cancel-req; the recipient's id follows


def has_it(recipient: Recipient) -> bool:
    """Whether the MM is on a handset of ours."""
    return recipient.state is RecipientState.RETRIEVED and recipient.route is Route.SUBSCRIBER


class Withdrawals:
    """Makes the tasks that ask handsets to forget an MM."""

    def __init__(self, desk: Desk, neighbours: Neighbours, ids: Ids) -> None:
        self._desk = desk
        self._neighbours = neighbours
        self._ids = ids

    def why_not(self, recipient: Recipient) -> str:
        """Why a handset that has the MM cannot be asked, "" when it can."""
        return too_old(self._neighbours.subscriber(recipient.address).mms_version)

    def tasks(self, mm: Mm, recipients: Sequence[Recipient]) -> list[TaskRow]:
        """One for each handset that is to be asked."""
        now, real = self._desk.clock.moment()
        return [
            TaskRow(
                TaskId(self._ids.new_id(real)),
                mm.id,
                one.id,
                TaskKind.CANCEL_MM1,
                f"smsc:{one.target}",
                now,
                int(mm.priority),
                {"transaction_id": f"{CANCEL_PREFIX}{to_text(one.id)}", "born": str(now)},
                0,
                mm.origin.owner,
            )
            for one in recipients
        ]


def submission_of(mm: Mm, recipients: Sequence[Recipient], asked: Asked, change: Replacement) -> Submission:
    """The MM that takes the place of one that these recipients have: theirs are its sender, subject and class."""
    details = {**mm.details, **change.details, REPLACE_ID: mm.message_id}
    coded = names_of(details)  # shown to nobody
    return Submission(
        origin=mm.origin,
        sender=mm.sender.value,
        recipients=tuple(
            RecipientSpec(one.address.value, one.role, hidden=one.address.value in coded) for one in recipients
        ),
        content=change.content,
        repeat_key=bytes.fromhex(asked.key) if asked.key else None,
        identifier=f"TransactionID {asked.identifier}",
        subject=mm.subject,
        message_class=mm.message_class,
        priority=mm.priority,
        delivery_report=mm.delivery_report if change.delivery_report is None else change.delivery_report,
        read_report=mm.read_report if change.read_report is None else change.read_report,
        adaptation_allowed=change.adaptation_allowed is not False,
        date=change.date,
        deliver_at=change.deliver_at,
        expires=change.expires,
        details=details,
        remarks=asked.remarks,
    )


class CancelWork:
    """CANCEL_MM1 tasks: pushed until the SMSC takes it, or a report's lifetime is over. The handset answers with an
    m-cancel-conf, or never."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self, job: Job) -> None:
        """One attempt."""
        desk = self._desk
        outcome = await desk.call(job)
        match outcome:
            case Delivered():
                pushed = trace.CancelPushed(job.lane.removeprefix("smsc:"), job.attempt + 1, outcome.remote_ids)
                if not await desk.finish(job, [pushed]):
                    await desk.overtaken(job, "pushed")
                return
            case Later() | Retry():
                policy = desk.policy.report_retry
                born = Instant(int(job.payload["born"]))
                why = await desk.again(job, outcome, policy, born, Instant(born + policy.lifetime))
            case Failed():
                why = outcome.because
            case Mixed():
                why = "an m-cancel-req has one recipient"
        if why:
            await desk.finish(job, [trace.TaskGivenUp(str(job.kind), job.lane, job.attempt + 1, why)])
