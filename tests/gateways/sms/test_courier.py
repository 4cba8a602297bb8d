"""Notification, report and link as SMS; each happy scene with its error twin."""

import asyncio

import pytest

from mmsc.domain.address import Rewrite
from mmsc.domain.message import TaskKind
from mmsc.engine.ports import Delivered, Failed, Later, Outcome, Retry
from mmsc.gateways.sms.courier import judge
from mmsc.gateways.sms.translate import numbering
from mmsc.lab.smsc import VirtualSmsc
from protocols import mm1
from protocols.smpp import CommandStatus, SubmitSm
from protocols.wsp.push import decode_push
from tests.gateways.sms.conftest import Link, job, link


async def deliver(to: Link, kind: TaskKind, *, subject: str = "", **payload: str) -> Outcome:
    async with asyncio.timeout(10):
        await to.until_bound()
        return await to.courier.deliver(job(kind, to.clock.now(), subject=subject, **payload))


@pytest.mark.parametrize("form", ["udh", "sar", "payload", "payload_udh"])
async def test_a_notification_arrives_whole_in_every_form(smsc: VirtualSmsc, form: str) -> None:
    """WAP-259-WDP 6.5: more than one segment, put together again by the other side."""
    async with link(smsc, push_form=form) as session:
        outcome = await deliver(session, TaskKind.NOTIFY, subject="Grüße vom Strand " * 12, validity_seconds="600")
        received = await smsc.expect()
    assert isinstance(outcome, Delivered)
    assert received.push is not None
    pdu = mm1.decode(decode_push(received.push).data).message
    assert isinstance(pdu, mm1.MNotificationInd)
    assert pdu.transaction_id == "T1"
    assert pdu.content_location == "http://mms.example/m/TOKEN"
    assert len(outcome.remote_ids) == len(smsc.submitted)
    assert {one.validity_period for one in smsc.submitted if isinstance(one, SubmitSm)} == {
        "000000001000000R"
    }  # SMPP v3.4 7.1.1.2: ten minutes
    assert not outcome.receipt_expected


async def test_a_plain_notification_says_no_more_than_it_must(smsc: VirtualSmsc) -> None:
    """The push after Unrecognised: MMS 1.0 without optional fields."""
    async with link(smsc) as session:
        await deliver(session, TaskKind.NOTIFY, subject="hello", plain="1")
        received = await smsc.expect()
    assert received.push is not None
    pdu = mm1.decode(decode_push(received.push).data).message
    assert isinstance(pdu, mm1.MNotificationInd)
    assert (pdu.mms_version, pdu.subject, pdu.from_) == (mm1.VERSION_1_0, None, None)


async def test_a_delivery_report_goes_to_the_originator(smsc: VirtualSmsc) -> None:
    async with link(smsc) as session:
        outcome = await deliver(session, TaskKind.REPORT_MM1, state="retrieved", date="1700000000000000")
        received = await smsc.expect()
    assert isinstance(outcome, Delivered)
    assert received.number == "15550100200"
    assert received.push is not None
    pdu = mm1.decode(decode_push(received.push).data).message
    assert isinstance(pdu, mm1.MDeliveryInd)
    assert (pdu.message_id, pdu.status, pdu.date) == ("m1", mm1.Status.RETRIEVED, 1_700_000_000)


async def test_a_link_is_one_short_text_with_its_receipt_asked_for(smsc: VirtualSmsc) -> None:
    async with link(smsc) as session:
        outcome = await deliver(session, TaskKind.LINK, receipt="1")
        received = await smsc.expect()
        async with asyncio.timeout(10):
            receipt = await session.messages.get()
    assert isinstance(outcome, Delivered)
    assert outcome.receipt_expected
    assert received.text == "You have a picture message: http://web.example/w/LINK"
    assert len(smsc.submitted) == 1
    assert outcome.remote_ids[0].encode() in receipt.user_data


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (CommandStatus.ESME_RTHROTTLED, Later),
        (CommandStatus.ESME_RMSGQFUL, Later),
        (CommandStatus.ESME_RSYSERR, Retry),
        (CommandStatus.ESME_RX_T_APPN, Retry),
        (CommandStatus.ESME_RINVDSTADR, Failed),
        (CommandStatus.ESME_RX_P_APPN, Failed),
    ],
)
async def test_a_refusal_is_an_outcome(smsc: VirtualSmsc, status: CommandStatus, outcome: type[Outcome]) -> None:
    """SMPP v3.4 5.1.3: what may be tried again, and what may not."""
    smsc.behaviour.statuses.append(status)
    async with link(smsc) as session:
        told = await deliver(session, TaskKind.NOTIFY)
    assert isinstance(told, outcome)
    assert not isinstance(told, Delivered)
    assert isinstance(judge(status), outcome)
    assert not smsc.submitted


@pytest.mark.parametrize(
    "status",
    [
        CommandStatus.ESME_RINVBNDSTS,
        CommandStatus.ESME_RINVPASWD,
        CommandStatus.ESME_RINVSYSTYP,
        CommandStatus.ESME_RPROHIBITED,
    ],
)
async def test_a_refused_account_is_not_the_messages_fault(status: CommandStatus) -> None:
    """SMPP v3.4 5.1.3: the message waits with its lane, no attempt is counted."""
    outcome = judge(status)
    assert isinstance(outcome, Retry)
    assert outcome.neighbour_down


async def test_an_smsc_that_forgot_the_session_gets_a_new_one(smsc: VirtualSmsc) -> None:
    """SMPP v3.4 5.1.3: ESME_RINVBNDSTS."""
    smsc.behaviour.statuses.append(CommandStatus.ESME_RINVBNDSTS)
    async with link(smsc) as session:
        assert isinstance(await deliver(session, TaskKind.NOTIFY), Retry)
        assert isinstance(await deliver(session, TaskKind.NOTIFY), Delivered)


async def test_a_refused_segment_leaves_the_push_to_be_repeated_whole(smsc: VirtualSmsc) -> None:
    smsc.behaviour.statuses.extend([CommandStatus.ESME_ROK, CommandStatus.ESME_RTHROTTLED])
    async with link(smsc) as session:
        first = await deliver(session, TaskKind.NOTIFY, subject="long " * 40)
        again = await session.courier.deliver(job(TaskKind.NOTIFY, session.clock.now(), subject="long " * 40))
        received = await smsc.expect()
    assert isinstance(first, Later)
    assert isinstance(again, Delivered)
    assert received.push is not None
    assert decode_push(received.push).data


async def test_no_session_is_the_neighbours_trouble(smsc: VirtualSmsc) -> None:
    smsc.behaviour.refuse_binds = True
    async with link(smsc) as session:
        outcome = await session.courier.deliver(job(TaskKind.NOTIFY, session.clock.now()))
    assert isinstance(outcome, Retry)
    assert outcome.neighbour_down


async def test_what_was_for_an_smsc_that_was_removed_waits_for_it(smsc: VirtualSmsc) -> None:
    async with link(smsc) as session:
        session.courier._directory.smscs = {}  # type: ignore[misc]
        outcome = await session.courier.deliver(job(TaskKind.NOTIFY, session.clock.now()))
    assert isinstance(outcome, Retry)
    assert outcome.neighbour_down


@pytest.mark.parametrize(
    ("number", "rewrites", "expected"),
    [
        ("+15550100123", (), (1, 1, "15550100123")),
        ("+15550100123", (Rewrite("+1", "+001"),), (1, 1, "0015550100123")),
        ("+15550100123", (Rewrite("+1", ""),), (0, 1, "5550100123")),
        ("4488", (Rewrite("4", "5"),), (6, 0, "4488")),
    ],
)
def test_numbers_as_the_smsc_wants_them(
    number: str, rewrites: tuple[Rewrite, ...], expected: tuple[int, int, str]
) -> None:
    """SMPP v3.4 5.2.5, 5.2.6: international without +, short codes abbreviated, what it wants itself unknown."""
    assert numbering(number, rewrites) == expected
