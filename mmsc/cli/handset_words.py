"""What `mmsc handset` tells: PDUs as lines and as JSON objects, and MMs as files."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Final

import click

from mmsc.cli.folders import NumberedFolder, safe_name
from mmsc.domain.instant import Instant, to_datetime
from mmsc.lab.handset_inbox import Item, Message, News
from mmsc.lab.mm7_words import printable
from protocols import mm1
from protocols.enums import OpenEnum
from protocols.errors import EncodeError
from protocols.mm1 import (
    Indexed,
    MCancelReq,
    MDeliveryInd,
    MNotificationInd,
    Moment,
    MReadOrigInd,
    Pdu,
    ResponseStatus,
    StoreStatus,
)
from protocols.mm1.enums import in_words
from protocols.wsp.multipart import PartIndex

_SHOWN_CHARACTERS: Final = 200
_KINDS: Final = {
    News.NOTIFICATION: "notification",
    News.REPEATED: "repeated",
    News.MESSAGE: "MM",
    News.DELIVERY_REPORT: "delivery report",
    News.READ_REPORT: "read report",
    News.CANCELLED: "cancelled",
    News.REPLACED: "replaced",
    News.TEXT: "SMS",
    News.FAILURE: "failure",
}
SENT: Final = "sent"
_WIDTH: Final = max(map(len, _KINDS.values()))
_COLOURS: Final = {News.FAILURE: "red", News.MESSAGE: "green", News.REPEATED: "yellow"}


def kind_of(news: News) -> str:
    """What a thing that arrives is called."""
    return _KINDS[news]


def pdu_name(pdu: Pdu) -> str:
    """As OMA-TS-MMS_ENC spells it."""
    return in_words(pdu.message_type)


def is_success(conf: Pdu) -> bool:
    """Whether a conf says Ok or Success, about everything that it tells of."""
    indexed: tuple[Indexed, ...] = getattr(conf, "response_statuses", ())
    if indexed:
        return all(one.value is ResponseStatus.OK for one in indexed)
    stored = getattr(conf, "store_status", None)
    answered = getattr(conf, "response_status", None)
    if answered is not None:
        return answered is ResponseStatus.OK
    return stored is StoreStatus.SUCCESS


def conf_line(conf: Pdu) -> str:
    """A conf on one line: its status in words, and what else it tells."""
    return printable(f"{pdu_name(conf)}: {'; '.join(filter(None, _told(conf)))}")


def _told(conf: Pdu) -> Iterator[str]:
    for name in ("response_status", "response_text", "store_status", "store_status_text"):
        value = getattr(conf, name, None)
        yield in_words(value) if isinstance(value, OpenEnum) else str(value or "")
    places = {one.count: one.value for one in getattr(conf, "content_locations", ()) if isinstance(one, Indexed)}
    texts = {one.count: one.value for one in getattr(conf, "response_texts", ())}
    for one in getattr(conf, "response_statuses", ()):
        said = in_words(one.value) if isinstance(one.value, OpenEnum) else str(one.value)
        yield " ".join(filter(None, (said, str(texts.get(one.count, "")), str(places.get(one.count, "")))))
    for name, label in (("message_id", "Message-ID"), ("content_location", "Content-Location")):
        value = getattr(conf, name, None)
        yield f"{label} {value}" if value else ""


def as_object(pdu: Pdu) -> dict[str, object]:
    """For --json: fields by their wire names, values as in `mmsc decode --json`; several of one name as a list."""
    from mmsc.trace.view import Kind, look_as

    try:
        octets = mm1.encode(pdu)
    except EncodeError as error:
        return {"X-Mms-Message-Type": pdu_name(pdu), "problem": str(error)}
    found: dict[str, list[object]] = {}
    for row in look_as(octets, Kind.MM1).rows:
        found.setdefault(row.name, []).append(row.value if row.typed is None else row.typed)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def line_of(at: int, kind: News | str, told: str) -> str:
    """A line of what happens; `at` in microseconds UTC. Colours are taken out again where it goes to no terminal."""
    clock = to_datetime(Instant(at)).astimezone().strftime("%H:%M:%S.%f")[:-3]
    name = _KINDS[kind] if isinstance(kind, News) else kind
    colour = _COLOURS.get(kind) if isinstance(kind, News) else None
    return f"{clock} {click.style(f'{name:{_WIDTH}}', fg=colour, bold=True)} {printable(told)}"


def item_in_words(item: Item) -> str:
    """What arrived, in words."""
    match item:
        case MNotificationInd():
            size = f"{item.message_size:,} octets" if item.message_size is not None else ""
            said = (item.transaction_id, _from(item), _subject(item), size, _expiry(item.expiry))
            return ", ".join(filter(None, (*said, item.content_location)))
        case Message():
            parts = [_part(item, one) for one in item.parts]
            reports = "read report asked for" if item.conf.read_report else ""
            conf = item.conf
            told = (_from(conf), _subject(conf), conf.message_id or "", reports, *parts)
            return ", ".join(filter(None, told))
        case MDeliveryInd():
            return f"{_word(item.status)} {', '.join(item.to)} Message-ID {item.message_id} {item.status_text or ''}"
        case MReadOrigInd():
            return f"{_word(item.read_status)} {item.from_} Message-ID {item.message_id}"
        case MCancelReq():
            return f"Message-ID {item.cancel_id}"
    return str(item)


def item_as_object(item: Item) -> dict[str, object]:
    """For --json."""
    if isinstance(item, str):
        return {"text": item}
    if isinstance(item, Message):
        parts = [
            {
                "contentType": str(one.content_type),
                "contentID": one.content_id,
                "contentLocation": one.content_location,
                "octets": one.data_length,
            }
            for one in item.parts
        ]
        return {"pdu": as_object(item.conf), "parts": parts}
    return {"pdu": as_object(item)}


def sent_in_words(pdu: Pdu) -> str:
    """What the handset says, in words."""
    values = (getattr(pdu, name, None) for name in ("status", "read_status", "cancel_status", "transaction_id"))
    return " ".join([pdu_name(pdu), *(_word(one) for one in values if one)])


def _word(value: object) -> str:
    if isinstance(value, OpenEnum):
        return in_words(value)
    return "" if value is None else str(value)


def _from(pdu: MNotificationInd | mm1.MRetrieveConf) -> str:
    if pdu.from_ is None:
        return "from somebody who hides"
    return "from the insert-address token" if isinstance(pdu.from_, Enum) else f"from {pdu.from_}"


def _subject(pdu: MNotificationInd | mm1.MRetrieveConf) -> str:
    return f"subject {pdu.subject!r}" if pdu.subject else ""


def _expiry(expiry: Moment | None) -> str:
    if expiry is None:
        return ""
    return f"expires in {expiry.seconds} s" if expiry.relative else f"expires at {expiry.seconds} s since 1970"


def _part(message: Message, part: PartIndex) -> str:
    media = part.content_type.media_type
    if media != "text/plain":
        return f"{media} {part.data_length:,}"
    charset = part.content_type.get("charset") or "utf-8"
    octets = message.octets_of(part)
    try:
        text = octets.decode(charset, "replace")
    except LookupError:
        text = octets.decode("utf-8", "replace")
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...")


class Saved:
    """Where MMs are saved: `0001-m-retrieve-conf.mms` as it came, its parts `0001-1-photo.jpg`."""

    def __init__(self, path: Path) -> None:
        """Made when it is not there. Raises OSError."""
        self._folder = NumberedFolder(path)

    def save(self, message: Message) -> tuple[str, ...]:
        """The files that were written. Raises OSError."""
        stem = self._folder.next()
        names = [self._folder.write(f"{stem}-m-retrieve-conf.mms", message.octets)]
        for number, part in enumerate(message.parts, 1):
            told = part.content_location or part.file_name or part.content_type.get("name") or part.content_id or "part"
            name = safe_name(told, part.content_type.media_type)
            names.append(self._folder.write(f"{stem}-{number}-{name}", message.octets_of(part)))
        return tuple(names)
