"""One run: how much, how fast, until when, and what a message in flight is waited for."""

from enum import StrEnum
from typing import Final

from protocols.records import record

MAXIMUM_CONNECTIONS: Final = 4096
MAXIMUM_IN_FLIGHT: Final = 100_000
MAXIMUM_RATE: Final = 100_000.0


class Until(StrEnum):
    """What ends a message of a closed loop, so that the next begins."""

    ACCEPTED = "accepted"  # its SubmitRsp, or whatever came instead
    REPORTED = "reported"  # the last of its delivery reports was answered


@record(frozen=True, slots=True, kw_only=True)
class Plan:
    """Either `in_flight` (closed loop) or `rate` (messages/s, open loop), and either `messages` or `seconds`.

    `warm_up_messages` have ended, or `warm_up_seconds` are over, before anything counts.
    `exact`: a closed loop sends no message more than that; else it goes on until that many have ended, so that the
    number in flight is the same all the time."""

    in_flight: int = 0
    rate: float = 0.0
    messages: int = 0
    seconds: float = 0.0
    warm_up_messages: int = 0
    warm_up_seconds: float = 0.0
    connections: int = 1
    until: Until = Until.ACCEPTED
    reports: bool = False  # ask for delivery reports, and wait for them
    pushes: bool = False  # we are the SMSC: tell how long the push took
    exact: bool = True
    timeout_seconds: float = 30.0  # for an answer
    grace_seconds: float = 30.0  # for a report; later it is overdue, and lost when it never comes
