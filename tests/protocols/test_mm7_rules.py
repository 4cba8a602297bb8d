"""The rules of MM7: each has its name, and its examples do what they are examples of (TS 23.140 8.7.8)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import mm7
from protocols.errors import Finding
from protocols.mm7 import rules
from protocols.mm7.rules import Frame
from protocols.mm7.shapes import longest_rise
from protocols.rules import Rule

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
HEAD = "<MM7Version>6.8.0</MM7Version><SenderIdentification/>"
TO = "<Recipients><To><Number>+15550100123</Number></To></Recipients>"


def envelope(body: str, tag: str = mm7.LATEST) -> bytes:
    """A body in an envelope; its namespace is the default one inside, TransactionID's that of the body."""
    tag = "REL-5-MM7-1-2" if "REL-5-MM7-1-2" in body else tag
    header = f'<env:Header><TransactionID xmlns="{mm7.BASE}{tag}">t-1</TransactionID></env:Header>'
    return (
        f'<env:Envelope xmlns:env="{SOAP}">\n{header}\n<env:Body xmlns="{mm7.BASE}{tag}">\n{body}\n</env:Body>'
        "</env:Envelope>"
    ).encode()


def submit(inner: str) -> bytes:
    return envelope(f"<SubmitReq>{HEAD}{TO}\n{inner}</SubmitReq>")


def attached(example: str) -> tuple[str, bytes]:
    xml, _, head = example.partition("\n")
    parts = (b"Content-Type: text/xml\r\n\r\n" + submit(xml), head.replace("\n", "\r\n").encode() + b"\r\n\r\noctets")
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return 'multipart/related; boundary=b; type="text/xml"', body


def of_http(example: str) -> tuple[Finding, ...]:
    headers = dict(line.split(": ", 1) for line in example.splitlines())
    media = headers["Content-Type"]
    plain = ("text/xml", submit(""))
    _, body = attached('<Content href="cid:a"/>\nContent-ID: <a>') if media.startswith("multipart") else plain
    return (*rules.soap_action(headers.get("SOAPAction")), *mm7.decode(media, body).findings)


def findings(rule: Rule, example: str) -> tuple[Finding, ...]:
    if rule.where == Frame.HTTP:
        return of_http(example)
    if rule.where == Frame.CONTENT:
        return mm7.decode(*attached(example)).findings
    octets = {
        Frame.SUBMIT_REQ: lambda: submit(example),
        Frame.BODY: lambda: envelope(example),
        Frame.REL5_BODY: lambda: envelope(example, "REL-5-MM7-1-2"),
        Frame.SOAP: lambda: example.encode(),
    }[Frame(rule.where)]()
    return mm7.decode("text/xml", octets).findings


def test_rules_have_names_of_their_own() -> None:
    assert [rule.name for rule in rules.RULES] == [f"MM7-R{number:03}" for number in range(1, len(rules.RULES) + 1)]
    assert all(rule.clause and rule.text and rule.why and rule.bad for rule in rules.RULES)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_the_good_example_has_nothing_to_remark(rule: Rule) -> None:
    assert findings(rule, rule.good) == ()


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_the_bad_example_breaks_its_rule_and_no_other(rule: Rule) -> None:
    found = findings(rule, rule.bad)
    assert [one.rule for one in found] == [rule.name] * max(1, len(found))
    assert all(one.clause == rule.clause and one.remark for one in found)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<Subject>a</Subject><Priority>High</Priority><ServiceCode>x</ServiceCode>", ["R004", "R004"]),
        ("<Content href='cid:a'/><ServiceCode>x</ServiceCode><LinkedID>l</LinkedID>", ["R004"]),
        ("<Extra/><ExpiryDate>soon</ExpiryDate><ReadReply>yes</ReadReply>", []),
        ("<Extra/><ExpiryDate>soon</ExpiryDate><DeliveryReport>TRUE</DeliveryReport>", ["R005", "R009", "R008"]),
        ("<x:Priority xmlns:x='urn:x'>High</x:Priority><x:More xmlns:x='urn:x'/>", ["R005", "R013"]),
        ("<Recipients><Cc><Number>+15550100124</Number></Cc></Recipients>", ["R018"]),
        ("<DeliveryCondition><DC>1</DC><DC>x</DC><DC>y</DC></DeliveryCondition>", ["R019", "R019"]),
        ("<ReplyCharging replyChargingSize='big' replyDeadline='soon'/>", ["R019", "R009"]),
        ("<DistributionProtection>true</DistributionProtection>", ["R020"]),
        ("<MMStatus>Read</MMStatus>", ["R005"]),
        ("<Subject><b>a</b></Subject>", ["R005"]),
    ],
)
def test_each_thing_that_is_wrong_is_told_once(body: str, told: list[str]) -> None:
    octets = submit(body)
    if "yes" in body:
        with pytest.raises(mm7.Mm7Error):
            mm7.decode("text/xml", octets)
        return
    message = attached(body + "\nContent-ID: <a>") if "href" in body else ("text/xml", octets)
    decoded = mm7.decode(*message)
    assert [one.rule.removeprefix("MM7-") for one in decoded.findings] == told


def test_a_remark_names_element_line_and_value() -> None:
    octets = submit("<ServiceCode>x</ServiceCode>\n<Priority>HIGH</Priority>\n<Urgency>9</Urgency>")
    remarks = [one.remark for one in mm7.decode("text/xml", octets).findings]
    assert remarks == [
        "Urgency '9' in line 7: no child of SubmitReq",
        "Priority in line 6: The value 'HIGH' is not an element of the set {'Low', 'Normal', 'High'}.",
    ]


@given(st.lists(st.integers(0, 9), max_size=12))
def test_the_least_is_out_of_place(places: list[int]) -> None:
    stay = [places[index] for index in sorted(longest_rise(places))]
    assert stay == sorted(stay)
    longest = max(len(one) for one in subsequences(places) if one == sorted(one))
    assert len(stay) == longest


def subsequences(items: list[int]) -> list[list[int]]:
    found: list[list[int]] = [[]]
    for item in items:
        found += [[*one, item] for one in found]
    return found


@pytest.mark.parametrize("size", [1, 2900])
def test_what_cannot_be_longer_is_told_in_time(size: int) -> None:
    """libxml2 and we: both look at every element once for each run."""
    inner = "<Extra/>" * size + f"<DeliveryCondition>{'<DC/>' * 20}</DeliveryCondition>"
    started = time.process_time()
    found = mm7.decode("text/xml", submit(inner)).findings
    assert time.process_time() - started < 5
    assert 1 <= len(found) <= 21


def test_what_a_fault_carries_is_held_against_the_schema_too() -> None:
    error = f"<RSErrorRsp xmlns='{mm7.BASE}{mm7.LATEST}'><Status><StatusCode>4006</StatusCode></Status></RSErrorRsp>"
    fault = f"<env:Fault xmlns=''><faultcode>env:Server</faultcode><detail>{error}</detail></env:Fault>"
    found = mm7.decode("text/xml", envelope(fault)).findings
    assert [one.remark for one in found] == [
        "RSErrorRsp in line 4: MM7Version is missing",
        "Status in line 4: StatusText is missing",
    ]


def test_what_was_written_between_braces_stays_in_the_remark() -> None:
    (found,) = mm7.decode("text/xml", submit("<Priority>{High}</Priority>")).findings
    assert "'{High}' is not an element of the set {'Low', 'Normal', 'High'}" in found.remark
