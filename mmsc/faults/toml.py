"""Faults as the settings file writes them: `[faults.NAME]` tables (TOML 1.0)."""

import json
from collections.abc import Iterable

from mmsc.faults.parameters import Setting
from mmsc.faults.plan import parameters_of


def as_config(faults: Iterable[tuple[str, Setting]]) -> str:
    """The tables of these faults, "" for none."""
    return "\n".join(_table(name, setting) for name, setting in faults)


def _table(name: str, setting: Setting) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in parameters_of(setting).items()]
    return "\n".join([f"[faults.{name}]", *lines, ""])


def _value(value: object) -> str:
    """A string as a TOML basic string: JSON's is one, but for DEL, which no parameter may have."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
