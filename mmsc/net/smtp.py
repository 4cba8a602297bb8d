"""SMTP in and out, bounded (RFC 5321). In: aiosmtpd's protocol on our own loop; out: one kept connection per target.

An endless line, an endless message, too many recipients or sessions, and a client that stops in the middle cost a
bounded amount of memory and time. AUTH is not offered.
"""

import asyncio
import socket
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from mmsc.net.accepting import Acceptor
from mmsc.net.http_received import place_of
from mmsc.net.listening import port_of
from mmsc.net.octets import OctetBudget
from mmsc.net.smtp_handler import Handler, SmtpLimits
from mmsc.net.smtp_outcomes import Reply, Sent, SmtpUnavailable
from mmsc.net.smtp_sender import SmtpSender
from mmsc.net.smtp_session import NO_ROOM, SmtpSession
from mmsc.net.smtp_spoiling import NOTHING, Spoiling, Spoilt
from mmsc.net.turns import settle
from mmsc.trace.captures import Direction, Subject, WireTap, new_exchange, new_subject

__all__ = ["Handler", "Reply", "Sent", "SmtpLimits", "SmtpSender", "SmtpServer", "SmtpUnavailable"]


_NOBODY: Final = Subject()  # what is not known yet


class _Hooks:
    """aiosmtpd's handler methods, in front of ours."""

    def __init__(self, handler: Handler, limits: SmtpLimits, tap: WireTap, budget: OctetBudget) -> None:
        self._handler = handler
        self._budget = budget
        self._limits = limits
        self._tap = tap
        self.spoilt = Spoilt(self._saw)
        self.local = ""  # address:port

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, offered: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if self.spoilt.by is not None and (wrong := await self._wrong("ehlo", session, envelope, f"EHLO {hostname}")):
            return [wrong]
        return [*offered[:-1], "250-PIPELINING", offered[-1]]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.spoilt.by is not None:
            wrong = await self.spoilt.reply("mail", session, f"MAIL FROM:<{address}>", address, ())
            if wrong:
                return wrong
        sizes = [one[5:] for one in options if one.upper().startswith("SIZE=")]
        if not self._budget.has_room(int(sizes[-1]) if sizes and sizes[-1].isdecimal() else 0):
            return NO_ROOM  # RFC 1870 6.1: before the mail is sent
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= self._limits.maximum_recipients:
            return "452 4.5.3 too many recipients"  # RFC 5321 4.5.3.1.10: the rest goes in a further mail
        if self.spoilt.by is not None:
            wrong = await self.spoilt.reply("rcpt", session, f"RCPT TO:<{address}>", _sender(envelope), (address,))
            if wrong:
                return wrong
        reply = await self._handler.rcpt(_remote(session), _sender(envelope), address)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        octets = envelope.original_content or b""
        exchange = new_exchange()
        self._saw(Direction.IN, _commands(envelope) + octets, session, exchange)
        rcpt_tos, subject = tuple(envelope.rcpt_tos), new_subject()
        told = (session, exchange, _sender(envelope), rcpt_tos)
        if self.spoilt.by is not None and (wrong := await self.spoilt.reply_to_mail(*told)):
            return wrong
        reply = await self._handler.data(_remote(session), _sender(envelope), rcpt_tos, octets)
        if self.spoilt.by is None or not self.spoilt.cut(server, *told, subject=subject):
            self._saw(Direction.OUT, f"{reply}\r\n".encode(), session, exchange, subject=subject)
        return reply

    async def greeting(self, session: Session) -> str:
        """The greeting where that is wrong on purpose, "" otherwise."""
        return await self._wrong("connect", session, NOTHING, "")

    async def before_data(self, session: Session, envelope: Envelope) -> str:
        """The reply to DATA where that is wrong on purpose, "" otherwise."""
        return await self._wrong("data", session, envelope, "DATA")

    async def _wrong(self, stage: str, session: Session, envelope: Envelope, command: str) -> str:
        if self.spoilt.by is None:
            return ""
        return await self.spoilt.reply(stage, session, command, _sender(envelope), tuple(envelope.rcpt_tos))

    def refused(self, session: Session, envelope: Envelope, size: int, reply: str) -> None:
        """A mail that was too large to be kept: the trace shows that it was there."""
        exchange = new_exchange()
        self._saw(Direction.IN, _commands(envelope), session, exchange, f"and a mail of {size} octets, not kept")
        self._saw(Direction.OUT, f"{reply}\r\n".encode(), session, exchange)

    def _saw(
        self,
        direction: Direction,
        octets: bytes,
        session: Session,
        exchange: int,
        note: str = "",
        subject: Subject = _NOBODY,
        fault: str = "",
    ) -> None:
        if self._tap.is_on:
            self._tap.saw(
                direction,
                octets,
                local=self.local,
                remote=place_of(session.peer or ("", 0)),
                exchange=exchange,
                neighbour=subject.neighbour,
                mm_id=subject.mm_id,
                note=note,
                fault=fault,
            )


def _commands(envelope: Envelope) -> bytes:
    lines = [f"MAIL FROM:<{_sender(envelope)}>", *(f"RCPT TO:<{one}>" for one in envelope.rcpt_tos), "DATA", ""]
    return "\r\n".join(lines).encode()


def _sender(envelope: Envelope) -> str:
    """ "" for the null reverse-path, which aiosmtpd hands over with its brackets (RFC 5321 4.5.5)."""
    return (envelope.mail_from or "").removeprefix("<>")


def _remote(session: Session) -> str:
    return str(session.peer[0]) if session.peer else ""


class SmtpServer:
    """One listening socket."""

    def __init__(
        self,
        handler: Handler,
        host: str,
        port: int,
        *,
        hostname: str,
        limits: SmtpLimits,
        tap: WireTap,
        budget: OctetBudget | None = None,
    ) -> None:
        """`budget` is shared by the listeners of a server."""
        self._budget = budget or OctetBudget()
        self._hooks = _Hooks(handler, limits, tap, self._budget)
        self._host = host
        self._wanted_port = port
        self._hostname = hostname
        self._limits = limits
        self._server: Acceptor | None = None
        self._sessions: dict[SmtpSession, asyncio.Transport] = {}
        self.port = port

    def spoil(self, spoiling: Spoiling | None) -> None:
        """The lab's replies instead of ours, None for none."""
        self._hooks.spoilt.by = spoiling

    async def start(self) -> None:
        """Listen. OSError when the address cannot be had."""
        self._server = Acceptor(self._take)
        await self._server.start(self._host, self._wanted_port)
        self.port = port_of(self._server)
        self._hooks.local = place_of((self._host, self.port))

    async def stop(self) -> None:
        """Close the socket; sessions are told 421, those within a mail when it was answered, at most `stop_seconds`
        later."""
        if self._server is None:
            return
        self._server.close()
        await self._server.wait_closed()
        for session in tuple(self._sessions):
            session.finish()
        busy = [one.working for one in self._sessions if one.is_busy and one.working is not None]
        if busy:
            await asyncio.wait(busy, timeout=self._limits.stop_seconds)
        tasks = [session.working for session in self._sessions]
        for transport in tuple(self._sessions.values()):
            transport.abort()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        await settle()
        self._server = None

    @property
    def sessions(self) -> int:
        """Clients that are connected."""
        return len(self._sessions)

    def joined(self, session: SmtpSession, transport: asyncio.Transport) -> bool:
        """Count a session; False when there are too many."""
        if len(self._sessions) >= self._limits.maximum_sessions:
            return False
        self._sessions[session] = transport
        return True

    def left(self, session: SmtpSession) -> None:
        """A session ended."""
        self._sessions.pop(session, None)

    async def _take(self, client: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(self._new, client)

    def _new(self) -> SmtpSession:
        return SmtpSession(
            self,
            self._hooks,
            budget=self._budget,
            mail_seconds=self._limits.mail_seconds,
            maximum_octets=self._limits.maximum_octets,
            hostname=self._hostname,
            ident="MMSC",
            timeout=self._limits.command_seconds,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            loop=asyncio.get_running_loop(),
            enable_SMTPUTF8=False,
            decode_data=False,
        )
