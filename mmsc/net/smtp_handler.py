"""What a gateway answers to mails, and what a client may cost."""

from collections.abc import Sequence

from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class SmtpLimits:
    """What a client may cost. `command_seconds` bounds each wait for the client, `mail_seconds` a mail as a whole."""

    maximum_sessions: int = 200
    maximum_octets: int = 2 * 1024 * 1024
    maximum_recipients: int = 100
    command_seconds: float = 300.0
    mail_seconds: float = 600.0
    stop_seconds: float = 5.0  # for a mail under way when the server stops


class Handler:
    """What a gateway answers. `rcpt` and `data` return SMTP replies; the defaults take nothing."""

    async def rcpt(self, remote: str, mail_from: str, address: str) -> str:
        """The reply to RCPT TO."""
        return f"550 5.1.1 {address} is not served"

    async def data(self, remote: str, mail_from: str, recipients: Sequence[str], octets: bytes) -> str:
        """The reply to the end of DATA; what it promises is durable by then."""
        return "554 5.3.0 not taken"
