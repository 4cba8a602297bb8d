"""Delivery and read reports between handsets (OMA-TS-MMS_ENC 6.5, 6.6, 7.3.27, 7.3.47)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmsc.domain.address import Address
from mmsc.domain.message import Interface
from mmsc.settings.model import Fallback, Notification
from protocols import mm1
from protocols.mm1 import MDeliveryInd, MessageClass, MNotificationInd, MReadOrigInd, MRetrieveConf, ReadStatus, Status
from protocols.smpp import CommandStatus
from tests.scenarios.by_hand import ByHand, at_rest, states, told
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE, Lab, open_lab

THIRD = "+15550100125"
ALICE, BOB = f"{PHONE}/TYPE=PLMN", f"{OTHER}/TYPE=PLMN"


@pytest.fixture
def alice(lab: Lab) -> ByHand:
    return ByHand(lab, PHONE)


@pytest.fixture
def bob(lab: Lab) -> ByHand:
    return ByHand(lab, OTHER)


async def fetched(phone: ByHand, *, report_allowed: bool | None = None) -> MRetrieveConf:
    """The last MM that it was told of."""
    notification = await phone.pushed(MNotificationInd, max(1, len(phone.got(MNotificationInd))))
    conf = await phone.get(notification)
    await phone.answer(notification, Status.RETRIEVED, report_allowed)
    return conf


# --- delivery reports


@pytest.mark.parametrize("allowed", [None, True, False])
@pytest.mark.parametrize("deferred", [False, True])
async def test_the_recipient_may_forbid_the_report(
    alice: ByHand, bob: ByHand, allowed: bool | None, deferred: bool
) -> None:
    """7.3.47: absent is Yes. In an m-notifyresp-ind, or in an m-acknowledge-ind."""
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    conf = await bob.get(notification)
    if deferred:
        await bob.acknowledge(conf, allowed)
    else:
        await bob.answer(notification, Status.RETRIEVED, allowed)
    await at_rest(alice.lab)
    assert await states(alice.lab) == ["retrieved"]
    assert len(alice.got(MDeliveryInd)) == (0 if allowed is False else 1)


async def test_nobody_hears_of_what_he_did_not_ask_for(alice: ByHand, bob: ByHand) -> None:
    conf = await alice.send(OTHER, delivery_report=None)
    assert not (await bob.pushed(MNotificationInd)).delivery_report
    await fetched(bob)
    await bob.tell_read(conf.message_id or "", ALICE)
    await at_rest(alice.lab)
    assert alice.pushes == []
    assert "no read report was asked for" in (await told(alice.lab, "mm.read"))[0]
    assert "MM1-H906" in (await told(alice.lab, "finding.noted"))[0]


async def test_there_is_none_about_class_auto(alice: ByHand, bob: ByHand) -> None:
    """7.3.27: and the recipient's handset is not asked for any."""
    conf = await alice.send(OTHER, message_class=MessageClass.AUTO, read_report=True)
    notification = await bob.pushed(MNotificationInd)
    assert (notification.message_class, notification.delivery_report) == (MessageClass.AUTO, False)
    got = await fetched(bob)
    assert (got.message_class, got.delivery_report, got.read_report) == (MessageClass.AUTO, False, False)
    await bob.tell_read(conf.message_id or "", ALICE)
    await at_rest(alice.lab)
    assert alice.pushes == []


async def test_a_read_report_of_mms_1_0_is_an_mm_about_which_nothing_is_reported(alice: ByHand, bob: ByHand) -> None:
    """MMS 1.0 has no m-read-rec-ind: its handsets send an ordinary MM of class Auto back."""
    bob.version = mm1.VERSION_1_0
    await alice.send(OTHER, read_report=True)
    got = await fetched(bob)
    assert got.read_report
    await alice.pushed(MDeliveryInd)
    await bob.send(PHONE, message_class=MessageClass.AUTO, subject="Read: hello", read_report=True)
    assert (await alice.pushed(MNotificationInd)).message_class is MessageClass.AUTO
    await fetched(alice)
    await at_rest(alice.lab)
    assert not bob.got(MDeliveryInd)


async def test_one_report_for_each_recipient(alice: ByHand, bob: ByHand) -> None:
    carol = ByHand(alice.lab, THIRD)
    await alice.send(OTHER, cc=(THIRD,))
    await fetched(bob)
    notification = await carol.pushed(MNotificationInd)
    await carol.answer(notification, Status.REJECTED)
    await alice.pushed(MDeliveryInd, 2)
    reports = {one.to: one.status for one in alice.got(MDeliveryInd)}
    assert reports == {(BOB,): Status.RETRIEVED, (f"{THIRD}/TYPE=PLMN",): Status.REJECTED}


@pytest.mark.parametrize(
    ("version", "status", "text"),
    [
        (mm1.VERSION_1_0, Status.INDETERMINATE, None),
        (mm1.VERSION_1_1, Status.INDETERMINATE, None),
        (mm1.VERSION_1_2, Status.UNREACHABLE, None),
        (mm1.VERSION_1_3, Status.UNREACHABLE, "the handset cannot take an MM, and the fallback is off"),
    ],
)
async def test_a_report_has_the_words_of_the_originators_version(
    tmp_path: Path, version: int, status: Status, text: str | None
) -> None:
    """7.3.54: Unreachable is of 1.2; X-Mms-Status-Text is of 1.3."""
    async with open_lab(tmp_path, fallback=Fallback(enabled=False)) as lab:
        alice = ByHand(lab, PHONE, version)
        await alice.send(OLD_PHONE)
        report = await alice.pushed(MDeliveryInd)
    assert (report.mms_version, report.status, report.status_text) == (version, status, text)
    assert report.unknown == ()


async def test_its_date_is_when_it_happened(alice: ByHand, bob: ByHand) -> None:
    """Not when it is told: the SMSC refuses it at first."""
    clock = alice.lab.app.clock
    await alice.send(OTHER)
    notification = await bob.pushed(MNotificationInd)
    alice.lab.smsc.behaviour.statuses.append(CommandStatus.ESME_RSYSERR)
    now = clock.now() // 1_000_000
    await bob.answer(notification, Status.REJECTED)
    await at_rest(alice.lab)
    assert alice.pushes == []
    clock.step(3600)
    report = await alice.pushed(MDeliveryInd)
    assert report.date is not None
    assert now <= report.date < now + 60


# --- read reports


@pytest.mark.parametrize("status", [ReadStatus.READ, ReadStatus.DELETED_WITHOUT_BEING_READ])
@pytest.mark.parametrize("version", [mm1.VERSION_1_1, mm1.VERSION_1_2, mm1.VERSION_1_3])
async def test_a_read_report_follows_the_delivery_report(
    alice: ByHand, bob: ByHand, status: ReadStatus, version: int
) -> None:
    """6.6.2: type, date and From change hands; there is no transaction."""
    alice.version = version
    conf = await alice.send(OTHER, read_report=True)
    got = await fetched(bob)
    assert got.read_report
    await bob.tell_read(got.message_id or "", got.from_ if isinstance(got.from_, str) else "", read_status=status)
    report = await alice.pushed(MReadOrigInd)
    now = alice.lab.app.clock.now() // 1_000_000
    assert [type(one) for one in alice.pushes] == [MDeliveryInd, MReadOrigInd]
    assert (report.message_id, report.to, report.from_) == (conf.message_id, (ALICE,), BOB)
    assert (report.mms_version, report.read_status) == (version, status)
    assert report.date is not None
    assert now - 60 < report.date <= now
    assert "transaction_id" not in type(report).__match_args__
    assert b"\x98" not in alice.octets[-1][:4], "no X-Mms-Transaction-ID"


async def test_the_readers_own_date_is_kept(alice: ByHand, bob: ByHand) -> None:
    conf = await alice.send(OTHER, read_report=True)
    await fetched(bob)
    alice.lab.app.clock.step(600)
    read_at = alice.lab.app.clock.now() // 1_000_000 - 300
    await bob.tell_read(conf.message_id or "", ALICE, date=read_at)
    assert (await alice.pushed(MReadOrigInd)).date == read_at


@pytest.mark.parametrize("date", [0, 4_000_000_000])
async def test_a_date_that_cannot_be_is_replaced(alice: ByHand, bob: ByHand, date: int) -> None:
    conf = await alice.send(OTHER, read_report=True)
    await fetched(bob)
    await bob.tell_read(conf.message_id or "", ALICE, date=date)
    report = await alice.pushed(MReadOrigInd)
    assert report.date is not None
    assert abs(report.date - alice.lab.app.clock.now() // 1_000_000) < 60


async def test_angle_brackets_around_the_message_id_are_let_be(alice: ByHand, bob: ByHand) -> None:
    """7.3.29 has none; some clients take the Message-ID for that of a mail."""
    conf = await alice.send(OTHER, read_report=True)
    await fetched(bob)
    await bob.tell_read(f"<{conf.message_id}>", ALICE)
    assert (await alice.pushed(MReadOrigInd)).message_id == conf.message_id


async def test_it_proves_what_was_never_acknowledged(alice: ByHand, bob: ByHand) -> None:
    conf = await alice.send(OTHER, read_report=True)
    await bob.get(await bob.pushed(MNotificationInd))
    await bob.tell_read(conf.message_id or "", ALICE)
    await alice.pushed(MReadOrigInd)
    assert [type(one) for one in alice.pushes] == [MDeliveryInd, MReadOrigInd]


async def test_it_is_told_once(alice: ByHand, bob: ByHand) -> None:
    conf = await alice.send(OTHER, read_report=True)
    await fetched(bob)
    for status in (ReadStatus.READ, ReadStatus.READ, ReadStatus.DELETED_WITHOUT_BEING_READ):
        await bob.tell_read(conf.message_id or "", ALICE, read_status=status)
    await alice.pushed(MReadOrigInd)
    await at_rest(alice.lab)
    assert len(alice.got(MReadOrigInd)) == 1
    alice.lab.app.clock.step(86_400)
    await at_rest(alice.lab)
    assert len(alice.got(MReadOrigInd)) == 1, "and never by a timer"


async def test_a_handset_of_1_0_gets_none(alice: ByHand, bob: ByHand) -> None:
    """m-read-orig-ind came with 1.1."""
    alice.version = mm1.VERSION_1_0
    conf = await alice.send(OTHER, read_report=True)
    await fetched(bob)
    await bob.tell_read(conf.message_id or "", ALICE)
    await at_rest(alice.lab)
    assert [type(one) for one in alice.pushes] == [MDeliveryInd]
    assert "speaks MMS 1.0" in (await told(alice.lab, "mm.read"))[0]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"identity": ""}, "MM1-H902"),
        ({"message_id": "0@mms.example"}, "MM1-H903"),
        ({"identity": THIRD}, "MM1-H903"),
        ({"to": (f"{THIRD}/TYPE=PLMN",)}, "MM1-H904"),
        ({"to": ("what?",)}, "MM1-H904"),
        ({"from_": f"{THIRD}/TYPE=PLMN"}, "MM1-H905"),
    ],
)
async def test_what_is_not_believed_is_remarked_and_goes_no_further(
    alice: ByHand, bob: ByHand, changes: dict[str, Any], rule: str
) -> None:
    conf = await alice.send(OTHER, read_report=True)
    await fetched(bob)
    await alice.pushed(MDeliveryInd)
    await bob.tell_read(changes.pop("message_id", conf.message_id), ALICE, **changes)
    await at_rest(alice.lab)
    assert not alice.got(MReadOrigInd)
    assert [rule in one for one in await told(alice.lab, "finding.noted")] == [True]
    assert await told(alice.lab, "mm.read") == []
    await bob.tell_read(conf.message_id or "", ALICE.partition("/")[0], from_=BOB)
    assert (await alice.pushed(MReadOrigInd)).from_ == BOB, "the true one still counts"


async def test_a_hidden_sender_hears_of_it_though_nobody_can_name_him(alice: ByHand, bob: ByHand) -> None:
    conf = await alice.send(OTHER, read_report=True, sender_visibility=mm1.SenderVisibility.HIDE)
    assert (await fetched(bob)).from_ is None
    await bob.tell_read(conf.message_id or "", "anonymous")
    assert (await alice.pushed(MReadOrigInd)).message_id == conf.message_id


async def test_an_originator_of_another_mmsc_is_not_told_yet(alice: ByHand, bob: ByHand) -> None:
    """MM4_read_reply_report is not sent: the trace says why."""
    conf = await alice.send(OTHER, read_report=True)
    await fetched(bob)
    recent = alice.lab.app.engine.recent
    row = await alice.lab.app.store.fetch("SELECT id FROM recipient")
    record = await recent.by_id(row[0][0])  # type: ignore[arg-type]
    assert record is not None
    foreign = record.mm._replace(origin=replace(record.mm.origin, interface=Interface.MM4))
    reads: Any = alice.lab.app.engine.retrieval._read_reports
    assert reads._way(foreign).why_not == "no read report leaves over mm4"
    assert reads._way(record.mm).lane == "smsc:local"
    assert Address.of(PHONE) == record.mm.sender
    assert conf.message_id


# --- handsets that never acknowledge


@pytest.mark.parametrize("report", [True, False])
async def test_fetched_and_never_acknowledged(tmp_path: Path, report: bool) -> None:
    """Semantics 5: retrieved after five minutes, with a finding; the report is a setting."""
    async with open_lab(tmp_path, notification=Notification(unacknowledged_report=report)) as lab:
        alice, bob = ByHand(lab, PHONE), ByHand(lab, OTHER)
        await alice.send(OTHER)
        await bob.get(await bob.pushed(MNotificationInd))
        lab.app.clock.step(301)
        if report:
            assert (await alice.pushed(MDeliveryInd)).status is Status.RETRIEVED
        await at_rest(lab)
        assert (await states(lab), len(bob.pushes), len(alice.pushes)) == (["retrieved"], 1, int(report))
        assert "MM1-H901" in (await told(lab, "finding.noted"))[0]
        assert ("never acknowledged, which is not reported here" in (await told(lab, "recipient.moved"))[-1]) != report


async def test_an_operator_may_heed_no_get(tmp_path: Path) -> None:
    """Then only an answer ends the notifications, and what is never answered expires."""
    async with open_lab(tmp_path, notification=Notification(ignore_gets=True)) as lab:
        alice, bob = ByHand(lab, PHONE), ByHand(lab, OTHER)
        await alice.send(OTHER, expiry=mm1.Moment(3600))
        notification = await bob.pushed(MNotificationInd)
        await bob.get(notification)
        await bob.get(notification)
        lab.app.clock.step(301)
        await bob.pushed(MNotificationInd, 2)
        assert await states(lab) == ["notified"]
        lab.app.clock.step(3600)
        assert (await alice.pushed(MDeliveryInd)).status is Status.EXPIRED
