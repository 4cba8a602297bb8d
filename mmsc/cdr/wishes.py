"""What a VASP asked for about charging and redistribution, as fields of records (TS 23.140 7.1.7, 8.7.1; TS 32.298)."""

from mmsc.cdr.forms import timestamp
from mmsc.cdr.happened import Fields, Happened
from mmsc.domain.message import Mm
from mmsc.domain.reply_charging import PAID_BY


def reply_charging(mm: Mm) -> Fields:
    """What the originator asked for about replies (TS 23.140 7.1.7)."""
    asked, size, deadline = (
        mm.details.get(name) for name in ("reply_charging", "reply_charging_size", "reply_deadline")
    )
    return {
        "replyCharging": True if asked else None,
        "replyDeadline": timestamp(int(deadline)) if deadline else None,
        "replyChargingSize": int(size) if size else None,
    }


def reply_is_paid(mm: Mm) -> Fields | None:
    """Who pays for a reply that is within its MM's offer: whoever gets it, who made the offer."""
    paid = mm.origin.interface == "mm1" and mm.details.get(PAID_BY) == "recipient"
    return {"chargedparty": "recipient"} if paid else None


def distribution(mm: Mm) -> bool | None:
    """DistributionIndicator, None where the VASP said nothing."""
    flag = mm.details.get("distribution_indicator")
    return None if flag is None else flag == "true"


def third_party(name: str, happened: Happened) -> dict[str, str]:
    """Who pays for a submission, where ChargedParty of the record has no word for him (TS 23.140 8.7.1, REL-6)."""
    details = happened.mm.details if name == "7S" and happened.mm is not None else {}
    if details.get("charged_party", "").lower() != "thirdparty":
        return {}
    return {"chargedParty": "thirdParty", "chargedPartyID": details.get("charged_party_id", "")}
