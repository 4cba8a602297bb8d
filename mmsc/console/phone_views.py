"""What the pages of phones show, made of what is on a phone."""

import re
from typing import Final

from mmsc.console.words import seconds
from mmsc.control.phones import Item, Kind, Phone, Phones, State
from protocols.records import record

_SHAPES: Final = {  # state -> (shape of console.md 9, colour, word)
    State.WAITING: ("notified", "is-on", "waiting"),
    State.DEFERRED: ("deferred", "is-wait", "deferred"),
    State.FETCHING: ("notified", "is-on", "fetching"),
    State.HERE: ("retrieved", "is-ok", "here"),
    State.REJECTED: ("rejected", "is-bad", "rejected"),
    State.UNRECOGNISED: ("unrecognised", "is-bad", "unrecognised"),
    State.FORWARDED: ("forwarded", "is-ok", "forwarded"),
    State.SENDING: ("accepted", "is-on", "sending"),
    State.SENT: ("relayed", "is-on", "sent"),
    State.REFUSED: ("rejected", "is-bad", "refused"),
    State.FAILED: ("unreachable", "is-bad", "failed"),
}
_KINDS: Final = {
    Kind.TEXT: "SMS",
    Kind.DELIVERY_REPORT: "delivery report",
    Kind.READ_REPORT: "read report",
}
_URL: Final = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)


@record(frozen=True, slots=True)
class Shape:
    """A state: its icon, its colour's class, and its word."""

    icon: str
    colour: str
    word: str


@record(frozen=True, slots=True)
class PhoneRow:
    """A phone in the list."""

    number: str
    digits: str
    does: str
    unread: int
    covered: bool
    here: bool


@record(frozen=True, slots=True)
class Piece:
    """Some of a text; `link` is where it leads, "" for nowhere."""

    text: str
    link: str = ""


def phone_rows(phones: Phones, chosen: Phone | None = None) -> list[PhoneRow]:
    """All phones."""
    return [
        PhoneRow(one.number, one.digits, one.settings.in_words, one.box.unread, one.settings.coverage, one is chosen)
        for one in phones.listed()
    ]


def inbox(phone: Phone) -> list[Item]:
    """The newest first."""
    return list(reversed(phone.box.all()))


def shape(item: Item) -> Shape:
    """How far it is; texts and reports are what they are."""
    if item.kind in _KINDS:
        return Shape("", "", _KINDS[item.kind])
    icon, colour, word = _SHAPES[item.state]
    return Shape(f"s-{icon}", colour, word)


def first_line(item: Item) -> str:
    """What an item is about, for a row and for the title of its page."""
    if item.kind is Kind.TEXT:
        return item.text
    if item.kind in (Kind.DELIVERY_REPORT, Kind.READ_REPORT):
        return f"{item.text}: {item.subject}" if item.subject else item.text
    return item.subject or "No subject"


def away(phones: Phones, phone: Phone) -> str:
    """The line of a phone without coverage, "" for one that has it."""
    since, waiting = phones.away_since(phone)
    if since is None:
        return ""
    told = f"No coverage since {seconds(since)}"
    return f"{told}: {waiting} {'message waits' if waiting == 1 else 'messages wait'} at the SMSC" if waiting else told


def linked(text: str) -> list[Piece]:
    """A text with its web links, and no others, made into such."""
    pieces: list[Piece] = []
    at = 0
    for found in _URL.finditer(text):
        url = found[0].rstrip(".,;:!?)")
        pieces += [Piece(text[at : found.start()]), Piece(url, url)]
        at = found.start() + len(url)
    pieces.append(Piece(text[at:]))
    return [one for one in pieces if one.text]
