"""The format of scenarios as a JSON Schema (2020-12), made of the table of their keys: for editors that complete."""

from collections.abc import Mapping
from typing import Any, Final

from mmsc.scenario.model import SETUP, STEPS, TOP, Key, Kind

_SCALAR: Final = {"type": ["string", "number", "boolean", "null"]}
_PATTERN: Final = {
    "description": "a value, * for anything, text with *, /regular expression/, 1..100, a list, $variable, absent"
}
_SIMPLE: Final[Mapping[Kind, Any]] = {
    Kind.TEXT: {"type": ["string", "number", "boolean"]},
    Kind.TEXTS: {"anyOf": [{"type": ["string", "number"]}, {"type": "array", "items": {"type": ["string", "number"]}}]},
    Kind.NUMBER: {"type": "number"},
    Kind.FLAG: {"type": "boolean"},
    Kind.TIME: {"type": ["string", "number"], "examples": ["30 s", "5 min", "2 h", "PT1H"]},
    Kind.PATTERN: _PATTERN,
    Kind.PATTERNS: {"type": "object", "additionalProperties": _PATTERN},
    Kind.FREE: {"type": "object"},
    Kind.NAMES: {"type": "object", "additionalProperties": _SCALAR},
}


def schema() -> dict[str, Any]:
    """The document."""
    steps = {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {name: _of(key) for name, key in STEPS.items()},
        },
    }
    properties = {name: _of(key) for name, key in TOP.items()} | {"setup": _section(SETUP, more=False), "steps": steps}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of mmsc run",
        **_section(TOP, more=False),
        "properties": properties,
    }


def _of(key: Key) -> dict[str, Any]:
    if key.kind is Kind.SECTION:
        made = _section(key.inside or {}, more=key.more)
    elif key.kind is Kind.SECTIONS:
        made = {"type": "object", "additionalProperties": _section(key.inside or {}, more=key.more)}
    else:
        made = dict(_SIMPLE[key.kind])
    return {**made, "description": key.about}


def _section(keys: Mapping[str, Key], *, more: bool) -> dict[str, Any]:
    needed = [name for name, key in keys.items() if key.needed]
    made: dict[str, Any] = {"type": "object", "properties": {name: _of(key) for name, key in keys.items()}}
    return {**made, "additionalProperties": more, **({"required": needed} if needed else {})}
