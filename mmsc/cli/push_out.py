"""The ways out of `mmsc push`: a UDP datagram, and submit_sm requests to an SMSC."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import click

from protocols import smpp
from protocols.errors import DecodeError
from protocols.records import record
from protocols.sms.push import PORT_WAP_PUSH

_SECONDS: Final = 30.0  # for the SMSC to take the connection, and for each of its answers
_READ_OCTETS: Final = 65_536
_MOST_UDP_OCTETS: Final = 65_507


@record(frozen=True, slots=True)
class Account:
    """Who binds, and how a submit_sm spells numbers: type and plan follow from a leading +."""

    system_id: str
    password: str
    system_type: str = ""


def place(text: str, port: int | None) -> tuple[str, int]:
    """HOST, HOST:PORT or [IPv6]:PORT; without a port of its own `port`. Raises UsageError."""
    try:
        found = urlsplit(f"//{text}")
        named = found.port or port
    except ValueError:
        named, found = None, urlsplit("")
    if not found.hostname or not named or found.netloc != text:
        raise click.UsageError(f"{text!r} is no HOST:PORT")
    return found.hostname, named


def send_udp(push: bytes, text: str) -> str:
    """One datagram; where it went. Raises ClickException."""
    host, port = place(text, PORT_WAP_PUSH)
    if len(push) > _MOST_UDP_OCTETS:
        raise click.ClickException(f"{len(push)} octets do not fit a datagram")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(found[0], socket.SOCK_DGRAM) as sender:
            sender.sendto(push, found[4])
    except OSError as error:
        raise click.ClickException(f"{text}: {error.strerror or error}") from error
    return f"{len(push)} octets sent to {found[4][0]} port {port} over UDP"


async def send_smpp(requests: Sequence[smpp.SubmitSm], text: str, account: Account) -> list[str]:
    """Bind as a transmitter, submit, unbind: the SMSC's message ids. Raises ClickException for whatever it refuses."""
    host, port = place(text, None)
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        refused = isinstance(error, ConnectionRefusedError)
        raise click.ClickException(f"{text}: {'nobody takes connections there' if refused else _why(error)}") from error
    session = _Session(reader, writer, text)
    try:
        await session.ask(
            smpp.BindTransmitter(
                sequence_number=1,
                system_id=account.system_id,
                password=account.password,
                system_type=account.system_type,
                interface_version=0x34,
            )
        )
        ids = [str(getattr(await session.ask(one), "message_id", "")) for one in requests]
        with suppress(click.ClickException):  # everything was taken
            await session.ask(smpp.Unbind(sequence_number=len(requests) + 2))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return ids


class _Session:
    """One question at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        self._reader, self._writer, self._name = reader, writer, name
        self._framer = smpp.Framer()
        self._waiting: list[bytes] = []

    async def ask(self, pdu: smpp.Pdu) -> smpp.Pdu:
        """The answer, which must be ESME_ROK."""
        command = pdu.command_id.name.lower()
        try:
            self._writer.write(smpp.encode(pdu))
            async with asyncio.timeout(_SECONDS):
                answer = await self._answer(pdu.sequence_number)
        except (OSError, TimeoutError, DecodeError) as error:
            raise click.ClickException(f"{self._name}: {command}: {_why(error)}") from error
        if answer.command_status is not smpp.CommandStatus.ESME_ROK:
            raise click.ClickException(f"{self._name}: {command} was answered {answer.command_status.name}")
        return answer

    async def _answer(self, sequence_number: int) -> smpp.Pdu:
        """The answer with this number; what else comes is let be."""
        while True:
            while self._waiting:
                pdu = smpp.decode(self._waiting.pop(0)).message
                if pdu.sequence_number == sequence_number and pdu.command_id & 0x80000000:
                    return pdu
            octets = await self._reader.read(_READ_OCTETS)
            if not octets:
                raise ConnectionResetError("the SMSC closed the connection")
            self._waiting += self._framer.feed(octets)


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in {_SECONDS:.0f} s"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
