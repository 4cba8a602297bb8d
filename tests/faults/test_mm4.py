"""MM4 gone wrong on purpose, between two MMSCs: the other one's answers and RES, and our mails."""

import aiosmtplib
import pytest

from mmsc.app import App
from mmsc.faults import wrong_mail
from mmsc.faults.parameters import Setting
from mmsc.trace.captures import CaptureRecord, Direction
from protocols import mm4, mm7
from tests.faults.world import until
from tests.scenarios.conftest import picture
from tests.scenarios.test_mm4 import FOREIGN, Two
from tests.scenarios.test_mm4 import two as two  # the fixture

ADDRESS = f"{FOREIGN}/TYPE=PLMN@mms.other.example"


async def events(app: App, kind: str) -> list[str]:
    return [str(row[0]) for row in await app.store.fetch("SELECT data FROM event WHERE kind = $1", kind)]


def marked(app: App, fault: str) -> list[CaptureRecord]:
    assert app.captures is not None
    return [one for one in app.captures.latest(200) if one.fault == fault]


def sent_wrongly(app: App, fault: str) -> list[CaptureRecord]:
    return [one for one in marked(app, fault) if one.direction is Direction.OUT]


async def after(two: Two, seconds: float) -> None:
    """The next attempts are due at both."""
    two.home.clock.step(seconds)
    two.other.clock.step(seconds)


async def code_at(two: Two, stage: str) -> int:
    """The reply that is not positive, as a client meets it; 0 when there is none."""
    _, port = two.other.listeners["mm4"]
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    try:
        await client.connect()
        await client.ehlo()
        await client.mail("+15550100123/TYPE=PLMN@mms.home.example")
        await client.rcpt(ADDRESS)
        await client.data(b"Subject: x\r\n\r\nx")
    except aiosmtplib.SMTPResponseException as error:
        return error.code
    finally:
        client.close()
    return 0


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "end"])
async def test_a_reply_at_each_stage(two: Two, stage: str) -> None:
    two.other.faults.set("mm4-smtp", Setting(status=452, stage=stage, text="4.3.1 no room"))
    assert await code_at(two, stage) == 452
    (reply,) = marked(two.other, "mm4-smtp")
    assert reply.octets == b"452 4.3.1 no room\r\n"
    assert two.other.faults.bitten("mm4-smtp").hits == 1


async def test_a_forward_that_is_refused_for_now_comes_again(two: Two) -> None:
    await two.phone(FOREIGN)
    two.other.faults.set("mm4-smtp", Setting(status=451, stage="end", times=1, peer="home"))
    await two.vasp.submit(FOREIGN, content=picture())
    await until(lambda: _tried(two))
    await after(two, 120)
    assert (await two.vasp.report()).mm_status == "Retrieved"


async def _tried(two: Two) -> list[str]:
    return await events(two.home, "attempt.postponed") or await events(two.home, "attempt.failed")


async def test_a_lost_250_is_one_mm(two: Two) -> None:
    """The mail is taken and its reply lost: the repeat is recognised by X-Mms-Transaction-ID and Message-ID."""
    two.other.faults.set("mm4-answer-lost", Setting(times=1))
    await two.vasp.submit(FOREIGN, content=picture())
    await until(lambda: two.other.faults.bitten("mm4-answer-lost").hits)
    await until(lambda: events(two.home, "attempt.failed"))
    await after(two, 120)
    assert await until(lambda: events(two.other, "submission.repeated"))
    assert await two.other.store.fetch("SELECT COUNT(*) FROM mm") == [(1,)]


@pytest.mark.parametrize(
    ("name", "status"),
    [("mm4-res-status", "Error-service-denied"), ("mm4-res-twice", "Ok"), ("mm4-res-transaction", "Ok")],
)
async def test_a_res_that_is_wrong(two: Two, name: str, status: str) -> None:
    two.other.faults.set(name, Setting(times=1))
    await two.vasp.submit(FOREIGN, content=picture())
    await until(lambda: two.other.faults.bitten(name).hits)
    if name != "mm4-res-transaction":
        told = await until(lambda: events(two.home, "forward.answered"))
        assert f'"status":"{status}"' in told[0]
    hits = await until(lambda: events(two.other, "fault.hit"))
    assert '"operation":"MM4_forward.RES"' in hits[0]
    expected = 2 if name == "mm4-res-twice" else 1
    assert await until(lambda: len(sent_wrongly(two.other, name)) == expected)


async def test_a_res_that_is_lost_or_late(two: Two) -> None:
    await two.phone(FOREIGN)
    two.other.faults.set("mm4-res-lost", Setting(times=1))
    await two.vasp.submit(FOREIGN, content=picture())
    assert (await two.vasp.report()).mm_status == "Retrieved"
    assert await events(two.home, "forward.answered") == []
    two.other.faults.set("mm4-res-late", Setting(times=1, seconds=600))
    await two.vasp.submit(FOREIGN, content=picture())
    await until(lambda: events(two.other, "attempt.postponed"))
    await after(two, 601)
    assert await until(lambda: events(two.home, "forward.answered"))


async def test_mails_that_are_lost_doubled_and_refused(two: Two) -> None:
    faults = two.home.faults
    faults.set("mm4-mail-lost", Setting(times=1, operation="MM4_forward.REQ"))
    await two.vasp.submit(FOREIGN)
    await until(lambda: events(two.home, "fault.hit"))
    rows = await two.home.store.fetch("SELECT mm_id FROM event WHERE kind = 'fault.hit'")
    assert rows[0][0] is not None
    assert await two.other.store.fetch("SELECT COUNT(*) FROM mm") == [(0,)]
    faults.set("mm4-peer-smtp", Setting(times=1, status=554))
    await two.vasp.submit(FOREIGN)
    assert (await two.vasp.report()).mm_status_extension == "RejectionByOtherRS"
    faults.set("mm4-mail-twice", Setting(times=1))
    await two.phone(FOREIGN)
    await two.vasp.submit(FOREIGN)
    assert (await two.vasp.report()).mm_status == "Retrieved"
    assert await two.other.store.fetch("SELECT COUNT(*) FROM mm") == [(1,)]


async def test_mails_that_are_damaged(two: Two) -> None:
    """A picture whose LF became CRLF, another Message-ID, and a mail that ends early: each shown in the trace."""
    phone = await two.phone(FOREIGN)
    two.home.faults.set("mm4-mail-jpeg", Setting(times=1))
    rsp = await two.vasp.submit(FOREIGN, content=picture())
    message = (await phone.until(lambda inbox: bool(inbox.messages))).messages[0]
    right = bytes(range(256)) * 20
    assert message.octets_of(message.parts[2]) == right.replace(b"\n", b"\r\n")
    assert isinstance(rsp, mm7.SubmitRsp)
    await two.vasp.report()
    two.home.faults.set("mm4-mail-id", Setting(times=1))
    await two.vasp.submit(FOREIGN)
    sent = await until(lambda: marked(two.home, "mm4-mail-id"))
    assert wrong_mail.OTHER_MESSAGE_ID in sent[0].octets
    two.home.faults.set("mm4-mail-cut", Setting(times=1, octets=150))
    await two.vasp.submit(FOREIGN)
    sent = await until(lambda: marked(two.home, "mm4-mail-cut"))
    mail = next(one for one in sent if one.direction is Direction.OUT).octets.partition(b"DATA\r\n")[2]
    assert len(mail) == 150


def test_only_pictures_are_damaged() -> None:
    """What is no mail with parts stays as it is; text parts, too."""
    assert wrong_mail.with_damaged_pictures(b"Subject: x\r\n\r\na\nb") == b"Subject: x\r\n\r\na\nb"
    mail = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\na\nb\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nYQpi\r\n--b--\r\n"
    )
    damaged = wrong_mail.with_damaged_pictures(mail)
    assert b"\r\n\r\na\nb\r\n" in damaged
    assert b"YQ0KYg==" in damaged
    assert mm4.decode is not None
