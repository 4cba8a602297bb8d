"""MM7 round trips over made-up messages in every namespace, and damage that only a ProtocolError may answer."""

import random
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.errors import EncodeError, ProtocolError


def as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value)


DIALECTS = [dialect for tag in mm7.TAGS if (dialect := mm7.dialect(mm7.BASE + tag)) is not None]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cn"]), max_size=30)
FILLED = WORDS.filter(lambda text: bool(text) and "=?" not in text)
MAYBE = st.just("") | FILLED
BOOLEANS = st.none() | st.booleans()
CODINGS = st.sampled_from(["", "encrypted", "obfuscated"])
ADDRESSES = st.builds(mm7.Address, FILLED, st.sampled_from(mm7.AddressForm), st.booleans(), CODINGS, MAYBE)
LISTS = st.lists(ADDRESSES, max_size=2).map(as_tuple)
PLAIN = st.builds(mm7.Address, FILLED)  # what REL-5's unwrapped SenderAddress can say, too
TIMES = st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678+09:00", "2026-01-02T24:00:00"])
WHEN = TIMES | st.sampled_from(["", "P3D", "PT12H", "-P1Y2M"])
NUMBERS = st.sampled_from(["", "1", "30720"])

# What each release has words for: the strategies of valid values by attribute.
VALID: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("earliest_delivery_time", "expiry_date", "ua_time_stamp", "reply_deadline"), WHEN),
    "reply_charging_size": NUMBERS,
    "time_stamp": st.just("") | TIMES,
    "date": TIMES,
    "message_class": st.sampled_from(["", "Personal", "Informational", "Advertisement", "Auto"]),
    "priority": st.sampled_from(["", "Low", "Normal", "High"]),
    "charged_party": st.sampled_from(["", "Sender", "Recipient", "Both", "Neither", "ThirdParty"]),
    "delivery_conditions": st.lists(st.sampled_from(["1", "2", "77"]), max_size=2).map(as_tuple),
    "content_class": st.sampled_from(["", "text", "image-basic", "content-rich"]),
    "mm_status_extension": st.sampled_from(["", "RejectionByMMSRecipient", "RejectionByOtherRS"]),
    "mm_status": st.sampled_from(["Indeterminate"]),
    "fault_code": st.sampled_from(["Client", "Server"]),
    "content_href": st.just(""),
}
WILD: dict[str, st.SearchStrategy[Any]] = {
    "delivery_conditions": st.lists(FILLED, max_size=2).map(tuple),
    "content_href": st.just(""),  # it would have to name a part
    "fault_code": st.just("Client"),
}
MANDATORY = {
    *((mm7.CancelReq, "message_id"), (mm7.ReplaceReq, "message_id"), (mm7.ExtendedCancelReq, "cancel_id")),
    *((mm7.ReadReplyReq, name) for name in ("message_id", "time_stamp", "mm_status")),
    *((mm7.DeliveryReportReq, name) for name in ("message_id", "date", "mm_status")),
    *((mm7.Fault, "fault_string"), (mm7.SubmitRsp, "message_id")),
}
LATER = (  # attributes that only REL-6 has elements for
    *("charged_party_id", "delivery_conditions", "applic_id", "reply_applic_id", "aux_applic_info", "content_class"),
    *("drm_content", "previously_sent_by", "previously_sent_at", "sender_spi", "recipient_spi", "ua_prof"),
    *("ua_time_stamp", "mm_status_extension"),
)
CLASSES = [one for one in get_args(mm7.Message) if one is not mm7.Fault]
EXTENDED = (mm7.ExtendedCancelReq, mm7.ExtendedCancelRsp, mm7.ExtendedReplaceReq, mm7.ExtendedReplaceRsp)


def attribute(kind: Any, name: str, of_type: Any, known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """What an attribute of a message may be."""
    strategies = {
        "mm7_version": st.sampled_from(["6.8.0", "5.3.0"]),
        "to": st.lists(ADDRESSES, min_size=1, max_size=4).map(tuple),
        "cc": LISTS,
        "bcc": LISTS,
        "sender_address": st.none() | PLAIN,
        "previously_sent_by": st.lists(st.builds(mm7.SentBy, address=ADDRESSES, sequence=NUMBERS), max_size=2),
        "previously_sent_at": st.lists(st.builds(mm7.SentAt, date=TIMES, sequence=NUMBERS), max_size=2),
        "element": st.sampled_from(mm7.ErrorElement),
        "reply_charging": st.booleans(),
        "status": st.builds(mm7.Status, st.sampled_from(mm7.StatusCode), FILLED, MAYBE),
        **known,
    }
    found: st.SearchStrategy[Any] | None = strategies.get(name)
    if found is None and of_type == (bool | None):
        found = BOOLEANS
    if found is None:
        found = MAYBE if of_type is str else ADDRESSES
    if (kind, name) in MANDATORY:
        found = FILLED if found is MAYBE else found.filter(bool)
    return found.map(as_tuple) if name.startswith("previously") else found


def made(kind: Any, known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Messages of a kind."""
    types = get_type_hints(kind)
    names = [one.name for one in fields(kind) if one.name != "allow_adaptations"]
    return st.builds(kind, **{name: attribute(kind, name, types[name], known) for name in names})


def told(message: Any, dialect: mm7.Dialect) -> Any:
    """What of a message its namespace has words for."""
    changes: dict[str, Any] = {}
    for one in fields(message) if dialect.is_rel5 else ():
        value = getattr(message, one.name)
        if one.name in LATER:
            changes[one.name] = one.default
        elif isinstance(value, mm7.Address):
            changes[one.name] = replace(value, coding="", id="")
        elif one.name in ("to", "cc", "bcc"):
            changes[one.name] = tuple(replace(item, coding="", id="") for item in value)
    if dialect.is_rel5 and getattr(message, "charged_party", "") == "ThirdParty":
        changes["charged_party"] = ""
    if isinstance(message, mm7.DeliverRsp) and not dialect.answers_service_code:
        changes["service_code"] = ""
    if isinstance(message, mm7.SubmitReq) and not message.reply_charging:
        changes |= {"reply_charging_size": "", "reply_deadline": ""}
    return replace(message, **changes)


@pytest.mark.parametrize("kind", [*CLASSES, mm7.Fault], ids=lambda kind: kind.__name__)
def test_round_trip(kind: Any) -> None:
    @given(made(kind, WILD), FILLED, st.sampled_from(DIALECTS))
    def back_and_forth(message: mm7.Message, transaction_id: str, dialect: mm7.Dialect) -> None:
        envelope = mm7.Envelope(transaction_id, dialect, message)
        if kind in EXTENDED and not dialect.has_extended:
            with pytest.raises(EncodeError):
                mm7.encode(envelope)
            return
        content_type, octets = mm7.encode(envelope)
        assert mm7.decode(content_type, octets).message == replace(envelope, message=told(message, dialect))

    back_and_forth()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_what_we_write_of_valid_values_has_no_findings(kind: Any) -> None:
    @given(made(kind, VALID), st.sampled_from([one for one in DIALECTS if one.has_extended or kind not in EXTENDED]))
    def written(message: mm7.Message, dialect: mm7.Dialect) -> None:
        message = replace(message, mm7_version=dialect.version)
        decoded = mm7.decode(*mm7.encode(mm7.Envelope("t-1", dialect, message)))
        assert decoded.findings == ()

    written()


SUBMISSIONS = made(mm7.SubmitReq, WILD)


@given(SUBMISSIONS, st.binary(max_size=200), st.sampled_from(["binary", "base64"]))
def test_content_travels(request: mm7.SubmitReq, data: bytes, encoding: str) -> None:
    part = mime.OutPart(ContentType("image/jpeg"), data, "c", encoding=encoding)
    content_type, body = mm7.encode_with_content(mm7.Envelope("t", DIALECTS[-1], request), part, "seed")
    decoded = mm7.decode(content_type, body).message
    assert decoded.message == told(request, DIALECTS[-1])
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
