"""What a virtual handset does about notifications, and what it keeps (OMA-TS-MMS_ENC 6)."""

import asyncio
from dataclasses import replace

import pytest

from mmsc.lab.handset_behaviour import Behaviour, Behaviours, Fetching, behaviours_of
from mmsc.lab.handset_inbox import MAXIMUM_KEPT, MAXIMUM_KEPT_OCTETS, Inbox, Message, News
from mmsc.lab.handset_profiles import PROFILES, profile_named
from protocols import mm1
from protocols.mm1 import (
    MAcknowledgeInd,
    MCancelConf,
    MCancelReq,
    MDeliveryInd,
    MForwardConf,
    MForwardReq,
    MNotifyRespInd,
    MReadOrigInd,
    MReadRecInd,
    MSendConf,
    MSendReq,
    Pdu,
    ReadStatus,
    ReplyCharging,
    ResponseStatus,
    RetrieveStatus,
    Status,
)
from tests.lab.conftest import NOW, PARTS, SENDER, FakeMmsc, MakeHandset, notification, pushed, retrieve_conf


def accepting(mmsc: FakeMmsc) -> None:
    ok = ResponseStatus.OK
    mmsc.confs[MSendReq] = lambda pdu: MSendConf(transaction_id=pdu.transaction_id, response_status=ok, message_id="n")
    mmsc.confs[MForwardReq] = lambda pdu: MForwardConf(transaction_id=pdu.transaction_id, response_status=ok)


async def test_it_retrieves_at_once_and_says_so(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(report_allowed=False)
    await phone.on_push(pushed(mmsc.offer()))
    (message,) = phone.inbox.messages
    assert message.octets_of(message.parts[0]) == b"hello"
    assert message.octets == mm1.encode(retrieve_conf())
    assert mmsc.pdus() == [MNotifyRespInd(transaction_id="N1", status=Status.RETRIEVED, report_allowed=False)]
    assert phone.inbox.failures == []


@pytest.mark.parametrize(
    ("words", "pdus"),
    [
        ("reject", [MNotifyRespInd(transaction_id="N1", status=Status.REJECTED)]),
        ("reject+no-report", [MNotifyRespInd(transaction_id="N1", status=Status.REJECTED, report_allowed=False)]),
        ("unrecognised", [MNotifyRespInd(transaction_id="N1", status=Status.UNRECOGNISED)]),
        ("deferred", [MNotifyRespInd(transaction_id="N1", status=Status.DEFERRED)]),
        ("never", []),
        ("silent", []),
    ],
)
async def test_other_behaviours(mmsc: FakeMmsc, handset: MakeHandset, words: str, pdus: list[Pdu]) -> None:
    phone = await handset(behaviours=behaviours_of(words))
    await phone.on_push(pushed(mmsc.offer()))
    assert mmsc.pdus() == pdus
    assert len(phone.inbox.messages) == (words == "silent")


async def test_deferred_for_a_time_then_fetched_and_acknowledged(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    waited = asyncio.Queue[float]()
    go = asyncio.Event()

    async def pause(seconds: float) -> None:
        waited.put_nowait(seconds)
        await go.wait()

    phone = await handset(behaviours=behaviours_of("deferred=30"), pause=pause)
    await phone.on_push(pushed(mmsc.offer()))
    assert await waited.get() == 30
    assert phone.inbox.messages == []
    go.set()
    pdus = await mmsc.until(lambda pdus: len(pdus) == 2)
    assert pdus == [
        MNotifyRespInd(transaction_id="N1", status=Status.DEFERRED),
        MAcknowledgeInd(transaction_id="R1"),
    ]


async def test_nobody_is_acknowledged_who_did_not_ask(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    """A m-retrieve-conf without a Transaction-ID wants no m-acknowledge-ind (OMA-TS-MMS_ENC 6.3)."""
    phone = await handset(behaviours=behaviours_of("deferred"))
    notified = mmsc.offer(transaction_id=None)
    await phone.on_push(pushed(notified))
    assert await phone.fetch(notified) is not None
    assert [type(one) for one in mmsc.pdus()] == [MNotifyRespInd]


async def test_each_mm_has_its_own_behaviour_and_the_last_goes_on(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(behaviours=behaviours_of("reject*2,immediate"))
    for number in range(4):
        mmsc.offer()
        await phone.on_push(pushed(mm1_notification(mmsc, number)))
    statuses = [one.status for one in mmsc.pdus() if isinstance(one, MNotifyRespInd)]
    assert statuses == [Status.REJECTED, Status.REJECTED, Status.RETRIEVED, Status.RETRIEVED]


def mm1_notification(mmsc: FakeMmsc, number: int) -> mm1.MNotificationInd:
    return notification(f"{mmsc.url}m/m1", transaction_id=f"N{number}")


async def test_a_notification_that_comes_again_is_known(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset()
    notified = mmsc.offer()
    for _ in range(3):
        await phone.on_push(pushed(notified))
    assert len(mmsc.heard) == 2  # a GET and an answer
    assert (len(phone.inbox.notifications), len(phone.inbox.repeated), len(phone.inbox.messages)) == (3, 2, 1)


async def test_an_answer_that_was_not_taken_is_given_again(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset()
    notified = mmsc.offer()
    mmsc.confs[MNotifyRespInd] = 503
    await phone.on_push(pushed(notified))
    assert phone.inbox.failures == ["m-notifyresp-ind: HTTP 503"]
    mmsc.confs[MNotifyRespInd] = 200
    await phone.on_push(pushed(notified))
    assert phone.inbox.repeated == []
    assert len(mmsc.pdus()) == 2


async def test_one_that_is_being_handled_is_not_handled_twice(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(behaviours=Behaviours([(Behaviour(wait_seconds=5), 1)]))
    notified = mmsc.offer()
    await phone.on_push(pushed(notified))
    await phone.on_push(pushed(notified))
    await phone.until(lambda inbox: bool(inbox.messages))
    await mmsc.until(lambda pdus: len(pdus) == 1)
    assert len(phone.inbox.repeated) == 1


async def test_the_forgetful_fetch_again(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(profile=PROFILES["forgetful"])
    notified = mmsc.offer()
    await phone.on_push(pushed(notified))
    await phone.on_push(pushed(notified))
    assert len(phone.inbox.messages) == 2


@pytest.mark.parametrize(("word", "said"), [("read", ReadStatus.READ), ("deleted", ReadStatus(0x81))])
async def test_a_read_report_is_sent_where_one_is_asked_for(
    mmsc: FakeMmsc, handset: MakeHandset, word: str, said: ReadStatus
) -> None:
    phone = await handset(behaviours=behaviours_of(f"immediate+{word}"))
    await phone.on_push(pushed(mmsc.offer(read_report=True)))
    assert mmsc.pdus()[1:] == [
        MReadRecInd(message_id="id-1@mmsc.example", to=(SENDER,), from_=mm1.INSERT_ADDRESS, date=NOW, read_status=said)
    ]


@pytest.mark.parametrize(("behaviour", "asked"), [("immediate+read", False), ("immediate", True)])
async def test_no_read_report_otherwise(mmsc: FakeMmsc, handset: MakeHandset, behaviour: str, asked: bool) -> None:
    phone = await handset(behaviours=behaviours_of(behaviour))
    await phone.on_push(pushed(mmsc.offer(read_report=asked)))
    assert len(mmsc.pdus()) == 1


async def test_who_hides_gets_neither_report_nor_reply(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(behaviours=behaviours_of("immediate+read+reply=Thanks"))
    await phone.on_push(pushed(mmsc.offer(read_report=True, from_=None)))
    assert [type(one) for one in mmsc.pdus()] == [MNotifyRespInd]
    assert [one.partition(":")[0] for one in phone.inbox.failures] == ["no read report", "no reply"]


@pytest.mark.parametrize(
    ("charging", "reply_id"), [(None, None), (ReplyCharging.ACCEPTED, "id-1@mmsc.example"), (0x80, None)]
)
async def test_a_reply_names_the_mm_that_pays_for_it(
    mmsc: FakeMmsc, handset: MakeHandset, charging: int | None, reply_id: str | None
) -> None:
    """OMA-TS-MMS_ENC 7.3.45: X-Mms-Reply-Charging-ID of the MM that is answered."""
    accepting(mmsc)
    phone = await handset(behaviours=behaviours_of("immediate+reply=Thanks"))
    value = None if charging is None else ReplyCharging(charging)
    await phone.on_push(pushed(mmsc.offer(subject="Lake", reply_charging=value)))
    reply = mmsc.pdus()[1]
    assert isinstance(reply, MSendReq)
    assert (reply.to, reply.subject, reply.reply_charging_id) == ((SENDER,), "Re: Lake", reply_id)
    assert b"Thanks" in reply.body


async def test_it_forwards_without_fetching(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    accepting(mmsc)
    phone = await handset(behaviours=behaviours_of("forward=+15550100789+no-report"))
    notified = mmsc.offer()
    await phone.on_push(pushed(notified))
    (sent,) = mmsc.pdus()
    assert isinstance(sent, MForwardReq)
    assert sent.to == ("+15550100789/TYPE=PLMN",)
    assert (sent.content_location, sent.report_allowed) == (notified.content_location, False)
    assert [one.target for one in mmsc.heard] == ["/"]


async def test_a_forward_that_is_refused_is_told(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    denied = ResponseStatus.ERROR_PERMANENT_REPLY_CHARGING_FORWARDING_DENIED
    mmsc.confs[MForwardReq] = lambda pdu: MForwardConf(transaction_id=pdu.transaction_id, response_status=denied)
    phone = await handset(behaviours=behaviours_of("forward=+15550100789"))
    await phone.on_push(pushed(mmsc.offer()))
    assert phone.inbox.failures == ["m-forward-req: Error-permanent-reply-charging-forwarding-denied"]


async def test_a_larger_mm_than_it_takes_is_deferred(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(profile=profile_named("lab-1.0"))
    await phone.on_push(pushed(notification(f"{mmsc.url}m/m1", message_size=40_000)))
    (answer,) = mmsc.pdus()
    assert isinstance(answer, MNotifyRespInd)
    assert (answer.status, answer.mms_version) == (Status.DEFERRED, mm1.VERSION_1_0)


async def test_reports_go_where_they_belong(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset()
    delivered = MDeliveryInd(message_id="a", to=(SENDER,), date=NOW, status=Status.RETRIEVED)
    read = MReadOrigInd(message_id="a", to=(SENDER,), from_=SENDER, date=NOW, read_status=ReadStatus.READ)
    await phone.on_push(pushed(delivered))
    await phone.on_push(pushed(read))
    await phone.on_sms("hello")
    assert (phone.inbox.reports, phone.inbox.read_reports, phone.inbox.texts) == ([delivered], [read], ["hello"])


async def test_an_mm_that_is_cancelled_goes(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset()
    await phone.on_push(pushed(mmsc.offer()))
    await phone.on_push(pushed(MCancelReq(mms_version=0x13, transaction_id="C1", cancel_id="id-1@mmsc.example")))
    assert phone.inbox.messages == []
    assert isinstance(mmsc.pdus()[-1], MCancelConf)


async def test_an_mm_takes_the_place_of_the_one_it_replaces(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset()
    await phone.on_push(pushed(mmsc.offer()))
    mmsc.offer("m2", message_id="id-2", replace_id="id-1@mmsc.example")
    await phone.on_push(pushed(notification(f"{mmsc.url}m/m2", transaction_id="N2")))
    assert [one.conf.message_id for one in phone.inbox.messages] == ["id-2"]
    assert [one.conf.message_id for one in phone.inbox.replaced] == ["id-1@mmsc.example"]


@pytest.mark.parametrize(
    "octets", [b"", b"hello", b"\x01\x06\x03\xbe\xaf\x84", pushed(MAcknowledgeInd(transaction_id="a"))]
)
async def test_a_push_that_is_nothing_is_told(mmsc: FakeMmsc, handset: MakeHandset, octets: bytes) -> None:
    phone = await handset()
    await phone.on_push(octets)
    assert phone.inbox.failures[0].startswith("push: ")
    assert mmsc.heard == []


async def test_what_is_not_there_is_told_and_not_answered(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset()
    await phone.on_push(pushed(notification(f"{mmsc.url}m/none")))
    gone = RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    await phone.on_push(pushed(mmsc.offer(retrieve_status=gone, retrieve_text="gone")))
    mmsc.files["/m/page"] = b"<html>"
    await phone.on_push(pushed(notification(f"{mmsc.url}m/page")))
    await phone.on_push(pushed(notification("http://127.0.0.1:1/m")))
    assert phone.inbox.failures[0].endswith("/m/none: HTTP 404")
    assert phone.inbox.failures[1] == "m-retrieve-conf: Error-permanent-message-not-found gone"
    assert phone.inbox.failures[2].startswith("m-retrieve-conf: ")
    assert "nobody takes connections" in phone.inbox.failures[3]
    assert mmsc.pdus() == []


def test_an_inbox_is_bounded() -> None:
    inbox = Inbox()
    for number in range(MAXIMUM_KEPT + 2):
        inbox.take(News.TEXT, str(number))
    assert (len(inbox.texts), inbox.texts[0]) == (MAXIMUM_KEPT, "2")
    large = Message(retrieve_conf(), (), bytes(MAXIMUM_KEPT_OCTETS // 2))
    for message in (large, large, replace(large, octets=b"1")):
        inbox.take(News.MESSAGE, message)
    assert [len(one.octets) for one in inbox.messages] == [MAXIMUM_KEPT_OCTETS // 2, 1]
    inbox.clear()
    assert inbox == Inbox()


@pytest.mark.parametrize(
    "words",
    [
        *("", "later", "slow", "slow=0", "slow=fast", "deferred=-1", "deferred=nan", "wait=", "forward", "cut=2"),
        *("reject*0", "read+read", "deferred=1+wait=2", "immediate+reject", "cut=99999999999999999999", "reply="),
    ],
)
def test_words_that_are_no_behaviour(words: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        behaviours_of(words)


def test_words_that_are() -> None:
    behaviours = behaviours_of("slow=500+cut=2+retry=3 * 2, deferred=1.5+report")
    first, second, third = behaviours.next(), behaviours.next(), behaviours.next()
    assert first == second == Behaviour(octets_per_second=500, cuts=2, retries=3)
    assert third == Behaviour(Fetching.DEFERRED, wait_seconds=1.5, report_allowed=True)
    assert behaviours.current == behaviours.next() == third


async def test_before_1_1_a_read_report_is_an_mm_of_class_auto(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    accepting(mmsc)
    phone = await handset(version=mm1.VERSION_1_0, behaviours=behaviours_of("immediate+read"))
    await phone.on_push(pushed(mmsc.offer(read_report=True, subject="Lake")))
    told = mmsc.pdus()[1]
    assert isinstance(told, MSendReq)
    assert (told.to, told.subject, told.message_class) == ((SENDER,), "Read", mm1.MessageClass.AUTO)
    assert b"Read: Lake" in told.body


async def test_what_its_version_has_no_words_for_is_left_out_and_told(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    accepting(mmsc)
    phone = await handset(version=mm1.VERSION_1_1)
    await phone.send([SENDER], PARTS, store=True, drm_content=True, reply_charging=ReplyCharging.REQUESTED)
    (sent,) = mmsc.pdus()
    assert isinstance(sent, MSendReq)
    assert (sent.store, sent.drm_content, sent.reply_charging) == (None, None, ReplyCharging.REQUESTED)
    assert phone.inbox.failures == ["left out, for they came after version 1.1: store, drm_content"]
