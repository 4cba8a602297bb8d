"""The fields of the compose form: what each is called on its interface, and what may stand there."""

from typing import Final

from mmsc.control.sending.draft import As
from protocols.records import record


@record(frozen=True, slots=True)
class Field:
    """One input: `label` is the element's own name, `choices` are offered, and others can be typed."""

    name: str
    label: str
    hint: str = ""
    choices: tuple[str, ...] = ()
    kind: str = "text"  # or vasp, password


_YES_NO: Final = ("true", "false", "")
_MM7_CLASSES: Final = ("Personal", "Informational", "Advertisement", "Auto")
_PRIORITIES: Final = ("Normal", "High", "Low")
_ADDRESS: Final = "+NUMBER, MAIL@DOMAIN or a short code; several with a space between"

_TO: Final = (Field("to", "To", _ADDRESS), Field("cc", "Cc"), Field("bcc", "Bcc"))
_RUN: Final = Field("run", "X-MMSC-Run", "the run it belongs to")

FIELDS: Final[dict[As, tuple[tuple[str, tuple[Field, ...]], ...]]] = {
    As.MM7: (
        (
            "Addresses",
            (Field("vasp", "VASP", "whose login", kind="vasp"), *_TO, Field("sender", "SenderAddress")),
        ),
        (
            "Reports and times",
            (
                Field("delivery_report", "DeliveryReport", choices=_YES_NO),
                Field("read_report", "ReadReply", choices=_YES_NO),
                Field("expiry", "ExpiryDate", "xs:dateTime or xs:duration, as PT1H"),
                Field("earliest", "EarliestDeliveryTime", "likewise"),
            ),
        ),
        (
            "MM7",
            (
                Field("vasp_id", "VASPID"),
                Field("vas_id", "VASID"),
                Field("service_code", "ServiceCode"),
                Field("linked_id", "LinkedID"),
                Field("message_class", "MessageClass", choices=_MM7_CLASSES),
                Field("priority", "Priority", choices=_PRIORITIES),
                Field("namespace", "Namespace", "the schema's tag, as REL-6-MM7-1-4"),
                Field("mm7_version", "MM7Version"),
                Field("transaction_id", "TransactionID", "a new one if empty; the same again is a repeat"),
                Field("password", "Password", "unless the settings know it", kind="password"),
                _RUN,
                Field("url", "Address", "this server's if empty"),
            ),
        ),
    ),
    As.MM1: (
        ("Addresses", (Field("number", "Handset", "its number, as a gateway adds it (X-MSISDN)"), *_TO)),
        (
            "Reports and times",
            (
                Field("delivery_report", "X-Mms-Delivery-Report", choices=_YES_NO),
                Field("read_report", "X-Mms-Read-Report", choices=_YES_NO),
                Field("expiry", "X-Mms-Expiry", "seconds from now, or an ISO time"),
                Field("earliest", "X-Mms-Delivery-Time", "likewise"),
            ),
        ),
        (
            "MM1",
            (
                Field("sender", "From", "the MMSC inserts it if empty"),
                Field("message_class", "X-Mms-Message-Class", choices=_MM7_CLASSES),
                Field("priority", "X-Mms-Priority", choices=_PRIORITIES),
                Field("mms_version", "X-Mms-MMS-Version", choices=("1.3", "1.2", "1.1", "1.0")),
                Field("user_agent", "User-Agent"),
                Field("transaction_id", "X-Mms-Transaction-ID", "a new one if empty"),
                _RUN,
                Field("url", "Address", "this server's if empty"),
            ),
        ),
    ),
    As.MM4: (
        ("Addresses", (Field("sender", "From"), *_TO)),
        (
            "Reports and times",
            (
                Field("delivery_report", "X-Mms-Delivery-Report", choices=_YES_NO),
                Field("read_report", "X-Mms-Read-Reply", choices=_YES_NO),
                Field("expiry", "X-Mms-Expiry", "seconds from now, or an ISO time"),
                Field("ack_request", "X-Mms-Ack-Request", choices=_YES_NO),
            ),
        ),
        (
            "MM4",
            (
                Field("peer", "As the MMSC", "its domain"),
                Field("message_class", "X-Mms-Message-Class", choices=_MM7_CLASSES),
                Field("priority", "X-Mms-Priority", choices=_PRIORITIES),
                Field("message_id", "X-Mms-Message-ID", "a new one if empty"),
                Field("transaction_id", "X-Mms-Transaction-ID", "a new one if empty"),
                Field("url", "Address", "HOST:PORT; this server's if empty"),
            ),
        ),
    ),
    As.REST: (
        ("Addresses", (Field("sender", "sender"), *_TO)),
        (
            "Reports and times",
            (
                Field("delivery_report", "delivery_report", choices=_YES_NO),
                Field("read_report", "read_report", choices=_YES_NO),
                Field("expiry", "expiry", "seconds from now, or an ISO time"),
                Field("earliest", "earliest", "likewise"),
            ),
        ),
        (
            "REST",
            (
                Field("message_class", "message_class", choices=_MM7_CLASSES),
                Field("priority", "priority", choices=_PRIORITIES),
                Field("run", "run"),
            ),
        ),
    ),
}
