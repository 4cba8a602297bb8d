"""Requests that a program derives from the served OpenAPI, right and wrong ones, against a server of its own process:
no 5xx, no status, type or shape that the document does not tell of, and what is wrong is refused.

MMSC_TEST_REST_SECONDS is how long (default 25); a longer run finds more.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.scenarios.conftest import free_port
from tests.scenarios.serving import start

SECONDS = int(os.environ.get("MMSC_TEST_REST_SECONDS", "25"))
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
[vasp.news]
vasp_id = "news"
[subscriber."+15550000001"]
mms = "on"
"""
TOKEN = "open-sesame-open-sesame"


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 120)
async def test_the_served_openapi_is_kept_to(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "mmsc.toml"
    config.write_text(SETTINGS.format(folder=tmp_path, port=port, token=TOKEN))
    started: list[asyncio.subprocess.Process] = []
    try:
        server = await start(config, started)
        code, report = await judged(f"http://127.0.0.1:{port}/api/v1/openapi.json", tmp_path)
        assert server.returncode is None, config.with_suffix(".log").read_text()
    finally:
        for process in started:
            process.terminate()
            await process.wait()
    assert code == 0, report
    assert "the server failed" not in config.with_suffix(".log").read_text()


async def judged(url: str, folder: Path) -> tuple[int, str]:
    """The exit status of schemathesis, and what it says."""
    options = {
        "--checks": ",".join(CHECKS),
        "--phases": "examples,coverage,fuzzing",
        "--max-time": str(SECONDS),
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
