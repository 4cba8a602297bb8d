"""What a SubmitReq asks for, over real sockets: on the handset, in the reports, in the answers (TS 23.140 8.7.1)."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mmsc.lab.handset import Fetching
from mmsc.reloading import reload
from mmsc.settings.model import Mm7
from mmsc.settings.neighbours import Vasp
from mmsc.store.core import Unit
from protocols import mm1, mm7
from protocols.mm1.enums import ReplyCharging
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE, Lab, open_lab, picture, settings
from tests.scenarios.test_mm7_changes import ask
from tests.scenarios.test_mm7_to_handset import accepted

SECRET = mm7.Address("7f3a", mm7.AddressForm.NUMBER, coding="obfuscated", id="k1")


def status(answer: object) -> tuple[int, str]:
    assert isinstance(answer, mm7.SubmitRsp), answer
    return int(answer.status.code), answer.status.details


async def test_the_handset_learns_what_the_vasp_asked_for(lab: Lab) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.DEFERRED, version=mm1.VERSION_1_3)
    await phone.send([OTHER], [])  # shows its version: to one that is not known no field of 1.3 is sent
    asked: dict[str, Any] = {
        "applic_id": "chess",
        "reply_applic_id": "desk",
        "aux_applic_info": "move 7",
        "drm_content": False,
    }
    wishes: dict[str, Any] = {"content_class": "image-basic", "distribution_indicator": False}
    charging: dict[str, Any] = {"reply_charging": True, "reply_charging_size": "30000", "reply_deadline": "P2D"}
    accepted(await lab.vasp.submit(PHONE, content=picture(), **asked, **wishes, **charging))
    inbox = await phone.until(lambda inbox: bool(inbox.notifications))
    message = await phone.fetch(inbox.notifications[0])
    assert message is not None
    for pdu in (inbox.notifications[0], message.conf):
        assert {name: getattr(pdu, name) for name in asked} == asked
        assert pdu.content_class is mm1.ContentClass.IMAGE_BASIC
        assert pdu.distribution_indicator is False
        assert (pdu.reply_charging, pdu.reply_charging_size) == (ReplyCharging.ACCEPTED, 30000)
        assert pdu.reply_charging_deadline is not None
    report = await lab.vasp.report()
    assert (report.applic_id, report.reply_applic_id, report.aux_applic_info) == ("desk", "chess", "move 7")


async def test_a_condition_that_is_not_met_is_reported_in_the_words_of_the_release(lab: Lab) -> None:
    accepted(await lab.vasp.submit(OLD_PHONE, content=picture(), delivery_conditions=("1",)))
    report = await lab.vasp.report()
    assert report.mm_status == "DeliveryConditionNotMet"
    assert report.status_text.startswith("delivery condition: MMS-capable terminals only")


async def test_a_coded_recipient_is_reported_as_it_was_named(tmp_path: Path) -> None:
    base = settings(tmp_path, 1, "")
    async with open_lab(tmp_path) as lab:
        vasp = msgspec.structs.replace(base.vasp["news"], coded_addresses={"k1": PHONE})
        await with_vasp(lab, vasp)
        phone = await lab.phone(PHONE, fetching=Fetching.DEFERRED)
        rsp = accepted(await lab.vasp.submit(to=(SECRET,), content=picture()))
        inbox = await phone.until(lambda inbox: bool(inbox.notifications))
        message = await phone.fetch(inbox.notifications[0])
        assert message is not None
        assert message.conf.to == ()
        assert (await lab.vasp.report()).recipient == SECRET
        late = await ask(lab, mm7.CancelReq(vasp_id="news", message_id=rsp.message_id))
        assert late.details == "7f3a: retrieved already"


async def test_a_coded_sender_is_told_as_it_named_itself(tmp_path: Path) -> None:
    """TS 23.140 8.7.5: Sender is the address that the VASP gave."""
    base = settings(tmp_path, 1, "")
    async with open_lab(tmp_path) as lab:
        await with_vasp(lab, msgspec.structs.replace(base.vasp["news"], coded_addresses={"k1": "+15550100777"}))
        phone = await lab.phone(PHONE)
        accepted(await lab.vasp.submit(PHONE, content=picture(), sender_address=SECRET))
        inbox = await phone.until(lambda inbox: bool(inbox.messages))
        assert str(inbox.messages[0].conf.from_).startswith("+15550100777")
        assert (await lab.vasp.report()).sender == SECRET


async def with_vasp(lab: Lab, vasp: Vasp) -> None:
    """Settings read again with another VASP; its report_url stays."""
    now = lab.app.settings
    vasp = msgspec.structs.replace(vasp, report_url=now.vasp["news"].report_url)
    new = msgspec.structs.replace(now, vasp={"news": vasp})
    assert await reload(lab.app, lambda: new) == "applied"


async def test_who_cannot_be_served_beside_others_is_told_in_details(lab: Lab) -> None:
    await lab.phone(PHONE)
    answer = await lab.vasp.submit(to=(mm7.Address(PHONE), SECRET, mm7.Address("999", mm7.AddressForm.SHORT_CODE)))
    code, details = status(answer)
    assert code == 1100
    assert details.startswith("7f3a: no number is known behind this obfuscated address; 999: ")
    assert status(await lab.vasp.submit(to=(SECRET,)))[0] == 2002
    shown = mm7.Address(PHONE, display_only=True)
    assert status(await lab.vasp.submit(to=(shown,)))[0] == 2002


@pytest.mark.parametrize(("policy", "expected"), [("refuse_any", 2002), ("single_only", 3003)])
async def test_policies_about_several_recipients(tmp_path: Path, policy: str, expected: int) -> None:
    mm7_section = msgspec.convert({"port": 0, "partial_success": policy}, Mm7)
    async with open_lab(tmp_path, mm7=mm7_section) as lab:
        await lab.phone(PHONE)
        unknown = mm7.Address("999", mm7.AddressForm.SHORT_CODE)
        code, details = status(await lab.vasp.submit(to=(mm7.Address(PHONE), unknown)))
        assert code == expected
        assert "999" in details or "one at a time" in details
        assert status(await lab.vasp.submit(PHONE))[0] == 1000


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"expiry_date": "2001-01-01T00:00:00Z"}, 2007),
        ({"earliest_delivery_time": "PT2H", "expiry_date": "PT1H"}, 2007),
        ({"reply_charging": True, "reply_deadline": "-PT1H"}, 2007),
        ({"delivery_conditions": ("none",)}, 2007),
        ({"applic_id": "nobody's"}, 2008),
        ({"reply_applic_id": "nobody's"}, 2009),
        ({"applic_id": "chess"}, 4008),
        ({"message_class": "News", "delivery_conditions": ("77",), "expiry_date": "P10Y"}, 1000),
    ],
)
async def test_a_refusal_is_of_its_own_kind_and_the_next_request_is_served(
    lab: Lab, fields: dict[str, Any], code: int
) -> None:
    now = lab.app.settings
    vasps = {"news": msgspec.structs.replace(now.vasp["news"], applic_ids=("quiz",)), "games": Vasp(username="games")}
    vasps["games"] = msgspec.structs.replace(vasps["games"], password="secret2", applic_ids=("chess",))
    assert await reload(lab.app, lambda: msgspec.structs.replace(now, vasp=vasps)) == "applied"
    answer = await lab.vasp.submit(PHONE, **fields)
    assert isinstance(answer, mm7.SubmitRsp | mm7.Fault)
    assert int(answer.status.code) == code
    if code in (2008, 2009, 4008):
        await refused_in_trace(lab, next(iter(fields.values())))
    await lab.phone(PHONE)
    accepted(await lab.vasp.submit(PHONE, content=picture(), applic_id="quiz"))
    assert (await lab.vasp.report()).mm_status == "Retrieved"


async def refused_in_trace(lab: Lab, value: str) -> None:
    """The event of a refusal that names this value; it is written after the answer."""
    async with asyncio.timeout(10):
        while True:
            rows = await lab.app.store.fetch("SELECT data FROM event WHERE kind = 'submission.refused'")
            if any(value in str(row[0]) and "not_offered" in str(row[0]) for row in rows):
                return
            await lab.app.store.commit(Unit(None, ()))


async def test_members_of_the_group_are_shown_to_each_and_those_who_are_only_shown_get_nothing(lab: Lab) -> None:
    """To and Cc, also displayOnly; Bcc never."""
    phone, other = await lab.phone(PHONE), await lab.phone(OTHER)
    shown = mm7.Address("+15550100777", display_only=True)
    hidden = mm7.Address(OTHER)
    answer = await lab.vasp.submit(content=picture(), to=(mm7.Address(PHONE),), cc=(shown,), bcc=(hidden,))
    accepted(answer)
    for one in (phone, other):
        inbox = await one.until(lambda inbox: bool(inbox.messages))
        conf = inbox.messages[0].conf
        assert [text.partition("/")[0] for text in (*conf.to, *conf.cc)] == [PHONE, "+15550100777"]
    reports = {(await lab.vasp.report()).recipient.value for _ in range(2)}
    assert reports == {PHONE, OTHER}


async def test_what_was_forgiven_stands_in_the_trace(lab: Lab) -> None:
    await lab.phone(PHONE)
    fields: dict[str, Any] = {"message_class": "Auto", "time_stamp": "1970-01-01T00:00:00Z", "drm_content": True}
    accepted(
        await lab.vasp.submit(PHONE, content=picture(), content_class="text", charged_party="ThirdParty", **fields)
    )
    rows = await lab.app.store.fetch("SELECT data FROM event WHERE kind = 'finding.noted'")
    found = "".join(str(row[0]) for row in rows)
    for number in (101, 103, 105, 106, 107):
        assert f"MM7-R{number}" in found
