"""The rules of MM1 and of WSP beneath it: each has its name, its examples do what they are examples of, and a remark
says what is wrong where (OMA-TS-MMS_ENC 6, 7; WAP-230-WSP 8)."""

import re
from typing import Any

import pytest

from mmsc.cli import explain
from protocols import mm1
from protocols.errors import Finding
from protocols.mm1 import rules
from protocols.mm1.meaning_rules import MEANING_RULES
from protocols.mm1.rules import Frame
from protocols.mm1.values import bare_id
from protocols.mm1.walk import MAXIMUM_FIELDS
from protocols.octets import MAXIMUM_FINDINGS
from protocols.rules import Rule
from protocols.wsp import rules as wsp_rules
from protocols.wsp.multipart import read_multipart
from tests.tidy.project import TOP

ACK = bytes.fromhex("8c85 987400 8d92".replace(" ", ""))
NOTIFICATION = bytes.fromhex("8c82 984e00 8d92 8a80 8e023039 88058103 02a300 837500".replace(" ", ""))
ALL = [*rules.RULES, *MEANING_RULES]


def findings(rule: Rule, example: str) -> tuple[Finding, ...]:
    octets = bytes.fromhex(example)
    if rule.where == wsp_rules.Frame.BODY:
        return read_multipart(octets).findings
    return mm1.decode(NOTIFICATION + octets if rule.where == Frame.NOTIFICATION else octets).findings


def found_in(octets: str) -> list[tuple[str, int]]:
    return [(one.rule, one.offset) for one in mm1.decode(bytes.fromhex(octets)).findings]


def test_rules_have_names_of_their_own() -> None:
    names = [rule.name for rule in ALL]
    assert len(set(names)) == len(names)
    assert [name for name in names if "-H9" not in name] == [
        *(f"MM1-H{number:03}" for number in range(1, 28) if number != 10),
        *(f"WSP-H{number:03}" for number in range(1, len(wsp_rules.RULES) + 1)),
        "MM1-H010",
    ]
    assert all(rule.clause and rule.text and rule.why and rule.good and rule.bad for rule in ALL)


def test_every_rule_that_is_named_anywhere_can_be_explained() -> None:
    """`mmsc explain` tells of those that the engine and the gateways name, too."""
    named = {name for path in (TOP / "mmsc").rglob("*.py") for name in re.findall(r"MM1-H\d+", path.read_text())}
    assert named - {rule.name for rule in ALL} == set()
    assert {rule.name for rule in ALL} <= {rule.name for rule in explain.rules()}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_the_good_example_has_nothing_to_remark(rule: Rule) -> None:
    assert findings(rule, rule.good) == ()


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_the_bad_example_breaks_its_rule_and_no_other(rule: Rule) -> None:
    found = findings(rule, rule.bad)
    assert [one.rule for one in found] == [rule.name]
    assert all(one.clause.split()[0] == rule.clause.split()[0] and one.remark for one in found)


def test_a_remark_names_field_place_and_value() -> None:
    """The offset is that of the octet in question, from the start of the PDU."""
    octets = NOTIFICATION + bytes.fromhex("8f48696768 00 9606 eac3a9c3a900 d580".replace(" ", ""))
    at = len(NOTIFICATION)
    assert mm1.decode(octets).findings == (
        Finding(
            "MM1-H014", "OMA-TS-MMS_ENC 7.3.35", at + 1, "X-Mms-Priority: 0x82 (High) in another form than its octet"
        ),
        Finding("MM1-H006", "OMA-TS-MMS_ENC 7.4", at + 14, "no field has the number 0xd5: kept as it came"),
    )


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        pytest.param("8c85 9874 00 91 81", [("MM1-H002", -1)], id="no version"),
        pytest.param("8d92 8c85 9874 00", [("MM1-H001", 0)], id="the version first"),
        pytest.param("8c85 9180 9874 00 8d92", [("MM1-H001", 2)], id="the transaction id third"),
        pytest.param("8c96 9843 00 8d92 be61 00", [("MM1-H008", 0)], id="an m-cancel-req of 1.2"),
        pytest.param("8c85 9874 00 8d90 9180", [], id="1.0"),
        pytest.param("8c87 8d90 8b61 00 9761 00 8901 81 9b80", [("MM1-H008", 0)], id="a read report of 1.0"),
        pytest.param("8c8a 9874 00 8d90 9280 8b61 00", [], id="an answer in the version of its request"),
        pytest.param("8c84 8d92 84a3 00", [("MM1-H005", -1)], id="an m-retrieve-conf without Date"),
        pytest.param("8c84 8d92 99e2", [("MM1-H005", -1), ("MM1-H005", -1)], id="an error without Date and content"),
        pytest.param("8c81 8d92 9280 8b61 00", [("MM1-H005", -1)], id="an m-send-conf without its transaction"),
        pytest.param("8c85 9874 00 8d92 0000", [("MM1-H027", 7)], id="NULs behind it"),
        pytest.param("8c85 9874 00 8d92 9101 80", [("MM1-H012", 8)], id="Yes in a length"),
        pytest.param("8c85 9874 00 8d92 91 6e6f 00", [("MM1-H012", 8)], id="no"),
        pytest.param("8c83 9874 00 8d92 95 64656665 72726564 00", [("MM1-H014", 8)], id="deferred"),
        pytest.param("8c84 8d92 850101 a1028182 84a300", [("MM1-H011", 10)], id="a short Previously-Sent-Date"),
        pytest.param("8c6d2d61 636b6e6f 776c6564 67652d69 6e6400 9874 00 8d92", [("MM1-H014", 1)], id="type as text"),
        pytest.param("8c80 9874 00 8d92 8981 97 61 00 84a3 00", [("MM1-H023", 8)], id="insert-address, no length"),
        pytest.param("8c80 9874 00 8d92 8902 8161 97 61 00 84a3 00", [("WSP-H001", 10)], id="more than a token"),
    ],
)
def test_each_thing_that_is_odd_is_told_once(octets: str, told: list[tuple[str, int]]) -> None:
    assert found_in(octets) == told


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("8c80 8d92 8901 81 97 61 00 84a3 00", id="m-send-req: no transaction to answer"),
        pytest.param("8c80 9874 00 8d92 97 61 00 84a3 00", id="m-send-req: no From (6.1.1)"),
        pytest.param("8c80 9874 00 8d92 8901 81 97 61 00", id="m-send-req: no content"),
        pytest.param("8c82 8d92 8a80 8e0101 8803 8101 01 8375 00", id="m-notification-ind: no transaction"),
        pytest.param("8c82 984e 00 8d92 8a80 8e0101 8803 8101 01", id="m-notification-ind: nothing to fetch"),
        pytest.param("8c84 8d92 8501 01", id="m-retrieve-conf: no content, and no status that says why"),
        pytest.param("8c83 9874 00 8d92", id="m-notifyresp-ind: no status"),
        pytest.param("8c86 8d92 9761 00 8501 01 9581", id="m-delivery-ind: about which message"),
        pytest.param("8c85 9874 00 8d92 00 9180", id="an empty octet before another field"),
        pytest.param("8c85 9874 00 8d92 91 6d617962 6500", id="maybe"),
        pytest.param("8c85 9874 00 8d92 9182", id="neither Yes nor No"),
        pytest.param("8c98 9874 00 8d92", id="a type that MMS does not have"),
    ],
)
def test_what_cannot_be_served_without_is_refused(octets: str) -> None:
    with pytest.raises(mm1.Mm1Error):
        mm1.decode(bytes.fromhex(octets))


def test_an_unknown_type_is_refused_by_name_and_can_be_answered() -> None:
    """OMA-TS-MMS_ENC 7.3.48: Error-unsupported-message, to this transaction."""
    with pytest.raises(mm1.Mm1Error) as caught:
        mm1.decode(bytes.fromhex("8ca0 9874 00 8d92"))
    assert (caught.value.why, caught.value.transaction_id) == ("UNKNOWN_0xA0 is not offered", "t")
    assert (caught.value.message_type, caught.value.mms_version) == (0xA0, 0x12)


def test_an_error_has_what_was_read_and_remarked_before_it() -> None:
    with pytest.raises(mm1.Mm1Error) as caught:
        mm1.decode(bytes.fromhex("8c80 8d92 9874 00 8605"))
    error = caught.value
    assert (error.transaction_id, [one.start for one in error.fields]) == ("t", [0, 2, 4])
    assert str(error) == "X-Mms-Delivery-Report: 0x05 is neither Yes nor No at octet 8 (OMA-TS-MMS_ENC 7.3.13)"


def test_what_is_told_of_one_pdu_has_an_end() -> None:
    """A remark a field would be more octets than the PDU has."""
    found = mm1.decode(NOTIFICATION + b"\xd5\x80" * 1000).findings
    assert len(found) == MAXIMUM_FINDINGS


def test_the_octets_of_each_field_come_with_the_pdu() -> None:
    """One walk: what is shown is what was decoded."""
    octets = NOTIFICATION + b"X-Own\x00v\x00\xd5\x80"
    read = mm1.decode(octets)
    assert read.views() == mm1.describe(octets)
    assert [one.start for one in read.fields[1:]] == [one.end for one in read.fields[:-1]]
    assert (read.fields[0].start, read.fields[-1].end) == (0, len(octets))
    last, unknown = read.views()[-2:]
    assert (last.name, last.value, unknown.name, unknown.value) == ("X-Own", "v", "0xD5", "80")


@pytest.mark.parametrize(
    "octets",
    [
        b"\x8c\x92" + b"\x93\x80" * 2000,
        b"\x92\x02\x80\x80" * 2000 + b"\x8c\x92",
        b"\x97\x00" * 6000,
        b"a\x00\x00" * 4000,
        b"\x84\x1f\xff\x7f" + b"\x80\x80" * 8000,
        b"\xb2\x1f\xff\x7f\x00" + b"\x83\x81" * 8000,
        b"\x01" * 9000,
        b"\x7f\x01" * 5000,
        b"\x89" * 9000,
        b"\x8c\x84\x8d\x92" + b"\x00" * 9000,
        ACK + b"\r" * 9000 + b"\x91\x80",
    ],
    ids=lambda octets: octets[:6].hex(),
)
def test_the_work_is_in_proportion_to_the_octets(octets: bytes) -> None:
    assert mm1.steps_of(octets) <= 8 * len(octets) + 1000


class _Copied(bytes):
    """Octets that count how many of them are copied out of them."""

    copied = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.copied += len(found) if isinstance(found, bytes) else 0
        return found


@pytest.mark.parametrize("behind", [b"\r" * 5000 + b"\x91\x80", b"\r\n" * 5000, b"\0" * 5000])
def test_ends_of_lines_are_not_looked_through_again_for_each(behind: bytes) -> None:
    """They shift the code page (WAP-230-WSP 8.4.1.2), or end the PDU: which, is found out once."""
    octets = _Copied(ACK + behind)
    mm1.steps_of(octets)
    assert octets.copied <= 2 * len(octets)


def test_shifts_have_an_end_as_fields_have() -> None:
    with pytest.raises(mm1.Mm1Error, match=f"more than {MAXIMUM_FIELDS} shifts"):
        mm1.decode(ACK + b"\x01" * (MAXIMUM_FIELDS + 1))
    assert mm1.decode(ACK + b"\x01" * MAXIMUM_FIELDS).message == mm1.MAcknowledgeInd(transaction_id="t")


def test_a_message_id_is_compared_without_brackets() -> None:
    """OMA-TS-MMS_ENC 7.3.29; it is kept as it came."""
    assert [bare_id(one) for one in ("<a@b>", "a@b", "<a", "", "<>")] == ["a@b", "a@b", "<a", "", ""]
