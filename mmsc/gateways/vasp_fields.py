"""What a VASP, or another subscriber, wanted the recipient's handset to know, as fields of an m-notification-ind and an
m-retrieve-conf (OMA-TS-MMS_ENC 6.2, 6.3). It stands in the MM's details by the names of MM7 (TS 23.140 8.7.1)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from mmsc.domain.instant import SECOND
from protocols.mm1 import ContentClass, MNotificationInd, Moment, MRetrieveConf
from protocols.mm1.enums import ReplyCharging, in_words

P = TypeVar("P", MNotificationInd, MRetrieveConf)

_TEXTS: Final = ("applic_id", "reply_applic_id", "aux_applic_info")
_CLASSES: Final = {in_words(one): one for one in ContentClass}
_CARRIED: Final = frozenset({*_TEXTS, "content_class", "drm_content", "distribution_indicator", "reply_charging"})


def with_vasp_fields(pdu: P, details: Mapping[str, str]) -> P:
    """The PDU with them, whatever its version has: `for_version` comes after it."""
    if _CARRIED.isdisjoint(details):
        return pdu
    flags = _flag(details, "distribution_indicator") | _flag(details, "drm_content")
    return replace(pdu, **_reply_charging(details), **_texts(details), **flags)


def _reply_charging(details: Mapping[str, str]) -> dict[str, Any]:
    """A reply costs its sender nothing: who asked for that is served (7.3.43)."""
    if "reply_charging" not in details:
        return {}
    fields: dict[str, Any] = {"reply_charging": ReplyCharging.ACCEPTED}
    if "reply_deadline" in details:
        fields["reply_charging_deadline"] = Moment(int(details["reply_deadline"]) // SECOND, relative=False)
    if "reply_charging_size" in details:
        fields["reply_charging_size"] = int(details["reply_charging_size"])
    return fields


def _texts(details: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: details[name] for name in _TEXTS if name in details}
    content_class = _CLASSES.get(details.get("content_class", "").lower())
    if content_class is not None:
        fields["content_class"] = content_class
    return fields


def _flag(details: Mapping[str, str], name: str) -> dict[str, Any]:
    return {name: details[name] == "true"} if name in details else {}
