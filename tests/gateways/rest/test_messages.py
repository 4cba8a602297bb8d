"""REST: messages, their recipients and events, actions, long polls, findings and reset, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mmsc.gateways.rest.waits import ENDPOINTS as WAITS
from protocols import mm7
from tests.gateways.rest.test_identities import asked, with_console
from tests.scenarios.conftest import LATEST, OTHER, PHONE, Lab, open_lab

ROOT = "/api/v1"
GONE = "never seen, or removed by a reset or by retention"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, **with_console()) as opened:
        yield opened


async def get(lab: Lab, path: str) -> tuple[int, Any]:
    status, told, _ = await asked(lab.app, "GET", f"{ROOT}{path}")
    return status, told


async def post(lab: Lab, path: str, body: Any) -> tuple[int, Any]:
    status, told, _ = await asked(lab.app, "POST", f"{ROOT}{path}", body)
    return status, told


async def submitted(lab: Lab, *to: str, **fields: Any) -> str:
    """A message from the VASP that waits for its handset; its number."""
    await lab.vasp.submit(*to, subject="Storm warning", **fields)
    _, page = await get(lab, "/messages?limit=1")
    mm_id = page["rows"][0]["mm_id"]
    _, waited = await get(lab, f"/messages/{mm_id}/wait?event=notification.pushed&timeout=20")
    assert waited["reached"]
    return str(mm_id)


async def test_the_list_and_one_message(lab: Lab) -> None:
    mm_id = await submitted(lab, PHONE, delivery_report=True)
    status, page = await get(lab, "/messages?q=storm+to:%2B1555")
    assert (status, page["more"], page["stopped"]) == (200, None, False)
    (row,) = page["rows"]
    assert (row["mm_id"], row["subject"], row["origin"]) == (mm_id, "Storm warning", "mm7")
    assert row["at_service"].endswith("Z")
    assert set(row["states"]) <= {"accepted", "notified"}
    status, detail = await get(lab, f"/messages/{mm_id}")
    assert status == 200
    assert detail["reason"]
    (recipient,) = detail["recipients"]
    assert recipient["address"] == PHONE
    assert recipient["report"]["status"] == "waiting"
    assert recipient["can"] == ["retry", "expire", "cancel"]
    assert (await get(lab, f"/messages/{mm_id}/recipients"))[1]["rows"] == [recipient]
    _, events = await get(lab, f"/messages/{mm_id}/events?limit=2")
    assert len(events["events"]) == 2
    _, rest = await get(lab, f"/messages/{mm_id}/events?after={events['more']}")
    kinds = [one["kind"] for one in events["events"] + rest["events"]]
    assert {"mm.accepted", "route.chosen", "notification.pushed"} <= set(kinds)


async def test_pages_of_the_list_go_on_with_more(lab: Lab) -> None:
    ids = [await submitted(lab, PHONE) for _ in range(3)]
    _, first = await get(lab, "/messages?limit=2")
    _, second = await get(lab, f"/messages?limit=2&before={first['more']}")
    assert [row["mm_id"] for row in first["rows"] + second["rows"]] == ids[::-1]
    assert second["more"] is None


async def test_actions_and_waiting_for_what_they_bring(lab: Lab) -> None:
    mm_id = await submitted(lab, PHONE, delivery_report=True)
    waiting = asyncio.create_task(get(lab, f"/messages/{mm_id}/wait?state=expired,retrieved&timeout=20"))
    status, outcome = await post(lab, f"/messages/{mm_id}/actions", {"action": "expire"})
    assert (status, outcome["done"], outcome["not_done"]) == (200, 1, [])
    status, waited = await waiting
    assert (status, waited["reached"]) == (200, True)
    assert waited["message"]["states"] == {"expired": 1}
    _, reported = await get(lab, f"/messages/{mm_id}/wait?event=report.delivered&timeout=20")
    assert reported["reached"]
    _, again = await post(lab, "/messages/actions", {"action": "cancel", "ids": [mm_id, "12"]})
    assert (again["done"], again["unknown"]) == (0, ["12"])
    assert again["not_done"][0]["because"] == "expired already"
    _, over = await get(lab, f"/messages/{mm_id}/wait?state=retrieved&timeout=0")
    assert not over["reached"]


async def test_a_message_that_is_not_there_yet_is_waited_for(lab: Lab) -> None:
    first = await submitted(lab, PHONE)
    waiting = asyncio.create_task(get(lab, f"/messages/wait?q=to:%2B15550100124&after={first}&timeout=20"))
    second = await submitted(lab, OTHER)
    status, waited = await waiting
    assert (status, waited["reached"], waited["message"]["mm_id"]) == (200, True, second)
    assert (await get(lab, "/messages/wait?q=to:nobody&timeout=0"))[1] == {"reached": False, "message": None}


async def test_findings_are_told_with_their_octets(lab: Lab) -> None:
    assert LATEST is not None
    request = mm7.SubmitReq(vasp_id="news", to=(mm7.Address(PHONE),), earliest_delivery_time="PT1H")
    content_type, body = mm7.encode(mm7.Envelope("odd-1", LATEST, request))
    wrong = body.replace(b"EarliestDeliveryTime", b"EarlistDeliveryTime")
    assert wrong != body
    status, _ = await lab.vasp.post(content_type, wrong)
    assert status == 200
    _, page = await get(lab, "/findings")
    (row,) = [one for one in page["rows"] if one["rule"] == "MM7-R012"]
    assert (row["client"], row["count"]) == ("news", 1)
    assert page["captured"] > 0
    _, rule = await get(lab, "/findings/mm7-r012?client=news")
    assert rule["explained"]["bad"] == "<EarlistDeliveryTime>PT1H</EarlistDeliveryTime>"
    (sample,) = rule["samples"]
    marked = "".join(one["text"] for line in sample["lines"] for one in line["octets"] if one["marked"])
    assert "EarlistDeliveryTime" in marked
    assert sample["pdu"] == "1"
    assert "-" in sample["octets"]
    assert "^^" in rule["for_the_partner"]
    assert "EarlistDelivery" in rule["for_the_partner"]
    assert (await get(lab, "/messages?q=finding:MM7-R012&limit=1"))[1]["rows"][0]["marks"]["finding"] >= 1


async def test_reset_leaves_nothing(lab: Lab) -> None:
    mm_id = await submitted(lab, PHONE)
    assert lab.app.captures is not None
    assert lab.app.captures.records > 0
    status, done = await post(lab, "/reset", {})
    assert (status, done) == (200, {"messages": 1, "boxed": 0})
    assert (await get(lab, "/messages"))[1]["rows"] == []
    status, problem = await get(lab, f"/messages/{mm_id}")
    assert (status, problem["detail"]) == (404, f"message {mm_id} is not here: {GONE}")
    assert lab.app.captures.records == 0
    again = await submitted(lab, PHONE)
    assert int(again) > int(mm_id)
    assert (await post(lab, "/reset", {"run": "nobody's"}))[1] == {"messages": 0, "boxed": 0}
    assert (await get(lab, f"/messages/{again}"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("GET", "/messages?q=stat:x", None, 400, "q, at character 0: No field 'stat'. Did you mean state?"),
        ("GET", "/messages?limit=0", None, 400, ""),
        ("GET", "/messages?before=-1", None, 400, ""),
        ("GET", "/messages?before=9223372036854775808", None, 400, ""),
        ("GET", "/messages?x=1", None, 400, ""),
        ("GET", "/messages/7", None, 404, f"message 7 is not here: {GONE}"),
        ("GET", "/messages/99999999999999999999", None, 404, ""),
        ("GET", "/messages/7/events", None, 404, ""),
        ("GET", "/messages/7/recipients", None, 404, ""),
        ("GET", "/messages/7/wait?state=retrieved", None, 404, ""),
        ("GET", "/messages/7/wait?state=gone", None, 400, "state: 'gone' is none of"),
        ("GET", "/messages/7/wait?event=gone", None, 400, ""),
        ("GET", "/messages/wait?timeout=1e9", None, 400, ""),
        ("POST", "/messages/7/actions", {"action": "retry"}, 404, ""),
        ("POST", "/messages/7/actions", {"action": "explode"}, 400, ""),
        ("POST", "/messages/actions", {"action": "retry", "ids": ["x"]}, 400, ""),
        ("POST", "/messages/actions", {"action": "retry", "ids": ["1"] * 1001}, 400, ""),
        ("GET", "/findings/MM9-R000", None, 404, ""),
        ("POST", "/reset", {"everything": True}, 400, ""),
    ],
)
async def test_bad_requests_are_told_why(lab: Lab, method: str, path: str, body: Any, status: int, told: str) -> None:
    got, problem, _ = await asked(lab.app, method, f"{ROOT}{path}", body)
    assert got == status, problem
    assert told in problem["detail"]


async def test_too_many_who_wait_are_told_to_come_later(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    mm_id = await submitted(lab, PHONE)
    waiting = lab.app.control.waiting
    monkeypatch.setattr(waiting, "_most", 0)
    status, _, headers = await asked(lab.app, "GET", f"{ROOT}/messages/{mm_id}/wait?state=retrieved")
    assert (status, headers["Retry-After"]) == (429, "5")  # type: ignore[index]
    assert (await get(lab, "/messages/wait"))[0] == 429
    assert all(429 in one.problems for one in WAITS)
