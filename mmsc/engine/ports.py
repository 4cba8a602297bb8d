"""The engine's ports: what it asks of gateways (couriers), and what it offers them.

Outbound, a courier gets a `Job` and answers with an `Outcome`: ordinary outcomes are values, "busy, ask later" is not a
failed attempt. Inbound, gateways call `Submit.accept`, `Retrieval`, `Links`, `PeerReports` and `Receipts`; each returns
only after the commit, so the caller may answer positively.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Protocol

from mmsc.domain.address import Address, Normalised, NotAnAddress
from mmsc.domain.box_entry import BoxEntry
from mmsc.domain.instant import Instant
from mmsc.domain.message import (
    Content,
    ContentId,
    Job,
    Mm,
    MmId,
    Origin,
    Recipient,
    RecipientId,
    RefusedRecipient,
    Route,
    Submission,
)
from mmsc.domain.mmbox import NotKept
from mmsc.domain.neighbours import Capability, Peer, Smsc, Subscriber, Vasp
from mmsc.domain.refusal import Refused
from mmsc.domain.states import Happening
from protocols.records import record

# --- outbound: what a courier answers -------------------------------------------------------------------------------


@record(frozen=True, slots=True)
class Delivered:
    """The neighbour took it. `remote_ids` are its names for it (SMPP message_ids, one a segment);
    `receipt_expected` keeps them for the receipts to come; `answer_expected` waits for an MM4 RES, or for what an
    application on EAIF says later."""

    remote_ids: tuple[str, ...] = ()
    receipt_expected: bool = False
    answer_expected: bool = False
    note: str = ""
    nothing_sent: bool = False  # its interface has no word for it
    status: int = 0  # the neighbour's own code (MM7 StatusCode), 0 for none
    service_code: str = ""  # of a DeliverRsp


@record(frozen=True, slots=True)
class Later:
    """The neighbour asks to wait (throttled, 4006, 4yz): not a failed attempt."""

    seconds: float
    because: str


@record(frozen=True, slots=True)
class Retry:
    """This attempt failed and another may succeed. `neighbour_down` says that nothing else on this lane would fare
    better (connection refused, not bound): the lane pauses, the attempt is not counted. `wait_seconds` says that the
    neighbour may have taken it all the same: the next attempt comes no sooner, and this one counts in any case."""

    because: str
    neighbour_down: bool = False
    wait_seconds: float = 0.0


@record(frozen=True, slots=True)
class Failed:
    """No further attempt will help. `happening` is what it means for the recipients (reports: nothing); `refused` says
    that `because` is a VASP's own final answer to a report, not ours."""

    because: str
    happening: Happening = Happening.UNDELIVERABLE
    status: int = 0  # the neighbour's own code (MM7 StatusCode), 0 when it answered nothing that can be read
    nothing_sent: bool = False
    refused: bool = False


@record(frozen=True, slots=True)
class Mixed:
    """Recipients of one forward that fared differently."""

    outcomes: Mapping[RecipientId, "Delivered | Later | Retry | Failed"]


Outcome = Delivered | Later | Retry | Failed | Mixed


class Courier(Protocol):
    """Takes jobs of one interface out of the house. Many run at once; none may raise for what a neighbour does."""

    async def deliver(self, job: Job) -> Outcome:
        """Carry out the job, within the courier's own time-outs."""
        ...


class Contents(Protocol):
    """Where bodies are read."""

    async def content(self, content_id: ContentId) -> Content | None:
        """The content, or None when retention took it."""
        ...


class CapabilityPort(Protocol):
    """Says what a subscriber can take."""

    def decide(self, subscriber: Subscriber, mm_id: MmId, /) -> Capability:
        """The verdict for this MM, and the evidence for it."""
        ...


# --- inbound: what gateways may ask ---------------------------------------------------------------------------------


def _nothing() -> None: ...


@record(frozen=True, slots=True)
class Accepted:
    """The MM is durable. `refused` lists recipients that were not taken (partial success); `repeat` says that this is
    the stored answer to an earlier request. The gateway calls `answered()` exactly once, after its answer was handed
    to the socket (or could not be): delivery begins then, so no report overtakes the answer."""

    mm_id: MmId
    message_id: str
    refused: tuple[RefusedRecipient, ...] = ()
    repeat: bool = False
    content_id: ContentId | None = None  # None: nothing was stored, this is a repeat
    kept: BoxEntry | NotKept | None = None  # in its sender's MMBox; None: that was not asked for
    answered: Callable[[], None] = field(default=_nothing, compare=False)


@record(frozen=True, slots=True)
class ResMm4:
    """A MM4 RES to send, stored as a task in the unit that it answers for. `payload` is the courier's own."""

    peer: str
    payload: Mapping[str, str]


class Submit(Protocol):
    """The one door for new MMs."""

    async def accept(self, submission: Submission, *, res: ResMm4 | None = None) -> Accepted | Refused:
        """Check, route and store; returns after the commit. `res` is stored with it (also when it is a repeat)."""
        ...

    async def answer_refused(self, res: ResMm4) -> None:
        """Store a RES about a message that was refused (no MM is kept); returns after the commit."""
        ...

    async def note_refused(self, origin: Origin, refused: Refused, *, times: int = 1, run: str = "") -> None:
        """Record what a gateway refused itself, `times` together, with its run tag; a store that is away records
        nothing."""
        ...


@record(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an MM1 request showed about its handset. `mms_version` as 0x12 for 1.2, 0 when it carried no PDU."""

    user_agent: str = ""
    profile_url: str = ""
    mms_version: int = 0


class GoneBecause(StrEnum):
    """Why there is nothing to fetch."""

    UNKNOWN = "unknown"  # no such token; also what another subscriber's identity gets
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    ENDED = "ended"  # retrieved and past the grace, rejected, forwarded ...
    NO_CONTENT = "no_content"  # retention took the body
    STORE_AWAY = "store_away"  # nobody can look now


@record(frozen=True, slots=True)
class Gone:
    """Nothing to fetch. `mms_version` is what the recipient's handset spoke last, 0 when that is not known;
    `kept_until` tells of EXPIRED when that was."""

    because: GoneBecause
    mms_version: int = 0
    kept_until: Instant | None = None


@record(frozen=True, slots=True, kw_only=True)
class ReadSaid:
    """What an m-read-rec-ind says: `read`, or deleted without being read; `to` is whom it calls the MM's originator, as
    written; `in_name_of` its From, "" when that is for us to insert; `date` the reader's own."""

    read: bool
    to: tuple[str, ...] = ()
    in_name_of: str = ""
    date: Instant | None = None


@record(frozen=True, slots=True)
class Retrievable:
    """An MM ready to be sent to its recipient. `transaction_id` goes into the m-retrieve-conf; `mms_version` as in
    `Gone`."""

    mm: Mm
    recipient: Recipient
    content: Content
    transaction_id: str
    mms_version: int = 0


class Retrieval(Protocol):
    """The recipient's side of MM1."""

    async def open(self, token: str, identity: Address | None, evidence: Evidence) -> Retrievable | Gone:
        """The MM behind a Content-Location, for this identity (None: the request carried none)."""
        ...

    def begun(self, retrievable: Retrievable) -> None:
        """An m-retrieve-conf is about to be written: `fetched` or `broken_off` follows."""
        ...

    def broken_off(self, retrievable: Retrievable) -> None:
        """It was not written whole."""
        ...

    async def fetched(self, retrievable: Retrievable) -> None:
        """All octets of the m-retrieve-conf were written; returns after the commit."""
        ...

    async def answer(
        self,
        transaction_id: str,
        happening: Happening,
        *,
        report_allowed: bool,
        evidence: Evidence,
        identity: Address | None = None,
        acknowledged: bool = False,
    ) -> bool | Gone:
        """An m-notifyresp-ind (RETRIEVED, DEFERRED, REJECTED, UNRECOGNISED) or, `acknowledged`, an m-acknowledge-ind
        (RETRIEVED).

        Returns after the commit; False when nothing was waiting for it (unknown, late, repeated, or from another
        subscriber than the one who was notified: not an error). `Gone`, and nothing was noted, when the store is away.
        """
        ...

    async def read_by(self, message_id: str, address: Address | None, said: ReadSaid) -> bool | Gone:
        """An m-read-rec-ind of this subscriber (None: nobody that we know) about the MM with this Message-ID; returns
        after the commit. False, and a remark in the trace, when it is not believed: this subscriber has no such MM, or
        it names another as its reader or its sender. `Gone`, and nothing was noted, when the store is away."""
        ...

    async def cancel_confirmed(
        self, transaction_id: str, *, understood: bool, identity: Address | None = None
    ) -> bool | Gone:
        """An m-cancel-conf; returns after the commit. False: no m-cancel-req of ours had this X-Mms-Transaction-ID."""
        ...

    async def seen(self, address: Address, evidence: Evidence) -> None:
        """A request of this subscriber that is about no notification: it shows a handset that speaks MMS."""
        ...


class Forwarding(Protocol):
    """A recipient sends an MM on without fetching it (m-forward-req)."""

    async def forward(
        self, token: str, submission: Submission, identity: Address, evidence: Evidence, *, report_allowed: bool
    ) -> Accepted | Refused:
        """Make an MM of the one behind a Content-Location; returns after the commit. `submission` says to whom and how,
        and has no content. MM_UNKNOWN: there is nothing for this identity. `report_allowed`: its sender may hear."""
        ...


class Links(Protocol):
    """The web page's side."""

    async def open(self, link_token: str) -> Retrievable | Gone:
        """The MM behind a web link; looking does not count as viewing."""
        ...

    async def viewed(self, retrievable: Retrievable) -> Gone | None:
        """Somebody looked; returns after the commit. `Gone`, and nothing was noted, when the store is away."""
        ...


class ReceiptState(StrEnum):
    """What an SMSC receipt says, reduced to what we do about it."""

    DELIVERED = "delivered"
    ENROUTE = "enroute"
    FAILED = "failed"


class Receipts(Protocol):
    """Receipts for SMS that we sent."""

    async def receipt(
        self, smsc: str, message_id: str, state: ReceiptState, text: str, numbers: Collection[str] | None = None
    ) -> bool:
        """Returns after the commit; False when no SMS of ours has this id, or none to one of `numbers` (digits, perhaps
        national; None: whoever it went to). Never taken as delivery of the MM."""
        ...


class Numbers(Protocol):
    """Number plan and routing, for gateways that must know at once (RCPT TO, From)."""

    def normalise(self, text: str, neighbour: str = "") -> Normalised | NotAnAddress:
        """The address that a neighbour (`vasp:NAME`, `peer:NAME`, "" for a subscriber) means by `text`."""
        ...

    def route(self, address: Address) -> tuple[Route, str, str]:
        """(route, target, why)."""
        ...

    def why_not_ours(self, address: Address) -> str:
        """Why this is no subscriber of ours; "" when it is one."""
        ...

    def delivers(self, vasp: str) -> bool:
        """Whether this VASP has an address for MM7_deliver."""
        ...

    def largest_for(self, peer: str) -> int:
        """Octets of the largest content that a peer takes, 0 when it is not configured."""
        ...


class Directory(Protocol):
    """The neighbours, as configured now."""

    @property
    def vasps(self) -> Mapping[str, Vasp]:
        """By name."""
        ...

    @property
    def peers(self) -> Mapping[str, Peer]:
        """By name."""
        ...

    @property
    def smscs(self) -> Mapping[str, Smsc]:
        """By name."""
        ...

    def subscriber(self, address: Address) -> Subscriber:
        """The subscriber, a blank one when nothing is known of the number."""
        ...

    def run_of(self, address: Address) -> str:
        """The run tag of what a subscriber sends, "" for none."""
        ...

    def subscriber_at(self, ip: str) -> Subscriber | None:
        """The subscriber with this static IP address."""
        ...
