"""zeep, from our WSDL alone, on the other side of every operation: what it writes we read, what we write it reads."""

import io
from functools import cache
from typing import Any

import pytest
import zeep
from lxml import etree
from zeep.exceptions import Fault as ZeepFault

from protocols import mm7
from protocols.mm7.wsdl import wsdl

TO_SERVER = ("Submit", "Cancel", "Replace")
EXTENDED = ("ExtendedCancel", "ExtendedReplace")
TO_VASP = ("Deliver", "DeliveryReport", "ReadReply")
STATUS = mm7.Status(mm7.StatusCode.PARTIAL_SUCCESS, "Partial success", "one of two")
ANSWERS: dict[str, mm7.Message] = {
    "Submit": mm7.SubmitRsp(status=STATUS, message_id="m-1"),
    "Cancel": mm7.CancelRsp(status=STATUS),
    "Replace": mm7.ReplaceRsp(status=STATUS),
    "ExtendedCancel": mm7.ExtendedCancelRsp(status=STATUS),
    "ExtendedReplace": mm7.ExtendedReplaceRsp(status=STATUS, message_id="m-1"),
    "Deliver": mm7.DeliverRsp(status=STATUS, service_code="gold"),
    "DeliveryReport": mm7.DeliveryReportRsp(status=STATUS),
    "ReadReply": mm7.ReadReplyRsp(status=STATUS),
}
NUMBER = {"Number": "+15550100123"}
SENDER = {"SenderIdentification": {"VASPID": "news", "VASID": "daily"}}
REQUESTS: dict[str, dict[str, object]] = {
    "Submit": {**SENDER, "Recipients": {"_value_1": [{"To": {"_value_1": [NUMBER]}}]}, "Priority": "High"},
    "Cancel": {**SENDER, "MessageID": "m-1"},
    "Replace": {**SENDER, "MessageID": "m-1", "ReadReply": True},
    "ExtendedCancel": {**SENDER, "CancelID": "c-1"},
    "ExtendedReplace": {"VASPID": "news", "ReplaceID": "r-1", "ExpiryDate": "P3D"},
    "Deliver": {"Sender": NUMBER, "LinkedID": "l-1", "Subject": "Grüße"},
    "DeliveryReport": {"MessageID": "m-1", "Recipient": NUMBER, "Sender": NUMBER, "MMStatus": "Retrieved"},
    "ReadReply": {"MessageID": "m-1", "Recipient": NUMBER, "Sender": NUMBER, "MMStatus": "Read"},
}
WANTED: dict[str, dict[str, object]] = {
    "Submit": {"vasp_id": "news", "to": (mm7.Address("+15550100123"),), "priority": "High"},
    "Cancel": {"vas_id": "daily", "message_id": "m-1"},
    "Replace": {"message_id": "m-1", "read_reply": True},
    "ExtendedCancel": {"vasp_id": "news", "cancel_id": "c-1"},
    "ExtendedReplace": {"vasp_id": "news", "replace_id": "r-1", "expiry_date": "P3D"},
    "Deliver": {"sender": mm7.Address("+15550100123"), "linked_id": "l-1", "subject": "Grüße"},
    "DeliveryReport": {"recipient": mm7.Address("+15550100123"), "mm_status": "Retrieved"},
    "ReadReply": {"sender": mm7.Address("+15550100123"), "mm_status": "Read", "time_stamp": "2026-01-02T03:04:05Z"},
}


@cache
def client(tag: str) -> Any:
    dialect = mm7.dialect(mm7.BASE + tag)
    assert dialect is not None
    return zeep.Client(io.BytesIO(wsdl(dialect, "http://mmsc.example/mm7").encode()))  # type: ignore[no-untyped-call]


def binding(tag: str, operation: str) -> Any:
    name = "VaspSoap" if operation in TO_VASP else "RelayServerSoap"
    return client(tag).wsdl.bindings[f"{{urn:mmsc:mm7:{tag}}}{name}"]


def cases() -> list[tuple[str, str]]:
    found = []
    for tag in mm7.TAGS:
        dialect = mm7.dialect(mm7.BASE + tag)
        assert dialect is not None
        names = (*TO_SERVER, *TO_VASP, *(EXTENDED if dialect.has_extended else ()))
        found += [(tag, name) for name in names]
    return found


@pytest.mark.parametrize("tag", mm7.TAGS)
def test_zeep_describes_every_operation_both_ways(tag: str) -> None:
    named = {name for known, name in cases() if known == tag}
    assert set(binding(tag, "Submit").all()) == named - set(TO_VASP)
    assert set(binding(tag, "Deliver").all()) == set(TO_VASP)
    for name in named:
        operation = binding(tag, name).get(name)
        assert "MM7Version" in operation.input.signature()
        assert "Status" in operation.output.signature()
        assert list(operation.faults) == ["VASPErrorRsp" if name in TO_VASP else "RSErrorRsp"]


@pytest.mark.parametrize(("tag", "name"), cases())
def test_we_read_what_zeep_writes(tag: str, name: str) -> None:
    dialect = mm7.dialect(mm7.BASE + tag)
    assert dialect is not None
    values = {"MM7Version": dialect.version, **REQUESTS[name]}
    if name in ("DeliveryReport", "ReadReply"):
        date = dialect.report_date_element if name == "DeliveryReport" else "TimeStamp"
        values[date] = "2026-01-02T03:04:05Z"
    header = client(tag).get_element(f"{{{dialect.namespace}}}TransactionID")("t-1")
    service = client(tag).create_service(binding(tag, name).name, "http://vasp.example/")
    written = client(tag).create_message(service, name, _soapheaders=[header], **values)
    decoded = mm7.decode("text/xml", etree.tostring(written))
    assert (decoded.findings, decoded.message.transaction_id) == ((), "t-1")
    assert {key: getattr(decoded.message.message, key) for key in WANTED[name]} == WANTED[name]


@pytest.mark.parametrize(("tag", "name"), cases())
def test_zeep_reads_what_we_answer(tag: str, name: str) -> None:
    dialect = mm7.dialect(mm7.BASE + tag)
    assert dialect is not None
    _, octets = mm7.encode(mm7.Envelope("t-1", dialect, ANSWERS[name]))
    read = binding(tag, name).get(name).process_reply(etree.fromstring(octets))
    assert read.header.TransactionID._value_1 == "t-1"
    assert (read.body.Status.StatusCode, read.body.Status.StatusText) == (1100, "Partial success")
    assert getattr(read.body, "MessageID", "m-1") == "m-1"
    if name == "Deliver" and dialect.answers_service_code:
        assert read.body.ServiceCode._value_1 == "gold"


@pytest.mark.parametrize("name", [*TO_SERVER, *TO_VASP])
def test_zeep_reads_our_faults(name: str) -> None:
    dialect = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert dialect is not None
    fault = mm7.Fault(fault_code="Server", status=mm7.Status(mm7.StatusCode.SERVICE_UNAVAILABLE))
    document = etree.fromstring(mm7.encode(mm7.Envelope("t-1", dialect, fault))[1])
    one = binding(mm7.LATEST, name)
    with pytest.raises(ZeepFault) as caught:
        one.process_error(document, one.get(name))
    assert caught.value.detail.findtext(".//{*}StatusCode") == "4006"
