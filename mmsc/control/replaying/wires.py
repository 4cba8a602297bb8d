"""Raw octets over a socket, and what comes back; bounded in time and size. Nothing of ours is between: what is sent is
what was written, however wrong."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from mmsc.control.replaying.model import Replay, Replayed
from mmsc.domain.instant import SECOND
from protocols import smpp as pdus
from protocols.errors import DecodeError, EncodeError
from protocols.smpp import CommandStatus, Framer, SmppError

_SECONDS: Final = 30.0
_LARGEST_ANSWER: Final = 8 * 1024 * 1024
_BLOCK: Final = 64 * 1024
_LENGTH: Final = re.compile(rb"^Content-Length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED: Final = re.compile(rb"^Transfer-Encoding[ \t]*:.*chunked", re.IGNORECASE | re.MULTILINE)
_BODILESS: Final = re.compile(rb"HTTP/\d\.\d (?:204|304)")
_INTERIM: Final = re.compile(rb"HTTP/\d\.\d 1\d\d")
_LAST_CHUNK: Final = b"0\r\n\r\n"
_LAST_LINE: Final = re.compile(rb"(?:^|\n)\d{3}(?: [^\n]*)?\r?\n\Z")
_STUFFED: Final = re.compile(rb"^\.", re.MULTILINE)
_HEAD_END: Final = b"\r\n\r\n"
_MOST_INTERIMS: Final = 20  # interim answers to one request


class EndlessInterims(Exception):
    """A server that says "go on" for ever."""


_NO_SENSE: Final = (EndlessInterims, SmppError, DecodeError, EncodeError, UnicodeError)
_UNREACHABLE: Final = (OSError, TimeoutError, EOFError, *_NO_SENSE)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def http(replay: Replay) -> Replayed:
    """One request, one answer."""
    sent = replay.octets()
    answer = bytearray()
    final = 0  # where the answer begins that is none of the interim ones
    try:
        async with asyncio.timeout(_SECONDS), _connected(replay) as (reader, writer):
            writer.write(sent)
            await writer.drain()
            while not _is_whole(answer[final:], sent) and len(answer) < _LARGEST_ANSWER:
                block = await reader.read(_BLOCK)
                if not block:
                    break
                answer += block
                final = _behind_interims(answer)
    except _UNREACHABLE as error:
        return Replayed(sent=sent, answer=bytes(answer), problem=_why(error, replay))
    return Replayed(sent=sent, answer=bytes(answer), problem="" if answer else "closed without an answer")


def _behind_interims(answer: bytearray) -> int:
    """Where the final answer begins, behind whole interim ones (RFC 9110 15.2). Raises EndlessInterims."""
    start = 0
    for _ in range(_MOST_INTERIMS + 1):
        end = answer.find(_HEAD_END, start)
        if end < 0 or not _INTERIM.match(answer, start):
            return start
        start = end + len(_HEAD_END)
    raise EndlessInterims(f"more than {_MOST_INTERIMS} interim answers (1xx), and no other")


def _is_whole(answer: bytearray, sent: bytes) -> bool:
    head, end, body = bytes(answer).partition(_HEAD_END)
    if not end:
        return False
    if _BODILESS.match(head) or sent.startswith(b"HEAD "):
        return True
    if _CHUNKED.search(head):
        return body.endswith(_LAST_CHUNK)
    length = _LENGTH.search(head)
    return length is not None and len(body) >= int(length[1])


async def smtp(replay: Replay) -> Replayed:
    """The commands one by one, each after the reply to the one before, then the mail (RFC 5321 3.3)."""
    talk: list[str] = []
    lines = [line.encode("utf-8", "surrogateescape") for line in replay.head.splitlines()]
    sent = b"".join(line + b"\r\n" for line in lines) + replay.body
    answer = b""
    try:
        async with asyncio.timeout(_SECONDS), _connected(replay) as (reader, writer):
            await _reply(reader, talk)
            for line in (b"EHLO localhost", *lines):
                answer = await _say(writer, reader, line, talk)
                if answer[:1] not in b"23":
                    break
            if answer.startswith(b"354"):
                content = _STUFFED.sub(b"..", replay.body)
                writer.write(content if content.endswith(b"\r\n") else content + b"\r\n")
                talk.append(f"C: ({len(content)} octets)")
                answer = await _say(writer, reader, b".", talk)
            with suppress(OSError, EOFError):
                await _say(writer, reader, b"QUIT", talk)
    except _UNREACHABLE as error:
        return Replayed(sent=sent, answer=answer, talk="\n".join(talk), problem=_why(error, replay))
    return Replayed(sent=sent, answer=answer, talk="\n".join(talk))


async def _say(writer: asyncio.StreamWriter, reader: asyncio.StreamReader, line: bytes, talk: list[str]) -> bytes:
    talk.append(f"C: {line.decode('utf-8', 'replace')}")
    writer.write(line + b"\r\n")
    await writer.drain()
    return await _reply(reader, talk)


async def _reply(reader: asyncio.StreamReader, talk: list[str]) -> bytes:
    """A reply with all its lines (RFC 5321 4.2.1). Raises EOFError."""
    reply = b""
    while not _LAST_LINE.search(reply):
        try:
            line = await reader.readline()
        except ValueError as error:  # asyncio's word for a line that is longer than its limit
            raise EOFError("a line of the reply has no end") from error
        if not line or len(reply) > _BLOCK:
            raise EOFError("the connection was closed, or the reply has no end")
        reply += line
        talk.append(f"S: {line.decode('utf-8', 'replace').rstrip()}")
    return reply


async def smpp(replay: Replay) -> Replayed:
    """Bind, the PDU, its response, unbind (SMPP v3.4 2.2)."""
    sent = _numbered(replay.body, 2) if replay.correct else replay.body
    answer = b""
    try:
        bind = pdus.encode(
            pdus.BindTransceiver(sequence_number=1, system_id=replay.system_id, password=replay.password)
        )
        async with asyncio.timeout(_SECONDS), _connected(replay) as (reader, writer):
            framer, waiting = Framer(), list[bytes]()
            bound = await _response(writer, reader, framer, waiting, bind)
            status = int.from_bytes(bound[8:12])
            if status:
                return Replayed(sent=sent, problem=f"bind refused: {CommandStatus(status).name}")
            answer = await _response(writer, reader, framer, waiting, sent)
            writer.write(pdus.encode(pdus.Unbind(sequence_number=3)))
    except _UNREACHABLE as error:
        return Replayed(sent=sent, answer=answer, problem=_why(error, replay))
    return Replayed(sent=sent, answer=answer)


def _numbered(pdu: bytes, number: int) -> bytes:
    return len(pdu).to_bytes(4) + pdu[4:12] + number.to_bytes(4) + pdu[16:]


async def _response(
    writer: asyncio.StreamWriter, reader: asyncio.StreamReader, framer: Framer, waiting: list[bytes], request: bytes
) -> bytes:
    """The first PDU that is a response; what the SMSC asks meanwhile is not answered."""
    writer.write(request)
    await writer.drain()
    while True:
        while waiting:
            pdu = waiting.pop(0)
            if int.from_bytes(pdu[4:8]) & pdus.RESPONSE:
                return pdu
        block = await reader.read(_BLOCK)
        if not block:
            raise EOFError("the SMSC closed the connection without a response")
        waiting += framer.feed(block)


@asynccontextmanager
async def _connected(replay: Replay) -> AsyncIterator[Streams]:
    context = ssl.create_default_context() if replay.tls else None
    reader, writer = await asyncio.open_connection(replay.host, replay.port, ssl=context)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _why(error: Exception, replay: Replay) -> str:
    if isinstance(error, TimeoutError):
        return f"{replay.place}: no answer within {_SECONDS:g} s"
    return f"{replay.place}: {str(error) or type(error).__name__}"


def timed(done: Replayed, micros: int) -> Replayed:
    """With the time that it took."""
    return replace(done, milliseconds=micros / (SECOND / 1000))
