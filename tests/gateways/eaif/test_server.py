"""The EAIF gateway before an engine made of what the test says: who may in, what wins, and in which form it answers."""

import base64
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.clock import VirtualClock
from mmsc.domain.message import Interface, MmId, Origin, RefusedRecipient, Role, Submission
from mmsc.domain.neighbours import Repeats, Vasp, VaspInterface
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.ports import Accepted, Gone, GoneBecause
from mmsc.gateways.eaif.server import EaifServer, is_eaif
from mmsc.gateways.mm7.passwords import hash_password
from mmsc.gateways.mm7.server import Mm7Server
from mmsc.gateways.mm7.vasp import Vasps
from mmsc.net.http import HttpAnswer, HttpRequest
from protocols import mm1
from protocols.mm1 import MSendConf, MSendReq, ResponseStatus
from protocols.wsp.push import MMS_MESSAGE
from tests.cases import cases

NEWS = Vasp(
    name="news",
    username="news",
    password_hash=hash_password("secret"),
    interface=VaspInterface.EAIF,
    short_codes=("4488",),
)
OLD = Vasp(name="old", username="old", password_hash=NEWS.password_hash)
PHONE = "+15550100123/TYPE=PLMN"
ACCEPTED = Accepted(MmId(7), "m-7@mms.example")
[SEND_REQ] = [case.octets.partition(b"\r\n\r\n")[2] for case in cases("eaif") if case.stem == "01-m-send-req"]


def login(name: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:secret".encode()).decode()


@dataclass
class Engine:
    """The ports that the gateway asks."""

    outcome: Accepted | Refused = ACCEPTED
    known: bool | Gone = True
    seen: list[Submission] = field(default_factory=list)
    answers: list[tuple[str, str, int]] = field(default_factory=list)
    vasps: dict[str, Vasp] = field(default_factory=dict)

    async def accept(self, submission: Submission, *, res: object = None) -> Accepted | Refused:
        self.seen.append(submission)
        return self.outcome

    async def application_answered(self, vasp: str, message_id: str, *, status: int) -> bool | Gone:
        self.answers.append((vasp, message_id, status))
        return self.known


def request(body: bytes, *headers: tuple[str, str], path: str = "/eaif", media: str = MMS_MESSAGE) -> HttpRequest:
    pairs = CIMultiDict([*headers, *([("Content-Type", media)] if media else [])])
    return HttpRequest("POST", path, "", CIMultiDictProxy(pairs), body, "127.0.0.1", 1)


async def ask(
    engine: Engine,
    *headers: tuple[str, str],
    body: bytes = SEND_REQ,
    vasp: Vasp = NEWS,
    authorization: str = login("news"),
    **where: str,
) -> HttpAnswer:
    """By the door of MM7."""
    engine.vasps = {vasp.name: vasp, OLD.name: OLD}
    ports: Any = engine
    applications = EaifServer(ports, ports, ports, Vasps(ports), VirtualClock())
    sent = [("Authorization", authorization)] if authorization else []
    return await Mm7Server(ports, ports, ports, other=applications.handle).handle(
        request(body, *sent, *headers, **where)
    )


def conf_in(answer: HttpAnswer) -> MSendConf:
    pdu = mm1.decode(answer.body).message
    assert isinstance(pdu, MSendConf)
    return pdu


def nokia(name: str, value: str) -> tuple[str, str]:
    return f"X-NOKIA-MMSC-{name}", value


async def test_taken_is_told_with_its_id_and_delivery_begins_after_it() -> None:
    begun: list[int] = []
    answer = await ask(Engine(Accepted(MmId(7), "m-7", answered=lambda: begun.append(1))))
    assert (answer.status, answer.content_type) == (200, MMS_MESSAGE)
    assert dict(answer.headers) == {"X-NOKIA-MMSC-Version": "3.0", "X-NOKIA-MMSC-Message-Id": "m-7"}
    conf = conf_in(answer)
    assert (conf.transaction_id, conf.response_status, conf.message_id) == ("T1", ResponseStatus.OK, "m-7")
    assert begun == []
    assert answer.after is not None
    await answer.after(False)
    assert begun == [1]


async def test_204_where_the_application_wants_it() -> None:
    answer = await ask(Engine(), vasp=replace(NEWS, eaif_answer="no_content", eaif_version="1.0"))
    assert (answer.status, answer.body) == (204, b"")
    assert dict(answer.headers) == {"X-NOKIA-MMSC-Version": "1.0", "X-NOKIA-MMSC-Message-Id": "m-7@mms.example"}
    assert answer.after is not None, "delivery begins then"


@pytest.mark.parametrize("how", ["conf", "no_content"])
async def test_a_partial_success_is_always_told_in_words(how: str) -> None:
    refused = (RefusedRecipient("+1999", "no route"),)
    answer = await ask(Engine(Accepted(MmId(7), "m-7", refused)), vasp=replace(NEWS, eaif_answer=how))
    conf = conf_in(answer)
    assert (answer.status, conf.response_text) == (200, "+1999: no route")
    assert conf.response_status is ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS


async def test_what_the_submission_says() -> None:
    engine = Engine()
    charged = (nokia("Message-Id", "a1"), nokia("Charging", "100"), nokia("Charged-Party", "Sender"))
    await ask(engine, nokia("Version", "2.0"), *charged)
    [found] = engine.seen
    assert found.origin == Origin(Interface.MM7, "news")
    assert (found.sender, found.subject, found.message_class) == ("4488", "Hi", "Informational")
    assert [(one.text, one.role) for one in found.recipients] == [(PHONE, Role.TO)]
    assert found.identifier == "X-NOKIA-MMSC-Message-Id a1"
    assert found.remarks == ()
    assert found.details == {
        "mm1_transaction_id": "T1",
        "mms_version": "18",
        "eaif_version": "2.0",
        "eaif_message_id": "a1",
        "eaif_charging": "100",
        "charged_party": "Sender",
    }


async def test_headers_win_over_the_pdu() -> None:
    pdu = MSendReq(
        transaction_id="T2",
        from_="+15550100999/TYPE=PLMN",
        to=("+15550100001/TYPE=PLMN", "+15550100002/TYPE=PLMN"),
        cc=("+15550100003/TYPE=PLMN",),
        bcc=("+15550100004/TYPE=PLMN", "+15550100005/TYPE=PLMN"),
        content_type=mm1.decode(SEND_REQ).message.content_type,  # type: ignore[attr-defined]
        body=mm1.decode(SEND_REQ).message.body,  # type: ignore[attr-defined]
    )
    engine = Engine()
    to = (nokia("To", "15550100003, +15550100001"), nokia("To", "+15550100004,+15550100006"))
    await ask(engine, nokia("From", "4488"), *to, body=mm1.encode(pdu))
    assert engine.seen[0].sender == "4488"
    assert [(one.text, str(one.role), one.display_only) for one in engine.seen[0].recipients] == [
        ("15550100003", "cc", False),
        ("+15550100001", "to", False),
        ("+15550100004", "bcc", False),
        ("+15550100006", "to", False),
        ("+15550100002/TYPE=PLMN", "to", True),
    ], "who is named by the PDU alone is shown, unless it was Bcc"


async def test_a_sender_that_nobody_names_is_the_applications_own() -> None:
    case = next(one for one in cases("mm1") if one.stem == "02-m-send-req")  # From is the insert-address token
    engine = Engine()
    await ask(engine, body=case.octets)
    await ask(engine, body=case.octets, vasp=replace(NEWS, sender="5599"))
    assert [one.sender for one in engine.seen] == ["4488", "5599"]


async def test_what_makes_a_repeat() -> None:
    engine = Engine()
    await ask(engine)
    await ask(engine)
    await ask(engine, nokia("Message-Id", "a1"))
    await ask(engine, nokia("Message-Id", "a2"))
    await ask(engine, nokia("To", "+15550100124"))
    await ask(engine, body=SEND_REQ + b"\0")
    keys = [one.repeat_key for one in engine.seen]
    assert keys[0] == keys[1] is not None
    assert len(set(keys)) == 5, "id, recipients and content each make another request"
    by_name = replace(NEWS, repeats=Repeats.IDENTIFIER)
    await ask(engine, vasp=by_name)
    await ask(engine, vasp=by_name, body=SEND_REQ + b"\0")
    await ask(engine, vasp=replace(NEWS, repeats=Repeats.OFF))
    last = [one.repeat_key for one in engine.seen[-3:]]
    assert last[0] == last[1]
    assert last[2] is None


@pytest.mark.parametrize("authorization", ["", "Basic !", login("nobody"), login("news")[:-4] + "xxxx"])
async def test_without_right_credentials_there_is_a_challenge(authorization: str) -> None:  # RFC 7617
    engine = Engine()
    answer = await ask(engine, authorization=authorization)
    assert (answer.status, answer.headers[0][0]) == (401, "WWW-Authenticate")
    assert engine.seen == []


async def test_an_application_without_credentials_needs_none() -> None:
    engine = Engine()
    assert (await ask(engine, vasp=replace(NEWS, username=""), authorization="")).status == 200
    assert engine.seen[0].origin.neighbour == "news"


async def test_a_vasp_on_mm7_is_told_so() -> None:
    answer = await ask(Engine(), authorization=login("old"))
    assert (answer.status, answer.body) == (403, b"old speaks mm7, not EAIF\n")


@pytest.mark.parametrize(
    ("reason", "status"),
    [(one, 503 if one.is_transient else 400) for one in RefusalReason],
)
@pytest.mark.parametrize("how", ["conf", "no_content"])
async def test_a_refusal_is_an_http_error_with_its_reason(reason: RefusalReason, status: int, how: str) -> None:
    answer = await ask(Engine(Refused(reason, "the reason")), vasp=replace(NEWS, eaif_answer=how))
    assert answer.status == status
    assert answer.reason == ("Message Validation Failed" if status == 400 else "")
    assert ("Retry-After", "10") in answer.headers or status == 400
    assert "X-NOKIA-MMSC-Message-Id" not in dict(answer.headers)
    assert answer.after is None
    if how == "no_content":
        assert answer.body == b"the reason\n"
        return
    conf = conf_in(answer)
    assert (conf.transaction_id, conf.response_text, conf.message_id) == ("T1", "the reason", None)
    assert conf.response_status is not None
    assert (0xC0 <= conf.response_status < 0xE0) == reason.is_transient


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no X-Mms-Message-Type"),
        (b"\x8c", "X-Mms-Message-Type"),
        (b"hello", "a field with a text name"),
        (SEND_REQ[:12], "2 left"),
        (mm1.encode(mm1.MAcknowledgeInd(transaction_id="T1")), "m-acknowledge-ind is not offered"),
        (SEND_REQ.replace(b"\x8d\x92", b"\x8d\xa0"), "m-send-req of version 2.0 is not offered"),
        (SEND_REQ.replace(b"\x98T1\0", b"\x98" + b"T" * 1025 + b"\0"), "a field of 1025 characters"),
        (SEND_REQ.replace(b"\x8a\x82", b"\x8a" + b"c" * 1025 + b"\0"), "a field of 1025 characters"),
    ],
)
async def test_what_is_no_m_send_req_fails_validation(body: bytes, why: str) -> None:
    engine = Engine()
    answer = await ask(engine, nokia("Version", "3.0"), body=body)
    assert (answer.status, answer.reason) == (400, "Message Validation Failed")
    told = conf_in(answer).response_text or "" if answer.content_type == MMS_MESSAGE else answer.body.decode()
    assert why in told
    assert engine.seen == []


async def test_a_request_above_the_limit_of_its_vasp() -> None:
    answer = await ask(Engine(), vasp=replace(NEWS, maximum_octets=50))
    assert answer.status == 400
    assert b"the limit of this VASP is 50" in answer.body


async def test_a_header_that_means_nothing() -> None:
    answer = await ask(Engine(), nokia("Message-Id", "x" * 1025))
    assert (answer.status, answer.reason) == (400, "Message Validation Failed")
    assert b"X-NOKIA-MMSC-Message-Id has 1025 characters" in answer.body


async def test_findings_come_along() -> None:
    engine = Engine()
    await ask(engine, nokia("Message-Type", "DeliveryReport"))
    assert [one.rule for one in engine.seen[0].remarks] == ["EAIF-H003", "EAIF-H006"]


ANSWER = (nokia("Message-Id", "0000000000007"), nokia("Message-Type", "MultiMediaMessage"), nokia("Status", "200"))


@pytest.mark.parametrize("media", ["", "application/x-www-form-urlencoded", MMS_MESSAGE])
@pytest.mark.parametrize("path", ["/", "/mm7", "/eaif/answers"])
async def test_an_asynchronous_answer_is_heard_wherever_it_is_posted(media: str, path: str) -> None:
    engine = Engine()
    answer = await ask(engine, *ANSWER, body=b"", path=path, media=media)
    assert (answer.status, dict(answer.headers)) == (204, {"X-NOKIA-MMSC-Version": "3.0"})
    assert engine.answers == [("news", "0000000000007", 200)]
    assert engine.seen == []


@pytest.mark.parametrize(("known", "status"), [(True, 204), (False, 404), (Gone(GoneBecause.STORE_AWAY), 503)], ids=str)
async def test_what_an_asynchronous_answer_is_told(known: bool | Gone, status: int) -> None:
    assert (await ask(Engine(known=known), *ANSWER, body=b"")).status == status


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        (ANSWER[1:], b"", b"an answer without X-NOKIA-MMSC-Message-Id"),
        (ANSWER, SEND_REQ, b"filtering application"),
        ((ANSWER[0], nokia("Status", "soon")), b"", b"no status"),
    ],
)
async def test_answers_that_say_nothing(headers: tuple[tuple[str, str], ...], body: bytes, why: bytes) -> None:
    engine = Engine()
    answer = await ask(engine, *headers, body=body)
    assert (answer.status, why in answer.body) == (400, True)
    assert engine.answers == []


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (request(SEND_REQ, path="/mm7"), True),
        (request(b"", path="/mm7", media="Application/vnd.wap.MMS-message; x=y"), True),
        (request(b"", path="/mm7", media="application/vnd.wap.mms.message"), True),
        (request(SEND_REQ, path="/mm7", media="application/octet-stream"), True),
        (request(b"", path="/eaif", media=""), True),
        (request(b"", nokia("Version", "3.0"), path="/mm7", media=""), True),
        (request(b"<x/>", path="/mm7", media=""), False),
        (request(b"x", path="/eaifx", media="text/plain"), False),
    ],
)
async def test_what_counts_as_eaif(one: HttpRequest, expected: bool) -> None:
    assert is_eaif(one) is expected


async def test_what_is_nobodys_is_refused_as_before() -> None:
    assert (await ask(Engine(), body=b"x", path="/mm7", media="image/gif")).status == 415


async def test_a_vasp_on_eaif_has_no_submit_req() -> None:
    from protocols import mm7

    spoken = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert spoken is not None
    media, body = mm7.encode(mm7.Envelope("t", spoken, mm7.SubmitReq(to=(mm7.Address("+15550100123"),))))
    engine = Engine()
    answer = await ask(engine, body=body, media=media, path="/mm7")
    assert b"news speaks eaif, not MM7" in answer.body
    assert engine.seen == []
    nobody = await ask(engine, body=body, media=media, path="/mm7", vasp=replace(NEWS, username=""), authorization="")
    assert nobody.status == 401, "the open application is none of MM7"
