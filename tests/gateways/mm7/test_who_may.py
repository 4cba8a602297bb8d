"""Who may submit, and what: a whole MMSC over real sockets. Each refusal has its StatusCode (TS 23.140 8.7.8), says why
in Details, and is in the trace; after each, who may is served."""

import asyncio
import base64
import io
import ssl
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import requests
import trustme
from multidict import CIMultiDictProxy
from requests.auth import HTTPDigestAuth

from mmsc.clock import VirtualClock
from mmsc.reloading import reload
from mmsc.settings.model import Mm7, Tls
from mmsc.settings.neighbours import Vasp
from mmsc.trace import events as trace
from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.mm7 import Address, AddressForm, StatusCode
from tests.cases import cases
from tests.scenarios.conftest import LATEST, OTHER, PHONE, Lab, open_lab
from tests.tools import needs

BASE = Vasp(vasp_id="news", username="news", password="secret", short_codes=("4488",))


def news(**changes: object) -> Vasp:
    return msgspec.structs.replace(BASE, **changes)


def soap(number: int = 1, *, to: tuple[str, ...] = (PHONE,), **fields: object) -> tuple[str, bytes]:
    assert LATEST is not None
    values: dict[str, object] = {"vasp_id": "news", "to": tuple(map(Address, to)), **fields}
    return mm7.encode(mm7.Envelope(f"t{number}", LATEST, mm7.SubmitReq(**values)))  # type: ignore[arg-type]


def basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


@dataclass
class Told:
    """What a request came to."""

    http: int
    code: int  # 0: no MM7
    details: str
    headers: CIMultiDictProxy[str]


async def ask(
    lab: Lab,
    number: int = 1,
    *,
    login: str = "news:secret",
    headers: dict[str, str] | None = None,
    context: ssl.SSLContext | None = None,
    payload: tuple[str, bytes] | None = None,
    **fields: object,
) -> Told:
    content_type, body = payload or soap(number, **fields)  # type: ignore[arg-type]
    sent = {"Content-Type": content_type, **({"Authorization": basic(login)} if login else {}), **(headers or {})}
    url = lab.vasp.url.replace("http:", "https:") if context is not None else lab.vasp.url
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context or False)) as session,
        session.post(url, data=io.BytesIO(body), headers=sent) as answer,
    ):
        octets = await answer.read()
        if not octets:
            return Told(answer.status, 0, "", answer.headers)
        message = mm7.decode(answer.headers["Content-Type"], octets).message.message
        assert isinstance(message, mm7.SubmitRsp | mm7.Fault)
        return Told(answer.status, int(message.status.code), message.status.details, answer.headers)


@asynccontextmanager
async def lab_with(folder: Path, mm7_settings: Mm7 | None = None, **vasps: Vasp) -> AsyncIterator[Lab]:
    async with open_lab(folder, vasp=vasps, mm7=mm7_settings or Mm7(port=0)) as lab:
        yield lab


async def refusals(lab: Lab, count: int) -> list[trace.SubmissionRefused]:
    """The first `count` refusals in the trace."""
    found: list[trace.SubmissionRefused] = []
    with lab.app.bus.watch(replay=True) as watcher:
        async with asyncio.timeout(10):
            while len(found) < count:
                event = await watcher.until(lambda event: isinstance(event.data, trace.SubmissionRefused))
                assert isinstance(event.data, trace.SubmissionRefused)
                found.append(event.data)
    return found


# --- logins


async def test_a_wrong_login_is_challenged_and_told_in_the_trace(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news()) as lab:
        told = await ask(lab, login="news:guess")
        assert (told.http, told.code) == (401, 0)
        assert told.headers["WWW-Authenticate"] == 'Basic realm="MM7", charset="UTF-8"'
        assert (await ask(lab, login="")).http == 401
        assert (await ask(lab)).code == 1000
        first, second = await refusals(lab, 2)
    assert (first.reason, first.because) == (
        "not_identified",
        "127.0.0.1: 'Basic' credentials that are not those of a VASP",
    )
    assert second.because == "127.0.0.1: no credentials"


def by_requests(url: str, content_type: str, body: bytes) -> int:
    session = requests.Session()
    session.auth = HTTPDigestAuth("news", "secret")
    for _ in range(3):  # the second and third use the same nonce
        answer = session.post(url, data=body, headers={"Content-Type": content_type})
    session.close()
    return answer.status_code


def by_urllib(url: str, content_type: str, body: bytes) -> int:
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, url, "news", "secret")
    opener = urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords))
    for _ in range(3):
        with opener.open(urllib.request.Request(url, body, {"Content-Type": content_type})) as answer:
            status: int = answer.status
    return status


def by_curl(url: str, content_type: str, body: bytes) -> int:
    command = ["curl", "-sS", "--digest", "-u", "news:secret", "-H", f"Content-Type: {content_type}", "-H", "Expect:"]
    command += ["--data-binary", "@-", "-o", "/dev/null", "-w", "%{http_code}\n", url, "-o", "/dev/null", url]
    done = subprocess.run(command, input=body, capture_output=True, check=True)
    return int(done.stdout.split()[-1])


_ORDERS = [("SHA-256", "MD5"), ("MD5", "SHA-256"), ("MD5",), ("SHA-256",)]
_LOGINS = [(client, order) for client in (by_requests, by_urllib, by_curl) for order in _ORDERS]


@pytest.mark.parametrize(
    ("client", "algorithms"),
    # urllib reads the first challenge alone, and knows MD5 alone
    [(client, order) for client, order in _LOGINS if client is not by_urllib or order[0] == "MD5"],
)
async def test_clients_of_others_log_in_with_digest(
    tmp_path: Path, client: Callable[[str, str, bytes], int], algorithms: tuple[str, ...]
) -> None:
    if client is by_curl:
        needs("curl")
    given = Mm7(port=0, digest_algorithms=algorithms)  # type: ignore[arg-type]
    async with lab_with(tmp_path, given, news=news(authentication="digest")) as lab:
        assert await asyncio.to_thread(client, lab.vasp.url, *soap()) == 200
        row = await lab.app.store.fetch("SELECT COUNT(*) FROM mm")
        assert row == [(1,)]
        assert (await ask(lab)).http == 401, "Basic is not for this VASP"
        assert (await refusals(lab, 1))[0].because.startswith("127.0.0.1: 'Basic'"), "a challenge is no refusal"


async def test_either_login_for_a_vasp_that_may_use_both(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news(authentication="either")) as lab:
        assert (await ask(lab)).code == 1000
        async with (
            aiohttp.ClientSession(middlewares=(aiohttp.DigestAuthMiddleware("news", "secret"),)) as session,
            session.post(lab.vasp.url, data=soap(2)[1], headers={"Content-Type": soap()[0]}) as answer,
        ):
            assert answer.status == 200
        challenges = (await ask(lab, login="")).headers.getall("WWW-Authenticate")
        assert [one.partition(" ")[0] for one in challenges] == ["Digest", "Digest", "Basic"]


async def test_a_replayed_request_is_stale(tmp_path: Path) -> None:
    """The same octets again, as a recording would have them."""
    async with lab_with(tmp_path, news=news(authentication="digest")) as lab:
        seen: list[str] = []
        middleware = aiohttp.DigestAuthMiddleware("news", "secret")

        async def noting(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            seen.append(request.headers.get("Authorization", ""))
            return await handler(request)

        async with (
            aiohttp.ClientSession(middlewares=(middleware, noting)) as session,
            session.post(lab.vasp.url, data=soap()[1], headers={"Content-Type": soap()[0]}) as answer,
        ):
            assert answer.status == 200
        again = await ask(lab, login="", headers={"Authorization": seen[-1]})
        assert again.http == 401
        assert "stale=true" in again.headers["WWW-Authenticate"]
        elsewhere = lab.vasp.url + "?x=1"
        async with aiohttp.ClientSession() as session:
            headers = {"Content-Type": soap()[0], "Authorization": seen[-1]}
            async with session.post(elsewhere, data=soap()[1], headers=headers) as answer:
                assert answer.status == 400, "credentials for another target (RFC 7616 3.4.6)"


# --- certificates


@dataclass
class Authority:
    ca: trustme.CA
    tls: Tls

    def client(self, *names: str, common_name: str | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if names:
            self.ca.issue_cert(*names, common_name=common_name).configure_cert(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    ca, folder = trustme.CA(), tmp_path / "tls"
    folder.mkdir()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    return Authority(ca, Tls(certificate=str(folder / "server.pem"), client_ca=str(folder / "ca.pem")))


async def test_a_vasp_is_known_by_its_certificate(tmp_path: Path, authority: Authority) -> None:
    by_name = Vasp(vasp_id="news", client_certificates=("CN=news", "SAN=news.example"))
    second = Vasp(vasp_id="weather", client_certificates=("CN=weather",))
    async with lab_with(tmp_path, Mm7(port=0, tls=authority.tls), news=by_name, weather=second) as lab:
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=authority.client())) as session,
            session.get(lab.vasp.url.replace("http:", "https:") + "?wsdl") as answer,
        ):
            assert f'location="{answer.url.with_query(None)}"' in await answer.text(), "the WSDL says https, too"
        good = authority.client("x.example", common_name="news")
        assert (await ask(lab, 1, login="", context=good)).code == 1000
        assert (await ask(lab, 2, login="", context=authority.client("NEWS.example"))).code == 1000
        for context, why in (
            (authority.client("other.example"), "SAN=other.example: not a certificate of this VASP"),
            (authority.client(), "no client certificate: not a certificate of this VASP"),
            (authority.client("x.example", common_name="weather"), "VASPID 'news' is not that of this login"),
        ):
            told = await ask(lab, login="", context=context)
            assert (told.http, told.code) == (500, 4001)
            assert why in told.details
        assert (await ask(lab, 3, login="", context=good)).code == 1000
        found = await refusals(lab, 3)
        strange = authority.client()
        trustme.CA().issue_cert("news.example").configure_cert(strange)
        with pytest.raises((aiohttp.ClientError, OSError)):
            await ask(lab, login="", context=strange)
        last = (await refusals(lab, 4))[-1]
        assert last.because == "127.0.0.1: TLS: unable to get local issuer certificate"
    assert [(one.neighbour, one.reason) for one in found] == [
        ("", "not_identified"),
        ("", "not_identified"),
        ("weather", "not_identified"),
    ]


async def test_a_vaspid_that_is_known_elsewhere_is_nobody_elses(tmp_path: Path) -> None:
    """Who takes any VASPID does not get those of VASPs that ask from elsewhere."""
    elsewhere = Vasp(vasp_id="news", networks=("192.0.2.0/24",))
    async with lab_with(tmp_path, anybody=Vasp(), news=elsewhere) as lab:
        told = await ask(lab, login="")
        assert (told.code, "127.0.0.1 is none of this VASP's networks" in told.details) == (4001, True)
        assert (await ask(lab, login="", vasp_id="whoever")).code == 1000


async def test_login_and_certificate_must_both_hold(tmp_path: Path, authority: Authority) -> None:
    given = Mm7(port=0, tls=authority.tls)
    async with lab_with(tmp_path, given, news=news(client_certificates=("SAN=news.example",))) as lab:
        good = authority.client("news.example")
        assert (await ask(lab, context=good)).code == 1000
        assert (await ask(lab, context=good, login="news:guess")).http == 401
        assert (await ask(lab, context=good, login="")).http == 401
        told = await ask(lab, context=authority.client())
        assert (told.code, "no client certificate" in told.details) == (4001, True)


# --- networks


async def test_a_vasp_asks_from_its_networks(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news(networks=("192.0.2.0/24",)), home=Vasp(networks=("127.0.0.1",))) as lab:
        told = await ask(lab)
        assert (told.http, told.code) == (500, 4001)
        assert told.details.endswith("127.0.0.1 is none of this VASP's networks")
        assert (await ask(lab, login="")).code == 1000, "who has no login is known by its network"
        spoofed = {"X-Forwarded-For": "192.0.2.7"}
        assert (await ask(lab, headers=spoofed)).code == 4001, "nobody made us believe that header"
        found = await refusals(lab, 2)
    assert {(one.neighbour, one.reason) for one in found} == {("news", "not_identified")}


async def test_behind_a_proxy_the_client_counts(tmp_path: Path) -> None:
    given = Mm7(port=0, trusted_proxies=("127.0.0.0/8",), proxy_certificate_header="X-Client")
    vasps = {
        "news": news(networks=("192.0.2.0/24",)),
        "shown": Vasp(vasp_id="shown", client_certificates=(f"SHA256={'ab' * 32}",)),
    }
    async with lab_with(tmp_path, given, **vasps) as lab:
        assert (await ask(lab, 1, headers={"X-Forwarded-For": "192.0.2.7"})).code == 1000
        assert (await ask(lab, 2, headers={"X-Forwarded-For": "198.51.100.1, 192.0.2.7, 127.0.0.9"})).code == 1000
        for header, address in (("192.0.2.7, 198.51.100.1", "198.51.100.1"), ("unknown", ""), ("", "127.0.0.1")):
            told = await ask(lab, headers={"X-Forwarded-For": header})
            why = f"{address or 'an unknown address'} is none of this VASP's networks"
            assert (told.code, why in told.details) == (4001, True), header
            assert (await refusals(lab, 1))[0].because.startswith("198.51.100.1: "), "the client, not the proxy"
        fields = {"vasp_id": "shown", "login": ""}
        assert (await ask(lab, 3, headers={"X-Client": "AB" * 32}, **fields)).code == 1000  # type: ignore[arg-type]
        assert (await ask(lab, headers={"X-Client": "AC" * 32}, **fields)).code == 4001  # type: ignore[arg-type]


# --- what it may


@pytest.mark.parametrize(
    ("sender", "form", "code"),
    [
        ("+15550100200", AddressForm.NUMBER, 1000),
        ("5550100200", AddressForm.NUMBER, 1000),  # national: compared as the number plan writes it
        ("+15550100300", AddressForm.NUMBER, 2001),
        ("4488", AddressForm.SHORT_CODE, 1000),  # its short code
        ("4499", AddressForm.SHORT_CODE, 2001),
        ("News@Desk.Example", AddressForm.RFC2822_ADDRESS, 1000),
        ("other@desk.example", AddressForm.RFC2822_ADDRESS, 2001),
        ("", AddressForm.NUMBER, 1000),  # none named
    ],
)
async def test_a_sender_that_is_not_its_own(tmp_path: Path, sender: str, form: AddressForm, code: int) -> None:
    async with lab_with(tmp_path, news=news(senders=("+155501002*", "news@desk.example"))) as lab:
        told = await ask(lab, sender_address=Address(sender, form) if sender else None)
        assert (told.http, told.code) == (200, code)
        if code == 2001:
            assert told.details == f"sender {sender} is none that this VASP may use"
            [noted] = await refusals(lab, 1)
            assert (noted.neighbour, noted.reason, noted.address) == ("news", "sender_not_allowed", sender)


def with_content(number: int, *types: str) -> tuple[str, bytes]:
    parts = [mime.OutPart(ContentType(one), b"x" * 10, f"p{at}", f"p{at}") for at, one in enumerate(types)]
    boundary = mime.choose_boundary(parts, "inner")
    content = mime.OutPart(
        ContentType("multipart/mixed", (("boundary", boundary),)), mime.write_parts(parts, boundary), "content"
    )
    assert LATEST is not None
    request = mm7.SubmitReq(vasp_id="news", to=(Address(PHONE),), content_href="cid:content")
    return mm7.encode_with_content(mm7.Envelope(f"t{number}", LATEST, request), content, "seed")


async def test_content_of_types_that_it_may_not_send(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news(content_types=("image/*", "text/plain"))) as lab:
        assert (await ask(lab, payload=with_content(1, "application/smil", "Image/JPEG", "text/plain"))).code == 1000
        told = await ask(lab, payload=with_content(2, "image/jpeg", "video/3gpp"))
        assert (told.code, told.details) == (2004, "p1 is video/3gpp, this VASP may send image/*, text/plain")
        assert (await ask(lab, payload=with_content(3, "text/html"))).code == 2004
        assert (await ask(lab, 4)).code == 1000, "no content at all"
        found = await refusals(lab, 2)
    assert {(one.neighbour, one.reason) for one in found} == {("news", "content_refused")}


async def test_more_than_its_size(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news(maximum_octets=2000)) as lab:
        told = await ask(lab, subject="x" * 400, service_code="y" * 1000)
        assert (told.code, told.details.endswith("the limit of this VASP is 2000")) == (2004, True)
        assert (await ask(lab)).code == 1000
        assert (await refusals(lab, 1))[0].reason == "too_large"


@pytest.mark.parametrize(("maximum", "code"), [(1, 3003), (2, 3002)])
async def test_more_recipients_than_it_may_name(tmp_path: Path, maximum: int, code: int) -> None:
    async with lab_with(tmp_path, news=news(maximum_recipients=maximum)) as lab:
        told = await ask(lab, to=(PHONE, OTHER, "+15550100777"))
        assert (told.code, told.details) == (code, f"3 recipients, the limit of this VASP is {maximum}")
        shown = Address("+15550100777", display_only=True)
        assert (await ask(lab, 2, to=(PHONE,), cc=(shown, shown))).code == 1000, "who is only shown is none"
        assert (await refusals(lab, 1))[0].reason == "too_many_recipients"


@pytest.mark.parametrize("over_rate", ["4006", "503"])
async def test_faster_than_it_may(tmp_path: Path, over_rate: str) -> None:
    slow = news(messages_per_second=0.001, burst=3, over_rate=over_rate)
    async with lab_with(tmp_path, news=slow, other=news(vasp_id="other", username="other")) as lab:
        assert [(await ask(lab, number)).code for number in range(3)] == [1000] * 3
        told = await ask(lab, 3)
        assert (told.http, told.code) == ((503, 0) if over_rate == "503" else (200, 4006))
        assert 0 < int(told.headers["Retry-After"]) <= 1000
        if over_rate == "4006":
            assert told.details.startswith("more than 0.001 messages a second; the next one in ")
        other = soap(1, vasp_id="other", to=(PHONE,))
        assert (await ask(lab, login="other:secret", payload=other)).code == 1000, "nobody else waits"
        [noted] = await refusals(lab, 1)
        assert (noted.neighbour, noted.reason) == ("news", "too_fast")


async def test_refusals_beyond_what_is_recorded_are_counted(tmp_path: Path) -> None:
    slow = news(messages_per_second=0.001, over_rate="503")
    async with lab_with(tmp_path, news=slow) as lab:
        server: Any = lab.app.operations.sources.http["mm7"]._handler.__self__  # type: ignore[attr-defined]
        clock = VirtualClock()
        server._permission._recorded._real_now = clock.real_now
        await asyncio.gather(*(ask(lab, number) for number in range(60)))
        assert len(await refusals(lab, 20)) == 20
        clock.advance(1)
        assert (await ask(lab, 99)).http == 503
        with lab.app.bus.watch(replay=True) as watcher:
            async with asyncio.timeout(10):
                last = await watcher.until(lambda event: getattr(event.data, "times", 1) > 1)
        assert isinstance(last.data, trace.SubmissionRefused)
        told = lab.app.operations.tally.refused["mm7", "too_fast"]
    assert told == 60, "59 of the 60, and the last one"


# --- credits


async def left(lab: Lab) -> int:
    return lab.app.engine.credits.left("news")


async def test_credits_are_used_up_refilled_and_kept(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news(credits=4)) as lab:
        assert (await ask(lab, 1, to=(PHONE, OTHER))).code == 1000
        assert (await ask(lab, 2, to=(PHONE, "no number!"))).code == 1100, "who was not taken costs nothing"
        told = await ask(lab, 3, to=(PHONE, OTHER))
        assert (told.http, told.code, told.details) == (200, 4007, "2 recipients, 1 of 4 credits are left")
        assert (await ask(lab, 4)).code == 1000
        assert (await ask(lab, 5)).code == 4007
        assert (await ask(lab, 1, to=(PHONE, OTHER))).code == 1000, "a repeat costs nothing"
        assert await left(lab) == 0
        more = msgspec.structs.replace(lab.app.settings, vasp={"news": news(credits=6)})
        assert await reload(lab.app, lambda: more) == "applied"
        assert (await ask(lab, 5)).code == 1000
        assert await left(lab) == 1
        assert {one.reason for one in await refusals(lab, 2)} == {"no_credit"}
    async with lab_with(tmp_path, news=news(credits=6)) as lab:
        assert await left(lab) == 1, "a restart gives nothing back"
        assert (await ask(lab, 6, to=(PHONE, OTHER))).code == 4007
        assert (await ask(lab, 7)).code == 1000


async def test_of_many_at_once_as_many_are_taken_as_there_are_credits(tmp_path: Path) -> None:
    async with lab_with(tmp_path, news=news(credits=25)) as lab:
        told = await asyncio.gather(*(ask(lab, number) for number in range(60)))
        assert sorted(one.code for one in told) == [1000] * 25 + [4007] * 35
        assert await lab.app.store.fetch("SELECT value FROM meta WHERE key = 'credits used: news'") == [("25",)]
        again = await asyncio.gather(*(ask(lab, number) for number in range(60)))
        assert [one.code for one in again] == [one.code for one in told], "each gets the answer that it had"


# --- EAIF, by the same door


async def test_an_application_on_eaif_is_held_to_the_same(tmp_path: Path) -> None:
    pdu = next(case.octets.partition(b"\r\n\r\n")[2] for case in cases("eaif") if case.stem == "01-m-send-req")
    given = Mm7(port=0, trusted_proxies=("127.0.0.1",))
    vasp = news(interface="eaif", networks=("192.0.2.0/24",), senders=("4488",), credits=1)
    async with lab_with(tmp_path, given, news=vasp) as lab, aiohttp.ClientSession() as session:

        async def post(address: str, sender: str) -> tuple[int, bytes]:
            headers = {"Authorization": basic("news:secret"), "X-Forwarded-For": address}
            headers |= {"Content-Type": "application/vnd.wap.mms-message", "X-NOKIA-MMSC-From": sender}
            headers |= {"X-NOKIA-MMSC-To": PHONE}
            async with session.post(lab.vasp.url, data=pdu, headers=headers) as answer:
                return answer.status, await answer.read()

        assert await post("198.51.100.7", "4488") == (403, b"198.51.100.7 is none of this VASP's networks\n")
        status, body = await post("192.0.2.7", "+15550100999")
        assert (status, b"+15550100999 is none that this VASP may use" in body) == (400, True)
        assert (await post("192.0.2.7", "4488"))[0] == 200
        status, body = await post("192.0.2.7", "")
        assert (status, b"0 of 1 credits are left" in body) == (400, True)
        found = [(one.neighbour, one.reason) for one in await refusals(lab, 3)]
        assert found == [("news", "not_identified"), ("news", "sender_not_allowed"), ("news", "no_credit")]


async def test_applications_without_a_login_are_told_apart_by_their_networks(tmp_path: Path) -> None:
    pdu = next(case.octets.partition(b"\r\n\r\n")[2] for case in cases("eaif") if case.stem == "01-m-send-req")
    given = Mm7(port=0, trusted_proxies=("127.0.0.1",))
    far = Vasp(interface="eaif", networks=("192.0.2.0/24",), short_codes=("7255",))
    near = Vasp(interface="eaif", networks=("198.51.100.0/24",), short_codes=("7256",))
    async with lab_with(tmp_path, given, far=far, near=near) as lab, aiohttp.ClientSession() as session:

        async def post(address: str) -> int:
            headers = {"X-Forwarded-For": address, "Content-Type": "application/vnd.wap.mms-message"}
            async with session.post(lab.vasp.url, data=pdu, headers={**headers, "X-NOKIA-MMSC-To": PHONE}) as answer:
                return answer.status

        assert [await post(one) for one in ("192.0.2.7", "198.51.100.7", "203.0.113.7")] == [200, 200, 403]
        rows = await lab.app.engine.store.fetch("SELECT neighbour FROM mm ORDER BY id")
        assert [row[0] for row in rows] == ["far", "near"]


def test_statuses_are_those_of_the_sheet() -> None:
    assert [StatusCode(code).text for code in (2001, 2004, 3002, 3003, 4001, 4006, 4007)] == [
        "Operation restricted",
        "Multimedia content refused",
        "Message rejected",
        "Multiple addresses not supported",
        "Improper identification",
        "Service unavailable",
        "Service denied",
    ]
