"""The header fields of MM4 in one table (TS 23.140 8.4.4): wire name, attribute, clause. Names compare without case.

X-Mms-Previously-sent-by and -date-and-time have no row: they repeat, and go on as they came, as unknown ones do.
"""

from typing import Final

from protocols.records import record


@record(frozen=True, slots=True)
class Row:
    """A field: its wire name, its attribute in the messages, its clause; `aliases` are spellings that peers use."""

    wire_name: str
    attribute: str
    clause: str
    aliases: tuple[str, ...] = ()


_C: Final = "TS 23.140 8.4.4"

ROWS: Final = (
    Row("X-Mms-3GPP-MMS-Version", "mms_version", _C, ("x-mms-3gpp-version", "x-mms-mms-version")),
    Row("X-Mms-Message-Type", "message_type", _C),
    Row("X-Mms-Transaction-ID", "transaction_id", _C),
    Row("X-Mms-Message-ID", "message_id", _C),
    Row("X-Mms-Originator-System", "originator_system", _C),
    Row("X-Mms-Message-Class", "message_class", _C),
    Row("X-Mms-Expiry", "expiry", _C),
    Row("X-Mms-Delivery-Report", "delivery_report", _C),
    Row("X-Mms-Originator-R/S-Delivery-Report", "originator_rs_delivery_report", _C),
    Row("X-Mms-Priority", "priority", _C),
    Row("X-Mms-Sender-Visibility", "sender_visibility", _C),
    Row("X-Mms-Read-Reply", "read_reply", _C),
    Row("X-Mms-Ack-Request", "ack_request", _C),
    Row("X-Mms-Forward-Counter", "forward_counter", _C),
    Row("X-Mms-Adaptation-Allowed", "adaptation_allowed", _C),
    Row("X-Mms-Content-Class", "content_class", _C),
    Row("X-Mms-Drm-Content", "drm_content", _C),
    Row("X-Mms-Applic-ID", "applic_id", _C),
    Row("X-Mms-Reply-Applic-ID", "reply_applic_id", _C),
    Row("X-Mms-Aux-Applic-Info", "aux_applic_info", _C),
    Row("X-Mms-Request-Status-Code", "request_status_code", _C),
    Row("X-Mms-Status-Text", "status_text", _C),
    Row("X-Mms-Request-Recipients", "request_recipients", _C),
    Row("X-Mms-MM-Status-Code", "mm_status_code", _C, ("x-mms-status",)),
    Row("X-Mms-MM-Status-Extension", "mm_status_extension", _C),
    Row("X-Mms-Forward-To-Originator-UA", "forward_to_originator_ua", _C),
    Row("X-Mms-Read-Status", "read_status", _C),
)
BY_ATTRIBUTE: Final = {row.attribute: row for row in ROWS}
BY_NAME: Final = {name: row for row in ROWS for name in (row.wire_name.lower(), *row.aliases)}
