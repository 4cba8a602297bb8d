"""What can be said about a fault that is switched on: whom it meets, how often, and what exactly it does."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from protocols.records import record

MAXIMUM_SECONDS: Final = 86_400.0
MAXIMUM_OCTETS: Final = 1_000_000_000
Text = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAXIMUM_SECONDS)]


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A fault as it is set. Whom: `vasp`, `peer`, `smsc` by their configured names, `number` and `transaction` by how
    they begin, `run` by its tag, `operation` by the PDU's name; "" is everybody. How often: `rate` of those (0 to 1,
    drawn from `seed`), at most `times` altogether and `each` for one transaction (0: no end). `delay_seconds` before it
    bites; `expires_after_seconds` (real time, 0: never) switches it off. The others are the fault's own."""

    vasp: Text = ""
    peer: Text = ""
    smsc: Text = ""
    number: Text = ""
    run: Text = ""
    transaction: Text = ""
    operation: Text = ""
    rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: Count = 0
    times: Count = 0
    each: Count = 0
    delay_seconds: Seconds = 0.0
    expires_after_seconds: Annotated[float, msgspec.Meta(ge=0, le=31_536_000)] = 0.0
    status: int | Text | UnsetType = UNSET
    seconds: Seconds | UnsetType = UNSET
    octets: Annotated[int, msgspec.Meta(ge=0, le=MAXIMUM_OCTETS)] | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    stage: Text | UnsetType = UNSET
    state: Text | UnsetType = UNSET
    form: Text | UnsetType = UNSET


MATCHES: Final = ("vasp", "peer", "smsc", "number", "run", "transaction", "operation")
DOSES: Final = ("rate", "seed", "times", "each", "delay_seconds", "expires_after_seconds")
OWN: Final = ("status", "seconds", "octets", "text", "stage", "state", "form")


class Kind(StrEnum):
    """How a parameter of a fault's own is written."""

    CHOICE = "choice"
    STATUS = "status"  # a number, or one of the words that stand for numbers
    SECONDS = "seconds"
    OCTETS = "octets"
    TEXT = "text"


@record(frozen=True, slots=True)
class Choice:
    """One value of a closed list. `number` is what it is on the wire, where that is a number."""

    word: str
    text: str = ""
    number: int = -1


@record(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a fault's own. A STATUS is any number from `lowest` to `highest`; `choices` have names."""

    name: str
    kind: Kind
    default: str | int | float
    text: str
    lowest: float = 0
    highest: float = 0
    choices: tuple[Choice, ...] = ()

    def shown(self, value: object) -> str:
        """A value as people know it: by its word, where it has one."""
        known = (one.word for one in self.choices if one.number >= 0 and one.number == value)
        return next(known, f"{value:g}" if isinstance(value, float) else str(value))

    def read(self, value: object) -> str | int | float:
        """A value as the fault wants it. Raises ValueError with a sentence."""
        match self.kind:
            case Kind.CHOICE:
                return _chosen(self, value)
            case Kind.STATUS:
                return _status(self, value)
            case Kind.TEXT:
                return str(value)
        return _amount(self, value)


def _chosen(parameter: Parameter, value: object) -> str:
    words = [one.word for one in parameter.choices]
    if str(value) not in words:
        raise ValueError(f"{parameter.name} is one of {', '.join(words)}, not {str(value)[:60]!r}")
    return str(value)


def _status(parameter: Parameter, value: object) -> int | str:
    """A number, or a word for one; statuses that are words on the wire stay words."""
    text = str(value).strip()
    for one in parameter.choices:
        if text.lower() == one.word.lower() or (one.number >= 0 and _number(text) == one.number):
            return one.number if one.number >= 0 else one.word
    number = _number(text)
    if number is None or not parameter.lowest <= number <= parameter.highest or not parameter.highest:
        raise ValueError(f"{parameter.name} is {_range(parameter)}, not {text[:60]!r}")
    return number


def _range(parameter: Parameter) -> str:
    words = ", ".join(one.word for one in parameter.choices)
    span = f"{parameter.lowest:.0f} to {parameter.highest:.0f}" if parameter.highest else ""
    return " or one of ".join(filter(None, (span, words)))


def _number(text: str) -> int | None:
    """Decimal, or hexadecimal behind 0x."""
    try:
        return int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError:
        return None


def _amount(parameter: Parameter, value: object) -> int | float:
    number = value if isinstance(value, int | float) else _float(value)
    if number is None or not parameter.lowest <= number <= parameter.highest:
        span = f"{parameter.lowest:g} to {parameter.highest:g}"
        raise ValueError(f"{parameter.name} is {span} {parameter.kind.value}, not {str(value)[:60]!r}")
    return round(number) if parameter.kind is Kind.OCTETS else float(number)


def _float(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def seconds(default: float, text: str = "how long", *, highest: float = 3600.0) -> Parameter:
    """A time in seconds."""
    return Parameter(name="seconds", kind=Kind.SECONDS, default=default, text=text, lowest=0, highest=highest)


def octets(default: int, text: str, *, lowest: int = 0) -> Parameter:
    """A number of octets."""
    return Parameter(
        name="octets", kind=Kind.OCTETS, default=default, text=text, lowest=lowest, highest=float(MAXIMUM_OCTETS)
    )


def words(default: str, text: str = "what it says") -> Parameter:
    """A text."""
    return Parameter(name="text", kind=Kind.TEXT, default=default, text=text)


def status(
    default: int | str,
    text: str = "the status",
    *,
    choices: Sequence[Choice] = (),
    lowest: int = 0,
    highest: int = 0,
) -> Parameter:
    """A status: a number, or one of these."""
    return Parameter(
        name="status",
        kind=Kind.STATUS,
        default=default,
        text=text,
        lowest=lowest,
        highest=highest,
        choices=tuple(choices),
    )


def choice(name: str, default: str, text: str, *choices: str) -> Parameter:
    """One of a few words."""
    return Parameter(name=name, kind=Kind.CHOICE, default=default, text=text, choices=tuple(map(Choice, choices)))
