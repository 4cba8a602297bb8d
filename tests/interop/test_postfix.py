"""Two MMSCs with a real Postfix between them: MMs, RES and reports cross it both ways, wait in its queue, and are
refused in words that it passes on."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiohttp
import aiosmtplib
import msgspec
import pytest
from aiohttp import web

from mmsc.app import App
from mmsc.lab.handset import Fetching, Handset, Message
from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings import Settings
from mmsc.settings.model import Mm4, Node, NumberSettings
from mmsc.settings.neighbours import Peer
from mmsc.store.sqlite import SqliteStore
from mmsc.trace import events as trace
from mmsc.trace.captures import Direction
from protocols import mime, mm1, mm4, mm7
from protocols.content_type import ContentType
from protocols.wsp.multipart import Part
from tests.interop.postfix import HOSTNAME, Postfix, running
from tests.scenarios.conftest import Client, picture, settings

pytestmark = pytest.mark.interop

HOME, OTHER = "mms.home.example", "mms.other.example"
FOREIGN, ALSO_FOREIGN, NOBODY = "+16660100123", "+16660100124", "+16670100125"
ELSEWHERE = "mms.elsewhere.example"  # Postfix, wrongly, takes it for another name of OTHER
HERE = "+15550100777"
MAILBOX = f"{FOREIGN}/TYPE=PLMN@{OTHER}"
UNKNOWN = f"no prefix matches {re.escape(NOBODY)}"
EVERY_OCTET = bytes(range(256)) * 20
JPEG = ContentType("image/jpeg")
BY_POSTFIX = f"\r\n\tby {HOSTNAME} (Postfix)".encode()
# What mail is known to damage: dots and From at the start of a line, blanks at its end, long lines, no end of the last.
LINES = ("Grüße\r\n.\r\n..x\r\nFrom me \t\r\n=3D=\r\n\r\n--\r\n" + "ü " * 300 + "\r\nend ").encode()
TEXT = LINES + "ü ".encode() * 1000  # no line of a mail is as long
UTF8 = ContentType("text/plain", (("charset", "utf-8"),))
D = TypeVar("D", bound=trace.Data)


class Mmsc:
    """One of the two: an MMSC that can go away and come back, its SMSC and its subscribers' handsets."""

    def __init__(self, given: Settings, smsc: VirtualSmsc) -> None:
        self.settings = given
        self.app: App
        self._smsc = smsc
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        self.app = await self._stack.enter_async_context(App(self.settings, synchronous="OFF"))

    async def stop(self) -> None:
        await self._stack.aclose()

    async def phone(self, number: str) -> Handset:
        host, port = self.app.listeners["mm1"]
        phone = await self._stack.enter_async_context(Handset(number, f"http://{host}:{port}/"))
        self._smsc.register(number, phone.on_push, phone.on_sms)
        return phone

    async def event(self, kind: type[D]) -> D:
        """The first event of a kind, from the start on."""
        with self.app.bus.watch(replay=True) as watcher:
            async with asyncio.timeout(15):
                data = (await watcher.until(lambda event: isinstance(event.data, kind))).data
        assert isinstance(data, kind)
        return data

    def mails(self) -> list[bytes]:
        """The mails that came."""
        assert self.app.captures is not None
        seen = self.app.captures.latest(100)
        return [
            one.octets
            for one in seen
            if one.interface == "mm4" and one.octets.startswith(b"MAIL FROM") and one.direction is Direction.IN
        ]


@dataclass
class Net:
    """Everything: the VASP is at home."""

    home: Mmsc
    other: Mmsc
    vasp: Client
    postfix: Postfix


Network = Callable[..., AbstractAsyncContextManager[Net]]


def _settings(base: Settings, domain: str, prefix: str, port: int, peer: Peer) -> Settings:
    return msgspec.structs.replace(
        base,
        node=Node(name=domain.split(".")[1], domain=domain),
        numbers=NumberSettings(own_prefixes=(prefix,), default_smsc="local"),
        mm4=Mm4(port=port),
        peer={"foreign": peer},
    )


def reserved_port(stack: AsyncExitStack) -> int:
    """A port that nobody is given by chance, and that whoever asks for it may still listen on."""
    holder = stack.enter_context(socket.socket())
    holder.bind(("127.0.0.1", 0))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return int(holder.getsockname()[1])


@asynccontextmanager
async def _network(folder: Path, **relay: str) -> AsyncIterator[Net]:
    """All of it; `relay` is further settings of Postfix."""
    async with AsyncExitStack() as stack:
        vasp = Client("", await stack.enter_async_context(aiohttp.ClientSession()))
        runner = web.ServerRunner(web.Server(vasp.take))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        report_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        ports = {HOME: reserved_port(stack), OTHER: reserved_port(stack)}
        routes = {**ports, ELSEWHERE: ports[OTHER]}
        postfix = await stack.enter_async_context(running(reserved_port(stack), routes, **relay))
        both: list[Mmsc] = []
        for domain, own, foreign, prefixes in (
            (HOME, "+1555", OTHER, ("+1666", "+1667")),
            (OTHER, "+1666", HOME, ("+1555",)),
        ):
            smsc = VirtualSmsc()
            await smsc.start()
            stack.push_async_callback(smsc.stop)
            peer = Peer(
                domain=foreign, host="127.0.0.1", port=postfix.port, prefixes=prefixes, addresses=("127.0.0.1",)
            )
            base = settings(folder / domain, smsc.port, report_url)
            mmsc = Mmsc(_settings(base, domain, own, ports[domain], peer), smsc)
            stack.push_async_callback(mmsc.stop)
            await mmsc.start()
            both.append(mmsc)
        host, port = both[0].app.listeners["mm7"]
        vasp.url = f"http://{host}:{port}/mm7"
        yield Net(both[0], both[1], vasp, postfix)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return partial(_network, tmp_path)


def content(*parts: mime.OutPart) -> mime.OutPart:
    boundary = mime.choose_boundary(parts, "inner")
    whole = ContentType("multipart/mixed", (("boundary", boundary),))
    return mime.OutPart(whole, mime.write_parts(parts, boundary), "content")


async def first(phone: Handset) -> Message:
    return (await phone.until(lambda inbox: bool(inbox.messages))).messages[0]


def octets(message: Message) -> list[bytes]:
    return [message.octets_of(part) for part in message.parts]


async def mail(postfix: Postfix, to: str, octets: bytes) -> None:
    """Send one as a subscriber's MMSC at home would, by hand."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=postfix.port, start_tls=False) as client:
        await client.mail(f"{HERE}/TYPE=PLMN@{HOME}", options=["BODY=8BITMIME"])
        await client.rcpt(to)
        await client.data(octets)


@pytest.mark.parametrize(
    "relay",
    [
        pytest.param({}, id="plain"),
        pytest.param({"local_header_rewrite_clients": "permit_inet_interfaces"}, id="rewrites"),
        pytest.param({"smtp_destination_recipient_limit": "1"}, id="splits"),
    ],
)
async def test_an_mm_crosses_octet_for_octet_and_the_reports_come_back(network: Network, relay: dict[str, str]) -> None:
    """Postfix may complete the addresses in headers and fold them one a line, and may send each recipient a mail."""
    subject = "Grüße " * 20 + "end"
    async with network(**relay) as net:
        phones = [await net.other.phone(number) for number in (FOREIGN, ALSO_FOREIGN)]
        parts = mime.OutPart(UTF8, TEXT, "t", "t.txt"), mime.OutPart(JPEG, EVERY_OCTET, "i", "i.jpg")
        rsp = await net.vasp.submit(FOREIGN, ALSO_FOREIGN, content=content(*parts), subject=subject)
        assert isinstance(rsp, mm7.SubmitRsp)
        for message in [await first(phone) for phone in phones]:
            assert octets(message) == [TEXT, EVERY_OCTET]
            assert (message.conf.from_, message.conf.subject) == ("4488", subject)
            assert message.conf.message_id == rsp.message_id
        reports = [await net.vasp.report() for _ in phones]
        assert {(one.mm_status, one.message_id) for one in reports} == {("Retrieved", rsp.message_id)}
        assert {one.recipient.value for one in reports} == {FOREIGN, ALSO_FOREIGN}
        assert (await net.home.event(trace.ForwardAnswered)).ok
        completed = f"\r\nTo: {FOREIGN}/TYPE=PLMN@{HOSTNAME},\r\n\t".encode()
        forwards = net.other.mails()
        assert len(forwards) == (2 if "smtp_destination_recipient_limit" in relay else 1)
        assert all((completed in one) == ("permit_inet_interfaces" in relay.values()) for one in forwards)
        assert all(BY_POSTFIX in one for one in (*forwards, *net.home.mails()))
        assert [len(phone.inbox.notifications) for phone in phones] == [1, 1]


async def test_the_other_way_a_subscriber_there_writes_to_one_here(network: Network) -> None:
    async with network() as net:
        sender, phone = await net.other.phone(FOREIGN), await net.home.phone(HERE)
        parts = [Part(UTF8, TEXT, content_id="t"), Part(JPEG, EVERY_OCTET, content_id="i")]
        conf = await sender.send([HERE], parts, subject="Grüße", delivery_report=True)
        message = await first(phone)
        assert octets(message) == [TEXT, EVERY_OCTET]
        assert (message.conf.from_, message.conf.subject) == (f"{FOREIGN}/TYPE=PLMN", "Grüße")
        (report,) = (await sender.until(lambda inbox: bool(inbox.reports))).reports
        assert (report.message_id, report.status) == (conf.message_id, mm1.Status.RETRIEVED)
        assert (await net.other.event(trace.ForwardAnswered)).ok
        assert all(BY_POSTFIX in one for one in (*net.other.mails(), *net.home.mails()))


async def test_postfix_keeps_an_mm_while_the_other_mmsc_is_away(network: Network) -> None:
    async with network() as net:
        await net.other.stop()
        rsp = await net.vasp.submit(FOREIGN, content=picture())
        assert isinstance(rsp, mm7.SubmitRsp)
        await net.postfix.until(r"status=deferred \(connect to 127\.0\.0\.1.*Connection refused")
        await net.postfix.until_queued(MAILBOX)
        await net.other.start()
        await _arrives_after_a_flush(net, rsp)


async def test_postfix_keeps_an_mm_that_gets_451(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    async with network() as net:
        full = net.other.app.store
        with monkeypatch.context() as disk:
            disk.setattr(SqliteStore, "available", property(lambda store: store is not full))
            rsp = await net.vasp.submit(FOREIGN, content=picture())
            assert isinstance(rsp, mm7.SubmitRsp)
            await net.postfix.until(r"dsn=4\.3\.0, status=deferred .* said: 451 4\.3\.0 the store takes nothing")
            await net.postfix.until_queued(MAILBOX)
        await _arrives_after_a_flush(net, rsp)


async def _arrives_after_a_flush(net: Net, rsp: mm7.SubmitRsp) -> None:
    """Once, whole, and reported."""
    phone = await net.other.phone(FOREIGN)
    await net.postfix.flush()
    message = await first(phone)
    assert message.octets_of(message.parts[2]) == EVERY_OCTET
    report = await net.vasp.report()
    assert (report.mm_status, report.message_id) == ("Retrieved", rsp.message_id)
    assert (await net.home.event(trace.ForwardAnswered)).ok
    assert len(phone.inbox.notifications) == 1
    await net.postfix.until_queued()


@pytest.mark.parametrize(
    ("silenced", "encoding"),
    [("", b"8bit"), ("8bitmime", b"quoted-printable"), ("8bitmime, size, pipelining, dsn", b"quoted-printable")],
)
async def test_octets_of_a_mail_that_postfix_recodes(network: Network, silenced: str, encoding: bytes) -> None:
    """For a server without 8BITMIME Postfix writes 8bit parts as quoted-printable; ours go as base64 either way."""
    eight_bit = bytes(octet for octet in EVERY_OCTET[:256] if octet not in b"\0\r\n")
    parts = mime.OutPart(UTF8, LINES, "t", "t.txt", "8bit"), mime.OutPart(JPEG, eight_bit, "i", "i.jpg", "8bit")
    head = mm4.ForwardReq(transaction_id="t1", message_id=f"m1@{HOME}", from_=f"{HERE}/TYPE=PLMN", to=(FOREIGN,))
    async with network(smtp_discard_ehlo_keywords=silenced, disable_mime_output_conversion="no") as net:
        phone = await net.other.phone(FOREIGN)
        await mail(net.postfix, MAILBOX, mm4.encode(head, (ContentType("multipart/mixed"), parts)))
        assert octets(await first(phone)) == [LINES, eight_bit]
        (came,) = net.other.mails()
        assert came.lower().count(b"content-transfer-encoding: " + encoding) == len(parts)
        await net.vasp.submit(FOREIGN, content=picture())
        both = (await phone.until(lambda inbox: len(inbox.messages) == 2)).messages
        assert octets(both[1])[2] == EVERY_OCTET


async def test_a_number_without_user_is_refused_at_rcpt_and_postfix_hands_the_refusal_on(network: Network) -> None:
    """This Postfix asks us before it takes a mail for us: the VASP hears of it at once."""
    asks_first = {
        "smtpd_recipient_restrictions": "reject_unverified_recipient, permit",
        "unverified_recipient_reject_code": "550",
        "address_verify_sender": "<>",
        "address_verify_map": "",
        "address_verify_poll_delay": "1",
    }
    async with network(**asks_first) as net:
        await net.vasp.submit(NOBODY, content=picture())
        report = await net.vasp.report()
        assert (report.mm_status, report.mm_status_extension) == ("Rejected", "RejectionByOtherRS")
        await net.postfix.until(f"NOQUEUE: reject: RCPT .* 550 5.1.1 .*{UNKNOWN}")
        assert net.other.mails() == []


@pytest.mark.parametrize(
    ("mailbox", "answer"),
    [
        (f"{NOBODY}/TYPE=PLMN@{OTHER}", "550 5.1.1"),
        (f"+1/TYPE=PLMN@{OTHER}", "550 5.1.3"),
        (f"{FOREIGN}/TYPE=PLMN@{ELSEWHERE}", "550 5.7.1"),
    ],
)
async def test_what_is_refused_at_rcpt_bounces_with_our_words(network: Network, mailbox: str, answer: str) -> None:
    async with network() as net:
        head = mm4.ForwardReq(transaction_id="t1", message_id=f"m1@{HOME}", from_=f"{HERE}/TYPE=PLMN", to=(NOBODY,))
        await mail(net.postfix, mailbox, mm4.encode(head))
        code = answer.split()[1]
        await net.postfix.until(f"to=<{re.escape(mailbox)}>.* dsn={code}, status=bounced .*said: {answer} .*to RCPT TO")
        assert net.other.mails() == []


async def _answer_unknown_numbers_by_res(net: Net) -> None:
    await net.other.stop()
    peer = msgspec.structs.replace(net.other.settings.peer["foreign"], unknown_recipient="res")
    net.other.settings = msgspec.structs.replace(net.other.settings, peer={"foreign": peer})
    await net.other.start()


async def test_a_number_without_user_is_refused_by_res_where_that_is_the_peers_style(network: Network) -> None:
    async with network() as net:
        await _answer_unknown_numbers_by_res(net)
        await net.vasp.submit(NOBODY, content=picture())
        report = await net.vasp.report()
        assert (report.mm_status, report.mm_status_extension) == ("Rejected", "RejectionByOtherRS")
        assert not (await net.home.event(trace.ForwardAnswered)).ok
        (res,) = net.home.mails()
        assert b"X-Mms-Request-Status-Code: Error-sending-address-unresolved\r\n" in res


async def test_the_res_to_one_half_of_a_split_forward_is_not_about_the_other(network: Network) -> None:
    """The number without user is refused by a RES of its own; the other one is served, and reported as such."""
    async with network(smtp_destination_recipient_limit="1") as net:
        await _answer_unknown_numbers_by_res(net)
        phone = await net.other.phone(FOREIGN)
        phone.fetching = Fetching.DEFERRED
        await net.vasp.submit(FOREIGN, NOBODY, content=picture())
        rejected = await net.vasp.report()
        assert (rejected.recipient.value, rejected.mm_status) == (NOBODY, "Rejected")
        (notification,) = (await phone.until(lambda inbox: bool(inbox.notifications))).notifications
        assert await phone.fetch(notification) is not None
        retrieved = await net.vasp.report()
        assert (retrieved.recipient.value, retrieved.mm_status) == (FOREIGN, "Retrieved")


async def test_a_bounce_counts_as_a_res(network: Network) -> None:
    """This Postfix took the MM before it knew: it mails the refusal to the MM's sender (RFC 3464)."""
    async with network() as net:
        await net.vasp.submit(NOBODY, content=picture())
        await net.postfix.until(f"dsn=5.1.1, status=bounced .*said: 550 5.1.1 {UNKNOWN}")
        answered = await net.postfix.until(f"to=<4488@{HOME}>.* status=")
        assert "status=sent" in answered
        report = await net.vasp.report()
        assert (report.mm_status, report.mm_status_extension) == ("Rejected", "RejectionByOtherRS")
