"""Virtual handsets of every family against our MMSC: strict readers are judges of what it writes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsc.lab.handset import Fetching
from mmsc.lab.handset_behaviour import behaviours_of
from mmsc.lab.handset_profiles import PROFILES
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import ReadStatus, ResponseStatus, Status
from protocols.wsp.multipart import Part
from tests.lab.conftest import no_pause
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab, picture

# The others have a Content-Location that our server does not give (appended), or answer nothing.
FAMILIES = [name for name in PROFILES if name not in ("aosp-append", "unacknowledging")]
PARTS = [Part(ContentType("image/jpeg"), bytes(range(256)) * 400, "i", "i.jpg")]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path) as one:
        yield one


@pytest.mark.parametrize("name", FAMILIES)
async def test_a_family_reads_all_that_it_is_sent(lab: Lab, name: str) -> None:
    """Notification, MM, m-send-conf and reports, in the version that the family speaks."""
    profile = PROFILES[name]
    sender = await lab.phone(OTHER, profile=profile)
    phone = await lab.phone(PHONE, profile=profile, behaviours=behaviours_of("immediate+read"))
    conf = await sender.send([f"{PHONE}/TYPE=PLMN"], [], subject="Grüße", delivery_report=True, read_report=True)
    assert conf.response_status is ResponseStatus.OK
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    assert inbox.messages[0].conf.subject == "Grüße"
    told = await sender.until(lambda inbox: bool(inbox.reports))
    assert told.reports[0].status is Status.RETRIEVED
    assert (phone.inbox.failures, sender.inbox.failures) == ([], [])


@pytest.mark.parametrize("name", ["aosp", "mmsd"])
async def test_a_strict_family_reads_an_mm_of_a_vasp_and_that_there_is_none(lab: Lab, name: str) -> None:
    phone = await lab.phone(PHONE, profile=PROFILES[name])
    await lab.vasp.submit(PHONE, content=picture(), subject="Lake")
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    assert (await lab.vasp.report()).mm_status == "Retrieved"
    assert inbox.failures == []
    phone.fetching = Fetching.REJECT
    await lab.vasp.submit(PHONE, content=picture(), subject="Lake")
    assert (await lab.vasp.report()).mm_status == "Rejected"
    inbox = await phone.until(lambda inbox: len(inbox.notifications) == 2)
    assert await phone.get(inbox.notifications[1]) is None
    (failure,) = inbox.failures
    assert "drops" not in failure


async def test_a_read_report_comes_back(lab: Lab) -> None:
    """OMA-TS-MMS_ENC 6.6."""
    sender = await lab.phone(OTHER)
    await lab.phone(PHONE, behaviours=behaviours_of("immediate+deleted"))
    conf = await sender.send([f"{PHONE}/TYPE=PLMN"], PARTS, read_report=True)
    inbox = await sender.until(lambda inbox: bool(inbox.read_reports))
    report = inbox.read_reports[0]
    deleted = ReadStatus.DELETED_WITHOUT_BEING_READ
    assert (report.read_status, report.message_id) == (deleted, conf.message_id)


async def test_a_reply_goes_to_the_sender(lab: Lab) -> None:
    sender = await lab.phone(OTHER)
    phone = await lab.phone(PHONE, behaviours=behaviours_of("immediate+reply=Thanks"))
    await sender.send([f"{PHONE}/TYPE=PLMN"], PARTS, subject="Lake")
    inbox = await sender.until(lambda inbox: bool(inbox.messages))
    message = inbox.messages[0]
    assert (message.conf.subject, message.octets_of(message.parts[0])) == ("Re: Lake", b"Thanks")
    assert phone.inbox.failures == []


@pytest.mark.parametrize("words", ["cut=2+retry=2", "slow=20000", "deferred=5"])
async def test_a_bad_line_gets_the_mm_all_the_same(lab: Lab, words: str) -> None:
    sender = await lab.phone(OTHER)
    phone = await lab.phone(PHONE, behaviours=behaviours_of(words), pause=no_pause)
    await sender.send([f"{PHONE}/TYPE=PLMN"], PARTS, delivery_report=True)
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    message = inbox.messages[0]
    assert message.octets_of(message.parts[0]) == PARTS[0].data
    told = await sender.until(lambda inbox: bool(inbox.reports))
    assert told.reports[0].status is Status.RETRIEVED


async def test_report_allowed_no_is_heeded(lab: Lab) -> None:
    """OMA-TS-MMS_ENC 7.3.47: the first MM's recipient wants no report about it, the second's does not mind."""
    sender = await lab.phone(OTHER)
    phone = await lab.phone(PHONE, behaviours=behaviours_of("immediate+no-report,immediate"))
    for number, subject in enumerate(("first", "second"), 1):
        conf = await sender.send([f"{PHONE}/TYPE=PLMN"], [], subject=subject, delivery_report=True)
        await phone.until(lambda inbox, number=number: len(inbox.messages) == number)  # type: ignore[misc]
    inbox = await sender.until(lambda inbox: bool(inbox.reports))
    assert [one.message_id for one in inbox.reports] == [conf.message_id]


async def test_through_a_gateway_its_targets_are_absolute(lab: Lab) -> None:
    host, port = lab.app.listeners["mm1"]
    sender = await lab.phone(OTHER, proxy=f"{host}:{port}")
    phone = await lab.phone(PHONE, proxy=f"{host}:{port}")
    conf = await sender.send([f"{PHONE}/TYPE=PLMN"], PARTS)
    assert conf.response_status is mm1.ResponseStatus.OK
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    assert inbox.failures == []


THIRD = "+15550100777"


async def test_it_forwards_what_it_never_fetched(lab: Lab) -> None:
    """OMA-TS-MMS_ENC 6: the third has the MM, with who sent it on; its first sender hears Forwarded."""
    sender = await lab.phone(OTHER)
    phone = await lab.phone(PHONE, behaviours=behaviours_of(f"forward={THIRD}"))
    third = await lab.phone(THIRD)
    await third.send([f"{OTHER}/TYPE=PLMN"], [])  # until then nobody knows that it takes MMs
    await sender.send([f"{PHONE}/TYPE=PLMN"], PARTS, subject="Lake", delivery_report=True)
    inbox = await third.until(lambda inbox: bool(inbox.messages))
    message = inbox.messages[0]
    assert message.octets_of(message.parts[0]) == PARTS[0].data
    assert [one.value for one in message.conf.previously_sent_by] == [f"{OTHER}/TYPE=PLMN"]
    told = await sender.until(lambda inbox: bool(inbox.reports))
    assert [one.status for one in told.reports] == [Status.FORWARDED]
    assert (phone.inbox.failures, phone.inbox.messages) == ([], [])


async def test_a_reply_that_the_first_sender_pays_for(lab: Lab) -> None:
    """OMA-TS-MMS_ENC 7.3.43 to 7.3.46."""
    sender = await lab.phone(OTHER)
    phone = await lab.phone(PHONE, behaviours=behaviours_of("immediate+reply=Thanks,immediate+reply=Again"))
    first = await sender.send(
        [f"{PHONE}/TYPE=PLMN"],
        [],
        reply_charging=mm1.ReplyCharging.REQUESTED,
        reply_charging_deadline=mm1.Moment(3600),
        reply_charging_size=1000,
    )
    assert first.response_status is ResponseStatus.OK
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    assert inbox.messages[0].conf.reply_charging is mm1.ReplyCharging.ACCEPTED
    told = await sender.until(lambda inbox: bool(inbox.messages))
    assert told.messages[0].conf.reply_charging_id == first.message_id
    assert phone.inbox.failures == []
    again = await phone.send([f"{OTHER}/TYPE=PLMN"], [], reply_charging_id=first.message_id)
    assert again.response_status is ResponseStatus.ERROR_PERMANENT_REPLY_CHARGING_LIMITATIONS_NOT_MET
