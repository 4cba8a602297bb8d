"""The events: what happened, in the order in which it became durable. This is their only definition, with
`box_events.py`, `fault_events.py`, `handset_events.py`, `lane_events.py`, `operator_events.py` and `vasp_events.py`,
whose kinds are named here, too.

An event is written in the unit that caused it, so history is exactly as durable as state. Kinds are added, never
changed; a reader that meets an unknown one shows it raw. `data` is the JSON of the kind's Struct.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

import msgspec

from mmsc.trace.box_events import BOX_BY_OWNER as BOX_BY_OWNER
from mmsc.trace.box_events import BOX_TOO_OLD as BOX_TOO_OLD
from mmsc.trace.box_events import BOX_WITHDRAWN as BOX_WITHDRAWN
from mmsc.trace.box_events import BoxChanged as BoxChanged
from mmsc.trace.box_events import BoxDeleted as BoxDeleted
from mmsc.trace.box_events import BoxKept as BoxKept
from mmsc.trace.box_events import BoxRefused as BoxRefused
from mmsc.trace.data import Data as Data
from mmsc.trace.fault_events import ClockChanged as ClockChanged
from mmsc.trace.fault_events import FaultCleared as FaultCleared
from mmsc.trace.fault_events import FaultHit as FaultHit
from mmsc.trace.fault_events import FaultSet as FaultSet
from mmsc.trace.handset_events import MmForwarded as MmForwarded
from mmsc.trace.handset_events import ReplyCharged as ReplyCharged
from mmsc.trace.lane_events import LaneActed as LaneActed
from mmsc.trace.operator_events import OperatorActed as OperatorActed
from mmsc.trace.vasp_events import CancelConfirmed as CancelConfirmed
from mmsc.trace.vasp_events import CancelPushed as CancelPushed
from mmsc.trace.vasp_events import ChangeAnswered as ChangeAnswered
from mmsc.trace.vasp_events import DeliverAnswered as DeliverAnswered
from mmsc.trace.vasp_events import MmLinked as MmLinked
from mmsc.trace.vasp_events import ReadReported as ReadReported
from protocols.records import record


class MmAccepted(Data, frozen=True, omit_defaults=True):
    """An MM was stored and its submission may be answered positively."""

    kind: ClassVar[str] = "mm.accepted"
    interface: str
    neighbour: str
    message_id: str
    sender: str
    recipients: int
    size_octets: int
    subject: str = ""
    transaction_id: str = ""
    forwards: str = ""  # the id of the recipient who forwarded an MM: this is what was made of it


class SubmissionRepeated(Data, frozen=True, omit_defaults=True):
    """The same request came again and got the stored answer."""

    kind: ClassVar[str] = "submission.repeated"
    interface: str
    neighbour: str
    message_id: str


class SubmissionRefused(Data, frozen=True, omit_defaults=True):
    """A submission was refused; nothing of it was kept. `times` counts those before it that have no event."""

    kind: ClassVar[str] = "submission.refused"
    interface: str
    neighbour: str
    reason: str
    because: str
    address: str = ""
    times: int = 1
    run: str = ""  # the tag that the request had


class RouteChosen(Data, frozen=True, omit_defaults=True):
    """How a recipient will be reached, and why."""

    kind: ClassVar[str] = "route.chosen"
    address: str
    route: str
    target: str
    why: str


class CapabilityDecided(Data, frozen=True, omit_defaults=True):
    """Whether the recipient's handset can take an MM, and the evidence, strongest first."""

    kind: ClassVar[str] = "capability.decided"
    address: str
    verdict: str
    evidence: tuple[str, ...]


class NotificationPushed(Data, frozen=True, omit_defaults=True):
    """The SMSC took all segments of an m-notification-ind."""

    kind: ClassVar[str] = "notification.pushed"
    smsc: str
    push: int
    remote_ids: tuple[str, ...]
    verdict: str = ""
    evidence: tuple[str, ...] = ()


class MmFetched(Data, frozen=True, omit_defaults=True):
    """All octets of an m-retrieve-conf were written to the handset's connection."""

    kind: ClassVar[str] = "mm.fetched"
    user_agent: str = ""


class RecipientMoved(Data, frozen=True, omit_defaults=True):
    """A recipient changed its state."""

    kind: ClassVar[str] = "recipient.moved"
    before: str
    after: str
    happening: str
    because: str = ""
    report: str = ""  # the lane of the report this owes, "" for none
    no_report: str = ""  # why none is owed
    answer: str = ""  # the handset's PDU that moved it: notifyresp, acknowledge
    report_denied: bool = False  # X-Mms-Report-Allowed: No
    dated: int = 0  # when a peer's report says that it happened (µs)
    ack_asked: bool = False  # that report asked for its RES


class AnswerIgnored(Data, frozen=True, omit_defaults=True):
    """An answer or report came that changes nothing: late, repeated or out of turn."""

    kind: ClassVar[str] = "answer.ignored"
    happening: str
    state: str
    source: str = ""


class ForwardSent(Data, frozen=True, omit_defaults=True):
    """A peer took a MM4_forward.REQ."""

    kind: ClassVar[str] = "forward.sent"
    peer: str
    attempt: int
    recipients: tuple[str, ...]
    answer_expected: bool = False
    note: str = ""
    resent: bool = False  # the same again, because the peer owes its RES


class ForwardAnswered(Data, frozen=True, omit_defaults=True):
    """A MM4_forward.RES came, or a bounce, which has no status."""

    kind: ClassVar[str] = "forward.answered"
    peer: str
    ok: bool
    because: str = ""
    status: str = ""  # X-Mms-Request-Status-Code


class ApplicationAnswered(Data, frozen=True, omit_defaults=True):
    """An application on EAIF said what became of a message that it took with 202 (X-NOKIA-MMSC-Status)."""

    kind: ClassVar[str] = "application.answered"
    vasp: str
    status: int


class LinkSent(Data, frozen=True, omit_defaults=True):
    """The SMSC took the SMS with the web link."""

    kind: ClassVar[str] = "link.sent"
    smsc: str
    remote_ids: tuple[str, ...]
    verdict: str = ""
    evidence: tuple[str, ...] = ()


class SmsReceipt(Data, frozen=True, omit_defaults=True):
    """The SMSC said what became of an SMS of ours. It tells about the SMS, never about the MM."""

    kind: ClassVar[str] = "sms.receipt"
    smsc: str
    message_id: str
    purpose: str
    state: str
    text: str = ""


class ReportDelivered(Data, frozen=True, omit_defaults=True):
    """The originator (or its MMSC or SMSC) took a report; without `state`: another MMSC took the RES to its request."""

    kind: ClassVar[str] = "report.delivered"
    lane: str
    state: str
    attempt: int
    note: str = ""
    nothing_sent: bool = False  # its interface has no word for the state


class AttemptFailed(Data, frozen=True, omit_defaults=True):
    """An attempt at a task failed; the next one is planned."""

    kind: ClassVar[str] = "attempt.failed"
    task: str
    lane: str
    attempt: int
    because: str
    next_at: int


class AttemptPostponed(Data, frozen=True, omit_defaults=True):
    """A neighbour asked to wait; this is no failed attempt."""

    kind: ClassVar[str] = "attempt.postponed"
    task: str
    lane: str
    because: str
    next_at: int


class TaskGivenUp(Data, frozen=True, omit_defaults=True):
    """A task ended without success."""

    kind: ClassVar[str] = "task.given_up"
    task: str
    lane: str
    attempt: int
    because: str
    refused: bool = False  # a report: `because` is its VASP's final answer


class TaskOvertaken(Data, frozen=True, omit_defaults=True):
    """The outcome of an attempt came after its task had ended otherwise (a fast handset answers before the SMSC)."""

    kind: ClassVar[str] = "task.overtaken"
    task: str
    lane: str
    outcome: str


class FindingNoted(Data, frozen=True, omit_defaults=True):
    """A neighbour broke a rule and was forgiven."""

    kind: ClassVar[str] = "finding.noted"
    source: str
    rule: str
    clause: str
    offset: int
    remark: str


class LanePaused(Data, frozen=True, omit_defaults=True):
    """A neighbour is down: its lane waits."""

    kind: ClassVar[str] = "lane.paused"
    lane: str
    because: str
    seconds: float


class LaneResumed(Data, frozen=True, omit_defaults=True):
    """A neighbour is back: what waited is due at once."""

    kind: ClassVar[str] = "lane.resumed"
    lane: str


class NodeTakenOver(Data, frozen=True, omit_defaults=True):
    """A node gave no sign of life: the tasks that it held are free for the others."""

    kind: ClassVar[str] = "node.taken_over"
    node: str
    by: str
    tasks: int


class SubscriberLearned(Data, frozen=True, omit_defaults=True):
    """An MM1 request showed something new about a handset."""

    kind: ClassVar[str] = "subscriber.learned"
    address: str
    user_agent: str = ""
    profile_url: str = ""
    mms_version: int = 0


class ReportAnswered(Data, frozen=True, omit_defaults=True):
    """A MM4_delivery_report.RES came."""

    kind: ClassVar[str] = "report.answered"
    peer: str
    message_id: str
    status: str
    text: str = ""


class MmRead(Data, frozen=True, omit_defaults=True):
    """A handset said that its user read an MM, or deleted it unread. `report` is the lane that tells the originator,
    `no_report` why nothing does."""

    kind: ClassVar[str] = "mm.read"
    read: bool
    report: str = ""
    no_report: str = ""
    read_at: int = 0  # when that was, as the handset dates it (µs)


class MmDeleted(Data, frozen=True, omit_defaults=True):
    """Retention removed an MM. It carries what a charging record needs: the rows are gone."""

    kind: ClassVar[str] = "mm.deleted"
    message_id: str
    interface: str
    originator_system: str  # domain of the MMSC that it came from; "" when it was submitted here
    size_octets: int
    state: str = ""  # of its recipients, where they agree


class StoreTidied(Data, frozen=True, omit_defaults=True):
    """What one round of housekeeping did: bodies removed and their octets, whole MMs, rows of all tables, octets given
    back to the file system, and objects removed from object storage."""

    kind: ClassVar[str] = "store.tidied"
    bodies: int = 0
    octets: int = 0
    messages: int = 0
    rows: int = 0
    given_back: int = 0
    objects: int = 0

    def plus(self, other: "StoreTidied") -> "StoreTidied":
        """Both together."""
        mine, others = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return StoreTidied(*map(sum, zip(mine, others, strict=True)))


class StoreNearlyFull(Data, frozen=True, omit_defaults=True):
    """The disk under the store has less room than the settings want (octets)."""

    kind: ClassVar[str] = "store.nearly_full"
    disk_free: int
    used: int


KINDS: Final[Mapping[str, type[Data]]] = MappingProxyType({cls.kind: cls for cls in Data.__subclasses__()})

_encode: Final = msgspec.json.Encoder().encode


@record(frozen=True, slots=True)
class Event:
    """One event. Times are integer microseconds UTC: `at_service` by the clock the lab may step, `at_real` by the
    host's."""

    id: int
    mm_id: int | None
    recipient_id: int | None
    task_id: int | None
    at_service: int
    at_real: int
    data: Data

    @property
    def kind(self) -> str:
        """The event's kind."""
        return self.data.kind

    def row(self) -> tuple[int, int | None, int | None, int | None, int, int, str, str]:
        """The columns of the event table."""
        data = self.data
        text = _encode(data).decode()
        return (self.id, self.mm_id, self.recipient_id, self.task_id, self.at_service, self.at_real, data.kind, text)


def read_data(kind: str, text: str) -> Data | dict[str, object]:
    """The Struct of a stored event, or its raw JSON object when this version does not know the kind."""
    cls = KINDS.get(kind)
    if cls is None:
        raw: dict[str, object] = msgspec.json.decode(text)
        return raw
    return msgspec.json.decode(text, type=cls)
