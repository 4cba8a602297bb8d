"""What a VASP asked for about charging and redistribution, in the records (TS 32.298; TS 23.140 8.7.1)."""

from collections.abc import Mapping
from typing import Any

import pytest

from mmsc.cdr.happened import Happened, House
from mmsc.cdr.making import records_of
from mmsc.clock import VirtualClock
from mmsc.store.sqlite import SqliteStore
from mmsc.trace import events as trace
from tests.cdr.world import World

HOUSE = House("mms.example", "a", {})
WISHES = {
    "reply_charging": "requested",
    "reply_charging_size": "30000",
    "reply_deadline": "1700000000000000",
    "distribution_indicator": "false",
}
ACCEPTED = trace.MmAccepted("mm7", "news", "m", "4488", 1, 9)


@pytest.fixture
def world(tmp_path: Any) -> World:
    clock = VirtualClock()
    return World(SqliteStore(str(tmp_path / "unused.db")), clock)


def record(world: World, data: trace.Data, **details: str) -> Mapping[str, Any]:
    """The record of an event about an MM with these details."""
    mm = world.mm(details={"vasp_id": "news", "vas_id": "v1", **details})
    happened = Happened(1, mm.submitted_at, data, mm, 2, "+15550100123", recipients=(("+15550100123", "to"),))
    [made] = records_of(happened, HOUSE)
    return made


def test_a_submission_tells_reply_charging_and_redistribution(world: World) -> None:
    made = record(world, ACCEPTED, **WISHES)
    assert made["recordType"] == "7S"
    assert (made["replyCharging"], made["replyChargingSize"]) == (True, 30000)
    assert made["replyDeadline"] == "2023-11-14T22:13:20.000Z"
    assert made["messageDistributionIndicator"] is False


def test_so_does_the_notification_as_far_as_it_has_fields(world: World) -> None:
    made = record(world, trace.NotificationPushed("local", 1, ("1",)), **WISHES)
    assert made["recordType"] == "R1NRq"
    assert (made["replyCharging"], made["replyChargingSize"]) == (True, 30000)
    assert "messageDistributionIndicator" not in made


def test_what_was_not_asked_for_is_not_told(world: World) -> None:
    made = record(world, ACCEPTED)
    assert not made.keys() & {"replyCharging", "replyDeadline", "replyChargingSize", "messageDistributionIndicator"}
    assert made["chargeInformation"] == {"chargedparty": "notspecifiedbyVASP"}
    assert made["recordExtensions"].keys() == {"eventID", "node"}


def test_a_third_party_that_the_record_has_no_word_for_stands_in_its_extensions(world: World) -> None:
    made = record(world, ACCEPTED, charged_party="ThirdParty", charged_party_id="sponsor", service_code="gold")
    assert "chargeInformation" not in made
    assert made["serviceCode"] == "gold"
    extensions = made["recordExtensions"]
    assert (extensions["chargedParty"], extensions["chargedPartyID"]) == ("thirdParty", "sponsor")


@pytest.mark.parametrize(
    ("interface", "details", "payer"),
    [
        ("mm1", {"reply_charging_id": "m-7", "charged_party": "recipient"}, {"chargedparty": "recipient"}),
        ("mm1", {"reply_charging_id": "m-7"}, None),
        ("mm4", {"reply_charging_id": "m-7", "charged_party": "recipient"}, None),
    ],
)
def test_a_reply_within_its_offer_is_paid_for_by_who_gets_it(
    world: World, interface: str, details: dict[str, str], payer: Any
) -> None:
    """TS 23.140 7.1.7; TS 32.298: replyChargingID says to what it is a reply."""
    mm = world.mm(interface, details=details)
    accepted = trace.MmAccepted(interface, "n", "m", "s", 1, 9)
    [made] = records_of(Happened(1, mm.submitted_at, accepted, mm, recipients=(("+1", "to"),)), HOUSE)
    assert made.get("chargeInformation") == payer
    told = record(world, trace.NotificationPushed("local", 1, ("1",)), **details)
    assert told["replyChargingID"] == "m-7"
