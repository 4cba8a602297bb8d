"""Runs in the console: two beside each other, messages of another one, messages that are there no longer."""

import html

import aiohttp
import pytest

from mmsc.control import comparing
from mmsc.control.traffic import Traffic
from mmsc.engine.acting import Action
from mmsc.lab.handset import Fetching
from mmsc.trace.events import MmDeleted
from protocols import mm7
from tests.scenarios.conftest import LATEST, OTHER, PHONE, Lab

HTML = {"Accept": "text/html"}


async def page(lab: Lab, path: str, status: int = 200) -> str:
    """A page's text, its entities resolved."""
    host, port = lab.app.listeners["console"]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{host}:{port}{path}", headers=HTML, allow_redirects=False) as response,
    ):
        text = await response.text()
        assert response.status == status, text
        return html.unescape(text)


async def submit(lab: Lab, run: str, subject: str, to: str = PHONE) -> str:
    """The id of an MM of a run."""
    assert LATEST is not None
    request = mm7.SubmitReq(vasp_id="news", to=(mm7.Address(to),), subject=subject)
    content_type, body = mm7.encode(mm7.Envelope(f"{run}-{subject}-{to}", LATEST, request))
    await lab.vasp.post(content_type, body, **({"X-MMSC-Run": run} if run else {}))
    found = await lab.app.control.messages.find(limit=1)
    return found.rows[0].mm_id


async def reached(lab: Lab, mm_id: str, kind: str) -> None:
    """Wait until this happened to it."""
    with lab.app.bus.watch() as watcher:
        while not any(one.kind == kind for one in await lab.app.control.messages.events(int(mm_id))):
            await anext(watcher)


async def test_two_runs_stand_beside_each_other(lab: Lab) -> None:
    """The n-th message of a subject beside the n-th of the same; what differs is named, and leads to the ladders."""
    phone = await lab.phone(PHONE)
    pairs = [(await submit(lab, run, "warning"), await submit(lab, run, "again")) for run in ("left", "right")]
    extra = await submit(lab, "right", "extra")
    for one in (*pairs[0], *pairs[1], extra):
        await reached(lab, one, "mm.fetched")
    phone.fetching = Fetching.NEVER
    slow = [await submit(lab, run, "to another", to) for run, to in (("left", OTHER), ("right", PHONE))]
    for one in slow:
        await reached(lab, one, "notification.pushed")
    text = await page(lab, "/compare?run=left&with=right")
    rows = text.split("<tbody>")[1].split("<tr")[1:]
    assert [row.count("/m/") >= 2 for row in rows] == [True, True, True, False]
    assert ["differs" in row.partition(">")[0] for row in rows[:2]] == [False, False]
    assert "only right" in rows[3]
    assert f"/m/{extra}" in rows[3]
    assert f"/m/{pairs[0][0]}" in rows[0]
    assert f"/m/{pairs[1][0]}" in rows[0]
    swapped = await page(lab, "/compare?run=right&with=left")
    assert "only left" in swapped
    assert f"/m/{pairs[0][0]}/compare?with=" not in text  # alike: nothing to look into
    assert "Neither run has a message here" in await page(lab, "/compare?run=a&with=b")
    assert "Give the tags of two runs" in await page(lab, "/compare")


async def test_few_ladders_are_read_for_one_page(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ladder costs its octets; two runs have up to four hundred."""
    monkeypatch.setattr(comparing, "MOST_LADDERS", 1)
    monkeypatch.setattr(comparing, "MOST", 2)
    for run in ("left", "right"):
        for subject in ("first", "second", "third")[: 3 if run == "left" else 2]:
            await reached(lab, await submit(lab, run, subject), "notification.pushed")
    read = 0
    traffic = lab.app.control.traffic.of

    async def counted(mm_id: int) -> Traffic:
        nonlocal read
        read += 1
        return await traffic(mm_id)

    monkeypatch.setattr(lab.app.control.traffic, "of", counted)
    found = await comparing.compared(lab.app.control, "left", "right")
    assert (found.unread, found.longer, read) == (0, ("left",), 2)
    monkeypatch.setattr(comparing, "MOST", 3)
    text = await page(lab, "/compare?run=left&with=right")
    assert "Of 1 more pair only the states were compared" in text
    assert read == 4


async def test_a_ladder_that_differs_is_named(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    first = await submit(lab, "left", "warning")
    await reached(lab, first, "mm.fetched")
    phone.fetching = Fetching.NEVER
    second = await submit(lab, "right", "warning")
    await reached(lab, second, "notification.pushed")
    text = await page(lab, "/compare?run=left&with=right")
    assert "GET: only left" in text
    assert "m-retrieve-conf: only left" in text
    assert f"/m/{first}/compare?with={second}" in text


async def test_a_message_of_another_run_says_so(lab: Lab) -> None:
    ours, bare = await submit(lab, "ci-1", "ours"), await submit(lab, "", "nobody's")
    assert "ours" in await page(lab, f"/m/{ours}?run=ci-1")
    assert f"Message {ours} is of another run: ci-1." in await page(lab, f"/m/{ours}?run=ci-2", 404)
    assert f"Message {bare} is of no run." in await page(lab, f"/m/{bare}?run=ci-2", 404)
    found = await page(lab, f"/messages?q={ours}&run=ci-2")
    assert f"Message {ours} is of another run: ci-1" in found
    assert f'href="/m/{ours}"' in found
    assert "is of another run" not in await page(lab, "/messages?q=nothing&run=ci-2")


async def test_what_retention_removed_has_a_page_that_says_when(lab: Lab) -> None:
    mm_id = await submit(lab, "", "old")
    await reached(lab, mm_id, "notification.pushed")
    await lab.app.control.acting.act(Action.EXPIRE, int(mm_id), "test")
    lab.app.clock.step(400 * 86_400)
    later = await submit(lab, "", "later")
    await lab.app.engine.housekeeper.round()
    assert f"Message {mm_id} is not there: older than every message that is kept" in await page(lab, f"/m/{mm_id}", 404)
    assert "later" in await page(lab, f"/m/{later}")
    end = MmDeleted("m1@mms.example", "mm7", "", 100)  # where charging is on, its end is an event
    await lab.app.store.commit(lab.app.engine.chronicle.note(end, mm_id=int(mm_id)))
    for place in ("", "/recipients", "/events", "/findings", "/content", "/compare"):
        text = await page(lab, f"/m/{mm_id}{place}", 410)
        assert "<h1>It was here once</h1>" in text
        assert f"Message {mm_id} was removed by retention at 20" in text
        assert 'href="/"' in text
        assert "Message 7 " in await page(lab, f"/m/7{place}", 404)
    host, port = lab.app.listeners["console"]
    root = f"http://{host}:{port}/api/v1/messages"
    async with aiohttp.ClientSession() as session:
        for path, status in ((f"/{mm_id}", 410), (f"/{mm_id}/pdus", 410), (f"/{mm_id}/ladder", 410), ("/8/pdus", 404)):
            async with session.get(root + path) as response:
                assert response.status == status, path


async def test_captures_of_a_run_go_with_it(lab: Lab) -> None:
    ours, others = await submit(lab, "ci-1", "ours"), await submit(lab, "ci-2", "others")
    for one in (ours, others):
        await reached(lab, one, "notification.pushed")
    rings = lab.app.captures
    assert rings is not None
    kept = len(rings.of_mm(int(others)))
    assert len(rings.of_mm(int(ours))) == kept > 2
    done = await lab.app.control.resetting.of_run("ci-1")
    assert done.messages == 1
    assert rings.of_mm(int(ours)) == []
    assert len(rings.of_mm(int(others))) == kept
    assert ours not in {str(one.mm_id) for one in rings.latest(1000)}
