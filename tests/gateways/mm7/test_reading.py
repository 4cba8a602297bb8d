"""What VASPs answer in the field, and what it means all the same (TS 23.140 8.7.8, SOAP 1.1, SOAP 1.2)."""

import time

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.engine.ports import Delivered, Failed, Outcome, Retry
from mmsc.gateways.mm7.courier import judge
from mmsc.gateways.mm7.reading import read_answer
from mmsc.net.http_client import HttpReply
from protocols import mm7
from protocols.mm7 import StatusCode

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
LATEST = mm7.BASE + mm7.LATEST
HEADER = f'<e:Header><m:TransactionID xmlns:m="{LATEST}">t</m:TransactionID></e:Header>'
STATUS = "<Status><StatusCode>{}</StatusCode><StatusText>Told</StatusText></Status>"
RSP = f'<DeliveryReportRsp xmlns="{LATEST}"><MM7Version>6.8.0</MM7Version>{STATUS}</DeliveryReportRsp>'
ERROR = f'<VASPErrorRsp xmlns="{LATEST}"><MM7Version>6.8.0</MM7Version>{STATUS}</VASPErrorRsp>'


def envelope(body: str, namespace: str = SOAP_11, header: str = HEADER) -> str:
    return f'<e:Envelope xmlns:e="{namespace}">{header}<e:Body>{body}</e:Body></e:Envelope>'


def fault(detail: str, code: str = "e:Client", name: str = "faultcode") -> str:
    return f"<e:Fault><{name}>{code}</{name}><faultstring>No</faultstring><detail>{detail}</detail></e:Fault>"


def reply(body: str | bytes, content_type: str | None = "text/xml; charset=utf-8", status: int = 200) -> HttpReply:
    headers = CIMultiDict({} if content_type is None else {"Content-Type": content_type})
    return HttpReply(status, CIMultiDictProxy(headers), body.encode() if isinstance(body, str) else body)


FORMS = {
    "as it should be": envelope(RSP),
    "fault": envelope(fault(ERROR)),
    "fault, bare Status": envelope(fault(STATUS)),
    "fault, bare Status of ours": envelope(fault(STATUS.replace("<Status>", f'<Status xmlns="{LATEST}">'))),
    "fault, qualified faultcode": envelope(fault(ERROR, name="e:faultcode")),
    "fault, RSErrorRsp": envelope(fault(ERROR.replace("VASPErrorRsp", "RSErrorRsp"))),
    "fault, no TransactionID": envelope(fault(ERROR), header=""),
    "fault of SOAP 1.2": envelope(
        "<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text>No</e:Text></e:Reason>"
        f"<e:Detail>{ERROR}</e:Detail></e:Fault>",
        SOAP_12,
    ),
    "SOAP 1.2": envelope(RSP, SOAP_12),
    "no TransactionID": envelope(RSP, header=""),
    "no envelope": RSP,
    "another Rsp": envelope(RSP.replace("DeliveryReportRsp", "SubmitRsp")),
    "a Rsp of nobody": envelope(RSP.replace("DeliveryReportRsp", "ReportAck")),
    "another namespace": envelope(RSP.replace(LATEST, "urn:private")),
    "no namespace": envelope(RSP.replace(f' xmlns="{LATEST}"', "")),
    "text before code": envelope(
        RSP.replace(STATUS, "<Status><StatusText>Told</StatusText><StatusCode>{}</StatusCode></Status>")
    ),
    "small letters": RSP.lower().replace(LATEST.lower(), LATEST),
    "CDATA": envelope(RSP.replace("{}", "<![CDATA[ {} ]]>"), header=""),
    "cut tags behind": envelope(RSP)[:-20],
    "words around": "OK\r\n" + envelope(RSP),
    "understood by nobody": envelope(RSP, header='<e:Header><x e:mustUnderstand="1"/></e:Header>'),
}


@pytest.mark.parametrize("http_status", [200, 202, 400, 500, 503])
@pytest.mark.parametrize("form", FORMS)
def test_the_status_counts_in_whatever_form_it_comes(form: str, http_status: int) -> None:
    """The body decides before the HTTP status."""

    def judged(code: int) -> type[Outcome]:
        return type(judge(reply(FORMS[form].replace("{}", str(code)), status=http_status)))

    assert [judged(code) for code in (1000, 1100, 2005, 3000, 4006, 4005)] == [
        *(Delivered, Delivered, Failed, Retry, Retry, Failed)
    ]


@pytest.mark.parametrize("form", FORMS)
def test_the_words_are_told_with_it(form: str) -> None:
    answer = read_answer(reply(FORMS[form].replace("{}", "2005")))
    assert answer is not None
    assert (answer.status.code, answer.status.text.lower()) == (2005, "told")


WRITTEN = {
    "no Content-Type": (None, "utf-8", ""),
    "empty Content-Type": ("", "utf-8", ""),
    "text/plain": ("text/plain", "utf-8", ""),
    "octets": ("application/octet-stream", "utf-8", ""),
    "a Content-Type that is none": ("text xml;;charset", "utf-8", ""),
    "multipart that is none": ("multipart/related; boundary=x", "utf-8", ""),
    "BOM": ("text/xml", "utf-8-sig", '<?xml version="1.0" encoding="UTF-8"?>'),
    "white space": ("text/xml", "utf-8", '\r\n\t <?xml version="1.0"?>'),
    "UTF-16": ("text/xml", "utf-16", '<?xml version="1.0" encoding="UTF-16"?>'),
    "GB2312 declared": ("text/xml", "gb18030", '<?xml version="1.0" encoding="GB2312"?>'),
    "GB2312 in Content-Type": ("text/xml; charset=gb2312", "gb18030", ""),
    "GB2312 in plain text": ("text/plain; charset=GB2312", "gb18030", '<?xml version="1.0"?>'),
}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("form", ["as it should be", "fault", "SOAP 1.2", "no TransactionID"])
def test_an_answer_is_read_in_whatever_octets_it_comes(written: str, form: str) -> None:
    content_type, codec, before = WRITTEN[written]
    body = before + FORMS[form].replace("{}", "4005").replace("Told", "短信服务")
    answer = read_answer(reply(body.encode(codec), content_type))
    assert answer is not None
    assert (answer.status.code, answer.status.text) == (4005, "短信服务")


@pytest.mark.parametrize("form", ["as it should be", "SOAP 1.2"])
def test_korean_letters_are_read(form: str) -> None:
    body = '<?xml version="1.0" encoding="euc-kr"?>' + FORMS[form].replace("{}", "2001").replace("Told", "똠방각하")
    answer = read_answer(reply(body.encode("cp949"), "text/xml; charset=euc-kr"))
    assert answer is not None
    assert answer.status.text == "똠방각하"


@pytest.mark.parametrize("charset", ["x-none", "punycode", "hex", "unicode_escape"])
def test_a_character_set_that_is_none_hides_no_status(charset: str) -> None:
    body = FORMS["SOAP 1.2"].replace("{}", "2005")
    answer = read_answer(reply(body, f"text/xml; charset={charset}"))
    assert answer is not None
    assert answer.status.code == 2005


def test_what_was_forgiven_is_told() -> None:
    standard, soap_12 = (judge(reply(FORMS[form].replace("{}", "2005"))) for form in ("fault", "SOAP 1.2"))
    assert standard == Failed("2005 Told", refused=True)
    remark = f"no MM7 answer as it should be: Envelope: envelope namespace {SOAP_12}"
    assert soap_12 == Failed(f"2005 Told ({remark})", refused=True)
    assert judge(reply(envelope(RSP, SOAP_12).replace("{}", "1000"), status=202)) == Delivered(
        note=f"1000 Told ({remark})"
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (envelope("<e:Fault><faultcode>e:Server</faultcode><faultstring>Away</faultstring></e:Fault>"), 3000),
        (envelope("<e:Fault><faultcode>e:Client</faultcode><faultstring>Away</faultstring></e:Fault>"), 2000),
        (
            envelope(
                "<e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code>"
                "<e:Reason><e:Text xml:lang='en'>Away</e:Text></e:Reason></e:Fault>",
                SOAP_12,
            ),
            3000,
        ),
        ("<Fault><Code><Value>e:Sender</Value></Code><Reason>Away</Reason></Fault>", 2000),
    ],
)
def test_a_fault_without_a_status_says_whose_it_is(body: str, code: int) -> None:  # SOAP 1.1 4.4.1, SOAP 1.2 5.4.6
    answer = read_answer(reply(body, status=500))
    assert answer is not None
    assert (answer.status.code, answer.status.text) == (StatusCode(code), "Away")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n",
        b"<html><body>Internal Server Error</body></html>",
        b"<StatusCode>200</StatusCode>",
        b"<StatusCode>10000</StatusCode>",
        b"StatusCode: 1000",
        b"<Fault><Value>Odd</Value></Fault>",
        b"\xff\xfe<",
    ],
)
def test_what_says_no_status_is_none(body: bytes) -> None:
    assert read_answer(reply(body)) is None


@pytest.mark.parametrize(
    "endless",
    [
        "<StatusCode>" + " " * 250_000,
        "<StatusCode>" * 20_000,
        "<StatusCode " * 20_000,
        "<a:" * 80_000 + "StatusCode",
        "<StatusCode><![CDATA[" * 12_000,
        "<Fault><Value>" * 18_000 + " " * 1000,
        "<StatusCode>1000" + "\n" * 250_000,
    ],
)
def test_reading_takes_time_in_proportion(endless: str) -> None:
    began = time.process_time()
    assert read_answer(reply(endless)) is None
    assert time.process_time() - began < 2
