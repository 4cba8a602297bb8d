"""REST: run tags, what became of a run, and what the server is."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from mmsc.app import App
from mmsc.domain.runs import RUN
from mmsc.store import messages
from protocols import mm7
from protocols.smpp import CommandStatus
from tests.gateways.rest.test_identities import asked, with_console
from tests.scenarios.conftest import CREDENTIALS, LATEST, OTHER, PHONE, Lab, open_lab


async def submit(lab: Lab, number: int, run: str, to: str = PHONE) -> None:
    assert LATEST is not None
    request = mm7.SubmitReq(vasp_id="news", to=(mm7.Address(to),), subject="s")
    content_type, body = mm7.encode(mm7.Envelope(f"t{number}", LATEST, request))
    _, answer = await lab.vasp.post(content_type, body, **({"X-MMSC-Run": run} if run else {}))
    assert isinstance(answer, mm7.SubmitRsp)


async def get(app: App, place: str) -> tuple[int, Any]:
    status, told, _ = await asked(app, "GET", f"/api/v1/{place}")
    return status, told


async def test_runs_are_listed_by_name_with_what_became_of_them(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        assert (await get(lab.app, "runs"))[1] == {"runs": [], "next": ""}
        for number, run in enumerate(["ci-2", "ci-1", "", "ci-1", "ci-3"]):
            await submit(lab, number, run)
        told = (await get(lab.app, "runs?limit=2"))[1]
        assert [(one["name"], one["messages"], one["open"]) for one in told["runs"]] == [("ci-1", 2, 2), ("ci-2", 1, 1)]
        told = (await get(lab.app, f"runs?after={told['next']}"))[1]
        assert ([one["name"] for one in told["runs"]], told["next"]) == (["ci-3"], "")
        assert told["runs"][0]["all_counted"] is True


async def reported(app: App, run: str, verdict: str) -> Any:
    """The report, once it has this verdict."""
    async with asyncio.timeout(20):
        while (told := (await get(app, f"runs/{run}"))[1])["verdict"] != verdict:
            turn = asyncio.Event()
            asyncio.get_running_loop().call_later(0.01, turn.set)
            await turn.wait()
    return told


async def test_the_report_of_a_run_says_who_got_nothing_and_what_was_found(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        lab.smsc.behaviour.numbers[OTHER.lstrip("+")] = CommandStatus.ESME_RINVDSTADR
        await submit(lab, 1, "ci-1")
        await submit(lab, 2, "ci-2", OTHER)
        assert (await get(lab.app, "runs/ci-1"))[1]["verdict"] == "open"
        told = await reported(lab.app, "ci-2", "failed")
        assert (told["run"]["messages"], told["run"]["open"], told["run"]["failed"]) == (1, 0, 1)
        [failure] = told["failures"]
        assert (failure["recipient"], failure["state"]) == (OTHER, "unreachable")
        assert told["findings"] == []
        assert (await get(lab.app, "runs/nobody"))[0] == 404
        assert (await get(lab.app, "runs/a%20b"))[0] == 404


async def test_findings_are_counted_by_run(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        assert LATEST is not None
        request = mm7.SubmitReq(vasp_id="news", to=(mm7.Address(PHONE),), subject="s")
        content_type, body = mm7.encode(mm7.Envelope("t", LATEST, request))
        sent = {**CREDENTIALS, "Content-Type": content_type, "X-MMSC-Run": "ci-1"}  # and no SOAPAction
        async with lab.vasp.session.post(lab.vasp.url, data=body, headers=sent) as answer:
            assert answer.status == 200
        [finding] = (await get(lab.app, "runs/ci-1"))[1]["findings"]
        assert (finding["client"], finding["count"]) == ("vasp:news", 1)
        assert finding["rule"].startswith("MM7-")


async def test_the_text_of_a_report_fits_a_ticket(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        await submit(lab, 1, "ci-1")
        host, port = lab.app.listeners["console"]
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{host}:{port}/api/v1/runs/ci-1/report.txt") as answer,
        ):
            text = await answer.text()
            assert answer.content_type == "text/plain"
        lines = text.splitlines()
        assert lines[0] == "Run ci-1: open"
        assert lines[1].startswith("Messages    1, submitted ")
        assert max(map(len, lines)) <= 100


async def test_the_server_says_what_it_is(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        status, told = await get(lab.app, "server")
        assert (status, told["store"], told["shared_store"], told["domain"]) == (200, "sqlite", False, "mms.example")
        places = {one["name"]: one["place"] for one in told["interfaces"] if one["place"]}
        assert places == {name: place for name, place in lab.app.control.places().items() if name in places}
        assert {"mm1", "mm7", "console"} <= set(places)
        assert told["limits"]["maximum_recipients"] == lab.app.settings.limits.maximum_recipients
        assert told["clock_paused"] is False
        lab.app.clock.pause()
        assert (await get(lab.app, "server"))[1]["clock_paused"] is True
        status, told = await get(lab.app, "capabilities")
        assert (status, told["enabled"]["mm7"], told["enabled"]["token"]) == (200, True, False)


def test_the_tag_is_kept_where_the_search_looks_for_it() -> None:
    assert messages.RUN == RUN
