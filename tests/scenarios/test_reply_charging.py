"""Reply charging, as handsets and a VASP see it (OMA-TS-MMS_ENC 7.3.43 to 7.3.46; TS 23.140 7.1.7)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mmsc.lab.handset import Fetching
from mmsc.settings.model import Mm1
from mmsc.trace import events as trace
from protocols import mm1, mm7
from protocols.content_type import ContentType
from protocols.mm1 import MForwardConf, MNotificationInd, Moment, MRetrieveConf, MSendConf, ResponseStatus
from protocols.mm1.enums import ReplyCharging
from protocols.wsp.multipart import Part
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab, picture
from tests.scenarios.posting import TEXT, forward_req, in_seconds, posted, send_req

SENDER = "+15550100777"
R = ResponseStatus
LIMITS = R.ERROR_PERMANENT_REPLY_CHARGING_LIMITATIONS_NOT_MET
PICTURE = Part(ContentType("image/jpeg"), b"\xff" * 500, "i", "i.jpg")
DAY = 86_400
OFFER: dict[str, Any] = {
    "reply_charging": ReplyCharging.REQUESTED,
    "reply_charging_deadline": in_seconds(DAY),
    "reply_charging_size": 1000,
}


async def offered(lab: Lab, **changes: Any) -> tuple[str, MNotificationInd, MRetrieveConf]:
    """SENDER sends PHONE an MM with an offer: its Message-ID, and what PHONE got."""
    phone = await lab.phone(PHONE)
    if SENDER not in lab.phones:
        await lab.phone(SENDER)
    fields: dict[str, Any] = {**OFFER, **changes}
    conf = await posted(lab, SENDER, send_req(PHONE, **fields), MSendConf)
    assert conf.response_status is R.OK
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    return conf.message_id or "", inbox.notifications[-1], inbox.messages[-1].conf


async def reply(
    lab: Lab, to: str = SENDER, number: str = PHONE, transaction_id: str = "r1", **fields: Any
) -> MSendConf:
    return await posted(lab, number, send_req(to, transaction_id=transaction_id, **fields), MSendConf)


async def test_a_reply_is_paid_for_by_who_offered_it(lab: Lab) -> None:
    message_id, notification, message = await offered(lab)
    for pdu in (notification, message):
        assert (pdu.reply_charging, pdu.reply_charging_size) == (ReplyCharging.ACCEPTED, 1000)
        deadline = pdu.reply_charging_deadline
        assert deadline is not None
        assert (deadline.relative, DAY - 60 < deadline.seconds <= DAY) == (True, True)
    conf = await reply(lab, reply_charging_id=message_id)
    assert conf.response_status is R.OK
    inbox = await lab.phones[SENDER].until(lambda inbox: bool(inbox.messages))
    assert inbox.notifications[-1].reply_charging_id == message_id
    assert inbox.messages[-1].conf.reply_charging_id == message_id
    assert inbox.messages[-1].conf.reply_charging is None
    [told, _] = await lab.app.store.fetch("SELECT data FROM event WHERE kind = 'reply.charged'")
    assert msgspec.json.decode(str(told[0]), type=trace.ReplyCharged) == trace.ReplyCharged(
        PHONE, message_id, conf.message_id or ""
    )


async def test_only_the_first_reply_is_paid_for(lab: Lab) -> None:
    message_id, _, _ = await offered(lab)
    first = await reply(lab, reply_charging_id=message_id)
    second = await reply(lab, reply_charging_id=message_id, transaction_id="r2")
    assert (first.response_status, second.response_status) == (R.OK, LIMITS)
    assert second.message_id is None
    assert await reply(lab, reply_charging_id=message_id) == first  # the same again is no second one
    assert (await reply(lab, transaction_id="r3")).response_status is R.OK  # at its own cost


@pytest.mark.parametrize(
    ("offer", "answer", "why"),
    [
        ({}, {"parts": (Part(ContentType("text/plain"), b"x" * 1000, "t", ""),)}, "the limit is 1000"),
        ({"reply_charging": ReplyCharging.REQUESTED_TEXT_ONLY}, {"parts": (TEXT, PICTURE)}, "image/jpeg"),
        ({}, {"to": OTHER}, "nobody else"),
        ({}, {"cc": (OTHER,)}, "nobody else"),
        ({}, {"number": OTHER}, "was sent no MM"),
        ({"reply_charging": None}, {}, "no reply to this MM was offered"),
    ],
)
async def test_what_is_beyond_the_offer_is_refused(
    lab: Lab, offer: dict[str, Any], answer: dict[str, Any], why: str
) -> None:
    message_id, _, _ = await offered(lab, **offer)
    conf = await reply(lab, **answer, reply_charging_id=message_id)
    assert (conf.response_status, why in (conf.response_text or "")) == (LIMITS, True)
    old = await reply(lab, **answer, reply_charging_id=message_id, mms_version=mm1.VERSION_1_0)
    assert old.response_status is R.ERROR_SERVICE_DENIED


async def test_a_text_reply_is_within_an_offer_for_text(lab: Lab) -> None:
    message_id, notification, _ = await offered(lab, reply_charging=ReplyCharging.REQUESTED_TEXT_ONLY)
    assert notification.reply_charging is ReplyCharging.ACCEPTED_TEXT_ONLY
    smil = Part(ContentType("application/smil"), b"<smil/>", "s", "s.smil")
    assert (await reply(lab, parts=(smil, TEXT), reply_charging_id=message_id)).response_status is R.OK


async def test_an_unknown_mm_has_no_replies(lab: Lab) -> None:
    await lab.phone(PHONE)
    for unknown in ("nothing", "0123456789abc@mms.example", "x" * 2000):
        assert (await reply(lab, reply_charging_id=unknown)).response_status is LIMITS


async def test_behind_the_deadline_nobody_pays(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    message_id, _, _ = await offered(lab)
    clock = lab.app.engine.clock
    late = clock.now() + (DAY + 1) * 1_000_000
    monkeypatch.setattr(type(clock), "now", lambda self: late)
    assert (await reply(lab, reply_charging_id=message_id)).response_status is LIMITS


@pytest.mark.parametrize(
    "offer",
    [
        {"reply_charging": ReplyCharging.ACCEPTED},
        {"reply_charging_deadline": Moment(1_000_000_000, relative=False)},
        {"reply_charging_deadline": in_seconds(DAY * 40_000)},
        {"reply_charging_size": 0},
        {"sender_visibility": mm1.SenderVisibility.HIDE},
    ],
)
async def test_an_offer_that_means_nothing_is_refused(lab: Lab, offer: dict[str, Any]) -> None:
    conf = await posted(lab, SENDER, send_req(PHONE, **{**OFFER, **offer}), MSendConf)
    assert conf.response_status is R.ERROR_PERMANENT_REPLY_CHARGING_REQUEST_NOT_ACCEPTED
    assert await lab.app.store.fetch("SELECT id FROM mm") == []
    assert await lab.app.store.fetch("SELECT COUNT(*) FROM event WHERE kind = 'submission.refused'") == [(1,)]


async def test_an_mm_with_an_offer_is_forwarded_without_one(lab: Lab) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.NEVER)
    other = await lab.phone(OTHER)
    await posted(lab, SENDER, send_req(PHONE, **OFFER), MSendConf)
    location = (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0].content_location
    denied = R.ERROR_PERMANENT_REPLY_CHARGING_FORWARDING_DENIED
    conf = await posted(lab, PHONE, forward_req(location, OTHER, **OFFER), MForwardConf)
    assert (conf.response_status, conf.message_id) == (denied, None)
    conf = await posted(lab, PHONE, forward_req(location, OTHER, reply_charging_id="m"), MForwardConf)
    assert conf.response_status is denied
    conf = await posted(lab, PHONE, forward_req(location, OTHER), MForwardConf)
    assert conf.response_status is R.OK
    message = (await other.until(lambda inbox: bool(inbox.messages))).messages[-1].conf
    assert (message.reply_charging, message.reply_charging_size) == (None, None)


async def test_who_forwards_may_make_an_offer_of_his_own(lab: Lab) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.NEVER)
    other = await lab.phone(OTHER)
    await posted(lab, SENDER, send_req(PHONE), MSendConf)
    location = (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0].content_location
    conf = await posted(lab, PHONE, forward_req(location, OTHER, **OFFER), MForwardConf)
    await other.until(lambda inbox: bool(inbox.messages))
    assert (await reply(lab, to=PHONE, number=OTHER, reply_charging_id=conf.message_id)).response_status is R.OK


async def test_a_vasp_pays_for_replies_too(lab: Lab) -> None:
    """And its DeliverReq says to what the reply is (TS 23.140 8.7.2)."""
    vasp = lab.app.engine.neighbours.vasps["news"]
    lab.app.engine.neighbours.vasps["news"] = replace(vasp, deliver_url=vasp.report_url)
    phone = await lab.phone(PHONE)
    rsp = await lab.vasp.submit(PHONE, content=picture(), reply_charging=True)
    assert isinstance(rsp, mm7.SubmitRsp)
    await phone.until(lambda inbox: bool(inbox.messages))
    conf = await reply(lab, to="4488", reply_charging_id=rsp.message_id)
    assert conf.response_status is R.OK
    assert (await lab.vasp.deliveries.get()).reply_charging_id == rsp.message_id
    again = await reply(lab, to="4488", reply_charging_id=rsp.message_id, transaction_id="r2")
    assert again.response_status is LIMITS


@pytest.fixture
async def without(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, mm1=Mm1(port=0, reply_charging=False)) as lab:
        yield lab


async def test_where_it_is_off_everybody_is_told(without: Lab) -> None:
    for fields in (OFFER, {"reply_charging_id": "m@mms.example"}):
        conf = await posted(without, SENDER, send_req(PHONE, **fields), MSendConf)
        assert conf.response_status is R.ERROR_PERMANENT_REPLY_CHARGING_NOT_SUPPORTED
    rsp = await without.vasp.submit(PHONE, content=picture(), reply_charging=True)
    assert rsp.status.code == mm7.StatusCode.OPERATION_RESTRICTED
    old = await posted(without, SENDER, send_req(PHONE, **OFFER, mms_version=mm1.VERSION_1_0), MSendConf)
    assert old.response_status is R.ERROR_SERVICE_DENIED
