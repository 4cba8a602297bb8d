"""The PDUs of the MMBox, a subscriber's store in the network (of version 1.2), and of the deletion of MMs that wait (of
version 1.3) (OMA-TS-MMS_ENC clause 6)."""

from protocols.content_type import ContentType
from protocols.mm1.enums import (
    VERSION_1_2,
    VERSION_1_3,
    InsertAddress,
    MessageClass,
    MessageType,
    MmState,
    Priority,
    ReplyCharging,
    ResponseStatus,
    StoreStatus,
)
from protocols.mm1.headers import INDEXED, LOCATIONS
from protocols.mm1.pdu import Pdu
from protocols.mm1.values import Counted, CountedDate, Flagged, Indexed, Moment
from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class MMboxStoreReq(Pdu):
    """m-mbox-store-req: an MM that waits, or one of the MMBox, is to be kept, or to have another state or flags."""

    message_type = MessageType.M_MBOX_STORE_REQ
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("transaction_id", "content_location")

    transaction_id: str = ""
    content_location: str | None = None
    mm_state: tuple[MmState, ...] = ()
    mm_flags: tuple[Flagged, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class MMboxStoreConf(Pdu):
    """m-mbox-store-conf."""

    message_type = MessageType.M_MBOX_STORE_CONF
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("transaction_id", "store_status")
    spared = frozenset({"transaction_id"})

    transaction_id: str = ""
    content_location: str | None = None
    store_status: StoreStatus | None = None
    store_status_text: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MMboxViewReq(Pdu):
    """m-mbox-view-req: what is in the MMBox: those at `content_locations`, or those of these states and flags.
    `attributes` are the numbers of the fields wanted; 0x2E stands for the content, 0x30 for other headers."""

    message_type = MessageType.M_MBOX_VIEW_REQ
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("transaction_id",)
    variants = LOCATIONS

    transaction_id: str = ""
    content_locations: tuple[str, ...] = ()
    mm_state: tuple[MmState, ...] = ()
    mm_flags: tuple[Flagged, ...] = ()
    start: int | None = None
    limit: int | None = None
    attributes: tuple[int, ...] = ()
    totals: bool | None = None
    quotas: bool | None = None


@record(frozen=True, slots=True, kw_only=True)
class MMboxViewConf(Pdu):
    """m-mbox-view-conf: its body is a multipart of m-mbox-descr."""

    message_type = MessageType.M_MBOX_VIEW_CONF
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("transaction_id", "response_status", "content_type")
    spared = frozenset({"transaction_id", "content_type"})
    variants = LOCATIONS

    transaction_id: str = ""
    response_status: ResponseStatus | None = None
    response_text: str | None = None
    content_locations: tuple[str, ...] = ()
    mm_state: tuple[MmState, ...] = ()
    mm_flags: tuple[Flagged, ...] = ()
    start: int | None = None
    limit: int | None = None
    attributes: tuple[int, ...] = ()
    totals: bool | None = None
    mbox_totals: tuple[Flagged, ...] = ()
    quotas: bool | None = None
    mbox_quotas: tuple[Flagged, ...] = ()
    message_count: int | None = None
    content_type: ContentType | None = None
    body: bytes = b""


@record(frozen=True, slots=True, kw_only=True)
class MMboxUploadReq(Pdu):
    """m-mbox-upload-req: its body is an m-mbox-descr with content."""

    message_type = MessageType.M_MBOX_UPLOAD_REQ
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("transaction_id", "content_type")

    transaction_id: str = ""
    mm_state: tuple[MmState, ...] = ()
    mm_flags: tuple[Flagged, ...] = ()
    content_type: ContentType | None = None
    body: bytes = b""


@record(frozen=True, slots=True, kw_only=True)
class MMboxUploadConf(Pdu):
    """m-mbox-upload-conf."""

    message_type = MessageType.M_MBOX_UPLOAD_CONF
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("transaction_id", "store_status")
    spared = frozenset({"transaction_id"})

    transaction_id: str = ""
    content_location: str | None = None
    store_status: StoreStatus | None = None
    store_status_text: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MMboxDeleteReq(Pdu):
    """m-mbox-delete-req: MMs of the MMBox."""

    message_type = MessageType.M_MBOX_DELETE_REQ
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("transaction_id", "content_locations")
    variants = LOCATIONS

    transaction_id: str = ""
    content_locations: tuple[str, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class MMboxDeleteConf(Pdu):
    """m-mbox-delete-conf: a status for each MM that was named, told apart by their counts."""

    message_type = MessageType.M_MBOX_DELETE_CONF
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("transaction_id", "response_statuses")
    spared = frozenset({"transaction_id"})
    variants = INDEXED

    transaction_id: str = ""
    content_locations: tuple[Indexed, ...] = ()
    response_statuses: tuple[Indexed, ...] = ()
    response_texts: tuple[Indexed, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class MMboxDescr(Pdu):
    """m-mbox-descr: an MM of the MMBox, alone or as a part of an m-mbox-view-conf; with its content where asked.
    In an m-mbox-upload-req it has no Content-Location yet."""

    message_type = MessageType.M_MBOX_DESCR
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_2
    mandatory = ("content_location",)
    spared = frozenset({"content_location"})

    content_location: str | None = None
    message_id: str | None = None
    mm_state: tuple[MmState, ...] = ()
    mm_flags: tuple[Flagged, ...] = ()
    date: int | None = None
    from_: str | InsertAddress | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    message_class: MessageClass | str | None = None
    subject: str | None = None
    priority: Priority | None = None
    delivery_time: Moment | None = None
    expiry: Moment | None = None
    delivery_report: bool | None = None
    read_report: bool | None = None
    message_size: int | None = None
    reply_charging: ReplyCharging | None = None
    reply_charging_deadline: Moment | None = None
    reply_charging_size: int | None = None
    reply_charging_id: str | None = None
    previously_sent_by: tuple[Counted, ...] = ()
    previously_sent_date: tuple[CountedDate, ...] = ()
    content_type: ContentType | None = None
    body: bytes = b""


@record(frozen=True, slots=True, kw_only=True)
class MDeleteReq(Pdu):
    """m-delete-req: MMs that wait for the handset are to be forgotten."""

    message_type = MessageType.M_DELETE_REQ
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_3
    mandatory = ("transaction_id", "content_locations")
    variants = LOCATIONS

    transaction_id: str = ""
    content_locations: tuple[str, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class MDeleteConf(Pdu):
    """m-delete-conf: as m-mbox-delete-conf."""

    message_type = MessageType.M_DELETE_CONF
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_3
    mandatory = ("transaction_id", "response_statuses")
    spared = frozenset({"transaction_id"})
    variants = INDEXED

    transaction_id: str = ""
    content_locations: tuple[Indexed, ...] = ()
    response_statuses: tuple[Indexed, ...] = ()
    response_texts: tuple[Indexed, ...] = ()
