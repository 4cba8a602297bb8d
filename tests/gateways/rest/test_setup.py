"""REST: VASPs, peers and SMSCs are made, changed and deleted while the server runs."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mmsc.lab.smsc import VirtualSmsc
from mmsc.reloading import reload
from mmsc.settings.neighbours import Peer, Vasp
from mmsc.store.core import StoreUnavailable
from protocols import mm7
from tests.gateways.rest.test_identities import asked, with_console
from tests.operations.conftest import bound
from tests.scenarios.conftest import LATEST, PHONE, Lab, open_lab

ROOT = "/api/v1"
WEATHER = {"vasp_id": "weather", "username": "weather", "password": "sunny"}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, **with_console()) as opened:
        yield opened


async def put(lab: Lab, place: str, body: Any) -> tuple[int, Any]:
    status, told, _ = await asked(lab.app, "PUT", f"{ROOT}/{place}", body)
    return status, told


async def get(lab: Lab, place: str) -> tuple[int, Any]:
    status, told, _ = await asked(lab.app, "GET", f"{ROOT}/{place}")
    return status, told


async def delete(lab: Lab, place: str) -> tuple[int, Any]:
    status, told, _ = await asked(lab.app, "DELETE", f"{ROOT}/{place}")
    return status, told


async def submits(lab: Lab, login: str, transaction_id: str = "t1") -> int | mm7.StatusCode:
    """What a submission with this login comes to: its status, or HTTP's."""
    assert LATEST is not None
    vasp_id = login.partition(":")[0]
    request = mm7.SubmitReq(vasp_id=vasp_id, to=(mm7.Address(PHONE),), subject="s")
    content_type, body = mm7.encode(mm7.Envelope(transaction_id, LATEST, request))
    authorization = f"Basic {base64.b64encode(login.encode()).decode()}"
    http, answer = await lab.vasp.post(content_type, body, Authorization=authorization)
    if not isinstance(answer, mm7.SubmitRsp | mm7.Fault) or answer.status is None:
        return http
    return answer.status.code


async def test_a_vasp_that_is_made_submits_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        assert await submits(lab, "weather:sunny") == 401
        status, told = await put(lab, "vasps/weather", WEATHER)
        assert status == 201, told
        assert await submits(lab, "weather:sunny") is mm7.StatusCode.SUCCESS
        assert await submits(lab, "weather:rainy") == 401
        assert (await put(lab, "vasps/weather", {**WEATHER, "password": "rainy"}))[0] == 200
        assert await submits(lab, "weather:rainy", "t2") is mm7.StatusCode.SUCCESS
    async with open_lab(tmp_path, **with_console()) as lab:
        assert await submits(lab, "weather:rainy", "t3") is mm7.StatusCode.SUCCESS
        assert (await get(lab, "vasps/weather"))[1]["origin"] == "console"
        assert (await delete(lab, "vasps/weather"))[0] == 204
        assert await submits(lab, "weather:rainy", "t4") == 401
        assert (await get(lab, "vasps/weather"))[0] == 404
        assert (await delete(lab, "vasps/weather"))[0] == 404


async def test_secrets_are_written_and_never_read(lab: Lab) -> None:
    status, told = await put(lab, "vasps/weather", WEATHER)
    assert (status, told["password_set"]) == (201, True)
    assert told["password_since"] <= lab.app.clock.real_now()
    rows = await lab.app.store.fetch("SELECT data FROM config")
    assert "sunny" not in str(rows)
    assert "sunny" not in str(told)
    assert not [key for key in told["settings"] if key.startswith(("password", "ha1"))]
    kept = {key: value for key, value in WEATHER.items() if key != "password"}
    status, changed = await put(lab, "vasps/weather", {**kept, "sender": "7"})
    assert (status, changed["password_since"], changed["settings"]["sender"]) == (200, told["password_since"], "7")
    assert await submits(lab, "weather:sunny") is mm7.StatusCode.SUCCESS
    assert (await put(lab, "vasps/weather", {**kept, "password": ""}))[1]["password_set"] is False
    assert "password_hash" not in str((await get(lab, "vasps/weather"))[1])


async def test_a_digest_login_is_kept_as_ha1_and_wanted_anew_for_another_name(lab: Lab) -> None:
    digest = {**WEATHER, "authentication": "digest"}
    assert (await put(lab, "vasps/weather", digest))[0] == 201
    known = lab.app.engine.neighbours.vasps["weather"]
    assert (known.password_hash, len(known.ha1_md5), len(known.ha1_sha256)) == ("", 32, 64)
    renamed = {"username": "other", "authentication": "digest"}
    status, told = await put(lab, "vasps/weather", renamed)
    assert status == 400
    assert told["errors"] == [{"field": "password", "detail": "is wanted anew: what is kept of it holds the username"}]
    status, told = await put(lab, "vasps/weather", {"username": "weather", "authentication": "basic"})
    assert status == 200, told
    known = lab.app.engine.neighbours.vasps["weather"]
    assert (known.password_hash, known.ha1_md5, known.ha1_sha256) == ("", "", "")


async def test_what_the_settings_have_is_locked(lab: Lab) -> None:
    status, told = await get(lab, "vasps/news")
    assert (status, told["origin"], told["where"]) == (200, "config", "the built-in settings")
    for status, told in (await put(lab, "vasps/news", WEATHER), await delete(lab, "vasps/news")):
        assert status == 409
        assert "change it there" in told["detail"]
    assert await submits(lab, "news:secret") is mm7.StatusCode.SUCCESS


@pytest.mark.parametrize(
    ("place", "body", "field"),
    [
        ("vasps/w", {"usernam": "x"}, "usernam"),
        ("vasps/w", {"report_url": "ftp://x"}, "report_url"),
        ("vasps/w", {"report_url": "http://x:99999/"}, "report_url"),
        ("vasps/w", {"interface": "mm9"}, "interface"),
        ("vasps/w", {"concurrency": 0}, "concurrency"),
        ("vasps/w", {"password": "x"}, "password"),
        ("vasps/w", {"profile": "nobody"}, "profile"),
        ("vasps/w", {"networks": ["here"]}, "networks"),
        ("vasps/w", {"username": "news"}, "username"),
        ("vasps/w", {"burst": 3}, "burst"),
        ("vasps/w", {"run": "a b"}, "run"),
        ("vasps/w", {"tls_key_file": "/k"}, "tls_key_file"),
        ("vasps/a%20b", {}, "name"),
        ("peers/p", {}, "domain"),
        ("peers/p", {"domain": "d", "host": "h", "port": 70_000}, "port"),
        ("peers/p", {"domain": "d", "host": "h", "rewrites": [{"prefix": "0"}]}, "rewrites"),
        ("smscs/s", {"password": "much too long"}, "password"),
        ("smscs/s", {"data_coding": "f5"}, "data_coding"),
    ],
)
async def test_what_is_wrong_is_told_beside_its_key_and_changes_nothing(
    lab: Lab, place: str, body: dict[str, Any], field: str
) -> None:
    status, told = await put(lab, place, body)
    assert status == 400, told
    assert field in [one["field"] for one in told["errors"]], told
    assert "much too long" not in str(told), "a secret is not told back"
    assert (await get(lab, place))[0] == 404


async def test_all_that_is_wrong_is_told_at_once(lab: Lab) -> None:
    body = {"usernam": 1, "concurrency": 0, "interface": "x"}
    _, told = await put(lab, "vasps/w", body)
    assert {one["field"] for one in told["errors"]} == {"usernam", "concurrency", "interface"}


async def test_a_short_code_of_a_vasp_that_is_made_is_routed_until_it_is_deleted(lab: Lab) -> None:
    async def route() -> tuple[str, str]:
        told = (await get(lab, "routes/4711"))[1]
        return told["route"], told["target"]

    assert await route() == ("none", "")
    body = {**WEATHER, "short_codes": ["4711"], "deliver_url": "http://127.0.0.1:9/"}
    assert (await put(lab, "vasps/weather", body))[0] == 201
    assert await route() == ("vasp", "weather")
    status, told = await put(lab, "vasps/other", {"short_codes": ["4711"]})
    assert (status, told["errors"][0]["field"]) == (400, "short_codes")
    assert (await put(lab, "vasps/weather", {**body, "short_codes": []}))[0] == 200
    assert await route() == ("none", "")


async def test_a_peer_that_is_made_gets_its_prefixes(lab: Lab) -> None:
    body = {"domain": "mms.peer.example", "host": "127.0.0.1", "port": 9, "prefixes": ["+1777"]}
    assert (await put(lab, "peers/far", body))[0] == 201
    told = (await get(lab, "routes/+17771234567"))[1]
    assert (told["route"], told["target"], told["why"]) == ("peer", "far", "prefix +1777 of peer far")
    assert (await delete(lab, "peers/far"))[0] == 204
    assert (await get(lab, "routes/+17771234567"))[1]["route"] == "none"


async def test_an_smsc_that_is_made_is_bound_and_one_that_is_deleted_is_left(lab: Lab) -> None:
    other = VirtualSmsc({"two": "secret"})
    await other.start()
    try:
        body = {"host": "127.0.0.1", "port": other.port, "system_id": "two", "password": "secret"}
        assert (await put(lab, "smscs/two", body))[0] == 201
        await bound(other)
        assert (await delete(lab, "smscs/two"))[0] == 204
        await bound(other, 0)
    finally:
        await other.stop()


async def test_one_for_whom_something_waits_goes_only_when_that_is_said(lab: Lab) -> None:
    body = {"domain": "mms.peer.example", "host": "127.0.0.1", "port": 9, "prefixes": ["+1777"]}
    assert (await put(lab, "peers/far", body))[0] == 201
    assert await lab.vasp.submit("+17771234567") is not None
    status, told = await delete(lab, "peers/far")
    assert (status, told["detail"].partition(";")[0]) == (409, "1 task waits in peer:far")
    assert (await delete(lab, "peers/far?with_work=true"))[0] == 204


async def test_pages_and_searching(lab: Lab) -> None:
    for name in ("a1", "a2", "b1"):
        assert (await put(lab, f"vasps/{name}", {}))[0] == 201
    told = (await get(lab, "vasps?q=a&limit=1"))[1]
    assert ([one["name"] for one in told["vasps"]], told["next"]) == (["a1"], "a1")
    told = (await get(lab, "vasps?q=A&limit=1&after=a1"))[1]
    assert ([one["name"] for one in told["vasps"]], told["next"]) == (["a2"], "")
    assert [one["name"] for one in (await get(lab, "vasps"))[1]["vasps"]] == ["a1", "a2", "b1", "news"]
    assert (await get(lab, "peers"))[1] == {"peers": [], "next": ""}


async def test_a_file_that_takes_the_name_comes_first_and_gives_it_back(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        assert (await put(lab, "vasps/weather", WEATHER))[0] == 201
        assert (await put(lab, "vasps/codes", {"short_codes": ["4711"], "run": "r"}))[0] == 201
        given = lab.app.settings.vasp
    file = {name: given[name] for name in ("news",)}
    taken = {**file, "weather": Vasp(vasp_id="weather", username="weather", password="cloudy")}
    taken["claims"] = Vasp(short_codes=("4711",))
    async with open_lab(tmp_path, vasp=taken, **with_console()) as lab:
        assert await submits(lab, "weather:cloudy") is mm7.StatusCode.SUCCESS
        told = (await get(lab, "vasps/codes"))[1]
        assert "both claim 4711" in told["aside"]
        assert "codes" not in lab.app.engine.neighbours.vasps
        assert (await get(lab, "routes/4711"))[1]["target"] == "claims"
    async with open_lab(tmp_path, **with_console()) as lab:
        assert await submits(lab, "weather:sunny", "t2") is mm7.StatusCode.SUCCESS
        assert (await get(lab, "routes/4711"))[1]["target"] == "codes"
        assert (await get(lab, "vasps/codes"))[1]["aside"] == ""


async def test_what_is_not_stored_is_not_in_force(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(lab.app.store, "commit", away)
        assert (await put(lab, "vasps/weather", WEATHER))[0] == 503
        assert (await put(lab, "subscribers/+15550000077", {"mms": "on"}))[0] == 503
    assert "weather" not in lab.app.engine.neighbours.vasps
    assert (await get(lab, "vasps/weather"))[0] == 404
    assert (await get(lab, "subscribers/+15550000077"))[0] == 404


async def test_a_reload_of_the_file_keeps_what_people_made(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        file = lab.app.settings
        assert (await put(lab, "vasps/weather", WEATHER))[0] == 201
        assert await reload(lab.app, lambda: file) == "unchanged"
        more = msgspec.structs.replace(
            file, peer={"p": Peer(domain="p.example", host="127.0.0.1", prefixes=("+1888",))}
        )
        assert await reload(lab.app, lambda: more) == "applied"
        assert await submits(lab, "weather:sunny") is mm7.StatusCode.SUCCESS
        assert (await get(lab, "peers/p"))[1]["origin"] == "config"
