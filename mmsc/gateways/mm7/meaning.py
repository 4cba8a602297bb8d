"""What a SubmitReq asks for beyond recipients and content (TS 23.140 8.7.1): the wishes that are kept with the MM,
those that are refused, and what there is to remark about them. `translate.py` has the words, this has their meaning.

A plain request costs one look at its fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from mmsc.clock import Clock
from mmsc.domain.conditions import CONDITIONS, DeliveryCondition, kept
from mmsc.domain.content_class import misfit
from mmsc.domain.drm import protected_parts
from mmsc.domain.instant import DAY, Instant
from mmsc.domain.limits import absolute
from mmsc.domain.message import Relative, Submission
from mmsc.domain.neighbours import Vasp
from mmsc.domain.vasp_policy import PartialSuccess, VaspPolicy
from mmsc.engine.ports import Directory
from mmsc.gateways.content import plausible
from mmsc.gateways.mm7.coded import decoded, is_coded
from mmsc.gateways.mm7.translate import read_time
from protocols.errors import Finding
from protocols.mm7 import CancelReq, Dialect, Mm7Error, ReplaceReq, StatusCode, SubmitReq, meaning_rules

_WISHES: Final = attrgetter(
    *("time_stamp", "reply_charging", "charged_party", "charged_party_id", "delivery_conditions", "applic_id"),
    *("reply_applic_id", "aux_applic_info", "content_class", "drm_content", "distribution_indicator"),
)
_NONE: Final = _WISHES(SubmitReq())
_AUTO: Final = "auto"
_CLASSES: Final = frozenset({"", "personal", "informational", "advertisement", _AUTO})
_ACCEPT: Final = PartialSuccess.ACCEPT  # taken once: an enumeration searches for its member each time that it is named
_PARTIES: Final = frozenset({"sender", "recipient", "both", "neither"})
_THIRD: Final = "thirdparty"
_LONGEST_NUMBER: Final = 10  # digits
_FARTHEST: Final = 36_500 * DAY  # of a deadline: records and PDUs have to write it
_TOLD: Final = 10  # of what is wrong


class House:
    """What requests are held against: the operator's decisions, the VASPs, and the time. `policy` may be set anew."""

    def __init__(self, policy: VaspPolicy, directory: Directory, clock: Clock) -> None:
        self.policy = policy
        self._directory = directory
        self._clock = clock

    @property
    def vasps(self) -> Mapping[str, Vasp]:
        """All of them, by name."""
        return self._directory.vasps

    def now(self) -> Instant:
        """The time of the service."""
        return self._clock.now()


def understood(
    submission: Submission, request: SubmitReq, spoken: Dialect, vasp: Vasp, house: House
) -> tuple[Submission, tuple[Finding, ...]]:
    """The submission as the request means it, and what there is to remark. Raises Mm7Error for what is refused."""
    partial = vasp.partial_success or house.policy.partial_success
    coded = is_coded(request)
    if not coded and partial is _ACCEPT and _is_plain(request):
        return submission, ()
    now = house.now()
    changes: dict[str, Any] = {"partial_success": partial is _ACCEPT}
    findings: list[Finding] = []
    check_application(request, "SubmitReq", vasp, house)
    if coded:
        changes |= decoded(submission, request, vasp)
    given = changes.get("details", submission.details)
    details = {**given, **_flags(request), **_charging_of_replies(request, now)}
    if partial is PartialSuccess.SINGLE_ONLY:
        _refuse_several(submission)
    conditions = _conditions(request, house.policy, findings)
    if conditions:
        details[CONDITIONS] = kept(conditions)
    changes |= _date(request, now, findings)
    changes |= _reports(request, findings)
    _remark_party(request, spoken, findings)
    _judge_content(submission, request, house.policy, findings)
    return replace(submission, **{**changes, "details": details}), tuple(findings)


def _is_plain(request: SubmitReq) -> bool:
    """Whether there is nothing in it that this module is about."""
    known = request.message_class.lower()
    return known in _CLASSES and known != _AUTO and _WISHES(request) == _NONE


def _flags(request: SubmitReq) -> dict[str, str]:
    flags = {"distribution_indicator": request.distribution_indicator, "drm_content": request.drm_content}
    return {name: "true" if value else "false" for name, value in flags.items() if value is not None}


def _refuse_several(submission: Submission) -> None:
    served = sum(not one.display_only for one in submission.recipients)
    if served > 1:
        why = f"{served} recipients, and this server takes one at a time"
        raise Mm7Error(StatusCode.MULTIPLE_ADDRESSES_NOT_SUPPORTED, where="SubmitReq/Recipients", why=why)


# --- application addressing ---


def check_application(request: SubmitReq | ReplaceReq | CancelReq, operation: str, vasp: Vasp, house: House) -> None:
    """Whether the VASP may address these applications. Raises Mm7Error 3004, 2008, 2009 or 4008."""
    named = {"ApplicID": request.applic_id, "ReplyApplicID": request.reply_applic_id}
    if not any(named.values()) and not request.aux_applic_info:
        return
    if not house.policy.application_addressing:
        place = next((name for name, value in named.items() if value), "AuxApplicInfo")
        why = "this server does no application addressing"
        raise Mm7Error(StatusCode.APPLICATION_ADDRESSING_NOT_SUPPORTED, where=f"{operation}/{place}", why=why)
    for name, value in named.items():
        if value and vasp.applic_ids and value not in vasp.applic_ids:
            raise _denied(f"{operation}/{name}", value, vasp, house)


def _denied(where: str, value: str, vasp: Vasp, house: House) -> Mm7Error:
    if any(value in one.applic_ids for one in house.vasps.values()):
        return Mm7Error(StatusCode.APPLICATION_DENIED, where=where, why=f"{value!r} is not for {vasp.name}")
    reply = where.endswith("ReplyApplicID")
    code = StatusCode.REPLY_APPLICATION_ID_NOT_FOUND if reply else StatusCode.APPLICATION_ID_NOT_FOUND
    return Mm7Error(code, where=where, why=f"no application has the id {value!r}")


# --- reply charging ---


def _charging_of_replies(request: SubmitReq, now: Instant) -> dict[str, str]:
    """ReplyCharging as it is kept: octets, and the deadline in µs. Raises Mm7Error 2007 for nonsense."""
    if not request.reply_charging:
        return {}
    found = {"reply_charging": "requested"}
    size = request.reply_charging_size.strip()
    if size:
        if not (size.isascii() and size.isdecimal() and len(size) <= _LONGEST_NUMBER and int(size)):
            raise _corrupt("ReplyCharging/replyChargingSize", f"{size[:40]!r} is no number of octets")
        found["reply_charging_size"] = str(int(size))
    when = read_time(request.reply_deadline.strip(), "SubmitReq/ReplyCharging/replyDeadline")
    if when is not None:
        deadline = absolute(when, now)
        if deadline <= now:
            raise _corrupt("ReplyCharging/replyDeadline", "the deadline lies in the past")
        if deadline - now > _FARTHEST:
            raise _corrupt("ReplyCharging/replyDeadline", "the deadline lies more than a hundred years ahead")
        found["reply_deadline"] = str(deadline)
    return found


def _corrupt(place: str, why: str) -> Mm7Error:
    return Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where=f"SubmitReq/{place}", why=why)


# --- what is remarked ---


def _conditions(request: SubmitReq, policy: VaspPolicy, findings: list[Finding]) -> Iterable[DeliveryCondition]:
    """The delivery conditions that are known here. Raises Mm7Error 2007 for what is no positiveInteger."""
    known: set[DeliveryCondition] = set()
    strange: set[int] = set()
    for text in request.delivery_conditions:
        number = text.strip().removeprefix("+")
        if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER and int(number)):
            raise _corrupt("DeliveryCondition/DC", f"{text[:40]!r} is no positive number")
        condition = policy.condition(int(number))
        if condition is None:
            strange.add(int(number))
        else:
            known.add(condition)
    if strange:
        told = ", ".join(map(str, sorted(strange)[:_TOLD]))
        findings.append(meaning_rules.CONDITION.broken(f"DC {told}: no delivery condition of this server"))
    return known


def _date(request: SubmitReq, now: Instant, findings: list[Finding]) -> dict[str, Any]:
    """TimeStamp as the MM's date, where it can be right (no zone: UTC)."""
    if not request.time_stamp:
        return {}
    try:
        given = read_time(request.time_stamp, "SubmitReq/TimeStamp")
    except Mm7Error:
        given = None
    if given is None or isinstance(given, Relative):
        findings.append(meaning_rules.TIME_STAMP.broken(f"TimeStamp {request.time_stamp[:40]!r} is no dateTime"))
        return {}
    if plausible(given, now) is None:
        where = "future" if given > now else "past"
        findings.append(meaning_rules.TIME_STAMP.broken(f"TimeStamp {request.time_stamp[:40]} lies far in the {where}"))
        return {}
    return {"date": given}


def _reports(request: SubmitReq, findings: list[Finding]) -> dict[str, Any]:
    """Class Auto has no reports (OMA-TS-MMS_ENC 7.3.27)."""
    known = request.message_class.lower()
    if known not in _CLASSES:
        findings.append(
            meaning_rules.MESSAGE_CLASS.broken(f"MessageClass {request.message_class[:40]!r} is none of four")
        )
    if known != _AUTO or not (request.delivery_report or request.read_reply):
        return {}
    findings.append(meaning_rules.AUTO.broken("reports were asked for a message of class Auto: none is sent"))
    return {"delivery_report": False, "read_report": False}


def _remark_party(request: SubmitReq, spoken: Dialect, findings: list[Finding]) -> None:
    party = request.charged_party.lower()
    if not party:
        why = "ChargedPartyID without a ChargedParty" if request.charged_party_id else ""
    elif party == _THIRD:
        why = "ThirdParty is of REL-6" if spoken.is_rel5 else ""
        why = why or ("" if request.charged_party_id else "ThirdParty without a ChargedPartyID")
    else:
        why = "" if party in _PARTIES else f"ChargedParty {request.charged_party[:40]!r} is nobody"
    if why:
        findings.append(meaning_rules.CHARGED_PARTY.broken(why))


def _judge_content(submission: Submission, request: SubmitReq, policy: VaspPolicy, findings: list[Finding]) -> None:
    """ContentClass and DRMContent beside the content. Raises Mm7Error 2004 where the operator refuses a misfit."""
    why = misfit(request.content_class, submission.content) if request.content_class else ""
    if why and policy.content_class_refused:
        raise Mm7Error(StatusCode.MULTIMEDIA_CONTENT_REFUSED, where="SubmitReq/ContentClass", why=why)
    if why:
        findings.append(meaning_rules.CONTENT_CLASS.broken(why))
    if request.drm_content is None:
        return
    protected = protected_parts(submission.content)
    if request.drm_content and not protected:
        findings.append(meaning_rules.DRM_CONTENT.broken("DRMContent is true, and no part is protected"))
    elif protected and not request.drm_content:
        findings.append(meaning_rules.DRM_CONTENT.broken(f"DRMContent is false, and there is {', '.join(protected)}"))
