"""Forms without scripts: what did something leads on with 303, so that a reload shows it again and does it no more."""

import re
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from mmsc.console.said import MAXIMUM, MAXIMUM_OCTETS, Said
from mmsc.lab.handset_behaviour import behaviours_of
from mmsc.trace import events as trace
from tests.console.captures_world import console_lab, one_story
from tests.scenarios.conftest import PHONE, Lab


async def posted(browser: aiohttp.ClientSession, place: str, fields: Mapping[str, str]) -> tuple[str, str]:
    """Where a form leads, and what that page says; twice the same."""
    async with browser.post(place, data=fields, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        there = answer.headers["Location"]
    shown = []
    for _ in range(2):
        async with browser.get(there) as answer:
            assert answer.status == 200
            shown.append(await answer.text())
    return there, shown[-1]


async def acted(lab: Lab) -> int:
    row = await lab.app.store.fetch_one("SELECT count(*) FROM event WHERE kind = $1", trace.OperatorActed.kind)
    assert row is not None
    return int(str(row[0]))


async def test_actions_of_lists_are_not_done_again(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url), aiohttp.ClientSession(url) as browser:
        await lab.phone(PHONE, behaviours=behaviours_of("never"))
        await lab.vasp.submit(PHONE)
        row = await lab.app.store.fetch_one("SELECT id FROM mm")
        assert row is not None
        mm_id = str(row[0])
        there, page = await posted(browser, f"/messages?q={mm_id}", {"action": "retry", "mm": mm_id})
        assert there.startswith(f"/messages?q={mm_id}&said=")
        assert "retry" in page.lower()
        once = await acted(lab)
        there, page = await posted(browser, f"/m/{mm_id}/recipients", {"action": "cancel"})
        assert there.startswith(f"/m/{mm_id}/recipients?said=")
        assert await acted(lab) == once + 1
        async with browser.get(f"/m/{mm_id}/recipients?said=guessed") as answer:
            assert answer.status == 200


async def test_what_was_sent_is_not_sent_again(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url), aiohttp.ClientSession(url) as browser:
        mm_id = await one_story(lab)
        there, page = await posted(browser, "/send/rest", {"sender": "4488", "to": PHONE, "text": "Hello once"})
        assert there.startswith("/send/rest?said=")
        assert "Hello once" in page
        assert await lab.app.store.fetch_one("SELECT count(*) FROM mm") == (2,)
        assert lab.app.captures is not None
        submit = next(one for one in lab.app.captures.of_mm(mm_id) if one.octets.startswith(b"POST /mm7"))
        before = lab.app.captures.records
        there, page = await posted(browser, f"/captures/{submit.exchange}/replay", {"form": "same", "correct": "1"})
        assert "What came back" in page
        once = lab.app.captures.records
        assert once > before
        async with browser.get(there) as answer:
            assert "What came back" in await answer.text()
        assert lab.app.captures.records == once


async def test_a_secret_that_was_replayed_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []
    keep = Said.keep

    def watched(said: Said, key: str, outcome: object, octets: int) -> None:
        kept.append(outcome)
        keep(said, key, outcome, octets)

    monkeypatch.setattr(Said, "keep", watched)
    async with console_lab(tmp_path) as (lab, url), aiohttp.ClientSession(url) as browser:
        mm_id = await one_story(lab)
        assert lab.app.captures is not None
        submit = next(one for one in lab.app.captures.of_mm(mm_id) if one.octets.startswith(b"POST /mm7"))
        fields = {"form": "same", "correct": "1", "authorization": "Basic bmV3czpzZWNyZXQ="}
        _, page = await posted(browser, f"/captures/{submit.exchange}/replay", fields)
        (outcome,) = kept
        assert "bmV3czpzZWNyZXQ=" not in repr(outcome)
        assert re.search(r", [1-9][\d,]* octets sent, [1-9]", page)


@pytest.mark.parametrize(("number", "octets"), [(MAXIMUM + 1, 0), (3, MAXIMUM_OCTETS // 2)])
def test_the_newest_are_kept(number: int, octets: int) -> None:
    said = Said()
    for one in range(number):
        said.keep(f"key {one}", f"outcome {one}", octets)
    assert said.of("key 0") is None
    assert said.of(f"key {number - 1}") == f"outcome {number - 1}"
    assert said.of("") is None
