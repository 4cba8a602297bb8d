"""Stories that were driven through a whole MMSC, kept as their events and captures."""

from pathlib import Path

import msgspec

from mmsc.control.traffic import Traffic
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.ladder import About, Pdu, addresses_of, read
from mmsc.trace.stored import event_of
from tests.tidy.project import TOP

FOLDER = TOP / "tests" / "trace" / "ladders"


class Story(msgspec.Struct, frozen=True):
    """Events as rows of the store, captures with their whole octets."""

    due: str
    events: list[tuple[int, int | None, int | None, int | None, int, int, str, str]]
    captures: list[CaptureRecord]

    @classmethod
    def of(cls, traffic: Traffic) -> "Story":
        """What a traffic was made of."""
        captures = [msgspec.structs.replace(one.record, reference=None, pieces=(one.octets,)) for one in traffic.pdus]
        return cls(traffic.about.due, [one.row() for one in traffic.events], captures)

    def traffic(self) -> Traffic:
        """As the control gives it."""
        events = tuple(event_of(row) for row in self.events)
        pdus: tuple[Pdu, ...] = read([(one, one.octets) for one in self.captures])
        about = About(due=self.due, addresses=addresses_of(events), node="lab-1")
        return Traffic(events=events, pdus=pdus, about=about)


def write(path: Path, story: Story) -> None:
    """One line a record, so that changes can be read."""
    if path.stem:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(story), indent=1) + b"\n")


def stories() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def story(name: str) -> Story:
    """One of them."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Story)
