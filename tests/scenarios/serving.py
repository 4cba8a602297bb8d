"""`mmsc serve` as a process of its own."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.tools import PATIENCE_SECONDS


async def start(
    config: Path, started: list[asyncio.subprocess.Process], environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start it and wait until it is ready. Its standard error goes to a file beside the settings."""
    with config.with_suffix(".log").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mmsc", "serve", "--config", str(config)),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
    started.append(process)
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while b"ready" not in await process.stdout.readline():
            assert not process.stdout.at_eof(), config.with_suffix(".log").read_text()
    return process
