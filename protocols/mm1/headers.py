"""Every header field of MM1 in one table (OMA-TS-MMS_ENC 7.4, numbers; 7.3, values). Decoder, encoder, console view and
coverage page walk it."""

from typing import Final

from protocols.forms import Header
from protocols.mm1.enums import VERSION_1_1 as V1_1
from protocols.mm1.enums import VERSION_1_2 as V1_2
from protocols.mm1.enums import VERSION_1_3 as V1_3
from protocols.mm1.enums import (
    CancelStatus,
    ContentClass,
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
from protocols.mm1.values import (
    ATTRIBUTE,
    CONTENT_TYPE,
    COUNTED,
    COUNTED_DATE,
    ELEMENT,
    ENCODED_STRING,
    FLAGGED_NUMBER,
    FLAGGED_TEXT,
    FROM,
    INDEXED_STATUS,
    INDEXED_STRING,
    INDEXED_TEXT,
    INTEGER,
    LONG_INTEGER,
    MESSAGE_CLASS,
    MESSAGE_ID,
    MOMENT,
    SHORT_VERSION,
    TEXT_STRING,
    YES_NO,
    octet_of,
)

_E: Final = "OMA-TS-MMS_ENC "

HEADERS: Final = (
    Header(0x01, "Bcc", "bcc", ENCODED_STRING, _E + "7.3.3", repeats=True),
    Header(0x02, "Cc", "cc", ENCODED_STRING, _E + "7.3.8", repeats=True),
    Header(0x03, "X-Mms-Content-Location", "content_location", TEXT_STRING, _E + "7.3.10"),
    Header(0x04, "Content-Type", "content_type", CONTENT_TYPE, _E + "7.3.11"),
    Header(0x05, "Date", "date", LONG_INTEGER, _E + "7.3.12"),
    Header(0x06, "X-Mms-Delivery-Report", "delivery_report", YES_NO, _E + "7.3.13"),
    Header(0x07, "X-Mms-Delivery-Time", "delivery_time", MOMENT, _E + "7.3.14"),
    Header(0x08, "X-Mms-Expiry", "expiry", MOMENT, _E + "7.3.20"),
    Header(0x09, "From", "from_", FROM, _E + "7.3.21"),
    Header(0x0A, "X-Mms-Message-Class", "message_class", MESSAGE_CLASS, _E + "7.3.27"),
    Header(0x0B, "Message-ID", "message_id", MESSAGE_ID, _E + "7.3.29"),
    Header(0x0C, "X-Mms-Message-Type", "message_type", octet_of(MessageType), _E + "7.3.30"),
    Header(0x0D, "X-Mms-MMS-Version", "mms_version", SHORT_VERSION, _E + "7.3.34"),
    Header(0x0E, "X-Mms-Message-Size", "message_size", LONG_INTEGER, _E + "7.3.31"),
    Header(0x0F, "X-Mms-Priority", "priority", octet_of(Priority), _E + "7.3.35"),
    Header(0x10, "X-Mms-Read-Report", "read_report", YES_NO, _E + "7.3.37"),
    Header(0x11, "X-Mms-Report-Allowed", "report_allowed", YES_NO, _E + "7.3.47"),
    Header(0x12, "X-Mms-Response-Status", "response_status", octet_of(ResponseStatus), _E + "7.3.48"),
    Header(0x13, "X-Mms-Response-Text", "response_text", ENCODED_STRING, _E + "7.3.49"),
    Header(0x14, "X-Mms-Sender-Visibility", "sender_visibility", octet_of(SenderVisibility), _E + "7.3.52"),
    Header(0x15, "X-Mms-Status", "status", octet_of(Status), _E + "7.3.54"),
    Header(0x16, "Subject", "subject", ENCODED_STRING, _E + "7.3.60"),
    Header(0x17, "To", "to", ENCODED_STRING, _E + "7.3.61", repeats=True),
    Header(0x18, "X-Mms-Transaction-ID", "transaction_id", TEXT_STRING, _E + "7.3.63"),
    Header(0x19, "X-Mms-Retrieve-Status", "retrieve_status", octet_of(RetrieveStatus), _E + "7.3.50", since=V1_1),
    Header(0x1A, "X-Mms-Retrieve-Text", "retrieve_text", ENCODED_STRING, _E + "7.3.51", since=V1_1),
    Header(0x1B, "X-Mms-Read-Status", "read_status", octet_of(ReadStatus), _E + "7.3.38", since=V1_1),
    Header(0x1C, "X-Mms-Reply-Charging", "reply_charging", octet_of(ReplyCharging), _E + "7.3.43", since=V1_1),
    Header(0x1D, "X-Mms-Reply-Charging-Deadline", "reply_charging_deadline", MOMENT, _E + "7.3.44", since=V1_1),
    Header(0x1E, "X-Mms-Reply-Charging-ID", "reply_charging_id", MESSAGE_ID, _E + "7.3.45", since=V1_1),
    Header(0x1F, "X-Mms-Reply-Charging-Size", "reply_charging_size", LONG_INTEGER, _E + "7.3.46", since=V1_1),
    Header(0x20, "X-Mms-Previously-Sent-By", "previously_sent_by", COUNTED, _E + "7.3.23", repeats=True, since=V1_1),
    Header(
        0x21,
        "X-Mms-Previously-Sent-Date",
        "previously_sent_date",
        COUNTED_DATE,
        _E + "7.3.24",
        repeats=True,
        since=V1_1,
    ),
    Header(0x22, "X-Mms-Store", "store", YES_NO, _E + "7.3.56", since=V1_2),
    Header(0x23, "X-Mms-MM-State", "mm_state", octet_of(MmState), _E + "7.3.33", repeats=True, since=V1_2),
    Header(0x24, "X-Mms-MM-Flags", "mm_flags", FLAGGED_TEXT, _E + "7.3.32", repeats=True, since=V1_2),
    Header(0x25, "X-Mms-Store-Status", "store_status", octet_of(StoreStatus), _E + "7.3.58", since=V1_2),
    Header(0x26, "X-Mms-Store-Status-Text", "store_status_text", ENCODED_STRING, _E + "7.3.59", since=V1_2),
    Header(0x27, "X-Mms-Stored", "stored", YES_NO, _E + "7.3.57", since=V1_2),
    Header(0x28, "X-Mms-Attributes", "attributes", ATTRIBUTE, _E + "7.3.1", repeats=True, since=V1_2),
    Header(0x29, "X-Mms-Totals", "totals", YES_NO, _E + "7.3.62", since=V1_2),
    Header(0x2A, "X-Mms-Mbox-Totals", "mbox_totals", FLAGGED_NUMBER, _E + "7.3.26", repeats=True, since=V1_2),
    Header(0x2B, "X-Mms-Quotas", "quotas", YES_NO, _E + "7.3.36", since=V1_2),
    Header(0x2C, "X-Mms-Mbox-Quotas", "mbox_quotas", FLAGGED_NUMBER, _E + "7.3.25", repeats=True, since=V1_2),
    Header(0x2D, "X-Mms-Message-Count", "message_count", INTEGER, _E + "7.3.28", since=V1_2),
    Header(0x2E, "Content", "content", ATTRIBUTE, _E + "7.3.1", since=V1_2),
    Header(0x2F, "X-Mms-Start", "start", INTEGER, _E + "7.3.53", since=V1_2),
    Header(0x30, "Additional-headers", "additional_headers", ATTRIBUTE, _E + "7.3.1", since=V1_2),
    Header(0x31, "X-Mms-Distribution-Indicator", "distribution_indicator", YES_NO, _E + "7.3.16", since=V1_2),
    Header(0x32, "X-Mms-Element-Descriptor", "element_descriptor", ELEMENT, _E + "7.3.18", repeats=True, since=V1_2),
    Header(0x33, "X-Mms-Limit", "limit", INTEGER, _E + "7.3.22", since=V1_2),
    Header(
        0x34,
        "X-Mms-Recommended-Retrieval-Mode",
        "recommended_retrieval_mode",
        octet_of(RecommendedRetrievalMode),
        _E + "7.3.39",
        since=V1_3,
    ),
    Header(
        0x35,
        "X-Mms-Recommended-Retrieval-Mode-Text",
        "recommended_retrieval_mode_text",
        ENCODED_STRING,
        _E + "7.3.40",
        since=V1_3,
    ),
    Header(0x36, "X-Mms-Status-Text", "status_text", ENCODED_STRING, _E + "7.3.55", since=V1_3),
    Header(0x37, "X-Mms-Applic-ID", "applic_id", TEXT_STRING, _E + "7.3.2", since=V1_3),
    Header(0x38, "X-Mms-Reply-Applic-ID", "reply_applic_id", TEXT_STRING, _E + "7.3.42", since=V1_3),
    Header(0x39, "X-Mms-Aux-Applic-Info", "aux_applic_info", TEXT_STRING, _E + "7.3.4", since=V1_3),
    Header(0x3A, "X-Mms-Content-Class", "content_class", octet_of(ContentClass), _E + "7.3.9", since=V1_3),
    Header(0x3B, "X-Mms-DRM-Content", "drm_content", YES_NO, _E + "7.3.17", since=V1_3),
    Header(0x3C, "X-Mms-Adaptation-Allowed", "adaptation_allowed", YES_NO, _E + "7.3.5", since=V1_3),
    Header(0x3D, "X-Mms-Replace-ID", "replace_id", MESSAGE_ID, _E + "7.3.41", since=V1_3),
    Header(0x3E, "X-Mms-Cancel-ID", "cancel_id", MESSAGE_ID, _E + "7.3.6", since=V1_3),
    Header(0x3F, "X-Mms-Cancel-Status", "cancel_status", octet_of(CancelStatus), _E + "7.3.7", since=V1_3),
)

# Fields that some PDUs have in another shape, or several times.
LOCATIONS: Final = (
    Header(0x03, "X-Mms-Content-Location", "content_locations", TEXT_STRING, _E + "7.3.10", repeats=True),
)
INDEXED: Final = (  # of the delete confs: location, status and text of the same count belong together
    Header(0x03, "X-Mms-Content-Location", "content_locations", INDEXED_TEXT, _E + "7.3.10", repeats=True),
    Header(0x12, "X-Mms-Response-Status", "response_statuses", INDEXED_STATUS, _E + "7.3.48", repeats=True),
    Header(0x13, "X-Mms-Response-Text", "response_texts", INDEXED_STRING, _E + "7.3.49", repeats=True),
)

BY_NUMBER: Final = {row.number: row for row in HEADERS}
BY_ATTRIBUTE: Final = {row.attribute: row for row in HEADERS}
