"""What a VASP, or another subscriber, wanted the recipient's handset to know, and who had the MM before, as fields of
an m-notification-ind and an m-retrieve-conf (OMA-TS-MMS_ENC 6.2, 6.3). It stands in the MM's details by the names of
MM7 (TS 23.140 8.7.1)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from mmsc.domain import reply_charging
from mmsc.domain.address import Address
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.sendings import SENT_BEFORE, sent_before
from mmsc.gateways.addresses import spelled
from protocols.mm1 import ContentClass, Counted, CountedDate, MessageType, MNotificationInd, Moment, MRetrieveConf
from protocols.mm1.enums import ReplyCharging, in_words

P = TypeVar("P", MNotificationInd, MRetrieveConf)

_TEXTS: Final = ("applic_id", "reply_applic_id", "aux_applic_info", "replace_id")
_CLASSES: Final = {in_words(one): one for one in ContentClass}
_REPLIES: Final = frozenset({reply_charging.OFFERED, reply_charging.PAID_BY})
_CARRIED: Final = frozenset({*_TEXTS, "content_class", "drm_content", "distribution_indicator", *_REPLIES, SENT_BEFORE})


def with_vasp_fields(pdu: P, details: Mapping[str, str], now: Callable[[], Instant] | None = None) -> P:
    """The PDU with them, whatever its version has: `for_version` comes after it. A deadline is told as seconds from
    `now`; as a date where there is no `now`."""
    if _CARRIED.isdisjoint(details):
        return pdu
    flags = _flag(details, "distribution_indicator") | _flag(details, "drm_content")
    way = _previously_sent(details) if pdu.message_type is MessageType.M_RETRIEVE_CONF else {}
    return replace(pdu, **_reply_charging(details, now), **_texts(details), **flags, **way)


def tells_time(details: Mapping[str, str]) -> bool:
    """Whether what is told of them depends on when: of a deadline, the seconds that are left."""
    return reply_charging.OFFERED in details


def _reply_charging(details: Mapping[str, str], now: Callable[[], Instant] | None) -> dict[str, Any]:
    """A reply costs its sender nothing: who asked for that is served (7.3.43), until the deadline is over. And which MM
    it is that a reply was paid for by (7.3.45)."""
    fields: dict[str, Any] = {}
    if reply_charging.ANSWERS in details and details.get(reply_charging.PAID_BY) == "recipient":
        fields["reply_charging_id"] = details[reply_charging.ANSWERS]
    offer = reply_charging.offer_of(details)
    if offer is None:
        return fields
    if offer.deadline is not None:
        if now is None:
            fields["reply_charging_deadline"] = Moment(offer.deadline // SECOND, relative=False)
        elif (left := (offer.deadline - now()) // SECOND) > 0:
            fields["reply_charging_deadline"] = Moment(left)
        else:
            return fields
    accepted = ReplyCharging.ACCEPTED_TEXT_ONLY if offer.text_only else ReplyCharging.ACCEPTED
    fields["reply_charging"] = accepted
    if offer.size is not None:
        fields["reply_charging_size"] = offer.size
    return fields


def _previously_sent(details: Mapping[str, str]) -> dict[str, Any]:
    """1 is the first sending (7.3.23, 7.3.24); whoever hides has a date and no name."""
    if SENT_BEFORE not in details:
        return {}
    way = list(enumerate(sent_before(details), 1))
    by = [Counted(count, spelled(Address.of(one.address))) for count, one in way if one.address]
    dates = [CountedDate(count, one.at // SECOND) for count, one in way if one.at is not None]
    return {"previously_sent_by": tuple(by), "previously_sent_date": tuple(dates)}


def _texts(details: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: details[name] for name in _TEXTS if name in details}
    content_class = _CLASSES.get(details.get("content_class", "").lower())
    if content_class is not None:
        fields["content_class"] = content_class
    return fields


def _flag(details: Mapping[str, str], name: str) -> dict[str, Any]:
    return {name: details[name] == "true"} if name in details else {}


def report_applications(details: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a report about an MM that named applications: the first is to whom replies go, as in a
    DeliveryReportReq (OMA-TS-MMS_ENC 7.3.2, 7.3.42)."""
    asked, replies = details.get("applic_id"), details.get("reply_applic_id")
    fields = {
        "applic_id": replies or asked,
        "reply_applic_id": asked if replies and asked != replies else None,
        "aux_applic_info": details.get("aux_applic_info"),
    }
    return {name: value for name, value in fields.items() if value}
