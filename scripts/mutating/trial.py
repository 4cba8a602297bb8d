"""One decoder and so many mutated inputs: what it did with them, or the input that it failed on."""

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from mutating.damage import mutated
from mutating.decoders import Decoder
from protocols.errors import ProtocolError
from protocols.octets import OctetReader

STEPS_AN_OCTET: Final = 8
STEPS_AT_MOST: Final = 1000  # beside them
MEMORY_AN_OCTET: Final = 256  # a field of two octets is kept, shown and told with its clause
MEMORY_AT_MOST: Final = 64 * 1024  # beside it
WEIGHED: Final = 5  # inputs of a trial, those that took most steps, whose memory is measured


@dataclass(slots=True)
class Outcome:
    """`failed` is "" when all is well, else what went wrong with `octets`."""

    decoder: str
    seed: int
    tried: int = 0
    read: int = 0
    refused: int = 0
    steps: float = 0.0  # the most of any input, as a share of what is allowed
    memory: float = 0.0  # likewise
    seconds: float = 0.0
    failed: str = ""
    octets: bytes = b""


@contextmanager
def counting() -> Iterator[list[OctetReader]]:
    """Every reader that is made meanwhile."""
    made: list[OctetReader] = []
    plain = OctetReader.__init__

    def noted(self: OctetReader, *arguments: Any, **named: Any) -> None:
        plain(self, *arguments, **named)
        made.append(self)

    OctetReader.__init__ = noted  # type: ignore[method-assign]
    try:
        yield made
    finally:
        OctetReader.__init__ = plain  # type: ignore[method-assign]


def attempt(decoder: Decoder, octets: bytes, readers: list[OctetReader], outcome: Outcome) -> float:
    """Reads once; the steps as a share of what is allowed. What is wrong is told in `outcome`."""
    outcome.tried += 1
    message = None
    try:
        message = decoder.read(octets)
        outcome.read += 1
    except ProtocolError:
        outcome.refused += 1
    except Exception as error:
        outcome.failed = f"{type(error).__name__}: {error}"
    share = sum(reader.steps for reader in readers) / (STEPS_AN_OCTET * len(octets) + STEPS_AT_MOST)
    readers.clear()
    if share > 1:
        outcome.failed = f"{share:.1f} times the steps that are allowed"
    if message is not None and not outcome.failed:
        _read_again(decoder, message, octets, outcome)
        readers.clear()
    if outcome.failed:
        outcome.octets = octets
    return share


def _read_again(decoder: Decoder, message: Any, octets: bytes, outcome: Outcome) -> None:
    try:
        if decoder.again(message, octets) is False:
            outcome.failed = "written and read again it is another message"
    except Exception as error:
        outcome.failed = f"written and read again: {type(error).__name__}: {error}"


def memory_of(decoder: Decoder, octets: bytes) -> float:
    """What reading these octets takes at its peak, as a share of what is allowed."""
    tracemalloc.start()
    try:
        decoder.read(octets)
    except ProtocolError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak / (MEMORY_AN_OCTET * len(octets) + MEMORY_AT_MOST)


def trial(decoder: Decoder, seed: int, count: int, seconds: float = float("inf")) -> Outcome:
    """So many inputs, or as many as that time allows; ends with the first one that it fails on."""
    outcome = Outcome(decoder.name, seed)
    worst: list[tuple[float, int, bytes]] = []
    started = time.monotonic()
    with counting() as readers:
        for number, octets in enumerate(islice(mutated(decoder.seeds(), seed), count)):
            share = attempt(decoder, octets, readers, outcome)
            outcome.steps = max(outcome.steps, share)
            worst.append((len(octets) * share, number, octets))
            if len(worst) > 20 * WEIGHED:
                worst = sorted(worst)[-WEIGHED:]
            if outcome.failed or (number % 100 == 0 and time.monotonic() - started > seconds):
                break
    for _, _, octets in [] if outcome.failed else sorted(worst)[-WEIGHED:]:
        memory_of(decoder, octets)  # what is remembered from the first time is no part of it
        outcome.memory = max(outcome.memory, memory_of(decoder, octets))
        if outcome.memory > 1:
            outcome.failed, outcome.octets = f"{outcome.memory:.1f} times the memory that is allowed", octets
    outcome.seconds = time.monotonic() - started
    return outcome
