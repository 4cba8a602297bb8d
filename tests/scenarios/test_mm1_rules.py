"""What an MMSC adds, removes, repeats and refuses on MM1 (OMA-TS-MMS_ENC 6, 7.3; semantics 1, 5)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmsc.settings.model import Mm1, NumberSettings
from mmsc.settings.neighbours import Subscriber
from protocols import mm1
from protocols.mm1 import (
    MDeliveryInd,
    MNotificationInd,
    Moment,
    MRetrieveConf,
    ResponseStatus,
    RetrieveStatus,
    SenderVisibility,
    Status,
)
from tests.scenarios.by_hand import ByHand, at_rest, states, told
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab

HOUR = 3600
R = ResponseStatus
ALICE = f"{PHONE}/TYPE=PLMN"


@pytest.fixture
def alice(lab: Lab) -> ByHand:
    return ByHand(lab, PHONE)


@pytest.fixture
def bob(lab: Lab) -> ByHand:
    return ByHand(lab, OTHER)


# --- the notification again


async def test_a_notification_comes_again_until_it_is_answered(alice: ByHand, bob: ByHand) -> None:
    """The same transaction and place; Expiry counts from each push (7.3.20)."""
    await alice.send(OTHER, expiry=Moment(HOUR * 24), subject="hello")
    for pushes, wait in ((2, 301), (3, 901)):
        await bob.pushed(MNotificationInd, pushes - 1)
        alice.lab.app.clock.step(wait)
        await bob.pushed(MNotificationInd, pushes)
    first, second, third = bob.got(MNotificationInd)
    expiries = [one.expiry for one in (first, second, third)]
    assert all(one is not None and one.relative for one in expiries)
    seconds = [one.seconds for one in expiries if one is not None]
    assert seconds[0] - 304 <= seconds[1] <= seconds[0] - 301
    assert seconds[1] - 904 <= seconds[2] <= seconds[1] - 901
    assert replace(third, expiry=None) == replace(first, expiry=None)
    await bob.answer(third, Status.REJECTED)
    alice.lab.app.clock.step(HOUR * 4)
    await at_rest(alice.lab)
    assert len(bob.pushes) == 3


async def test_and_no_longer_than_it_is_valid(alice: ByHand, bob: ByHand) -> None:
    """A push stays with the SMSC until the next one is planned, never beyond the expiry (semantics 5)."""
    await alice.send(OTHER, expiry=Moment(500))
    await bob.pushed(MNotificationInd)
    alice.lab.app.clock.step(301)
    await bob.pushed(MNotificationInd, 2)
    alice.lab.app.clock.step(301)
    assert (await alice.pushed(MDeliveryInd)).status is Status.EXPIRED
    await at_rest(alice.lab)
    assert len(bob.pushes) == 2
    pushes = [one for one in alice.lab.smsc.submitted if getattr(one, "destination_addr", "") == OTHER[1:]]
    first, *_, last = (str(getattr(one, "validity_period", "")) for one in pushes)
    assert "000000000459000R" <= first <= "000000000500000R", "until the next one"
    assert "000000000300000R" <= last <= "000000000319000R", "until the expiry"


async def test_a_handset_that_is_told_again_is_told_in_what_it_speaks_now(alice: ByHand, bob: ByHand) -> None:
    await alice.send(OTHER)
    assert (await bob.pushed(MNotificationInd)).mms_version == mm1.VERSION_1_2
    bob.version = mm1.VERSION_1_0
    await bob.send(PHONE)
    alice.lab.app.clock.step(301)
    assert (await bob.pushed(MNotificationInd, 2)).mms_version == mm1.VERSION_1_0


# --- the content


async def test_a_second_get_before_the_answer_gets_it_again(alice: ByHand, bob: ByHand) -> None:
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    assert await bob.get(notification) == await bob.get(notification)


async def test_after_the_answer_it_is_there_for_a_while(alice: ByHand, bob: ByHand) -> None:
    """`retrieve_grace`; then it is not found, and nothing is moved by asking."""
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    whole = await bob.get(notification)
    await bob.answer(notification, Status.RETRIEVED)
    assert await bob.get(notification) == whole
    alice.lab.app.clock.step(601)
    gone = await bob.get(notification)
    assert gone.retrieve_status is RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    assert gone.date is not None
    await at_rest(alice.lab)
    assert (await states(alice.lab), len(alice.pushes)) == (["retrieved"], 1)


async def test_the_size_that_is_told_is_the_contents(alice: ByHand, bob: ByHand) -> None:
    """7.3.29: handsets hold it against what they take without asking."""
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    conf = await bob.get(notification)
    assert notification.message_size == len(conf.body)
    assert len(mm1.encode(conf)) - len(conf.body) < 300


@pytest.mark.parametrize("name", ["x-lottery", "Informational", "Advertisement"])
async def test_a_class_is_told_as_it_was_given(alice: ByHand, bob: ByHand, name: str) -> None:
    """7.3.27: one of four octets, or a token of the originator's own."""
    given: Any = getattr(mm1.MessageClass, name.upper(), name)
    await alice.send(OTHER, message_class=given)
    notification = await bob.pushed(MNotificationInd)
    assert (notification.message_class, (await bob.get(notification)).message_class) == (given, given)


async def test_a_class_that_nobody_knows_is_none(alice: ByHand, bob: ByHand) -> None:
    """7.3.27: its number would cost some readers the notification, and a word for it is none that its sender said."""
    await alice.send(OTHER, message_class=mm1.MessageClass(0x99))
    notification = await bob.pushed(MNotificationInd)
    personal = mm1.MessageClass.PERSONAL
    assert (notification.message_class, (await bob.get(notification)).message_class) == (personal, personal)


# --- what is added and what is removed


@pytest.mark.parametrize("date", [None, 1, 4_000_000_000])
async def test_a_date_is_added_where_there_is_none_that_can_be(alice: ByHand, bob: ByHand, date: int | None) -> None:
    await alice.send(OTHER, date=date)
    conf = await bob.get(await bob.pushed(MNotificationInd))
    assert conf.date is not None
    assert abs(conf.date - alice.lab.app.clock.now() // 1_000_000) < 60


async def test_a_date_that_can_be_is_kept(alice: ByHand, bob: ByHand) -> None:
    date = alice.lab.app.clock.now() // 1_000_000 - 90
    await alice.send(OTHER, date=date)
    assert (await bob.get(await bob.pushed(MNotificationInd))).date == date


async def test_what_was_for_the_mmsc_goes_no_further(alice: ByHand, bob: ByHand) -> None:
    """Bcc, delivery time, expiry, visibility, adaptation and the box's fields are not the recipient's."""
    await alice.send(
        "+15550100126",
        bcc=(OTHER,),
        delivery_time=Moment(0),
        expiry=Moment(HOUR),
        sender_visibility=SenderVisibility.SHOW,
        adaptation_allowed=True,
    )
    conf = await bob.get(await bob.pushed(MNotificationInd))
    assert (conf.to, conf.cc, conf.unknown) == (("+15550100126",), (), ())
    assert OTHER.encode() not in mm1.encode(conf)


async def test_insert_address_is_the_subscribers_own(alice: ByHand, bob: ByHand) -> None:
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    assert (notification.from_, (await bob.get(notification)).from_) == (ALICE, ALICE)


@pytest.mark.parametrize("spelling", [PHONE, ALICE, PHONE[2:], f"001{PHONE[2:]}/type=plmn"])
async def test_a_from_may_be_written_as_people_do(alice: ByHand, bob: ByHand, spelling: str) -> None:
    await alice.send(OTHER, from_=spelling)
    assert (await bob.pushed(MNotificationInd)).from_ == ALICE
    assert await told(alice.lab, "finding.noted") == []


async def test_anothers_from_is_replaced_and_remarked(alice: ByHand, bob: ByHand) -> None:
    await alice.send(OTHER, from_="+15550100999/TYPE=PLMN")
    assert (await bob.pushed(MNotificationInd)).from_ == ALICE
    (finding,) = await told(alice.lab, "finding.noted")
    assert "MM1-H905" in finding


@pytest.mark.parametrize(
    ("version", "status"),
    [
        (mm1.VERSION_1_0, R.ERROR_SERVICE_DENIED),
        (mm1.VERSION_1_1, R.ERROR_PERMANENT_SERVICE_DENIED),
        (mm1.VERSION_1_3, R.ERROR_PERMANENT_SERVICE_DENIED),
    ],
)
async def test_or_refused_where_the_operator_wants_it_so(tmp_path: Path, version: int, status: ResponseStatus) -> None:
    async with open_lab(tmp_path, mm1=Mm1(port=0, foreign_from="refuse")) as lab:
        alice, bob = ByHand(lab, PHONE, version), ByHand(lab, OTHER)
        conf = await alice.send(OTHER, from_="+15550100999/TYPE=PLMN")
        assert (conf.response_status, conf.message_id) == (status, None)
        assert await lab.app.store.fetch("SELECT id FROM mm") == []
        assert "+15550100999" in (await told(lab, "submission.refused"))[0]
        assert (await alice.send(OTHER, from_=ALICE)).response_status is R.OK
        assert (await bob.pushed(MNotificationInd)).from_ == ALICE


@pytest.mark.parametrize("numbers", [{"own_prefixes": ("+1555011",)}, {"unknown_subscribers_served": False}])
async def test_who_is_no_subscriber_sends_nothing(tmp_path: Path, numbers: dict[str, Any]) -> None:
    """By number or by name (7.3.48); its version's word says it."""
    given = NumberSettings(default_smsc="local", **{"own_prefixes": ("+1555",), **numbers})
    listed = {PHONE: Subscriber(), OTHER: Subscriber()}
    async with open_lab(tmp_path, numbers=given, subscriber=listed) as lab:
        for version, status in ((mm1.VERSION_1_2, R.ERROR_PERMANENT_SERVICE_DENIED), (0x10, R.ERROR_SERVICE_DENIED)):
            conf = await ByHand(lab, "+15550100999", version).send(OTHER)
            assert (conf.response_status, conf.message_id) == (status, None)
        assert await lab.app.store.fetch("SELECT id FROM mm") == []
        assert "+15550100999" in (await told(lab, "submission.refused"))[0]
        assert (await ByHand(lab, PHONE).send(OTHER)).response_status is R.OK


# --- sender visibility


async def test_who_hides_is_told_to_nobody(alice: ByHand, bob: ByHand) -> None:
    """7.3.52: no From in the notification and the m-retrieve-conf, not a From that says "anonymous"."""
    sent = await alice.send(OTHER, sender_visibility=SenderVisibility.HIDE)
    notification = await bob.pushed(MNotificationInd)
    conf = await bob.get(notification)
    assert (notification.from_, conf.from_) == (None, None)
    number = PHONE.lstrip("+").encode()
    assert number not in bob.octets[0]
    assert number not in mm1.encode(conf)
    await bob.answer(notification, Status.RETRIEVED)
    assert (await alice.pushed(MDeliveryInd)).message_id == sent.message_id


@pytest.mark.parametrize(
    ("version", "status"),
    [
        (mm1.VERSION_1_0, R.ERROR_SERVICE_DENIED),
        (mm1.VERSION_1_1, R.ERROR_PERMANENT_SERVICE_DENIED),
        (mm1.VERSION_1_2, R.ERROR_PERMANENT_ADDRESS_HIDING_NOT_SUPPORTED),
        (mm1.VERSION_1_3, R.ERROR_PERMANENT_ADDRESS_HIDING_NOT_SUPPORTED),
    ],
)
async def test_hiding_may_not_be_offered(tmp_path: Path, version: int, status: ResponseStatus) -> None:
    """7.3.48: the status that says so came with 1.2."""
    async with open_lab(tmp_path, mm1=Mm1(port=0, address_hiding=False)) as lab:
        alice, bob = ByHand(lab, PHONE, version), ByHand(lab, OTHER)
        conf = await alice.send(OTHER, sender_visibility=SenderVisibility.HIDE)
        assert (conf.response_status, conf.message_id) == (status, None)
        assert await lab.app.store.fetch("SELECT id FROM mm") == []
        assert "not hidden here" in (await told(lab, "submission.refused"))[0]
        assert (await alice.send(OTHER, sender_visibility=SenderVisibility.SHOW)).response_status is R.OK
        assert (await bob.pushed(MNotificationInd)).from_ == ALICE


# --- deferred delivery


@pytest.mark.parametrize("relative", [True, False])
async def test_nothing_is_pushed_before_the_delivery_time(alice: ByHand, bob: ByHand, relative: bool) -> None:
    """7.3.12; Expiry counts from the submission (TS 23.140 8.1.3.2)."""
    now = alice.lab.app.clock.now() // 1_000_000
    when = Moment(HOUR) if relative else Moment(now + HOUR, relative=False)
    await alice.send(OTHER, delivery_time=when, expiry=Moment(HOUR * 2))
    alice.lab.app.clock.step(HOUR - 60)
    await at_rest(alice.lab)
    assert (await states(alice.lab), bob.pushes) == (["scheduled"], [])
    alice.lab.app.clock.step(61)
    notification = await bob.pushed(MNotificationInd)
    assert notification.expiry is not None
    assert HOUR - 30 <= notification.expiry.seconds < HOUR
    await bob.get(notification)
    await bob.answer(notification, Status.RETRIEVED)
    assert (await alice.pushed(MDeliveryInd)).status is Status.RETRIEVED


async def test_a_delivery_time_that_is_past_is_now(alice: ByHand, bob: ByHand) -> None:
    await alice.send(OTHER, delivery_time=Moment(1_000_000_000, relative=False))
    await bob.pushed(MNotificationInd)


@pytest.mark.parametrize(
    "times",
    [
        {"delivery_time": Moment(HOUR), "expiry": Moment(HOUR // 2)},
        {"delivery_time": Moment(HOUR * 24 * 365)},
        {"expiry": Moment(1_000_000_000, relative=False)},
    ],
)
@pytest.mark.parametrize("version", [mm1.VERSION_1_0, mm1.VERSION_1_2])
async def test_times_that_cannot_be_are_refused(alice: ByHand, times: dict[str, Moment], version: int) -> None:
    alice.version = version
    conf = await alice.send(OTHER, **times)
    old = version == mm1.VERSION_1_0
    assert conf.response_status is (R.ERROR_MESSAGE_FORMAT_CORRUPT if old else R.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT)
    assert conf.response_text
    assert await alice.lab.app.store.fetch("SELECT id FROM mm") == []


# --- each version


@pytest.mark.parametrize("version", [mm1.VERSION_1_0, mm1.VERSION_1_1, mm1.VERSION_1_2, mm1.VERSION_1_3])
async def test_a_handset_is_spoken_to_in_its_version_throughout(alice: ByHand, bob: ByHand, version: int) -> None:
    """Semantics 5 and OMA-TS-MMS_ENC 7: it told by its own submission."""
    alice.version = bob.version = version
    spoken = [(await alice.send(OTHER)).mms_version, (await bob.send("+15550100126")).mms_version]
    notification = await bob.pushed(MNotificationInd)
    if notification.mms_version != version:  # it was told before it had said a word
        alice.lab.app.clock.step(301)
        notification = await bob.pushed(MNotificationInd, 2)
    conf: MRetrieveConf = await bob.get(notification)
    await bob.answer(notification, Status.RETRIEVED)
    report = await alice.pushed(MDeliveryInd)
    assert {*spoken, notification.mms_version, conf.mms_version, report.mms_version} == {version}
