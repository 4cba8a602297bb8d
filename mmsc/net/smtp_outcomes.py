"""What becomes of a mail that is sent (RFC 5321 4.2)."""

from protocols.records import record


@record(frozen=True, slots=True)
class Reply:
    """An SMTP reply: its code and text."""

    code: int
    text: str


@record(frozen=True, slots=True)
class Sent:
    """What became of a mail: the replies to RCPT of those refused, and the last reply (None: nobody was left)."""

    refused: dict[str, Reply]
    final: Reply | None


class SmtpUnavailable(Exception):
    """No session, or it broke. `why` is for people; `reply` is the refusal, where there was one; `begun`: it broke in
    the middle of the mail, which may be why."""

    def __init__(self, why: str, reply: Reply | None = None, *, begun: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.reply = reply
        self.begun = begun
