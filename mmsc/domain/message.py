"""The multimedia message in domain words: what an originator hands in, and what the engine keeps and hands out."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple, NewType

from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.domain.mmbox import Keeping
from mmsc.domain.states import Cause, RecipientState
from protocols.records import record

MmId = NewType("MmId", int)
RecipientId = NewType("RecipientId", int)
TaskId = NewType("TaskId", int)
ContentId = NewType("ContentId", int)


class Interface(StrEnum):
    """Where an MM came in."""

    MM1 = "mm1"
    MM3 = "mm3"
    MM4 = "mm4"
    MM7 = "mm7"
    REST = "rest"


class Role(StrEnum):
    """How a recipient was addressed. Bcc is served and never shown."""

    TO = "to"
    CC = "cc"
    BCC = "bcc"


class Priority(IntEnum):
    """X-Mms-Priority, ordered so that a higher number is served first."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


_NAMED_KINDS: Final = {Interface.MM7: "vasp", Interface.MM4: "peer"}


@record(frozen=True, slots=True)
class Origin:
    """The interface and the neighbour's configured name (VASP, peer); on MM1 the subscriber's address."""

    interface: Interface
    neighbour: str

    @property
    def key(self) -> str:
        """Whose spelling of numbers holds: `vasp:NAME`, `peer:NAME`, "" for a subscriber."""
        kind = _NAMED_KINDS.get(self.interface)
        return f"{kind}:{self.neighbour}" if kind is not None else ""

    @property
    def owner(self) -> str:
        """Among whom turns are shared: each VASP, each peer, and all subscribers together."""
        return self.key or str(self.interface)


@record(frozen=True, slots=True)
class Part:
    """One part of the content: what it is called and where its octets lie in the body."""

    content_type: str  # MIME text with parameters
    content_id: str  # without angle brackets
    content_location: str
    offset: int
    length: int


@record(frozen=True, slots=True)
class Content:
    """The content, encoded once: `body` is a WSP multipart (WAP-230-WSP 8.5), `content_type` its type as MIME text
    (`application/vnd.wap.multipart.related; type=...; start=...`)."""

    content_type: str
    body: bytes
    parts: tuple[Part, ...]

    def octets_of(self, part: Part) -> bytes:
        """The part's own octets, untouched."""
        return self.body[part.offset : part.offset + part.length]


@record(frozen=True, slots=True)
class RecipientSpec:
    """A recipient as the originator wrote it. A display-only one is shown and not served (TS 23.140 8.7), a hidden one
    served and not shown. `obstacle` is what its gateway knows against serving him, in words for the originator."""

    text: str
    role: Role = Role.TO
    display_only: bool = False
    hidden: bool = False
    obstacle: str = ""


@record(frozen=True, slots=True)
class Relative:
    """A time given as seconds from reception."""

    seconds: float


When = Instant | Relative


@record(frozen=True, slots=True)
class Remark:
    """A rule that the originator broke and we forgave: its permanent name, clause, offset (-1: none) and words."""

    rule: str
    clause: str
    offset: int
    text: str


@record(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a gateway hands to the engine.

    `repeat_key` names the request: a digest of neighbour, operation, identifier and content; the same key again within
    the repeat window gets the first answer, or serves who is new in it where `repeats_by_recipient`. `identifier` is
    the sender's own name of the request, which a counter that restarts gives to another one. `system_report`: the
    originator's MMSC wants the delivery report for itself, whatever its user wants (TS 23.140 8.4.4). `details` are
    interface facts that only the gateway reads back (namespace, version ...): strings, stored with the MM.
    """

    origin: Origin
    sender: str
    recipients: tuple[RecipientSpec, ...]
    content: Content | None
    repeat_key: bytes | None = None
    repeats_by_recipient: bool = False
    identifier: str = ""
    subject: str = ""
    message_class: str = ""
    priority: Priority = Priority.NORMAL
    delivery_report: bool = False
    system_report: bool = False
    read_report: bool = False
    sender_hidden: bool = False
    adaptation_allowed: bool = True
    date: Instant | None = None
    deliver_at: When | None = None
    expires: When | None = None
    foreign_id: str | None = None
    forward_counter: int = 0
    details: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    reply_charging_id: str = ""  # the MM whose sender is to pay for this reply to it (TS 23.140 7.1.7)
    forwards: str = ""  # the recipient (his id as text) who made it by forwarding an MM (TS 23.140 8.1.6)
    linked_id: str = ""  # the delivered MM that this one answers (TS 23.140 8.7.1)
    unknown_linked_id_accepted: bool = False  # an unknown one is a remark, not a refusal
    partial_success: bool = True  # some recipients may be refused while the others are served
    keep: Keeping | None = None  # in the sender's MMBox, too (OMA-TS-MMS_ENC 7.3.56)
    refuses_late: bool = False  # the answer is one for all: who cannot be served beside others gets a report


@record(frozen=True, slots=True)
class RefusedRecipient:
    """A recipient that could not be taken while others were."""

    text: str
    because: str


class Mm(NamedTuple):
    """A stored multimedia message without its body. It does not change after it was accepted."""

    id: MmId
    message_id: str  # as told to the originator
    origin: Origin
    sender: Address
    subject: str
    message_class: str
    priority: Priority
    delivery_report: bool
    read_report: bool
    sender_hidden: bool
    adaptation_allowed: bool
    shown_to: tuple[tuple[Role, str], ...]  # To and Cc as written; Bcc never
    submitted_at: Instant  # when it reached us
    date: Instant  # as the originator dated it, else the same
    deliver_at: Instant | None
    expires_at: Instant
    foreign_id: str | None
    forward_counter: int
    content_id: ContentId
    content_type: str
    size: int
    details: Mapping[str, str]
    system_report: bool = False  # the originator's MMSC wants the report for itself


class Route(StrEnum):
    """How a recipient is reached."""

    SUBSCRIBER = "subscriber"  # notification over an SMSC; `target` is the SMSC's name
    PEER = "peer"  # MM4; `target` is the peer's name
    VASP = "vasp"  # MM7 DeliverReq; `target` is the VASP's name
    NONE = "none"


class Recipient(NamedTuple):
    """One recipient of one MM, as it stood when it was read."""

    id: RecipientId
    mm_id: MmId
    address: Address
    role: Role
    route: Route
    target: str
    state: RecipientState
    state_at: Instant
    cause: Cause = Cause.NONE
    transaction_id: str = ""  # of the notification (mm1_transaction_id)
    token: str = ""  # of the Content-Location
    link_token: str = ""  # of the web link
    fetched_at: Instant | None = None
    pushes: int = 0


def at_peer(peer: str, recipients: Sequence[Recipient]) -> tuple[Recipient, ...]:
    """The recipients that were, or will be, forwarded to a peer. An SMSC may have the same name."""
    return tuple(one for one in recipients if one.route is Route.PEER and one.target == peer)


def on_lane(lane: str, recipients: Sequence[Recipient]) -> tuple[Recipient, ...]:
    """The recipients that a task for all of them at one neighbour (`peer:NAME`, `vasp:NAME`) serves."""
    kind, _, name = lane.partition(":")
    if kind == "peer":
        return at_peer(name, recipients)
    return tuple(one for one in recipients if one.route is Route.VASP and one.target == name)


class TaskKind(StrEnum):
    """What we still have to do."""

    NOTIFY = "notify"  # bring a subscriber the MM: notification, again, fallback, expiry
    LINK = "link"  # the SMS with the web link, and the wait for its view
    FORWARD = "forward"  # MM4_forward.REQ, and the wait for its RES
    WATCH = "watch"  # relayed recipients: indeterminate at expiry and grace
    DELIVER_MM7 = "deliver_mm7"  # DeliverReq
    REPORT_MM7 = "report_mm7"  # DeliveryReportReq
    READ_MM7 = "read_mm7"  # ReadReplyReq
    READ_MM1 = "read_mm1"  # m-read-orig-ind
    REPORT_MM1 = "report_mm1"  # m-delivery-ind
    REPORT_MM4 = "report_mm4"  # MM4_delivery_report.REQ
    CANCEL_MM1 = "cancel_mm1"  # m-cancel-req to a handset that has the MM
    RES_MM4 = "res_mm4"  # MM4_forward.RES or MM4_delivery_report.RES


class Job(NamedTuple):
    """A task in a courier's hands: everything it needs but the body. `payload` is the task's own JSON object.

    `mm` is None only for an answer about a message that was never stored (RES_MM4 of a refused one)."""

    task_id: TaskId
    kind: TaskKind
    lane: str
    attempt: int
    due_at: Instant
    mm: Mm | None
    recipients: tuple[Recipient, ...]
    payload: Mapping[str, str]
    priority: int = Priority.NORMAL

    @property
    def stored_mm(self) -> Mm:
        """The MM, for the kinds that always have one."""
        assert self.mm is not None, f"{self.kind} task {self.task_id} has no MM"
        return self.mm
