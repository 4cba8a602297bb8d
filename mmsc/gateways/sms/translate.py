"""Domain words to the PDUs that travel over SMS (OMA-TS-MMS_ENC 6.2, 6.5; SMPP v3.4 5.2.5, 7.1.1.2)."""

from functools import lru_cache
from typing import Final

from mmsc.domain.address import Rewrite, rewritten
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import Job, Mm, Priority, Recipient
from mmsc.gateways.addresses import spelled
from mmsc.gateways.once import OncePerMm, is_for_one
from mmsc.gateways.pdus import class_of
from mmsc.gateways.vasp_fields import report_applications, tells_time, with_vasp_fields
from protocols import mm1
from protocols.mm1 import (
    Alike,
    MDeliveryInd,
    MessageClass,
    MNotificationInd,
    Moment,
    MReadOrigInd,
    ReadStatus,
    alike,
    for_version,
    spoken,
)

_PRIORITIES: Final = {
    Priority.LOW: mm1.Priority.LOW,
    Priority.NORMAL: None,  # the default is not said
    Priority.HIGH: mm1.Priority.HIGH,
}
_STATUSES: Final = {status.name.capitalize(): status for status in mm1.Status}
_MANUAL: Final = mm1.RecommendedRetrievalMode.MANUAL
_LONGEST_VALIDITY: Final = 30 * 86_400


def notification_ind(
    job: Job, mm1_url: str, now: Instant, version: int, manual_above: int = 0, *, append_transaction_id: bool = False
) -> MNotificationInd:
    """The m-notification-ind to a handset of this version, 0 when it is not known; with `plain` in 1.0 form without
    optional fields. Before more than `manual_above` octets (0: never) its user is to be asked. With
    `append_transaction_id` the Content-Location ends where its reader puts the transaction id."""
    mm, recipient = job.stored_mm, job.recipients[0]
    plain = bool(job.payload.get("plain"))
    hidden = mm.sender_hidden or plain
    message_class = class_of(mm.message_class)
    version = mm1.VERSION_1_0 if plain else spoken(version)
    pdu = MNotificationInd(
        mms_version=version,
        transaction_id=recipient.transaction_id,
        from_=None if hidden else spelled(mm.sender),
        subject=None if plain else mm.subject or None,
        delivery_report=None if plain else mm.delivery_report and message_class is not MessageClass.AUTO,
        stored=True if "stored" in job.payload and not plain and version >= mm1.VERSION_1_2 else None,
        message_class=message_class,
        priority=None if plain else _PRIORITIES[mm.priority],
        message_size=mm.size,
        expiry=Moment(_seconds_left(mm, now)),
        content_location=content_location(recipient, mm1_url, append_transaction_id=append_transaction_id),
        recommended_retrieval_mode=_MANUAL if 0 < manual_above < mm.size else None,
    )
    return for_version(pdu if plain else with_vasp_fields(pdu, mm.details, lambda: now), version)


def content_location(recipient: Recipient, mm1_url: str, *, append_transaction_id: bool) -> str:
    """Where a recipient fetches."""
    return f"{mm1_url}/m/{'' if append_transaction_id else recipient.token}"


def _seconds_left(mm: Mm, now: Instant) -> int:
    return max(1, (mm.expires_at - now) // SECOND)


class Notifications:
    """The octets of m-notification-inds."""

    def __init__(self) -> None:
        self._common: OncePerMm[Alike] = OncePerMm()

    def octets(
        self, job: Job, mm1_url: str, now: Instant, version: int, manual_above: int, *, append_transaction_id: bool
    ) -> bytes:
        """Those of `notification_ind`. Raises EncodeError."""
        mm, recipient = job.stored_mm, job.recipients[0]

        def pdu() -> MNotificationInd:
            return notification_ind(
                job, mm1_url, now, version, manual_above, append_transaction_id=append_transaction_id
            )

        if is_for_one(mm) or tells_time(mm.details):
            return mm1.encode(pdu())
        variant = (version, job.payload.get("plain"), "stored" in job.payload, manual_above, _seconds_left(mm, now))
        common = self._common.of(mm, variant, lambda: alike(pdu()))
        location = content_location(recipient, mm1_url, append_transaction_id=append_transaction_id)
        return common.octets(recipient.transaction_id, location)


def delivery_ind(job: Job, word: str, date: Instant, version: int, text: str = "") -> MDeliveryInd:
    """The m-delivery-ind to an originator whose handset spoke this version, 0 when it is not known. No From: readers
    would take it for a sender."""
    mm = job.stored_mm
    pdu = MDeliveryInd(
        mms_version=spoken(version),
        message_id=mm.message_id,
        to=(spelled(job.recipients[0].address),),
        date=date // SECOND,
        status=_STATUSES[word],
        status_text=text or None,
        **report_applications(mm.details),
    )
    return for_version(pdu, spoken(version))


def read_orig_ind(job: Job, date: Instant, version: int, *, read: bool) -> MReadOrigInd:
    """The m-read-orig-ind to an originator whose handset spoke this version, 1.1 at least, 0 when it is not known; not
    `read`: deleted without being read. From is the reader, in the clear."""
    mm = job.stored_mm
    pdu = MReadOrigInd(
        mms_version=spoken(version),
        message_id=mm.message_id,
        to=(spelled(mm.sender),),
        from_=spelled(job.recipients[0].address),
        date=date // SECOND,
        read_status=ReadStatus.READ if read else ReadStatus.DELETED_WITHOUT_BEING_READ,
        **report_applications(mm.details),
    )
    return for_version(pdu, spoken(version))


def numbering(number: str, rewrites: tuple[Rewrite, ...] = ()) -> tuple[int, int, str]:
    """(TON, NPI, digits): international ISDN without +, short codes abbreviated (SMPP v3.4 5.2.5, 5.2.6). A number that
    the SMSC wants in a form of its own is of unknown type: the SMSC's plan says what it is."""
    if not number.startswith("+"):
        return 6, 0, number
    wanted = rewritten(number, rewrites)
    return (1, 1, wanted[1:]) if wanted.startswith("+") else (0, 1, wanted)


@lru_cache(maxsize=256)  # notifications are repeated after a few spans
def validity(seconds: int) -> str:
    """A relative validity_period (SMPP v3.4 7.1.1.2); "" leaves it to the SMSC."""
    if seconds <= 0:
        return ""
    days, rest = divmod(min(seconds, _LONGEST_VALIDITY), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    return f"0000{days:02d}{hours:02d}{minutes:02d}{rest:02d}000R"
