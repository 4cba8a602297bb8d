"""README's shell blocks, executed: what it tells people to type does what it says.

Left out: `scripts/demo` is `mmsc demo` behind an environment (tests/scenarios/test_demo.py), `scripts/test` and
`scripts/check` are what runs this test.
"""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_serve import said
from tests.tools import PATIENCE_SECONDS

TOP = Path(__file__).parents[2]
LEFT_OUT = ("scripts/demo", "scripts/test", "scripts/check")
MMSC = ".venv/bin/mmsc"


def lines() -> Iterator[list[str]]:
    for block in re.findall(r"^```sh\n(.*?)^```$", (TOP / "README.md").read_text(), re.MULTILINE | re.DOTALL):
        yield from (shlex.split(line) for line in block.splitlines() if line)


COMMANDS = [arguments for program, *arguments in lines() if program == MMSC]


def test_nothing_is_left_out_but_what_is_named() -> None:
    assert {program for program, *_ in lines()} == {MMSC, *LEFT_OUT}
    assert ["serve"] in COMMANDS


@pytest.mark.parametrize("arguments", [one for one in COMMANDS if one[0] not in ("serve", "submit")], ids=shlex.join)
async def test_a_command_of_the_readme_works(arguments: list[str], tmp_path: Path) -> None:
    process = await started(tmp_path, *arguments)
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert out


async def test_a_message_in_a_minute_as_the_readme_tells_it(tmp_path: Path) -> None:
    """The bare server on free ports instead of its own, which somebody may be using here."""
    server = await started(tmp_path, "serve", **{f"MMSC_{name}__PORT": "0" for name in PORTS})
    try:
        url = (await said(server, r"MM7, VASPs +(http://127.0.0.1:\d+/mm7)"))[1]
        await said(server, "^ready")
        (submit,) = (one for one in COMMANDS if one[0] == "submit")
        client = await started(tmp_path, *submit, "--url", url)
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, _ = await client.communicate()
        assert client.returncode == 0, out
        told = [await said(server, r"^(handset \+1555000000[13]: (?:MM|SMS)|VASP demo: )") for _ in range(3)]
        assert {one[1] for one in told} == {"handset +15550000001: MM", "handset +15550000003: SMS", "VASP demo: "}
    finally:
        server.kill()
        await server.communicate()


PORTS = ("MM1", "MM3", "MM4", "MM7", "WEBLINK", "BUILTIN_SMSC", "CONSOLE")


async def started(folder: Path, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "XDG_STATE_HOME": str(folder), **variables}
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "mmsc", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=environment, cwd=TOP, stdout=pipe, stderr=pipe)
