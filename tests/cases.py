"""Golden cases: a stem in `fixtures/` is octets (`.hex`), meaning or refusal (`.json`) and origin (`.md`)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmsc.trace.plain import plain

__all__ = ["FIXTURES", "Case", "annotated", "cases", "plain", "prefixes"]

FIXTURES = Path(__file__).parent.parent / "fixtures"


@dataclass(frozen=True)
class Case:
    """One stem."""

    stem: str
    octets: bytes
    meaning: Any

    @property
    def is_refused(self) -> bool:
        """Whether the octets must be refused."""
        return isinstance(self.meaning, dict) and "refused" in self.meaning

    def __str__(self) -> str:
        return self.stem


def cases(protocol: str) -> list[Case]:
    """All stems of a protocol, in order."""
    found = []
    for path in sorted((FIXTURES / protocol).glob("*.hex")):
        text = "".join(line.partition("#")[0] for line in path.read_text().splitlines(keepends=True))
        meaning = json.loads(path.with_suffix(".json").read_text())
        found.append(Case(path.stem, bytes.fromhex(text), meaning))
    assert found, f"no fixtures for {protocol}"
    return found


def annotated(protocol: str, stem: str) -> list[tuple[str, bytes]]:
    """The remarks of a golden, each with the octets from its line to the next remark; [] when there are none."""
    found: list[tuple[str, bytes]] = []
    for line in (FIXTURES / protocol / f"{stem}.hex").read_text().splitlines():
        octets, mark, remark = line.partition("#")
        if mark:
            found.append((remark.strip(), bytes.fromhex(octets)))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + bytes.fromhex(octets))
    return found


def prefixes(octets: bytes) -> Iterator[bytes]:
    """Every proper prefix."""
    return (octets[:end] for end in range(len(octets)))
