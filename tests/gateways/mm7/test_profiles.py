"""Dialect profiles (TS 23.140 8.7.8): what each ready one writes, octet for octet, and that our own reader finds in it
what the standard's spelling says, beside what the profile means to change."""

import re
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import pytest

from mmsc.domain.mm7_profile import Mm7Profile
from mmsc.domain.neighbours import DeliverContent, TransferEncoding, Vasp
from mmsc.gateways.mm7.answers import Context, answered, refused
from mmsc.gateways.mm7.profiles import answer_headers, request_headers, server_id_for, style_of, told_code
from mmsc.gateways.mm7.translate import report_of
from mmsc.settings.profiles import ready
from protocols import mm7
from protocols.mm7 import StatusCode, Style
from tests.cases import Case, cases, plain
from tests.gateways.mm7.profiles import ELSEWHERE, KINDS, PLANS, Written, standard_message, vasp_with, written
from tests.gateways.mm7.test_deliver import job_of

GOLDEN = cases("mm7/profiles")
PAIRS = [(profile, kind) for profile in ready() for kind in KINDS]
REPORT, DELIVER, RSP, FAULT = "delivery-report-req", "deliver-req", "submit-rsp", "fault"
# What a profile says otherwise, by attribute; all else is only spelled otherwise.
CHANGED: dict[tuple[str, str], dict[str, Any]] = {
    ("nokia", REPORT): {"mms_relay_server_id": "Nokia MMS Center MC5.0"},
    ("nokia", DELIVER): {"mms_relay_server_id": "Nokia MMS Center MC5.0"},
    ("mm7-soap", DELIVER): {
        **dict.fromkeys(("mms_relay_server_id", "vasp_id", "linked_id", "time_stamp", "priority", "subject"), ""),
        "ua_prof": "",
        "ua_time_stamp": "",
        "sender": None,
        "to": (),
    },
    ("openwave", FAULT): {"status": 2500},
    ("china-mobile", RSP): {"status": 1001},
    ("china-mobile", REPORT): {"status_text": "1000"},
    ("china-unicom", REPORT): {"mm_status": "Third:User Retrieved", "status_text": "1000"},
    ("lgt", REPORT): {"mms_relay_server_id": "LGT-MMS-Relay", "status_text": "OK"},
    ("lgt", DELIVER): {"mms_relay_server_id": "LGT-MMS-Relay"},
    ("ktf", REPORT): {"status_text": "OK"},
    ("skt", REPORT): {"status_text": "OK"},
    ("telstra", DELIVER): {"ua_prof": "Phone/1"},
    ("swapped-reports", REPORT): {"sender": "+15550100123", "recipient": "4488"},
}


def _read(found: Written) -> mm7.Envelope:
    return mm7.decode(found.content_type, found.body).message


def _meaning(message: mm7.Message, profile: str) -> dict[str, Any]:
    """Its values, addresses as the number plan reads them and times as instants."""
    plan = PLANS.get(profile, ELSEWHERE)

    def of(value: Any) -> Any:
        if isinstance(value, mm7.Address):
            known = plan.normalise(value.value)
            return getattr(known, "address", known).value  # type: ignore[union-attr]
        if isinstance(value, tuple):
            return tuple(of(one) for one in value)
        if isinstance(value, mm7.Status):
            return int(value.code)
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
            return datetime.fromisoformat(value).timestamp()
        return value.removeprefix("cid:").strip() if isinstance(value, str) else value

    return {one.name: of(getattr(message, one.name)) for one in fields(message)}


@pytest.mark.parametrize("case", GOLDEN, ids=str)
def test_each_ready_profile_writes_its_golden(case: Case) -> None:
    meaning = case.meaning
    found = written(meaning["kind"], meaning["profile"])
    assert found.body == case.octets
    assert [found.status, found.content_type, [list(one) for one in found.headers]] == [
        meaning["http_status"],
        meaning["content_type"],
        meaning["headers"],
    ]
    envelope = _read(found)
    assert (envelope.transaction_id, envelope.dialect.tag) == (meaning["transaction_id"], meaning["tag"])
    assert plain(envelope.message) == meaning["message"]


def test_each_ready_profile_has_its_goldens() -> None:
    assert {(one.meaning["profile"], one.meaning["kind"]) for one in GOLDEN} == set(PAIRS)
    assert {profile for profile, _ in CHANGED} <= set(ready())


@pytest.mark.parametrize(("profile", "kind"), PAIRS)
def test_our_reader_finds_the_same_values(profile: str, kind: str) -> None:
    envelope = _read(written(kind, profile))
    expected = _meaning(standard_message(kind, profile), profile) | CHANGED.get((profile, kind), {})
    assert _meaning(envelope.message, profile) == expected
    assert (envelope.content is not None) == (kind == DELIVER)


@pytest.mark.parametrize("kind", KINDS)
def test_the_standard_is_no_profile(kind: str) -> None:
    assert vasp_with("") == vasp_with("standard")
    assert vasp_with("").profile is None
    assert written(kind, "") == written(kind, "standard")
    found = written(kind, "")
    assert mm7.decode(found.content_type, found.body).findings == ()


def test_a_profile_has_every_field_of_a_style_with_its_default() -> None:
    profile = {one.name: one.default for one in fields(Mm7Profile)}
    assert {one.name: one.default for one in fields(Style)}.items() <= profile.items()
    assert style_of(Vasp(name="n", profile=Mm7Profile(name="x"))) == Style()
    assert style_of(Vasp(name="n")) is style_of(None) is None


# --- what the gateway does itself


def test_what_a_vasp_sets_itself_counts_before_its_profile() -> None:
    nokia = vasp_with("nokia")
    assert (nokia.deliver_encoding, nokia.deliver_content) == (TransferEncoding.BASE64, DeliverContent.RELATED)
    assert nokia.namespace == mm7.BASE + mm7.LATEST
    own = vasp_with("nokia", deliver_encoding="binary", namespace=mm7.BASE + "REL-6-MM7-1-0", errors="rsp")
    assert (own.deliver_encoding, own.errors) == (TransferEncoding.BINARY, "rsp")
    assert own.namespace.endswith("REL-6-MM7-1-0")
    assert own.profile == nokia.profile
    assert vasp_with("fault-for-everything").fault_http_status == 200
    assert vasp_with("fault-for-everything", fault_http_status=500).fault_http_status == 500


@pytest.mark.parametrize("profile", ["sinch", "fault-for-everything"])
def test_a_fault_for_every_error(profile: str) -> None:
    vasp = vasp_with(profile)
    spoken = mm7.dialect(vasp.namespace or mm7.BASE + mm7.LATEST)
    assert spoken is not None
    answer = refused(Context("t", spoken, "6.8.0", vasp, "SubmitReq"), StatusCode.ADDRESS_ERROR, "nobody")
    message = mm7.decode(answer.content_type, answer.body).message.message
    assert isinstance(message, mm7.Fault)
    assert answer.status == (200 if profile == "fault-for-everything" else 500)


@pytest.mark.parametrize("profile", ["", "china-mobile", "china-unicom"])
def test_a_reply_that_naive_scanners_find(profile: str) -> None:
    body = written(RSP, profile).body
    assert body.startswith(b"<?xml")
    assert body.endswith(b"</env:Envelope>")


@pytest.mark.parametrize(
    ("code", "where", "told"),
    [
        (4004, "Header/TransactionID", 2500),
        (4004, "SubmitReq/Recipients", 2503),
        (4004, "", 2503),
        (2007, "SubmitReq/Recipients", 2007),
        (1000, "", 1000),
    ],
)
def test_the_code_that_names_its_element_goes_first(code: int, where: str, told: int) -> None:
    assert told_code(vasp_with("openwave"), StatusCode(code), where) == told
    assert told_code(vasp_with(""), StatusCode(code), where) == code
    assert told_code(None, StatusCode(code), where) == code


def test_a_private_code_keeps_the_standards_text() -> None:
    spoken = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert spoken is not None
    answer = answered(Context("t", spoken, "6.8.0", vasp_with("china-mobile"), "SubmitReq"), StatusCode.PARTIAL_SUCCESS)
    message = mm7.decode(answer.content_type, answer.body).message.message
    assert isinstance(message, mm7.SubmitRsp)
    assert (message.status.code, message.status.text) == (1001, "Partial success")


@pytest.mark.parametrize(
    ("action", "sent"),
    [("quoted", '""'), ("empty", ""), ("namespace", mm7.BASE + mm7.LATEST), ("none", None)],
)
def test_soap_action(action: str, sent: str | None) -> None:  # SOAP 1.1 6.1.1
    spoken = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert spoken is not None
    profile = Mm7Profile(soap_action=action, http_headers=(("X-Carrier", "1"),), server_id="us")
    vasp = replace(vasp_with(""), profile=profile)
    headers = request_headers(vasp, "text/xml", spoken)
    assert headers.get("SOAPAction") == sent
    assert (headers["X-Carrier"], headers["Content-Type"]) == ("1", "text/xml")
    assert answer_headers(vasp) == (("X-Carrier", "1"),)
    assert server_id_for(vasp, "mms.example") == "us"
    assert server_id_for(vasp_with(""), "mms.example") == "mms.example"


@pytest.mark.parametrize("tag", ["REL-5-MM7-1-0", "REL-6-MM7-1-4"])
def test_relayed_is_told_as_forwarded(tag: str) -> None:
    """Where a profile asks for it: the engine makes such a report for nobody else."""
    spoken = mm7.dialect(mm7.BASE + tag)
    assert spoken is not None
    assert vasp_with("swapped-reports").relayed_reports
    assert not vasp_with("").relayed_reports
    job = job_of("+15550100123")._replace(payload={"state": "relayed", "date": "1000000"})
    report = report_of(job, spoken, spoken.version, "mms.example")
    assert (report.mm_status, report.status_text) == ("Forwarded", "sent to the network")


def test_what_is_delivered_may_speak_another_dialect_than_what_is_reported() -> None:
    """A VASP whose deliver_url is another vendor's system (deliver_profile)."""
    assert written(DELIVER, "nokia", deliver_profile="swapped-reports") == written(DELIVER, "swapped-reports")
    assert written(DELIVER, "swapped-reports") != written(DELIVER, "nokia")
    assert written(REPORT, "nokia", deliver_profile="swapped-reports") == written(REPORT, "nokia")
