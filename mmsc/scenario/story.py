"""What a scenario remembers while it runs: its messages by name, its variables, and what was met already."""

from dataclasses import dataclass, field
from typing import Any

from mmsc.client.waiting import Watch


@dataclass
class Story:
    """One scenario under way. `last` is the message that steps mean when they name none."""

    watch: Watch
    variables: dict[str, Any] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)  # name -> id
    transactions: dict[str, str] = field(default_factory=dict)  # name -> the TransactionID of its SubmitReq
    answers: dict[str, str] = field(default_factory=dict)  # name -> MessageID
    faults: set[str] = field(default_factory=set)
    last: str = ""
    last_name: str = ""
    began: int = 0

    def began_with(self, name: str | None, mm_id: str, message_id: str, transaction_id: str) -> None:
        """A message was sent: from now on it is the last one."""
        name = name or f"message {len(self.transactions) + 1}"
        self.last_name = name
        self.transactions[name] = transaction_id
        self.variables["transaction_id"] = transaction_id
        self.learned(name, mm_id, message_id)

    def learned(self, name: str, mm_id: str, message_id: str) -> None:
        """The MMSC said what it calls the message."""
        if message_id:
            self.answers[name] = self.variables["message_id"] = message_id
        if mm_id:
            self.messages[name] = self.last = self.variables["mm_id"] = mm_id

    def name_of(self, name: str | None) -> str:
        """The message that a step means. Raises ValueError."""
        if name is None:
            if not self.last_name:
                raise ValueError("no message was sent before")
            return self.last_name
        if name not in self.transactions:
            raise ValueError(f"no message is called {name!r}; known: {', '.join(self.transactions) or 'none'}")
        return name

    def id_of(self, name: str | None) -> str:
        """Its id, "" where none was accepted. Raises ValueError for a name that is none."""
        return self.messages.get(self.name_of(name), "") if name is not None else self.last
