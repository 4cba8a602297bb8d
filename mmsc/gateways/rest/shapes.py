"""What control tells, as REST writes it: the same Structs, with moments as RFC 3339 in UTC instead of microseconds, and
places of pages (64 bits) as text.

A shape is made from the Struct itself, so that a field that is added there is here, too, and in OpenAPI.
"""

import types
from datetime import datetime
from functools import cache, reduce
from operator import or_
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from mmsc.control.messages import Place
from mmsc.domain.instant import Instant, to_datetime

_AS: Final[dict[Any, type]] = {Instant: datetime, Place: str}


@cache
def shape_of(cls: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The Struct of a Struct in which every `Instant` is a datetime and every `Place` a text."""
    hints = get_type_hints(cls)
    defaults = dict(zip(reversed(cls.__struct_fields__), reversed(cls.__struct_defaults__), strict=False))
    fields: list[Any] = []
    for name in cls.__struct_fields__:
        shaped = _shaped(hints[name])
        default = defaults.get(name, msgspec.NODEFAULT)
        fields.append((name, shaped) if default is msgspec.NODEFAULT else (name, shaped, default))
    made = msgspec.defstruct(cls.__name__, fields, module=cls.__module__, frozen=True, kw_only=True)
    made.__doc__ = cls.__doc__
    return made


def shaped(value: msgspec.Struct) -> msgspec.Struct:
    """A value of control as REST writes it."""
    hints = get_type_hints(type(value))
    values = {name: _converted(getattr(value, name), hints[name]) for name in value.__struct_fields__}
    return shape_of(type(value))(**values)


def _shaped(hint: Any) -> Any:
    if hint in _AS:
        return _AS[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return shape_of(hint)
    origin = get_origin(hint)
    if origin is None:
        return hint
    inner = tuple(_shaped(one) for one in get_args(hint))
    return reduce(or_, inner) if origin in (Union, types.UnionType) else origin[inner]


def _converted(value: Any, hint: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return shaped(value)
    if isinstance(value, list):
        (inner,) = get_args(hint) or (Any,)
        return [_converted(one, inner) for one in value]
    kinds = (hint, *get_args(hint))
    if isinstance(value, int) and Instant in kinds:
        return to_datetime(Instant(value))
    if isinstance(value, int) and Place in kinds:
        return str(value)
    return value
