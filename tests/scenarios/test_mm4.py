"""Two MMSCs: an MM crosses, the RES and the report come back; each with its error twin. All over real SMTP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiosmtplib
import pytest

from mmsc.app import App
from mmsc.lab.handset import Fetching, Handset
from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings import Settings
from mmsc.settings.model import Mm4, Node, NumberSettings
from mmsc.settings.neighbours import Peer
from protocols import mm4, mm7
from tests.scenarios.conftest import Client, free_port, picture, settings

FOREIGN = "+16660100123"


def _other(folder: Path, smsc_port: int, port: int, home_port: int) -> Settings:
    base = settings(folder, smsc_port, "")
    return replace_all(
        base,
        node=Node(name="b", domain="mms.other.example"),
        numbers=NumberSettings(own_prefixes=("+1666",), default_smsc="local"),
        mm4=Mm4(port=port),
        peer={"home": Peer(domain="mms.home.example", host="127.0.0.1", port=home_port, prefixes=("+1555",))},
    )


def replace_all(base: Settings, **changes: object) -> Settings:
    import msgspec

    return msgspec.structs.replace(base, **changes)


class Two:
    """Both MMSCs, their SMSCs, the VASP at home."""

    def __init__(self, home: App, other: App, vasp: Client, far: VirtualSmsc) -> None:
        self.home, self.other, self.vasp, self.far = home, other, vasp, far
        self.phones: list[Handset] = []

    async def phone(self, number: str, **behaviour: object) -> Handset:
        host, port = self.other.listeners["mm1"]
        phone = Handset(number, f"http://{host}:{port}/", **behaviour)  # type: ignore[arg-type]
        await phone.__aenter__()
        self.phones.append(phone)
        self.far.register(number, phone.on_push, phone.on_sms)
        return phone


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    import aiohttp
    from aiohttp import web

    near, far = VirtualSmsc(), VirtualSmsc()
    await near.start()
    await far.start()
    ports = free_port(), free_port()
    async with aiohttp.ClientSession() as session:
        vasp = Client("", session)
        runner = web.ServerRunner(web.Server(vasp.take))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        report_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        home_settings = replace_all(
            settings(tmp_path / "a", near.port, report_url),
            node=Node(name="a", domain="mms.home.example"),
            mm4=Mm4(port=ports[0]),
            peer={"other": Peer(domain="mms.other.example", host="127.0.0.1", port=ports[1], prefixes=("+1666",))},
        )
        async with (
            App(home_settings, synchronous="OFF") as home,
            App(_other(tmp_path / "b", far.port, ports[1], ports[0]), synchronous="OFF") as other,
        ):
            host, port = home.listeners["mm7"]
            vasp.url = f"http://{host}:{port}/mm7"
            two = Two(home, other, vasp, far)
            yield two
            for phone in two.phones:
                await phone.__aexit__(None, None, None)
        await runner.cleanup()
    await near.stop()
    await far.stop()


async def test_an_mm_crosses_octet_for_octet_and_the_report_comes_back(two: Two) -> None:
    phone = await two.phone(FOREIGN)
    rsp = await two.vasp.submit(FOREIGN, content=picture(), subject="Grüße\r\nX-Evil: yes")
    assert isinstance(rsp, mm7.SubmitRsp)
    report = await two.vasp.report()
    assert (report.mm_status, report.message_id) == ("Retrieved", rsp.message_id)
    message = (await phone.until(lambda inbox: bool(inbox.messages))).messages[0]
    assert message.octets_of(message.parts[2]) == bytes(range(256)) * 20
    assert message.conf.subject == "Grüße X-Evil: yes"
    assert message.conf.message_id == rsp.message_id


async def test_rejected_over_there_is_reported_here(two: Two) -> None:
    await two.phone(FOREIGN, fetching=Fetching.REJECT)
    await two.vasp.submit(FOREIGN, content=picture())
    report = await two.vasp.report()
    assert report.mm_status == "Rejected"


async def test_an_unknown_recipient_is_refused_at_rcpt_and_reported(two: Two) -> None:
    numbers = two.other.settings.numbers
    assert numbers.own_prefixes == ("+1666",)
    two.other.engine.numbers._own_prefixes = ("+16661",)
    await two.vasp.submit(FOREIGN, content=picture())
    report = await two.vasp.report()
    assert (report.mm_status, report.mm_status_extension) == ("Rejected", "RejectionByOtherRS")


async def _mail(two: Two, octets: bytes, to: str = f"{FOREIGN}/TYPE=PLMN@mms.other.example") -> int:
    _, port = two.other.listeners["mm4"]
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    async with client:
        await client.mail("+15550100123/TYPE=PLMN@mms.home.example")
        try:
            await client.rcpt(to)
            return (await client.data(octets)).code
        except aiosmtplib.SMTPResponseException as error:
            return error.code


@pytest.mark.parametrize(
    ("octets", "to", "code"),
    [
        (b"Subject: no MM4\r\n\r\n", f"{FOREIGN}/TYPE=PLMN@mms.other.example", 554),
        (b"", f"{FOREIGN}@mms.elsewhere.example", 550),
        (b"", "+19990100123/TYPE=PLMN@mms.other.example", 550),
        ((b"x" * 70 + b"\r\n") * 40_000, f"{FOREIGN}/TYPE=PLMN@mms.other.example", 552),
    ],
)
async def test_bad_mail_gets_a_clear_answer_and_the_server_serves_on(
    two: Two, octets: bytes, to: str, code: int
) -> None:
    assert await _mail(two, octets, to) == code
    phone = await two.phone(FOREIGN)
    await two.vasp.submit(FOREIGN, content=picture())
    await phone.until(lambda inbox: bool(inbox.messages))


async def test_the_same_forward_again_is_not_delivered_twice(two: Two) -> None:
    phone = await two.phone(FOREIGN)
    req = mm4.ForwardReq(
        transaction_id="t1", message_id="m1@mms.home.example", from_="+15550100123/TYPE=PLMN", to=(FOREIGN,)
    )
    assert await _mail(two, mm4.encode(req)) == 250
    assert await _mail(two, mm4.encode(req)) == 250
    await phone.until(lambda inbox: bool(inbox.messages))
    await asyncio.sleep(0)
    assert len(await two.other.store.fetch("SELECT id FROM mm")) == 1
    assert len(phone.inbox.notifications) == 1


@pytest.mark.parametrize("to", [("+15550100123",), ()])
async def test_no_bcc_leaks_to_the_other_bcc(two: Two, to: tuple[str, ...]) -> None:
    """Two of them at the same peer: neither in a header of the mail nor on the other's phone."""
    hidden = (FOREIGN, "+16660100124")
    phones = [await two.phone(number) for number in hidden]
    await two.vasp.submit(*to, bcc=tuple(map(mm7.Address, hidden)), content=picture())
    for phone in phones:
        message = (await phone.until(lambda inbox: bool(inbox.messages))).messages[0]
        shown = str(message.conf)
        assert not [one for one in hidden if one in shown and one != phone.number]
    assert {(await two.vasp.report()).recipient.value for _ in hidden} == set(hidden)
    captures = two.home.captures
    assert captures is not None
    mails = [one.octets for one in captures.latest(200) if b"MM4_forward.REQ" in one.octets]
    assert mails
    for mail in mails:
        head = mail.partition(b"\r\nDATA\r\n")[2].partition(b"\r\n\r\n")[0]
        assert not [one for one in hidden if one.encode() in head]
