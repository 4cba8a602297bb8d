"""Each event makes its records, and each record has what is mandatory."""

from typing import Any

import pytest

from mmsc.cdr.happened import Happened, House
from mmsc.cdr.making import records_of
from mmsc.cdr.records import BY_NAME
from mmsc.cdr.triggers import names_of
from mmsc.clock import VirtualClock
from mmsc.domain.message import Interface, Origin
from mmsc.store.sqlite import SqliteStore
from mmsc.trace import events as trace
from tests.cdr.world import CONTENT, World

HOUSE = House("mms.example", "a", {"other": "mms.other.example"})
MM4 = {"mm4_version": "6.10.0", "mm4_originator_system": "mms-system@mms.other.example", "mm4_ack_request": "1"}


def moved(happening: str, **changes: Any) -> trace.RecipientMoved:
    return trace.RecipientMoved("relayed", "retrieved", happening, **changes)


@pytest.mark.parametrize(
    ("interface", "data", "expected"),
    [
        ("mm1", trace.MmAccepted("mm1", "n", "m", "s", 1, 9), [{"recordType": "O1S", "statusText": "Ok"}]),
        (
            "mm1",
            trace.MmAccepted("mm1", "n", "m", "s", 1, 9, forwards="recipient"),
            [{"recordType": "F", "messageReference": "recipient", "mmStatusCode": "forwarded", "statusText": "Ok"}],
        ),
        (
            "mm4",
            trace.MmAccepted("mm4", "other", "m", "s", 1, 9),
            [{"recordType": "R4F", "originatorMmsRSAddress": "mms.other.example", "acknowledgementRequest": True}],
        ),
        (
            "mm7",
            trace.ForwardSent("other", 1, ("+16660100123",), True),
            [{"recordType": "O4FRq", "recipientMmsRSAddress": "mms.other.example", "forwardCounter": 1}],
        ),
        ("mm7", trace.ForwardSent("other", 2, ("+16660100123",), True, resent=True), []),
        (
            "mm7",
            trace.ForwardAnswered("other", False, "full\nup", "Error-content-not-accepted"),
            [{"recordType": "O4FRs", "requestStatusCode": 35, "statusText": "full up"}],
        ),
        ("mm7", trace.ForwardAnswered("other", False, "no", "Error-of-ours"), [{"requestStatusCode": 4}]),
        ("mm7", trace.ForwardAnswered("other", False, "the mail came back"), []),
        (
            "mm7",
            moved("peer_deferred", dated=1_700_000_000_000_000, ack_asked=True),
            [
                {
                    "recordType": "O4D",
                    "mmStatusCode": "deferred",
                    "mmDateAndTime": "2023-11-14T22:13:20.000Z",
                    "acknowledgementRequest": True,
                    "recipientMmsRSAddress": "mms.other.example",
                }
            ],
        ),
        ("mm7", moved("refused_by_peer"), []),
        ("mm7", moved("retrieved", because="never acknowledged"), []),
        (
            "mm7",
            moved("retrieved", answer="notifyresp", report_denied=True),
            [{"recordType": "R1NRs", "reportAllowed": False, "mmStatusCode": "retrieved"}],
        ),
        ("mm7", moved("retrieved", answer="acknowledge"), [{"recordType": "R1A", "reportAllowed": True}]),
        (
            "mm1",
            trace.ReportDelivered("smsc:local", "unreachable", 1),
            [{"recordType": "O1D", "mmStatusCode": "rejected"}],
        ),
        (
            "mm4",
            trace.ReportDelivered("peer:other", "expired", 1),
            [{"recordType": "R4DRq", "mmStatusCode": "expired"}],
        ),
        ("mm4", trace.ReportDelivered("peer:other", "", 1), []),
        ("mm4", trace.ReportDelivered("peer:other", "cancelled", 1, nothing_sent=True), []),
        (
            "mm7",
            trace.ReportDelivered("vasp:news", "condition_not_met", 1),
            [{"recordType": "7DRRq", "mmStatusCode": "rejected"}, {"recordType": "7DRRs", "requestStatusCode": 0}],
        ),
        ("mm4", trace.ReportAnswered("other", "m", "Ok"), [{"recordType": "R4DRs", "requestStatusCode": 0}]),
        (
            "mm7",
            trace.ChangeAnswered("cancel", "other", "t", done=1, late=(("+1", "why"),)),
            [{"recordType": "7C", "requestStatusCode": 0, "statusText": "Ok, too late for some recipients"}],
        ),
        (
            "mm7",
            trace.ChangeAnswered("replace", "other", "t", late=(("+1", "why"),)),
            [{"recordType": "7R", "requestStatusCode": 4, "statusText": "Not Possible"}],
        ),
        ("mm7", trace.TaskOvertaken("notify", "smsc:local", "pushed"), [{"recordType": "R1NRq"}]),
        ("mm7", trace.TaskOvertaken("notify", "smsc:local", "link sent"), []),
        ("mm7", trace.MmRead(False), [{"recordType": "R1RR", "mmStatusCode": "deletedWithoutBeingRead"}]),
        ("mm7", trace.MmDeleted("m", "mm7", "", 7, "expired"), [{"recordType": "OMD", "mmStatusCode": "expired"}]),
        (
            "mm4",
            trace.MmDeleted("m", "mm4", "mms.other.example", 7),
            [{"recordType": "RMD", "originatorMmsRSAddress": "mms.other.example", "messageSize": 7}],
        ),
        (
            "mm1",
            trace.DeliverAnswered("news", 1, True, 1000, "1000 Success", "gold", "l-1", "t-1"),
            [
                {"recordType": "7DRq", "linkedID": "l-1", "messageSize": 1, "priority": "normal"},
                {"recordType": "7DRs", "serviceCode": "gold", "requestStatusCode": 0, "statusText": "1000 Success"},
            ],
        ),
        (
            "mm4",
            trace.DeliverAnswered("news", 1, False, 4007, "4007 no credit"),
            [{"recordType": "7DRq"}, {"recordType": "7DRs", "requestStatusCode": 30}],
        ),
        ("mm1", trace.DeliverAnswered("news", 4, False, 0, "HTTP 404"), [{"recordType": "7DRq"}]),
        (
            "mm1",
            trace.ReadReported("smsc:local", True, 1, "", 1_700_000_000_123_456),
            [{"recordType": "O1R", "readStatus": "read"}],
        ),
        (
            "mm7",
            trace.ReadReported("vasp:news", False, 1, "", 1_700_000_000_123_456),
            [
                {
                    "recordType": "7RRq",
                    "readStatus": "deletedWithoutBeingRead",
                    "mmDateAndTime": "2023-11-14T22:13:20.123Z",
                },
                {"recordType": "7RRs", "requestStatusCode": 0},
            ],
        ),
        ("mm7", trace.SubmissionRefused("mm7", "news", "busy", "why"), []),
    ],
)
def test_what_an_event_makes(interface: str, data: trace.Data, expected: list[dict[str, Any]]) -> None:
    world = World(SqliteStore(":memory:"), VirtualClock())  # a store that is never opened: nothing is written
    details = MM4 if interface == "mm4" else {}
    mm = world.mm()._replace(origin=Origin(Interface(interface), "other"), details=details)
    recipient = ("+16660100123", "other")
    happened = Happened(7, 1, data, mm, 5, *recipient, (("+16660100123", "bcc"),), CONTENT.parts)
    found = records_of(happened, HOUSE)
    assert len(found) == len(expected) == len(names_of(data))
    for one, wanted in zip(found, expected, strict=True):
        assert wanted.items() <= one.items()
        assert {field.name for field in BY_NAME[one["recordType"]].fields if field.mandatory} <= one.keys()
        assert next(iter(one)) == "recordType"
        assert list(one)[-1] == "recordExtensions"
