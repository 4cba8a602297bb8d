"""One MMSC, and a foreign one that a test plays by hand: every mail over real SMTP (TS 23.140 8.4; semantics 9)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import aiohttp
import aiosmtplib
import msgspec
import pytest
from aiohttp import web

from mmsc.app import App
from mmsc.clock import Clock
from mmsc.lab.handset import Fetching, Handset
from mmsc.lab.smsc import VirtualSmsc
from mmsc.net.smtp import Handler, SmtpLimits, SmtpServer
from mmsc.settings.model import Deliveries, Mm4, Node
from mmsc.settings.neighbours import Peer, PeerDelivery, Vasp
from mmsc.trace.captures import WireTap
from protocols import mm4, mm7
from protocols.content_type import ContentType
from protocols.mm4 import MmStatusCode, RequestStatusCode
from protocols.wsp.multipart import Part, lay_out
from tests.scenarios.conftest import OTHER, PHONE, Client, picture, settings

HOME, FAR = "mms.home.example", "mms.far.example"
FOREIGN, FOREIGN_TWO = "+16660100123", "+16660100124"
SYSTEM = f"mms-system@{FAR}"
REQ = mm4.ForwardReq(
    transaction_id="t1",
    message_id=f"m1@{FAR}",
    from_=f"{FOREIGN}/TYPE=PLMN",
    sender=SYSTEM,
    originator_system=SYSTEM,
    ack_request=True,
    delivery_report=True,
)


M = TypeVar("M", bound=mm4.Message)


@dataclass
class Mail:
    """A mail as it arrived."""

    mail_from: str
    recipients: tuple[str, ...]
    message: mm4.Message


@dataclass
class Far(Handler):
    """The foreign MMSC: takes all mails, except at RCPT what `refusals` says."""

    refusals: dict[str, str] = field(default_factory=dict)
    mails: "asyncio.Queue[Mail]" = field(default_factory=asyncio.Queue)

    async def rcpt(self, remote: str, mail_from: str, address: str) -> str:
        return self.refusals.get(address.partition("/")[0], "250 ok")

    async def data(self, remote: str, mail_from: str, recipients: Sequence[str], octets: bytes) -> str:
        self.mails.put_nowait(Mail(mail_from, tuple(recipients), mm4.decode(octets).message))
        return "250 taken"


@dataclass
class Bench:
    """The MMSC under test, its VASP and SMSC, and the foreign MMSC."""

    app: App
    far: Far
    vasp: Client
    smsc: VirtualSmsc
    phones: list[Handset] = field(default_factory=list)
    others: list[object] = field(default_factory=list)  # mails that nobody has asked for yet

    async def mail(self, octets: bytes, *to: str, mail_from: str = SYSTEM) -> list[int]:
        """Send a mail by hand; the codes of each RCPT and of the end of DATA."""
        _, port = self.app.listeners["mm4"]
        codes: list[int] = []
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            await client.mail(mail_from)
            for one in to:
                try:
                    codes.append((await client.rcpt(one)).code)
                except aiosmtplib.SMTPRecipientRefused as error:
                    codes.append(error.code)
            try:
                codes.append((await client.data(octets)).code)
            except aiosmtplib.SMTPResponseException as error:
                codes.append(error.code)
        return codes

    async def comes(self, kind: type[M]) -> M:
        """The next mail of this kind at the foreign MMSC. They come over several connections, so a report may be there
        before the RES, and a RES before what is forwarded."""
        for number, one in enumerate(self.others):
            if isinstance(one, kind):
                del self.others[number]
                return one
        async with asyncio.timeout(15):
            while not isinstance(message := (await self.far.mails.get()).message, kind):
                self.others.append(message)
        return message

    async def phone(self, number: str, **behaviour: object) -> Handset:
        host, port = self.app.listeners["mm1"]
        phone = Handset(number, f"http://{host}:{port}/", **behaviour)  # type: ignore[arg-type]
        await phone.__aenter__()
        self.phones.append(phone)
        self.smsc.register(number, phone.on_push, phone.on_sms)
        return phone


def box(number: str, domain: str = HOME) -> str:
    return f"{number}/TYPE=PLMN@{domain}"


@pytest.fixture
async def bench(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Marked with `peer(...)`: further settings of the peer."""
    smsc, far = VirtualSmsc(), Far()
    await smsc.start()
    listener = SmtpServer(far, "127.0.0.1", 0, hostname=FAR, limits=SmtpLimits(), tap=WireTap("mm4", None, Clock()))
    await listener.start()
    known = Peer(domain=FAR, host="127.0.0.1", port=listener.port, prefixes=("+1666",))
    async with aiohttp.ClientSession() as session:
        vasp = Client("", session)
        runner = web.ServerRunner(web.Server(vasp.take))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = settings(tmp_path, smsc.port, f"http://127.0.0.1:{runner.addresses[0][1]}/")
        config = msgspec.structs.replace(
            base,
            vasp={**base.vasp, "silent": Vasp(username="silent", password="secret", short_codes=("4499",))},
            node=Node(name="a", domain=HOME),
            mm4=Mm4(port=0),
            delivery=Deliveries(peer=PeerDelivery(waits_seconds=(0.05,))),
            peer={"far": msgspec.structs.replace(known, **getattr(request, "param", {}))},
        )
        async with App(config, synchronous="OFF") as app:
            host, port = app.listeners["mm7"]
            vasp.url = f"http://{host}:{port}/mm7"
            bench = Bench(app, far, vasp, smsc)
            yield bench
            for phone in bench.phones:
                await phone.__aexit__(None, None, None)
        await runner.cleanup()
    await listener.stop()
    await smsc.stop()


async def test_a_mail_of_a_peer_may_name_the_run_that_it_belongs_to(bench: Bench) -> None:
    await bench.mail(b"X-MMSC-Run: ci-4711\r\n" + mm4.encode(REQ), box(PHONE))
    await bench.comes(mm4.ForwardRes)
    [row] = (await bench.app.control.messages.find()).rows
    assert row.run == "ci-4711"


async def test_who_cannot_be_served_beside_others_is_reported_rejected(bench: Bench) -> None:
    """A short code is known at RCPT, since reports come to it; that its VASP takes no MM is told by a report."""
    phone = await bench.phone(PHONE, fetching=Fetching.REJECT)
    codes = await bench.mail(mm4.encode(REQ), box(PHONE), f"4499@{HOME}", box("+19990100123"), box(FOREIGN_TWO))
    assert codes == [250, 250, 550, 550, 250], "what can be known at RCPT is refused there"
    res = await bench.comes(mm4.ForwardRes)
    assert (res.request_status_code, res.transaction_id) == (RequestStatusCode.OK, "t1")
    reports = {one.from_: one for one in [await bench.comes(mm4.DeliveryReportReq) for _ in range(2)]}
    assert set(reports) == {"4499", f"{PHONE}/TYPE=PLMN"}
    assert {one.mm_status_code for one in reports.values()} == {MmStatusCode.REJECTED}
    assert "MM7_deliver" in reports["4499"].status_text
    await phone.until(lambda inbox: bool(inbox.notifications))


async def test_a_forward_to_a_short_code_becomes_a_deliver_req(bench: Bench) -> None:
    """TS 23.140 8.7.2: who is not the VASP's is only displayed; taken is Retrieved, told over MM4."""
    charged = (("X-Mms-Reply-Charging-ID", "m-7@home"),)
    forward = replace(REQ, to=(f"4488@{HOME}", box(PHONE)), unknown=charged)
    assert await bench.mail(mm4.encode(forward), f"4488@{HOME}") == [250, 250]
    async with asyncio.timeout(15):
        request = await bench.vasp.deliveries.get()
    assert request.sender == mm7.Address(FOREIGN)
    assert {one.value: one.display_only for one in request.to} == {"4488": False, PHONE: True}
    assert request.reply_charging_id == "m-7@home"
    await bench.comes(mm4.ForwardRes)
    report = await bench.comes(mm4.DeliveryReportReq)
    assert (report.from_, report.mm_status_code) == ("4488", MmStatusCode.RETRIEVED)
    answer = await bench.vasp.submit(PHONE, linked_id=request.linked_id)
    assert answer.status.code == 1000


@pytest.mark.parametrize("bench", [{"unknown_recipient": "res"}], indirect=True)
async def test_a_res_names_who_is_named_by_no_address(bench: Bench) -> None:
    await bench.phone(PHONE)
    assert await bench.mail(mm4.encode(REQ), box(PHONE), f"nobody-at-all@{HOME}") == [250, 250, 250]
    res = await bench.comes(mm4.ForwardRes)
    assert (res.request_status_code, "nobody-at-all" in res.status_text) == (RequestStatusCode.OK, True)


@pytest.mark.parametrize("bench", [{}, {"addresses": ("127.0.0.1",)}], ids=["by domain", "by address"], indirect=True)
async def test_res_and_reports_without_a_sender_are_taken(bench: Bench) -> None:
    """RFC 4356: automatic mails may have the null path; bounces are no longer the only ones."""
    await bench.vasp.submit(FOREIGN, content=picture())
    forward = await bench.comes(mm4.ForwardReq)
    ids = {"transaction_id": forward.transaction_id, "message_id": forward.message_id, "sender": SYSTEM}
    res = mm4.ForwardRes(**ids)  # type: ignore[arg-type]
    assert await bench.mail(mm4.encode(res), f"mms-system@{HOME}", mail_from="") == [250, 250]
    report = mm4.DeliveryReportReq(
        from_=f"{FOREIGN}@{FAR}",
        mm_status_code=MmStatusCode.RETRIEVED,
        to=("4488",),
        **ids,  # type: ignore[arg-type]
    )
    assert await bench.mail(mm4.encode(report), f"4488@{HOME}", mail_from="") == [250, 250]
    assert (await bench.vasp.report()).mm_status == "Retrieved"
    events = await bench.app.store.fetch("SELECT kind FROM event WHERE kind = 'forward.answered'")
    assert len(events) == 1


async def test_a_mail_without_a_sender_from_nobody_we_know_is_refused(bench: Bench) -> None:
    stranger = replace(REQ, sender="mms-system@mms.strange.example", from_="+17770100123/TYPE=PLMN")
    assert await bench.mail(mm4.encode(stranger), box(PHONE), mail_from="") == [250, 550]
    assert await bench.mail(b"Subject: hello\r\n\r\nyou\r\n", box(PHONE), mail_from="") == [250, 554]


@pytest.mark.parametrize(
    ("head", "kind", "status"),
    [
        ("X-Mms-Message-Type: MM4_forward.REQ", mm4.ForwardRes, RequestStatusCode.ERROR_MESSAGE_FORMAT_CORRUPT),
        ("X-Mms-Message-Type: MM4_future.REQ", mm4.ForwardRes, RequestStatusCode.ERROR_UNSUPPORTED_MESSAGE),
        (
            "X-Mms-Message-Type: MM4_delivery_report.REQ",
            mm4.DeliveryReportRes,
            RequestStatusCode.ERROR_MESSAGE_FORMAT_CORRUPT,
        ),
    ],
)
async def test_what_cannot_be_read_is_answered_in_its_own_kind(
    bench: Bench, head: str, kind: type[mm4.ForwardRes | mm4.DeliveryReportRes], status: RequestStatusCode
) -> None:
    """Sheet 6: 250 and then a RES, where the sender asked for one and can be told."""
    ids = "X-Mms-Transaction-ID: t7\r\nX-Mms-Message-ID: m7@x\r\nX-Mms-Ack-Request: Yes"
    system = f"X-Mms-Originator-System: {SYSTEM}\r\nSender: {SYSTEM}"
    octets = f"{head}\r\n{ids}\r\n{system}\r\n\r\n".encode()
    assert await bench.mail(octets, box(PHONE)) == [250, 250]
    res = await bench.comes(kind)
    assert (res.request_status_code, res.transaction_id, res.message_id) == (status, "t7", "m7@x")


@pytest.mark.parametrize(
    "octets",
    [
        b"X-Mms-Message-Type: MM4_forward.RES\r\nX-Mms-Transaction-ID: t\r\nX-Mms-Message-ID: m@x\r\n\r\n",
        b"X-Mms-Message-Type: MM4_forward.REQ\r\nX-Mms-Message-ID: m@x\r\nX-Mms-Ack-Request: Yes\r\n\r\n",
        b"X-Mms-Message-Type: MM4_future.REQ\r\nX-Mms-Transaction-ID: t\r\nX-Mms-Message-ID: m@x\r\n\r\n",
    ],
)
async def test_what_nobody_can_answer_gets_554(bench: Bench, octets: bytes) -> None:
    assert await bench.mail(octets, f"mms-system@{HOME}") == [250, 554]


async def test_a_report_for_the_system_is_not_passed_on(bench: Bench) -> None:
    """X-Mms-Originator-R/S-Delivery-Report: the MMSC over there wants to know, its user does not."""
    await bench.phone(PHONE)
    wanted = replace(REQ, delivery_report=False, originator_rs_delivery_report=True, ack_request=False)
    assert await bench.mail(mm4.encode(wanted), box(PHONE)) == [250, 250]
    report = await bench.comes(mm4.DeliveryReportReq)
    assert (report.mm_status_code, report.forward_to_originator_ua) == (MmStatusCode.RETRIEVED, False)


async def test_a_sender_that_no_envelope_can_hold_is_the_system(bench: Bench) -> None:
    """RFC 5321 4.1.2: an alphanumeric sender with a blank is no mailbox; From still has it."""
    await bench.vasp.submit(FOREIGN, content=picture(), sender_address=mm7.Address("My Shop"))
    async with asyncio.timeout(15):
        mail = await bench.far.mails.get()
    assert (mail.mail_from, mail.message.from_) == (f"mms-system@{HOME}", "My Shop")


@pytest.mark.parametrize("sender", ["My Shop", "größe@mail.example"])
async def test_a_report_to_a_sender_that_no_envelope_can_hold_goes_to_the_system(bench: Bench, sender: str) -> None:
    """RFC 5321 4.1.2; a report that is owed is never just given up."""
    await bench.phone(PHONE)
    assert await bench.mail(mm4.encode(replace(REQ, from_=sender, ack_request=False)), box(PHONE)) == [250, 250]
    async with asyncio.timeout(15):
        mail = await bench.far.mails.get()
    assert (mail.recipients, mail.message.to) == ((f"system-user@{FAR}",), (sender,))


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1959 00:00:00 +0000", "Thu, 01 Jan 2300 00:00:00 +0000", "soon"])
async def test_a_peer_with_a_wrong_clock_breaks_no_phone(bench: Bench, date: str) -> None:
    """The Date of an MM must fit MM1's Date-value: seconds since 1970 (OMA-TS-MMS_ENC 7.3.12)."""
    phone = await bench.phone(PHONE)
    octets = mm4.encode(REQ).replace(b"Date: Thu, 01 Jan 1970 00:00:00 +0000", f"Date: {date}".encode())
    assert date.encode() in octets
    assert await bench.mail(octets, box(PHONE)) == [250, 250]
    message = (await phone.until(lambda inbox: bool(inbox.messages))).messages[0]
    assert message.conf.date is not None
    assert 1_600_000_000 < message.conf.date < 4_000_000_000


async def test_parts_that_are_multiparts_arrive_as_mail_knows_them(bench: Bench) -> None:
    """TS 23.140 8.4.4: application/vnd.wap.multipart.* becomes multipart/*; the leaves keep their octets."""
    leaf = Part(ContentType("image/jpeg"), bytes(range(256)), "i", "i.jpg")
    inner = Part(ContentType("application/vnd.wap.multipart.mixed"), lay_out([leaf])[0], "n", "")
    phone = await bench.phone(PHONE)
    await phone.send([FOREIGN], [Part(ContentType("text/plain"), b"hello", "t", ""), inner])
    forward = await bench.comes(mm4.ForwardReq)
    assert forward.content is not None
    text, nested = forward.content.parts
    assert text.data == b"hello"
    assert nested.content_type.media_type == "multipart/mixed"
    assert [(one.content_type.media_type, one.data) for one in nested.parts] == [("image/jpeg", bytes(range(256)))]


@pytest.mark.parametrize("bench", [{"prefixes": ("+1666", "+1777")}], indirect=True)
async def test_what_only_mmscs_understand_travels_on(bench: Bench) -> None:
    """8.4.4: unknown fields are kept, and so are those about which only another MMSC can do something."""
    peers = dict(bench.app.engine.neighbours.peers)
    bench.app.engine.neighbours.peers["source"] = replace(peers["far"], name="source", domain="mms.src.example")
    octets = mm4.encode(replace(REQ, content_class="image-rich", applic_id="game", drm_content=False))
    octets = (
        b"X-Mms-Previously-sent-by: 0, +1/TYPE=PLMN\r\nX-Mms-Previously-sent-by: 1, a@b\r\nX-Mms-Own: x\r\n" + octets
    )
    assert await bench.mail(octets, box(FOREIGN), mail_from="mms-system@mms.src.example") == [250, 250]
    forward = await bench.comes(mm4.ForwardReq)
    assert forward.unknown == (
        ("x-mms-previously-sent-by", "0, +1/TYPE=PLMN"),
        ("x-mms-previously-sent-by", "1, a@b"),
        ("x-mms-own", "x"),
    )
    assert (forward.content_class, forward.applic_id, forward.drm_content) == ("image-rich", "game", False)
    assert forward.forward_counter == 1


async def test_greylisted_recipients_are_served_after_a_res_about_the_others(bench: Bench) -> None:
    bench.far.refusals[FOREIGN_TWO] = "450 4.2.0 greylisted"
    await bench.vasp.submit(FOREIGN, FOREIGN_TWO, content=picture())
    forward = await bench.comes(mm4.ForwardReq)
    res = mm4.ForwardRes(transaction_id=forward.transaction_id, message_id=forward.message_id, sender=SYSTEM)
    assert await bench.mail(mm4.encode(res), f"mms-system@{HOME}") == [250, 250]
    bench.far.refusals.clear()
    async with asyncio.timeout(15):
        mail = await bench.far.mails.get()
    assert mail.recipients == (box(FOREIGN_TWO, FAR),)


async def test_a_split_mail_serves_each_once(bench: Bench) -> None:
    phones = [await bench.phone(number) for number in (PHONE, OTHER)]
    everybody = replace(REQ, to=(box(PHONE), box(OTHER)), delivery_report=False)
    for envelope in ((PHONE, OTHER), (OTHER,), (PHONE,), (PHONE, OTHER)):
        await bench.mail(mm4.encode(everybody), *map(box, envelope))
        await bench.comes(mm4.ForwardRes)
    for phone in phones:
        await phone.until(lambda inbox: bool(inbox.messages))
        assert len(phone.inbox.notifications) == 1


async def test_a_report_that_was_long_on_its_way_keeps_its_date(bench: Bench) -> None:
    """Semantics 1: the date is that of the event, however many days the mail waited in a queue."""
    await bench.vasp.submit(FOREIGN, content=picture())
    forward = await bench.comes(mm4.ForwardReq)
    then = (datetime.now(UTC) - timedelta(days=5)).replace(microsecond=0)
    report = mm4.DeliveryReportReq(
        transaction_id="r1",
        message_id=forward.message_id,
        sender=SYSTEM,
        from_=f"{FOREIGN}/TYPE=PLMN",
        to=("4488",),
        date=then,
        mm_status_code=MmStatusCode.RETRIEVED,
    )
    assert await bench.mail(mm4.encode(report), f"4488@{HOME}") == [250, 250]
    assert datetime.fromisoformat((await bench.vasp.report()).date) == then
