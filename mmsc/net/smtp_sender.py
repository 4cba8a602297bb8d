"""SMTP out: one target, kept connections, seen by the wire tap (RFC 5321)."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from typing import Final, NamedTuple

import aiosmtplib

from mmsc.net.connecting import not_connected
from mmsc.net.http_received import place_of
from mmsc.net.smtp_outcomes import Reply, Sent, SmtpUnavailable
from mmsc.trace.captures import Direction, WireTap, new_exchange

_QUIT_SECONDS: Final = 2.0


def _is_positive(code: int) -> bool:
    """RFC 5321 4.2: a code that one does not know means what its first digit says."""
    return 200 <= code < 300


class _Whose(NamedTuple):
    """What the trace is told of a mail that goes out."""

    neighbour: str
    mm_id: int | None
    local: str
    fault: str = ""


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
        fault: str = "",
    ) -> Sent:
        """Send one mail; `fault` is what is wrong with it on purpose. Raises SmtpUnavailable when there is no session
        or MAIL FROM was refused."""
        async with self._seats:
            client = await self._client()
            try:
                whose = _Whose(neighbour, mm_id, _local(client), fault)
                sent = await self._transaction(client, mail_from, recipients, octets, whose)
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
            place = f"{self._host}:{self._port}"
            raise SmtpUnavailable(not_connected(place, error.__cause__ or error)) from error
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
                fault=whose.fault,
            )

    @staticmethod
    async def _quit(client: aiosmtplib.SMTP) -> None:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit(timeout=_QUIT_SECONDS)
        client.close()
