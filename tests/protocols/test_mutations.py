"""Mutated octets by the thousand: `scripts/mutate` in short, and 50,000 for each decoder where it may take its time.

Nothing but a ProtocolError is raised, steps stay below 8 x octets + 1,000, memory stays in proportion, and what is
written again is read the same."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "scripts"))  # where the trial belongs

from mutating.damage import mutated  # noqa: E402
from mutating.decoders import DECODERS, USUAL, Decoder  # noqa: E402
from mutating.trial import trial  # noqa: E402

from protocols.errors import DecodeError  # noqa: E402
from protocols.octets import OctetReader  # noqa: E402

MANY = 50_000
FEW = 2_000


@pytest.mark.parametrize("name", USUAL)
def test_a_few_mutations(name: str) -> None:
    outcome = trial(DECODERS[name], 1, FEW)
    assert outcome.failed == "", f"{outcome.failed}: {outcome.octets.hex()}"
    assert outcome.tried == FEW
    assert outcome.refused > FEW // 20 or name == "mm1-describe", "the damage is too small"
    assert outcome.read > FEW // 20, "the damage is too great"


@pytest.mark.slow
@pytest.mark.timeout(540)
@pytest.mark.parametrize("name", USUAL)
def test_many_mutations(name: str) -> None:
    outcome = trial(DECODERS[name], 20, MANY)
    assert outcome.failed == "", f"{outcome.failed}: {outcome.octets.hex()}"
    assert outcome.tried == MANY


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(DECODERS) - set(USUAL)))
def test_mutations_of_text(name: str) -> None:
    outcome = trial(DECODERS[name], 1, 10 * FEW)
    assert outcome.failed == "", f"{outcome.failed}: {outcome.octets.hex()}"


def test_a_seed_makes_the_same_inputs_again() -> None:
    seeds = DECODERS["mm1"].seeds()
    first, again, other = mutated(seeds, 5), mutated(seeds, 5), mutated(seeds, 6)
    made = [next(first) for _ in range(300)]
    assert made == [next(again) for _ in range(300)]
    assert made != [next(other) for _ in range(300)]


def _refuses(octets: bytes) -> Any:
    raise DecodeError("no")


def _breaks(octets: bytes) -> Any:
    return octets[3]


def _toils(octets: bytes) -> Any:
    reader = OctetReader(octets)
    for _ in range(8 * len(octets) + 1001):
        reader.take(0)


def _hoards(octets: bytes) -> Any:
    return [bytes(1000) for _ in range(300 + len(octets))]


@pytest.mark.parametrize(
    ("read", "again", "told"),
    [
        (_refuses, None, ""),
        (_breaks, None, "IndexError"),
        (_toils, None, "steps"),
        (_hoards, None, "memory"),
        (lambda octets: octets, lambda message, octets: False, "another message"),
        (lambda octets: octets, lambda message, octets: message[3] == 0, "IndexError"),
    ],
    ids=["refuses", "breaks", "toils", "hoards", "comes back another", "breaks when it is written"],
)
def test_what_is_wrong_is_noticed(read: Any, again: Any, told: str) -> None:
    decoder = Decoder("x", read, lambda: [b"ab"], again or (lambda message, octets: None))
    outcome = trial(decoder, 1, 3)
    assert told in outcome.failed
    assert bool(outcome.failed) == bool(told)
    assert (outcome.octets != b"") == bool(told)


def test_the_command_tells_its_seed_and_its_figures() -> None:
    command = [sys.executable, "-m", "mutating", "--decoder", "udh", "--count", "50", "--seed", "7", "--processes", "1"]
    environment = {**os.environ, "PYTHONPATH": f"{TOP / 'scripts'}:{TOP}"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    first, second = done.stdout.splitlines()
    assert first == "seed 7"
    assert second.split()[:3] == ["udh", "50", "inputs,"]
