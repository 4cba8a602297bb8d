"""DeliverReq as it leaves (TS 23.140 8.7.2): who is shown, in which form the content goes, in whose words, and what the
VASP's answer means for the recipients."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.domain.address import Address as DomainAddress
from mmsc.domain.address import NumberPlan, Rewrite
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import (
    Content,
    ContentId,
    Interface,
    Job,
    Mm,
    MmId,
    Origin,
    Priority,
    Recipient,
    RecipientId,
    Role,
    Route,
    TaskId,
    TaskKind,
)
from mmsc.domain.neighbours import DeliverContent, Subscriber, TransferEncoding, Vasp
from mmsc.domain.sendings import SENT_BEFORE, Sending, kept
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine.planning import EMPTY_CONTENT
from mmsc.engine.ports import Delivered, Failed, Later, Retry
from mmsc.gateways.content import build
from mmsc.gateways.mm7.deliver import Knowledge, judge_delivery, octets_of
from mmsc.net.http_client import HttpReply
from protocols import mm7
from protocols.content_type import ContentType
from protocols.mime import MimePart
from protocols.mm7 import Address, AddressForm, DeliverReq, Envelope, StatusCode
from protocols.wsp.multipart import Part

NOW = Instant(1_790_000_000 * SECOND)
PHONE = "+15550100123"
PLAN = NumberPlan(short_codes=frozenset({"4488", "4489", "7255"}))
NEWS = Vasp(name="news", vasp_id="news", vas_ids=("daily",), report_url="http://127.0.0.1:1/", short_codes=("4488",))
OCTETS = bytes(range(256)) * 4
SMIL = Part(ContentType("application/smil"), b"<smil/>", "s", "")
JPEG = Part(ContentType("image/jpeg"), OCTETS, "i", "i.jpg")
TEXT = Part(ContentType("text/plain", (("charset", "utf-8"),)), "Grüße".encode(), "t", "t.txt")


def job_of(*served: str, **changes: Any) -> Job:
    mm = Mm(
        id=MmId(1),
        message_id="m-1@mms.example",
        origin=Origin(Interface.MM1, PHONE),
        sender=DomainAddress.of(PHONE),
        subject="Grüße",
        message_class="",
        priority=Priority.HIGH,
        delivery_report=True,
        read_report=False,
        sender_hidden=False,
        adaptation_allowed=True,
        shown_to=((Role.TO, "4488"),),
        submitted_at=NOW,
        date=NOW,
        deliver_at=None,
        expires_at=NOW,
        foreign_id=None,
        forward_counter=0,
        content_id=ContentId(1),
        content_type="",
        size=1,
        details={},
    )._replace(**changes)
    recipients = tuple(
        Recipient(
            RecipientId(number),
            mm.id,
            DomainAddress.of(one),
            Role.TO,
            Route.VASP,
            "news",
            RecipientState.ACCEPTED,
            NOW,
        )
        for number, one in enumerate(served or ("4488",))
    )
    payload = {"transaction_id": "t-1", "linked_id": "l-1@mms.example"}
    return Job(TaskId(1), TaskKind.DELIVER_MM7, "vasp:news", 0, NOW, mm, recipients, payload)


def made(
    job: Job | None = None,
    vasp: Vasp = NEWS,
    content: Content = EMPTY_CONTENT,
    heard: tuple[str, str] = ("", ""),
    handset: Subscriber | None = None,
) -> Envelope:
    """What the VASP reads; what we emit validates."""
    blank = Subscriber(address=DomainAddress.of(PHONE))
    directory: Any = SimpleNamespace(vasps={}, subscriber=lambda address: handset or blank)
    numbers: Any = SimpleNamespace(normalise=lambda text, neighbour: PLAN.normalise(text, ()))
    dialects: Any = SimpleNamespace(last_of=lambda name: heard)
    contents: Any = SimpleNamespace()
    known = Knowledge(directory, contents, numbers, dialects, "mms.example")
    octets = octets_of(job or job_of(), vasp, content, known)
    assert octets == octets_of(job or job_of(), vasp, content, known), "a repeat has the same octets"
    decoded = mm7.decode(*octets)
    assert decoded.findings == ()
    return decoded.message


def request_of(*args: Any, **kwargs: Any) -> DeliverReq:
    message = made(*args, **kwargs).message
    assert isinstance(message, DeliverReq)
    return message


def test_what_it_tells() -> None:
    envelope = made(content=build([JPEG]))
    request = envelope.message
    assert isinstance(request, DeliverReq)
    assert envelope.transaction_id == "t-1"
    assert (request.linked_id, request.mms_relay_server_id) == ("l-1@mms.example", "mms.example")
    assert (request.vasp_id, request.vas_id) == ("news", "daily")
    assert request.sender == Address(PHONE)
    assert (request.subject, request.priority) == ("Grüße", "High")
    assert request.time_stamp.endswith("Z")
    assert request.content_href


def test_one_of_several_vas_ids_is_not_guessed() -> None:
    assert request_of(vasp=replace(NEWS, vas_ids=("daily", "weekly"))).vas_id == ""


def test_who_is_not_the_vasps_is_only_displayed_and_bcc_is_not_shown() -> None:
    shown = ((Role.TO, "4488"), (Role.TO, "+15550100124/TYPE=PLMN"), (Role.CC, "7255"), (Role.CC, "a@b.example"))
    request = request_of(job_of("4488", "4489", shown_to=shown))
    assert request.to == (Address("4488", AddressForm.SHORT_CODE), Address("+15550100124", AddressForm.NUMBER, True))
    assert request.cc == (
        Address("7255", AddressForm.SHORT_CODE, True),
        Address("a@b.example", AddressForm.RFC2822_ADDRESS, True),
    )
    assert request.bcc == (), "4489 was Bcc"


def test_who_is_named_twice_is_shown_once_and_as_the_vasp_spells_it() -> None:
    shown = ((Role.TO, "4488"), (Role.TO, "+4488"), (Role.TO, "+15550100124"), (Role.TO, "15550100124"))
    request = request_of(job_of(shown_to=shown), replace(NEWS, rewrites_out=(Rewrite("+1", "1"),)))
    assert [one.value for one in request.to] == ["4488", "+4488", "15550100124"]


def test_who_hides_is_not_told() -> None:
    request = request_of(job_of(sender_hidden=True))
    assert request.sender == Address("anonymous@mms.example", AddressForm.RFC2822_ADDRESS)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ({"profile_url": "http://ua.example/p.xml", "user_agent": "Phone/1"}, "http://ua.example/p.xml"),
        ({"user_agent": "Phone/1"}, "Phone/1"),
        ({}, ""),
    ],
)
def test_what_the_senders_handset_showed(shown: dict[str, str], told: str) -> None:
    handset = Subscriber(address=DomainAddress.of(PHONE), seen_at=NOW, **shown)  # type: ignore[arg-type]
    request = request_of(handset=handset)
    assert (request.ua_prof, bool(request.ua_time_stamp)) == (told, bool(told))
    foreign = job_of(origin=Origin(Interface.MM4, "other"))
    assert request_of(foreign, handset=handset).ua_prof == "", "another MMSC's handsets show us nothing"


def test_what_the_originator_added_travels_along() -> None:
    details = {"reply_charging_id": "m-7@mms.example", "applic_id": "game", "aux_applic_info": "level 3"}
    request = request_of(job_of(details=details))
    assert request.reply_charging_id == "m-7@mms.example"
    assert (request.applic_id, request.aux_applic_info) == ("game", "level 3")


@pytest.mark.parametrize(
    ("profile", "heard", "tag", "version"),
    [
        ({}, ("", ""), "REL-6-MM7-1-4", "6.8.0"),
        ({}, ("REL-5-MM7-1-2", "5.6.0"), "REL-5-MM7-1-2", "5.6.0"),
        ({"namespace": mm7.BASE + "REL-6-MM7-1-0"}, ("REL-5-MM7-1-2", "5.6.0"), "REL-6-MM7-1-0", "6.3.0"),
        ({"mm7_version": "5.3.0"}, ("REL-5-MM7-1-2", "5.6.0"), "REL-5-MM7-1-2", "5.3.0"),
    ],
)
def test_the_namespace(profile: dict[str, str], heard: tuple[str, str], tag: str, version: str) -> None:
    """The profile's, else the VASP's last request's, else the latest."""
    spoken = (mm7.BASE + heard[0], heard[1]) if heard[0] else heard
    envelope = made(vasp=replace(NEWS, **profile), heard=spoken)  # type: ignore[arg-type]
    assert envelope.dialect.tag == tag
    assert envelope.message.mm7_version == version


WAY = kept((Sending(PHONE, NOW), Sending("", Instant(NOW + SECOND)), Sending("a@b.example", None)))


def test_who_had_it_before_its_sender_is_told() -> None:
    """TS 23.140 8.7.2, REL-6: 1 is the first; whoever hides has a date and no name."""
    request = request_of(job_of(details={SENT_BEFORE: WAY}))
    assert [(one.address.value, one.sequence) for one in request.previously_sent_by] == [
        (PHONE, "1"),
        ("a@b.example", "3"),
    ]
    assert [one.sequence for one in request.previously_sent_at] == ["1", "2"]
    rel5 = replace(NEWS, namespace=mm7.BASE + "REL-5-MM7-1-2")
    assert request_of(job_of(details={SENT_BEFORE: WAY}), rel5).previously_sent_by == ()


@pytest.mark.parametrize("tag", mm7.TAGS)
def test_it_is_valid_in_every_namespace(tag: str) -> None:
    details = {"reply_charging_id": "m-7", "applic_id": "game", "reply_applic_id": "desk", "aux_applic_info": "x"}
    details[SENT_BEFORE] = WAY
    handset = Subscriber(address=DomainAddress.of(PHONE), seen_at=NOW, user_agent="Phone/1")
    shown = ((Role.TO, "4488"), (Role.CC, PHONE))
    vasp = replace(NEWS, namespace=mm7.BASE + tag)
    job = job_of(details=details, shown_to=shown, adaptation_allowed=False)
    assert made(job, vasp, build([SMIL, JPEG]), handset=handset).dialect.tag == tag


# --- content (8.7.8.2)


def leaves(part: MimePart) -> list[tuple[str, bytes]]:
    return [(one.content_type.media_type, one.data) for one in part.parts]


@pytest.mark.parametrize("encoding", TransferEncoding)
@pytest.mark.parametrize(
    ("wanted", "parts", "kind", "inner"),
    [
        (DeliverContent.RELATED, (SMIL, JPEG, TEXT), "multipart/related", (SMIL, JPEG, TEXT)),
        (DeliverContent.RELATED, (JPEG, TEXT), "multipart/mixed", (JPEG, TEXT)),
        (DeliverContent.MIXED, (SMIL, JPEG, TEXT), "multipart/mixed", (JPEG, TEXT)),
        (DeliverContent.MIXED, (SMIL,), "multipart/mixed", (SMIL,)),
        (DeliverContent.SINGLE, (SMIL, JPEG), "image/jpeg", ()),
        (DeliverContent.SINGLE, (JPEG,), "image/jpeg", ()),
        (DeliverContent.SINGLE, (SMIL, JPEG, TEXT), "multipart/related", (SMIL, JPEG, TEXT)),
    ],
)
def test_the_content_as_the_vasp_wants_it(
    wanted: DeliverContent, parts: tuple[Part, ...], kind: str, inner: tuple[Part, ...], encoding: TransferEncoding
) -> None:
    vasp = replace(NEWS, deliver_content=wanted, deliver_encoding=encoding)
    part = made(vasp=vasp, content=build(parts)).content
    assert part is not None
    assert part.content_type.media_type == kind
    assert leaves(part) == [(one.content_type.media_type, one.data) for one in inner]
    leaf = part.parts[0] if part.parts else part
    assert leaf.header("content-transfer-encoding") == encoding
    if not inner:
        assert (part.data, part.content_location) == (OCTETS, "i.jpg"), "the medium's own octets and name"
    if kind == "multipart/related":
        assert part.content_type.get("type") == "application/smil"
        assert part.content_type.get("start") == "<s>"


def test_an_mm_without_content_has_no_content_element() -> None:
    envelope = made()
    assert isinstance(envelope.message, DeliverReq)
    assert (envelope.message.content_href, envelope.content) == ("", None)


@pytest.mark.parametrize("allowed", [True, False])
def test_content_that_must_not_be_adapted_says_so(allowed: bool) -> None:
    request = request_of(job_of(adaptation_allowed=allowed), content=build([JPEG]))
    assert (request.allow_adaptations is False) is not allowed


# --- the answer


def reply(code: int, service_code: str = "", status: int = 200) -> HttpReply:
    spoken = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert spoken is not None
    rsp = mm7.DeliverRsp(status=mm7.Status(StatusCode(code), "told"), service_code=service_code)
    content_type, body = mm7.encode(Envelope("t-1", spoken, rsp))
    return HttpReply(status, CIMultiDictProxy(CIMultiDict({"Content-Type": content_type})), body)


@pytest.mark.parametrize("code", [1000, 1100])
def test_taken_with_its_service_code(code: int) -> None:
    outcome = judge_delivery(reply(code, "gold"))
    assert isinstance(outcome, Delivered)
    assert (outcome.status, outcome.service_code) == (code, "gold")


@pytest.mark.parametrize(
    ("code", "happening"),
    [
        *[(code, Happening.REJECTED) for code in (2001, 2002, 2003, 2004, 2008, 2009, 3002, 4007, 4008)],
        *[(code, Happening.UNDELIVERABLE) for code in (2000, 2005, 2006, 2007, 2999, 3001, 3003, 3004)],
        *[(code, Happening.UNDELIVERABLE) for code in (4000, 4001, 4002, 4003, 4004, 4005, 4999)],
    ],
)
def test_a_final_refusal_is_the_vasps_choice_or_our_failure(code: int, happening: Happening) -> None:
    outcome = judge_delivery(reply(code))
    assert isinstance(outcome, Failed)
    assert (outcome.happening, outcome.status) == (happening, code)
    assert outcome.because.startswith(str(code))


@pytest.mark.parametrize("code", [3000, 4006])
def test_busy_is_asked_again(code: int) -> None:
    assert isinstance(judge_delivery(reply(code)), Retry | Later)


@pytest.mark.parametrize(("status", "kind"), [(500, Retry), (401, Retry), (404, Failed)])
def test_without_a_readable_answer_the_http_status_decides(status: int, kind: type) -> None:
    outcome = judge_delivery(HttpReply(status, CIMultiDictProxy(CIMultiDict()), b""))
    assert isinstance(outcome, kind)
    if isinstance(outcome, Failed):
        assert (outcome.happening, outcome.status) == (Happening.UNDELIVERABLE, 0)
