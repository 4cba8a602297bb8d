"""A VASP withdraws and replaces what it sent, over the wire (TS 23.140 8.7.3)."""

import asyncio
from dataclasses import replace

import pytest

from mmsc.lab.handset import Fetching
from mmsc.store.core import Unit
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


async def ask_extended(lab: Lab, request: mm7.Message, content: mime.OutPart | None = None) -> mm7.Message | None:
    assert LATEST is not None
    envelope = mm7.Envelope("x1", LATEST, request)
    content_type, body = mm7.encode(envelope) if content is None else mm7.encode_with_content(envelope, content, "seed")
    return (await lab.vasp.post(content_type, body))[1]


async def test_a_handset_is_asked_to_forget_what_it_has(lab: Lab) -> None:
    """extendedCancelReq: m-cancel-req over the SMSC, m-cancel-conf over MM1 (OMA-TS-MMS_ENC 1.3)."""
    phone = await lab.phone(PHONE, version=mm1.VERSION_1_3)
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture()))
    await lab.vasp.report()
    answer = await ask_extended(lab, mm7.ExtendedCancelReq(vasp_id="news", cancel_id=rsp.message_id))
    assert isinstance(answer, mm7.ExtendedCancelRsp), answer
    assert answer.status.code == 1000
    inbox = await phone.until(lambda inbox: bool(inbox.cancelled))
    assert (inbox.cancelled[0].cancel_id, inbox.messages) == (rsp.message_id, [])
    async with asyncio.timeout(10):
        while not await kinds_of(lab, "cancel.confirmed"):
            await lab.app.engine.store.commit(Unit(None, ()))
    assert await kinds_of(lab, "cancel.confirmed") == ['{"understood":true}']


async def kinds_of(lab: Lab, kind: str) -> list[str]:
    rows = await lab.app.engine.store.fetch("SELECT data FROM event WHERE kind = $1", kind)
    return [str(row[0]) for row in rows]


async def test_a_handset_that_knows_no_cancel(lab: Lab) -> None:
    await lab.phone(PHONE, version=mm1.VERSION_1_2)
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture()))
    await lab.vasp.report()
    answer = await ask_extended(lab, mm7.ExtendedCancelReq(vasp_id="news", cancel_id=rsp.message_id))
    assert isinstance(answer, mm7.ExtendedCancelRsp), answer
    assert (answer.status.code, answer.status.details) == (3001, f"{PHONE}: its handset speaks MMS 1.2")


async def test_another_mm_in_the_place_of_one_that_was_retrieved(lab: Lab) -> None:
    """extendedReplaceReq: a new MM, whose notification names the old one in X-Mms-Replace-ID."""
    phone = await lab.phone(PHONE, version=mm1.VERSION_1_3)
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture(), subject="weather"))
    await lab.vasp.report()
    content = mime.OutPart(ContentType("text/plain"), b"it rains after all", "n", "n.txt")
    request = mm7.ExtendedReplaceReq(vasp_id="news", replace_id=rsp.message_id, content_href="cid:n")
    answer = await ask_extended(lab, request, content)
    assert isinstance(answer, mm7.ExtendedReplaceRsp), answer
    assert answer.status.code == 1000
    assert answer.message_id not in ("", rsp.message_id)
    inbox = await phone.until(lambda inbox: [one.conf.message_id for one in inbox.messages] == [answer.message_id])
    assert [one.replace_id for one in inbox.notifications] == [None, rsp.message_id]
    conf = inbox.messages[0].conf
    assert (conf.subject, conf.replace_id) == ("weather", rsp.message_id)
    report = await lab.vasp.report()
    assert (report.message_id, report.mm_status) == (answer.message_id, "Retrieved")
    again = await ask_extended(lab, request, content)
    assert isinstance(again, mm7.ExtendedReplaceRsp)
    assert again.message_id == answer.message_id, "the same again gets its answer again"


async def test_nobody_has_what_is_to_be_replaced(lab: Lab) -> None:
    await lab.phone(PHONE, fetching=Fetching.DEFERRED)
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture()))
    request = mm7.ExtendedReplaceReq(vasp_id="news", replace_id=rsp.message_id)
    answer = await ask_extended(lab, request)
    assert isinstance(answer, mm7.ExtendedReplaceRsp), answer
    assert (answer.status.code, answer.status.details) == (3001, f"{PHONE}: no handset of ours has it")
