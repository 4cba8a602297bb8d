"""The demonstration is a promise: run it as a user would."""

import subprocess
import sys


def test_the_demo_passes_all_scenes() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mmsc", "demo"], capture_output=True, text=True, timeout=110, check=False
    )
    assert run.stdout.splitlines()[-1] == "demo: 7 passed, 0 failed", run.stdout + run.stderr
    assert run.returncode == 0
    assert "FAILED" not in run.stdout
