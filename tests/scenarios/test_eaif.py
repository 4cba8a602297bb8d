"""An application on EAIF, over real sockets: its MMs, its reports, MMs for it, at once and later."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict

from mmsc.settings.neighbours import Vasp
from mmsc.store.core import StoreUnavailable
from protocols import eaif, mm1, mm7
from protocols.eaif import Headers, MessageType
from protocols.mm1 import MDeliveryInd, MReadOrigInd, MReadRecInd, MSendConf, MSendReq, ReadStatus, ResponseStatus
from tests.cases import cases
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab, picture


def login(name: str, password: str = "secret") -> tuple[str, str]:
    return "Authorization", aiohttp.encode_basic_auth(name, password)


GAMES = login("games")
MMS = "application/vnd.wap.mms-message"
CODE = "7255"
[SEND_REQ] = [case.octets.partition(b"\r\n\r\n")[2] for case in cases("eaif") if case.stem == "01-m-send-req"]


def send_req(transaction_id: str = "T1", **changes: object) -> bytes:
    """The golden m-send-req, changed."""
    pdu = mm1.decode(SEND_REQ).message
    assert isinstance(pdu, MSendReq)
    known = {name: getattr(pdu, name) for name in ("date", "from_", "to", "subject", "content_type", "body")}
    asked = {"delivery_report": True, "read_report": True}
    return mm1.encode(MSendReq(transaction_id=transaction_id, **{**known, **asked, **changes}))


@dataclass
class Application:
    """Posts to the MMSC, and takes what the MMSC posts: `answers` are used up one by one, then 204."""

    session: aiohttp.ClientSession
    url: str = ""
    answers: list[int] = field(default_factory=list)
    inbox: "asyncio.Queue[tuple[Headers, mm1.Pdu]]" = field(default_factory=asyncio.Queue)

    async def post(
        self,
        body: bytes,
        *headers: tuple[str, str],
        path: str = "/eaif",
        media: str = MMS,
        auth: tuple[str, str] | None = GAMES,
    ) -> tuple[int, str, Headers, bytes]:
        """(status, reason, X-NOKIA-MMSC headers, body) of the answer."""
        sent = CIMultiDict([("Content-Type", media), *([auth] if auth else []), *headers])
        async with self.session.post(self.url + path, data=body, headers=sent) as response:
            octets = await response.read()
            return response.status, response.reason or "", eaif.read(response.headers.items()).message, octets

    async def submit(self, body: bytes, *headers: tuple[str, str]) -> str:
        """An MM that is taken; its Message-Id."""
        status, _, told, octets = await self.post(body, *headers)
        conf = mm1.decode(octets).message
        assert isinstance(conf, MSendConf)
        assert (status, conf.response_status, conf.message_id) == (200, ResponseStatus.OK, told.message_id)
        return told.message_id

    async def take(self, request: web.BaseRequest) -> web.Response:
        headers = eaif.read(request.headers.items())
        assert headers.findings == (), "writers are exact"
        assert request.headers["Content-Type"] == MMS
        decoded = mm1.decode(await request.read())
        assert decoded.findings == ()
        self.inbox.put_nowait((headers.message, decoded.message))
        return web.Response(
            status=self.answers.pop(0) if self.answers else 204, headers={"X-NOKIA-MMSC-Version": "3.0"}
        )

    async def taken(self) -> tuple[Headers, mm1.Pdu]:
        async with asyncio.timeout(15):
            return await self.inbox.get()


@dataclass
class Town:
    """The lab and the application."""

    lab: Lab
    games: Application


@asynccontextmanager
async def open_town(folder: Path, **settings: object) -> AsyncIterator[Town]:
    async with aiohttp.ClientSession() as session:
        games = Application(session)
        runner = web.ServerRunner(web.Server(games.take))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
        vasps = {
            "games": Vasp(
                interface="eaif",
                username="games",
                password="secret",
                report_url=url,
                short_codes=(CODE,),
                **settings,  # type: ignore[arg-type]
            ),
            "news": Vasp(vasp_id="news", username="news", password="secret"),
        }
        async with open_lab(folder, vasp=vasps) as lab:
            games.url = lab.vasp.url.removesuffix("/mm7")
            yield Town(lab, games)
        await runner.cleanup()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town(tmp_path) as town:
        yield town


def nokia(**headers: str) -> Iterable[tuple[str, str]]:
    return [(f"X-NOKIA-MMSC-{name.replace('_', '-')}", value) for name, value in headers.items()]


async def stored(lab: Lab) -> int:
    return len(await lab.app.store.fetch("SELECT id FROM mm"))


async def test_an_mm_reaches_its_phone_and_is_reported_and_read(town: Town) -> None:
    phone = await town.lab.phone(PHONE)
    message_id = await town.games.submit(send_req(), *nokia(Version="3.0", From=CODE))
    headers, report = await town.games.taken()
    assert isinstance(report, MDeliveryInd)
    assert (report.message_id, report.to, report.status) == (message_id, (f"{PHONE}/TYPE=PLMN",), mm1.Status.RETRIEVED)
    assert (headers.message_type, headers.message_id) == (MessageType.DELIVERY_REPORT, message_id)
    assert (headers.sender, headers.to) == (f"{PHONE}/TYPE=PLMN", (CODE,))
    [message] = (await phone.until(lambda inbox: bool(inbox.messages))).messages
    assert message.conf.from_ == CODE, "the header wins"
    assert message.octets_of(message.parts[0]) == "Grüße".encode()
    read = MReadRecInd(
        message_id=message.conf.message_id, to=(CODE,), from_=mm1.INSERT_ADDRESS, read_status=ReadStatus.READ
    )
    assert (await phone._post(read))[0] == 200
    headers, report = await town.games.taken()
    assert isinstance(report, MReadOrigInd)
    assert (report.message_id, report.read_status) == (message_id, ReadStatus.READ)
    assert (headers.message_type, headers.to) == (MessageType.READ_REPLY, (CODE,))


async def test_recipients_of_the_headers_are_served(town: Town) -> None:
    phones = [await town.lab.phone(number) for number in (PHONE, OTHER)]
    body = send_req(to=("+15550100777/TYPE=PLMN",))
    to = [*nokia(Version="3.0", To=f"{PHONE}/TYPE=PLMN"), *nokia(To=f"{OTHER}, {OTHER}/TYPE=PLMN")]
    await town.games.submit(body, *to)
    for phone in phones:
        await phone.until(lambda inbox: bool(inbox.messages))
    reports = [(await town.games.taken())[0].sender for _ in phones]
    assert sorted(reports) == [f"{PHONE}/TYPE=PLMN", f"{OTHER}/TYPE=PLMN"]


async def test_a_repeat_gets_the_same_id_and_nothing_new(town: Town) -> None:
    first = await town.games.submit(send_req("000"))
    assert await town.games.submit(send_req("000")) == first
    assert await town.games.submit(send_req("000", subject="another")) != first, "one client's ids are all 000"
    assert await town.games.submit(send_req("000"), *nokia(Message_Id="a1")) != first
    assert await stored(town.lab) == 3


async def test_204_and_an_m_send_conf_where_it_would_hide_something(tmp_path: Path) -> None:
    async with open_town(tmp_path, eaif_answer="no_content", eaif_version="2.0") as town:
        status, _, told, body = await town.games.post(send_req("T1"))
        assert (status, told.version, body) == (204, "2.0", b"")
        assert told.message_id
        status, _, told, body = await town.games.post(send_req("T2"), *nokia(To=f"{PHONE}, +19990100123"))
        conf = mm1.decode(body).message
        assert isinstance(conf, MSendConf)
        assert (status, conf.response_status) == (200, ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS)
        assert "+19990100123" in (conf.response_text or "")


BAD = [
    (b"", "no X-Mms-Message-Type"),
    (b"<html/>", "a field with a text name"),
    (SEND_REQ[:40], "terminating NUL"),
    (send_req(to=("+19990100123/TYPE=PLMN",)), "+19990100123"),
    (send_req(to=("not a number!",)), "neither a number"),
    (send_req(to=()), "no recipient"),
    (send_req(expiry=mm1.Moment(1, relative=False)), "expir"),
    (send_req(subject="x" * 600), "subject"),
    (mm1.encode(mm1.MReadRecInd(message_id="x", to=("1",), from_="2", read_status=ReadStatus.READ)), "not offered"),
]


@pytest.mark.parametrize(("body", "why"), BAD, ids=[why for _, why in BAD])
async def test_what_is_wrong_fails_validation_and_the_server_serves_on(town: Town, body: bytes, why: str) -> None:
    status, reason, told, octets = await town.games.post(body)
    assert (status, reason, told.message_id) == (400, "Message Validation Failed", "")
    if octets.startswith(b"\x8c"):
        conf = mm1.decode(octets).message
        assert isinstance(conf, MSendConf)
        assert conf.response_status is not None
        assert conf.response_status is not ResponseStatus.OK
        octets = (conf.response_text or "").encode()
    assert why in octets.decode()
    assert await stored(town.lab) == 0
    assert await town.games.submit(send_req("good"))


async def test_who_may_in(town: Town) -> None:
    games = town.games
    assert (await games.post(send_req(), auth=None))[0] == 401
    assert (await games.post(send_req(), auth=login("games", "guess")))[0] == 401
    status, _, _, body = await games.post(send_req(), auth=login("news"))
    assert (status, body) == (403, b"news speaks mm7, not EAIF\n")
    rsp = await town.lab.vasp.submit(PHONE, content=picture())
    assert isinstance(rsp, mm7.SubmitRsp)
    assert rsp.status.code is mm7.StatusCode.SUCCESS, "MM7 goes on beside it"
    assert await stored(town.lab) == 1


async def test_nothing_is_answered_positively_before_it_is_committed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(town.lab.app.store, "commit", away)
        status, _, told, body = await town.games.post(send_req())
    conf = mm1.decode(body).message
    assert isinstance(conf, MSendConf)
    assert (status, told.message_id) == (503, "")
    assert conf.response_status is ResponseStatus.ERROR_TRANSIENT_FAILURE
    assert await town.games.submit(send_req()), "and the same request is tried anew"


# --- MMs for the application


async def test_a_handsets_mm_reaches_the_application(town: Town) -> None:
    phone = await town.lab.phone(PHONE)
    conf = await phone.send([CODE], [], subject="Hi", delivery_report=True)
    assert conf.response_status is ResponseStatus.OK
    headers, pdu = await town.games.taken()
    assert isinstance(pdu, MSendReq)
    assert (pdu.from_, pdu.to, pdu.subject) == (f"{PHONE}/TYPE=PLMN", (CODE,), "Hi")
    assert (headers.message_type, headers.to) == (MessageType.MULTI_MEDIA_MESSAGE, (CODE,))
    assert (conf.message_id or "").partition("@")[0] == headers.message_id
    inbox = await phone.until(lambda inbox: bool(inbox.reports))
    assert inbox.reports[0].status is mm1.Status.RETRIEVED


async def test_the_form_of_m_retrieve_conf(tmp_path: Path) -> None:
    reply_to = "http://mms.example:8807/eaif"
    async with open_town(tmp_path, eaif_message="retrieve_conf", eaif_asynch_reply_to=reply_to) as town:
        phone = await town.lab.phone(PHONE)
        await phone.send([CODE], [])
        headers, pdu = await town.games.taken()
        assert isinstance(pdu, mm1.MRetrieveConf)
        assert headers.asynch_reply_to == reply_to


async def test_an_application_that_refuses(town: Town) -> None:
    town.games.answers = [400]
    phone = await town.lab.phone(PHONE)
    await phone.send([CODE], [], delivery_report=True)
    inbox = await phone.until(lambda inbox: bool(inbox.reports))
    assert inbox.reports[0].status is mm1.Status.REJECTED


@pytest.mark.parametrize(("status", "told"), [(200, mm1.Status.RETRIEVED), (400, mm1.Status.REJECTED)])
async def test_an_asynchronous_answer_ends_what_202_left_open(town: Town, status: int, told: mm1.Status) -> None:
    town.games.answers = [202]
    phone = await town.lab.phone(PHONE)
    await phone.send([CODE], [], delivery_report=True)
    headers, _ = await town.games.taken()
    assert await town.lab.app.store.fetch("SELECT state FROM recipient") == [("accepted",)]
    answer = nokia(Message_Id=headers.message_id, Message_Type="MultiMediaMessage", Status=str(status))
    form = "application/x-www-form-urlencoded"
    assert (await town.games.post(b"", *answer, path="/", media=form))[0] == 204
    inbox = await phone.until(lambda inbox: bool(inbox.reports))
    assert inbox.reports[0].status is told
    assert (await town.games.post(b"", *answer, path="/", media=form))[0] == 204, "a repeat"
    unknown = nokia(Message_Id="0000000000000", Status="200")
    assert (await town.games.post(b"", *unknown))[0] == 404
    assert (await town.games.post(b"", *answer, auth=None))[0] == 401
