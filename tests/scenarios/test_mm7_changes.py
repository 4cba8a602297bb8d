"""A VASP withdraws and replaces what it sent, over the wire (TS 23.140 8.7.3, 8.7.4)."""

from dataclasses import replace

import pytest

from mmsc.lab.handset import Fetching
from protocols import mime, mm1, mm7
from protocols.content_type import ContentType
from tests.scenarios.conftest import LATEST, PHONE, Lab, picture
from tests.scenarios.test_mm7_to_handset import accepted

Changing = mm7.CancelReq | mm7.ReplaceReq


async def ask(
    lab: Lab, request: Changing, transaction_id: str = "c1", content: mime.OutPart | None = None
) -> mm7.Status:
    assert LATEST is not None
    envelope = mm7.Envelope(transaction_id, LATEST, request)
    content_type, body = mm7.encode(envelope) if content is None else mm7.encode_with_content(envelope, content, "seed")
    _, answer = await lab.vasp.post(content_type, body)
    assert isinstance(answer, mm7.CancelRsp if isinstance(request, mm7.CancelReq) else mm7.ReplaceRsp), answer
    assert isinstance(answer, mm7.CancelRsp | mm7.ReplaceRsp)
    return answer.status


async def test_withdrawn_before_it_is_fetched(lab: Lab) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.DEFERRED)
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture()))
    inbox = await phone.until(lambda inbox: bool(inbox.notifications))
    request = mm7.CancelReq(vasp_id="news", message_id=rsp.message_id)
    assert (await ask(lab, request)).code == 1000
    assert (await ask(lab, request)).code == 1000, "the same again gets its answer again"
    late = await ask(lab, request, "c2")
    assert (late.code, late.details) == (3001, f"{PHONE}: cancelled already")
    async with lab.vasp.session.get(str(inbox.notifications[0].content_location)) as response:
        conf = mm1.decode(await response.read()).message
    assert isinstance(conf, mm1.MRetrieveConf)
    assert conf.retrieve_status is mm1.RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND


async def test_too_late_is_not_possible(lab: Lab) -> None:
    await lab.phone(PHONE)
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture()))
    await lab.vasp.report()
    status = await ask(lab, mm7.CancelReq(vasp_id="news", message_id=rsp.message_id))
    assert (status.code, status.details) == (3001, f"{PHONE}: retrieved already")


@pytest.mark.parametrize("request_", [mm7.CancelReq(vasp_id="news"), mm7.ReplaceReq(vasp_id="news")])
async def test_an_mm_that_there_is_not(lab: Lab, request_: Changing) -> None:
    assert (await ask(lab, replace(request_, message_id="0@mms.example"))).code == 2005


async def test_the_phone_gets_what_replaced_it(lab: Lab) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.DEFERRED)
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture()))
    inbox = await phone.until(lambda inbox: bool(inbox.notifications))
    content = mime.OutPart(ContentType("text/plain"), b"it rains after all", "n", "n.txt")
    request = mm7.ReplaceReq(vasp_id="news", message_id=rsp.message_id, content_href="cid:n", service_code="gold")
    assert (await ask(lab, request, content=content)).code == 1000
    message = await phone.fetch(inbox.notifications[0])
    assert message is not None
    assert [message.octets_of(part) for part in message.parts] == [b"it rains after all"]
    assert (await lab.vasp.report()).mm_status == "Retrieved"
