"""The MM7 gateway before an engine made of what the test says: who may in, in which form a refusal leaves (TS 23.140
8.7.8), and what a VASP's answer to a report means."""

import asyncio
import base64
import threading
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from lxml import etree
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.domain.address import Address as DomainAddress
from mmsc.domain.address import Rewrite
from mmsc.domain.message import MmId, Submission
from mmsc.domain.neighbours import Vasp
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.reports import TABLE
from mmsc.domain.states import Cause, RecipientState
from mmsc.engine.ports import Accepted, Delivered, Failed, Later, Retry
from mmsc.gateways.mm7 import passwords
from mmsc.gateways.mm7.courier import _spoken, judge
from mmsc.gateways.mm7.passwords import PasswordChecks, hash_password, matches
from mmsc.gateways.mm7.server import Mm7Server
from mmsc.gateways.mm7.translate import STATUS_OF, read_time, report_of
from mmsc.gateways.mm7.vasp import Vasps
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.net.http_client import HttpReply
from protocols import mm7
from protocols.mm7 import StatusCode

NEWS = Vasp(name="news", vasp_id="news", username="news", password_hash=hash_password("secret"), vas_ids=("daily",))
DIALECT = mm7.dialect(mm7.BASE + "REL-6-MM7-1-0")
TO = (mm7.Address("+15550100123"),)


def headers(**values: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): value for name, value in values.items()}))


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


ACCEPTED = Accepted(MmId(1), "m-1")
CREDENTIALS = basic("news:secret")


@dataclass
class Engine:
    """The engine's submit port."""

    outcome: Accepted | Refused
    seen: list[Submission] = field(default_factory=list)

    async def accept(self, submission: Submission, *, res: object = None) -> Accepted | Refused:
        self.seen.append(submission)
        return self.outcome


async def ask(
    vasp: Vasp = NEWS,
    outcome: Accepted | Refused = ACCEPTED,
    authorization: str = CREDENTIALS,
    octets: bytes | None = None,
    engine: Any = None,
    **fields: Any,
) -> tuple[HttpAnswer, mm7.Message | None]:
    values: dict[str, Any] = {"vasp_id": "news", "vas_id": "daily", "to": TO, "mm7_version": "6.3.0", **fields}
    assert DIALECT is not None
    content_type, body = mm7.encode(mm7.Envelope("t-1", DIALECT, mm7.SubmitReq(**values)))
    directory: Any = SimpleNamespace(vasps={vasp.name: vasp})
    engine = engine or Engine(outcome)
    sent = {"Content_Type": content_type} | ({"Authorization": authorization} if authorization else {})
    request = HttpRequest(
        method="POST",
        path="/mm7",
        query="",
        headers=headers(**sent),
        body=body if octets is None else octets,
        remote="127.0.0.1",
        exchange=1,
    )
    answer = await Mm7Server(engine, engine, directory).handle(request)
    if not answer.body:
        return answer, None
    envelope = mm7.decode(answer.content_type, answer.body).message
    assert envelope.dialect == DIALECT or octets is not None
    assert envelope.transaction_id == "t-1" or octets is not None
    return answer, envelope.message


async def test_accepted_is_told_and_delivery_begins_after_it() -> None:
    begun: list[int] = []
    answer, rsp = await ask(outcome=Accepted(MmId(7), "m-7", answered=lambda: begun.append(1)))
    assert isinstance(rsp, mm7.SubmitRsp)
    assert (answer.status, rsp.status.code, rsp.message_id, rsp.mm7_version) == (200, 1000, "m-7", "6.3.0")
    assert begun == []
    assert answer.after is not None
    await answer.after(False)
    assert begun == [1]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !",
        "Basic é",
        "Digest x",
        basic("news:wrong"),
        basic("news"),
        basic("x:secret"),
        "Basic /w==",
    ],
)
async def test_without_right_credentials_there_is_a_challenge(authorization: str) -> None:  # RFC 7617
    answer, message = await ask(authorization=authorization)
    assert (answer.status, message) == (401, None)
    assert answer.headers[0][0] == "WWW-Authenticate"


@pytest.mark.parametrize("fields", [{"vasp_id": "other"}, {"vas_id": "other"}, {"vasp_id": ""}])
async def test_an_identity_that_does_not_fit_the_login(fields: dict[str, Any]) -> None:
    answer, fault = await ask(**fields)
    assert isinstance(fault, mm7.Fault)
    assert (answer.status, fault.status.code, fault.fault_code) == (500, 4001, "Client")


async def test_a_vasp_without_credentials_is_known_by_its_id() -> None:
    vasp = Vasp(name="open", vasp_id="news")
    assert (await ask(vasp, authorization=""))[0].status == 200
    fault = (await ask(vasp, authorization="", vasp_id="other"))[1]
    assert isinstance(fault, mm7.Fault)
    assert fault.status.code is StatusCode.IMPROPER_IDENTIFICATION


@pytest.mark.parametrize("errors", ["rsp", "fault"])
async def test_a_vasp_without_credentials_is_refused_in_the_form_of_its_profile(errors: str) -> None:
    vasp = Vasp(name="open", vasp_id="news", errors=errors, fault_http_status=200)
    answer, message = await ask(vasp, authorization="", expiry_date="soon")
    assert type(message) is (mm7.SubmitRsp if errors == "rsp" else mm7.Fault)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("errors", "reason", "form"),
    [
        ("auto", RefusalReason.RECIPIENT_UNKNOWN, mm7.SubmitRsp),
        ("auto", RefusalReason.CONTENT_CORRUPT, mm7.Fault),
        ("auto", RefusalReason.BUSY, mm7.SubmitRsp),
        ("fault", RefusalReason.RECIPIENT_UNKNOWN, mm7.Fault),
        ("rsp", RefusalReason.CONTENT_CORRUPT, mm7.SubmitRsp),
    ],
)
@pytest.mark.parametrize("http_status", [200, 500])
async def test_the_form_of_a_refusal(errors: str, reason: RefusalReason, form: type, http_status: int) -> None:
    vasp = replace(NEWS, errors=errors, fault_http_status=http_status)
    answer, message = await ask(vasp, Refused(reason, "why", "+15550100123"))
    assert type(message) is form
    assert isinstance(message, mm7.Fault | mm7.SubmitRsp)
    assert answer.status == (http_status if form is mm7.Fault else 200)
    assert message.status.code is STATUS_OF[reason]
    assert message.status.details == "why"  # the engine's words name the address already


@pytest.mark.parametrize(
    ("fields", "form", "code"),
    [
        *[({name: "x" * 1025}, mm7.Fault, 2007) for name in ("service_code", "applic_id", "message_class")],
        ({"delivery_conditions": ("1",) * 600}, mm7.Fault, 2007),
        ({"to": (mm7.Address("1" * 1025),)}, mm7.SubmitRsp, 2002),
        ({"cc": (mm7.Address("1" * 1025, display_only=True),)}, mm7.SubmitRsp, 2002),
        ({"sender_address": mm7.Address("1" * 1025)}, mm7.SubmitRsp, 2002),
        ({"service_code": "x" * 1024}, mm7.SubmitRsp, 1000),
    ],
)
async def test_what_is_kept_with_an_mm_is_bounded(fields: dict[str, Any], form: type, code: int) -> None:
    """Twenty thousand of them are remembered; megabytes of ServiceCode would be as well."""
    answer = (await ask(**fields))[1]
    assert isinstance(answer, mm7.Fault | mm7.SubmitRsp)
    assert (type(answer), int(answer.status.code)) == (form, code)
    assert len(answer.status.details) < 200


@pytest.mark.parametrize("reason", RefusalReason)
def test_every_refusal_has_a_status(reason: RefusalReason) -> None:
    assert STATUS_OF[reason].is_known
    later = (StatusCode.SERVICE_UNAVAILABLE, StatusCode.SERVER_ERROR)
    assert reason.is_transient == (STATUS_OF[reason] in later)


async def test_what_is_no_xml_is_a_fault_in_the_latest_namespace() -> None:
    answer, fault = await ask(octets=b"hello")
    assert isinstance(fault, mm7.Fault)
    assert (answer.status, fault.status.code) == (500, StatusCode.MESSAGE_FORMAT_CORRUPT)


@pytest.mark.parametrize(
    ("query", "tag"),
    [("wsdl", "REL-6-MM7-1-4"), ("WSDL=", "REL-6-MM7-1-4"), ("wsdl=REL-5-MM7-1-2", "REL-5-MM7-1-2")]
    + [(query, "") for query in ("", "wsdl=REL-6-MM7-%22%3E%3Cx%3E", "wsdl=REL-6-MM7-%26", "wsdl=x", "wsdl=%ff%00")],
)
async def test_a_wsdl_is_there_for_every_published_namespace_and_no_other(query: str, tag: str) -> None:
    directory: Any = SimpleNamespace(vasps={"news": NEWS})
    engine: Any = Engine(ACCEPTED)
    request = HttpRequest("GET", "/mm7", query, headers(), b"", "127.0.0.1", 1)
    answer = await Mm7Server(engine, engine, directory).handle(request)
    if not tag:
        assert (answer.status, b"REL-5-MM7-1-0" in answer.body) == (404, bool(query)), "which there are is told"
        return
    assert answer.status == 200
    assert etree.fromstring(answer.body).nsmap["m"] == mm7.BASE + tag


async def test_a_password_is_hashed_once_and_never_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def counted(password: str, password_hash: str) -> bool:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        hashed.append(password)
        return matches(password, password_hash)

    monkeypatch.setattr(passwords, "matches", counted)
    directory: Any = SimpleNamespace(vasps={"news": NEWS})
    vasps = Vasps(directory)
    found = await asyncio.gather(*(vasps.by_credentials(basic("news:secret")) for _ in range(20)))
    assert found == [NEWS] * 20
    assert hashed == ["secret"]
    assert await vasps.by_credentials(basic("news:guess")) is None
    assert hashed[-1] == "guess"


async def test_all_who_ask_the_same_are_answered_in_the_same_turn_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One after the other, a turn each, the last of nine hundred connections waited for half a minute."""
    monkeypatch.setattr(passwords, "matches", lambda password, password_hash: password == password_hash)
    checks, turns, answered = PasswordChecks(), 0, set()

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def ask(password: str) -> None:
        assert await checks.matches(password, "right") is (password == "right")
        answered.add(turns)

    counting = asyncio.ensure_future(count())
    await asyncio.gather(*(ask(password) for password in ["right", "wrong"] * 200))
    counting.cancel()
    assert len(answered) <= 4, "those who look, and those who waited for them"


async def test_who_guesses_passwords_of_one_vasp_keeps_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    going = threading.Event()
    seen: list[str] = []

    def slow(password: str, password_hash: str) -> bool:
        seen.append(password)
        assert password == "secret" or going.wait(20)
        return password == "secret"

    monkeypatch.setattr(passwords, "matches", slow)
    checks = PasswordChecks()
    guesses = [asyncio.ensure_future(checks.matches(f"guess {number}", "one")) for number in range(50)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        assert await checks.matches("secret", "another")
    assert len(seen) == 3, "as many as are compared at once, and it"
    going.set()
    assert not any(await asyncio.gather(*guesses))


async def test_a_check_that_was_given_up_is_made_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = PasswordChecks()
    first = asyncio.ensure_future(checks.matches("secret", NEWS.password_hash))
    second = asyncio.ensure_future(checks.matches("secret", NEWS.password_hash))
    await asyncio.sleep(0)
    first.cancel()
    assert await second


@pytest.mark.parametrize("stored", ["", "scrypt$zz$00", "md5$00$00", "scrypt$00$"])
def test_a_hash_that_nobody_can_read_matches_nothing(stored: str) -> None:
    assert not matches("secret", stored)


def reply(code: int | None, http_status: int = 200, fault: bool = False, **more: str) -> HttpReply:
    if code is None:
        return HttpReply(status=http_status, headers=headers(**more), body=b"<html>no MM7</html>")
    assert DIALECT is not None
    status = mm7.Status(StatusCode(code))
    message = mm7.Fault(status=status) if fault else mm7.DeliveryReportRsp(status=status)
    content_type, body = mm7.encode(mm7.Envelope("t", DIALECT, message))
    return HttpReply(status=http_status, headers=headers(Content_Type=content_type, **more), body=body)


@pytest.mark.parametrize("http_status", [200, 500])
@pytest.mark.parametrize("fault", [False, True])
@pytest.mark.parametrize(
    ("code", "outcome"),
    [(1000, Delivered), (1100, Delivered), (1234, Delivered), (3000, Retry), (4006, Retry), (3456, Retry)]
    + [(code, Failed) for code in (2000, 2005, 3001, 3002, 4000, 4001, 4004, 4005, 4999, 5000)],
)
def test_the_body_decides_before_the_http_status(code: int, outcome: type, fault: bool, http_status: int) -> None:
    assert type(judge(reply(code, http_status, fault))) is outcome


def test_an_unknown_server_error_is_tried_three_times_more() -> None:
    assert [type(judge(reply(3456), attempt)) for attempt in (0, 2, 3)] == [Retry, Retry, Failed]


@pytest.mark.parametrize("code", [3000, 4006])
def test_busy_is_asked_again_when_it_says_or_after_growing_waits(code: int) -> None:
    """However often: a report ends with its lifetime."""
    told = f"{code} {StatusCode(code).text}"
    assert judge(reply(code, Retry_After="7"), 70) == Later(7.0, told)
    assert judge(reply(code), 70) == Retry(told)


@pytest.mark.parametrize(
    ("http_status", "outcome", "pauses"),
    [
        *[(status, Retry, False) for status in (200, 204, 408, 429, 500, 502, 503)],
        *[(status, Retry, True) for status in (301, 302, 304, 307, 308, 401, 403)],
        *[(status, Failed, False) for status in (400, 404, 405, 413, 415)],
    ],
)
def test_without_a_readable_answer_the_http_status_decides(http_status: int, outcome: type, pauses: bool) -> None:
    judged = judge(reply(None, http_status))
    assert type(judged) is outcome
    assert getattr(judged, "neighbour_down", False) is pauses


@pytest.mark.parametrize("http_status", [200, 202, 204])
def test_an_empty_answer_is_asked_for_three_times_more(http_status: int) -> None:
    """Some VASPs never write one: their reports would all come again for three days."""
    empty = HttpReply(status=http_status, headers=headers(Retry_After="7"), body=b"\r\n")
    assert [type(judge(empty, attempt)) for attempt in (0, 2, 3)] == [Retry, Retry, Failed]
    page = reply(None, http_status)  # somebody who stands before the VASP: it may be back tomorrow
    assert type(judge(page, 70)) is Retry


@pytest.mark.parametrize("code", [1100, 2005, 3000, 3456])
def test_the_words_of_an_answer_are_quoted_within_reason(code: int) -> None:
    assert DIALECT is not None
    rsp = mm7.DeliveryReportRsp(status=mm7.Status(StatusCode(code), "x" * 100_000))
    content_type, body = mm7.encode(mm7.Envelope("t", DIALECT, rsp))
    judged = judge(HttpReply(status=200, headers=headers(Content_Type=content_type), body=body))
    told = judged.note if isinstance(judged, Delivered) else judged.because  # type: ignore[union-attr]
    assert told == f"{code} {'x' * 200}"


def test_a_redirect_tells_where_to() -> None:  # RFC 9110 10.2.2, 15.4
    judged = judge(reply(None, 301, Location="https://vasp.example/\udcff" + "x" * 5000))
    assert isinstance(judged, Retry)
    assert "moved to 'https://vasp.example/\\udcff" in judged.because
    assert judged.because.isascii()
    assert len(judged.because) < 400


def test_retry_after_is_honoured_within_reason() -> None:  # RFC 9110 10.2.3
    assert judge(reply(None, 503, Retry_After="7")) == Later(7.0, "HTTP 503 without a readable MM7 answer")
    endless = judge(reply(4006, Retry_After="999999999"))
    assert isinstance(endless, Later)
    assert endless.seconds == 3600.0


HTTP_DATE = "Sun, 06 Nov 1994 08:49:{} GMT"


@pytest.mark.parametrize(
    ("date", "retry_after", "seconds"),
    [
        (HTTP_DATE.format("00"), HTTP_DATE.format("37"), 37.0),
        (HTTP_DATE.format("37"), HTTP_DATE.format("00"), 0.0),
        ("", HTTP_DATE.format("37"), 0.0),
        (HTTP_DATE.format("37"), "soon", 0.0),
        (HTTP_DATE.format("37"), "Sun, 06 Nov 1994 08:49:40 -0000", 0.0),
        (HTTP_DATE.format("37"), "Sun, 06 Nov 99999999999999999999 08:49:40 GMT", 0.0),
        (HTTP_DATE.format("37"), "Sun, 06 Nov 1994 08:49:40 +9999999999999999", 0.0),
        (HTTP_DATE.format("37"), f"Sun, 06 Nov {'9' * 5000} 08:49:40 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:49:40 +9999999999999999", HTTP_DATE.format("37"), 0.0),
        (HTTP_DATE.format("37"), "Fri, 31 Dec 9999 23:59:59 -2359", 3600.0),
        ("", "9" * 5000, 3600.0),
        ("", "\u0663", 3.0),
        ("", "\u00b2", 0.0),
    ],
)
def test_retry_after_may_be_a_date(date: str, retry_after: str, seconds: float) -> None:  # RFC 9110 10.2.3
    told = headers(Retry_After=retry_after, Date=date)
    judged = judge(HttpReply(status=503, headers=told, body=b""))
    assert judged == (Later(seconds, judged.because) if seconds else Retry(judged.because))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrapped",
    [
        (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><DeliveryReportRsp xmlns="{}">'
            "<Status><StatusCode>{}</StatusCode></Status></DeliveryReportRsp></e:Body></e:Envelope>"
        ),
        "<m:DeliveryReportRsp xmlns:m='urn:x'><!--{}--><m:StatusCode a='b'> {} </m:StatusCode></m:DeliveryReportRsp>",
        "StatusCode<Rsp xmlns='{}'><Told>StatusCode</Told><MyStatusCode/><StatusCode>{}</StatusCode></Rsp>",
    ],
    ids=["no TransactionID", "no envelope", "the name stands before it"],
)
def test_a_status_that_can_be_read_decides(wrapped: str) -> None:
    """However the rest is written: 2005 is final, and not asked again for three days."""

    def judged(code: int) -> type:
        body = wrapped.format(mm7.BASE + mm7.LATEST, code).encode()
        return type(judge(HttpReply(status=200, headers=headers(Content_Type="text/xml"), body=body)))

    assert [judged(code) for code in (1000, 1100, 2005, 3000, 4006)] == [Delivered, Delivered, Failed, Retry, Retry]


def job_of(sender: str = "4488", **details: str) -> Any:
    payload = {"state": "rejected", "cause": "other_rs", "date": "1000000", "transaction_id": "r-1"}
    mm = SimpleNamespace(message_id="m-1", sender=DomainAddress.of(sender), details=details)
    recipient = SimpleNamespace(address=DomainAddress.of("+15550100123"))
    return SimpleNamespace(stored_mm=mm, recipients=(recipient,), payload=payload)


@pytest.mark.parametrize(
    ("profile", "tag", "version"),
    [
        ({}, "REL-6-MM7-1-4", "6.7.0"),
        ({"namespace": mm7.BASE + "REL-6-MM7-1-4"}, "REL-6-MM7-1-4", "6.7.0"),
        ({"namespace": mm7.BASE + "REL-5-MM7-1-0"}, "REL-5-MM7-1-0", "5.3.0"),
        ({"namespace": mm7.BASE + "REL-5-MM7-1-0", "mm7_version": "5.2.0"}, "REL-5-MM7-1-0", "5.2.0"),
        ({"mm7_version": "6.3.0"}, "REL-6-MM7-1-4", "6.3.0"),
    ],
)
def test_a_report_never_mixes_two_releases(profile: dict[str, str], tag: str, version: str) -> None:
    """The SubmitReq's namespace and version, unless the profile fixes one."""
    job = job_of(mm7_namespace=mm7.BASE + "REL-6-MM7-1-4", mm7_version="6.7.0")
    spoken, told = _spoken(job, replace(NEWS, **profile))  # type: ignore[arg-type]
    assert (spoken.tag, told) == (tag, version)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, ("", "")),
        ({"applic_id": "game"}, ("game", "")),
        ({"applic_id": "game", "reply_applic_id": "game"}, ("game", "")),
        ({"applic_id": "game", "reply_applic_id": "desk"}, ("desk", "game")),
        ({"reply_applic_id": "desk"}, ("desk", "")),
    ],
)
def test_a_report_goes_to_the_application_that_wants_replies(asked: dict[str, str], told: tuple[str, str]) -> None:
    assert DIALECT is not None
    report = report_of(job_of(**asked), DIALECT, "6.3.0", "mmsc")
    assert (report.applic_id, report.reply_applic_id) == told


@pytest.mark.parametrize(
    ("sender", "asked", "form"),
    [
        ("4488", "ShortCode", "ShortCode"),
        ("4488", "Number", "Number"),
        ("+15550100999", "RFC2822Address", "Number"),
        ("a@b.example", "Number", "RFC2822Address"),
        ("a@b.example", "", "RFC2822Address"),
    ],
)
def test_the_form_of_the_sender_in_a_report(sender: str, asked: str, form: str) -> None:
    assert DIALECT is not None
    assert report_of(job_of(sender, sender_form=asked), DIALECT, "6.3.0", "mmsc").sender.form == form


@pytest.mark.parametrize("tag", mm7.TAGS)
@pytest.mark.parametrize(("state", "cause"), TABLE)
def test_every_report_is_valid_in_every_namespace(tag: str, state: RecipientState, cause: Cause) -> None:
    spoken = mm7.dialect(mm7.BASE + tag)
    assert spoken is not None
    job = job_of(applic_id="game", reply_applic_id="desk", aux_applic_info="x")
    job.payload.update(state=state.value, cause=cause.value)
    report = report_of(job, spoken, spoken.version, "mmsc")
    if state is RecipientState.DEFERRED and spoken.is_rel5:
        assert report.mm_status == "", "and then nothing is sent"
        return
    assert mm7.decode(*mm7.encode(mm7.Envelope("t", spoken, report))).findings == ()


def test_a_report_spells_numbers_as_its_vasp_does() -> None:
    assert DIALECT is not None
    report = report_of(job_of("+15550100200"), DIALECT, "6.3.0", "mmsc", (Rewrite("+1", "1"),))
    assert report.recipient == mm7.Address("15550100123")
    assert report.sender == mm7.Address("15550100200")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00Z"),
        ("2026-02-28T24:00:00+01:00", "2026-03-01T00:00:00+01:00"),
        ("2026-12-31T24:00:00.000", "2027-01-01T00:00:00"),
    ],
)
def test_a_day_may_end_at_24(text: str, same: str) -> None:
    """XML Schema Part 2, 3.2.7: 24:00:00 is the first moment of the next day; 24:00:01 is none."""
    assert read_time(text, "SubmitReq/ExpiryDate") == read_time(same, "SubmitReq/ExpiryDate")
    with pytest.raises(mm7.Mm7Error):
        read_time(text.replace("24:00:00", "24:00:01"), "SubmitReq/ExpiryDate")


ODD: dict[str, Any] = {"expiry_date": "P1D", "priority": "Urgent"}  # no Priority of the schema


async def test_what_breaks_a_rule_is_served_with_a_finding() -> None:
    engine = Engine(ACCEPTED)
    rsp = (await ask(NEWS, engine=engine, **ODD))[1]
    assert isinstance(rsp, mm7.SubmitRsp)
    assert rsp.status.code == 1000
    assert {one.rule for one in engine.seen[0].remarks} >= {"MM7-R015"}, "and there is no SOAPAction"


@pytest.mark.parametrize(("errors", "kind"), [("auto", mm7.Fault), ("rsp", mm7.SubmitRsp)])
async def test_a_vasp_may_be_held_to_the_letter(errors: str, kind: type[mm7.Message]) -> None:
    engine = Engine(ACCEPTED)
    strict = replace(NEWS, violations="refuse", errors=errors)
    answer = (await ask(strict, engine=engine, **ODD))[1]
    assert isinstance(answer, kind)
    assert isinstance(answer, mm7.Fault | mm7.SubmitRsp)
    assert answer.status.code is StatusCode.VALIDATION_ERROR
    assert "MM7-R015" in answer.status.details
    assert "MM7-R007 Priority in line 2" in answer.status.details, "rule, element and line"
    assert engine.seen == []
