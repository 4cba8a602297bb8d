"""What a PDU as a whole should be, and is read without (OMA-TS-MMS_ENC 6, 7): looked at after the walk, at little cost
where nothing is odd."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from protocols.mm1 import mbox_pdus, pdus, rules
from protocols.mm1.catalogue import PDUS
from protocols.mm1.enums import INSERT_ADDRESS, VERSION_1_0, VERSION_1_3, ResponseStatus
from protocols.mm1.headers import BY_ATTRIBUTE, HEADERS
from protocols.mm1.pdu import Pdu
from protocols.mm1.walk import Walk

_Values = Mapping[str, Any]

LISTED: Final[Mapping[type[Pdu], frozenset[str]]] = {
    cls: frozenset(one.name for one in fields(cls)) - {"unknown", "body"} | {"message_type"} for cls in PDUS
}
_NOTHING: Final = frozenset[str]()
_NEWER: Final = {  # attributes of fields that a version does not have
    version: frozenset(row.attribute for row in HEADERS if row.since > version)
    for version in range(VERSION_1_0, VERSION_1_3)
}


def look(found: Walk, cls: type[Pdu]) -> bool:
    """Remark what is odd about a PDU of this class. False when it has fields that the class does not list."""
    values = found.values
    listed = values.keys() <= LISTED[cls]
    if not listed:
        _unlisted(found, cls)
    version = values.get("mms_version")
    if version is None:
        found.reader.remark(rules.NO_VERSION.broken("no X-Mms-MMS-Version: read as 1.0"))
    elif version < VERSION_1_3 and not (version >= cls.since and _NEWER.get(version, _NOTHING).isdisjoint(values)):
        _newer(found, cls, version)
    _check_order(found, cls)
    for check in _CHECKS.get(cls, ()):
        check(found, values)
    return listed


def _unlisted(found: Walk, cls: type[Pdu]) -> None:
    listed = LISTED[cls]
    for one in found.fields:
        if one.row is None or one.row.attribute in listed:
            continue
        if one.row.attribute == "bcc" and cls in _TO_RECIPIENTS:
            found.reader.remark(rules.BCC.broken("Bcc in a PDU to a recipient", one.start))
        else:
            remark = f"{one.row.wire_name} does not belong into an {_name(cls)}: kept as it came"
            found.reader.remark(rules.UNLISTED.broken(remark, one.start, one.row.clause))


def _newer(found: Walk, cls: type[Pdu], version: int) -> None:
    told = f"{version >> 4}.{version & 15}"
    if version < cls.since and not _is_answer(cls):
        remark = f"{_name(cls)} came with {cls.since >> 4}.{cls.since & 15}, X-Mms-MMS-Version is {told}"
        found.reader.remark(rules.NEWER.broken(remark, 0))
    listed = LISTED[cls]
    for one in found.fields:
        if one.row is not None and max(version, cls.since) < one.row.since and one.row.attribute in listed:
            since = f"{one.row.since >> 4}.{one.row.since & 15}"
            remark = f"{one.row.wire_name} came with {since}, X-Mms-MMS-Version is {told}"
            found.reader.remark(rules.NEWER.broken(remark, one.start))


def _is_answer(cls: type[Pdu]) -> bool:
    """A confirmation is of the version of its request, whatever that was (7)."""
    return cls.message_type.name.endswith("_CONF")


def _check_order(found: Walk, cls: type[Pdu]) -> None:
    has_transaction = "transaction_id" in found.values and "transaction_id" in LISTED[cls]
    first = ("message_type", "transaction_id", "mms_version") if has_transaction else ("message_type", "mms_version")
    for name, (row, _, start, _) in zip(first, found.places, strict=False):
        if (row is None or row.attribute != name) and name in found.values:
            remark = f"{BY_ATTRIBUTE[name].wire_name} is not where it belongs: "
            remark += "X-Mms-Message-Type, X-Mms-Transaction-ID and X-Mms-MMS-Version come first, in this order"
            found.reader.remark(rules.ORDER.broken(remark, start))
            return


def _name(cls: type[Pdu]) -> str:
    return cls.message_type.name.lower().replace("_", "-")


def _at(found: Walk, *names: str) -> int:
    """Where the first of these fields is."""
    return next((one.start for one in found.fields if one.row is not None and one.row.attribute in names), -1)


def _is_relative(found: Walk, values: _Values) -> None:
    expiry = values.get("expiry")
    if expiry is not None and not expiry.relative:
        found.reader.remark(rules.ABSOLUTE.broken("an absolute time", _at(found, "expiry")))


def _has_an_address(found: Walk, values: _Values) -> None:
    if values.get("from_") is INSERT_ADDRESS:
        found.reader.remark(rules.INSERT.broken("From has the insert-address-token", _at(found, "from_")))


def _is_stored(found: Walk, values: _Values) -> None:
    if ("mm_state" in values or "mm_flags" in values) and not values.get("store"):
        remark = "a state or flags without X-Mms-Store: Yes"
        found.reader.remark(rules.STORE.broken(remark, _at(found, "mm_state", "mm_flags")))


def _is_charged(found: Walk, values: _Values) -> None:
    if "reply_charging" not in values and ("reply_charging_deadline" in values or "reply_charging_size" in values):
        remark = "a deadline or a size without X-Mms-Reply-Charging"
        offset = _at(found, "reply_charging_deadline", "reply_charging_size")
        found.reader.remark(rules.CHARGING.broken(remark, offset))


def _has_a_recipient(found: Walk, values: _Values) -> None:
    if "to" not in values and "cc" not in values and "bcc" not in values:
        found.reader.remark(rules.NOBODY.broken("neither To nor Cc nor Bcc"))


def _has_a_message_id(found: Walk, values: _Values) -> None:
    if values.get("response_status") is ResponseStatus.OK and not values.get("message_id"):
        found.reader.remark(rules.NO_MESSAGE_ID.broken("Ok without a Message-ID"))


def _is_wap_multipart(found: Walk, values: _Values) -> None:
    content_type = values.get("content_type")
    if content_type is not None and content_type.media_type.startswith("multipart/"):
        remark = f"Content-Type is {content_type.media_type[:60]}"
        found.reader.remark(rules.BODY.broken(remark, _at(found, "content_type")))


_Check = Callable[[Walk, _Values], None]
_TO_RECIPIENTS: Final = (pdus.MNotificationInd, pdus.MRetrieveConf)
_CHECKS: Final[Mapping[type[Pdu], tuple[_Check, ...]]] = {
    pdus.MSendReq: (_has_a_recipient, _is_stored, _is_charged, _is_wap_multipart),
    pdus.MSendConf: (_has_a_message_id,),
    pdus.MNotificationInd: (_has_an_address, _is_relative, _is_charged),
    pdus.MRetrieveConf: (_has_an_address, _is_charged, _is_wap_multipart),
    pdus.MReadOrigInd: (_has_an_address,),
    pdus.MForwardReq: (_has_a_recipient, _is_stored, _is_charged),
    pdus.MForwardConf: (_has_a_message_id,),
    mbox_pdus.MMboxDescr: (_is_charged,),
}
