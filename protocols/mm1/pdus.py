"""The PDUs of MM1 (OMA-TS-MMS_ENC clause 6). A class lists its fields in the order in which they are written: first
X-Mms-Message-Type, X-Mms-Transaction-ID and X-Mms-MMS-Version (clause 7), the body's Content-Type last."""

from protocols.content_type import ContentType
from protocols.mm1.enums import (
    VERSION_1_1,
    VERSION_1_3,
    CancelStatus,
    ContentClass,
    InsertAddress,
    MessageClass,
    MessageType,
    MmState,
    Priority,
    ReadStatus,
    RecommendedRetrievalMode,
    ReplyCharging,
    ResponseStatus,
    RetrieveStatus,
    SenderVisibility,
    Status,
    StoreStatus,
)
from protocols.mm1.pdu import Pdu
from protocols.mm1.values import Counted, CountedDate, Element, Flagged, Moment
from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class MSendReq(Pdu):
    """m-send-req: a user agent submits an MM."""

    message_type = MessageType.M_SEND_REQ
    clause = "OMA-TS-MMS_ENC 6.1.1"
    mandatory = ("transaction_id", "from_", "content_type")

    transaction_id: str = ""
    date: int | None = None
    from_: str | InsertAddress | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str | None = None
    message_class: MessageClass | str | None = None
    expiry: Moment | None = None
    delivery_time: Moment | None = None
    priority: Priority | None = None
    sender_visibility: SenderVisibility | None = None
    delivery_report: bool | None = None
    read_report: bool | None = None
    reply_charging: ReplyCharging | None = None  # requested: replies are on this one's sender
    reply_charging_deadline: Moment | None = None
    reply_charging_size: int | None = None
    reply_charging_id: str | None = None  # of the MM that this one answers
    store: bool | None = None
    mm_state: tuple[MmState, ...] = ()
    mm_flags: tuple[Flagged, ...] = ()
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None
    content_class: ContentClass | None = None
    drm_content: bool | None = None
    adaptation_allowed: bool | None = None
    content_type: ContentType | None = None
    body: bytes = b""


@record(frozen=True, slots=True, kw_only=True)
class MSendConf(Pdu):
    """m-send-conf: the MMSC's answer to a submission."""

    message_type = MessageType.M_SEND_CONF
    clause = "OMA-TS-MMS_ENC 6.1.2"
    mandatory = ("transaction_id", "response_status")
    spared = frozenset({"transaction_id"})

    transaction_id: str = ""
    response_status: ResponseStatus | None = None
    response_text: str | None = None
    message_id: str | None = None
    content_location: str | None = None
    store_status: StoreStatus | None = None
    store_status_text: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MNotificationInd(Pdu):
    """m-notification-ind: an MM waits. From is absent when the sender hides; Expiry is relative."""

    message_type = MessageType.M_NOTIFICATION_IND
    clause = "OMA-TS-MMS_ENC 6.2"
    mandatory = ("transaction_id", "message_class", "message_size", "expiry", "content_location")
    spared = frozenset({"message_class", "message_size", "expiry"})

    transaction_id: str = ""
    from_: str | InsertAddress | None = None
    subject: str | None = None
    delivery_report: bool | None = None
    stored: bool | None = None
    message_class: MessageClass | str | None = None
    priority: Priority | None = None
    message_size: int | None = None
    expiry: Moment | None = None
    reply_charging: ReplyCharging | None = None  # accepted: a reply costs its sender nothing
    reply_charging_deadline: Moment | None = None
    reply_charging_size: int | None = None
    reply_charging_id: str | None = None
    distribution_indicator: bool | None = None
    recommended_retrieval_mode: RecommendedRetrievalMode | None = None
    recommended_retrieval_mode_text: str | None = None
    element_descriptor: tuple[Element, ...] = ()
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None
    content_class: ContentClass | None = None
    drm_content: bool | None = None
    replace_id: str | None = None
    content_location: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MNotifyRespInd(Pdu):
    """m-notifyresp-ind: what the user agent does about a notification."""

    message_type = MessageType.M_NOTIFYRESP_IND
    clause = "OMA-TS-MMS_ENC 6.2"
    mandatory = ("transaction_id", "status")

    transaction_id: str = ""
    status: Status | None = None
    report_allowed: bool | None = None


@record(frozen=True, slots=True, kw_only=True)
class MRetrieveConf(Pdu):
    """m-retrieve-conf: the MM itself. Date is always written; Bcc never."""

    message_type = MessageType.M_RETRIEVE_CONF
    clause = "OMA-TS-MMS_ENC 6.3"
    mandatory = ("date", "content_type")
    spared = frozenset({"date", "content_type"})

    transaction_id: str | None = None
    message_id: str | None = None
    date: int | None = None
    from_: str | InsertAddress | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str | None = None
    previously_sent_by: tuple[Counted, ...] = ()
    previously_sent_date: tuple[CountedDate, ...] = ()
    message_class: MessageClass | str | None = None
    priority: Priority | None = None
    delivery_report: bool | None = None
    read_report: bool | None = None
    retrieve_status: RetrieveStatus | None = None
    retrieve_text: str | None = None
    reply_charging: ReplyCharging | None = None  # accepted: a reply costs its sender nothing
    reply_charging_deadline: Moment | None = None
    reply_charging_size: int | None = None
    reply_charging_id: str | None = None
    mm_state: tuple[MmState, ...] = ()
    mm_flags: tuple[Flagged, ...] = ()
    distribution_indicator: bool | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None
    content_class: ContentClass | None = None
    drm_content: bool | None = None
    replace_id: str | None = None
    content_type: ContentType | None = None
    body: bytes = b""


@record(frozen=True, slots=True, kw_only=True)
class MAcknowledgeInd(Pdu):
    """m-acknowledge-ind: a deferred MM was fetched."""

    message_type = MessageType.M_ACKNOWLEDGE_IND
    clause = "OMA-TS-MMS_ENC 6.4"
    mandatory = ("transaction_id",)

    transaction_id: str = ""
    report_allowed: bool | None = None


@record(frozen=True, slots=True, kw_only=True)
class MDeliveryInd(Pdu):
    """m-delivery-ind: what became of one recipient."""

    message_type = MessageType.M_DELIVERY_IND
    clause = "OMA-TS-MMS_ENC 6.5"
    mandatory = ("message_id", "to", "date", "status")
    spared = frozenset({"to", "date"})

    message_id: str | None = None
    to: tuple[str, ...] = ()
    date: int | None = None
    status: Status | None = None
    status_text: str | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MReadRecInd(Pdu):
    """m-read-rec-ind: the recipient read the MM."""

    message_type = MessageType.M_READ_REC_IND
    clause = "OMA-TS-MMS_ENC 6.6.1"
    since = VERSION_1_1
    mandatory = ("message_id", "to", "from_", "read_status")
    spared = frozenset({"to", "from_", "read_status"})

    message_id: str | None = None
    to: tuple[str, ...] = ()
    from_: str | InsertAddress | None = None
    date: int | None = None
    read_status: ReadStatus | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MReadOrigInd(Pdu):
    """m-read-orig-ind: told to the originator."""

    message_type = MessageType.M_READ_ORIG_IND
    clause = "OMA-TS-MMS_ENC 6.6.2"
    since = VERSION_1_1
    mandatory = ("message_id", "to", "from_", "date", "read_status")
    spared = frozenset({"to", "from_", "date", "read_status"})

    message_id: str | None = None
    to: tuple[str, ...] = ()
    from_: str | InsertAddress | None = None
    date: int | None = None
    read_status: ReadStatus | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MForwardReq(Pdu):
    """m-forward-req: a user agent sends an MM on that it did not fetch."""

    message_type = MessageType.M_FORWARD_REQ
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_1
    mandatory = ("transaction_id", "from_", "content_location")

    transaction_id: str = ""
    date: int | None = None
    from_: str | InsertAddress | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    expiry: Moment | None = None
    delivery_time: Moment | None = None
    report_allowed: bool | None = None  # whether the first sender may hear that his MM was forwarded
    delivery_report: bool | None = None
    read_report: bool | None = None
    store: bool | None = None
    mm_state: tuple[MmState, ...] = ()
    mm_flags: tuple[Flagged, ...] = ()
    reply_charging: ReplyCharging | None = None
    reply_charging_deadline: Moment | None = None
    reply_charging_size: int | None = None
    reply_charging_id: str | None = None
    content_location: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MForwardConf(Pdu):
    """m-forward-conf: the MMSC's answer to it."""

    message_type = MessageType.M_FORWARD_CONF
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_1
    mandatory = ("transaction_id", "response_status")
    spared = frozenset({"transaction_id"})

    transaction_id: str = ""
    response_status: ResponseStatus | None = None
    response_text: str | None = None
    message_id: str | None = None
    content_location: str | None = None
    store_status: StoreStatus | None = None
    store_status_text: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MCancelReq(Pdu):
    """m-cancel-req: the handset is asked to forget the MM with this Message-ID (of version 1.3)."""

    message_type = MessageType.M_CANCEL_REQ
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_3
    mandatory = ("transaction_id", "cancel_id")

    transaction_id: str = ""
    cancel_id: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class MCancelConf(Pdu):
    """m-cancel-conf: the handset's answer (of version 1.3)."""

    message_type = MessageType.M_CANCEL_CONF
    clause = "OMA-TS-MMS_ENC 6"
    since = VERSION_1_3
    mandatory = ("transaction_id", "cancel_status")

    transaction_id: str = ""
    cancel_status: CancelStatus | None = None
