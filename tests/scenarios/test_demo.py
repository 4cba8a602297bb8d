"""The demonstration is a promise: run it as a user would."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def test_the_demo_passes_all_scenes() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mmsc", "demo"], capture_output=True, text=True, timeout=110, check=False
    )
    assert run.stdout.splitlines()[-1] == "demo: 7 passed, 0 failed", run.stdout + run.stderr
    assert run.returncode == 0
    assert "FAILED" not in run.stdout


def test_a_demo_that_is_ended_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "mmsc", "demo", "--keep"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("Two MMSCs"):
                break
        assert list(tmp_path.iterdir())
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=60)
    assert demo.returncode == 143
    assert list(tmp_path.iterdir()) == []
