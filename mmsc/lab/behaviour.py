"""What the virtual SMSC can be told to do."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.smpp import CommandStatus, MessageState


@dataclass(slots=True)
class Behaviour:
    """What the SMSC does other than saying yes. `statuses` are used up one by one; `delay_seconds` before each answer;
    `numbers` answers everything to a number (digits alone); `per_second` is how many it takes in a second before it
    throttles (0: no limit); `refuse_binds` keeps everybody out; `lost` takes messages and delivers none."""

    statuses: deque[CommandStatus] = field(default_factory=deque)
    numbers: dict[str, CommandStatus] = field(default_factory=dict)
    per_second: int = 0
    delay_seconds: float = 0.0
    refuse_binds: bool = False
    lost: bool = False
    receipt_state: MessageState = MessageState.DELIVERED
    counted: tuple[int, int] = (0, 0)  # a second, and how many came in it

    def owes_receipt(self, registered_delivery: int, state: MessageState | None = None) -> bool:
        """By bits 1 and 0: always, or only of a failure (SMPP v3.4 5.2.17). `state` is how it ended, if not as told."""
        wanted = registered_delivery & 3
        return wanted == 1 or (wanted == 2 and (state or self.receipt_state) is not MessageState.DELIVERED)

    def throttles(self, second: int) -> bool:
        """Whether one more message in this second is one too many."""
        if not self.per_second:
            return False
        taken = self.counted[1] if self.counted[0] == second else 0
        if taken < self.per_second:
            self.counted = (second, taken + 1)
        return taken >= self.per_second


def login(accounts: Mapping[str, str], system_id: str, password: str) -> CommandStatus:
    """The answer to a bind; without accounts everybody is let in."""
    if not accounts:
        return CommandStatus.ESME_ROK
    if system_id not in accounts:
        return CommandStatus.ESME_RINVSYSID
    return CommandStatus.ESME_ROK if accounts[system_id] == password else CommandStatus.ESME_RINVPASWD
