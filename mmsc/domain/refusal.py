"""Why a submission is refused, in domain words; each gateway has one table from these to its own status."""

from enum import StrEnum
from typing import Final

from protocols.records import record


class RefusalReason(StrEnum):
    """The reasons; the comment says what the submitter should do."""

    NO_RECIPIENTS = "no_recipients"  # name somebody
    ADDRESS_MALFORMED = "address_malformed"  # every recipient named is no address
    RECIPIENT_UNKNOWN = "recipient_unknown"  # no route, or not a subscriber
    TOO_MANY_RECIPIENTS = "too_many_recipients"
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    SENDER_UNRESOLVED = "sender_unresolved"
    TOO_LARGE = "too_large"
    CONTENT_REFUSED = "content_refused"
    CONTENT_CORRUPT = "content_corrupt"
    EXPIRY_PAST = "expiry_past"
    LINKED_ID_UNKNOWN = "linked_id_unknown"  # no MM that was delivered to this VASP has it (TS 23.140 8.7.1)
    MM_UNKNOWN = "mm_unknown"  # nothing is to be had at the location that is to be forwarded (OMA-TS-MMS_ENC 7.3.48)
    REPLY_LIMITS = "reply_limits"  # a reply that the sender of the MM does not pay for (TS 23.140 7.1.7)
    REPLY_OFFER_REFUSED = "reply_offer_refused"  # an offer to pay for replies that means nothing
    REPLY_OFFER_FORWARDED = "reply_offer_forwarded"  # forward it without reply charging
    REPLY_CHARGING_OFF = "reply_charging_off"  # not done here, by setting
    FORWARDED_TOO_OFTEN = "forwarded_too_often"  # a loop (TS 23.140 8.4.1.4, X-Mms-Forward-Counter)
    NOT_IDENTIFIED = "not_identified"  # who submits is unknown, or not who it says
    NOT_OFFERED = "not_offered"  # leave out what it asks for: it is not done here, or not for this VASP
    REPORT_IMPOSSIBLE = "report_impossible"  # a report is asked for, and there is no address for it
    NO_CREDIT = "no_credit"  # buy some
    TOO_FAST = "too_fast"  # later
    BUSY = "busy"  # later
    STORE_UNAVAILABLE = "store_unavailable"  # later
    SERVER_FAILED = "server_failed"  # later: our bug

    @property
    def is_transient(self) -> bool:
        """True when the same request may succeed later."""
        return self in _TRANSIENT


_TRANSIENT: Final = (
    RefusalReason.TOO_FAST,
    RefusalReason.BUSY,
    RefusalReason.STORE_UNAVAILABLE,
    RefusalReason.SERVER_FAILED,
)


@record(frozen=True, slots=True)
class Refused:
    """Nothing was kept. `because` is for people; `address` is the recipient at fault, if one is."""

    reason: RefusalReason
    because: str
    address: str = ""
