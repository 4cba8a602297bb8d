"""What the messages are: sizes and numbers of recipients by weight, recipients in turn, all from one seed."""

import random
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from mmsc.load.octets import Content, SubmitTemplate, elements_of
from mmsc.load.target import Target
from protocols.records import record

MAXIMUM_RECIPIENTS: Final = 1_000_000  # in the list that messages take theirs from
MAXIMUM_PER_MESSAGE: Final = 1000
MAXIMUM_CHOICES: Final = 16
MAXIMUM_CONTENT_OCTETS: Final = 32 * 1024 * 1024
_UNITS: Final = {"": 1, "k": 1024, "m": 1024 * 1024}
_DEALT: Final = 1000  # the largest weight: weights are cards of a deck, so that shares are exact

T = TypeVar("T")


@record(frozen=True, slots=True)
class Choice:
    """One value and its share."""

    value: int
    weight: int


def sizes_of(text: str) -> tuple[Choice, ...]:
    """`5k:50,30k:40,300k:10`, or a single size. Raises ValueError for a person."""
    return _choices(text, "size", _octets, MAXIMUM_CONTENT_OCTETS)


def counts_of(text: str) -> tuple[Choice, ...]:
    """`1:90,10:10`, or a single number. Raises ValueError for a person."""
    return _choices(text, "number", int, MAXIMUM_PER_MESSAGE)


def _choices(text: str, what: str, read: Callable[[str], int], maximum: int) -> tuple[Choice, ...]:
    found: list[Choice] = []
    for piece in text.split(","):
        value, colon, weight = piece.strip().partition(":")
        try:
            choice = Choice(read(value), int(weight) if colon else 1)
        except ValueError:
            raise ValueError(f"{piece.strip()!r} is no {what}, nor {what}:weight") from None
        if not 1 <= choice.value <= maximum or not 1 <= choice.weight <= _DEALT:
            raise ValueError(f"{piece.strip()!r}: the {what} is 1 to {maximum}, the weight 1 to {_DEALT}")
        found.append(choice)
    if len(found) > MAXIMUM_CHOICES:
        raise ValueError(f"at most {MAXIMUM_CHOICES} choices, not {len(found)}")
    return tuple(found)


def _octets(text: str) -> int:
    number, unit = (text[:-1], text[-1:].lower()) if text[-1:].lower() in ("k", "m") else (text, "")
    return int(number) * _UNITS[unit]


def recipients_of(words: Sequence[str], read: Callable[[str], str]) -> list[str]:
    """Numbers from `NUMBER`, `FIRST..LAST` and `@FILE` (a recipient a line; `read` gives its text).

    Raises ValueError for a person, and what `read` raises."""
    found: list[str] = []
    for word in words:
        if word.startswith("@"):
            found += [line.strip() for line in read(word[1:]).splitlines() if line.strip() and line[0] != "#"]
        elif ".." in word:
            found += _range(word)
        else:
            found.append(word)
        if len(found) > MAXIMUM_RECIPIENTS:
            raise ValueError(f"more than {MAXIMUM_RECIPIENTS} recipients")
    for one in found:
        if not one or len(one) > 256 or any(letter <= " " for letter in one):
            raise ValueError(f"{one[:60]!r} is no address of a recipient")
        if "@" not in one and not one.removeprefix("+").isdecimal():
            raise ValueError(f"{one[:60]!r} is neither a number nor an e-mail address")
    return found


def _range(word: str) -> list[str]:
    first, _, last = word.partition("..")
    plus = "+" if first.startswith("+") else ""
    low, high = first.removeprefix("+"), last.removeprefix("+")
    if not (low.isdecimal() and high.isdecimal() and len(low) == len(high) and low <= high):
        raise ValueError(f"{word!r} is no range: write it FIRST..LAST, two numbers of equal length")
    if int(high) - int(low) >= MAXIMUM_RECIPIENTS:
        raise ValueError(f"{word!r} has more than {MAXIMUM_RECIPIENTS} recipients")
    return [f"{plus}{number:0{len(low)}d}" for number in range(int(low), int(high) + 1)]


class Mix:
    """Makes the requests. The same seed makes the same sizes and recipients in the same order."""

    def __init__(
        self,
        target: Target,
        contents: Sequence[tuple[Content, int]],
        recipients: Sequence[str],
        counts: Sequence[Choice] = (Choice(1, 1),),
        *,
        reports: bool,
        prefix: str,
        seed: int = 1,
    ) -> None:
        """`contents` with their weights; `prefix` begins every TransactionID, and must be new in every run."""
        self.contents = tuple(content for content, _ in contents)
        self._prefix = prefix.encode()
        self._elements = elements_of(recipients)
        self._dice = random.Random(seed)
        self._templates = _Deck(
            [(SubmitTemplate(target, content, reports=reports), weight) for content, weight in contents], self._dice
        )
        self._counts = _Deck([(choice.value, choice.weight) for choice in counts], self._dice)
        self._next = 0

    def request(self, index: int) -> tuple[bytes, int, bytes]:
        """(the HTTP request of message `index`, its number of recipients, the first of them as an element)."""
        elements, at, number = self._elements, self._next, self._counts.draw()
        end = at + number
        if number == 1:
            recipients = elements[at]
        elif end <= len(elements):
            recipients = b"".join(elements[at:end])
        else:
            recipients = b"".join(elements[(at + n) % len(elements)] for n in range(number))
        self._next = end % len(elements)
        transaction_id = b"%b-%010d" % (self._prefix, index)
        return self._templates.draw().octets(transaction_id, recipients), number, elements[at]


class _Deck(Generic[T]):
    """Draws values in exact shares, shuffled."""

    def __init__(self, choices: Sequence[tuple[T, int]], dice: random.Random) -> None:
        self._cards = [value for value, weight in choices for _ in range(weight)]
        self._only = self._cards[0] if len(choices) == 1 else None
        self._dice = dice
        self._left: list[T] = []

    def draw(self) -> T:
        """The next one."""
        if self._only is not None:
            return self._only
        if not self._left:
            self._left = self._cards.copy()
            self._dice.shuffle(self._left)
        return self._left.pop()
