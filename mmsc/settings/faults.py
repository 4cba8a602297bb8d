"""Faults that are on from the start, and magic numbers: for labs. What each fault takes is in `docs/faults.md`."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from mmsc.settings.base import Live, Section

_Text = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
_NUMBERS = r"^\+[0-9]{1,14}\Z"


class Fault(Section, frozen=True, kw_only=True):
    """A `[faults.NAME]` table: the same as `mmsc.faults.parameters.Setting`, which a test sees to."""

    vasp: _Text = ""
    peer: _Text = ""
    smsc: _Text = ""
    number: _Text = ""
    run: _Text = ""
    transaction: _Text = ""
    operation: _Text = ""
    rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: _Count = 0
    times: _Count = 0
    each: _Count = 0
    delay_seconds: _Seconds = 0.0
    expires_after_seconds: Annotated[float, msgspec.Meta(ge=0, le=31_536_000)] = 0.0
    status: int | _Text | UnsetType = UNSET
    seconds: _Seconds | UnsetType = UNSET
    octets: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] | UnsetType = UNSET
    text: _Text | UnsetType = UNSET
    stage: _Text | UnsetType = UNSET
    state: _Text | UnsetType = UNSET
    form: _Text | UnsetType = UNSET


class Magic(Section, frozen=True, kw_only=True):
    """Recipients whose last digits give a set outcome."""

    enabled: Live[bool] = False
    prefix: Live[Annotated[str, msgspec.Meta(pattern=_NUMBERS)]] = "+15559"
