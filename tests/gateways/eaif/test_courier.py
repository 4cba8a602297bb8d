"""What leaves for an application, octet for octet, and what its answer means."""

from dataclasses import replace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.domain.address import Address, Rewrite
from mmsc.domain.instant import Instant
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
from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.reports import TABLE
from mmsc.domain.states import Cause, Happening, RecipientState
from mmsc.engine.ports import Delivered, Failed, Later, Outcome, Retry
from mmsc.gateways.eaif.courier import ByInterface, judge
from mmsc.gateways.eaif.translate import (
    EaifRequest,
    delivery_report_request,
    message_request,
    read_report_request,
)
from mmsc.net.http_client import HttpReply
from protocols import eaif, mm1
from protocols.errors import EncodeError
from protocols.mm1 import MDeliveryInd, MSendConf, MSendReq, ResponseStatus
from tests.cases import cases

GAMES = Vasp(name="games", report_url="http://app.example/reports", interface=VaspInterface.EAIF)
PHONE = Address.of("+15550100123")
CODE = Address.of("4488")
SECOND = 1_000_000
GOLDEN = {case.stem: case.octets for case in cases("eaif")}
[BODY] = [
    mm1.decode(octets.partition(b"\r\n\r\n")[2]).message.body  # type: ignore[attr-defined]
    for stem, octets in GOLDEN.items()
    if stem == "09-message-to-application"
]
CONTENT = Content("application/vnd.wap.multipart.mixed", BODY, ())


def golden(stem: str) -> EaifRequest:
    """Our headers and the body of a fixture."""
    head, _, body = GOLDEN[stem].partition(b"\r\n\r\n")
    pairs = [line.partition(": ")[::2] for line in head.decode().split("\r\n")]
    return EaifRequest(tuple(pair for pair in pairs if pair[0].startswith(eaif.PREFIX)), body)


def mm_of(sender: Address, to: str, message_id: str, at: int, **changes: Any) -> Mm:
    moment = Instant(at * SECOND)
    mm = Mm(
        id=MmId(7),
        message_id=message_id,
        origin=Origin(Interface.MM7, "games"),
        sender=sender,
        subject="Hi",
        message_class="",
        priority=Priority.NORMAL,
        delivery_report=False,
        read_report=False,
        sender_hidden=False,
        adaptation_allowed=True,
        shown_to=((Role.TO, to),),
        submitted_at=moment,
        date=moment,
        deliver_at=None,
        expires_at=Instant(moment + 3600 * SECOND),
        foreign_id=None,
        forward_counter=0,
        content_id=ContentId(7),
        content_type=CONTENT.content_type,
        size=len(BODY),
        details={},
    )
    return mm._replace(**changes)


SUBMITTED = mm_of(CODE, "+15550100123/TYPE=PLMN", "06FG4S9ACDEFG@mms.example", 1700000000)
FROM_HANDSET = mm_of(PHONE, "4488", "m-1@mms.example", 1700000000)


def recipient(address: Address, route: Route = Route.SUBSCRIBER) -> Recipient:
    state = RecipientState.ACCEPTED
    return Recipient(RecipientId(8), MmId(7), address, Role.TO, route, "games", state, Instant(0))


def report_job(mm: Mm = SUBMITTED, **payload: str) -> Job:
    given = {"state": "retrieved", "cause": "", "date": str(1700000060 * SECOND), "transaction_id": "r-1", **payload}
    people = (recipient(PHONE),)
    return Job(TaskId(9), TaskKind.REPORT_MM7, "vasp:games", 0, Instant(0), mm, people, given)


def test_a_delivery_report_is_the_golden_one() -> None:
    assert delivery_report_request(report_job(), GAMES) == golden("06-m-delivery-ind")


@pytest.mark.parametrize(
    ("vasp", "version", "at", "read", "stem"),
    [
        (GAMES, 0x12, 1700000120, True, "07-m-read-orig-ind"),
        (replace(GAMES, eaif_read_report="rec"), 0x10, 1700000120, False, "08-m-read-rec-ind"),
    ],
)
def test_a_read_report_is_the_golden_one(vasp: Vasp, version: int, at: int, read: bool, stem: str) -> None:
    """1.0 has no such PDU: it is told in 1.1."""
    mm = SUBMITTED._replace(details={"mms_version": str(version)})
    assert read_report_request(mm, recipient(PHONE), vasp, Instant(at * SECOND), read=read) == golden(stem)


@pytest.mark.parametrize(
    ("vasp", "stem"),
    [
        (GAMES, "09-message-to-application"),
        (
            replace(GAMES, eaif_message="retrieve_conf", eaif_asynch_reply_to="http://mms.example:8807/eaif"),
            "10-message-as-m-retrieve-conf",
        ),
    ],
)
def test_a_message_is_the_golden_one(vasp: Vasp, stem: str) -> None:
    asked = message_request(FROM_HANDSET, CONTENT, (recipient(CODE, Route.VASP),), "r-1", vasp)
    assert asked == golden(stem)


def test_a_message_names_who_is_served_in_headers_and_who_is_shown_in_its_pdu() -> None:
    shown = ((Role.TO, "+15550100999/TYPE=PLMN"), (Role.CC, "user@mail.example"))
    mm = FROM_HANDSET._replace(sender_hidden=True, shown_to=shown, foreign_id="x", message_id="x y@other.example")
    served = (recipient(CODE, Route.VASP), recipient(Address.of("4489"), Route.VASP))
    request = message_request(mm, CONTENT, served, "r-1", GAMES)
    headers = eaif.read(request.headers).message
    assert headers.to == ("4488", "4489"), "the second one was a Bcc"
    assert headers.sender == ""
    assert headers.message_id == "0000000000007", "letters and digits, whatever a peer called it"
    pdu = mm1.decode(request.body).message
    assert isinstance(pdu, MSendReq)
    assert pdu.from_ is mm1.INSERT_ADDRESS
    assert (pdu.to, pdu.cc, pdu.bcc) == (("+15550100999/TYPE=PLMN",), ("user@mail.example",), ())


def test_numbers_are_told_as_the_application_spells_them() -> None:
    vasp = replace(GAMES, rewrites_out=(Rewrite("+1", "001"),))
    request = delivery_report_request(report_job(), vasp)
    assert request is not None
    assert eaif.read(request.headers).message.sender == "0015550100123/TYPE=PLMN"
    pdu = mm1.decode(request.body).message
    assert isinstance(pdu, MDeliveryInd)
    assert pdu.to == ("0015550100123/TYPE=PLMN",)


@pytest.mark.parametrize("version", [0x10, 0x11, 0x12, 0x13])
@pytest.mark.parametrize(("state", "cause"), TABLE)
def test_every_report_is_in_the_words_of_its_version(state: RecipientState, cause: Cause, version: int) -> None:
    """OMA-TS-MMS_ENC 7.3.54: Forwarded is of 1.1, Unreachable of 1.2, X-Mms-Status-Text of 1.3."""
    mm = SUBMITTED._replace(details={"mms_version": str(version)})
    request = delivery_report_request(report_job(mm, state=state, cause=cause, text="why"), GAMES)
    row = TABLE[state, cause]
    word = row.mm1 if version >= (0x11 if row.mm1 == "Forwarded" else 0x12) else row.mm1_older
    if not word:
        assert request is None
        return
    assert request is not None
    pdu = mm1.decode(request.body).message
    assert isinstance(pdu, MDeliveryInd)
    assert pdu.status is not None
    assert pdu.status.name == word.upper()
    assert pdu.mms_version == version
    assert pdu.status_text == ("why" if version >= 0x13 else None), "a field of 1.3 (OMA-TS-MMS_ENC 7.4)"


@pytest.mark.parametrize(("version", "told"), [(0x12, (None, None, None)), (0x13, ("desk", "game", "x"))])
def test_application_addressing_is_of_1_3(version: int, told: tuple[str | None, ...]) -> None:
    asked = {"applic_id": "game", "reply_applic_id": "desk", "aux_applic_info": "x", "mms_version": str(version)}
    request = delivery_report_request(report_job(SUBMITTED._replace(details=asked)), GAMES)
    assert request is not None
    pdu = mm1.decode(request.body).message
    assert isinstance(pdu, MDeliveryInd)
    assert (pdu.applic_id, pdu.reply_applic_id, pdu.aux_applic_info) == told


def test_what_no_header_holds_is_not_written() -> None:
    mm = SUBMITTED._replace(sender=Address.of("a,b@c.example"))
    with pytest.raises(EncodeError):
        delivery_report_request(report_job(mm), GAMES)


def reply(status: int, body: bytes = b"", **headers: str) -> HttpReply:
    pairs = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply(status=status, headers=CIMultiDictProxy(CIMultiDict(pairs)), body=body)


def conf(status: ResponseStatus) -> bytes:
    return mm1.encode(MSendConf(transaction_id="r-1", response_status=status, response_text="why"))


@pytest.mark.parametrize(
    ("status", "outcome", "pauses"),
    [
        *[(status, Delivered, False) for status in (200, 201, 204)],
        *[(status, Retry, False) for status in (408, 429, 500, 503)],
        *[(status, Retry, True) for status in (301, 302, 401, 403)],
        *[(status, Failed, False) for status in (400, 404, 405, 413, 415)],
    ],
)
@pytest.mark.parametrize("is_message", [False, True])
def test_the_http_status_decides(status: int, outcome: type, pauses: bool, is_message: bool) -> None:
    judged = judge(reply(status, b"<html>"), is_message=is_message)
    assert type(judged) is outcome
    assert getattr(judged, "neighbour_down", False) is pauses


def test_202_leaves_a_message_open_and_ends_a_report() -> None:
    judged = judge(reply(202), is_message=True)
    assert judged == Delivered(answer_expected=True, note="HTTP 202: the answer comes later")
    assert judge(reply(202), is_message=False) == Delivered(note="HTTP 202")


def test_retry_after_is_honoured() -> None:  # RFC 9110 10.2.3
    assert judge(reply(503, Retry_After="7"), is_message=True) == Later(7.0, "HTTP 503")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (ResponseStatus.OK, Delivered(note="Ok why")),
        (ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS, Delivered(note="Error-transient-partial-success why")),
        (ResponseStatus.ERROR_TRANSIENT_FAILURE, Retry("Error-transient-failure why")),
        (ResponseStatus.ERROR_NETWORK_PROBLEM, Retry("Error-network-problem why")),
        (
            ResponseStatus.ERROR_PERMANENT_CONTENT_NOT_ACCEPTED,
            Failed("Error-permanent-content-not-accepted why", Happening.REJECTED, refused=True),
        ),
        (ResponseStatus.ERROR_UNSPECIFIED, Failed("Error-unspecified why", refused=True)),
        (ResponseStatus.ERROR_PERMANENT_FAILURE, Failed("Error-permanent-failure why", refused=True)),
    ],
)
@pytest.mark.parametrize("http_status", [200, 202, 400, 500])
def test_an_m_send_conf_decides_before_the_http_status(
    status: ResponseStatus, outcome: Outcome, http_status: int
) -> None:  # OMA-TS-MMS_ENC 7.3.48
    assert judge(reply(http_status, conf(status)), is_message=True) == outcome


@pytest.mark.parametrize("status", [400, 413, 415, 422, 404, 405])
def test_whose_fault_a_refusal_is(status: int) -> None:
    judged = judge(reply(status), is_message=True)
    assert isinstance(judged, Failed)
    is_its_choice = status not in (404, 405)
    assert judged.happening is (Happening.REJECTED if is_its_choice else Happening.UNDELIVERABLE)


@pytest.mark.parametrize("body", [b"\x8c", b"\x8c\x81\x98", mm1.encode(mm1.MAcknowledgeInd(transaction_id="x"))])
def test_what_is_no_m_send_conf_is_judged_by_its_status(body: bytes) -> None:
    assert judge(reply(204, body), is_message=True) == Delivered(note="HTTP 204")


async def test_each_vasp_gets_it_as_it_speaks() -> None:
    asked: list[str] = []

    async def soap(job: Job) -> Outcome:
        asked.append(f"mm7 {job.lane}")
        return Delivered()

    async def pdus(job: Job) -> Outcome:
        asked.append(f"eaif {job.lane}")
        return Delivered()

    class Known:
        def __init__(self) -> None:
            self.vasps = {"games": GAMES, "news": Vasp(name="news")}

    directory: Any = Known()
    ways = ByInterface(directory, {VaspInterface.MM7: soap, VaspInterface.EAIF: pdus})
    for lane in ("vasp:games", "vasp:news", "vasp:gone"):
        assert await ways.deliver(report_job()._replace(lane=lane)) == Delivered()
    assert asked == ["eaif vasp:games", "mm7 vasp:news", "mm7 vasp:gone"]
