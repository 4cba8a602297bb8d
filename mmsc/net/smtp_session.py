"""One SMTP session on aiosmtpd's protocol, with a DATA of our own (RFC 5321 4.1.1.4, 4.5.2).

aiosmtpd's own DATA reads line by line and keeps a line without an end whole, whatever the size limit says; and it ends
a session at once when the client has sent its last octet, even if answers are still owed. Here mail comes in blocks,
what is too large is dropped as it arrives, and who only closed its sending side still gets its replies.
"""

import asyncio
import logging
from typing import Any, Final, Protocol, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from mmsc.net.octets import OctetBudget

_log: Final = logging.getLogger(__name__)
_BLOCK_OCTETS: Final = 64 * 1024
_LAST_WORDS_SECONDS: Final = 5.0  # for a client that was told to go, to read it
_END: Final = b"\r\n.\r\n"
_END_OCTETS: Final = 3  # those of the end that are no part of the mail, and may have come before its last ones
_STUFFED: Final = b"\r\n."
NO_ROOM: Final = "452 4.3.1 too many mails are under way, later"
_STOPPING: Final = b"421 4.3.2 this server stops, later\r\n"
_CUT: Final = b"\xff\r\n"  # behind half a line: nothing that a client means has this octet before its end


class Mail:
    """The octets behind 354, as they come in: up to CRLF.CRLF and nothing that merely looks like it."""

    def __init__(self, maximum_octets: int) -> None:
        self._maximum = maximum_octets
        self._octets = bytearray(b"\r\n")  # the command's line end: a mail may begin with its last dot
        self.size = 0
        self.ended = False
        self.is_too_large = False  # it passed the limit; its octets are gone then
        self.rest = b""  # what was sent after the end
        self.has_no_room = False  # its octets are not kept any more

    def feed(self, block: bytes) -> None:
        """Take more octets, not after the end."""
        octets = self._octets
        searched = max(0, len(octets) - len(_END) + 1)
        octets += block
        end = octets.find(_END, searched)
        if end >= 0:
            self.ended = True
            self.rest = bytes(octets[end + len(_END) :])
            del octets[end + 2 :]
            self.size += len(block) - len(self.rest) - 3
        else:
            self.size += len(block)
        self.is_too_large = self.size > self._maximum + (0 if self.ended else _END_OCTETS)
        if self.is_too_large or self.has_no_room:
            del octets[: max(0, len(octets) - len(_END) + 1)]

    def content(self) -> bytes:
        """The mail without the dots that SMTP put in. Once, after the end."""
        octets = self._octets
        if octets.find(_STUFFED) >= 0:
            octets = octets.replace(_STUFFED, b"\r\n")
        return bytes(memoryview(octets)[2:])


class Sessions(Protocol):
    """The server, as a session sees it."""

    def joined(self, session: "SmtpSession", transport: asyncio.Transport) -> bool:
        """Count a session; False when there are too many."""
        ...

    def left(self, session: "SmtpSession") -> None:
        """A session ended."""
        ...


class Hooks(Protocol):
    """What becomes of a mail."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The reply to a mail."""
        ...

    async def greeting(self, session: Session) -> str:
        """The greeting instead of 220, "" for none."""
        ...

    async def before_data(self, session: Session, envelope: Envelope) -> str:
        """The reply to DATA instead of 354, "" for none."""
        ...

    def refused(self, session: Session, envelope: Envelope, size: int, reply: str) -> None:
        """A mail that was not kept."""
        ...


class SmtpSession(SMTP):
    """One connection. `mail_seconds` bounds a whole mail, aiosmtpd's `timeout` each wait within it."""

    def __init__(
        self,
        sessions: Sessions,
        hooks: Hooks,
        *,
        budget: OctetBudget,
        maximum_octets: int,
        mail_seconds: float,
        **options: Any,
    ) -> None:
        self._budget = budget
        self._held = 0
        self._stopping = False
        self.is_busy = False  # within a mail
        self._sessions = sessions
        self._hooks = hooks
        self._maximum_octets = maximum_octets
        self._mail_seconds = mail_seconds
        self._within_line = False
        super().__init__(hooks, data_size_limit=maximum_octets, **options)

    @property
    def working(self) -> asyncio.Task[None] | None:
        """The task that serves it."""
        return self._handler_coroutine

    def finish(self) -> None:
        """The server stops: say so and close, when a mail that is under way was answered."""
        self._stopping = True
        if not self.is_busy and self.transport is not None:
            transport = cast("asyncio.Transport", self.transport)
            transport.write(_STOPPING)
            transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many sessions."""
        transport = cast("asyncio.Transport", transport)  # other loops have transports of their own
        if not self._sessions.joined(self, transport):
            transport.write(b"421 4.3.2 too many sessions\r\n")
            transport.close()
            return
        super().connection_made(transport)
        assert self._handler_coroutine is not None
        self._handler_coroutine.add_done_callback(_ended)

    def connection_lost(self, error: Exception | None) -> None:
        """End; a mail that is being stored is stored all the same (`Unit.after`)."""
        self._sessions.left(self)
        if self._handler_coroutine is not None:
            super().connection_lost(error)

    async def _handle_client(self) -> None:
        assert self.session is not None
        spoilt = await self._hooks.greeting(self.session)
        if spoilt:
            await self.push(spoilt)
            if self.transport is not None:
                self.transport.close()
            return
        await super()._handle_client()

    def data_received(self, data: bytes) -> None:
        """Octets from the client."""
        self._within_line = not data.endswith(b"\n")
        super().data_received(data)

    def eof_received(self) -> bool:
        """Serve what came before, as if QUIT followed; the connection stays open for the replies until then. Half a
        line is spoilt: it is no command, and a dot that begins it ends no mail."""
        if self._handler_coroutine is None:
            return False
        self._reader.feed_data(_CUT + b"QUIT\r\n" if self._within_line else b"QUIT\r\n")
        self._reader.feed_eof()
        return True

    def _timeout_cb(self) -> None:
        """Say so and close; who does not read that either is cut, or the connection would stay for its sake."""
        self._writer.write(b"421 4.4.2 the wait was too long\r\n")
        super()._timeout_cb()  # type: ignore[no-untyped-call]
        assert self.transport is not None
        self._timeout_handle = self.loop.call_later(
            _LAST_WORDS_SECONDS, cast("asyncio.Transport", self.transport).abort
        )

    def _unread(self) -> bytearray:
        """What the reader holds. StreamReader has no way to look at it or to put octets back; aiosmtpd clears it at
        STARTTLS in the same manner."""
        return cast("bytearray", self._reader._buffer)  # type: ignore[attr-defined] # noqa: SLF001

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """RFC 5321 4.1.1.4."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 RCPT comes before DATA")
            return
        if arg:
            await self.push("501 5.5.4 DATA takes no argument")
            return
        if not self._budget.has_room(_BLOCK_OCTETS):
            await self.push(NO_ROOM)
            return
        assert self.session is not None
        spoilt = await self._hooks.before_data(self.session, self.envelope)
        if spoilt:
            await self.push(spoilt)
            return
        self.is_busy = True
        try:
            await self._take_mail(self.envelope)
        finally:
            self._budget.give(self._held)
            self._held = 0
            self.is_busy = False
        if self._stopping:
            self.finish()

    async def _take_mail(self, envelope: Envelope) -> None:
        await self.push("354 end with <CRLF>.<CRLF>")
        mail = await self._receive()
        try:
            reply = await self._reply_to(mail, envelope)
        finally:  # ready for the next MAIL whatever became of this one
            self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(reply)

    async def smtp_AUTH(self, arg: str | None) -> None:  # noqa: N802
        """Peers are known by their address and domain."""
        await self.push("502 5.5.1 AUTH is not offered")

    async def smtp_QUIT(self, arg: str | None) -> None:  # noqa: N802
        """RFC 5321 4.1.1.10. Nothing is read any more: there may be nothing to wait for."""
        await super().smtp_QUIT(arg)
        if not arg:
            raise asyncio.CancelledError

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The address in a command and what follows it; (None, None), which is 553, where there is none. The parser
        of the standard library trips over its own feet for some (`<`)."""
        try:
            return super()._getaddr(arg)
        except Exception:
            _log.info("no address: %r", arg)
            return None, None

    async def handle_exception(self, error: Exception) -> str:
        """Our fault: the peer shall try again, and need not know more (RFC 5321 4.2.5)."""
        _log.error("an SMTP session failed", exc_info=error)
        return "451 4.3.0 internal error, later"

    async def _receive(self) -> Mail:
        mail = Mail(self._maximum_octets)
        end = self.loop.time() + self._mail_seconds
        while not mail.ended:
            self._reset_timeout(max(0.0, min(self._timeout_duration, end - self.loop.time())) or 0.001)
            block = await self._reader.read(_BLOCK_OCTETS)
            if not block:  # the client is through in the middle of a mail: nobody waits for an answer
                raise asyncio.CancelledError
            if not mail.is_too_large and not mail.has_no_room:
                mail.has_no_room = not self._budget.take(len(block))
                self._held += 0 if mail.has_no_room else len(block)
            mail.feed(block)
        self._reset_timeout()
        if mail.rest:  # a client that pipelines: its next commands (RFC 2920)
            self._unread()[:0] = mail.rest
        return mail

    async def _reply_to(self, mail: Mail, envelope: Envelope) -> str:
        assert self.session is not None
        if mail.is_too_large:
            reply = f"552 5.3.4 at most {self._maximum_octets} octets are taken, these were {mail.size}"
            self._hooks.refused(self.session, envelope, mail.size, reply)
            return reply
        if mail.has_no_room:
            self._hooks.refused(self.session, envelope, mail.size, NO_ROOM)
            return NO_ROOM
        envelope.original_content = envelope.content = mail.content()
        return await self._hooks.handle_DATA(self, self.session, envelope)


def _ended(task: asyncio.Task[None]) -> None:
    """A session may end with a connection that broke while it was written to: nobody else would look."""
    if not task.cancelled():
        task.exception()
