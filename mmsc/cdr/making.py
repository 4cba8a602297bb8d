"""Makes the records of one committed event out of the event and its MM. Pure: the same event gives the same records."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mmsc.cdr import wishes
from mmsc.cdr.forms import address, timestamp
from mmsc.cdr.happened import Fields, Happened, House
from mmsc.cdr.records import BY_NAME
from mmsc.cdr.request_status import ABNORMAL, status_of_peer, status_of_vasp
from mmsc.cdr.triggers import PEER_REPORTS, names_of
from mmsc.domain.message import Mm
from mmsc.domain.reports import status_of, told_status_of
from mmsc.domain.states import RecipientState
from mmsc.ids import to_text
from mmsc.trace import events as trace

_OK: Final = "Ok"
_PARTIAL: Final = "Ok, some recipients refused"
_PARTIAL_CHANGE: Final = "Ok, too late for some recipients"
_CHARGED: Final = MappingProxyType({"sender": "sender", "recipient": "recipient", "both": "both", "neither": "neither"})
_ORDER: Final = {name: tuple(one.name for one in known.fields) for name, known in BY_NAME.items()}
_MANDATORY: Final = {
    name: frozenset(one.name for one in known.fields if one.mandatory) for name, known in BY_NAME.items()
}


Maker = Callable[[Happened, House], Fields]


def records_of(happened: Happened, house: House) -> list[Fields]:
    """The records that the event makes, fields in the order of the table; all but localSequenceNumber is set.

    An event whose MM is in the database no more makes none."""
    names = names_of(happened.data)
    if happened.mm is None and not isinstance(happened.data, trace.MmDeleted):
        return []
    return [_finished(name, _MAKERS[name](happened, house), happened, house) for name in names]


def _finished(name: str, made: Fields, happened: Happened, house: House) -> Fields:
    made["recordTimeStamp"] = timestamp(happened.at)
    ordered: Fields = {"recordType": name}
    for field_name in _ORDER[name]:
        value = made.get(field_name)
        if value is not None:
            ordered[field_name] = value
    missing = _MANDATORY[name] - ordered.keys()
    assert not missing, f"{name} without {', '.join(missing)}"
    ordered["recordExtensions"] = {
        "eventID": to_text(happened.event_id),
        "node": house.node,
        **wishes.third_party(name, happened),
    }
    return ordered


def _line(text: str) -> str | None:
    return " ".join(text.split()) or None


def _size(happened: Happened) -> int:
    """Octets of the media: what both sides of an interface agree about, however each of them packs it."""
    return sum(part.length for part in happened.parts) if happened.parts else happened.stored_mm.size


def _content(happened: Happened) -> Fields:
    mm = happened.stored_mm
    components = [
        {"component": "media", "type": part.content_type.partition(";")[0].strip(), "size": part.length}
        for part in happened.parts
    ]
    if mm.subject:
        components.insert(0, {"component": "subject", "type": "text/plain", "size": len(mm.subject.encode())})
    return {
        "contentType": mm.content_type.partition(";")[0].strip(),
        "mmComponentType": components or None,
        "messageSize": _size(happened),
        "messageClass": mm.message_class or None,
    }


def _wishes(mm: Mm) -> Fields:
    return {
        "timeOfExpiry": timestamp(mm.expires_at),
        "deliveryReportRequested": mm.delivery_report,
        "readReplyRequested": mm.read_report,
        "priority": mm.priority.name.lower(),
        "senderVisibility": not mm.sender_hidden,
    }


def _came_from(mm: Mm, house: House) -> str:
    """The MMSC of the originator: ours, or the one that forwarded the MM."""
    if mm.origin.interface != "mm4":
        return house.domain
    system = mm.details.get("mm4_originator_system", "").rpartition("@")[2]
    return system or house.peer(mm.origin.neighbour)


def _vasp(mm: Mm) -> Fields:
    if mm.origin.interface != "mm7":
        return {}
    return {"vaspID": mm.details.get("vasp_id") or mm.origin.neighbour, "vasID": mm.details.get("vas_id", "")}


def _ends(happened: Happened, house: House) -> Fields:
    """Originator and recipient of an event about one of the recipients."""
    mm = happened.stored_mm
    return {
        "originatorMmsRSAddress": _came_from(mm, house),
        "recipientMmsRSAddress": house.peer(happened.peer) if happened.peer else house.domain,
        "messageID": mm.message_id,
        "originatorAddress": address(mm.sender.value),
        "senderAddress": address(mm.sender.value),
        "recipientAddress": address(happened.recipient),
    }


def _submitted(happened: Happened, house: House) -> Fields:
    mm = happened.stored_mm
    return {
        **_content(happened),
        **_wishes(mm),
        **wishes.reply_charging(mm),
        "originatorMmsRSAddress": house.domain,
        "messageID": mm.message_id,
        "replyChargingID": mm.details.get("reply_charging_id"),
        "originatorAddress": address(mm.sender.value),
        "recipientAddresses": [address(one, role) for one, role in happened.recipients],
        "submissionTime": timestamp(mm.submitted_at),
        "earliestTimeOfDelivery": None if mm.deliver_at is None else timestamp(mm.deliver_at),
        "chargeInformation": wishes.reply_is_paid(mm),
        "requestStatusCode": 0,
        "statusText": _PARTIAL if happened.refused else _OK,
    }


def _forwarded_on(happened: Happened, house: House) -> Fields:
    """A recipient had an MM sent on; the record is about the MM that was made of it, and refers to the one he had."""
    accepted = happened.data
    assert isinstance(accepted, trace.MmAccepted)
    return {
        **_submitted(happened, house),
        "forwardingMmsRSAddress": house.domain,
        "forwardingAddress": address(happened.stored_mm.sender.value),
        "messageReference": accepted.forwards,
        "mmStatusCode": "forwarded",
    }


def _submitted_by_vasp(happened: Happened, house: House) -> Fields:
    details = happened.stored_mm.details
    asked = details.get("charged_party", "").lower()
    charged = _CHARGED.get(asked, "" if asked else "notspecifiedbyVASP")
    return {
        **_submitted(happened, house),
        **_vasp(happened.stored_mm),
        "linkedID": details.get("linked_id"),
        "serviceCode": details.get("service_code"),
        "chargeInformation": {"chargedparty": charged} if charged else None,
        "messageDistributionIndicator": wishes.distribution(happened.stored_mm),
    }


def _forward_received(happened: Happened, house: House) -> Fields:
    mm = happened.stored_mm
    return {
        **_submitted(happened, house),
        "originatorMmsRSAddress": _came_from(mm, house),
        "recipientMmsRSAddress": house.domain,
        "mms3GPPVersion": mm.details.get("mm4_version") or None,
        "submissionTime": timestamp(mm.date),
        "acknowledgementRequest": mm.details.get("mm4_ack_request") == "1",
        "forwardCounter": mm.forward_counter,
    }


def _forward_sent(happened: Happened, house: House) -> Fields:
    mm, sent = happened.stored_mm, happened.data
    assert isinstance(sent, trace.ForwardSent)
    return {
        **_content(happened),
        **_wishes(mm),
        "originatorMmsRSAddress": house.domain,
        "recipientMmsRSAddress": house.peer(sent.peer),
        "messageID": mm.message_id,
        "originatorAddress": address(mm.sender.value),
        "recipientAddresses": [address(one) for one in sent.recipients],
        "submissionTime": timestamp(mm.date),
        "acknowledgementRequest": sent.answer_expected,
        "forwardCounter": mm.forward_counter + 1,
    }


def _forward_answered(happened: Happened, house: House) -> Fields:
    answer = happened.data
    assert isinstance(answer, trace.ForwardAnswered)
    return {
        "originatorMmsRSAddress": house.domain,
        "recipientMmsRSAddress": house.peer(answer.peer),
        "messageID": happened.stored_mm.message_id,
        "requestStatusCode": status_of_peer(answer.status),
        "statusText": _line(answer.because),
    }


def _peer_reported(happened: Happened, house: House) -> Fields:
    moved = happened.data
    assert isinstance(moved, trace.RecipientMoved)
    return {
        **_ends(happened, house),
        "originatorMmsRSAddress": house.domain,
        "mmDateAndTime": timestamp(moved.dated or happened.at),
        "acknowledgementRequest": moved.ack_asked,
        "mmStatusCode": PEER_REPORTS[moved.happening],
        "statusText": _line(moved.because),
    }


def _notified(happened: Happened, house: House) -> Fields:
    mm = happened.stored_mm
    return {
        **_content(happened),
        **_wishes(mm),
        **wishes.reply_charging(mm),
        **_vasp(mm),
        **_ends(happened, house),
        "replyChargingID": mm.details.get("reply_charging_id"),
        "messageReference": _reference(happened),
    }


def _reference(happened: Happened) -> str:
    """The MM as this recipient has it. Not its URL, which is the key to its content."""
    return to_text(happened.recipient_id or 0)


def _notification_answered(happened: Happened, house: House) -> Fields:
    moved = happened.data
    assert isinstance(moved, trace.RecipientMoved)
    return {**_ends(happened, house), "reportAllowed": not moved.report_denied, "mmStatusCode": moved.after}


def _retrieved(happened: Happened, house: House) -> Fields:
    mm = happened.stored_mm
    return {**_notified(happened, house), "submissionTime": timestamp(mm.date)}


def _reported(happened: Happened, house: House) -> Fields:
    """A delivery report that we sent. The words of the three interfaces differ in what MMStatusCodeType cannot tell."""
    told = happened.data
    assert isinstance(told, trace.ReportDelivered)
    word = told_status_of(RecipientState(told.state)).mm4 or "Rejected"  # MM7's DeliveryConditionNotMet
    return {
        **_ends(happened, house),
        "acknowledgementRequest": False,
        "mmStatusCode": word.lower(),
        "requestStatusCode": 0,
        "statusText": None,
    }


def _changed(happened: Happened, house: House) -> Fields:
    """A cancel or replace that was answered; a replace has changed the MM already."""
    mm, answer = happened.stored_mm, happened.data
    assert isinstance(answer, trace.ChangeAnswered)
    return {
        **_submitted(happened, house),
        **_vasp(mm),
        "serviceCode": mm.details.get("service_code"),
        "submissionTime": timestamp(mm.date),
        "requestStatusCode": 0 if answer.done else ABNORMAL,
        "statusText": (_PARTIAL_CHANGE if answer.late else _OK) if answer.done else "Not Possible",
    }


def _report_answered(happened: Happened, house: House) -> Fields:
    answer = happened.data
    assert isinstance(answer, trace.ReportAnswered)
    return {
        "recipientMmsRSAddress": house.domain,
        "originatorMmsRSAddress": house.peer(answer.peer),
        "messageID": answer.message_id,
        "requestStatusCode": status_of_peer(answer.status),
        "statusText": _line(answer.text),
    }


def _delivered(happened: Happened, house: House) -> Fields:
    """MM7_deliver, request and response."""
    mm, told = happened.stored_mm, happened.data
    assert isinstance(told, trace.DeliverAnswered)
    return {
        **_content(happened),
        **_ends(happened, house),
        "recipientMmsRSAddress": house.domain,
        "linkedID": told.linked_id,
        "replyChargingID": mm.details.get("reply_charging_id"),
        "priority": mm.priority.name.lower(),
        "serviceCode": told.service_code or None,
        "requestStatusCode": 0 if told.taken else status_of_vasp(told.status),
        "statusText": _line(told.text),
    }


def _read_reported(happened: Happened, house: House) -> Fields:
    told = happened.data
    assert isinstance(told, trace.ReadReported)
    return {
        **_ends(happened, house),
        "mmDateAndTime": timestamp(told.read_at),
        "readStatus": "read" if told.read else "deletedWithoutBeingRead",
        "requestStatusCode": 0,
    }


def _read(happened: Happened, house: House) -> Fields:
    said = happened.data
    assert isinstance(said, trace.MmRead)
    return {**_ends(happened, house), "mmStatusCode": "read" if said.read else "deletedWithoutBeingRead"}


def _deleted(happened: Happened, house: House) -> Fields:
    gone = happened.data
    assert isinstance(gone, trace.MmDeleted)
    return {
        "originatorMmsRSAddress": gone.originator_system or house.domain,
        "recipientMmsRSAddress": house.domain if gone.interface == "mm4" else None,
        "messageID": gone.message_id,
        "messageSize": gone.size_octets,
        "mmStatusCode": _status_word(gone.state),
    }


def _status_word(state: str) -> str | None:
    return status_of(RecipientState(state)).mm4.lower() or None if state in set(RecipientState) else None


_MAKERS: Final[Mapping[str, Maker]] = MappingProxyType(
    {
        "O1S": _submitted,
        "7S": _submitted_by_vasp,
        "R4F": _forward_received,
        "F": _forwarded_on,
        "O4FRq": _forward_sent,
        "O4FRs": _forward_answered,
        "O4D": _peer_reported,
        "R1NRq": _notified,
        "R1NRs": _notification_answered,
        "R1Rt": _retrieved,
        "R1A": _notification_answered,
        "R1RR": _read,
        "O1D": _reported,
        "R4DRq": _reported,
        "7C": _changed,
        "7R": _changed,
        "7DRRq": _reported,
        "7DRRs": _reported,
        "R4DRs": _report_answered,
        "7DRq": _delivered,
        "7DRs": _delivered,
        "O1R": _read_reported,
        "7RRq": _read_reported,
        "7RRs": _read_reported,
        "OMD": _deleted,
        "RMD": _deleted,
    }
)
