"""How long a session waits for what, and how it says that there is none (SMPP v3.4 7.2)."""

from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class EsmeTimers:
    """Seconds (SMPP v3.4 7.2)."""

    connect: float = 10.0
    response: float = 10.0
    enquire_link: float = 30.0
    unbind: float = 5.0
    first_reconnect: float = 1.0
    longest_reconnect: float = 60.0


class SmscGone(Exception):
    """No session, or no answer in time. `sent` tells a request that the SMSC may have."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
