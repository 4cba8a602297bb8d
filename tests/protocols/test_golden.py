"""Golden octets of every protocol: octets and object agree, and every cut is refused or a whole message."""

from contextlib import suppress
from typing import Any

import pytest

from protocols import mime, mm1, mm4, mm7, smpp
from protocols.errors import DecodeError, EncodeError, ProtocolError
from protocols.wsp.push import decode_push, encode_push
from tests.cases import Case, cases, plain, prefixes

VALID_MM1 = [case for case in cases("mm1") if not case.is_refused]
VALID_SMPP = [case for case in cases("smpp") if not case.is_refused]
VALID_MM7 = [case for case in cases("mm7") if not case.is_refused]
VALID_WSP = [case for case in cases("wsp") if not case.is_refused]
VALID_MM4 = [case for case in cases("mm4") if not case.is_refused]


@pytest.mark.parametrize("case", VALID_MM1, ids=str)
def test_mm1(case: Case) -> None:
    pdu = mm1.decode(case.octets).message
    assert plain(pdu) == case.meaning
    assert mm1.encode(pdu) == case.octets
    for prefix in prefixes(case.octets):
        with suppress(DecodeError):
            again = mm1.decode(prefix).message
            with suppress(EncodeError):  # what a reader forgives a writer may refuse
                assert mm1.decode(mm1.encode(again)).message == again


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
