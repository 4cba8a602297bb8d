"""Styles of MM7: every operation in every one of them says the same (TS 23.140 8.7.8; SOAP 1.1 4)."""

from dataclasses import fields, replace
from typing import Any

import pytest
from lxml import etree

from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.mm7 import Address, AddressForm, DeliverReq, DeliveryReportReq, Envelope, ReadReplyReq, Style
from protocols.mm7.namespaces import ENVELOPE
from tests.cases import Case, cases

GOLDEN = [case for case in cases("mm7") if not case.is_refused]
SPELLING = {  # what changes letters and no value
    "standard": Style(),
    "no declaration": Style(declaration=False),
    "GB2312": Style(charset="GB2312"),
    "GBK": Style(charset="GBK"),
    "euc-kr": Style(charset="euc-kr"),
    "ISO-8859-1": Style(charset="ISO-8859-1"),
    "envelope prefix": Style(envelope_prefix="SOAP-ENV"),
    "mustUnderstand on the body": Style(must_understand_body=True),
    "encodingStyle": Style(encoding_style=True),
    "mm7 prefix": Style(mm7_prefix="x", prefixed=True),
    "unqualified": Style(prefixed=True, unqualified_children=True),
    "orders": Style(
        order=(
            ("Status", ("Details", "StatusText", "StatusCode")),
            ("DeliveryReportReq", ("MMStatus", "Sender", "Recipient")),
            ("SubmitReq", ("Content", "Recipients")),
            ("DeliverReq", ("VASPID", "VASID", "MMSRelayServerID")),
        )
    ),
    "report date": Style(report_date="TimeStamp"),
    "Recipients": Style(report_recipients=True),
    "qualified fault": Style(qualified_fault=True),
    "qualified href": Style(qualified_href=True),
    "spaced content": Style(spaced_content=True, spaced_href=True),
    "everything": Style(
        declaration=True,
        charset="GB2312",
        envelope_prefix="s",
        must_understand_body=True,
        encoding_style=True,
        mm7_prefix="m",
        prefixed=True,
        unqualified_children=True,
        report_recipients=True,
        qualified_fault=True,
        qualified_href=True,
        spaced_content=True,
        spaced_href=True,
        soap_content_id=False,
        bare_content_id=True,
        content_id_header="Content-Id",
        capitalised_parameters=True,
        upper_case_base64=True,
    ),
}
_ATTACHED = mime.OutPart(ContentType("text/plain", (("name", "t.txt"),)), b"Hello", "mm7-content", encoding="base64")


def _dialect(tag: str = mm7.LATEST) -> mm7.Dialect:
    spoken = mm7.dialect(mm7.BASE + tag)
    assert spoken is not None
    return spoken


def _through(envelope: Envelope, style: Style) -> Envelope:
    if envelope.content is None:
        return mm7.decode(*mm7.encode(envelope, style)).message
    content = envelope.content
    part = mime.OutPart(content.content_type, content.data, content.content_id)
    return mm7.decode(*mm7.encode_with_content(envelope, part, "seed", style)).message


@pytest.mark.parametrize("name", SPELLING)
@pytest.mark.parametrize("case", GOLDEN, ids=str)
def test_a_spelling_changes_no_value(case: Case, name: str) -> None:
    style = SPELLING[name]
    envelope = mm7.decode(case.meaning["content_type"], case.octets).message
    again = _through(envelope, style)
    expected: Any = envelope.message
    href = getattr(expected, "content_href", "")
    if style.spaced_href and href:
        expected = replace(expected, content_href=href.replace("cid:", "cid: "))
    assert again.message == expected
    assert (again.transaction_id, again.dialect) == (envelope.transaction_id, envelope.dialect)
    assert (again.content is None) == (envelope.content is None)
    if again.content is not None:
        assert again.content.data == envelope.content.data  # type: ignore[union-attr]


@pytest.mark.parametrize("case", GOLDEN, ids=str)
def test_the_standard_written_again_is_the_same_octets(case: Case) -> None:
    """The second writer is as exact as the first."""
    envelope = mm7.decode(case.meaning["content_type"], case.octets).message
    if envelope.content is None:
        assert mm7.encode(envelope, Style()) == mm7.encode(envelope) == (case.meaning["content_type"], case.octets)


REPORT = DeliveryReportReq(
    message_id="m-1",
    recipient=Address("+15550100123"),
    sender=Address("4488", AddressForm.SHORT_CODE),
    date="2026-12-31T23:30:00Z",
    mm_status="Rejected",
    mm_status_extension="RejectionByOtherRS",
)


def _report(style: Style, **changes: Any) -> tuple[DeliveryReportReq, str]:
    octets = mm7.encode(Envelope("t", _dialect(), replace(REPORT, **changes)), style)
    message = mm7.decode(*octets).message.message
    assert isinstance(message, DeliveryReportReq)
    return message, octets[1].decode()


@pytest.mark.parametrize(
    ("zone", "milliseconds", "text"),
    [
        ("Z", False, "2026-12-31T23:30:00Z"),
        ("+08:00", False, "2027-01-01T07:30:00+08:00"),
        ("-03:30", True, "2026-12-31T20:00:00.000-03:30"),
        ("", False, "2026-12-31T23:30:00"),
    ],
)
def test_times(zone: str, milliseconds: bool, text: str) -> None:  # XML Schema 3.2.7
    assert _report(Style(time_zone=zone, milliseconds=milliseconds))[0].date == text


def test_a_time_that_is_not_ours_stays_as_it_is() -> None:
    assert _report(Style(time_zone="+08:00"), date="2026-12-31T23:30:00+01:00")[0].date == "2026-12-31T23:30:00+01:00"


@pytest.mark.parametrize(
    ("words", "extension", "told"),
    [
        ((("Rejected", "No"),), "RejectionByOtherRS", "No"),
        ((("Rejected", "No"), ("Rejected/RejectionByOtherRS", "Other")), "RejectionByOtherRS", "Other"),
        ((("Rejected", "No"), ("Rejected/", "Unreachable")), "", "Unreachable"),
        ((("Rejected/", "Unreachable"),), "RejectionByOtherRS", "Rejected"),
        ((("*", "Done"),), "", "Done"),
        ((("Expired", "Late"),), "", "Rejected"),
    ],
)
def test_words_for_mm_status(words: Any, extension: str, told: str) -> None:
    assert _report(Style(mm_statuses=words), mm_status_extension=extension)[0].mm_status == told


@pytest.mark.parametrize("text", ["", "sorry"])
def test_an_error_code_and_a_text_stand_behind_the_status(text: str) -> None:
    style = Style(status_error_codes=(("Rejected", "130"),), status_texts=(("*", "1000"),))
    report, octets = _report(style, status_text=text)
    assert report.status_text == "1000"
    order = [
        octets.index(f"<{name}>") for name in ("MMStatus", "MMSStatusErrorCode", "MMStatusExtension", "StatusText")
    ]
    assert order == sorted(order)
    assert "<MMSStatusErrorCode>130</MMSStatusErrorCode>" in octets


@pytest.mark.parametrize("made", [REPORT, ReadReplyReq(
    message_id="m-1", recipient=REPORT.recipient, sender=REPORT.sender, time_stamp=REPORT.date, mm_status="Read"
)])  # fmt: skip
def test_reports_the_other_way_round(made: Any) -> None:
    message = mm7.decode(*mm7.encode(Envelope("t", _dialect(), made), Style(swapped_report=True))).message.message
    assert isinstance(message, DeliveryReportReq | ReadReplyReq)
    assert (message.sender, message.recipient) == (made.recipient, made.sender)


@pytest.mark.parametrize(
    ("style", "recipient", "sender"),
    [
        (Style(type_plmn=True), "<Number>+15550100123/TYPE=PLMN</Number>", "<ShortCode>4488</ShortCode>"),
        (
            Style(mailbox_domain="mms.example"),
            "<RFC2822Address>+15550100123@mms.example</RFC2822Address>",
            "<RFC2822Address>4488@mms.example</RFC2822Address>",
        ),
        (
            Style(mailbox_domain="mms.example", type_plmn=True),
            "<RFC2822Address>+15550100123/TYPE=PLMN@mms.example</RFC2822Address>",
            "<RFC2822Address>4488/TYPE=PLMN@mms.example</RFC2822Address>",
        ),
        (Style(plain_addresses=("DeliveryReportReq/Sender",)), "<Number>+15550100123</Number>", "4488"),
    ],
)
def test_addresses(style: Style, recipient: str, sender: str) -> None:
    octets = _report(style)[1]
    assert f"<Recipient>{recipient}</Recipient><Sender>{sender}</Sender>" in octets


def test_an_e_mail_address_stays_one() -> None:
    mailbox = Address("a@b.example", AddressForm.RFC2822_ADDRESS)
    style = Style(mailbox_domain="mms.example", type_plmn=True)
    assert _report(style, recipient=mailbox)[0].recipient == mailbox


def _fault(style: Style) -> tuple[mm7.Message, etree._Element]:
    fault = mm7.Fault(status=mm7.Status(mm7.StatusCode(2007), "no"), fault_string="no")
    content_type, octets = mm7.encode(Envelope("t", _dialect(), fault), style)
    return mm7.decode(content_type, octets).message.message, etree.fromstring(octets)


def test_a_fault_without_detail_and_with_a_bare_status() -> None:  # SOAP 1.1 4.4
    message, root = _fault(Style(fault_detail=""))
    assert isinstance(message, mm7.Fault)
    assert (message.fault_code, message.status.code) == ("Client", 2000), "the code of the Fault is all that is left"
    assert root.find(".//detail") is None
    message, root = _fault(Style(fault_detail="Status", prefixed=True))
    assert isinstance(message, mm7.Fault)
    assert message.status.code == 2007
    assert [one.tag for one in root.iterfind(".//detail/*")] == [f"{{{_dialect().namespace}}}Status"]


def test_the_fault_code_has_the_prefix_of_the_envelope() -> None:  # SOAP 1.1 4.4.1: a qualified name
    _, root = _fault(Style(envelope_prefix="soap"))
    code = root.find(".//faultcode")
    assert code is not None
    prefix, _, name = (code.text or "").partition(":")
    assert (code.nsmap[prefix], name) == (ENVELOPE, "Client")


def _deliver(style: Style, **changes: Any) -> tuple[DeliverReq, bytes]:
    request = DeliverReq(sender=Address("+15550100123"), content_href="cid:mm7-content", ua_prof="x", **changes)
    octets = mm7.encode_with_content(Envelope("t", _dialect(), request), _ATTACHED, "seed", style)
    envelope = mm7.decode(*octets).message
    assert isinstance(envelope.message, DeliverReq)
    assert envelope.content is not None
    assert envelope.content.data == b"Hello"
    return envelope.message, octets[1]


def test_subjects() -> None:  # RFC 2047 2
    assert b"<Subject>=?utf-8?" in _deliver(Style(encoded_subject=True), subject="Grüße")[1]
    assert _deliver(Style(encoded_subject=True), subject="Grüße")[0].subject == "Grüße"
    assert _deliver(Style(no_subject="(no subject)"))[0].subject == "(no subject)"
    assert _deliver(Style(no_subject="(no subject)"), subject="Hi")[0].subject == "Hi"
    written = _deliver(Style(no_subject="(none)"))[1]
    assert written.index(b"<Subject>") < written.index(b"<UACapabilities")


def test_what_a_character_set_lacks_is_written_as_a_reference() -> None:  # XML 1.0 4.1
    request, octets = _deliver(Style(charset="GB2312"), subject="ß 世界 &amp; <😀>")
    assert request.subject == "ß 世界 &amp; <😀>"
    assert "&#223; 世界".encode("gb2312") in octets
    assert b'encoding="GB2312"' in octets
    assert b"charset=gb2312" in octets


def test_headers_of_parts() -> None:  # RFC 2045 5.1, 6.1, 7: names and values in any case
    style = Style(content_id_header="Content-Id", capitalised_parameters=True, upper_case_base64=True)
    octets = _deliver(style)[1]
    assert octets.count(b"\r\nContent-Id: <") == 2
    assert b"Content-ID" not in octets
    assert b"\r\n Name=t.txt" in octets
    assert b"Content-Transfer-Encoding: BASE64" in octets
    bare = _deliver(Style(bare_content_id=True, soap_content_id=False))[1]
    assert bare.count(b"Content-ID: mm7-content\r\n") == bare.count(b"Content-ID") == 1


def test_what_is_left_out_of_one_operation_stays_in_another() -> None:
    style = Style(omitted=(("DeliverReq", ("Sender",)),))
    assert _deliver(style)[0].sender is None
    assert _report(style)[0].sender == REPORT.sender


def test_a_style_is_the_standard_until_something_is_set() -> None:
    assert all(one.default is not None for one in fields(Style))
    assert Style() == Style(charset="UTF-8")
