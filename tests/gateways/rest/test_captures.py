"""Captures over REST."""

from pathlib import Path

import aiohttp
import pytest

from mmsc.trace.rings import Captures
from tests.console.captures_world import console_lab, one_story


async def test_whether_there_are_captures_of_a_message_is_known_without_reading_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be many, and they are read bit by bit while the file is sent."""

    def read(*_: object) -> None:
        raise AssertionError("all of them are read at once")

    monkeypatch.setattr(Captures, "of_mm", read)
    monkeypatch.setattr(Captures, "of_exchanges", read)
    async with console_lab(tmp_path) as (lab, url), aiohttp.ClientSession() as session:
        mm_id = await one_story(lab)
        for number, status in ((mm_id, 200), (mm_id + 1, 404)):
            async with session.get(f"{url}/api/v1/messages/{number}/pcapng") as answer:
                assert (answer.status, b"submit" in (await answer.read()).lower()) == (status, status == 200)
