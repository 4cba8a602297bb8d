"""The phones of the lab as pages and REST see them: values made of what is on a phone, and settings made of values."""

import re
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from mmsc.control.presentation import Presentation as Presentation
from mmsc.control.presentation import Source as Source
from mmsc.control.presentation import present
from mmsc.domain.instant import Instant, to_datetime
from mmsc.domain.media_files import UNPLAYABLE, file_name, shown_as
from mmsc.lab.composing import Attachment as Attachment
from mmsc.lab.handset_behaviour import MAXIMUM_WAIT_SECONDS
from mmsc.lab.handset_behaviour import Fetching as Fetching
from mmsc.lab.handset_profiles import PROFILES, Profile
from mmsc.lab.phones import Draft as Draft
from mmsc.lab.phones import Item as Item
from mmsc.lab.phones import Kind as Kind
from mmsc.lab.phones import Line as Line
from mmsc.lab.phones import Phone as Phone
from mmsc.lab.phones import PhoneRefuses as PhoneRefuses
from mmsc.lab.phones import Phones as Phones
from mmsc.lab.phones import PhoneSettings
from mmsc.lab.phones import ReadReports as ReadReports
from mmsc.lab.phones import State as State
from mmsc.lab.phones.items import MAXIMUM_ITEMS, MAXIMUM_OCTETS
from mmsc.lab.phones.phone import MAXIMUM_ATTACHMENTS as MAXIMUM_ATTACHMENTS
from mmsc.lab.phones.phone import MAXIMUM_CONTENT_OCTETS as MAXIMUM_CONTENT_OCTETS
from protocols.content_type import ContentType

PROFILES_IN_ORDER: Final[Sequence[Profile]] = tuple(PROFILES.values())
_CHARSET: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAXIMUM_WAIT_SECONDS)]
_Rate = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
_Line = Annotated[str, msgspec.Meta(max_length=500)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a handset does, from the next thing on. `wait_seconds` (service time) before it acts, or between Deferred
    and the GET; 0 with deferred: when somebody says so. `octets_per_second` 0: reads at once. `report_allowed` null:
    the header is absent. `memory_full`: answers Deferred and cannot fetch."""

    on_notification: Fetching = Fetching.IMMEDIATE
    wait_seconds: _Seconds = 0
    forward_to: Annotated[list[_Address], msgspec.Meta(max_length=20)] = []
    octets_per_second: _Rate = 0
    acknowledges: bool = True
    read_report: ReadReports = ReadReports.NEVER
    auto_reply: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    report_allowed: bool | None = None
    profile: str = "lab"
    user_agent: _Line = ""
    profile_url: _Line = ""
    coverage: bool = True
    mms: bool = True
    memory_full: bool = False

    def settings(self) -> PhoneSettings:
        """For a phone."""
        values = msgspec.structs.asdict(self)
        return PhoneSettings(**{**values, "forward_to": tuple(self.forward_to)})


def behaviour_of(settings: PhoneSettings) -> Behaviour:
    """The same as a value."""
    values = {name: getattr(settings, name) for name in Behaviour.__struct_fields__}
    return Behaviour(**{**values, "forward_to": list(settings.forward_to)})


class HandsetRow(msgspec.Struct, frozen=True):
    """A handset in the list; `does` is its behaviour in words."""

    number: str
    does: str
    unread: int
    items: int
    coverage: bool


class Handset(msgspec.Struct, frozen=True):
    """A handset. `no_coverage_since` null while it has it; `waiting_at_smsc` are messages that the SMSC keeps for it.
    At most `maximum_items` and `maximum_octets` are kept: the oldest go."""

    number: str
    does: str
    unread: int
    items: int
    octets: int
    no_coverage_since: str | None
    waiting_at_smsc: int
    user_agent: str
    profile_url: str
    behaviour: Behaviour
    maximum_items: int = MAXIMUM_ITEMS
    maximum_octets: int = MAXIMUM_OCTETS


class HandsetPart(msgspec.Struct, frozen=True):
    """A part of an MM on a handset, by its number."""

    number: int
    content_type: str
    content_id: str
    content_location: str
    name: str
    octets: int


class HandsetItem(msgspec.Struct, frozen=True):
    """Something on a handset. `at` and `expires` are service time; `who` is the other party; `news` are the reports
    about what was sent; `note` says why it is as it is; `text` of an SMS or a report."""

    number: int
    kind: Kind
    state: State
    at: str
    who: str
    subject: str
    note: str
    unread: bool
    message_id: str
    transaction_id: str
    size_octets: int
    expires: str | None
    text: str
    news: list[str]
    parts: list[HandsetPart]


class HandsetLine(msgspec.Struct, frozen=True):
    """A PDU or request that the handset sent (out) or received (in), or what it makes of one (note)."""

    number: int
    at: str
    at_real: str
    way: str
    interface: str
    name: str
    about: str
    answer: str
    transaction_id: str
    message_id: str
    octets: int
    failed: bool


def row_of(phone: Phone) -> HandsetRow:
    """In the list."""
    return HandsetRow(
        phone.number, phone.settings.in_words, phone.box.unread, len(phone.box.all()), phone.settings.coverage
    )


def handset_of(phones: Phones, phone: Phone) -> Handset:
    """By itself."""
    since, waiting = phones.away_since(phone)
    family = phone.settings.family
    return Handset(
        phone.number,
        phone.settings.in_words,
        phone.box.unread,
        len(phone.box.all()),
        phone.box.octets,
        None if since is None else _time(since),
        waiting,
        family.user_agent,
        family.profile_url,
        behaviour_of(phone.settings),
    )


def item_of(item: Item) -> HandsetItem:
    """An item as a value."""
    return HandsetItem(
        item.number,
        item.kind,
        item.state,
        _time(item.at),
        item.who,
        item.subject,
        item.note,
        item.unread,
        item.message_id,
        item.transaction_id,
        item.size_octets,
        None if item.deadline is None else _time(item.deadline),
        item.text,
        list(item.news),
        [_part(number, one) for number, one in enumerate(sources_of(item))],
    )


def _part(number: int, one: Source) -> HandsetPart:
    media = one.content_type.media_type.lower()
    wanted = one.content_location or one.file_name or one.content_type.get("name") or one.content_id
    name = file_name(wanted, media, number)
    return HandsetPart(number, str(one.content_type), one.content_id, one.content_location, name, len(one.octets))


def line_of(line: Line) -> HandsetLine:
    """A line as a value."""
    return HandsetLine(
        line.number,
        _time(line.at.service),
        _time(line.at.real),
        line.way.value,
        line.interface,
        line.name,
        line.about,
        line.answer,
        line.transaction_id,
        line.message_id,
        line.octets,
        line.failed,
    )


def sources_of(item: Item) -> list[Source]:
    """The parts of an MM that is on the phone, or was sent from it."""
    if item.message is not None:
        return [
            Source(one.content_type, item.message.octets_of(one), one.content_id, one.content_location, one.file_name)
            for one in item.message.parts
        ]
    return [Source(one.content_type, one.data, one.content_id, one.content_location) for one in item.parts]


def presentation_of(item: Item, place: str) -> Presentation | None:
    """For the player; None for what has no content. `place` stands before the number in a part's address."""
    sources = sources_of(item)
    if not sources:
        return None
    content_type: ContentType | None = None if item.message is None else item.message.conf.content_type
    start = item.start if content_type is None else content_type.get("start") or ""
    return present(sources, start, place)


def served(source: Source, number: int) -> tuple[str, str, bool]:
    """(a name, the media type to send, whether a browser may show it) of a part; what could run is a download of no
    particular type."""
    media = source.content_type.media_type.lower()
    part = _part(number, source)
    kind = shown_as(media)
    if not kind:
        return part.name, "application/octet-stream", False
    if kind != "text":
        return part.name, media, media not in UNPLAYABLE
    charset = source.content_type.get("charset") or "utf-8"
    known = _CHARSET.fullmatch(charset) is not None
    return part.name, f"text/plain; charset={charset if known else 'utf-8'}", True


def _time(at: int) -> str:
    return to_datetime(Instant(at)).isoformat()
