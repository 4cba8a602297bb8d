"""What is shown to a partner: numbers consistently replaced, contents emptied, the engine's own notes left out.

Octets keep their lengths, so that what is replaced still decodes and every offset still agrees. A number becomes the
same other number wherever it stands: as ASCII digits (international, national from seven digits on, with 00 before),
in UTF-16 and in the semi-octets of TPDUs. Parts of messages become zeros, texts become full stops; presentations (SMIL)
stay.

Limits. Numbers are those that addresses of the message, its PDUs and its events name: one that stands in a subject
alone is not known for a number. Names of people, subjects, user agents, VASPs, hosts, IP addresses and short codes
stay.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from mmsc.trace.ladder.model import Ladder, RowKind
from mmsc.trace.view import View, every, look

SHORTEST: Final = 7  # digits: below that it is a short code, or no number at all
_LONGEST: Final = 15  # E.164
_RUN: Final = re.compile(r"\d{7,20}")
_RUN_OF_OCTETS: Final = re.compile(rb"\d{7,20}")
_NUMBER: Final = re.compile(r"\+?\d{7,15}")
_ADDRESSES: Final = re.compile(
    r"(?:^|/ |-)(?:from|to|cc|bcc|sender|number|rfc2822address|recipient|msisdn|source_addr|destination_addr|mail from|"
    r"rcpt to|tp-oa|tp-da|x-mms-request-recipients|x-wap-network-client-msisdn|x-mm1-.*|x-nokia-mmsc-.*)$",
    re.IGNORECASE,
)
_PLMN: Final = re.compile(r"(\+?\d{7,15})/TYPE=PLMN", re.IGNORECASE)
_KEPT: Final = (
    "application/smil",
    "text/xml",
    "application/vnd.wap.mms-message",
    "multipart/",
    "application/vnd.wap.mult",
)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]")
_PRINTED: Final = re.compile(rb"[^\r\n]")
_WIDE: Final = re.compile(rb"(?:[0-9]\x00){7,20}|(?:\x00[0-9]){7,20}")  # UTF-16, either way round
_PAIR: Final = rb"[\x00-\x09\x10-\x19\x20-\x29\x30-\x39\x40-\x49\x50-\x59\x60-\x69\x70-\x79\x80-\x89\x90-\x99]"
_SEMI_OCTETS: Final = re.compile(rb"%b{3,}(?:[\xf0-\xf9]|%b)" % (_PAIR, _PAIR))


def numbers_in(views: Iterable[View], addresses: Iterable[str] = ()) -> list[str]:
    """The numbers that addresses name, digits alone, in the order in which they come."""
    found = dict.fromkeys(_digits(one) for one in addresses)
    for view in views:
        for inner in every(view):
            for row in inner.rows:
                if _ADDRESSES.search(row.name):
                    found.update(dict.fromkeys(_digits(one) for one in _NUMBER.findall(row.value)))
                found.update(dict.fromkeys(_digits(one) for one in _PLMN.findall(row.value)))
    return [one for one in found if SHORTEST <= len(one) <= _LONGEST]


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal() and char.isascii()).removeprefix("00")


class Partner:
    """Replaces in one export: the same number gets the same other one, in all of it."""

    def __init__(self, numbers: Iterable[str]) -> None:
        """`numbers` as `numbers_in` gives them."""
        known = list(dict.fromkeys(numbers))
        self._others: dict[str, str] = {}  # number -> other one
        self._ends: dict[str, str] = {}  # each ending of a number that has digits enough -> that of the other one
        taken, counts = set(known), defaultdict[int, int](int)
        for number in sorted(known, key=len, reverse=True):
            other = self._ends.get(number) or _another(len(number), taken, counts)
            self._others[number] = other
            taken.add(other)
            for length in range(min(SHORTEST, len(number)), len(number) + 1):
                self._ends.setdefault(number[-length:], other[-length:])
        self._coded = {_semi_octets(number): _semi_octets(other) for number, other in self._others.items()}
        self._lengths = sorted({len(one) for one in self._coded}, reverse=True)

    def number(self, digits: str) -> str:
        """What a run of digits becomes: itself when it is no number that is known."""
        if digits in self._ends:
            return self._ends[digits]
        for length in range(min(len(digits), _LONGEST), 0, -1):
            other = self._others.get(digits[-length:])
            if other is not None:
                return digits[:-length] + other
        return digits

    def text(self, text: str) -> str:
        """A text with its numbers replaced."""
        return _RUN.sub(lambda found: self.number(found[0]), text)

    def octets(self, octets: bytes) -> bytes:
        """A PDU as the wire had it: numbers replaced, contents emptied, as long as before."""
        made = bytearray(octets)
        at = 0
        for start, end in _empty(made, look(octets)):  # what is emptied has no number any more
            if start > at:
                made[at:start] = self._replaced(bytes(made[at:start]))
            at = max(at, end)
        made[at:] = self._replaced(bytes(made[at:]))
        return bytes(made)

    def _replaced(self, octets: bytes) -> bytes:
        """Octets with the numbers in all their forms replaced."""
        octets = _RUN_OF_OCTETS.sub(lambda found: self.number(found[0].decode()).encode(), octets)
        octets = _WIDE.sub(lambda found: self._wide_replaced(found[0]), octets)
        return _SEMI_OCTETS.sub(lambda found: self._semi_octets_replaced(found[0]), octets)

    def _wide_replaced(self, run: bytes) -> bytes:
        charset = "utf-16-be" if run[0] == 0 else "utf-16-le"
        return self.number(run.decode(charset)).encode(charset)

    def _semi_octets_replaced(self, run: bytes) -> bytes:
        """A run of octets of which each could be two digits: a number may begin at any of them."""
        made, at = bytearray(), 0
        while at < len(run):
            known = next((one for length in self._lengths if (one := run[at : at + length]) in self._coded), b"")
            made += self._coded[known] if known else run[at : at + 1]
            at += len(known) or 1
        return bytes(made)

    def ladder(self, ladder: Ladder) -> Ladder:
        """A ladder without the engine's notes, its numbers replaced."""
        columns = tuple(
            msgspec.structs.replace(one, key=self.text(one.key), name=self.text(one.name)) for one in ladder.columns
        )
        rows = tuple(
            msgspec.structs.replace(
                row,
                name=self.text(row.name),
                beneath=self.text(row.beneath),
                text=self.text(row.text),
                same=self.text(row.same),
                recipient=self.text(row.recipient),
                note=self.text(row.note),
                event="",
            )
            for row in ladder.rows
            if row.kind not in (RowKind.NOTE, RowKind.END)
        )
        return msgspec.structs.replace(ladder, columns=columns, rows=rows)


def _another(length: int, taken: set[str], counts: dict[int, int]) -> str:
    """1, noughts, and a count: as long as the number, and nobody's of these. `counts` goes on from the last one."""
    while True:
        counts[length] += 1
        other = f"1{counts[length]:0{length - 1}d}"
        if other not in taken:
            return other


def _semi_octets(number: str) -> bytes:
    """3GPP TS 23.040 9.1.2.3: two digits an octet, the first one low, a last one beside 1111."""
    padded = number + "F" * (len(number) % 2)
    return bytes(int(padded[at + 1] + padded[at], 16) for at in range(0, len(padded), 2))


def _empty(made: bytearray, view: View) -> list[tuple[int, int]]:
    """Empty the contents; where they stood, in order."""
    places = []
    for start, end, filled in _contents(view, 0):
        made[start:end] = filled[: end - start]
        places.append((start, end))
    return sorted(places)


def _contents(view: View, base: int) -> Iterator[tuple[int, int, bytes]]:
    """Where contents stand in the outermost octets, and what they become."""
    if view.kind == "part":
        yield from _part(view, base)
    elif view.kind == "content" and view.text and not view.title.startswith(_KEPT):
        yield base, base + len(view.octets), _emptied(view.octets, text=True)
        return
    elif view.kind == "octets" and base:
        yield base, base + len(view.octets), bytes(len(view.octets))
    elif view.kind == "content" and not view.title.startswith(_KEPT):
        yield base, base + len(view.octets), bytes(len(view.octets))
        return
    for inner in view.inside:
        if inner.at >= 0:
            yield from _contents(inner, base + inner.at)


def _part(view: View, base: int) -> Iterator[tuple[int, int, bytes]]:
    """The data of a part, in the coding that it has."""
    media = view.title.partition(", ")[2].partition(",")[0]
    if media.startswith(_KEPT):
        return
    coded = next((row.value.lower() for row in view.rows if row.name.lower() == "content-transfer-encoding"), "")
    for row in view.rows:
        if row.name == "data" and row.start >= 0:
            octets = view.octets[row.start : row.end]
            if coded == "base64":
                yield base + row.start, base + row.end, _BASE64.sub(b"A", octets)
            else:
                yield base + row.start, base + row.end, _emptied(octets, text=media.startswith("text/"))


def _emptied(octets: bytes, *, text: bool) -> bytes:
    return _PRINTED.sub(b".", octets) if text else bytes(len(octets))
