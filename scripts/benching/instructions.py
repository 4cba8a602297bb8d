"""Instructions of a message: product and driver in one process under valgrind's cachegrind.

Two runs of different length; their difference is what the messages between them cost (a message of case `recipients`
is an MM with all of its recipients). It repeats within half a per
cent where a clock is off by a third. It sees no kernel, no cache and no waiting, and it emulates SHA-256, which the
processor does itself."""

import asyncio
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benching.cases import RECIPIENTS
from benching.load import ACCEPT, LIFECYCLE, Plan, Usage
from benching.neighbours import Neighbours
from benching.product import NOTIFY_PATH, write_configuration
from benching.servers import ROOT, Ports, free_ports

SHORT: Final = 120
LONG: Final = 420
IN_FLIGHT: Final = 32
_KINDS: Final = {ACCEPT: (ACCEPT, 1), LIFECYCLE: (LIFECYCLE, 1), "recipients": (LIFECYCLE, RECIPIENTS)}  # of an MM
_WARM_UP: Final = 110
_SECONDS: Final = 600.0
_COUNTED: Final = re.compile(r"I\s+refs:\s+([0-9,]+)")


def count_instructions(cases: Sequence[str]) -> int:
    """Print one JSON object per case; the exit status."""
    for case in cases:
        if case not in _KINDS:
            print(f"scripts/bench: instructions are counted of {', '.join(_KINDS)}, not {case}", file=sys.stderr)
            return 1
    if shutil.which("valgrind") is None:
        print("scripts/bench: valgrind is not here (Debian: apt-get install valgrind)", file=sys.stderr)
        return 1
    for case in cases:
        recipients = _KINDS[case][1]
        counts = [messages // recipients for messages in (SHORT, LONG)]
        short, long = (_counted(run) for run in [_start(case, messages) for messages in counts])
        each = (long - short) / (counts[1] - counts[0]) / 1000
        in_flight = max(1, IN_FLIGHT // recipients)
        print(json.dumps({"case": case, "in_flight": in_flight, "thousand_instructions": round(each)}), flush=True)
    return 0


def _start(case: str, messages: int) -> "subprocess.Popen[str]":
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += [sys.executable, "-m", "benching.instructions", case, str(messages)]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def _counted(run: "subprocess.Popen[str]") -> int:
    _, said = run.communicate()
    found = _COUNTED.search(said)
    if run.returncode or found is None:
        raise OSError(f"valgrind ended with status {run.returncode}:\n{said[-2000:]}")
    return int(found[1].replace(",", ""))


async def _play(case: str, messages: int) -> None:
    """Server and neighbours on one loop."""
    from mmsc.app import App
    from mmsc.settings import load

    mm1, mm7, smsc, report = free_ports(4)
    ports = Ports(mm1=mm1, mm7=mm7, smsc=smsc, report=report)
    kind, recipients = _KINDS[case]
    plan = Plan(
        case=kind,
        in_flight=max(1, IN_FLIGHT // recipients),
        warm_up=_WARM_UP // recipients,
        recipients=recipients,
        messages=messages,
        grace_seconds=_SECONDS,
        bound_seconds=_SECONDS,
    )
    with tempfile.TemporaryDirectory(prefix="mmsc-instructions-") as name:
        file = write_configuration(ports, Path(name))
        async with Neighbours(plan, ports, NOTIFY_PATH) as neighbours, App(load(file)):
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 100)  # as `mmsc serve` does
            await neighbours.run(lambda: Usage(time.process_time(), 0.0), lambda ended: None)


if __name__ == "__main__":
    from mmsc.cli.serve import fast_loop

    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(_play(sys.argv[1], int(sys.argv[2])))
