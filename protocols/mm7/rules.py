"""The rules of MM7 whose breach is forgiven and remarked (TS 23.140 8.7.8): what each asks, and why one should care.

Names are permanent and never used twice. A rule that is no longer looked for keeps its row.
"""

from enum import StrEnum
from typing import Final

from protocols.errors import Finding
from protocols.rules import Rule


class Frame(StrEnum):
    """What the examples of a rule stand in."""

    SUBMIT_REQ = "in a SubmitReq, behind Recipients"
    BODY = "in the SOAP body, namespace REL-6-MM7-1-4"
    REL5_BODY = "in the SOAP body, namespace REL-5-MM7-1-2"
    SOAP = "the SOAP envelope"
    CONTENT = "Content in a SubmitReq, and the headers of the part"
    HTTP = "headers of the HTTP request"


_CLAUSE: Final = "TS 23.140 8.7.8"
_HEAD: Final = "<MM7Version>6.8.0</MM7Version><SenderIdentification/>"
_TO: Final = "<Recipients><To><Number>+15550100123</Number></To></Recipients>"
_NS: Final = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_STATUS: Final = "<Status><StatusCode>1000</StatusCode><StatusText>Success</StatusText></Status>"
_FAULT_STATUS: Final = "<Status><StatusCode>4006</StatusCode><StatusText>Service unavailable</StatusText></Status>"


def _soap(body: str, *, envelope: str = _SOAP, namespace: str = _NS) -> str:
    return (
        f'<env:Envelope xmlns:env="{envelope}">\n'
        f'<env:Header><TransactionID xmlns="{namespace}">t-1</TransactionID></env:Header>\n'
        f"<env:Body>{body}</env:Body>\n</env:Envelope>"
    )


def _submit(namespace: str = _NS) -> str:
    return f'<SubmitReq xmlns="{namespace}">{_HEAD}{_TO}</SubmitReq>'


def _fault(detail: str, prefix: str = "") -> str:
    code = f"<{prefix}faultcode>env:Server</{prefix}faultcode><{prefix}faultstring>busy</{prefix}faultstring>"
    return _soap(f"<env:Fault>{code}<{prefix}detail>{detail}</{prefix}detail></env:Fault>")


_ERROR: Final = f'<RSErrorRsp xmlns="{_NS}"><MM7Version>6.8.0</MM7Version>{_FAULT_STATUS}</RSErrorRsp>'

SCHEMA: Final = Rule(
    name="MM7-R001",
    clause=_CLAUSE,
    text="The body's child follows the schema of its namespace.",
    why="What no other rule has a name for, or what was too long to be held against the schema: an MMSC that validates"
    " refuses the whole request with 4004.",
    where=Frame.SUBMIT_REQ,
    good="",
    bad='<ServiceCode xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>',
)
PUBLISHED: Final = Rule(
    name="MM7-R002",
    clause=_CLAUSE,
    text="The namespace is a published one, spelled as published: no .xsd behind it, no release that never was.",
    why="Other MMSCs compare it letter by letter: they refuse with 4002 or 4004, or do not find the operation at all.",
    where=Frame.SOAP,
    good=_soap(_submit()),
    bad=_soap(_submit(f"{_NS}.xsd"), namespace=f"{_NS}.xsd"),
)
REFERENCE: Final = Rule(
    name="MM7-R003",
    clause=_CLAUSE,
    text="An attachment is named by the href of Content, and every attachment is inside the one that is named.",
    why="What Content does not name is no part of the MM. Here a lone attachment is taken; elsewhere the MM is empty.",
    where=Frame.CONTENT,
    good='<Content href="cid:a"/>\nContent-Type: image/jpeg\nContent-ID: <a>',
    bad="<Priority>Normal</Priority>\nContent-Type: image/jpeg\nContent-ID: <a>",
)
ORDER: Final = Rule(
    name="MM7-R004",
    clause=_CLAUSE,
    text="Elements stand in the order of the schema.",
    why="The types are sequences. A validating MMSC refuses with 4004, and one that reads as it goes misses what comes"
    " too late.",
    where=Frame.SUBMIT_REQ,
    good="<Priority>High</Priority><Subject>News</Subject>",
    bad="<Subject>News</Subject><Priority>High</Priority>",
)
UNKNOWN_ELEMENT: Final = Rule(
    name="MM7-R005",
    clause=_CLAUSE,
    text="An element has only the children that the schema gives it.",
    why="It is passed over, so what it should have said is not done. Vendors' extras belong into a profile both sides"
    " know.",
    where=Frame.SUBMIT_REQ,
    good="<Priority>High</Priority>",
    bad="<Urgency>9</Urgency><Priority>High</Priority>",
)
MISSING: Final = Rule(
    name="MM7-R006",
    clause=_CLAUSE,
    text="Mandatory elements and attributes are there.",
    why="Here a default serves where there is one. Elsewhere: 4004, or 4001 when SenderIdentification is missing.",
    where=Frame.BODY,
    good=f"<SubmitReq>{_HEAD}{_TO}</SubmitReq>",
    bad=f"<SubmitReq><MM7Version>6.8.0</MM7Version>{_TO}</SubmitReq>",
)
ENUMERATION: Final = Rule(
    name="MM7-R007",
    clause=_CLAUSE,
    text="A value from a list is written as in the list, capital letters too.",
    why="XML compares letters. What is not in the list counts as not given: the MM goes with the default.",
    where=Frame.SUBMIT_REQ,
    good="<Priority>High</Priority>",
    bad="<Priority>HIGH</Priority>",
)
BOOLEAN: Final = Rule(
    name="MM7-R008",
    clause=f"{_CLAUSE}, XML Schema 3.2.2",
    text="xs:boolean is true, false, 1 or 0.",
    why="Languages print True and False. Validating readers refuse them, and lenient ones may take them for false: then"
    " no report comes.",
    where=Frame.SUBMIT_REQ,
    good="<DeliveryReport>true</DeliveryReport>",
    bad="<DeliveryReport>True</DeliveryReport>",
)
DATE_TIME: Final = Rule(
    name="MM7-R009",
    clause=f"{_CLAUSE}, XML Schema 3.2.6, 3.2.7",
    text="A time is an xs:dateTime, where the schema allows it also an xs:duration.",
    why="A time that cannot be read is refused where it decides something (2007), and ignored elsewhere.",
    where=Frame.SUBMIT_REQ,
    good="<TimeStamp>2026-01-02T03:04:05+01:00</TimeStamp><ExpiryDate>P3D</ExpiryDate>",
    bad="<TimeStamp>2026-01-02 03:04:05</TimeStamp><ExpiryDate>P3D</ExpiryDate>",
)
ATTRIBUTE: Final = Rule(
    name="MM7-R010",
    clause=_CLAUSE,
    text="An element has only the attributes that the schema gives it.",
    why="It is passed over. env:mustUnderstand belongs to SOAP header entries, not to the body.",
    where=Frame.SUBMIT_REQ,
    good='<ReplyCharging replyChargingSize="30720"/>',
    bad='<ReplyCharging size="30720"/>',
)
QUALIFIED: Final = Rule(
    name="MM7-R011",
    clause=f"{_CLAUSE}, XML Namespaces 6.2",
    text="Attributes have no prefix: the schema says attributeFormDefault unqualified.",
    why="mm7:href is another attribute than href. A reader that looks for href finds no content.",
    where=Frame.CONTENT,
    good='<Content href="cid:a"/>\nContent-Type: image/jpeg\nContent-ID: <a>',
    bad=f'<Content xmlns:mm7="{_NS}" mm7:href="cid:a"/>\nContent-Type: image/jpeg\nContent-ID: <a>',
)
MISSPELT: Final = Rule(
    name="MM7-R012",
    clause=_CLAUSE,
    text="Names of elements are spelled as in the schema.",
    why="These errors are in libraries that many use, so they are understood here. Elsewhere the element is unknown,"
    " and the MM goes out at once instead of tomorrow.",
    where=Frame.SUBMIT_REQ,
    good="<EarliestDeliveryTime>PT1H</EarliestDeliveryTime>",
    bad="<EarlistDeliveryTime>PT1H</EarlistDeliveryTime>",
)
CHILD_NAMESPACE: Final = Rule(
    name="MM7-R013",
    clause=f"{_CLAUSE}, XML Namespaces 6.2",
    text="All elements are in the namespace of their operation: the schema says elementFormDefault qualified.",
    why="A prefix on the parent does not reach the children. To a reader that knows namespaces they are not there.",
    where=Frame.BODY,
    good=f'<m:CancelRsp xmlns:m="{_NS}"><m:MM7Version>6.8.0</m:MM7Version>{_STATUS}</m:CancelRsp>',
    bad=f'<m:CancelRsp xmlns:m="{_NS}" xmlns=""><MM7Version>6.8.0</MM7Version>{_STATUS}</m:CancelRsp>',
)
VERSION: Final = Rule(
    name="MM7-R014",
    clause=_CLAUSE,
    text="MM7Version is one of those that belong to the release of the namespace.",
    why="It names the version of TS 23.140. Some MMSCs refuse what is not in their list with 4002.",
    where=Frame.BODY,
    good=f"<CancelRsp><MM7Version>6.8.0</MM7Version>{_STATUS}</CancelRsp>",
    bad=f"<CancelRsp><MM7Version>1.0.0</MM7Version>{_STATUS}</CancelRsp>",
)
SOAP_ACTION: Final = Rule(
    name="MM7-R015",
    clause=f"{_CLAUSE}, SOAP 1.1 6.1.1",
    text='A request has the HTTP header SOAPAction; for MM7 its value is "".',
    why="SOAP 1.1 makes it mandatory. Firewalls and SOAP stacks reject requests without it.",
    where=Frame.HTTP,
    good='Content-Type: text/xml; charset="utf-8"\nSOAPAction: ""',
    bad='Content-Type: text/xml; charset="utf-8"',
)
STATUS_ORDER: Final = Rule(
    name="MM7-R016",
    clause=_CLAUSE,
    text="StatusCode comes first in Status.",
    why="The schema allows any order. Readers that take the first child for the code do not.",
    where=Frame.BODY,
    good=f"<CancelRsp><MM7Version>6.8.0</MM7Version>{_STATUS}</CancelRsp>",
    bad="<CancelRsp><MM7Version>6.8.0</MM7Version><Status><StatusText>Success</StatusText><StatusCode>1000"
    "</StatusCode></Status></CancelRsp>",
)
EMPTY_ADDRESS: Final = Rule(
    name="MM7-R017",
    clause=_CLAUSE,
    text="An address says something, and a list of recipients holds one.",
    why="Nobody is reached by it. Other MMSCs refuse the whole request with 2002 or 4004.",
    where=Frame.BODY,
    good=f"<SubmitReq>{_HEAD}{_TO}</SubmitReq>",
    bad=f"<SubmitReq>{_HEAD}{_TO.replace('</To>', '</To><Cc><Number/></Cc>')}</SubmitReq>",
)
REPEATED: Final = Rule(
    name="MM7-R018",
    clause=_CLAUSE,
    text="An element that may stand there once stands there once.",
    why="Which of them counts? Here the first; of Recipients, all. Elsewhere the last, or 4004. Several To, Cc and Bcc"
    " stand in one Recipients.",
    where=Frame.BODY,
    good=f"<SubmitReq>{_HEAD}{_TO}</SubmitReq>",
    bad=f"<SubmitReq>{_HEAD}{_TO}{_TO}</SubmitReq>",
)
INTEGER: Final = Rule(
    name="MM7-R019",
    clause=f"{_CLAUSE}, XML Schema 3.3.25",
    text="DC, replyChargingSize, sequence and StatusCode are whole numbers from 1 on.",
    why="Delivery conditions are numbers that both sides agreed on. A word is none of them: the condition is not met.",
    where=Frame.SUBMIT_REQ,
    good="<DeliveryCondition><DC>1</DC></DeliveryCondition>",
    bad="<DeliveryCondition><DC>MMS-capable</DC></DeliveryCondition>",
)
RELEASE: Final = Rule(
    name="MM7-R020",
    clause=_CLAUSE,
    text="Elements, attributes and words are those of the release that the namespace names.",
    why="Application addressing, content classes and delivery conditions came with REL-6. In a REL-5 namespace a"
    " validating MMSC refuses them.",
    where=Frame.REL5_BODY,
    good=f"<SubmitReq>{_HEAD.replace('6.8.0', '5.6.0')}{_TO}</SubmitReq>",
    bad=f"<SubmitReq>{_HEAD.replace('6.8.0', '5.6.0')}{_TO}<ApplicID>game</ApplicID></SubmitReq>",
)
OPERATION: Final = Rule(
    name="MM7-R021",
    clause=_CLAUSE,
    text="The operation is one of its namespace: extendedCancelReq and extendedReplaceReq came after REL-6-MM7-1-0.",
    why="Another MMSC answers 4003. The names begin with a small letter.",
    where=Frame.BODY,
    good=f"<extendedCancelReq>{_HEAD}<CancelID>c-1</CancelID></extendedCancelReq>",
    bad='<extendedCancelReq xmlns="http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-2">'
    f"{_HEAD.replace('6.8.0', '5.6.0')}<CancelID>c-1</CancelID></extendedCancelReq>",
)
ADDRESS_FORM: Final = Rule(
    name="MM7-R022",
    clause=_CLAUSE,
    text="An address stands in Number, RFC2822Address or ShortCode; only the first two namespaces of REL-5 have a plain"
    " SenderAddress.",
    why="Without the element nobody knows what kind of address it is. It is taken for a number.",
    where=Frame.BODY,
    good=f"<SubmitReq><MM7Version>6.8.0</MM7Version><SenderIdentification><SenderAddress><ShortCode>4488</ShortCode>"
    f"</SenderAddress></SenderIdentification>{_TO}</SubmitReq>",
    bad="<SubmitReq><MM7Version>6.8.0</MM7Version><SenderIdentification><SenderAddress>4488</SenderAddress>"
    f"</SenderIdentification>{_TO}</SubmitReq>",
)
TEXT: Final = Rule(
    name="MM7-R023",
    clause=_CLAUSE,
    text="Between elements, and in one that has attributes only, there is white space.",
    why="Text there belongs to no element. It is mostly what is left of a tag that was closed too early.",
    where=Frame.SUBMIT_REQ,
    good="<Subject>News &gt; all</Subject>",
    bad="<Subject>News</Subject> &gt; all",
)
TRANSACTION_NAMESPACE: Final = Rule(
    name="MM7-R024",
    clause=_CLAUSE,
    text="TransactionID is in the namespace of the body.",
    why="Which of the two is spoken? Here the body's. An MMSC that looks for the header by its whole name finds none.",
    where=Frame.SOAP,
    good=_soap(_submit()),
    bad=_soap(_submit(), namespace=_NS.replace("1-4", "1-3")),
)
ENVELOPE: Final = Rule(
    name="MM7-R025",
    clause="SOAP 1.1 4.1.2",
    text=f"The envelope is in {_SOAP}.",
    why="Any other namespace is another version of SOAP, and answered with VersionMismatch.",
    where=Frame.SOAP,
    good=_soap(_submit()),
    bad=_soap(_submit(), envelope="http://schemas.xmlsoap.org/soap/soap-envelope"),
)
FAULT_NAMES: Final = Rule(
    name="MM7-R026",
    clause="SOAP 1.1 4.4",
    text="faultcode, faultstring and detail have no namespace.",
    why="SOAP stacks look for the bare names, and report an empty fault when these have a prefix.",
    where=Frame.SOAP,
    good=_fault(_ERROR),
    bad=_fault(_ERROR, "env:"),
)
FAULT_DETAIL: Final = Rule(
    name="MM7-R027",
    clause="TS 23.140 8.7.6, SOAP 1.1 4.4",
    text="The detail of a Fault holds RSErrorRsp or VASPErrorRsp.",
    why="Only there is the StatusCode, which says whether to try again. A bare Status is read here; without any, Client"
    " counts as 2000 and everything else as 3000.",
    where=Frame.SOAP,
    good=_fault(_ERROR),
    bad=_fault(_FAULT_STATUS),
)
SUBJECT: Final = Rule(
    name="MM7-R028",
    clause=f"{_CLAUSE}, RFC 2047 5",
    text="Subject is text as XML writes it, not encoded words of mail headers.",
    why="XML has every letter. Whoever does not expect encoded words shows them to the recipient as they are.",
    where=Frame.SUBMIT_REQ,
    good="<Subject>Grüße</Subject>",
    bad="<Subject>=?utf-8?B?R3LDvMOfZQ==?=</Subject>",
)
RELATED: Final = Rule(
    name="MM7-R029",
    clause=f"{_CLAUSE}, RFC 2387 3.1",
    text='A message is text/xml; with content it is multipart/related; type="text/xml".',
    why="Servers choose by the media type who reads a request: of another one the SOAP part may never be looked for.",
    where=Frame.HTTP,
    good='Content-Type: multipart/related; boundary=b; type="text/xml"\nSOAPAction: ""',
    bad='Content-Type: multipart/mixed; boundary=b\nSOAPAction: ""',
)
CID: Final = Rule(
    name="MM7-R030",
    clause=f"{_CLAUSE}, RFC 2392 2",
    text="href is a cid: URL without white space, and Content-ID has the same name in angle brackets.",
    why="Here names are compared leniently. Elsewhere the content is not found: 2007, or an MM without content.",
    where=Frame.CONTENT,
    good='<Content href="cid:a"/>\nContent-Type: image/jpeg\nContent-ID: <a>',
    bad='<Content href="cid: a"/>\nContent-Type: image/jpeg\nContent-ID: a',
)
TRANSFER_ENCODING: Final = Rule(
    name="MM7-R031",
    clause="RFC 2045 6.1",
    text="Content-Transfer-Encoding is 7bit, 8bit, binary, base64 or quoted-printable.",
    why="An encoding that nobody knows cannot be undone. The octets are taken as they are; the picture may be broken.",
    where=Frame.CONTENT,
    good='<Content href="cid:a"/>\nContent-ID: <a>\nContent-Transfer-Encoding: binary',
    bad='<Content href="cid:a"/>\nContent-ID: <a>\nContent-Transfer-Encoding: raw',
)
STATUS_CODE: Final = Rule(
    name="MM7-R032",
    clause="TS 23.140 8.7.8.3",
    text="StatusCode is one of the table, or a private one: x500 to x999.",
    why="Of an unknown code only the first digit can be judged: 1 success, 2 client, 3 server, 4 service.",
    where=Frame.BODY,
    good=f"<CancelRsp><MM7Version>6.8.0</MM7Version>{_STATUS}</CancelRsp>",
    bad=f"<CancelRsp><MM7Version>6.8.0</MM7Version>{_STATUS.replace('1000', '1001')}</CancelRsp>",
)
MESSAGE_ID: Final = Rule(
    name="MM7-R033",
    clause="TS 23.140 8.7.1",
    text="A SubmitRsp with 1000 or 1100 has a MessageID.",
    why="Reports, cancel and replace name the MM by it. Without it they cannot be told apart.",
    where=Frame.BODY,
    good=f"<SubmitRsp><MM7Version>6.8.0</MM7Version>{_STATUS}<MessageID>m-1</MessageID></SubmitRsp>",
    bad=f"<SubmitRsp><MM7Version>6.8.0</MM7Version>{_STATUS}</SubmitRsp>",
)
RULES: Final = (
    *(SCHEMA, PUBLISHED, REFERENCE, ORDER, UNKNOWN_ELEMENT, MISSING, ENUMERATION, BOOLEAN, DATE_TIME, ATTRIBUTE),
    *(QUALIFIED, MISSPELT, CHILD_NAMESPACE, VERSION, SOAP_ACTION, STATUS_ORDER, EMPTY_ADDRESS, REPEATED, INTEGER),
    *(RELEASE, OPERATION, ADDRESS_FORM, TEXT, TRANSACTION_NAMESPACE, ENVELOPE, FAULT_NAMES, FAULT_DETAIL, SUBJECT),
    *(RELATED, CID, TRANSFER_ENCODING, STATUS_CODE, MESSAGE_ID),
)


def soap_action(value: str | None) -> tuple[Finding, ...]:
    """What there is to remark about the SOAPAction of a request; None: it has none. The codec does not see it."""
    return () if value is not None else (SOAP_ACTION.broken("the request has no SOAPAction"),)
