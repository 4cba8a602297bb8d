"""REST: IP addresses become subscribers', over real sockets (RFC 9110, RFC 9457; OMA-TS-MMS_CTR)."""

import io
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from mmsc.app import App
from mmsc.engine import assigned
from mmsc.settings.model import Console, Mm1
from mmsc.settings.neighbours import Subscriber
from mmsc.store.core import StoreUnavailable
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import INSERT_ADDRESS, MSendReq, ResponseStatus
from tests.console.pausing import unpaused
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab

PLACE = "/api/v1/identities"
HERE = "127.0.0.1"
TEXT = ContentType("text/plain")


async def asked(
    app: App, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, "aiohttp.typedefs.LooseHeaders"]:
    """(status, JSON, headers)."""
    host, port = app.listeners["console"]
    octets = msgspec.json.encode(body) if body is not None and not isinstance(body, bytes) else body
    data = io.BytesIO(octets) if octets is not None else None
    headers = {"Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://{host}:{port}{path}", data=data, headers=headers) as response,
    ):
        told = await response.read()
        return response.status, msgspec.json.decode(told) if told else None, response.headers


async def sends(lab: Lab) -> ResponseStatus | None:
    """What a handset without an identity header is told."""
    phone = lab.phones.get(OTHER) or await lab.phone(OTHER, identity_header="")
    return (await phone.send([PHONE], [])).response_status


def with_console(**changes: Any) -> dict[str, Any]:
    return {"console": Console(enabled=True, port=0, **changes)}


async def test_an_address_is_a_subscribers_from_the_answer_on_and_after_a_restart(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        assert await sends(lab) is ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED
        status, told, _ = await asked(lab.app, "PUT", f"{PLACE}/{HERE}", {"number": "555-010-0124"})
        assert (status, told) == (201, {"ip": HERE, "number": OTHER})
        assert await sends(lab) is ResponseStatus.OK
        rows = await lab.app.store.fetch("SELECT sender FROM mm")
        assert rows == [(OTHER,)]
    async with open_lab(tmp_path, **with_console()) as lab:
        assert await sends(lab) is ResponseStatus.OK
        assert (await asked(lab.app, "GET", f"{PLACE}/{HERE}"))[1] == {"ip": HERE, "number": OTHER}
        assert (await asked(lab.app, "DELETE", f"{PLACE}/{HERE}"))[0] == 204
        assert (await asked(lab.app, "DELETE", f"{PLACE}/{HERE}"))[0] == 404
        assert await sends(lab) is ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED


async def test_what_was_assigned_comes_before_what_is_configured_unless_that_is_narrower(tmp_path: Path) -> None:
    there = {OTHER: Subscriber(ip=HERE), PHONE: Subscriber(ip="10.1.0.0/16")}
    async with open_lab(tmp_path, subscriber=there, **with_console()) as lab:
        known = lab.app.engine.neighbours

        def at(ip: str) -> str | None:
            found = known.subscriber_at(ip)
            return None if found is None else found.address.value

        assert (at(HERE), at(f"::ffff:{HERE}"), at("10.1.2.3"), at("10.2.0.1")) == (OTHER, OTHER, PHONE, None)
        for ip, number in ((HERE, PHONE), ("10.0.0.0/8", OTHER), ("2001:db8:7::%2F64", OTHER)):
            assert (await asked(lab.app, "PUT", f"{PLACE}/{ip}", {"number": number}))[0] == 201
        assert (at(HERE), at("10.1.2.3"), at("10.2.0.1"), at("2001:db8:7::1:2")) == (PHONE, PHONE, OTHER, OTHER)


async def test_a_gateway_may_tell_an_assigned_address(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        await asked(lab.app, "PUT", f"{PLACE}/203.0.113.7", {"number": OTHER})
        pdu = MSendReq(transaction_id="t", from_=INSERT_ADDRESS, to=(PHONE,), content_type=TEXT, body=b"x")
        host, port = lab.app.listeners["mm1"]
        told = []
        for ip in ("203.0.113.7", "203.0.113.8"):
            headers = {"X-Forwarded-For": ip, "Content-Type": "application/vnd.wap.mms-message"}
            url = f"http://{host}:{port}/"
            async with lab.vasp.session.post(url, data=mm1.encode(pdu), headers=headers) as response:
                conf = mm1.decode(await response.read()).message
            assert isinstance(conf, mm1.MSendConf)
            told.append(conf.response_status)
        assert told == [ResponseStatus.OK, ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED]


async def test_an_address_has_one_spelling(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        spellings = ("2001:DB8:0:0::7", "2001:db8::7/128", "2001:db8::7")
        statuses = [(await asked(lab.app, "PUT", f"{PLACE}/{one}", {"number": OTHER}))[0] for one in spellings]
        assert statuses == [201, 200, 200]
        assert (await asked(lab.app, "PUT", f"{PLACE}/::ffff:10.0.0.7", {"number": PHONE}))[1]["ip"] == "10.0.0.7"
        everything = [{"ip": "10.0.0.7", "number": PHONE}, {"ip": "2001:db8::7", "number": OTHER}]
        assert (await asked(lab.app, "GET", PLACE))[1] == {"identities": everything, "next": ""}
        first = (await asked(lab.app, "GET", f"{PLACE}?limit=1"))[1]
        assert first == {"identities": everything[:1], "next": "10.0.0.7"}
        assert (await asked(lab.app, "GET", f"{PLACE}?limit=9&after=10.0.0.7"))[1]["identities"] == everything[1:]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/10.0.0.7", {"number": "nobody!"}, 400),
        ("PUT", "/10.0.0.7", {"number": "4488"}, 400),
        ("PUT", "/10.0.0.7", {"number": "user@mail.example"}, 400),
        ("PUT", "/10.0.0.7", {"number": ""}, 400),
        ("PUT", "/10.0.0.7", {"number": 15550100123}, 400),
        ("PUT", "/10.0.0.7", {"number": PHONE, "more": 1}, 400),
        ("PUT", "/10.0.0.7", {}, 400),
        ("PUT", "/10.0.0.7", b"\xff", 400),
        ("PUT", "/10.0.0.7", b"", 400),
        ("PUT", "/10.0.0.7777", {"number": PHONE}, 400),
        ("PUT", "/10.0.0.7/99", {"number": PHONE}, 400),
        ("PUT", "", {"number": PHONE}, 405),
        ("POST", "", {"ip": "10.0.0.7", "number": PHONE}, 405),
        ("POST", "/10.0.0.7", {"number": PHONE}, 405),
        ("GET", "/nobody", None, 404),
        ("GET", "/10.0.0.7", None, 404),
        ("DELETE", "/10.0.0.7", None, 404),
        ("GET", "?limit=x", None, 400),
        ("GET", "?offset=1", None, 400),
        ("GET", "-of-others", None, 404),
    ],
)
async def test_bad_requests_are_told_why_and_change_nothing(
    tmp_path: Path, method: str, path: str, body: Any, status: int
) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        got, told, headers = await asked(lab.app, method, f"{PLACE}{path}", body)
        assert got == status, told
        assert headers["Content-Type"] == "application/problem+json"  # type: ignore[index]
        assert told["status"] == status
        assert told["detail"]
        assert ("Allow" in headers) is (status == 405)
        assert (await asked(lab.app, "GET", PLACE))[1]["identities"] == []


async def test_with_a_token_nobody_asks_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpaused(monkeypatch)
    async with open_lab(tmp_path, **with_console(token="open-sesame")) as lab:
        for authorization in ({}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic open-sesame"}):
            status, _, headers = await asked(lab.app, "PUT", f"{PLACE}/{HERE}", {"number": OTHER}, **authorization)
            assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="mmsc"')  # type: ignore[index]
        right = {"Authorization": "Bearer open-sesame"}
        assert (await asked(lab.app, "PUT", f"{PLACE}/{HERE}", {"number": OTHER}, **right))[0] == 201
        assert (await asked(lab.app, "GET", PLACE, **right))[1]["identities"] == [{"ip": HERE, "number": OTHER}]


async def test_without_a_token_no_page_in_a_browser_may_ask(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        origin = {"Origin": "http://evil.example"}
        assert (await asked(lab.app, "PUT", f"{PLACE}/{HERE}", {"number": OTHER}, **origin))[0] == 403
        assert (await asked(lab.app, "GET", PLACE))[1]["identities"] == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("localhost", 200), ("localhost:8800", 200), ("127.0.0.1:8800", 200), ("[::1]:8800", 200), ("", 200)),
        *(("evil.example", 403), ("evil.example:8800", 403), ("192.0.2.1", 403), ("127.0.0.1.evil.example", 403)),
    ],
)
async def test_without_a_token_loopback_is_asked_by_its_own_names(tmp_path: Path, host: str, status: int) -> None:
    """A page of a name that leads here reads what it GETs, without Origin (RFC 9110 7.2; RFC 6454 7.3)."""
    async with open_lab(tmp_path, **with_console()) as lab:
        assert (await asked(lab.app, "GET", PLACE, Host=host))[0] == status


async def test_what_is_not_stored_is_not_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:

        async def away(*_: object) -> None:
            raise StoreUnavailable("disk full")

        with monkeypatch.context() as patch:
            patch.setattr(lab.app.store, "commit", away)
            assert (await asked(lab.app, "PUT", f"{PLACE}/{HERE}", {"number": OTHER}))[0] == 503
            assert (await asked(lab.app, "DELETE", f"{PLACE}/{HERE}"))[0] == 503
        assert lab.app.engine.neighbours.subscriber_at(HERE) is None


async def test_there_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assigned, "MAXIMUM_ASSIGNED", 1)
    async with open_lab(tmp_path, mm1=Mm1(port=0), **with_console()) as lab:
        one, two = [{"number": number} for number in (PHONE, OTHER)]
        found = [
            (await asked(lab.app, "PUT", f"{PLACE}/10.0.0.{n}", body))[0] for n, body in ((1, one), (2, one), (1, two))
        ]
        assert found == [201, 409, 200]
