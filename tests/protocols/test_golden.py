"""Golden octets of every protocol: octets and object agree, and every cut is refused or a whole message."""

from contextlib import suppress
from typing import Any

import pytest

from protocols import mime, mm1, mm4, mm7, smpp
from protocols.errors import DecodeError, EncodeError, ProtocolError
from protocols.sms.segment import Concatenation, segment_octets, split_header
from protocols.wsp.multipart import index_multipart
from protocols.wsp.push import MMS_MESSAGE, decode_push, encode_push
from tests.cases import Case, annotated, cases, plain, prefixes

VALID_MM1 = [case for case in cases("mm1") if not case.is_refused]
VALID_SMPP = [case for case in cases("smpp") if not case.is_refused]
VALID_MM7 = [case for case in cases("mm7") if not case.is_refused]
VALID_WSP = [case for case in cases("wsp") if not case.is_refused]
VALID_MM4 = [case for case in cases("mm4") if not case.is_refused]


@pytest.mark.parametrize("case", VALID_MM1, ids=str)
def test_mm1(case: Case) -> None:
    """A meaning that says `written` is one that we write in other octets (the .md says why); `findings` are the rules
    that it breaks."""
    meaning = dict(case.meaning)
    rules = meaning.pop("findings", [])
    canonical = bytes.fromhex(meaning.pop("written", case.octets.hex()))
    decoded = mm1.decode(case.octets)
    pdu = decoded.message
    assert plain(pdu) == meaning
    assert [one.rule for one in decoded.findings] == rules
    assert mm1.encode(pdu) == canonical
    assert mm1.decode(canonical).message == pdu


@pytest.mark.parametrize("case", VALID_MM1, ids=str)
def test_mm1_cut_anywhere(case: Case) -> None:
    """Refused, or a whole PDU in its own right; what a reader forgives, with a finding, a writer may refuse."""
    for prefix in prefixes(case.octets):
        with suppress(DecodeError):
            decoded = mm1.decode(prefix)
            with suppress(EncodeError):
                written = mm1.encode(decoded.message)
                assert mm1.decode(written).message == decoded.message
                if not decoded.findings and "written" not in case.meaning:
                    assert written == prefix


@pytest.mark.parametrize("case", VALID_MM1, ids=str)
def test_mm1_fields_are_where_the_golden_says(case: Case) -> None:
    """A line of a golden with a remark is a field; its octets go on up to the next remark (OMA-TS-MMS_ENC 7.3)."""
    told = [(name, octets) for name, octets in annotated("mm1", case.stem) if not name.startswith("the body")]
    if told:
        views = [one for one in mm1.describe(case.octets) if one.name != "body"]
        assert [case.octets[one.start : one.end] for one in views] == [octets for _, octets in told]
        known = [(one.name, name) for one, (name, _) in zip(views, told, strict=True) if "nobody knows" not in name]
        assert [mine for mine, _ in known] == [name.partition(":")[0] for _, name in known]


@pytest.mark.parametrize("case", VALID_SMPP, ids=str)
def test_smpp(case: Case) -> None:
    pdu = smpp.decode(case.octets).message
    assert plain(pdu) == case.meaning
    assert smpp.encode(pdu) == case.octets
    for prefix in prefixes(case.octets):
        with pytest.raises(DecodeError):
            smpp.decode(prefix)


@pytest.mark.parametrize("case", VALID_WSP, ids=str)
def test_wsp_push(case: Case) -> None:
    push = decode_push(case.octets)
    assert plain(push) == case.meaning
    written = encode_push(push)
    if case.stem == "02-push-as-gateways-write-it":
        assert decode_push(written) == push
    else:
        assert written == case.octets
    for prefix in prefixes(case.octets[: -len(push.data)]):
        with pytest.raises(DecodeError):
            decode_push(prefix)


@pytest.mark.parametrize("case", [one for one in cases("wsp") if one.is_refused], ids=str)
def test_wsp_push_refusals(case: Case) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_push(case.octets)
    assert caught.value.why == case.meaning["refused"]


@pytest.mark.parametrize("case", cases("wdp"), ids=str)
def test_push_in_segments(case: Case) -> None:
    """3GPP TS 23.040 9.2.3.24: the octets are the push, `segments` the user data of each SMS."""
    segments = [bytes.fromhex(one) for one in case.meaning["segments"]]
    assert segment_octets(case.octets, case.meaning["reference"], (2948, 9200)) == segments
    read = [split_header(one) for one in segments]
    assert b"".join(data for _, data in read) == case.octets
    assert [header.ports for header, _ in read] == [(2948, 9200)] * len(segments)
    total = len(segments)
    numbered = [Concatenation(case.meaning["reference"], total, one) for one in range(1, total + 1)]
    assert [header.concatenation for header, _ in read] == (numbered if total > 1 else [None])
    assert isinstance(mm1.decode(decode_push(case.octets).data).message, mm1.MNotificationInd)


@pytest.mark.parametrize("case", VALID_MM7, ids=str)
def test_mm7(case: Case) -> None:
    decoded = mm7.decode(case.meaning["content_type"], case.octets)
    assert decoded.findings == ()
    envelope = decoded.message
    assert plain(envelope.message) == case.meaning["message"]
    assert envelope.transaction_id == case.meaning["transaction_id"]
    assert envelope.dialect.tag == case.meaning["tag"]
    assert _written_mm7(envelope, case.meaning) == (case.meaning["content_type"], case.octets)
    for end in range(0, len(case.octets) - 1, 7):
        with pytest.raises(mm7.Mm7Error):
            mm7.decode("text/xml", case.octets[:end])


def _written_mm7(envelope: mm7.Envelope, meaning: Any) -> tuple[str, bytes]:
    """The message again, with its content as the fixture tells it."""
    if envelope.content is None:
        return mm7.encode(envelope)
    assert [str(envelope.content.content_type), envelope.content.data.hex()] == meaning["content"]
    encoding = envelope.content.header("content-transfer-encoding")
    part = mime.OutPart(
        envelope.content.content_type, envelope.content.data, envelope.content.content_id, encoding=encoding
    )
    return mm7.encode_with_content(envelope, part, envelope.transaction_id)


@pytest.mark.parametrize("case", VALID_MM4, ids=str)
def test_mm4(case: Case) -> None:
    message = mm4.decode(case.octets).message
    meaning = dict(case.meaning)
    parts = meaning.pop("parts", None)
    found = plain(message)
    found.pop("content", None)
    assert found == meaning
    if isinstance(message, mm4.ForwardReq):
        assert message.content is not None
        read = [
            [str(part.content_type), part.content_id, part.content_location, part.data.hex()]
            for part in message.content.parts or (message.content,)
        ]
        assert read == parts
    again = mm4.decode(mm4.encode(message)).message
    assert (again.transaction_id, again.message_id) == (message.transaction_id, message.message_id)
    for prefix in prefixes(case.octets):
        with suppress(mm4.Mm4Error):
            mm4.decode(prefix)


@pytest.mark.parametrize("case", [one for one in cases("mm1") if one.is_refused], ids=str)
def test_mm1_refusals(case: Case) -> None:
    with pytest.raises(mm1.Mm1Error) as caught:
        mm1.decode(case.octets)
    assert caught.value.why == case.meaning["refused"]
    assert mm1.describe(case.octets)


@pytest.mark.parametrize("case", [one for one in cases("smpp") if one.is_refused], ids=str)
def test_smpp_refusals(case: Case) -> None:
    with pytest.raises(smpp.SmppError) as caught:
        smpp.decode(case.octets)
    assert caught.value.status.name == case.meaning["status"]


@pytest.mark.parametrize("case", [one for one in cases("mm7") if one.is_refused], ids=str)
def test_mm7_refusals(case: Case) -> None:
    with pytest.raises(mm7.Mm7Error) as caught:
        mm7.decode(case.meaning["content_type"], case.octets)
    assert int(caught.value.status) == case.meaning["refused"]
    assert caught.value.transaction_id == case.meaning["transaction_id"]


@pytest.mark.parametrize("case", [one for one in cases("mm4") if one.is_refused], ids=str)
def test_mm4_refusals(case: Case) -> None:
    with pytest.raises(mm4.Mm4Error) as caught:
        mm4.decode(case.octets)
    assert isinstance(caught.value, ProtocolError)
    assert caught.value.why == case.meaning["refused"]


@pytest.mark.parametrize("case", [one for one in VALID_MM1 if "mbox-view-conf" in one.stem or "upload-req" in one.stem])
def test_mm1_inside_mm1(case: Case) -> None:
    """A view is a multipart of m-mbox-descr, an upload has one for its body (OMA-TS-MMS_ENC 6)."""
    pdu = mm1.decode(case.octets).message
    assert isinstance(pdu, mm1.MMboxViewConf | mm1.MMboxUploadReq)
    inner = [pdu.body]
    if isinstance(pdu, mm1.MMboxViewConf):
        index = index_multipart(pdu.body)
        assert {one.content_type.media_type for one in index} <= {MMS_MESSAGE}
        inner = [pdu.body[one.data_offset : one.data_offset + one.data_length] for one in index]
        assert len(inner) == (pdu.message_count or 0)
    for octets in inner:
        decoded = mm1.decode(octets)
        assert isinstance(decoded.message, mm1.MMboxDescr)
        assert decoded.findings == ()
        assert mm1.encode(decoded.message) == octets
