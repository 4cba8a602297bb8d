"""What is shown to a partner: numbers consistently replaced, contents emptied, the engine's own notes left out.

Octets keep their lengths, so that what is replaced still decodes and every offset still agrees. A number becomes the
same other number wherever it stands (`mmsc/trace/partner_forms.py`): as ASCII digits (international, national from
seven digits on, with any prefix, with spaces and signs between them), as character references of XML, in UTF-16, in
base64 and in the semi-octets of TPDUs, cut in two by segments of a push too. Parts of messages become zeros, texts
become full stops; presentations (SMIL) stay.

Limits. Numbers are those that addresses of the message, its PDUs and its events name: one that stands in a subject
alone is not known for a number. Names of people, subjects, user agents, VASPs, hosts, IP addresses and short codes
stay.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from mmsc.trace import partner_forms as forms
from mmsc.trace.ladder.model import Answer, Ladder, RowKind
from mmsc.trace.view import View, every, look

SHORTEST: Final = 7  # digits: below that it is a short code, or no number at all
_LONGEST: Final = 15  # E.164
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
        taken, counts = {one[-SHORTEST:] for one in known}, defaultdict[int, int](int)
        for number in sorted(known, key=len, reverse=True):
            other = self._ends.get(number) or _another(len(number), taken, counts)
            self._others[number] = other
            for length in range(min(SHORTEST, len(number)), len(number) + 1):
                self._ends.setdefault(number[-length:], other[-length:])
        self._coded = {_semi_octets(number): _semi_octets(other) for number, other in self._others.items()}
        self._lengths = sorted({len(one) for one in self._coded}, reverse=True)

    def number(self, digits: str) -> str:
        """What a run of digits becomes: itself when it does not end as a number that is known."""
        for length in range(min(len(digits), _LONGEST), SHORTEST - 1, -1):
            other = self._ends.get(digits[-length:])
            if other is not None:
                return digits[:-length] + other
        return digits

    def text(self, text: str) -> str:
        """A text with its numbers replaced."""
        return forms.in_text(text, self.number)

    def octets(self, octets: bytes) -> bytes:
        """A PDU as the wire had it: numbers replaced, contents emptied, as long as before."""
        made = bytearray(octets)
        view = look(octets)
        places = _empty(made, view)
        at = 0
        for start, end in [*places, (len(made), len(made))]:  # what is emptied has no number any more
            if start > at:
                stretch = forms.in_octets(bytes(made[at:start]), self.number)
                made[at:start] = _SEMI_OCTETS.sub(lambda found: self._semi_octets(found[0]), stretch)
            at = max(at, end)
        return self._at_edges(bytes(made), view)

    def _semi_octets(self, run: bytes) -> bytes:
        """A run of octets of which each could be two digits: a number may begin at any of them."""
        made, at = bytearray(), 0
        while at < len(run):
            known = next((one for length in self._lengths if (one := run[at : at + length]) in self._coded), b"")
            made += self._coded[known] if known else run[at : at + 1]
            at += len(known) or 1
        return bytes(made)

    def _at_edges(self, octets: bytes, view: View) -> bytes:
        """A number that is cut in two where a segment ends: each piece as its place in the number has it."""
        for start, end in _segments(view, 0):
            data = octets[start:end]
            head, tail = forms.FIRST_DIGITS.match(data), forms.LAST_DIGITS.search(data)
            if head is not None:
                data = self._piece(head[0].decode(), at_end=True).encode() + data[head.end() :]
            if tail is not None and tail.start() > 0:
                data = data[: tail.start()] + self._piece(tail[0].decode(), at_end=False).encode()
            octets = octets[:start] + data + octets[end:]
        return octets

    def _piece(self, digits: str, *, at_end: bool) -> str:
        for number, other in self._others.items():
            if at_end and number.endswith(digits):
                return other[-len(digits) :]
            if not at_end and number.startswith(digits):
                return other[: len(digits)]
        return digits

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
                segment_of=self.text(row.segment_of),
                answer=None if row.answer is None else self._answer(row.answer),
                event="",
            )
            for row in ladder.rows
            if row.kind not in (RowKind.NOTE, RowKind.END)
        )
        return msgspec.structs.replace(ladder, columns=columns, rows=rows)

    def _answer(self, answer: Answer) -> Answer:
        """What was answered often names whom it is about."""
        return msgspec.structs.replace(answer, text=self.text(answer.text), detail=self.text(answer.detail))


def _segments(view: View, base: int) -> Iterator[tuple[int, int]]:
    """Where the data of segments stands in the outermost octets."""
    if view.segment is not None:
        end = base + len(view.octets)
        yield end - len(view.segment.data), end
    for inner in view.inside:
        if inner.at >= 0:
            yield from _segments(inner, base + inner.at)


def _another(length: int, taken: set[str], counts: dict[int, int]) -> str:
    """1, noughts, and a count: as long as the number, and with an ending of none of these, so that what was replaced is
    not replaced again. `counts` goes on from the last one."""
    while True:
        counts[length] += 1
        other = f"1{counts[length]:0{length - 1}d}"
        if other[-SHORTEST:] not in taken:
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
