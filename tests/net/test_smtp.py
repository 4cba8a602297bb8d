"""SMTP sessions against raw sockets: what a client may send, and what it may cost (RFC 5321)."""

import asyncio
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.clock import VirtualClock
from mmsc.net.smtp import Handler, SmtpLimits, SmtpServer
from mmsc.net.smtp_session import Mail
from mmsc.trace.captures import CaptureRecord, WireTap

LIMIT = 100_000
FROM, TO = b"MAIL FROM:<a@x.example>\r\n", b"RCPT TO:<b@y.example>\r\n"


def received(*blocks: bytes, maximum_octets: int = LIMIT) -> Mail:
    mail = Mail(maximum_octets)
    for block in blocks:
        if mail.ended:
            break
        mail.feed(block)
    return mail


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        (b".\r\n", b""),
        (b"one\r\n.\r\n", b"one\r\n"),
        (b"..\r\n...x\r\n.y\r\n.\r\n", b".\r\n..x\r\ny\r\n"),
        (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
        (b"x" * 5000 + b"\r\n.\r\n", b"x" * 5000 + b"\r\n"),
        (b"\x00\xff\r\n.\r\n", b"\x00\xff\r\n"),
    ],
)
def test_a_mail_ends_and_loses_its_stuffing(octets: bytes, content: bytes) -> None:
    """RFC 5321 4.5.2, whole and an octet at a time."""
    assert received(octets).content() == content
    assert received(*(octets[i : i + 1] for i in range(len(octets)))).content() == content


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n.\x00\r\n"])
def test_what_merely_looks_like_the_end_is_content(end: bytes) -> None:
    """RFC 5321 2.3.8: only CRLF ends a line; another reading would let one mail smuggle in a second."""
    mail = received(b"x" + end + b"MAIL FROM:<evil@x.example>\r\n")
    assert not mail.ended


@given(st.data())
def test_blocks_do_not_matter(data: st.DataObject) -> None:
    body = data.draw(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"ab"]), max_size=30).map(b"".join))
    stuffed = (b"\r\n" + body).replace(b"\r\n.", b"\r\n..")[2:] + b"\r\n.\r\n"
    whole = stuffed + b"RSET\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stuffed)), max_size=8)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    mail = received(*pieces)
    assert mail.content() == body + b"\r\n"
    assert mail.size == len(stuffed) - 3
    assert whole.endswith(mail.rest)


def test_a_line_without_end_costs_nothing() -> None:
    mail, block = Mail(LIMIT), b"x" * 65_536
    tracemalloc.start()
    for _ in range(1000):
        mail.feed(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * (LIMIT + len(block))
    mail.feed(b"\r\n.\r\nQUIT\r\n")
    assert (mail.ended, mail.is_too_large, mail.rest) == (True, True, b"QUIT\r\n")


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_mail_of_the_largest_size_is_kept_wherever_its_end_is_cut(cut: int) -> None:
    """RFC 1870 6.1: what is announced is taken. The octets of the end are no part of the mail's size (RFC 1870 5), also
    when they come in two blocks."""
    octets = b"x" * (LIMIT - 2) + b"\r\n.\r\n"
    mail = received(octets[:-cut], octets[-cut:], maximum_octets=LIMIT)
    assert (mail.ended, mail.size, mail.is_too_large) == (True, LIMIT, False)
    assert mail.content() == octets[:-3]


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_mail_one_octet_too_large_is_so_wherever_its_end_is_cut(cut: int) -> None:
    octets = b"x" * (LIMIT - 1) + b"\r\n.\r\n"
    mail = received(octets[:-cut], octets[-cut:], maximum_octets=LIMIT)
    assert (mail.ended, mail.size, mail.is_too_large) == (True, LIMIT + 1, True)


@dataclass
class Inbox(Handler):
    """Takes every mail; `meanwhile` happens before it answers."""

    mails: list[bytes] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def rcpt(self, remote: str, mail_from: str, address: str) -> str:
        return "250 2.1.5 ok"

    async def data(self, remote: str, mail_from: str, recipients: Sequence[str], octets: bytes) -> str:
        if self.meanwhile is not None:
            await self.meanwhile()
        self.mails.append(octets)
        return "250 2.0.0 taken"


@dataclass
class Serving:
    """A server, its handler, and what its tap saw."""

    port: int
    inbox: Inbox
    records: list[CaptureRecord]


@pytest.fixture
async def serving(request: pytest.FixtureRequest) -> AsyncIterator[Serving]:
    inbox, records = Inbox(), list[CaptureRecord]()
    changes = getattr(request, "param", {})
    limits = SmtpLimits(**{"maximum_octets": LIMIT, "command_seconds": 10.0, **changes})
    tap = WireTap("mm4", records.append, VirtualClock())
    server = SmtpServer(inbox, "127.0.0.1", 0, hostname="mms.home.example", limits=limits, tap=tap)
    await server.start()
    yield Serving(server.port, inbox, records)
    await server.stop()


async def say(serving: Serving, octets: bytes, *, eof: bool = True) -> list[bytes]:
    """Send everything at once, close our side, and read until the server closes: its reply lines."""
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(octets)
    if eof:
        writer.write_eof()
    async with asyncio.timeout(15):
        replies = await reader.read()
    writer.close()
    return replies.split(b"\r\n")[:-1]


async def test_two_mails_in_one_write_and_the_client_closes_its_side(serving: Serving) -> None:
    """RFC 2920: pipelined commands behind a mail are the next ones; every reply is still owed and given."""
    mail = FROM + TO + b"DATA\r\none\r\n.\r\n"
    replies = await say(serving, b"HELO x.example\r\n" + mail + mail.replace(b"one", b"two"))
    assert serving.inbox.mails == [b"one\r\n", b"two\r\n"]
    assert [line[:3] for line in replies] == [b"220", b"250", *[b"250", b"250", b"354", b"250"] * 2, b"221"]


async def test_a_mail_too_large_gets_552_and_the_next_one_is_taken(serving: Serving) -> None:
    mail = FROM + TO + b"DATA\r\n%b\r\n.\r\n"
    replies = await say(serving, b"HELO x.example\r\n" + mail % (b"x" * 2 * LIMIT) + mail % b"small")
    assert serving.inbox.mails == [b"small\r\n"]
    assert sum(line.startswith(b"552 5.3.4") for line in replies) == 1
    assert any("not kept" in record.note for record in serving.records), "the trace tells it"


async def test_what_is_offered(serving: Serving) -> None:
    """RFC 5321 4.1.1.1: what we keep, and no more (no AUTH, no DSN: reports go by MM4)."""
    replies = await say(serving, b"EHLO x.example\r\nAUTH PLAIN AGEAYg==\r\nVRFY a\r\nSTARTTLS\r\n")
    assert replies[1:6] == [
        b"250-mms.home.example",
        b"250-SIZE 100000",
        b"250-8BITMIME",
        b"250-PIPELINING",
        b"250 HELP",
    ]
    assert [line[:3] for line in replies[6:]] == [b"502", b"252", b"454", b"221"]


async def test_a_client_that_leaves_in_the_middle_of_a_mail(serving: Serving) -> None:
    replies = await say(serving, b"HELO x.example\r\n" + FROM + TO + b"DATA\r\nhalf a ma")
    assert [line[:3] for line in replies] == [b"220", b"250", b"250", b"250", b"354"]
    assert serving.inbox.mails == []


@pytest.mark.parametrize("cut", [b"half\r\n.", b"half\r\n.\r", b".", b"half\r\n"])
async def test_a_mail_cut_behind_a_dot_has_not_ended(serving: Serving, cut: bytes) -> None:
    """RFC 5321 4.1.1.4: only CRLF.CRLF ends a mail; a connection that ends after a dot does not write the rest. Its
    last octets come while the mail before is being stored."""

    async def some_turns() -> None:
        for _ in range(100):
            await asyncio.sleep(0)

    serving.inbox.meanwhile = some_turns
    begun = FROM + TO + b"DATA\r\n"
    await say(serving, b"HELO x.example\r\n" + begun + b"one\r\n.\r\n" + begun + cut)
    assert serving.inbox.mails == [b"one\r\n"]


async def test_half_a_command_is_none(serving: Serving) -> None:
    """RFC 5321 2.3.8: a line without its end was never sent."""
    replies = await say(serving, b"HELO x.example\r\n" + FROM + TO[:-2])
    assert [line[:3] for line in replies] == [b"220", b"250", b"250", b"500", b"221"]


@pytest.mark.parametrize("address", [b"<", b"(" * 400, b"<a@", b'"', b"<@"])
async def test_an_address_that_is_none_is_the_clients_fault(serving: Serving, address: bytes) -> None:
    """RFC 5321 4.2.4: 5yz, and our log is not the place for it; 451 would bring it back for days."""
    for command in (b"MAIL FROM:", FROM + b"RCPT TO:"):
        replies = await say(serving, b"HELO x.example\r\n" + command + address + b"\r\n")
        assert replies[-2].startswith(b"5"), replies
    assert serving.inbox.mails == []


async def test_half_of_an_endless_command(serving: Serving) -> None:
    """It must not end the line by what we add, and then leave a session that has nothing to read and no end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(b"HELO " + b"x" * 50_000)
    await reader.readline()
    for _ in range(100):  # so that what came is read before the end comes
        await asyncio.sleep(0)
    writer.write_eof()
    async with asyncio.timeout(15):
        replies = await reader.read()
    writer.close()
    assert [line[:3] for line in replies.split(b"\r\n")[:-1]] == [b"500", b"221"]


async def test_half_a_command_and_no_more(serving: Serving) -> None:
    replies = await say(serving, b"HELO x.example\r\nNOO")
    assert [line[:3] for line in replies] == [b"220", b"250", b"500", b"221"]


async def test_our_own_failure_is_no_reason_to_lose_a_mail(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    """RFC 5321 4.2.5: 451, so that the peer keeps it."""

    async def fail() -> None:
        raise ZeroDivisionError("by a test")

    serving.inbox.meanwhile = fail
    replies = await say(serving, b"HELO x.example\r\n" + FROM + TO + b"DATA\r\nx\r\n.\r\n")
    assert replies[-2].startswith(b"451 4.3.0")
    assert b"ZeroDivision" not in b"".join(replies)
    assert "by a test" in caplog.text
    caplog.clear()


async def test_after_our_own_failure_the_next_mail_is_taken(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    """RFC 5321 4.1.1.4: whatever the reply to a mail was, the session is ready for MAIL again. A 503 there would be
    final for a mail that nobody has looked at."""
    failures = [ZeroDivisionError("by a test")]

    async def fail_once() -> None:
        if failures:
            raise failures.pop()

    serving.inbox.meanwhile = fail_once
    mail = FROM + TO + b"DATA\r\none\r\n.\r\n"
    replies = await say(serving, b"HELO x.example\r\n" + mail + mail.replace(b"one", b"two"))
    assert [line[:3] for line in replies[5:]] == [b"451", b"250", b"250", b"354", b"250", b"221"]
    assert serving.inbox.mails == [b"two\r\n"]
    caplog.clear()


@pytest.mark.parametrize("serving", [{"command_seconds": 0.2, "maximum_sessions": 1}], indirect=True)
async def test_who_does_not_read_is_cut_and_leaves_its_place(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is closed politely stays until its last reply was read, which may be never."""
    monkeypatch.setattr("mmsc.net.smtp_session._LAST_WORDS_SECONDS", 0.05)
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", serving.port))
    _, deaf = await asyncio.open_connection(sock=small, limit=1)
    for _ in range(20):
        deaf.write(b"HELP\r\n" * 5_000)  # a long reply
    line = b"421 4.3.2"
    async with asyncio.timeout(15):
        while line.startswith(b"421 4.3.2"):
            line = await greeting(serving)
    assert line.startswith(b"220")
    deaf.transport.abort()


async def greeting(serving: Serving) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    line = await reader.readline()
    writer.close()
    return line


@pytest.mark.parametrize(
    ("serving", "octets"),
    [({"command_seconds": 0.2}, b""), ({"mail_seconds": 0.2}, b"HELO x\r\n" + FROM + TO + b"DATA\r\nx\r\n")],
    indirect=["serving"],
)
async def test_who_says_nothing_is_told_and_closed(serving: Serving, octets: bytes) -> None:
    """RFC 5321 4.5.3.2."""
    assert (await say(serving, octets, eof=False))[-1].startswith(b"421 4.4.2")
