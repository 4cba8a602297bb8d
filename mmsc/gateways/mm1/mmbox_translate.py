"""The MMBox's words: states, flags, locations and entries as MM1's PDUs have them, and back (OMA-TS-MMS_ENC 6, 7.3)."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from mmsc.domain.address import Address
from mmsc.domain.box_entry import BoxEntry, Told
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import Content, Priority
from mmsc.domain.mmbox import BoxFlags, BoxState, Keeping, NotKept, Selection
from mmsc.engine.box_ports import Place
from mmsc.gateways.addresses import spelled
from mmsc.gateways.content import plausible
from mmsc.gateways.pdus import PRIORITY_OF, class_name, class_of, content_in
from mmsc.gateways.vasp_fields import with_vasp_fields
from protocols import mm1
from protocols.content_type import ContentType
from protocols.forms import UnknownHeader
from protocols.mm1 import Flagged, MMboxDescr, MmState, Moment, MRetrieveConf, ResponseStatus, StoreStatus
from protocols.mm1.headers import BY_NUMBER
from protocols.wsp.primitives import decode_octets

ADD: Final = 0x80  # tokens of X-Mms-MM-Flags (7.3.32)
REMOVE: Final = 0x81
FILTER: Final = 0x82
MESSAGES: Final = 0x80  # tokens of X-Mms-Mbox-Totals and -Quotas (7.3.25, 7.3.26)
OCTETS: Final = 0x81
CONTENT: Final = 0x2E  # attributes that are no fields (7.3.1)
ADDITIONAL_HEADERS: Final = 0x30
_STATES: Final = {
    MmState.DRAFT: BoxState.DRAFT,
    MmState.SENT: BoxState.SENT,
    MmState.NEW: BoxState.NEW,
    MmState.RETRIEVED: BoxState.RETRIEVED,
    MmState.FORWARDED: BoxState.FORWARDED,
}
STATE_OF: Final = {ours: theirs for theirs, ours in _STATES.items()}
_DOMAIN_PRIORITY: Final = {theirs: ours for ours, theirs in PRIORITY_OF.items()}
# What follows is not looked at: a search that went on to the end from each start would take time in its square.
_LOCATION: Final = re.compile(r"/([bm])/([A-Za-z0-9_-]{1,100}+)(?=[/?#]|\Z)")
_TYPE: Final = re.compile(r"/TYPE=[A-Za-z0-9]+\Z", re.IGNORECASE)

STORE_STATUS: Final[Mapping[NotKept, StoreStatus]] = MappingProxyType(
    {
        NotKept.NOT_OFFERED: StoreStatus.ERROR_PERMANENT_SERVICE_DENIED,
        NotKept.FULL: StoreStatus.ERROR_PERMANENT_MMBOX_FULL,
        NotKept.NOT_FOUND: StoreStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND,
        NotKept.TOO_LARGE: StoreStatus.ERROR_PERMANENT_FAILURE,
        NotKept.STORE_AWAY: StoreStatus.ERROR_TRANSIENT_FAILURE,
    }
)
RESPONSE_STATUS: Final[Mapping[NotKept, ResponseStatus]] = MappingProxyType(
    {
        NotKept.NOT_OFFERED: ResponseStatus.ERROR_UNSUPPORTED_MESSAGE,
        NotKept.FULL: ResponseStatus.ERROR_PERMANENT_FAILURE,
        NotKept.NOT_FOUND: ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND,
        NotKept.TOO_LARGE: ResponseStatus.ERROR_PERMANENT_FAILURE,
        NotKept.STORE_AWAY: ResponseStatus.ERROR_TRANSIENT_FAILURE,
    }
)
WHY_NOT: Final[Mapping[NotKept, str]] = MappingProxyType(
    {
        NotKept.NOT_OFFERED: "no MMBox here, or none in this MMS version",
        NotKept.FULL: "the MMBox is full",
        NotKept.NOT_FOUND: "no such message",
        NotKept.TOO_LARGE: "the message is too large",
        NotKept.STORE_AWAY: "try again later",
    }
)


def place_of(location: str) -> Place | None:
    """What a Content-Location, or the target of a GET, names here; None when it is not one of ours."""
    found = _LOCATION.search(location)
    return None if found is None else Place(found[2], found[1] == "b")


def location_of(entry: BoxEntry, url: str) -> str:
    """The Content-Location of an entry; `url` is where MM1 is reached."""
    return f"{url}/b/{entry.token}"


def wants_store(pdu: mm1.MSendReq | mm1.MForwardReq) -> bool:
    """Whether X-Mms-Store asks for a copy: a field of 1.2 (7.3.56)."""
    return pdu.store is True and pdu.mms_version >= mm1.VERSION_1_2


def keeping_of(states: Sequence[MmState], flags: Sequence[Flagged]) -> Keeping:
    """How an MM is to be kept. The last state counts; one that is not known says nothing."""
    known = [_STATES[one] for one in states if one in _STATES]
    add = tuple(str(one.value) for one in flags if one.token == ADD)
    remove = tuple(str(one.value) for one in flags if one.token == REMOVE)
    return Keeping(known[-1] if known else None, BoxFlags(add, remove))


def selection_of(pdu: mm1.MMboxViewReq) -> Selection:
    """Which MMs a view is of."""
    return Selection(
        states=tuple(_STATES[one] for one in pdu.mm_state if one in _STATES),
        flags=tuple(str(one.value) for one in pdu.mm_flags if one.token == FILTER),
        start=pdu.start or 0,
        limit=pdu.limit,
    )


def stored_fields(kept: BoxEntry | NotKept | None, url: str) -> dict[str, Any]:
    """What a conf says of a copy in the box: nothing where none was asked for."""
    if kept is None:
        return {}
    if isinstance(kept, NotKept):
        return {"store_status": STORE_STATUS[kept], "store_status_text": WHY_NOT[kept]}
    return {"store_status": StoreStatus.SUCCESS, "content_location": location_of(kept, url)}


def told_of_upload(descr: MMboxDescr, owner: Address, now: Instant) -> tuple[Told, Content]:
    """What an m-mbox-upload-req brings. Raises DecodeError for content that cannot be read."""
    content = content_in(descr.content_type, descr.body)
    sender = _TYPE.sub("", descr.from_) if isinstance(descr.from_, str) else owner.value
    date = None if descr.date is None else Instant(descr.date * SECOND)
    told = Told(
        message_id=descr.message_id or "",
        date=plausible(date, now, now) or now,
        sender=sender,
        to=descr.to,
        cc=descr.cc,
        bcc=descr.bcc,
        subject=descr.subject or "",
        message_class=class_name(descr.message_class),
        priority=int(_DOMAIN_PRIORITY.get(descr.priority or mm1.Priority.NORMAL, Priority.NORMAL)),
        delivery_report=descr.delivery_report,
        read_report=descr.read_report,
        deliver_at=_absolute(descr.delivery_time, now),
        expires_at=_absolute(descr.expiry, now),
        content_type=content.content_type,
        others=tuple((one.name, decode_octets(one.octets)) for one in descr.unknown if isinstance(one.name, str)),
    )
    return told, content


def _absolute(moment: Moment | None, now: Instant) -> Instant | None:
    if moment is None:
        return None
    return Instant(moment.seconds * SECOND + (now if moment.relative else 0))


def _moment(instant: Instant | None) -> Moment | None:
    return None if instant is None else Moment(instant // SECOND, relative=False)


def _sender(told: Told) -> str | None:
    return spelled(Address.of(told.sender)) if told.sender else None


def _flags(entry: BoxEntry) -> tuple[Flagged, ...]:
    return tuple(Flagged(ADD, one) for one in entry.flags)


def descr_of(entry: BoxEntry, content: Content | None, url: str, attributes: Sequence[int], version: int) -> MMboxDescr:
    """The m-mbox-descr of an entry: all that is known, or the attributes that were asked for (7.3.1)."""
    told = entry.told
    fields: dict[str, Any] = {
        "message_id": told.message_id or None,
        "date": told.date // SECOND,
        "from_": _sender(told),
        "to": told.to,
        "cc": told.cc,
        "bcc": told.bcc,
        "message_class": class_of(told.message_class),
        "subject": told.subject or None,
        "priority": PRIORITY_OF[Priority(told.priority)],
        "delivery_time": _moment(told.deliver_at),
        "expiry": _moment(told.expires_at),
        "delivery_report": told.delivery_report,
        "read_report": told.read_report,
        "message_size": entry.size,
        "unknown": tuple(UnknownHeader(name, value.encode()) for name, value in told.others),
    }
    if attributes:
        wanted = {BY_NUMBER[one].attribute for one in attributes if one in BY_NUMBER}
        wanted |= {"unknown"} if ADDITIONAL_HEADERS in attributes else set()
        fields = {name: value for name, value in fields.items() if name in wanted}
    if content is not None:
        fields |= {"content_type": ContentType.parse(content.content_type), "body": content.body}
    descr = MMboxDescr(
        mms_version=version,
        content_location=location_of(entry, url),
        mm_state=(STATE_OF[entry.state],),
        mm_flags=_flags(entry),
        **fields,
    )
    return mm1.for_version(descr, version)


def retrieve_conf_of(entry: BoxEntry, content: Content, version: int) -> MRetrieveConf:
    """The head of the m-retrieve-conf of an entry: no X-Mms-Transaction-ID, for nothing is to be acknowledged."""
    told = entry.told
    conf = MRetrieveConf(
        mms_version=version,
        message_id=told.message_id or None,
        date=told.date // SECOND,
        from_=_sender(told),
        to=told.to,
        cc=told.cc,
        subject=told.subject or None,
        message_class=class_of(told.message_class),
        priority=PRIORITY_OF[Priority(told.priority)],
        delivery_report=told.delivery_report,
        read_report=told.read_report,
        mm_state=(STATE_OF[entry.state],),
        mm_flags=_flags(entry),
        content_type=ContentType.parse(content.content_type),
    )
    return mm1.for_version(with_vasp_fields(conf, told.details), version)
