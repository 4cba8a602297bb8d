"""Reply charging as a handset asks for it: X-Mms-Reply-Charging with its limits, or the id of the MM that is answered
(OMA-TS-MMS_ENC 7.3.43 to 7.3.46; TS 23.140 7.1.7). Whether a reply is paid for is the engine's to say."""

from dataclasses import replace
from typing import Final

from mmsc.domain.instant import DAY, Instant
from mmsc.domain.limits import absolute
from mmsc.domain.message import Submission
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.reply_charging import Offer, kept
from mmsc.gateways.pdus import when_of
from protocols.mm1 import MForwardReq, MSendReq
from protocols.mm1.enums import ReplyCharging

_FARTHEST: Final = 36_500 * DAY  # of a deadline: records and PDUs have to write it
_LARGEST: Final = 1 << 53  # of a size: beyond it, readers of JSON lose digits
_REQUESTS: Final = {ReplyCharging.REQUESTED: False, ReplyCharging.REQUESTED_TEXT_ONLY: True}


def with_reply_charging(submission: Submission, pdu: MSendReq | MForwardReq, now: Instant) -> Submission | Refused:
    """The submission with what its PDU says about replies."""
    if pdu.reply_charging is None and pdu.reply_charging_id is None:
        return submission
    if pdu.reply_charging is not None:
        offer = _offer(submission, pdu, now)
        if isinstance(offer, str):
            return Refused(RefusalReason.REPLY_OFFER_REFUSED, offer)
        submission = replace(submission, details={**submission.details, **kept(offer)})
    return replace(submission, reply_charging_id=pdu.reply_charging_id or "")


def _offer(submission: Submission, pdu: MSendReq | MForwardReq, now: Instant) -> Offer | str:
    """What its sender will pay for; why it means nothing."""
    text_only = None if pdu.reply_charging is None else _REQUESTS.get(pdu.reply_charging)
    if text_only is None:
        return "X-Mms-Reply-Charging is accepted by us, and only requested by who sends"
    if submission.sender_hidden:
        return "whoever hides cannot be replied to"
    size = pdu.reply_charging_size
    if size is not None and not 0 < size <= _LARGEST:
        return f"no reply is of {size} octets"
    when = when_of(pdu.reply_charging_deadline)
    deadline = None if when is None else absolute(when, now)
    if deadline is not None and deadline <= now:
        return "the deadline for replies lies in the past"
    if deadline is not None and deadline - now > _FARTHEST:
        return "the deadline for replies lies more than a hundred years ahead"
    return Offer(text_only, deadline, size)
