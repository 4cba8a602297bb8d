"""MM7 as MMSCs and client libraries in the field write it, of every operation: read for what it means, each oddity told
by its rule (TS 23.140 8.7.8)."""

from typing import Any

import pytest

from protocols import mm7

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
PICTURE = b"\xff\xd8 a picture \xff\xd9"


def envelope(body: str, tag: str, prefix: str = "soap", before: str = "") -> bytes:
    transaction = (
        f'<mm7:TransactionID xmlns:mm7="{mm7.BASE}{tag}" {prefix}:mustUnderstand="1">\n 42\n</mm7:TransactionID>'
    )
    return (
        f'{before}<{prefix}:Envelope xmlns:{prefix}="{SOAP}"><{prefix}:Header>{transaction}</{prefix}:Header>'
        f"<{prefix}:Body>{body}</{prefix}:Body></{prefix}:Envelope>"
    ).encode()


def related(
    soap: bytes, head: str, data: bytes, parameters: str = 'type="text/xml"; start="<soap>"'
) -> tuple[str, bytes]:
    first = b"--a b\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Id: <soap>\r\n\r\n" + soap
    second = b"\r\n--a b\r\n" + head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + data + b"\r\n--a b--\r\n"
    return f'multipart/related; boundary="a b"; {parameters}', first + second


def names(found: Any) -> list[str]:
    return [finding.rule.removeprefix("MM7-") for finding in found]


def test_a_deliver_req_as_the_examples_of_the_standard_have_it() -> None:
    """VASPID before MMSRelayServerID, and a nested multipart/mixed with spaces in its boundary."""
    tag = "REL-6-MM7-1-4"
    body = (
        f'<mm7:DeliverReq xmlns:mm7="{mm7.BASE}{tag}"><mm7:MM7Version>6.8.0</mm7:MM7Version>'
        "<mm7:VASPID>news</mm7:VASPID><mm7:VASID>daily</mm7:VASID><mm7:MMSRelayServerID>mms.example</mm7:MMSRelayServerID>"
        "<mm7:LinkedID>l-1</mm7:LinkedID><mm7:Sender><mm7:Number>+15550100123</mm7:Number></mm7:Sender>"
        '<mm7:Content href="cid:generic@mms.example"/></mm7:DeliverReq>'
    )
    inner = b"--in ner\r\nContent-Type: image/jpeg\r\n\r\n" + PICTURE + b"\r\n--in ner--"
    head = 'Content-Type: multipart/mixed; boundary="in ner"\nContent-ID: <generic@mms.example>'
    decoded = mm7.decode(*related(envelope(body, tag), head, inner))
    message, content = decoded.message.message, decoded.message.content
    assert isinstance(message, mm7.DeliverReq)
    assert (message.vasp_id, message.vas_id, message.mms_relay_server_id) == ("news", "daily", "mms.example")
    assert content is not None
    assert [part.data for part in content.parts] == [PICTURE]
    assert names(decoded.findings) == ["R004"]


def test_a_deliver_req_as_nokia_writes_it() -> None:
    tag = "REL-6-MM7-1-4"
    body = (
        f'<mm7p6a0:DeliverReq xmlns:mm7p6a0="{mm7.BASE}{tag}" soap:encodingStyle="">'
        "<mm7p6a0:MM7Version>6.8.0</mm7p6a0:MM7Version>"
        "<mm7p6a0:MMSRelayServerID>Nokia MMS Center MC5.0</mm7p6a0:MMSRelayServerID>"
        "<mm7p6a0:LinkedID>l-1</mm7p6a0:LinkedID>"
        "<mm7p6a0:Sender><mm7p6a0:Number>+15550100123/TYPE=PLMN</mm7p6a0:Number></mm7p6a0:Sender>"
        '<mm7p6a0:Content href="cid:content"> \n </mm7p6a0:Content></mm7p6a0:DeliverReq>'
    )
    head = "Content-Type: image/jpeg; Name=a.jpg\nContent-Id: <content>\nContent-Transfer-Encoding: BASE64"
    decoded = mm7.decode(*related(envelope(body, tag), head, b"/9g=", "Type=text/xml; Start=<soap>"))
    message, content = decoded.message.message, decoded.message.content
    assert isinstance(message, mm7.DeliverReq)
    assert message.sender == mm7.Address("+15550100123/TYPE=PLMN")
    assert content is not None
    assert content.data == b"\xff\xd8"
    assert names(decoded.findings) == ["R010"]


def test_a_deliver_req_with_nothing_but_content() -> None:
    tag = "REL-5-MM7-1-2"
    body = f'<DeliverReq xmlns="{mm7.BASE}{tag}"><MM7Version>5.6.0</MM7Version><Content href="cid:c"/></DeliverReq>'
    decoded = mm7.decode(*related(envelope(body, tag, "env"), "Content-ID: <c>", PICTURE))
    message = decoded.message.message
    assert isinstance(message, mm7.DeliverReq)
    assert (message.sender, message.to, message.content_href) == (None, (), "cid:c")
    assert names(decoded.findings) == ["R006"]


def test_a_deliver_req_with_a_qualified_href_and_a_space_in_it() -> None:
    tag = "REL-5-MM7-1-0"
    body = (
        f'<m:DeliverReq xmlns:m="{mm7.BASE}{tag}"><m:MM7Version>5.3.0</m:MM7Version><m:Sender><m:Number>1555</m:Number>'
        "</m:Sender><m:TimeStamp>2026-01-02T03:04:05.678Z</m:TimeStamp><m:Subject>(no subject)</m:Subject>"
        '<m:Content m:href="cid: content_15"/></m:DeliverReq>'
    )
    decoded = mm7.decode(*related(envelope(body, tag), "Content-Type: image/jpeg\nContent-ID: content_15", PICTURE))
    message, content = decoded.message.message, decoded.message.content
    assert isinstance(message, mm7.DeliverReq)
    assert (message.time_stamp, message.subject) == ("2026-01-02T03:04:05.678Z", "(no subject)")
    assert content is not None
    assert content.data == PICTURE
    assert names(decoded.findings) == ["R030", "R011"]


def test_a_report_as_chinese_operators_write_it() -> None:
    """In another order, in GB2312, with words and elements of their own, and mustUnderstand on the body."""
    tag = "REL-6-MM7-1-0"
    body = (
        f'<DeliveryReportReq xmlns="{mm7.BASE}{tag}" env:mustUnderstand="1"><MM7Version>6.3.0</MM7Version>'
        "<Sender><Number>10086</Number></Sender><Recipient><Number>13800000000</Number></Recipient>"
        "<TimeStamp>2026-01-02T03:04:05+08:00</TimeStamp><MMSRelayServerID>600001</MMSRelayServerID>"
        "<MessageID>m-1</MessageID><MMStatus>Third:User Retrieved</MMStatus><MMSStatusErrorCode>0</MMSStatusErrorCode>"
        "<StatusText>1000 已取</StatusText></DeliveryReportReq>"
    )
    text = envelope(body, tag, "env", '<?xml version="1.0" encoding="GB2312"?>').decode()
    decoded = mm7.decode('text/xml; charset="GB2312"', text.encode("gb2312"))
    message = decoded.message.message
    assert isinstance(message, mm7.DeliveryReportReq)
    assert (message.recipient.value, message.sender.value) == ("13800000000", "10086")
    assert (message.mm_status, message.status_text) == ("Third:User Retrieved", "1000 已取")
    assert sorted(set(names(decoded.findings))) == ["R004", "R005", "R007", "R010"]


def test_a_report_as_korean_operators_write_it() -> None:
    """Only the parent has a prefix; Recipients instead of Recipient; euc-kr."""
    tag = "REL-5-MM7-1-2"
    body = (
        f'<mm7:DeliveryReportReq xmlns:mm7="{mm7.BASE}{tag}"><MM7Version>5.3.0</MM7Version><MessageID>m-1</MessageID>'
        "<Recipients><Number>01012345678</Number></Recipients><Sender><Number>0212345678</Number></Sender>"
        "<TimeStamp>2026-01-02T03:04:05</TimeStamp><MMStatus>Retrieved</MMStatus><StatusText>성공</StatusText>"
        "</mm7:DeliveryReportReq>"
    )
    text = envelope(body, tag, "env", '<?xml version="1.0" encoding="euc-kr"?>').decode()
    decoded = mm7.decode('text/xml; charset="euc-kr"', text.encode("euc-kr"))
    message = decoded.message.message
    assert isinstance(message, mm7.DeliveryReportReq)
    assert (message.recipient.value, message.date, message.status_text) == (
        "01012345678",
        "2026-01-02T03:04:05",
        "성공",
    )
    assert names(decoded.findings) == ["R012", "R013"]


def test_a_read_reply_that_is_dated_like_a_report() -> None:
    tag = "REL-6-MM7-1-4"
    body = (
        f'<ReadReplyReq xmlns="{mm7.BASE}{tag}"><MM7Version>6.8.0</MM7Version><MessageID>m-1</MessageID><Recipients>'
        "<Number>+15550100123</Number></Recipients><Sender><RFC2822Address>+15550100001/TYPE=PLMN@mm7.mms.example"
        "</RFC2822Address></Sender><TimeStamp>2026-01-02T03:04:05Z</TimeStamp><MMStatus>Read</MMStatus></ReadReplyReq>"
    )
    decoded = mm7.decode("text/xml", envelope(body, tag))
    message = decoded.message.message
    assert isinstance(message, mm7.ReadReplyReq)
    assert message.recipient == mm7.Address("+15550100123")
    assert message.sender.form is mm7.AddressForm.RFC2822_ADDRESS
    assert names(decoded.findings) == ["R012"]


def test_reply_charging_as_a_java_library_writes_it() -> None:
    """Size and deadline as elements, and its other typing errors."""
    tag = "REL-5-MM7-1-3"
    body = (
        f'<SubmitReq xmlns="{mm7.BASE}{tag}"><MM7Version>5.8.0</MM7Version><SenderIdentification/><Recipients><To>'
        "<Number>+15550100123</Number></To></Recipients><ReplyCharging><ReplyChargingSize>30720</ReplyChargingSize>"
        "<ReplyDeadline>P1D</ReplyDeadline></ReplyCharging><EarlistDeliveryTime>PT1H</EarlistDeliveryTime>"
        "<DeliveryReport>True</DeliveryReport></SubmitReq>"
    )
    decoded = mm7.decode("text/xml", envelope(body, tag))
    message = decoded.message.message
    assert isinstance(message, mm7.SubmitReq)
    assert (message.reply_charging, message.reply_charging_size, message.reply_deadline) == (True, "30720", "P1D")
    assert (message.earliest_delivery_time, message.delivery_report) == ("PT1H", True)
    assert names(decoded.findings) == ["R012", "R005", "R005", "R008"]


@pytest.mark.parametrize("name", ["CancelReq", "ReplaceReq", "extendedCancelReq"])
def test_requests_about_an_mm_in_any_order(name: str) -> None:
    tag = "REL-6-MM7-1-4"
    what = "CancelID" if name == "extendedCancelReq" else "MessageID"
    body = (
        f'<{name} xmlns="{mm7.BASE}{tag}"><{what}> m-1 </{what}><MM7Version>6.8.0</MM7Version><SenderIdentification>'
        f"<VASID>daily</VASID><VASPID>news</VASPID></SenderIdentification></{name}>"
    )
    decoded = mm7.decode("text/xml", envelope(body, tag))
    message: Any = decoded.message.message
    assert (message.vasp_id, message.vas_id) == ("news", "daily")
    assert getattr(message, "cancel_id" if what == "CancelID" else "message_id") == "m-1"
    assert names(decoded.findings) == ["R004", "R004"]


def test_answers_with_the_text_before_the_code_and_a_private_code() -> None:
    tag = "REL-5-MM7-1-3"
    for name, message in (("DeliverRsp", mm7.DeliverRsp), ("ReadReplyRsp", mm7.ReadReplyRsp)):
        body = (
            f'<{name} xmlns="{mm7.BASE}{tag}"><MM7Version>5.8.0</MM7Version><Status><StatusText>Unknown</StatusText>'
            f"<StatusCode>2501</StatusCode></Status></{name}>"
        )
        decoded = mm7.decode("text/xml", envelope(body, tag))
        assert isinstance(decoded.message.message, message)
        assert decoded.message.message.status.code == 2501
        assert names(decoded.findings) == ["R016"]


@pytest.mark.parametrize("tag", [tag for tag in mm7.TAGS if tag.startswith("REL-5") or tag == "REL-6-MM7-1-0"])
def test_an_extended_cancel_is_read_also_where_there_is_none(tag: str) -> None:
    spoken = mm7.dialect(mm7.BASE + tag)
    assert spoken is not None
    body = (
        f'<extendedCancelReq xmlns="{mm7.BASE}{tag}"><MM7Version>{spoken.version}</MM7Version><SenderIdentification/>'
        "<CancelID>c-1</CancelID></extendedCancelReq>"
    )
    decoded = mm7.decode("text/xml", envelope(body, tag))
    assert isinstance(decoded.message.message, mm7.ExtendedCancelReq)
    assert names(decoded.findings) == ["R021"]
