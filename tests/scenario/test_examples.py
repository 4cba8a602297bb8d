"""The examples for a shell are run as they are told."""

import subprocess
from pathlib import Path

from mmsc.client import Client, LabProcess
from tests.tools import needs

EXAMPLE = Path(__file__).parents[2] / "fixtures" / "examples" / "rest.sh"


def test_the_shell_example_goes_the_whole_way(running: LabProcess, lab: Client) -> None:
    needs("curl")
    done = subprocess.run(["sh", str(EXAMPLE), running.url], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.splitlines()[1:3] == ["rejected", "reported"]
    assert "SubmitReq" in done.stdout
