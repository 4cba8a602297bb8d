"""Mails to short codes and subscribers, over real sockets (TS 23.140 8.3.1)."""

import email.message
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiosmtplib
import pytest

from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE
from tests.scenarios.test_mo_to_vasp import Town, answer

PICTURE = b"GIF89a" + bytes(range(256))
EVE = "eve@mail.example"


class Mailer:
    """Somebody on the Internet."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.domain = town.app.settings.node.domain

    async def send(self, *to: str, sender: str = EVE, message_id: str = "", subject: str = "Look") -> str:
        """What SMTP answers to a mail, or to its first recipient that was refused."""
        mail = email.message.EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Eve <{EVE}>", ", ".join(to), subject
        if message_id:
            mail["Message-ID"] = f"<{message_id}>"
        mail.set_content("Hello")
        mail.add_attachment(PICTURE, maintype="image", subtype="gif", filename="g.gif")
        return await self.hand_over(mail.as_bytes(), *to, sender=sender)

    async def hand_over(self, octets: bytes, *to: str, sender: str = EVE) -> str:
        """The same of any octets."""
        host, port = self.town.app.listeners["mm3"]
        async with aiosmtplib.SMTP(hostname=host, port=port, start_tls=False, timeout=10) as client:
            try:
                _, said = await client.sendmail(sender, list(to), octets)
            except aiosmtplib.SMTPRecipientsRefused as error:
                return f"{error.recipients[0].code} {error.recipients[0].message}"
            except aiosmtplib.SMTPResponseException as error:
                return f"{error.code} {error.message}"
        return f"250 {said}"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        town = Town(stack, tmp_path)
        await town.open()
        yield town


async def test_a_mail_to_a_short_code_is_a_deliver_req_that_can_be_answered(town: Town) -> None:
    """TS 23.140 8.7.2; the answer's LinkedID is known, and that it cannot go back by mail is said at once."""
    mailer = Mailer(town)
    code = f"4488@{mailer.domain}"
    assert await mailer.send(code, message_id="m1@mail.example", subject="Grüße") == "250 2.0.0 taken"
    delivery = await town.vasp.delivery()
    assert (delivery.sender, delivery.subject) == (EVE, "Grüße")
    assert delivery.to == (("4488", False),)
    assert delivery.content is not None
    assert [one.data.strip() for one in delivery.content.parts] == [b"Hello", PICTURE]
    answered = await answer(town.vasp, PHONE, delivery.linked_id)
    assert answered.status_code == 1000
    assert [one["linked_id"] for one in await town.told("mm.linked")] == [delivery.linked_id] * 2


async def test_a_mail_to_a_subscriber_is_an_mm(town: Town) -> None:
    mailer, phone = Mailer(town), await town.phone(PHONE)
    assert await mailer.send(f"{PHONE}@{mailer.domain}") == "250 2.0.0 taken"
    (message,) = (await phone.until(lambda inbox: bool(inbox.messages))).messages
    assert (message.conf.from_, message.conf.subject) == (EVE, "Look")
    assert [message.octets_of(one).strip() for one in message.parts] == [b"Hello", PICTURE]
    assert await phone.tell_read(message.conf.message_id or "", EVE) == 200, "nobody asked for a report"


async def test_the_same_mail_again_is_served_once(town: Town) -> None:
    """A relay that lost the 250 tries again, and one that splits a mail sends the rest (RFC 5321 4.5.4.1)."""
    mailer, phone = Mailer(town), await town.phone(PHONE)
    old = await town.phone(OLD_PHONE)
    for to in ((PHONE,), (PHONE,), (PHONE, OLD_PHONE)):
        mailboxes = [f"{one}@{mailer.domain}" for one in to]
        assert await mailer.send(*mailboxes, message_id="m2@mail.example") == "250 2.0.0 taken"
    await old.until(lambda inbox: bool(inbox.texts))
    await phone.until(lambda inbox: bool(inbox.messages))
    rows = await town.app.store.fetch("SELECT address FROM recipient ORDER BY address")
    assert [row[0] for row in rows] == [PHONE, OLD_PHONE]
    assert len(phone.inbox.notifications) == 1


@pytest.mark.parametrize(
    ("to", "sender", "answer"),
    [
        ("4488@elsewhere.example", EVE, "550 5.7.1 elsewhere.example is not served here"),
        ("+15550000001@{domain}", "", "550 5.7.1 nothing that was sent from here can come back"),
        ("9999@{domain}", EVE, "550 5.1.1 "),
        ("+49170000000@{domain}", EVE, "550 5.1.1 "),
        ("@{domain}", EVE, "553 5.1.3 "),
    ],
)
async def test_whom_nobody_serves_is_refused_at_rcpt(town: Town, to: str, sender: str, answer: str) -> None:
    """And nothing is relayed: neither to other domains nor to other MMSCs."""
    mailer = Mailer(town)
    assert (await mailer.send(to.format(domain=mailer.domain), sender=sender)).startswith(answer)
    assert await town.app.store.fetch("SELECT id FROM mm") == []


async def test_mails_of_other_networks_are_refused(town: Town) -> None:
    mailer = Mailer(town)
    handler = town.app.operations.sources.smtp["mm3"]._hooks._handler  # type: ignore[attr-defined]
    handler.take_from(("192.0.2.0/24",))
    assert await mailer.send(f"{PHONE}@{mailer.domain}") == "550 5.7.1 no mail is taken from there"


async def test_what_is_not_taken_is_told_in_smtp_s_words(town: Town) -> None:
    mailer = Mailer(town)
    assert (await mailer.send(f"{PHONE}@{mailer.domain}", subject="x" * 5000)).startswith("55")
    await town.app.store.close()
    assert (await mailer.send(f"{PHONE}@{mailer.domain}")).startswith("451 4.3.0 ")


@pytest.mark.parametrize(
    "from_",
    [
        *(OTHER, f"{OTHER}/TYPE=PLMN", f"{OTHER}/TYPE=PLMN@evil.example", f"Bob <{OTHER}@{{domain}}>"),
        *("4488", "4488@{domain}", "NEWS", "192.0.2.7/TYPE=IPv4", f"=?utf-8?q?{OTHER}?="),
    ],
)
async def test_nobody_writes_in_the_name_of_a_subscriber_or_a_vasp(town: Town, from_: str) -> None:
    mailer = Mailer(town)
    mail = f"From: {from_.format(domain=mailer.domain)}\r\n\r\nSend me the code".encode()
    assert (await mailer.hand_over(mail, f"{PHONE}@{mailer.domain}")).startswith("550 5.7.1 From ")
    assert await town.app.store.fetch("SELECT id FROM mm") == []


async def test_a_sender_that_would_steer_a_terminal_is_no_address(town: Town) -> None:
    mailer = Mailer(town)
    mail = b"From: e\x1b[2Jve@mail.example\r\n\r\nHello"
    said = await mailer.hand_over(mail, f"{PHONE}@{mailer.domain}")
    assert said == "550 5.1.7 sender e?[2Jve@mail.example: not an e-mail address"
    assert await town.app.store.fetch("SELECT id FROM mm") == []
