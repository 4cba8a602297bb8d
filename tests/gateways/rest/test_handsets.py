"""REST: the phones of the lab, over real sockets."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mmsc.lab.media import picture
from tests.console.phone_lab import PhoneLab, phone_lab, storm
from tests.gateways.rest.test_identities import asked, with_console
from tests.scenarios.conftest import OTHER, PHONE, open_lab

PLACE = "/api/v1/handsets"
MINE, THEIRS = f"{PLACE}/{PHONE.lstrip('+')}", f"{PLACE}/{OTHER.lstrip('+')}"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[PhoneLab]:
    async with phone_lab(tmp_path) as made:
        yield made


async def got(made: PhoneLab, method: str, path: str, status: int, body: Any = None) -> Any:
    found, told, _ = await asked(made.lab.app, method, path, body)
    assert found == status, told
    return told


async def arrived(made: PhoneLab, path: str) -> Any:
    """What a wait ended with."""
    ended = await got(made, "GET", path, 200)
    assert ended["reached"]
    return ended["item"]


async def test_the_list_and_one(made: PhoneLab) -> None:
    listed = await got(made, "GET", PLACE, 200)
    assert [one["number"] for one in listed["handsets"]][:2] == [PHONE, OTHER]
    one = await got(made, "GET", MINE, 200)
    assert (one["behaviour"]["on_notification"], one["no_coverage_since"]) == ("immediate", None)
    await got(made, "GET", f"{PLACE}/15550999999", 404)
    added = await got(made, "POST", PLACE, 201, {"number": "+15550999999"})
    assert added["number"] == "+15550999999"
    await got(made, "POST", PLACE, 400, {"number": "five"})


async def test_write_wait_answer_and_read(made: PhoneLab) -> None:
    files = [{"name": "lake.jpg", "data": base64.b64encode(picture()).decode()}]
    written = {"to": [OTHER], "subject": "The lake", "texts": ["Evening"], "files": files, "read_report": True}
    waiting = asyncio.create_task(got(made, "GET", f"{THEIRS}/wait?contains=lake&timeout=20&state=here", 200))
    sent = await got(made, "POST", f"{MINE}/send", 201, written)
    assert (sent["kind"], sent["state"]) == ("sent", "sent")
    came = (await waiting)["item"]
    assert [part["content_type"].partition(";")[0] for part in came["parts"]] == [
        "application/smil",
        "image/jpeg",
        "text/plain",
    ]
    place = f"{THEIRS}/inbox/{came['number']}"
    async with made.lab.vasp.session.get(f"{made.url}{place}/parts/1") as response:
        assert (response.status, await response.read()) == (200, picture())
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    await got(made, "GET", f"{place}/parts/9", 404)
    await got(made, "POST", f"{place}/read", 200, {})
    report = await arrived(made, f"{MINE}/wait?kind=read_report&timeout=20")
    assert (report["text"], report["subject"]) == ("Read", "The lake")
    reply = await got(made, "POST", f"{place}/reply", 201, {"text": "What a boat"})
    assert reply["subject"] == "Re: The lake"
    back = await arrived(made, f"{MINE}/wait?who=%2B1555&contains=Re:&timeout=20")
    assert back["who"] == OTHER
    lines = (await got(made, "GET", f"{THEIRS}/lines", 200))["lines"]
    assert {"m-notification-ind", "m-retrieve-conf", "m-send-req", "m-send-conf"} <= {one["name"] for one in lines}
    assert len((await got(made, "GET", f"{THEIRS}/inbox?kind=message", 200))["items"]) == 1
    await got(made, "DELETE", place, 204)
    await got(made, "GET", place, 404)
    await got(made, "DELETE", f"{THEIRS}/inbox", 204)
    assert (await got(made, "GET", f"{THEIRS}/inbox", 200))["items"] == []


async def test_behaviour_fetch_reject_and_forward(made: PhoneLab) -> None:
    changed = await got(made, "PUT", f"{MINE}/behaviour", 200, {"on_notification": "deferred"})
    assert changed["does"] == "defers, MMS 1.2"
    for subject in ("one", "two", "three"):
        await made.lab.vasp.submit(PHONE, content=storm(), subject=subject)
    places = []
    for subject in ("one", "two", "three"):
        came = await arrived(made, f"{MINE}/wait?contains={subject}&state=deferred&timeout=20")
        places.append(f"{MINE}/inbox/{came['number']}")
    assert (await got(made, "POST", f"{places[0]}/fetch", 200))["state"] == "here"
    await got(made, "POST", f"{places[0]}/fetch", 409)
    assert (await got(made, "POST", f"{places[1]}/reject", 200))["state"] == "rejected"
    await got(made, "POST", f"{places[1]}/forward", 409, {"to": [OTHER], "with_content": True})
    passed = await got(made, "POST", f"{places[2]}/forward", 200, {"to": [OTHER]})
    assert passed["state"] == "forwarded"
    await arrived(made, f"{THEIRS}/wait?contains=three&state=here&timeout=20")
    sent = await got(made, "POST", f"{places[0]}/forward", 201, {"to": [OTHER], "with_content": True})
    assert sent["subject"] == "Fw: one"


async def test_coverage(made: PhoneLab) -> None:
    away = await got(made, "PUT", f"{MINE}/coverage", 200, {"on": False})
    assert away["no_coverage_since"]
    await made.lab.vasp.submit(PHONE, content=storm(), subject="Storm")
    nothing = await got(made, "GET", f"{MINE}/wait?timeout=0", 200)
    assert nothing == {"reached": False, "item": None}
    await got(made, "PUT", f"{MINE}/coverage", 200, {"on": True})
    await arrived(made, f"{MINE}/wait?timeout=20&state=here")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"{MINE}/behaviour", {"profile": "brand"}, 400),
        ("PUT", f"{MINE}/behaviour", {"on_notification": "forward"}, 400),
        ("PUT", f"{MINE}/behaviour", {"speed": 1}, 400),
        ("PUT", f"{MINE}/behaviour", {"user_agent": "a\r\nX: y"}, 400),
        ("POST", f"{MINE}/send", {}, 400),
        ("POST", f"{MINE}/send", {"to": ["+1555\n0"], "texts": ["x"]}, 409),
        ("POST", f"{MINE}/send", {"to": [OTHER], "files": [{"name": "x", "data": "?"}]}, 400),
        ("GET", f"{MINE}/inbox/1", None, 404),
        ("POST", f"{MINE}/inbox/x/fetch", None, 404),
        ("GET", f"{MINE}/wait?timeout=301", None, 400),
    ],
)
async def test_what_cannot_be_is_said(made: PhoneLab, method: str, path: str, body: Any, status: int) -> None:
    told = await got(made, method, path, status, body)
    assert told["detail"]


async def test_without_phones_it_says_what_they_need(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        status, told, _ = await asked(lab.app, "GET", PLACE)
        assert (status, "builtin_smsc" in told["detail"]) == (404, True)
