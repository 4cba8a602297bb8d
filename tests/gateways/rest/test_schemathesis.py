"""Requests that a program derives from the served OpenAPI, right and wrong ones, against a server of its own process:
no 5xx, no status, type or shape that the document does not tell of, and what is wrong is refused.

MMSC_TEST_REST_SECONDS is how long (default 12, and half of it with paths that name what is there); a longer run finds
more.
"""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.scenarios.conftest import free_port
from tests.scenarios.serving import start

SECONDS = int(os.environ.get("MMSC_TEST_REST_SECONDS", "12"))
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)
SETTINGS = """
[store]
path = "{folder}/mmsc.db"
[trace]
captures_path = "{folder}/captures"
[mm1]
port = 0
[mm4]
port = 0
[mm7]
port = 0
[weblink]
port = 0
[console]
enabled = true
port = {port}
token = "{token}"
[builtin_smsc]
enabled = true
port = 0
[smsc.builtin]
password = "secret"
[smsc.away]
port = 1
[vasp.news]
vasp_id = "news"
[subscriber."+15550000001"]
mms = "on"
"""
TOKEN = "open-sesame-open-sesame"


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 2 + 120)
async def test_the_served_openapi_is_kept_to(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "mmsc.toml"
    config.write_text(SETTINGS.format(folder=tmp_path, port=port, token=TOKEN))
    started: list[asyncio.subprocess.Process] = []
    try:
        server = await start(config, started)
        place = f"http://127.0.0.1:{port}/api/v1"
        judgements = [await judged(f"{place}/openapi.json", tmp_path, SECONDS)]
        await some_of_everything(place, tmp_path)
        judgements.append(await judged(f"{place}/openapi.json", tmp_path, max(8, SECONDS // 2)))
        assert server.returncode is None, config.with_suffix(".log").read_text()
    finally:
        for process in started:
            process.terminate()
            await process.wait()
    for code, report in judgements:
        assert code == 0, report
    assert "the server failed" not in config.with_suffix(".log").read_text()


async def some_of_everything(place: str, folder: Path) -> None:
    """From now on paths name what is there: a message of a run, a subscriber, a VASP."""
    headers = {"Authorization": f"Bearer {TOKEN}", "X-MMSC-Run": "ci-1"}
    message = {"sender": "+15550000001", "to": ["+15550000002"], "subject": "s", "text": "t"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(f"{place}/messages", json=message) as answer:
            told = await answer.json()
            assert answer.status < 300, told
        for path in ("vasps/weather", "subscribers/+15550000002"):
            async with session.put(f"{place}/{path}", json={}) as answer:
                assert answer.status == 201
    known = {"id": told["mm_id"], "run": "ci-1", "name": "weather", "number": "+15550000002", "ip": "10.0.0.7"}
    lines = ["[parameters]", *(f'"path.{name}" = "{value}"' for name, value in known.items())]
    (folder / "schemathesis.toml").write_text("\n".join(lines) + "\n")


async def judged(url: str, folder: Path, seconds: int) -> tuple[int, str]:
    """The exit status of schemathesis, and what it says."""
    options = {
        "--checks": ",".join(CHECKS),
        "--phases": "examples,coverage,fuzzing",
        "--max-time": str(seconds),
        "--max-examples": "50",
        "--request-timeout": "20",
        "--exclude-path-regex": "/wait$",  # long polls: they are answered later than that, and so they should
        "--seed": "1",
        "--header": f"Authorization: Bearer {TOKEN}",
        "--generation-database": "none",
    }
    words = [word for pair in options.items() for word in pair]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", url, *words, "--no-shrink", "--no-color"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")[-20_000:]
