"""REST: MMs are submitted, sent over the wire as neighbours do, and shown as they would go out."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mmsc.settings.model import Console
from protocols import mm7
from tests.gateways.rest.test_identities import asked
from tests.scenarios.conftest import OTHER, PHONE, Lab, open_lab

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, console=Console(enabled=True, port=0)) as lab:
        yield lab


async def post(lab: Lab, path: str, body: Any) -> tuple[int, Any]:
    status, content, _ = await asked(lab.app, "POST", f"/api/v1{path}", body, **JSON)
    return status, content


async def test_an_mm_is_submitted_and_delivered(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    picture = {"name": "p.png", "content_type": "image/png", "content_base64": base64.b64encode(b"\x00\xff").decode()}
    body = {"sender": OTHER, "to": [PHONE, "nobody"], "subject": "Hi", "text": "Grüße", "attachments": [picture]}
    status, taken = await post(lab, "/messages", {**body, "run": "ci-1"})
    assert status == 201
    assert taken["message_id"].endswith("@mms.example")
    assert [one["address"] for one in taken["refused"]] == ["nobody"]
    inbox = await phone.until(lambda inbox: bool(inbox.messages))
    message = inbox.messages[0]
    assert (message.conf.subject, message.octets_of(message.parts[1])) == ("Hi", b"\x00\xff")
    row = await lab.app.store.fetch_one("SELECT details FROM mm WHERE id = $1", int(taken["mm_id"]))
    assert row is not None
    assert '"run":"ci-1"' in str(row[0])


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"sender": ""}, 400, "sender"),
        ({"to": []}, 422, "recipient"),
        ({"to": ["nobody"]}, 422, "nobody"),
        ({"priority": "urgent"}, 400, "priority"),
        ({"expiry": "soon"}, 400, "expiry"),
        ({"run": "x" * 200}, 400, "run"),
        ({"attachments": [{"content_base64": "%%"}]}, 400, "attachments"),
        ({"colour": "red"}, 400, "colour"),
        ({"to": "+1"}, 400, "to"),
    ],
)
async def test_what_is_not_taken_is_told(lab: Lab, change: dict[str, Any], status: int, word: str) -> None:
    told, problem = await post(lab, "/messages", {"sender": OTHER, "to": [PHONE], "text": "x", **change})
    assert told == status
    assert word in problem["detail"]
    assert not [event for event in lab.app.bus.recent() if event.kind == "mm.accepted"]


async def test_a_request_is_shown_and_sent(lab: Lab) -> None:
    draft = {"to": [PHONE], "text": "x", "vasp": "news", "vasp_id": "news", "transaction_id": "t-9"}
    status, seen = await post(lab, "/send/mm7/shown", draft)
    assert (status, seen["findings"], seen["refused"]) == (200, [], "")
    assert b"t-9" in base64.b64decode(seen["body_base64"])
    assert seen["curl"].startswith("base64 -d")
    status, answer = await post(lab, "/send/mm7", draft)
    assert (status, answer["ok"], answer["status"]) == (200, True, "1000 Success")
    assert await lab.app.store.fetch_one("SELECT 1 FROM mm WHERE id = $1", int(answer["mm_id"])) is not None
    soap = base64.b64decode(answer["answer_base64"])
    assert isinstance(mm7.decode("text/xml", soap).message.message, mm7.SubmitRsp)
    assert (await post(lab, "/send/pigeon", draft))[0] == 404
    status, problem = await post(lab, "/send/mm1", {**draft, "url": "http://192.0.2.1/"})
    assert status == 400
    assert "192.0.2.1" in problem["detail"]
