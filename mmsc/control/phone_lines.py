"""From a line of a phone to the page that shows its PDU. The phone knows nothing of MMs: the captures do, by the
transaction, the address that was fetched, and the time."""

from itertools import islice
from typing import Final
from urllib.parse import quote

from mmsc.control.control import Control
from mmsc.control.phones import Line
from mmsc.domain.instant import SECOND
from mmsc.trace.captures import CaptureRecord, Direction

LOOKED_AT: Final = 2000  # the latest captures
_APART: Final = 30 * SECOND


async def place_of(control: Control, line: Line, digits: str) -> str:
    """The address of the PDU; of its message, or of a search for it, where no more is known."""
    record = _capture_of(control, line, digits)
    mm_id = None if record is None else _mm_of(control, record)
    if record is None or mm_id is None:
        wanted = line.message_id or line.transaction_id or line.location or digits
        return f"/messages?q={quote(wanted, safe='')}"
    number = await _number_of(control, mm_id, record)
    return f"/m/{mm_id}/pdu/{number}" if number else f"/m/{mm_id}"


def _capture_of(control: Control, line: Line, digits: str) -> CaptureRecord | None:
    """The capture of what the line tells: the one nearest in time that carries its mark."""
    if control.captures is None:
        return None
    direction = Direction.IN if line.way.value == "out" else Direction.OUT
    marks = [one.encode() for one in (line.transaction_id, line.message_id, _path(line.location)) if one]
    until = line.at.real + _APART
    fitting = [
        record
        for record in islice(control.captures.backwards(until, (line.interface,)), LOOKED_AT)
        if record.direction is direction
        and abs(record.at_real - line.at.real) < _APART
        and _carries(record, marks, digits)
    ]
    return min(fitting, key=lambda record: abs(record.at_real - line.at.real), default=None)


def _carries(record: CaptureRecord, marks: list[bytes], digits: str) -> bool:
    """A push may be in segments, any of which may hold the mark: there the number must do."""
    octets = record.octets
    if record.interface == "smpp":
        return digits.encode() in octets
    return any(mark in octets for mark in marks) if marks else True


def _path(location: str) -> str:
    return location.partition("://")[2].partition("/")[2]


def _mm_of(control: Control, record: CaptureRecord) -> int | None:
    if record.mm_id is not None or control.captures is None:
        return record.mm_id
    answers = control.captures.of_exchange(record.exchange)
    return next((one.mm_id for one in answers if one.mm_id is not None), None)


async def _number_of(control: Control, mm_id: int, record: CaptureRecord) -> str:
    pdus = (await control.traffic.of(mm_id)).pdus
    same = [one for one in pdus if (one.record.exchange, one.record.direction) == (record.exchange, record.direction)]
    return min(same, key=lambda one: abs(one.record.at_real - record.at_real)).number if same else ""
