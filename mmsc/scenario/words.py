"""Steps on one line, as people read them."""

from collections.abc import Mapping
from typing import Any, Final

from mmsc.client.patterns import said
from mmsc.scenario.model import Step
from mmsc.scenario.verdicts import duration

_HIDDEN: Final = ("as", "answer", "save")
_LONGEST: Final = 110


def words_of(step: Step) -> str:
    """The step in one line."""
    what = step.what
    if step.verb == "phone" and isinstance(what, Mapping):
        rest = {name: value for name, value in what.items() if name not in ("number", "does")}
        return _short(f"handset {what.get('number', '?')}: {what.get('does', '?')} {_pairs(rest)}")
    if isinstance(what, Mapping):
        return _short(f"{step.verb} {_pairs(what)}")
    return _short(f"{step.verb} {_time(what) if step.verb == 'settle' else what}")


def _pairs(what: Mapping[str, Any], hidden: tuple[str, ...] = _HIDDEN) -> str:
    made = []
    for name, value in what.items():
        if name in hidden:
            continue
        if name == "fields" and isinstance(value, Mapping):
            made.append(_pairs(value, ()))
        elif isinstance(value, bool):
            made.append(f"{name}={str(value).lower()}")
        elif name in ("within", "expiry", "deliver_after"):
            made.append(f"{name} {_time(value)}")
        else:
            made.append(f"{name}={said(', '.join(value) if _texts(value) else value)}")
    return " ".join(made)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _time(seconds: Any) -> str:
    return duration(round(seconds * 1_000_000)) if isinstance(seconds, int | float) else str(seconds)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
