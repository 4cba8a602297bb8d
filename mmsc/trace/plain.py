"""A message as plain JSON, the form that golden cases keep: every field that is set by its name in code."""

import dataclasses
import enum
from datetime import datetime
from typing import Any


def plain(value: Any) -> Any:
    """A message as JSON: what is not set is left out, octets are hex, members are their names."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, bool | str | int | float) or value is None:
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        kept = {name: plain(one) for name, one in fields.items() if one not in (None, "", (), b"")}
        return {"kind": type(value).__name__, **kept}
    return [plain(one) for one in value]
