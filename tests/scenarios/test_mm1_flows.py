"""The flows of MM1 between two handsets, PDU by PDU (OMA-TS-MMS_ENC 6; OMA-TS-MMS_CTR)."""

import pytest

from protocols import mm1
from protocols.mm1 import MDeliveryInd, MNotificationInd, RetrieveStatus, Status
from tests.scenarios.by_hand import TEXT, ByHand, at_rest, states, told
from tests.scenarios.conftest import OTHER, PHONE, Lab

HOUR = 3600


@pytest.fixture
def alice(lab: Lab) -> ByHand:
    return ByHand(lab, PHONE)


@pytest.fixture
def bob(lab: Lab) -> ByHand:
    return ByHand(lab, OTHER)


async def test_submission_is_answered_with_its_message_id_and_again_with_the_same(alice: ByHand, bob: ByHand) -> None:
    """The answer was lost: the same transaction and content again is no second MM (semantics 3)."""
    first = await alice.send(OTHER, transaction_id="T1")
    again = await alice.send(OTHER, transaction_id="T1")
    assert (first.response_status, again.response_status) == (mm1.ResponseStatus.OK,) * 2
    assert first.message_id == again.message_id is not None
    await bob.pushed(MNotificationInd)
    await at_rest(alice.lab)
    assert len(bob.pushes) == 1


async def test_the_same_transaction_with_another_content_is_another_mm(alice: ByHand, bob: ByHand) -> None:
    first = await alice.send(OTHER, transaction_id="T1")
    second = await alice.send(OTHER, transaction_id="T1", subject="another")
    assert first.message_id != second.message_id
    await bob.pushed(MNotificationInd, 2)


async def test_immediate_retrieval(alice: ByHand, bob: ByHand) -> None:
    sent = await alice.send(OTHER, subject="hello")
    notification = await bob.pushed(MNotificationInd)
    conf = await bob.get(notification)
    assert conf.transaction_id == notification.transaction_id
    assert (conf.message_id, conf.subject, conf.from_) == (sent.message_id, "hello", f"{PHONE}/TYPE=PLMN")
    assert TEXT.data in conf.body
    await bob.answer(notification, Status.RETRIEVED)
    report = await alice.pushed(MDeliveryInd)
    assert (report.message_id, report.status) == (sent.message_id, Status.RETRIEVED)
    assert report.to == (f"{OTHER}/TYPE=PLMN",)


async def test_deferred_retrieval_ends_with_an_acknowledgement(alice: ByHand, bob: ByHand) -> None:
    """Deferred is told to nobody, stops the notifications, and may be said twice."""
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    await bob.answer(notification, Status.DEFERRED)
    await bob.answer(notification, Status.DEFERRED)
    alice.lab.app.clock.step(HOUR)
    await at_rest(alice.lab)
    assert (len(bob.pushes), alice.pushes, await states(alice.lab)) == (1, [], ["deferred"])
    conf = await bob.get(notification)
    assert conf.transaction_id, "the MMSC wants an acknowledgement"
    await bob.acknowledge(conf)
    assert (await alice.pushed(MDeliveryInd)).status is Status.RETRIEVED


async def test_deferred_until_it_expires(alice: ByHand, bob: ByHand) -> None:
    await alice.send(OTHER, expiry=mm1.Moment(HOUR))
    notification = await bob.pushed(MNotificationInd)
    await bob.answer(notification, Status.DEFERRED)
    alice.lab.app.clock.step(HOUR + 1)
    assert (await alice.pushed(MDeliveryInd)).status is Status.EXPIRED
    conf = await bob.get(notification)
    assert conf.retrieve_status is RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    assert conf.retrieve_text == "Message expired"


async def test_rejected_drops_the_mm_and_is_reported(alice: ByHand, bob: ByHand) -> None:
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    await bob.answer(notification, Status.REJECTED)
    assert (await alice.pushed(MDeliveryInd)).status is Status.REJECTED
    conf = await bob.get(notification)
    assert conf.retrieve_status is RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND


async def test_unrecognised_is_told_again_in_1_0_and_then_by_a_link(alice: ByHand, bob: ByHand) -> None:
    """OMA-TS-MMS_ENC 7.3.54: the handset could not read the notification."""
    await alice.send(OTHER, subject="hello")
    notification = await bob.pushed(MNotificationInd)
    await bob.answer(notification, Status.UNRECOGNISED)
    plain = await bob.pushed(MNotificationInd, 2)
    assert (plain.mms_version, plain.subject, plain.from_) == (mm1.VERSION_1_0, None, None)
    assert (plain.transaction_id, plain.content_location) == (
        notification.transaction_id,
        notification.content_location,
    )
    await bob.answer(plain, Status.UNRECOGNISED)
    assert "/w/" in await bob.texted()
    assert await told(alice.lab, "finding.noted")


async def test_an_answer_about_nothing_is_taken_and_means_nothing(alice: ByHand, bob: ByHand) -> None:
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    unknown = mm1.MNotificationInd(transaction_id="nothing")
    for status in (Status.RETRIEVED, Status.REJECTED, Status.EXPIRED):
        await bob.answer(unknown, status)
    await bob.answer(notification, Status.EXPIRED)  # nothing that a handset says
    await bob.acknowledge(mm1.MRetrieveConf(transaction_id="nothing"))
    await at_rest(alice.lab)
    assert (await states(alice.lab), alice.pushes) == (["notified"], [])


LATER_ANSWERS = [
    (Status.RETRIEVED, Status.RETRIEVED),
    (Status.RETRIEVED, Status.REJECTED),
    (Status.RETRIEVED, Status.DEFERRED),
    (Status.REJECTED, Status.RETRIEVED),
    (Status.REJECTED, Status.DEFERRED),
]


@pytest.mark.parametrize(("first", "second"), LATER_ANSWERS)
async def test_a_second_answer_is_taken_and_changes_nothing(
    alice: ByHand, bob: ByHand, first: Status, second: Status
) -> None:
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    await bob.get(notification)
    await bob.answer(notification, first)
    await bob.answer(notification, second)
    assert (await alice.pushed(MDeliveryInd)).status is first
    await at_rest(alice.lab)
    assert (len(alice.pushes), await states(alice.lab)) == (1, [first.name.lower()])
    assert len(await told(alice.lab, "answer.ignored")) == 1


async def test_an_acknowledgement_after_the_notifyresp_is_taken_and_changes_nothing(alice: ByHand, bob: ByHand) -> None:
    """Some handsets send both."""
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    conf = await bob.get(notification)
    await bob.answer(notification, Status.RETRIEVED)
    await bob.acknowledge(conf)
    await alice.pushed(MDeliveryInd)
    await at_rest(alice.lab)
    assert (len(alice.pushes), len(await told(alice.lab, "answer.ignored"))) == (1, 1)
