"""A VASP's MM on its way to a handset, and the report on its way back; each scene with its error twin."""

from pathlib import Path

import pytest

from mmsc.lab.handset import Fetching
from mmsc.settings.model import Node
from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.mm7 import StatusCode
from protocols.smpp import SubmitSm
from protocols.sms.segment import split_header
from tests.scenarios.conftest import LATEST, OTHER, PHONE, Lab, open_lab, picture


def accepted(answer: object) -> mm7.SubmitRsp:
    assert isinstance(answer, mm7.SubmitRsp), answer
    assert answer.status.code is StatusCode.SUCCESS, answer.status
    return answer


async def test_the_vasp_gets_retrieved_and_the_phone_the_same_octets(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture(), subject="Grüße"))
    report = await lab.vasp.report()
    assert report.mm_status == "Retrieved"
    assert report.message_id == rsp.message_id
    assert report.recipient.value == PHONE
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    message = inbox.messages[0]
    assert message.conf.subject == "Grüße"
    assert [part.content_type.media_type for part in message.parts] == ["application/smil", "text/plain", "image/jpeg"]
    assert message.octets_of(message.parts[2]) == bytes(range(256)) * 20
    assert message.conf.content_type is not None
    assert message.conf.content_type.get("start") == "<s>"


async def test_segments_of_a_node_have_references_of_its_own_quarter(tmp_path: Path) -> None:
    """3GPP TS 23.040 9.2.3.24.1: another node may push to the same number between them."""
    async with open_lab(tmp_path, node=Node(number=6)) as lab:
        await lab.phone(PHONE)
        accepted(await lab.vasp.submit(PHONE, content=picture(), subject="More than one SMS holds " * 8))
        assert (await lab.vasp.report()).mm_status == "Retrieved"
        pushes = [one for one in lab.smsc.submitted if isinstance(one, SubmitSm)]
    heads = [split_header(one.short_message)[0].concatenation for one in pushes]
    assert len(heads) > 1
    assert {head.reference % 4 for head in heads if head} == {6 % 4}


async def test_base64_in_is_the_same_octets_out(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    octets = bytes(range(256)) * 40
    content = mime.OutPart(ContentType("image/jpeg"), octets, "c", "c.jpg", encoding="base64")
    accepted(await lab.vasp.submit(PHONE, content=content))
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    assert inbox.messages[0].octets_of(inbox.messages[0].parts[0]) == octets


@pytest.mark.parametrize(
    ("fetching", "status", "extension"),
    [(Fetching.REJECT, "Rejected", "RejectionByMMSRecipient"), (Fetching.SILENT, "Retrieved", "")],
)
async def test_other_ends(lab: Lab, fetching: Fetching, status: str, extension: str) -> None:
    phone = await lab.phone(PHONE, fetching=fetching)
    accepted(await lab.vasp.submit(PHONE, content=picture()))
    await phone.until(lambda inbox: bool(inbox.notifications))
    if fetching is Fetching.SILENT:
        await phone.until(lambda inbox: bool(inbox.messages))
        await phone.get(phone.inbox.notifications[0])  # a second GET proves the first one
    report = await lab.vasp.report()
    assert (report.mm_status, report.mm_status_extension) == (status, extension)


async def test_deferred_then_retrieved(lab: Lab) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.DEFERRED)
    accepted(await lab.vasp.submit(PHONE, content=picture()))
    inbox = await phone.until(lambda inbox: bool(inbox.notifications))
    assert await phone.fetch(inbox.notifications[0]) is not None
    assert (await lab.vasp.report()).mm_status == "Retrieved"


async def test_several_numbers_in_one_to_and_cc_and_bcc(lab: Lab) -> None:
    numbers = [PHONE, OTHER, "+15550100125", "+15550100126"]
    phones = [await lab.phone(number) for number in numbers]
    addresses = [mm7.Address(number) for number in numbers]
    answer = await lab.vasp.submit(content=picture(), to=tuple(addresses[:2]), cc=(addresses[2],), bcc=(addresses[3],))
    accepted(answer)
    reports = [await lab.vasp.report() for _ in numbers]
    assert sorted(report.recipient.value for report in reports) == sorted(numbers)
    for phone in phones:
        inbox = await phone.until(lambda inbox: bool(inbox.messages))
        shown = str(inbox.messages[0].conf)
        assert numbers[3] not in shown, "no Bcc leaks"
        assert len(inbox.messages) == 1


async def test_a_wrong_token_or_another_subscriber_gets_nothing(lab: Lab) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.NEVER)
    stranger = await lab.phone(OTHER, fetching=Fetching.NEVER)
    accepted(await lab.vasp.submit(PHONE, content=picture()))
    notification = (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0]
    assert await stranger.get(notification) is None
    location = notification.content_location or ""
    status, body = await phone.open_link(location[:-4] + "AAAA")
    unknown = await stranger.open_link(location)
    assert (status, body) == unknown, "another identity gets exactly what an unknown token gets"
    assert status == 404


async def test_handset_to_handset_with_a_report(lab: Lab) -> None:
    from protocols.wsp.multipart import Part

    sender, receiver = await lab.phone(PHONE), await lab.phone(OTHER)
    conf = await sender.send(
        [f"{OTHER}/TYPE=PLMN"], [Part(ContentType("text/plain"), b"hello", "t")], subject="hi", delivery_report=True
    )
    assert conf.response_status is not None
    assert conf.response_status.name == "OK"
    inbox = await receiver.until(lambda inbox: bool(inbox.messages))
    assert inbox.messages[0].conf.from_ == f"{PHONE}/TYPE=PLMN"
    reports = (await sender.until(lambda inbox: bool(inbox.reports))).reports
    assert reports[0].message_id == conf.message_id
    assert reports[0].status is not None
    assert reports[0].status.name == "RETRIEVED"


async def test_the_same_request_again_is_answered_and_not_delivered_twice(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    first = accepted(await lab.vasp.submit(PHONE, content=picture(), transaction_id="same"))
    second = accepted(await lab.vasp.submit(PHONE, content=picture(), transaction_id="same"))
    assert first.message_id == second.message_id
    await lab.vasp.report()
    await phone.until(lambda inbox: bool(inbox.messages))
    assert len(phone.inbox.notifications) == 1


async def test_what_was_forgiven_is_recorded(lab: Lab) -> None:
    """Elements out of schema order are read, and said so in the trace."""
    number = f"<Recipients><To><Number>{PHONE}</Number></To></Recipients>"
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<m:TransactionID xmlns:m="{mm7.BASE}{mm7.LATEST}">t</m:TransactionID></e:Header><e:Body>'
        f'<SubmitReq xmlns="{mm7.BASE}{mm7.LATEST}"><MM7Version>6.8.0</MM7Version><Subject>first</Subject>'
        f"<SenderIdentification><VASPID>news</VASPID></SenderIdentification>{number}</SubmitReq></e:Body></e:Envelope>"
    )
    _, message = await lab.vasp.post("text/xml", body.encode())
    accepted(message)
    rows = await lab.app.store.fetch("SELECT data FROM event WHERE kind = 'finding.noted'")
    assert len(rows) == 1
    assert "MM7-R004" in str(rows[0][0])


@pytest.mark.parametrize("encoding", ["binary", "base64"])
async def test_a_capture_names_the_stored_picture_and_shows_the_request_whole(lab: Lab, encoding: str) -> None:
    ring = lab.app.captures
    assert ring is not None
    octets = bytes(range(256)) * 80
    content = mime.OutPart(ContentType("image/jpeg"), octets, "c", "c.jpg", encoding=encoding)
    request = mm7.SubmitReq(vasp_id="news", to=(mm7.Address(PHONE),), content_href="cid:c")
    assert LATEST is not None
    content_type, body = mm7.encode_with_content(mm7.Envelope("t", LATEST, request), content, "seed")
    _, answer = await lab.vasp.post(content_type, body)
    accepted(answer)
    mm_id, stored = (await lab.app.store.fetch("SELECT id, body FROM content"))[0]
    captured = ring.of_mm(int(str(mm_id)))[0]
    assert isinstance(stored, bytes)
    assert captured.whole(stored).endswith(body)
    assert (len(captured.octets) < len(octets)) == (encoding == "binary")


async def test_a_capture_of_a_sent_mm_names_its_body(lab: Lab) -> None:
    from protocols.wsp.multipart import Part

    ring = lab.app.captures
    assert ring is not None
    phone = await lab.phone(PHONE)
    await phone.send([f"{OTHER}/TYPE=PLMN"], [Part(ContentType("image/jpeg"), bytes(5000), "i")])
    mm_id, stored = (await lab.app.store.fetch("SELECT id, body FROM content"))[0]
    captured = ring.of_mm(int(str(mm_id)))[0]
    assert isinstance(stored, bytes)
    assert len(captured.octets) < 1000
    assert captured.whole(stored).endswith(stored)
