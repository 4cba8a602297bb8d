"""MM7 round trips over made-up messages in every namespace, and damage that only a ProtocolError may answer."""

import random
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.errors import ProtocolError

DIALECTS = [dialect for tag in mm7.TAGS if (dialect := mm7.dialect(mm7.BASE + tag)) is not None]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cn"]), max_size=30)
FILLED = WORDS.filter(lambda text: bool(text) and "=?" not in text)
MAYBE = st.just("") | FILLED
BOOLEANS = st.none() | st.booleans()
ADDRESSES = st.builds(mm7.Address, FILLED, st.sampled_from(mm7.AddressForm), st.booleans())
PLAIN = st.builds(mm7.Address, FILLED)  # what REL-5's unwrapped SenderAddress can say, too
STATUSES = st.builds(mm7.Status, st.sampled_from(mm7.StatusCode), FILLED, MAYBE)
SUBMISSIONS = st.builds(
    mm7.SubmitReq,
    vasp_id=MAYBE,
    vas_id=MAYBE,
    sender_address=st.none() | PLAIN,
    to=st.lists(ADDRESSES, min_size=1, max_size=4).map(tuple),
    cc=st.lists(ADDRESSES, max_size=2).map(tuple),
    bcc=st.lists(ADDRESSES, max_size=2).map(tuple),
    service_code=MAYBE,
    linked_id=MAYBE,
    message_class=MAYBE,
    expiry_date=MAYBE,
    delivery_report=BOOLEANS,
    read_reply=BOOLEANS,
    priority=MAYBE,
    subject=MAYBE,
    charged_party_id=MAYBE,
    distribution_indicator=BOOLEANS,
    delivery_conditions=st.lists(FILLED, max_size=2).map(tuple),
    applic_id=MAYBE,
    content_class=MAYBE,
    drm_content=BOOLEANS,
)
ANSWERS = (
    st.builds(mm7.SubmitRsp, status=STATUSES, message_id=MAYBE)
    | st.builds(mm7.DeliveryReportRsp, status=STATUSES)
    | st.builds(mm7.Fault, status=STATUSES, fault_string=FILLED, element=st.sampled_from(mm7.ErrorElement))
)
REPORTS = st.builds(
    mm7.DeliveryReportReq,
    mms_relay_server_id=MAYBE,
    message_id=FILLED,
    recipient=ADDRESSES,
    sender=ADDRESSES,
    date=FILLED,
    mm_status=FILLED,
    status_text=MAYBE,
)


@given(SUBMISSIONS | ANSWERS | REPORTS, FILLED, st.sampled_from(DIALECTS))
def test_round_trip(message: mm7.Message, transaction_id: str, dialect: mm7.Dialect) -> None:
    envelope = mm7.Envelope(transaction_id, dialect, message)
    content_type, octets = mm7.encode(envelope)
    assert mm7.decode(content_type, octets).message == envelope


@given(SUBMISSIONS, st.binary(max_size=200), st.sampled_from(["binary", "base64"]))
def test_content_travels(request: mm7.SubmitReq, data: bytes, encoding: str) -> None:
    part = mime.OutPart(ContentType("image/jpeg"), data, "c", encoding=encoding)
    content_type, body = mm7.encode_with_content(mm7.Envelope("t", DIALECTS[-1], request), part, "seed")
    decoded = mm7.decode(content_type, body).message
    assert decoded.message == request
    assert decoded.content is not None
    assert decoded.content.data == data


def test_a_damaged_multipart_is_read_or_refused() -> None:
    parts = (
        mime.OutPart(ContentType("application/smil"), b"<smil/>", "s", "s.smil"),
        mime.OutPart(ContentType("image/jpeg"), bytes(range(256)), "i", "i.jpg", encoding="base64"),
    )
    boundary = mime.choose_boundary(parts, "inner")
    nested = ContentType("multipart/related", (("start", "<s>"), ("boundary", boundary)))
    content = mime.OutPart(nested, mime.write_parts(parts, boundary), "content")
    request = mm7.SubmitReq(to=(mm7.Address("+15550100123"),), subject="=?utf-8?B?YQ==?=", content_href="cid:content")
    content_type, body = mm7.encode_with_content(mm7.Envelope("t", DIALECTS[-1], request), content, "t")
    chance = random.Random(7)
    outcomes = {True: 0, False: 0}
    for _ in range(3000):
        octets, told = bytearray(body), content_type
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.choice(b"<>&\"'=?;:-\r\n\t \0\xff\xc3%*P")
        if chance.random() < 0.2:
            at = chance.randrange(len(told))
            told = told[:at] + chance.choice('";=\0é- <>') + told[at + 1 :]
        read = False
        with suppress(ProtocolError):
            read = bool(mm7.decode(told, bytes(octets)).message)
        outcomes[read] += 1
    assert min(outcomes.values()) > 100, outcomes
