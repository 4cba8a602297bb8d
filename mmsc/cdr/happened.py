"""What charging records are made of: a committed event with its MM, and whose records they are."""

from collections.abc import Mapping, Sequence
from dataclasses import field

from mmsc.cdr.forms import Value
from mmsc.domain.message import Mm, Part
from mmsc.trace.events import Data
from protocols.records import record


@record(frozen=True, slots=True)
class House:
    """Whose records these are: our domain, the domains of the peers by name, and the node that writes."""

    domain: str
    node: str
    peers: Mapping[str, str] = field(default_factory=dict)

    def peer(self, name: str) -> str:
        """The domain of a peer, its name when it is configured no more."""
        return self.peers.get(name, name)


@record(frozen=True, slots=True)
class Happened:
    """A committed event with what is needed to charge for it. `recipient` is an address; `refused` says that some of
    the recipients that were asked for were not taken."""

    event_id: int
    at: int
    data: Data
    mm: Mm | None = None
    recipient_id: int | None = None
    recipient: str = ""
    peer: str = ""  # where that recipient lives, if not here
    recipients: Sequence[tuple[str, str]] = ()  # (address, role) of all
    parts: Sequence[Part] = ()
    refused: bool = False

    @property
    def stored_mm(self) -> Mm:
        """The MM that the event is about."""
        assert self.mm is not None, f"{self.data.kind} is about no MM"
        return self.mm


Fields = dict[str, Value]
