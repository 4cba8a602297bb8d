"""MM1 PDUs as JSON and back: the same octets; complaints name the field, the nearest spelling and the clause."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.trace import json_form
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError, EncodeError
from protocols.mm1.catalogue import PDUS
from protocols.mm1.enums import in_words
from protocols.wsp.multipart import Part, encode_multipart
from protocols.wsp.push import decode_push, mms_push
from tests.cases import Case, cases

VALID = [one for one in cases("mm1") if not one.is_refused]
NOTIFYRESP = {"pdu": "m-notifyresp-ind", "X-Mms-Transaction-ID": "T1", "X-Mms-Status": "Retrieved"}
SEND = {
    "pdu": "m-send-req",
    "X-Mms-Transaction-ID": "T1",
    "From": "insert-address",
    "To": ["+15550100123/TYPE=PLMN"],
    "parts": [{"text": "Hello"}],
}


def canonical(case: Case) -> bytes:
    """What we write for it: its own octets unless the golden says otherwise."""
    return bytes.fromhex(case.meaning.get("written", case.octets.hex()))


def no_file(name: str) -> tuple[bytes, ContentType]:
    raise AssertionError(name)


def made(form: Any) -> bytes:
    return json_form.read(json.loads(json.dumps(form)), no_file)[0]


def pdu_of(form: Any) -> mm1.Pdu:
    return mm1.decode(made(form)).message


@pytest.mark.parametrize("case", VALID, ids=str)
def test_every_golden_comes_back(case: Case) -> None:
    pdu = mm1.decode(case.octets).message
    assert made(json_form.written(pdu)) == canonical(case)
    assert json_form.is_exact(pdu, case.octets) is ("written" not in case.meaning)


@pytest.mark.parametrize("case", VALID, ids=str)
def test_every_golden_comes_back_in_a_push(case: Case) -> None:
    octets = mms_push(9, canonical(case))
    form = json_form.written(decode_push(octets))
    assert form["body"]["pdu"]["pdu"] == in_words(mm1.decode(case.octets).message.message_type)
    assert made(form) == octets


@given(st.sampled_from(VALID), st.data())
def test_what_is_read_with_an_octet_changed_comes_back_as_we_write_it(case: Case, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(case.octets) - 1))
    octets = case.octets[:at] + bytes([data.draw(st.integers(0, 255))]) + case.octets[at + 1 :]
    try:
        pdu = mm1.decode(octets).message
        ours = mm1.encode(pdu)
    except (DecodeError, EncodeError):
        return
    assert made(json_form.written(pdu)) == ours
    assert json_form.is_exact(pdu, octets) is (ours == octets)


def test_every_value_of_its_own_form_comes_back() -> None:
    """Each field of each PDU once, with values that a word or a number alone does not say."""
    pdus = [
        mm1.MSendReq(
            transaction_id="T",
            mms_version=0x13,
            from_="insert-address",
            to=("a@b", "é"),
            message_class="gold",
            expiry=mm1.Moment(5, relative=False),
            priority=mm1.Priority(0x99),
            mm_flags=(mm1.Flagged(0x80, "x"), mm1.Flagged(0x90, "")),
            mm_state=(mm1.MmState.DRAFT,),
            content_type=ContentType("application/x", (("name", "a\nb"),)),
            body=b"\0",
            subject="",
        ),
        mm1.MRetrieveConf(
            date=1,
            previously_sent_by=(mm1.Counted(1, "x"),),
            previously_sent_date=(mm1.CountedDate(1, 2),),
            content_type=ContentType("text/plain", (("charset", "iso-8859-1"),)),
            body="é".encode("latin-1"),
        ),
        mm1.MNotificationInd(
            transaction_id="T",
            message_class=mm1.MessageClass.AUTO,
            message_size=1,
            expiry=mm1.Moment(1),
            content_location="u",
            element_descriptor=(mm1.Element("a", (("type", "image/gif"),)), mm1.Element("b")),
        ),
        mm1.MMboxViewReq(transaction_id="T", attributes=(0x09, 0x2E, 0x7B)),
        mm1.MMboxViewConf(
            transaction_id="T",
            response_status=mm1.ResponseStatus.OK,
            mbox_totals=(mm1.Flagged(0x80, 300), mm1.Flagged(0x81, 5)),
            content_type=ContentType("application/vnd.wap.multipart.mixed"),
            body=encode_multipart([]),
        ),
        mm1.MDeleteConf(
            transaction_id="T",
            content_locations=(mm1.Indexed(1, "u"),),
            response_statuses=(mm1.Indexed(1, mm1.ResponseStatus.ERROR_TRANSIENT_FAILURE),),
            response_texts=(mm1.Indexed(1, "é"),),
        ),
    ]
    for pdu in pdus:
        assert pdu_of(json_form.written(pdu)) == pdu
    assert json_form.written(pdus[0])["From"] == {"text": "insert-address"}
    assert json_form.written(pdus[0])["X-Mms-Priority"] == "0x99"


def test_descriptors_in_an_mbox_view_conf_are_written_as_pdus() -> None:
    descr = mm1.encode(mm1.MMboxDescr(content_location="http://a/1", subject="Hi"))
    body = encode_multipart([Part(ContentType("application/vnd.wap.mms-message"), descr)])
    conf = mm1.MMboxViewConf(
        transaction_id="T",
        response_status=mm1.ResponseStatus.OK,
        content_type=ContentType("application/vnd.wap.multipart.mixed"),
        body=body,
    )
    form = json_form.written(conf)
    assert form["parts"][0]["pdu"]["Subject"] == "Hi"
    assert pdu_of(form) == conf


def test_unknown_fields_come_back() -> None:
    octets = mm1.encode(mm1.MNotifyRespInd(transaction_id="T", status=mm1.Status.DEFERRED))
    octets += b"\xc5\x02ab" + b"X-Own\0value\0" + b"\x8f\x82"
    form = json_form.written(mm1.decode(octets).message)
    assert {"field": "0x8F", "octets": "82", "name": "X-Mms-Priority"} in form["unknown"]
    assert sorted(made(form)) == sorted(octets)
    by_hand = NOTIFYRESP | {"unknown": [{"name": "X-Own", "text": "value"}, {"field": "0xC5", "text": "ab"}]}
    assert made(by_hand).endswith(b"X-Own\0value\0\xc5ab\0")


def test_what_a_person_writes_may_be_short() -> None:
    short = {"to": "a@b", "Date": "2023-11-14T22:13:20Z", "x-mms-delivery-report": "yes"}
    pdu = pdu_of({key: value for key, value in SEND.items() if key != "To"} | short)
    assert isinstance(pdu, mm1.MSendReq)
    assert (pdu.to, pdu.date, pdu.delivery_report) == (("a@b",), 1_700_000_000, True)
    assert str(pdu.content_type) == "application/vnd.wap.multipart.mixed"
    assert pdu.body == encode_multipart([Part(ContentType("text/plain", (("charset", "utf-8"),)), b"Hello")])


def test_a_presentation_makes_the_parts_related() -> None:
    parts = [{"content_type": "application/smil", "content_id": "s", "text": "<smil/>"}, {"text": "Hello"}]
    pdu = pdu_of(SEND | {"parts": parts})
    assert isinstance(pdu, mm1.MSendReq)
    assert pdu.content_type == ContentType(
        "application/vnd.wap.multipart.related", (("start", "<s>"), ("type", "application/smil"))
    )


def test_files_are_read_and_named_by_whoever_can() -> None:
    seen = []

    def read_file(name: str) -> tuple[bytes, ContentType]:
        seen.append(name)
        return b"GIF89a", ContentType("image/gif")

    octets, _ = json_form.read(SEND | {"parts": [{"file": "pictures/hill.gif"}]}, read_file)
    assert set(seen) == {"pictures/hill.gif"}
    assert b"\x8ehill.gif\0GIF89a" in octets


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ([], "the document: is no JSON object; MMS PDUs of MM1 and WAP pushes are what can be encoded"),
        ({"Pdu": "m-send-req"}, 'the document: has neither "pdu" nor "push"; the nearest is pdu'),
        ({"kind": "MM7", "inside": []}, "is a view of MM7; MMS PDUs of MM1"),
        ({"pdu": "m-send-rec"}, "pdu: 'm-send-rec' is no PDU of MM1; the nearest is m-send-req (OMA-TS-MMS_ENC 6)"),
        (
            NOTIFYRESP | {"X-Mms-Statis": "Retrieved"},
            "X-Mms-Statis: m-notifyresp-ind has no such field; the nearest is X-Mms-Status (OMA-TS-MMS_ENC 6.2)",
        ),
        (NOTIFYRESP | {"X-Mms-Priority": "High"}, "in `unknown`, as octets, is sent all the same"),
        (
            NOTIFYRESP | {"X-Mms-Status": "Retreived"},
            "X-Mms-Status: 'Retreived' is no Status; the nearest is Retrieved (OMA-TS-MMS_ENC 7.3.54)",
        ),
        (NOTIFYRESP | {"X-Mms-Status": "?"}, "'?' is no Status; known: Expired, Retrieved,"),
        (NOTIFYRESP | {"x-mms-status": "Deferred"}, "x-mms-status: comes twice, in two spellings"),
        (NOTIFYRESP | {"X-Mms-Report-Allowed": "maybe"}, "neither true (Yes) nor false (No) (OMA-TS-MMS_ENC 7.3.47)"),
        (NOTIFYRESP | {"X-Mms-MMS-Version": "1.16"}, "is no version like"),
        (NOTIFYRESP | {"X-Mms-Transaction-ID": 7}, "X-Mms-Transaction-ID: 7 is no text"),
        (NOTIFYRESP | {"parts": []}, "parts: m-notifyresp-ind has no content"),
        (NOTIFYRESP | {"unknown": {}}, "unknown: no list"),
        (NOTIFYRESP | {"unknown": [{"field": "0xC5"}]}, "unknown[1]: either octets or text"),
        (NOTIFYRESP | {"unknown": [{"field": "0x05", "octets": ""}]}, "is no number of a field"),
        (NOTIFYRESP | {"unknown": [{"field": "0xC5", "octets": "x"}]}, "octets are hexadecimal digits"),
        (NOTIFYRESP | {"unknown": [{"fields": "0xC5"}]}, "no object with field or name"),
        (SEND | {"To": ["a", 7]}, "To[2]: 7 is no text (OMA-TS-MMS_ENC 7.3.61)"),
        (SEND | {"Date": -1}, "Date: -1 is no whole number from 0"),
        (SEND | {"Date": "soon"}, "'soon' is neither a number nor a moment like 2023-11-14T22:13:20Z"),
        (
            SEND | {"X-Mms-Expiry": {"relativ": 1}},
            "'relativ' is neither relative nor absolute; the nearest is relative",
        ),
        (SEND | {"X-Mms-Expiry": 5}, "5 is no object with one name (OMA-TS-MMS_ENC 7.3.20)"),
        (SEND | {"X-Mms-MM-Flags": [{"ad": "x"}]}, "'ad' is none of add, remove, filter, nor a number as 0x99"),
        (SEND | {"parts": {}}, "parts: no list of at most 1000 parts"),
        (SEND | {"parts": ["x"]}, "parts[1]: a part is an object"),
        (SEND | {"parts": [{"txt": "x"}]}, "parts[1].txt: a part has no such key; the nearest is text"),
        (SEND | {"parts": [{"base64": "AA=="}]}, "parts[1].content_type: is missing"),
        (SEND | {"parts": [{"text": "a", "file": "b"}]}, "it has text and file"),
        (SEND | {"parts": [{"content_type": "image/gif", "base64": "?"}]}, "parts[1].base64: is no base64"),
        (SEND | {"parts": [{"content_type": "text/plain; charset=us-ascii", "text": "é"}]}, "be written in us-ascii"),
        (SEND | {"parts": [{"content_type": "gif gif", "text": ""}]}, "'gif gif' is no media type (RFC 2045 5.1)"),
        (SEND | {"body": {"text": ""}}, "body: either parts or body, not both"),
        (
            {key: value for key, value in SEND.items() if key != "parts"} | {"body": {"text": ""}},
            "Content-Type: is missing (OMA-TS-MMS_ENC 7.3.11)",
        ),
        ({"push": {"transaction_id": 256}, "body": {"pdu": NOTIFYRESP}}, "256 is more than one octet"),
        ({"push": {"id": 1}, "body": {}}, "push.id: no such key"),
        ({"push": {}, "pdu": "x"}, "pdu: a push has no such key"),
        ({"push": 1}, "push and body are objects"),
        ({"push": {}, "body": {"pdu": {"pdu": "x"}}}, "body.pdu.pdu: 'x' is no PDU of MM1"),
        ({"push": {}, "body": {"pdu": "x"}}, "body.pdu: no object"),
    ],
)
def test_what_is_wrong_is_told(form: Any, told: str) -> None:
    with pytest.raises(json_form.JsonFormError) as caught:
        json_form.read(form, no_file)
    assert told in str(caught.value)


def test_a_field_that_is_missing_is_told_by_the_codec() -> None:
    with pytest.raises(EncodeError, match="without X-Mms-Status") as caught:
        made({key: value for key, value in NOTIFYRESP.items() if key != "X-Mms-Status"})
    assert caught.value.clause == "OMA-TS-MMS_ENC 6.2"


@pytest.mark.parametrize(
    "fields",
    [
        {"Subject": "a\ud800"},
        {"Subject": "\udfff\0"},
        {"X-Mms-Transaction-ID": "\ud800"},
        {"unknown": [{"name": "X-\ud800", "text": "x"}]},
        {"unknown": [{"name": "X-Own", "text": "\ud800"}]},
        {"Content-Type": {"media_type": "a\ud800/b", "parameters": []}},
        {"Content-Type": {"media_type": "a/b", "parameters": [["x", "\ud800 y"]]}},
        {"parts": [{"text": "x", "content_id": "\ud800"}]},
        {"X-Mms-Message-Class": "0x01"},
        {"X-Mms-Message-Class": "0x199"},
        {"X-Mms-MM-Flags": [{"0x199": "x"}]},
    ],
    ids=ascii,
)
def test_what_no_octets_stand_for_is_told(fields: dict[str, Any]) -> None:
    """WAP-230-WSP 8.4.2.1, OMA-TS-MMS_ENC 7.3.27, 7.3.32: JSON has halves of characters, and numbers of any size."""
    with pytest.raises((EncodeError, json_form.JsonFormError)):
        made(SEND | fields)


def test_parts_are_not_nested_without_end() -> None:
    form: Mapping[str, Any] = {"text": "x"}
    for _ in range(10):
        form = {"content_type": "application/vnd.wap.multipart.mixed", "parts": [form]}
    with pytest.raises(json_form.JsonFormError, match="deeper than 5"):
        made(SEND | {"parts": [form]})


def test_every_pdu_has_a_name_to_be_written_by() -> None:
    for cls in PDUS:
        name = in_words(cls.message_type)
        with pytest.raises((EncodeError, json_form.JsonFormError)):
            made({"pdu": name, "nonsense": 1})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5), st.data())
def test_whatever_stands_there_is_read_or_told(value: Any, data: st.DataObject) -> None:
    form = dict(data.draw(st.sampled_from([json_form.written(mm1.decode(one.octets).message) for one in VALID])))
    form[data.draw(st.sampled_from(sorted(form)))] = value
    with suppress(json_form.JsonFormError, EncodeError):
        made(form)
