"""REST: subscribers are made, changed and deleted while the server runs; pages of them are pages."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mmsc.control import subscribers
from mmsc.domain.address import Address
from mmsc.domain.neighbours import MmsFlag, Subscriber
from mmsc.settings.model import NumberSettings
from mmsc.settings.neighbours import Subscriber as Table
from tests.gateways.rest.test_identities import asked, with_console
from tests.gateways.rest.test_setup import delete, get, put
from tests.scenarios.conftest import PHONE, Lab, open_lab

NEW = "+15550000042"
PLACE = f"subscribers/{NEW}"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    numbers = NumberSettings(own_prefixes=("+1555",), unknown_subscribers_served=False)
    async with open_lab(tmp_path, numbers=numbers, **with_console()) as opened:
        yield opened


async def route(lab: Lab, number: str) -> str:
    return str((await get(lab, f"routes/{number}"))[1]["route"])


async def test_a_subscriber_that_is_made_is_served_at_once_and_after_a_restart(tmp_path: Path) -> None:
    numbers = NumberSettings(own_prefixes=("+1555",), unknown_subscribers_served=False)
    async with open_lab(tmp_path, numbers=numbers, **with_console()) as lab:
        assert await route(lab, NEW) == "none"
        status, told = await put(lab, PLACE, {"mms": "on", "ip": "10.9.0.7", "run": "ci-1"})
        assert (status, told["origin"], told["number"], told["ip"]) == (201, "console", NEW, "10.9.0.7")
        assert await route(lab, NEW) == "subscriber"
    async with open_lab(tmp_path, numbers=numbers, **with_console()) as lab:
        known = lab.app.engine.neighbours
        found = known.subscriber_at("10.9.0.7")
        assert found is not None
        assert found.address.value == NEW
        assert known.run_of(found.address) == "ci-1"
        assert (await put(lab, PLACE, {"mms": "off"}))[0] == 200
        assert (known.subscriber_at("10.9.0.7"), known.run_of(found.address)) == (None, "")
        assert (await delete(lab, PLACE))[0] == 204
        assert await route(lab, NEW) == "none"
        assert (await delete(lab, PLACE))[0] == 404
        assert (await get(lab, PLACE))[0] == 404


async def test_what_its_handset_showed_stays_known(lab: Lab) -> None:
    known = lab.app.engine.neighbours
    assert (await put(lab, PLACE, {"mms": "on"}))[0] == 201
    seen = Subscriber(address=Address.of(NEW), user_agent="Phone/1", seen_at=lab.app.clock.real_now())
    await known.learn(seen)
    assert (await put(lab, PLACE, {"mms": "off"}))[1]["user_agent"] == "Phone/1"
    assert known.subscriber(seen.address).mms is MmsFlag.OFF
    assert (await delete(lab, PLACE))[0] == 204
    told = (await get(lab, PLACE))[1]
    assert (told["origin"], told["user_agent"], told["mms"]) == ("learned", "Phone/1", "unknown")
    assert [one["number"] for one in (await get(lab, "subscribers?q=15550000042"))[1]["subscribers"]] == [NEW]


@pytest.mark.parametrize(
    ("number", "body", "status", "field"),
    [
        (NEW, {"mms": "maybe"}, 400, "mms"),
        (NEW, {"smsc": "nobody"}, 400, "smsc"),
        (NEW, {"ip": "10.0.0.999"}, 400, "ip"),
        (NEW, {"nms": "on"}, 400, "nms"),
        (NEW, {"run": "x" * 65}, 400, "run"),
        ("nobody", {}, 400, ""),
        ("user@mail.example", {}, 400, ""),
        (PHONE, {"mms": "off"}, 409, ""),
    ],
)
async def test_what_is_wrong_is_told(lab: Lab, number: str, body: dict[str, Any], status: int, field: str) -> None:
    before = (await get(lab, f"subscribers/{NEW}"))[0]
    got, told = await put(lab, f"subscribers/{number}", body)
    assert got == status, told
    assert [one["field"] for one in told.get("errors", ())] == ([field] if field else [])
    assert (await get(lab, f"subscribers/{NEW}"))[0] == before == 404


async def test_an_address_is_one_subscribers(lab: Lab) -> None:
    assert (await put(lab, PLACE, {"ip": "10.9.0.0/24"}))[0] == 201
    status, told = await put(lab, "subscribers/+15550000043", {"ip": "10.9.0.0/24"})
    assert (status, told["errors"]) == (400, [{"field": "ip", "detail": f"10.9.0.0/24 is {NEW}'s"}])
    assert (await put(lab, "subscribers/+15550000043", {"ip": "10.9.0.1"}))[0] == 201
    assert (await put(lab, PLACE, {"ip": "10.9.0.0/24", "mms": "on"}))[0] == 200


async def test_pages_are_found_by_how_a_number_begins(lab: Lab) -> None:
    made = [f"+1666000000{digit}" for digit in range(5)]
    for number in made:
        assert (await put(lab, f"subscribers/{number}", {}))[0] == 201
    told = (await get(lab, "subscribers?q=%2B1666&limit=2"))[1]
    assert ([one["number"] for one in told["subscribers"]], told["next"]) == (made[:2], made[1])
    told = (await get(lab, f"subscribers?q=1666&limit=9&after=%2B{made[1][1:]}"))[1]
    assert ([one["number"] for one in told["subscribers"]], told["next"]) == (made[2:], "")
    assert told["count"] == lab.app.engine.neighbours.subscriber_count
    everything = (await get(lab, "subscribers?limit=1000"))[1]["subscribers"]
    numbers = [one["number"] for one in everything]
    assert numbers == sorted(numbers)
    assert {one["origin"] for one in everything if one["number"] in made} == {"console"}
    assert next(one for one in everything if one["number"] == PHONE)["origin"] == "config"


async def test_there_is_a_limit(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribers, "MAXIMUM_SUBSCRIBERS", lab.app.engine.neighbours.subscriber_count + 1)
    assert (await put(lab, PLACE, {}))[0] == 201
    status, told = await put(lab, "subscribers/+15550000043", {})
    assert (status, "are known" in told["detail"]) == (409, True)
    assert (await put(lab, PLACE, {"mms": "on"}))[0] == 200


async def test_a_file_that_names_a_number_comes_first(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        assert (await put(lab, PLACE, {"mms": "on"}))[0] == 201
    async with open_lab(tmp_path, subscriber={NEW: Table(mms="off")}, **with_console()) as lab:
        told = (await get(lab, PLACE))[1]
        assert (told["origin"], told["mms"]) == ("config", "off")
        status, _, _ = await asked(lab.app, "DELETE", f"/api/v1/{PLACE}")
        assert status == 409
