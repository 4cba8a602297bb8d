"""What a scenario may expect of a value: itself, `*` for anything, `Sto*`, `/regular expression/`, `1..100`, a list of
which it is one, `$variable`, `absent`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_RANGE: Final = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)\s*\.\.\s*(-?[0-9]+(?:\.[0-9]+)?)")
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_ATOMS: Final = re.compile(r"\\.|\[\^?\]?[^\]]*\]", re.DOTALL)  # what one character can be
_LAZY: Final = re.compile(r"([*+?}])[?+]")
_CERTAIN: Final = re.compile(r"([^)])\{\d+\}")
_INNERMOST: Final = re.compile(r"\((?:\?(?:[:=!]|<[=!]|P?<\w+>|[a-zA-Z-]+:))?([^()]*)\)([*+?{]?)")
_REPEAT: Final = re.compile(r"[*+?{]")
_UNCERTAIN: Final = re.compile(r"[*+?{|]")
_MOST_STEPS: Final = 1_000_000_000  # of a search, at the worst: seconds
ANYTHING: Final = ("*", "any")
ABSENT: Final = "absent"


class Unknown(Exception):
    """A variable that nobody saved."""

    def __init__(self, name: str) -> None:
        super().__init__(f"${name} was not saved by any step before")


def filled(pattern: Any, variables: Mapping[str, Any]) -> Any:
    """A pattern with its variables put in. Raises Unknown."""
    if isinstance(pattern, str):
        return _with_variables(pattern, variables)
    if isinstance(pattern, Mapping):
        return {name: filled(value, variables) for name, value in pattern.items()}
    if isinstance(pattern, list):
        return [filled(one, variables) for one in pattern]
    return pattern


def _with_variables(text: str, variables: Mapping[str, Any]) -> str:
    if text.startswith("/") and text.endswith("/") and len(text) > 1:
        return text  # the $ of a regular expression is its end

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in variables:
            raise Unknown(name)
        return str(variables[name])

    return _VARIABLE.sub(value, text)


def fits(pattern: Any, value: Any) -> bool:
    """Whether a value is as a pattern says; None for the value stands for nothing there."""
    if pattern is None or pattern == ABSENT:
        return value is None
    if value is None:
        return False
    if isinstance(pattern, bool) or isinstance(value, bool):
        return str(pattern).lower() == str(value).lower() or pattern in ANYTHING
    if isinstance(pattern, Mapping):
        return _mapping_fits(pattern, value)
    if isinstance(pattern, list):
        return _list_fits(pattern, value)
    return _text_fits(str(pattern), value)


def _mapping_fits(pattern: Mapping[str, Any], value: Any) -> bool:
    if set(pattern) == {"not"}:
        return not fits(pattern["not"], value)
    return isinstance(value, Mapping) and all(fits(one, found(value, name)) for name, one in pattern.items())


def _list_fits(pattern: list[Any], value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(pattern) == len(value) and all(map(fits, pattern, value))
    return any(fits(one, value) for one in pattern)


def _text_fits(pattern: str, value: Any) -> bool:
    if pattern in ANYTHING:
        return True
    if isinstance(value, Mapping):
        value = value.get("Value", value.get("value", value))
    if isinstance(value, list | tuple):
        return any(_text_fits(pattern, one) for one in value)
    text = str(value)
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return _found_by(pattern[1:-1], text)
    within = _RANGE.fullmatch(pattern)
    number = _number(text)
    if within is not None and number is not None:
        return float(within[1]) <= number <= float(within[2])
    if "*" in pattern:
        return _fits_wildcard(pattern.split("*"), text)
    return text == pattern or _bare(text) == _bare(pattern) or (number is not None and number == _number(pattern))


def _fits_wildcard(pieces: list[str], text: str) -> bool:
    """Each piece at the first place where it can be: one way through the text, however many stars there are."""
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _found_by(expression: str, text: str) -> bool:
    """Raises ValueError for what is none, and for what could search for hours: a server that runs scenarios would do
    nothing else meanwhile."""
    try:
        compiled = re.compile(expression)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"/{expression[:60]}/ is no regular expression: {error}") from error
    repeats = _repeats(expression)
    if repeats is None or len(text) ** (repeats + 1) > _MOST_STEPS:
        raise ValueError(f"/{expression[:60]}/ repeats too much to be looked for in {len(text)} characters")
    return compiled.search(text) is not None


def _repeats(expression: str) -> int | None:
    """How many repetitions of no certain length it has; None where a group repeats that repeats or chooses inside."""
    bare = _ATOMS.sub("x", expression)
    bare = _LAZY.sub(r"\1", _CERTAIN.sub(r"\1", bare))
    while (group := _INNERMOST.search(bare)) is not None:
        inside, times = group[1], group[2]
        if times and _UNCERTAIN.search(inside):
            return None
        bare = bare[: group.start()] + inside + times + bare[group.end() :]
    return len(_REPEAT.findall(bare))


def _number(text: str) -> float | None:
    try:
        return float(text) if not text.startswith("+") else None
    except ValueError:
        return None


def _bare(address: str) -> str:
    """An address without its type, as OMA-TS-MMS_ENC 8 writes one."""
    return address.partition("/TYPE=")[0]


def found(fields: Mapping[str, Any], name: str) -> Any:
    """A field by its name, in any spelling (`X-Mms-Message-ID`, `MessageID`, `message_id`), by a path of names with
    dots, or as deep as it may stand; None when it is not there."""
    value = _here(fields, name)
    if value is None and "." in name:
        first, _, rest = name.partition(".")
        inner = found(fields, first)
        return found(inner, rest) if isinstance(inner, Mapping) else None
    if value is None:
        for inner in _inside(fields):
            value = found(inner, name)
            if value is not None:
                return value
    return value


def _here(fields: Mapping[str, Any], name: str) -> Any:
    wanted = spelling(name)
    return next((value for one, value in fields.items() if spelling(one) == wanted), None)


def _inside(fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in fields.values():
        if isinstance(value, Mapping):
            yield value
        elif isinstance(value, list):
            yield from (one for one in value if isinstance(one, Mapping))


def spelling(name: str) -> str:
    """What all spellings of a field's name have in common."""
    text = re.sub(r"[^a-z0-9]", "", name.lower())
    return text.removeprefix("xmms")


def said(value: Any) -> str:
    """A value or a pattern, short, on one line."""
    if value is None:
        return "absent"
    if isinstance(value, Mapping):
        value = value.get("Value", value)
    text = str(value).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}..."
