"""MM7 as VASPs really write it: what is forgiven, what is remarked, what is refused (TS 23.140 8.7.8, SOAP 1.1)."""

import gc
import sys
import time
from contextlib import suppress

import pytest
from lxml import etree

from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.mm7 import StatusCode, schema
from protocols.mm7.wsdl import wsdl

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NS = mm7.BASE + mm7.LATEST
TO = "<Recipients><To><Number>+15550100123</Number></To></Recipients>"
MISSPELT = ["MM7-R012"]
HEAD = "<MM7Version>6.8.0</MM7Version><SenderIdentification/>"


def soap(
    inner: str = HEAD + TO, *, ns: str = NS, header_ns: str = "", header: str = "", tag: str = "SubmitReq"
) -> bytes:
    if "/REL-5" in ns:
        inner = inner.replace("6.8.0", "5.3.0")
    transaction = f'<t:TransactionID xmlns:t="{header_ns or ns}">\n t-1 \n</t:TransactionID>'
    return (
        f'<env:Envelope xmlns:env="{SOAP}"><env:Header>{transaction}{header}</env:Header>'
        f'<env:Body><{tag} xmlns="{ns}">{inner}</{tag}></env:Body></env:Envelope>'
    ).encode()


def submit_req(octets: bytes, content_type: str = "text/xml") -> mm7.SubmitReq:
    message = mm7.decode(content_type, octets).message.message
    assert isinstance(message, mm7.SubmitReq)
    return message


@pytest.mark.parametrize("tag", mm7.TAGS)
@pytest.mark.parametrize("suffix", ["", ".xsd"])
def test_every_namespace_is_answered_in_kind(tag: str, suffix: str) -> None:
    decoded = mm7.decode("text/xml", soap(ns=mm7.BASE + tag + suffix))
    assert [finding.rule for finding in decoded.findings] == (["MM7-R002"] if suffix else [])
    assert decoded.message.transaction_id == "t-1"
    rsp = mm7.SubmitRsp(status=mm7.Status(StatusCode.SUCCESS), message_id="m")
    _, octets = mm7.encode(mm7.Envelope("t-1", decoded.message.dialect, rsp))
    assert f'xmlns="{mm7.BASE}{tag}{suffix}"'.encode() in octets
    assert octets.startswith(b'<?xml version="1.0"')
    assert octets.endswith(b"</env:Envelope>")


@pytest.mark.parametrize("tag", mm7.TAGS)
@pytest.mark.parametrize(
    "message",
    [
        mm7.SubmitRsp(status=mm7.Status(StatusCode.PARTIAL_SUCCESS, details="<&>"), message_id="m"),
        mm7.DeliveryReportReq(
            message_id="m",
            recipient=mm7.Address("+15550100123"),
            sender=mm7.Address("4488", mm7.AddressForm.SHORT_CODE),
            date="2026-01-01T00:00:00Z",
            mm_status="Rejected",
            status_text="\x00 no > line \ufffe",
        ),
        mm7.DeliveryReportRsp(status=mm7.Status(StatusCode.SUCCESS)),
        mm7.Fault(status=mm7.Status(StatusCode.VALIDATION_ERROR, details="why")),
        mm7.Fault(status=mm7.Status(StatusCode.SERVER_ERROR), element=mm7.ErrorElement.VASP_ERROR_RSP),
        mm7.SubmitReq(
            to=(mm7.Address("a@b.example", mm7.AddressForm.RFC2822_ADDRESS),),
            delivery_report=True,
            distribution_indicator=False,
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_we_write_is_valid_in_every_namespace(tag: str, message: mm7.Message) -> None:
    dialect = mm7.dialect(mm7.BASE + tag)
    assert dialect is not None
    root = etree.fromstring(mm7.encode(mm7.Envelope("t-1", dialect, message))[1])
    body = root.find(f"{{{SOAP}}}Body")
    assert body is not None
    inside = body[0].find("detail") if isinstance(message, mm7.Fault) else body
    assert inside is not None
    schema.compiled(dialect).assertValid(inside[0])


@pytest.mark.parametrize(
    ("tag", "element"),
    [
        ("REL-5-MM7-1-0", "<DistributionProtection>true<"),
        ("REL-5-MM7-1-1", "<DistributionIndicator>false<"),
        ("REL-6-MM7-1-4", "<DistributionIndicator>false<"),
    ],
)
def test_the_first_namespace_protects_and_the_others_indicate(tag: str, element: str) -> None:
    spoken = mm7.dialect(mm7.BASE + tag)
    assert spoken is not None
    request = mm7.SubmitReq(to=(mm7.Address("1"),), mm7_version=spoken.version, distribution_indicator=False)
    content_type, octets = mm7.encode(mm7.Envelope("t", spoken, request))
    assert element.encode() in octets
    decoded = mm7.decode(content_type, octets)
    assert (decoded.message.message, decoded.findings) == (request, ())


@pytest.mark.parametrize(
    "later", ["<ChargedParty>ThirdParty</ChargedParty>", "<ApplicID>a</ApplicID>", "<DRMContent>true</DRMContent>"]
)
@pytest.mark.parametrize("tag", mm7.TAGS)
def test_what_release_6_added_is_remarked_in_release_5(tag: str, later: str) -> None:
    findings = mm7.decode("text/xml", soap(HEAD + TO + later, ns=mm7.BASE + tag)).findings
    assert [finding.rule for finding in findings] == (["MM7-R020"] if tag.startswith("REL-5") else [])


def test_a_comment_does_not_cut_a_number() -> None:
    octets = soap(HEAD + TO.replace("+1555", "+1<!-- a --><?b c?>555"))
    assert submit_req(octets).to == (mm7.Address("+15550100123"),)


@pytest.mark.parametrize(
    "more",
    [
        "<Cc>+15550100124</Cc>",
        "<Cc><Phone>+15550100124</Phone></Cc>",
        "<Number>+15550100124</Number>",
        "<to><Number>+15550100124</Number></to>",
        "<Cc><Number>+1555<b>0100</b>124</Number></Cc>",
        "+15550100124",
    ],
)
def test_no_recipient_is_passed_over(more: str) -> None:  # TS 23.140 8.7.1: 1000 is for all of them
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode("text/xml", soap(HEAD + TO.replace("</Recipients>", f"{more}</Recipients>")))
    assert (caught.value.status, caught.value.where) == (StatusCode.VALIDATION_ERROR, "SubmitReq/Recipients")


@pytest.mark.parametrize("empty", ["<Cc/>", "<Cc> <Number/>\n</Cc>", "<Bcc><!-- nobody --></Bcc>"])
def test_an_empty_list_names_nobody(empty: str) -> None:
    request = submit_req(soap(HEAD + TO.replace("</Recipients>", f" {empty} </Recipients>")))
    assert (request.to, request.cc, request.bcc) == ((mm7.Address("+15550100123"),), (), ())


def test_a_second_list_of_recipients_counts_as_well() -> None:
    decoded = mm7.decode("text/xml", soap(HEAD + TO + TO.replace("123", "124")))
    request = decoded.message.message
    assert isinstance(request, mm7.SubmitReq)
    assert [one.value for one in request.to] == ["+15550100123", "+15550100124"]
    assert [finding.rule for finding in decoded.findings] == ["MM7-R018"]


def test_a_subject_in_encoded_words() -> None:  # RFC 2047
    assert submit_req(soap(f"{HEAD}{TO}<Subject>=?utf-8?B?R3LDvMOfZQ==?=</Subject>")).subject == "Grüße"
    assert submit_req(soap(f"{HEAD}{TO}<Subject>=?utf-8?B?a?=</Subject>")).subject == "=?utf-8?B?a?="


@pytest.mark.parametrize("charset", ["gb2312", "gbk", "utf-8"])
def test_charsets_by_declaration_and_by_content_type(charset: str) -> None:
    text = soap(f"{HEAD}{TO}<Subject>你好</Subject>").decode()
    assert submit_req(text.encode(charset), f"text/xml; charset={charset}").subject == "你好"
    declared = f'<?xml version="1.0" encoding="{charset}"?>{text}'.encode(charset)
    assert submit_req(declared, 'text/xml; charset="utf-8"').subject == "你好"


@pytest.mark.parametrize(
    ("named", "really", "text"),
    [
        ("gb2312", "gbk", "\u9555"),
        ("gb2312", "gb18030", "\u3400"),
        ("GBK", "gb18030", "\u3400"),
        ("euc-kr", "cp949", "\ub620"),
    ],
)
def test_old_names_of_character_sets_with_the_letters_of_the_new(named: str, really: str, text: str) -> None:
    octets = soap(f"{HEAD}{TO}<Subject>{text}</Subject>").decode().encode(really)
    assert submit_req(octets, f"text/xml; charset={named}").subject == text
    declared = f"<?xml version='1.0' encoding='{named}'?>".encode() + octets
    assert submit_req(declared).subject == text


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-16"?>'])
@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=utf-16"])
def test_a_byte_order_mark_is_surer_than_a_charset(declaration: str, charset: str) -> None:  # RFC 7303 3.3
    octets = (declaration + soap(f"{HEAD}{TO}<Subject>你好</Subject>").decode()).encode("utf-16")
    assert submit_req(octets, f"text/xml{charset}").subject == "你好"
    little = octets.decode("utf-16").encode("utf-16-le")
    assert submit_req(little, "text/xml; charset=utf-16-le").subject == "你好"


@pytest.mark.parametrize("charset", ["rot13", "é", "a\0b", "x" * 5000])
def test_unknown_charsets_are_refused(charset: str) -> None:
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode(f'text/xml; charset="{charset}"', soap())
    assert caught.value.status is StatusCode.MESSAGE_FORMAT_CORRUPT


@pytest.mark.parametrize(
    ("inner", "expected", "told"),
    [
        (f"<SenderIdentification/>{TO}<MM7Version>6.8.0</MM7Version>", {}, ["MM7-R004"]),
        (f"{HEAD}{TO}<DeliveryReport>True</DeliveryReport>", {"delivery_report": True}, ["MM7-R008"]),
        (f"{HEAD}{TO}<Unheard>x</Unheard><Priority>High</Priority>", {"priority": "High"}, ["MM7-R005"]),
        (f'<MM7Version xmlns="">6.8.0</MM7Version>{TO}', {"mm7_version": "6.8.0"}, ["MM7-R013", "MM7-R006"]),
        (f"{HEAD}{TO}<EarlistDeliveryTime>PT1H</EarlistDeliveryTime>", {"earliest_delivery_time": "PT1H"}, MISSPELT),
        (f"{HEAD}{TO}<EarlestDeliveryTime>PT1H</EarlestDeliveryTime>", {"earliest_delivery_time": "PT1H"}, MISSPELT),
        (f"{HEAD}{TO}<AuxApplicID>x</AuxApplicID>", {"aux_applic_info": "x"}, MISSPELT),
    ],
)
def test_what_is_forgiven_is_remarked(inner: str, expected: dict[str, object], told: list[str]) -> None:
    decoded = mm7.decode("text/xml", soap(inner))
    assert [finding.rule for finding in decoded.findings] == told
    assert all(mm7.BASE not in finding.remark for finding in decoded.findings)
    assert {name: getattr(decoded.message.message, name) for name in expected} == expected


LONG = 1_000_000


@pytest.mark.parametrize(
    "inner",
    [
        HEAD + TO.replace("<To>", "<To>" + '<Number a="">1</Number>' * 3_000),
        HEAD + TO + "<Subject>" + "=?utf-8?B?YQ?= " * 4_900 + "x" * 130_000 + "</Subject>",
        HEAD + TO + f"<DeliveryCondition>{'<DC/>' * 9_900}</DeliveryCondition>",
        HEAD + TO + "<Content " + " ".join(f'a{number}="{"x" * 9}"' for number in range(9_900)) + "/>",
    ],
    ids=["schema errors", "encoded words", "short schema errors", "attributes"],
)
def test_nothing_costs_more_than_its_octets(inner: str) -> None:
    started = time.process_time()
    rules = [finding.rule for finding in mm7.decode("text/xml", soap(inner)).findings]
    assert "MM7-R001" in rules, "too long to be checked"
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("inner", "why"),
    [
        (HEAD + TO.replace("<To>", "<To>" + "<Number>+15550100123</Number>" * 100_000), "octets, the limit is 1048576"),
        (HEAD + TO.replace("<To>", "<To>" + "<Number>+15550100123</Number>" * 30_000), "60022 tags and attributes"),
        (HEAD + TO + "<x/>" * 250_000, "250022 tags and attributes"),
        (HEAD + TO + "<x " + " ".join(f'a{number}=""' for number in range(50_000)) + "/>", "50023 tags and attributes"),
        (HEAD + TO + f"<Subject>{'x' * LONG * 2}</Subject>", "octets, the limit is 1048576"),
    ],
    ids=["100,000 recipients", "30,000 recipients", "elements", "attributes", "text"],
)
def test_more_than_anybody_needs_is_refused_by_its_beginning(inner: str, why: str) -> None:
    """The answer is the Rsp of its operation, in its namespace, and echoes its TransactionID (TS 23.140 8.7.8)."""
    namespace = mm7.BASE + "REL-5-MM7-1-2"
    started = time.process_time()
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode("text/xml", soap(inner, ns=namespace))
    assert time.process_time() - started < 0.5, "each took up to a second"
    error = caught.value
    assert (error.status, error.where, error.transaction_id) == (StatusCode.MESSAGE_REJECTED, "SubmitReq", "t-1")
    assert error.dialect.namespace == namespace
    assert why in error.reason


def test_a_refusal_keeps_no_octets_alive() -> None:
    """Not even until the garbage is collected: in a server that is seldom, and each may have 4 MB."""
    octets = soap(HEAD + TO + "<x/>" * LONG)
    before = sys.getrefcount(octets)
    gc.disable()
    try:
        with suppress(mm7.Mm7Error):
            mm7.decode("text/xml", octets)
        assert sys.getrefcount(octets) == before
    finally:
        gc.enable()


@pytest.mark.parametrize("beginning", ["", "<", "<a", "<!DOCTYPE a [", "x", "<a/>", "\0"])
def test_a_beginning_that_says_nothing_is_refused_all_the_same(beginning: str) -> None:
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode("text/xml", beginning.encode() + b"<" * LONG)
    assert (caught.value.status, caught.value.where) == (StatusCode.MESSAGE_REJECTED, "SOAP part")


def test_a_remark_is_one_and_no_longer_than_one_reads() -> None:
    findings = mm7.decode("text/xml", soap(f"{HEAD}{TO}<Priority>a\nb: c {'x' * 9999}</Priority>")).findings
    assert findings
    assert all(len(finding.remark) < 600 for finding in findings)
    assert all(finding.remark.startswith("Priority in line 3: ") for finding in findings)


def test_a_namespace_that_nobody_published_is_read_and_remarked() -> None:
    decoded = mm7.decode("text/xml", soap(ns=mm7.BASE + "REL-6-MM7-6-7"))
    assert [finding.rule for finding in decoded.findings] == ["MM7-R002"]
    assert decoded.message.dialect.namespace == mm7.BASE + "REL-6-MM7-6-7"


@pytest.mark.parametrize("tag", ["REL-6-MM7-1-4&x", "REL-6-MM7-1-4&#38;lt;'x"])
@pytest.mark.parametrize(
    "message",
    [
        mm7.SubmitReq(to=(mm7.Address("1"),)),
        mm7.SubmitRsp(status=mm7.Status(StatusCode.SUCCESS)),
        mm7.DeliveryReportReq(recipient=mm7.Address("1"), sender=mm7.Address("2")),
        mm7.DeliveryReportRsp(status=mm7.Status(StatusCode.SUCCESS)),
        mm7.Fault(status=mm7.Status(StatusCode.VALIDATION_ERROR)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_whatever_a_namespace_holds_the_answer_is_xml_in_it(tag: str, message: mm7.Message) -> None:  # XML 1.0 2.4
    written = (mm7.BASE + tag).replace("&", "&amp;")
    spoken = mm7.decode("text/xml", soap(ns=written)).message.dialect
    assert spoken.tag == tag
    envelope = mm7.Envelope("t-1", spoken, message)
    root = etree.fromstring(mm7.encode(envelope)[1])
    namespaces = {etree.QName(one).namespace for one in root.iter("{*}TransactionID", "{*}MM7Version")}
    assert namespaces == {spoken.namespace}


def test_a_namespace_longer_than_a_name_is_none_of_ours() -> None:
    """Each one read is kept in memory, with its MM and its reports."""
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode("text/xml", soap(ns=mm7.BASE + "REL-6-MM7-" + "x" * 100_000))
    assert caught.value.status is StatusCode.UNSUPPORTED_VERSION
    assert caught.value.dialect.tag == mm7.LATEST


@pytest.mark.parametrize(
    "octets",
    [
        soap(f"{TO}<MM7Version>{'1' * 100_000}</MM7Version>"),
        soap(f"{HEAD}{TO}<ReadReply>{'&#x1F600;' * 100_000}</ReadReply>"),
        soap(f'{HEAD}{TO}<Content href="cid:{"x" * 100_000}"/>'),
        soap(ns="urn:" + "x" * 100_000),
        soap(header=f'<{"x" * 40_000} xmlns="urn:x" env:mustUnderstand="1"/>'),
    ],
    ids=["version", "boolean", "href", "namespace", "header"],
)
def test_a_refusal_is_no_longer_than_one_reads(octets: bytes) -> None:
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode("text/xml", octets)
    assert len(str(caught.value)) < 2500


def test_the_body_decides_when_header_and_body_differ() -> None:
    decoded = mm7.decode("text/xml", soap(header_ns=mm7.BASE + "REL-6-MM7-1-2", ns=mm7.BASE + "REL-6-MM7-1-3"))
    assert (decoded.message.dialect.tag, decoded.message.transaction_id) == ("REL-6-MM7-1-3", "t-1")


def test_two_requests_cannot_have_one_answer() -> None:  # TS 23.140 8.7.8
    octets = soap()
    request = octets[octets.index(b"<SubmitReq") : octets.index(b"</env:Body>")]
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode("text/xml", octets.replace(request, request * 2))
    assert (caught.value.status, caught.value.transaction_id) == (StatusCode.VALIDATION_ERROR, "t-1")


def test_headers_that_need_not_be_understood() -> None:  # SOAP 1.1 4.2.3
    assert submit_req(soap(header='<x xmlns="urn:x" env:mustUnderstand="0"/><y xmlns="urn:y"/>')).to
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode("text/xml", soap(header='<x xmlns="urn:x" env:mustUnderstand="1"/>'))
    assert (caught.value.fault_code, caught.value.transaction_id) == ("MustUnderstand", "t-1")


@pytest.mark.parametrize("actor", ["urn:other", "", "http://schemas.xmlsoap.org/soap/actor/next"])
def test_headers_for_somebody_else_need_not_be_understood(actor: str) -> None:  # SOAP 1.1 4.2.2
    octets = soap(header=f'<x xmlns="urn:x" env:mustUnderstand="1" env:actor="{actor}"/>')
    if actor == "urn:other":
        assert submit_req(octets).to
        return
    with pytest.raises(mm7.Mm7Error):
        mm7.decode("text/xml", octets)


def test_a_version_mismatch_echoes_what_can_be_read() -> None:  # SOAP 1.1 4.4, TS 23.140 8.7.8
    octets = soap(ns=mm7.BASE + "REL-5-MM7-1-2").replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope")
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode("text/xml", octets)
    assert (caught.value.fault_code, caught.value.transaction_id) == ("VersionMismatch", "t-1")
    assert caught.value.dialect.tag == "REL-5-MM7-1-2"


def test_a_report_as_korean_peers_write_it() -> None:
    inner = (
        "<MM7Version>5.3.0</MM7Version><MessageID>m</MessageID><Recipients><Number>01012345678</Number></Recipients>"
    )
    inner += "<Sender><ShortCode>44</ShortCode></Sender><TimeStamp>2026-01-01T00:00:00Z</TimeStamp>"
    octets = soap(inner + "<MMStatus>Retrieved</MMStatus>", ns=mm7.BASE + "REL-5-MM7-1-2", tag="DeliveryReportReq")
    decoded = mm7.decode("text/xml", octets)
    report = decoded.message.message
    assert isinstance(report, mm7.DeliveryReportReq)
    assert (report.recipient.value, report.date) == ("01012345678", "2026-01-01T00:00:00Z")
    assert [finding.rule for finding in decoded.findings] == ["MM7-R012"]


def attached(href: str, *heads: str) -> tuple[str, bytes]:
    parts = [b"Content-Type: text/xml\r\n\r\n" + soap(f"{HEAD}{TO}{href}")]
    parts += [head.encode() + b"\r\n\r\noctets" for head in heads]
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return 'multipart/related; boundary=b; type="text/xml"', body


@pytest.mark.parametrize(
    ("href", "heads"),
    [
        ('<Content href="cid:a%20b"/>', ["Content-ID: <x>", "Content-ID: <a b>"]),
        ('<Content href="cid: a"/>', ["Content-ID: a"]),
        ('<Content href="a.jpg"/>', ["Content-Type: image/jpeg; name=a.jpg"]),
        (f'<Content xmlns:m="{NS}" m:href="cid:a"/>', ["Content-Id: <a>"]),
        ('<Content href="cid:a%20b"/>', ["Content-ID: <a%20b>"]),
        ('<Content href="cid:&lt;a&gt;"/>', ["Content-ID: <a>"]),
        ("", ["Content-Type: image/jpeg"]),
    ],
)
def test_the_content_is_found(href: str, heads: list[str]) -> None:  # RFC 2392
    decoded = mm7.decode(*attached(href, *heads))
    content = decoded.message.content
    assert content is not None
    remarks = [finding.remark for finding in decoded.findings if finding.rule == "MM7-R003"]
    assert len(remarks) == (not href) + (len(heads) > 1), "what is taken without a name, and what is left out"
    assert content.data == b"octets"


@pytest.mark.parametrize(("reference", "head"), [("cid:c", "Content-ID: <a>"), ("cid:", "Content-Type: image/jpeg")])
def test_content_that_is_not_there(reference: str, head: str) -> None:
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode(*attached(f'<Content href="{reference}"/>', head))
    assert (caught.value.status, caught.value.transaction_id) == (StatusCode.MESSAGE_FORMAT_CORRUPT, "t-1")


@pytest.mark.parametrize(
    ("head", "last"),
    [
        ("Content-Transfer-Encoding: base64\r\n\r\nYQ=a", b"--b--\r\n"),
        ("Content-Type: multipart/mixed", b"--b--\r\n"),
        ("Content-ID: <a>", b""),
        ("X: " + "x" * 20_000, b"--b--\r\n"),
    ],
    ids=["base64", "no boundary", "cut", "headers"],
)
def test_a_content_that_cannot_be_read_is_refused_with_the_transaction_id(head: str, last: bytes) -> None:
    """TS 23.140 8.7.8: in faults, too; the envelope could be read."""
    content_type, body = attached('<Content href="cid:a"/>', head)
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode(content_type, body.removesuffix(b"--b--\r\n") + last)
    assert (caught.value.status, caught.value.where) == (StatusCode.MESSAGE_FORMAT_CORRUPT, "HTTP body")
    assert caught.value.transaction_id == "t-1"


def test_every_cut_of_a_whole_request_is_refused() -> None:
    content_type, body = attached('<Content href="cid:a"/>', "Content-ID: <a>")
    for end in range(len(body) - len("--\r\n")):
        with pytest.raises(mm7.Mm7Error):
            mm7.decode(content_type, body[:end])


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_content_octet_for_octet(encoding: str) -> None:
    dialect = mm7.dialect(NS)
    assert dialect is not None
    octets = bytes(range(256)) * 3 + b"\r\n--"
    part = mime.OutPart(ContentType("image/jpeg"), octets, "content", encoding=encoding)
    request = mm7.SubmitReq(to=(mm7.Address("+15550100123"),), content_href="cid:content")
    decoded = mm7.decode(*mm7.encode_with_content(mm7.Envelope("t", dialect, request), part, "t"))
    assert decoded.findings == ()
    assert decoded.message.message == request
    assert decoded.message.content is not None
    assert decoded.message.content.data == octets


@pytest.mark.parametrize(
    "detail",
    [
        f'<RSErrorRsp xmlns="{NS}"><Status><StatusText/><StatusCode>4006</StatusCode></Status></RSErrorRsp>',
        "<Status><StatusCode>4006</StatusCode></Status>",
    ],
)
def test_faults_of_others(detail: str) -> None:  # SOAP 1.1 4.4
    fault = f"<faultcode>env:Server</faultcode><faultstring>busy</faultstring><detail>{detail}</detail>"
    octets = f'<env:Envelope xmlns:env="{SOAP}"><env:Body><env:Fault>{fault}</env:Fault></env:Body></env:Envelope>'
    message = mm7.decode("text/xml", octets.encode()).message.message
    assert isinstance(message, mm7.Fault)
    assert (message.fault_code, message.status.code) == ("Server", StatusCode.SERVICE_UNAVAILABLE)


@pytest.mark.parametrize("tag", [*mm7.TAGS, "REL-6-MM7-1-4&x"])
def test_the_wsdl_is_well_formed(tag: str) -> None:
    dialect = mm7.dialect(mm7.BASE + tag)
    assert dialect is not None
    root = etree.fromstring(wsdl(dialect, "http://mmsc.example/mm7?a=1&b").encode())
    address = root.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address is not None
    assert address.get("location") == "http://mmsc.example/mm7?a=1&b"
