"""Who had an MM before its sender: the originator, then whoever forwarded it (TS 23.140 8.1.4.3, Previously-sent-by and
Previously-sent-date-and-time). It is kept with the MM; each interface has its own spelling and numbering."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import Mm
from protocols.records import record

SENT_BEFORE: Final = "previously_sent"  # in an MM's details, as JSON
MOST: Final = 20  # of one MM; longer ways are cut behind these
_LONGEST: Final = 320  # characters of an address (RFC 5321 4.5.3.1)


@record(frozen=True, slots=True)
class Sending:
    """Somebody submitted or forwarded the MM. `address` is normalised, "" for who hides or is not known; `at` is None
    where nobody said when."""

    address: str
    at: Instant | None


def kept(sendings: Iterable[Sending]) -> str:
    """As it stands in an MM's details."""
    some = list(sendings)[:MOST]
    return json.dumps([[one.address if len(one.address) <= _LONGEST else "", one.at] for one in some])


def sent_before(details: Mapping[str, str]) -> tuple[Sending, ...]:
    """The way of an MM with these details, the originator first; nobody when it was not forwarded."""
    if SENT_BEFORE not in details:
        return ()
    return tuple(
        Sending(address, None if at is None else Instant(at)) for address, at in json.loads(details[SENT_BEFORE])
    )


def sent_on(mm: Mm) -> tuple[Sending, ...]:
    """The way of what is made of an MM by forwarding it. Who hid from the forwarder stays hidden from everybody."""
    return (*sent_before(mm.details), Sending("" if mm.sender_hidden else mm.sender.value, mm.date))
