"""`mmsc pcap` beside a running server."""

import asyncio
import sys
from pathlib import Path

from tests.console.captures_world import console_lab, one_story

SECTION = b"\x0a\x0d\x0d\x0a"


async def _ran(*arguments: str) -> tuple[int, bytes, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mmsc", "pcap", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out, error.decode()


async def test_of_a_message_and_of_a_filter_and_what_there_is_not(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url):
        mm_id = await one_story(lab)
        status, octets, error = await _ran("--mm", str(mm_id), "--url", url)
        assert (status, error) == (0, "")
        assert octets.startswith(SECTION)
        assert b"m-retrieve-conf" in octets
        status, few, error = await _ran("--query", f"to:{15550100123}", "--interface", "smpp", "--url", url)
        assert (status, error) == (0, "")
        assert len(few) < len(octets)
        assert await _ran("--since", "soon", "--url", url) == (
            *(1, b""),
            "Error: 400: 'soon' is no time: 90s, 15m, 2h, 1d, or 2026-11-27T14:00:00Z\n",
        )


async def test_without_a_server() -> None:
    status, _, error = await _ran("--url", "http://127.0.0.1:1")
    assert status == 1
    assert "http://127.0.0.1:1/captures.pcapng: " in error


async def test_live_goes_until_the_server_ends(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mmsc", "pcap", "--live", "--url", url),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        seen = await process.stdout.read(64)
        assert seen.startswith(SECTION)
        await one_story(lab)
        while b"DeliveryReportRsp" not in seen:
            seen += await process.stdout.read(65_536)
    assert await process.wait() == 0
