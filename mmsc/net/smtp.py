"""SMTP in and out, bounded (RFC 5321). In: aiosmtpd's protocol on our own loop; out: one kept connection per target.

An endless line, an endless message, too many recipients or sessions, and a client that stops in the middle cost a
bounded amount of memory and time. AUTH is not offered.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from typing import Final, NamedTuple

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session

from mmsc.net.http_received import place_of
from mmsc.net.listening import port_of
from mmsc.net.octets import OctetBudget
from mmsc.net.smtp_outcomes import Reply, Sent, SmtpUnavailable
from mmsc.net.smtp_session import NO_ROOM, SmtpSession
from mmsc.net.turns import settle
from mmsc.trace.captures import Direction, Subject, WireTap, new_exchange, new_subject
from protocols.records import record

__all__ = ["Handler", "Reply", "Sent", "SmtpLimits", "SmtpSender", "SmtpServer", "SmtpUnavailable"]
_QUIT_SECONDS: Final = 2.0


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


_NOBODY: Final = Subject()  # what is not known yet


class _Hooks:
    """aiosmtpd's handler methods, in front of ours."""

    def __init__(self, handler: Handler, limits: SmtpLimits, tap: WireTap, budget: OctetBudget) -> None:
        self._handler = handler
        self._budget = budget
        self._limits = limits
        self._tap = tap
        self.local = ""  # address:port

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, offered: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*offered[:-1], "250-PIPELINING", offered[-1]]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
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
        reply = await self._handler.data(_remote(session), _sender(envelope), rcpt_tos, octets)
        self._saw(Direction.OUT, f"{reply}\r\n".encode(), session, exchange, subject=subject)
        return reply

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
        self._server: asyncio.Server | None = None
        self._sessions: dict[SmtpSession, asyncio.Transport] = {}
        self.port = port

    async def start(self) -> None:
        """Listen. OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._new, self._host, self._wanted_port)
        self.port = port_of(self._server)
        self._hooks.local = place_of((self._host, self.port))

    async def stop(self) -> None:
        """Close the socket; sessions are told 421, those within a mail when it was answered, at most `stop_seconds`
        later."""
        if self._server is None:
            return
        self._server.close()
        await settle()
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
        await self._server.wait_closed()
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


def _is_positive(code: int) -> bool:
    """RFC 5321 4.2: a code that one does not know means what its first digit says."""
    return 200 <= code < 300


class _Whose(NamedTuple):
    """What the trace is told of a mail that goes out."""

    neighbour: str
    mm_id: int | None
    local: str


def _local(client: aiosmtplib.SMTP) -> str:
    return place_of(client.transport.get_extra_info("sockname")) if client.transport is not None else ""


def _line(code: int, text: str) -> bytes:
    return f"{code} {text}\r\n".encode()


class SmtpSender:
    """Kept connections to one target, at most `connections` at a time."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        hostname: str,
        tap: WireTap,
        timeout_seconds: float = 60.0,
        connections: int = 4,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._hostname = hostname
        self._tap = tap
        self._timeout = timeout_seconds
        self._tls = tls
        self._idle: list[aiosmtplib.SMTP] = []
        self._seats = asyncio.Semaphore(connections)
        self._closed = False

    async def send(
        self,
        mail_from: str,
        recipients: Sequence[str],
        octets: bytes,
        *,
        neighbour: str = "",
        mm_id: int | None = None,
    ) -> Sent:
        """Send one mail. Raises SmtpUnavailable when there is no session or MAIL FROM was refused."""
        async with self._seats:
            client = await self._client()
            try:
                sent = await self._transaction(
                    client, mail_from, recipients, octets, _Whose(neighbour, mm_id, _local(client))
                )
            except aiosmtplib.SMTPResponseException as error:
                await self._quit(client)
                reply = Reply(error.code, str(error.message))
                raise SmtpUnavailable(f"{error.code} {error.message}", reply) from error
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                client.close()
                raise SmtpUnavailable(f"{type(error).__name__}: {error}", begun=True) from error
            except BaseException:
                client.close()  # cancelled in the middle: nobody knows where the session stands
                raise
            if self._closed:
                await self._quit(client)
            else:
                self._idle.append(client)
            return sent

    async def close(self) -> None:
        """Close all connections; what is under way is finished, and its connection closed then."""
        self._closed = True
        while self._idle:
            await self._quit(self._idle.pop())

    async def _client(self) -> aiosmtplib.SMTP:
        """A connection that still answers, else a new one."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.rset()
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                client.close()
                continue
            return client
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=self._hostname,
            timeout=self._timeout,
            start_tls=False,
            use_tls=self._tls is not None,
            tls_context=self._tls,
        )
        try:
            await client.connect()
            try:
                await client.ehlo()
            except aiosmtplib.SMTPHeloError:
                await client.helo()  # RFC 5321 4.1.1.1: an older server
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            client.close()
            raise SmtpUnavailable(f"cannot connect to {self._host}:{self._port}: {error.__cause__ or error}") from error
        return client

    async def _transaction(
        self,
        client: aiosmtplib.SMTP,
        mail_from: str,
        recipients: Sequence[str],
        octets: bytes,
        whose: _Whose,
    ) -> Sent:
        exchange = new_exchange()
        lines = [f"MAIL FROM:<{mail_from}>", *(f"RCPT TO:<{one}>" for one in recipients), "DATA"]
        self._saw(Direction.OUT, "\r\n".join(lines).encode() + b"\r\n" + octets, exchange, whose)
        try:
            await client.mail(mail_from)
        except aiosmtplib.SMTPSenderRefused as error:
            if not _is_positive(error.code):
                self._saw(Direction.IN, _line(error.code, error.message), exchange, whose, "to MAIL FROM")
                raise
        refused: dict[str, Reply] = {}
        for recipient in recipients:
            try:
                await client.rcpt(recipient)
            except aiosmtplib.SMTPRecipientRefused as error:
                if not _is_positive(error.code):
                    refused[recipient] = Reply(error.code, str(error.message))
        if len(refused) == len(recipients):
            for recipient, reply in refused.items():
                self._saw(Direction.IN, _line(reply.code, reply.text), exchange, whose, f"to RCPT TO:<{recipient}>")
            return Sent(refused, None)
        try:
            answer = await client.data(octets)
            final = Reply(answer.code, answer.message)
        except aiosmtplib.SMTPDataError as error:
            if error.code == aiosmtplib.SMTPStatus.completed:  # to DATA itself: nothing was sent yet
                raise aiosmtplib.SMTPServerDisconnected("it answered DATA with 250, and waits for no mail") from error
            final = Reply(error.code, str(error.message))
        self._saw(Direction.IN, _line(final.code, final.text), exchange, whose)
        return Sent(refused, final)

    def _saw(self, direction: Direction, octets: bytes, exchange: int, whose: _Whose, note: str = "") -> None:
        if self._tap.is_on:
            self._tap.saw(
                direction,
                octets,
                local=whose.local,
                remote=place_of((self._host, self._port)),
                exchange=exchange,
                neighbour=whose.neighbour,
                mm_id=whose.mm_id,
                note=note,
            )

    @staticmethod
    async def _quit(client: aiosmtplib.SMTP) -> None:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit(timeout=_QUIT_SECONDS)
        client.close()
