"""MMs that are withdrawn from, or replaced on, handsets that have them, as these see it (OMA-TS-MMS_ENC 1.3)."""

from pathlib import Path

import pytest

from mmsc.engine.withdrawal import CANCEL_PREFIX
from mmsc.ids import to_text
from mmsc.settings.model import Notification
from protocols import mime, mm1, mm7
from protocols.content_type import ContentType
from protocols.mm1 import CancelStatus, MCancelConf, MCancelReq, MNotificationInd, Status
from tests.scenarios.by_hand import ByHand, at_rest, told
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab, picture
from tests.scenarios.test_mm7_changes import ask_extended
from tests.scenarios.test_mm7_to_handset import accepted


async def has_one(lab: Lab, version: int) -> tuple[ByHand, str]:
    """A handset with an MM of a VASP, and the MM's Message-ID."""
    phone = ByHand(lab, PHONE, version)
    await phone.send(OTHER)  # which shows its version
    rsp = accepted(await lab.vasp.submit(PHONE, content=picture()))
    notification = await phone.pushed(MNotificationInd)
    await phone.get(notification)
    await phone.answer(notification, Status.RETRIEVED)
    await lab.vasp.report()
    return phone, rsp.message_id


async def withdrawn(lab: Lab, phone: ByHand, message_id: str) -> MCancelReq:
    answer = await ask_extended(lab, mm7.ExtendedCancelReq(vasp_id="news", cancel_id=message_id))
    assert isinstance(answer, mm7.ExtendedCancelRsp), answer
    assert answer.status.code == 1000
    return await phone.pushed(MCancelReq)


async def test_a_cancel_that_is_not_answered_is_not_said_again(lab: Lab) -> None:
    """It is done when the SMSC took it, as reports are: a handset that is off gets it from the SMSC."""
    phone, message_id = await has_one(lab, mm1.VERSION_1_3)
    request = await withdrawn(lab, phone, message_id)
    assert (request.cancel_id, request.mms_version) == (message_id, mm1.VERSION_1_3)
    await at_rest(lab)
    lab.app.clock.step(86_400 * 4)
    await at_rest(lab)
    assert len(phone.got(MCancelReq)) == 1


@pytest.mark.parametrize("status", [CancelStatus.SUCCESSFULLY_RECEIVED, CancelStatus.CORRUPTED])
async def test_what_the_handset_says_about_it_is_recorded(lab: Lab, status: CancelStatus) -> None:
    phone, message_id = await has_one(lab, mm1.VERSION_1_3)
    request = await withdrawn(lab, phone, message_id)
    conf = MCancelConf(mms_version=mm1.VERSION_1_3, transaction_id=request.transaction_id, cancel_status=status)
    assert await phone.post(conf, identity=OTHER) == (200, None)
    assert await told(lab, "cancel.confirmed") == [], "nobody confirms for another"
    assert await phone.post(conf) == (200, None)
    understood = status is CancelStatus.SUCCESSFULLY_RECEIVED
    assert await told(lab, "cancel.confirmed") == [f'{{"understood":{str(understood).lower()}}}']


async def test_nobody_confirms_what_was_not_asked(lab: Lab) -> None:
    """A recipient's number follows from the time: whoever guesses it writes into no MM's history."""
    phone, _ = await has_one(lab, mm1.VERSION_1_3)
    ((recipient_id,),) = await lab.app.store.fetch("SELECT id FROM recipient WHERE address = $1", PHONE)
    transaction_id = CANCEL_PREFIX + to_text(int(str(recipient_id)))
    conf = MCancelConf(transaction_id=transaction_id, cancel_status=CancelStatus.SUCCESSFULLY_RECEIVED)
    for identity in (PHONE, ""):
        assert await phone.post(conf, identity=identity) == (200, None)
    assert await told(lab, "cancel.confirmed") == []


@pytest.mark.parametrize("version", [mm1.VERSION_1_2, mm1.VERSION_1_3])
async def test_the_replacement_names_what_it_replaces_to_who_can_read_that(lab: Lab, version: int) -> None:
    """X-Mms-Replace-ID, in the notification and in the m-retrieve-conf; before 1.3 it is just another MM."""
    phone, message_id = await has_one(lab, version)
    content = mime.OutPart(ContentType("text/plain"), b"it rains after all", "n", "n.txt")
    request = mm7.ExtendedReplaceReq(vasp_id="news", replace_id=message_id, content_href="cid:n")
    await ask_extended(lab, request, content)
    notification = await phone.pushed(MNotificationInd, 2)
    conf = await phone.get(notification)
    named = message_id if version == mm1.VERSION_1_3 else None
    assert (notification.replace_id, conf.replace_id) == (named, named)
    assert conf.message_id not in (None, message_id)
    assert b"it rains after all" in conf.body


@pytest.mark.parametrize("version", [mm1.VERSION_1_2, mm1.VERSION_1_3])
@pytest.mark.parametrize("most", [0, 10, 1_000_000])
async def test_a_large_mm_is_recommended_to_be_fetched_by_hand(tmp_path: Path, version: int, most: int) -> None:
    """X-Mms-Recommended-Retrieval-Mode is of 1.3."""
    async with open_lab(tmp_path, notification=Notification(manual_above_octets=most)) as lab:
        alice, bob = ByHand(lab, PHONE), ByHand(lab, OTHER, version)
        await bob.send("+15550100126")
        await alice.send(OTHER)
        mode = (await bob.pushed(MNotificationInd)).recommended_retrieval_mode
    wanted = most == 10 and version == mm1.VERSION_1_3
    assert mode is (mm1.RecommendedRetrievalMode.MANUAL if wanted else None)
