"""Forwarding without retrieval, as a handset sees it (OMA-TS-MMS_ENC 6; TS 23.140 8.1.6)."""

import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from mmsc.lab.handset import Fetching, Handset
from mmsc.settings.model import Mm1, Mmbox
from mmsc.trace import events as trace
from protocols import mm1
from protocols.mm1 import (
    Counted,
    MDeliveryInd,
    MForwardConf,
    MNotificationInd,
    MRetrieveConf,
    MSendConf,
    ResponseStatus,
    Status,
    StoreStatus,
)
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab
from tests.scenarios.posting import forward_req, posted, send_req

SENDER, THIRD = "+15550100777", "+15550100888"
OK = ResponseStatus.OK
NOT_FOUND = ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND


async def told_of(lab: Lab, **fields: Any) -> MNotificationInd:
    """SENDER sends PHONE an MM; PHONE has the notification and does nothing about it."""
    phone = await lab.phone(PHONE, fetching=Fetching.NEVER)
    await lab.phone(SENDER)
    fields = {"subject": "Héllo", "delivery_report": True, "priority": mm1.Priority.HIGH, **fields}
    conf = await posted(lab, SENDER, send_req(PHONE, **fields), MSendConf)
    assert conf.response_status is OK
    return (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0]


async def got(phone: Handset) -> MRetrieveConf:
    return (await phone.until(lambda inbox: bool(inbox.messages))).messages[-1].conf


async def reports_of(phone: Handset, count: int = 1) -> list[MDeliveryInd]:
    return (await phone.until(lambda inbox: len(inbox.reports) >= count)).reports


async def states(lab: Lab) -> dict[str, str]:
    rows = await lab.app.store.fetch("SELECT address, state FROM recipient")
    return {str(address): str(state) for address, state in rows}


async def test_the_next_one_gets_it_with_who_had_it_before_and_the_first_sender_hears(lab: Lab) -> None:
    notification = await told_of(lab)
    other = await lab.phone(OTHER)
    sent = next(one for one in (await lab.app.store.fetch("SELECT details FROM mm")))
    conf = await posted(
        lab, PHONE, forward_req(notification.content_location, OTHER, delivery_report=True), MForwardConf
    )
    assert (conf.response_status, conf.transaction_id) == (OK, "f1")
    message = await got(other)
    assert message.message_id == conf.message_id
    assert (message.subject, message.priority) == ("Héllo", mm1.Priority.HIGH)
    assert message.from_ == f"{PHONE}/TYPE=PLMN"
    assert message.to == (OTHER,)
    assert message.previously_sent_by == (Counted(1, f"{SENDER}/TYPE=PLMN"),)
    [before] = message.previously_sent_date
    assert (before.count, before.seconds) == (1, json.loads(str(sent[0]))["date"] // 1_000_000)
    [report] = await reports_of(lab.phones[SENDER])
    assert (report.status, report.to) == (Status.FORWARDED, (f"{PHONE}/TYPE=PLMN",))
    [of_the_forward] = await reports_of(lab.phones[PHONE])
    assert (of_the_forward.status, of_the_forward.message_id) == (Status.RETRIEVED, conf.message_id)
    assert await states(lab) == {PHONE: "forwarded", OTHER: "retrieved"}


async def test_afterwards_there_is_nothing_to_fetch(lab: Lab) -> None:
    notification = await told_of(lab)
    await posted(lab, PHONE, forward_req(notification.content_location, OTHER), MForwardConf)
    phone = lab.phones[PHONE]
    assert await phone.get(notification) is None
    assert phone.inbox.failures[-1].startswith("m-retrieve-conf: Error-permanent-message-not-found")


async def test_its_path_alone_names_it_too(lab: Lab) -> None:
    notification = await told_of(lab)
    path = urlsplit(notification.content_location or "").path
    assert (await posted(lab, PHONE, forward_req(path, OTHER), MForwardConf)).response_status is OK


@pytest.mark.parametrize("location", ["http://mms.example/m/abcdefgh12345678", "/w/abc", "http://[", "m", "/m/"])
async def test_a_location_of_nothing_is_not_found(lab: Lab, location: str) -> None:
    for version, status in (
        (mm1.VERSION_1_2, NOT_FOUND),
        (mm1.VERSION_1_0, ResponseStatus.ERROR_MESSAGE_NOT_FOUND),
    ):
        conf = await posted(lab, PHONE, forward_req(location, OTHER, mms_version=version), MForwardConf)
        assert (conf.response_status, conf.message_id, conf.transaction_id) == (status, None, "f1")


async def test_somebody_else_gets_what_an_unknown_location_gets(lab: Lab) -> None:
    notification = await told_of(lab)
    conf = await posted(lab, THIRD, forward_req(notification.content_location, OTHER), MForwardConf)
    unknown = await posted(lab, THIRD, forward_req("/m/abcdefgh12345678", OTHER), MForwardConf)
    assert conf == unknown
    assert conf.response_status is NOT_FOUND
    nobody = await posted(lab, "", forward_req(notification.content_location, OTHER), MForwardConf)
    assert nobody.response_status is ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED
    assert await states(lab) == {PHONE: "notified"}


async def test_a_sender_who_may_not_hear_does_not(lab: Lab) -> None:
    notification = await told_of(lab)
    request = forward_req(notification.content_location, OTHER, report_allowed=False)
    assert (await posted(lab, PHONE, request, MForwardConf)).response_status is OK
    rows = await lab.app.store.fetch("SELECT kind FROM task WHERE kind = 'report_mm1'")
    moved = await lab.app.store.fetch("SELECT data FROM event WHERE kind = 'recipient.moved'")
    moves = [msgspec.json.decode(str(row[0]), type=trace.RecipientMoved) for row in moved]
    [told] = [one.no_report for one in moves if one.happening == "forwarded"]
    assert (rows, told) == ([], "the recipient allows no report")


async def test_the_same_request_again_gets_the_same_answer(lab: Lab) -> None:
    notification = await told_of(lab)
    request = forward_req(notification.content_location, OTHER)
    first = await posted(lab, PHONE, request, MForwardConf)
    assert await posted(lab, PHONE, request, MForwardConf) == first
    assert await lab.app.store.fetch("SELECT COUNT(*) FROM mm") == [(2,)]
    another = forward_req(notification.content_location, OTHER, transaction_id="f2")
    assert (await posted(lab, PHONE, another, MForwardConf)).response_status is NOT_FOUND


async def test_who_has_it_may_send_it_on_and_stays_retrieved(lab: Lab) -> None:
    """While its location answers: it is an MM of theirs then, and its sender hears nothing new."""
    notification = await told_of(lab)
    phone = lab.phones[PHONE]
    assert await phone.get(notification) is not None
    await phone.answer(notification.transaction_id, Status.RETRIEVED)
    other = await lab.phone(OTHER)
    request = forward_req(notification.content_location, OTHER, delivery_report=True)
    conf = await posted(lab, PHONE, request, MForwardConf)
    assert (await got(other)).message_id == conf.message_id
    [of_the_forward] = await reports_of(phone)
    assert of_the_forward.status is Status.RETRIEVED
    [report] = await reports_of(lab.phones[SENDER])
    assert report.status is Status.RETRIEVED
    assert await states(lab) == {PHONE: "retrieved", OTHER: "retrieved"}
    assert await posted(lab, PHONE, request, MForwardConf) == conf


async def test_the_way_grows_and_ends_where_a_loop_is_seen(lab: Lab) -> None:
    notification = await told_of(lab)
    phones = {PHONE: lab.phones[PHONE]}
    for one in (OTHER, THIRD):
        phones[one] = await lab.phone(one, fetching=Fetching.NEVER)
    ways = []
    for holder, to in itertools.pairwise((PHONE, OTHER, THIRD, PHONE, OTHER, THIRD)):
        seen = len(phones[to].inbox.notifications)
        conf = await posted(lab, holder, forward_req(notification.content_location, to), MForwardConf)
        assert conf.response_status is OK
        notification = await notification_behind(phones[to], seen)
        message = await phones[to].get(notification)
        assert message is not None
        ways.append(message.conf.previously_sent_by)
    whole = [Counted(n, f"{one}/TYPE=PLMN") for n, one in enumerate((SENDER, PHONE, OTHER, THIRD, PHONE), 1)]
    assert ways == [tuple(whole[:length]) for length in range(1, 6)]
    conf = await posted(lab, THIRD, forward_req(notification.content_location, PHONE), MForwardConf)
    assert conf.response_status is ResponseStatus.ERROR_PERMANENT_FAILURE
    assert conf.response_text == "forwarded 6 times"


async def notification_behind(phone: Handset, seen: int) -> MNotificationInd:
    """The next notification behind those that were seen."""
    return (await phone.until(lambda inbox: len(inbox.notifications) > seen)).notifications[-1]


async def test_whoever_hides_is_not_told_by_the_way(lab: Lab) -> None:
    notification = await told_of(lab, sender_visibility=mm1.SenderVisibility.HIDE)
    other = await lab.phone(OTHER)
    await posted(lab, PHONE, forward_req(notification.content_location, OTHER), MForwardConf)
    message = await got(other)
    assert (message.previously_sent_by, len(message.previously_sent_date)) == ((), 1)
    assert SENDER[1:].encode() not in mm1.encode(message)


async def test_a_handset_of_version_1_0_is_told_no_way(lab: Lab) -> None:
    notification = await told_of(lab)
    other = await lab.phone(OTHER, version=mm1.VERSION_1_0)
    await posted(lab, OTHER, send_req("4488", mms_version=mm1.VERSION_1_0), MSendConf)
    await posted(lab, PHONE, forward_req(notification.content_location, OTHER), MForwardConf)
    message = await got(other)
    assert (message.mms_version, message.previously_sent_by) == (mm1.VERSION_1_0, ())


async def test_cc_bcc_and_who_cannot_be_reached(lab: Lab) -> None:
    notification = await told_of(lab)
    other = await lab.phone(OTHER)
    request = forward_req(notification.content_location, OTHER, cc=("x!",), bcc=(THIRD,))
    conf = await posted(lab, PHONE, request, MForwardConf)
    assert conf.response_status is ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS
    assert (conf.response_text or "").startswith("x!: ")
    message = await got(other)
    assert (message.to, message.cc) == ((OTHER,), ("x!",))
    assert THIRD in await states(lab)


async def test_nobody_is_forwarded_to_nobody(lab: Lab) -> None:
    notification = await told_of(lab)
    conf = await posted(lab, PHONE, forward_req(notification.content_location, "x!"), MForwardConf)
    assert conf.response_status is ResponseStatus.ERROR_PERMANENT_SENDING_ADDRESS_UNRESOLVED
    assert await states(lab) == {PHONE: "notified"}


async def test_a_copy_that_is_to_be_stored_where_there_is_no_box(tmp_path: Path) -> None:
    async with open_lab(tmp_path, mmbox=Mmbox(enabled=False)) as lab:
        notification = await told_of(lab)
        conf = await posted(lab, PHONE, forward_req(notification.content_location, OTHER, store=True), MForwardConf)
        assert (conf.response_status, conf.store_status) == (OK, StoreStatus.ERROR_PERMANENT_SERVICE_DENIED)


async def test_the_record_tells_of_a_forward_and_of_no_submission(lab: Lab) -> None:
    """TS 32.298: F, not O1S."""
    notification = await told_of(lab)
    conf = await posted(lab, PHONE, forward_req(notification.content_location, OTHER), MForwardConf)
    rows = await lab.app.store.fetch("SELECT data FROM event WHERE kind = 'mm.accepted' ORDER BY id")
    first, second = (msgspec.json.decode(str(row[0]), type=trace.MmAccepted) for row in rows)
    assert (first.forwards, second.message_id) == ("", conf.message_id)
    assert second.forwards
    told = await lab.app.store.fetch("SELECT data FROM event WHERE kind = 'mm.forwarded'")
    pair = {msgspec.json.decode(str(row[0]), type=trace.MmForwarded) for row in told}
    assert {(one.forwarder, one.forwarded_as) for one in pair} == {(PHONE, conf.message_id)}
    assert len(told) == 2


async def test_a_from_of_somebody_else_is_replaced(lab: Lab) -> None:
    """OMA-TS-MMS_ENC 7.3.21, as for an m-send-req."""
    notification = await told_of(lab)
    request = forward_req(notification.content_location, OTHER, from_=f"{THIRD}/TYPE=PLMN")
    conf = await posted(lab, PHONE, request, MForwardConf)
    assert conf.response_status is OK
    [(sender,)] = await lab.app.store.fetch("SELECT sender FROM mm WHERE sender <> $1", SENDER)
    assert sender == PHONE
    rules = await lab.app.store.fetch("SELECT data FROM event WHERE kind = 'finding.noted'")
    assert any("MM1-H905" in str(row[0]) for row in rules)


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, mm1=Mm1(port=0, foreign_from="refuse")) as lab:
        yield lab


async def test_or_refused_by_setting(strict: Lab) -> None:
    notification = await told_of(strict)
    request = forward_req(notification.content_location, OTHER, from_=f"{THIRD}/TYPE=PLMN")
    conf = await posted(strict, PHONE, request, MForwardConf)
    assert conf.response_status is ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED
    assert await states(strict) == {PHONE: "notified"}
