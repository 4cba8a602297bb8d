"""X-Mms-Previously-sent-by and X-Mms-Previously-sent-date-and-time: who had an MM before its sender (TS 23.140 8.4.4).
Each repeats, with its number before it: 0 is the original submission."""

import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from mmsc.domain.address import Address
from mmsc.domain.instant import Instant, from_datetime, to_datetime
from mmsc.domain.neighbours import Peer
from mmsc.domain.sendings import MOST, SENT_BEFORE, Sending, kept, sent_before
from mmsc.gateways.addresses import spelled

_BY: Final = "x-mms-previously-sent-by"
_AT: Final = "x-mms-previously-sent-date-and-time"
_NUMBERED: Final = re.compile(r"\s*([0-9]{1,3})\s*,\s*(\S.*)", re.DOTALL)


def read(unknown: Sequence[tuple[str, str]], normalised: Callable[[str], str]) -> dict[str, str]:
    """As it is kept with the MM; nothing where there is none of it. What cannot be read is left out."""
    by: dict[int, str] = {}
    at: dict[int, Instant] = {}
    for name, value in unknown:
        found = _NUMBERED.fullmatch(value) if name.lower() in (_BY, _AT) else None
        if found is None:
            continue
        if name.lower() == _BY:
            by.setdefault(int(found[1]), normalised(found[2].strip()))
        elif (date := _date(found[2])) is not None:
            at.setdefault(int(found[1]), date)
    numbers = sorted(by.keys() | at.keys())[:MOST]
    return {SENT_BEFORE: kept(Sending(by.get(one, ""), at.get(one)) for one in numbers)} if numbers else {}


def written(details: Mapping[str, str], peer: Peer) -> tuple[tuple[str, str], ...]:
    """The fields for a peer; whoever hides has a date and no name."""
    way = list(enumerate(sent_before(details)))
    names = [(n, spelled(Address.of(one.address), peer.rewrites_out)) for n, one in way if one.address]
    dates = [(n, format_datetime(to_datetime(one.at).replace(microsecond=0))) for n, one in way if one.at is not None]
    return (
        *(("X-Mms-Previously-sent-by", f"{n}, {text}") for n, text in names),
        *(("X-Mms-Previously-sent-date-and-time", f"{n}, {text}") for n, text in dates),
    )


def _date(text: str) -> Instant | None:
    try:
        return from_datetime(parsedate_to_datetime(text))
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
