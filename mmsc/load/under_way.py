"""Messages between their SubmitReq and what ends them."""


class Message:
    """One submission under way."""

    __slots__ = ("began", "counted", "holds_slot", "index", "overdue", "recipient", "recipients", "reported")

    def __init__(self, index: int, began: float, counted: bool, recipients: int, recipient: bytes) -> None:
        self.index = index
        self.began = began
        self.counted = counted
        self.recipients = recipients
        self.recipient = recipient  # the first one, as its element
        self.reported: set[bytes] | None = None  # who was reported, where there are several
        self.holds_slot = True
        self.overdue = False


class PushClock:
    """Which push is which message's: told by the recipient, and only where no other message waits for a push to it."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, Message | int] = {}  # by recipient; a number where there are several

    def begun(self, message: Message) -> None:
        """A message to one recipient was sent."""
        other = self._waiting.get(message.recipient)
        if other is None:
            self._waiting[message.recipient] = message
        else:
            self._waiting[message.recipient] = other + 1 if isinstance(other, int) else 2

    def failed(self, message: Message) -> None:
        """It was not accepted: no push will come."""
        self._take(message.recipient)

    def pushed(self, destination: bytes) -> Message | None:
        """A push came for this number, in digits; its message, None when it may be one of several."""
        return self._take(b"<Number>+%b</Number>" % destination.lstrip(b"+"))

    def _take(self, recipient: bytes) -> Message | None:
        waiting = self._waiting.get(recipient)
        if isinstance(waiting, int) and waiting > 1:
            self._waiting[recipient] = waiting - 1
            return None
        self._waiting.pop(recipient, None)
        return waiting if isinstance(waiting, Message) else None
