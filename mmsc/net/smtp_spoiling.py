"""Where the lab stands in the way of SMTP: replies that are wrong on purpose, and mails that are sent wrongly."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from mmsc.trace.captures import Direction, Subject, new_exchange

if TYPE_CHECKING:
    from mmsc.net.smtp import Sent


class Spoiling(Protocol):
    """The lab's doing. `stage` is connect, ehlo, mail, rcpt, data (before 354) or end (of the mail)."""

    async def reply(self, stage: str, mail_from: str, recipients: Sequence[str]) -> tuple[str, str] | None:
        """(reply, name of the fault) instead of ours, None to go on."""
        ...

    def answer_lost(self, mail_from: str, recipients: Sequence[str]) -> str:
        """The name of the fault when a mail that was taken gets no reply, and its connection is cut; "" otherwise."""
        ...


class Mailing(Protocol):
    """Sends mails to one target."""

    async def send(
        self,
        mail_from: str,
        recipients: Sequence[str],
        octets: bytes,
        *,
        neighbour: str = "",
        mm_id: int | None = None,
        fault: str = "",
    ) -> "Sent":
        """Send one mail; `fault` is what is wrong with it on purpose. Raises SmtpUnavailable."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Spoilt:
    """A listener's replies, spoilt by whoever is `by`; the trace shows the command and the wrong reply."""

    def __init__(self, saw: Callable[..., None]) -> None:
        self.by: Spoiling | None = None
        self._saw = saw

    async def reply(self, stage: str, session: Session, command: str, mail_from: str, to: Sequence[str]) -> str:
        """The lab's reply to a command, "" when it lets it pass."""
        found = None if self.by is None else await self.by.reply(stage, mail_from, to)
        if found is None:
            return ""
        exchange = new_exchange()
        if command:
            self._saw(Direction.IN, f"{command}\r\n".encode(), session, exchange)
        self._saw(Direction.OUT, f"{found[0]}\r\n".encode(), session, exchange, fault=found[1])
        return found[0]

    async def reply_to_mail(self, session: Session, exchange: int, mail_from: str, to: Sequence[str]) -> str:
        """The lab's reply to a mail that is whole, "" when it lets it pass."""
        found = None if self.by is None else await self.by.reply("end", mail_from, to)
        if found is None:
            return ""
        self._saw(Direction.OUT, f"{found[0]}\r\n".encode(), session, exchange, fault=found[1])
        return found[0]

    def cut(
        self, server: SMTP, session: Session, exchange: int, mail_from: str, to: Sequence[str], *, subject: Subject
    ) -> bool:
        """Whether a mail that was taken gets no reply: its connection is cut then."""
        lost = "" if self.by is None else self.by.answer_lost(mail_from, to)
        if lost:
            self._saw(Direction.OUT, b"", session, exchange, lost, subject=subject, fault=lost)
            if server.transport is not None:
                cast("asyncio.Transport", server.transport).abort()
        return bool(lost)


NOTHING = Envelope()  # of a session in which nothing was said yet
