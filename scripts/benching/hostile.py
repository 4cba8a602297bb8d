"""What one VASP's hostile requests do to the others: the p99 of SubmitReq without and with them (`mmsc.lab.hostile`).

The attackers are a process of their own (`python -m benching.hostile PORT`), so that they do not slow the driver: some
send one attack after the other without a pause, others an octet a second.
"""

import asyncio
import base64
import itertools
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benching.load import ACCEPT, Figures, Plan
from benching.neighbours import Neighbours
from benching.product import NOTIFY_PATH, product_command
from benching.servers import Ports, Server, free_ports
from mmsc.lab.hostile import Attack, attacks, carry_out, endless, slow

SECONDS: Final = 8.0  # of each run
IN_FLIGHT: Final = 2  # more would measure how much is left of a processor, not how long one waits
ATTACKERS: Final = 2  # that send one after the other
SLOW: Final = 50  # that send an octet a second
MOST_RATIO: Final = 3.0  # of the p99s,
MOST_MS: Final = 50.0  # or so much more
_HARM: Final = "harm"
_SETTINGS: Final = f'[vasp.{_HARM}]\nvasp_id = "{_HARM}"\nusername = "{_HARM}"\npassword = "{_HARM}"\n'
_AUTHORIZATION: Final = "Basic " + base64.b64encode(f"{_HARM}:{_HARM}".encode()).decode()
_NICE: Final = 10
_ALARM: Final = 2  # exit status of attackers who were answered in another way


async def hostile(say: Callable[[str], None], seconds: float = SECONDS) -> dict[str, Any]:
    """Both runs. Raises WireError, ServerFailed, OSError."""
    calm, _ = await _run(False, seconds, say)
    harmed, carried_out = await _run(True, seconds, say)
    more = harmed.p99_ms - calm.p99_ms
    return {
        "case": "hostile",
        "in_flight": IN_FLIGHT,
        "messages_per_s": round(harmed.messages_per_s),
        "calm_messages_per_s": round(calm.messages_per_s),
        "p50_ms": round(harmed.p50_ms, 2),
        "calm_p50_ms": round(calm.p50_ms, 2),
        "p99_ms": round(harmed.p99_ms, 2),
        "calm_p99_ms": round(calm.p99_ms, 2),
        "rss_mb": round(harmed.rss_mb),
        "calm_rss_mb": round(calm.rss_mb),
        "attacks": carried_out,
        "unharmed": more <= MOST_MS or harmed.p99_ms <= MOST_RATIO * calm.p99_ms,
        "lost": calm.lost + harmed.lost,
    }


async def _run(attacked: bool, seconds: float, say: Callable[[str], None]) -> tuple[Figures, int]:
    """One run of a server of its own: the figures, and how many attacks were carried out meanwhile."""
    plan = Plan(case=ACCEPT, in_flight=IN_FLIGHT, warm_up=300, messages=0, seconds=seconds)
    mm1, mm7, smsc, report = free_ports(4)
    ports = Ports(mm1=mm1, mm7=mm7, smsc=smsc, report=report)
    with tempfile.TemporaryDirectory(prefix="mmsc-hostile-") as name:
        folder = Path(name)
        async with Neighbours(plan, ports, NOTIFY_PATH) as neighbours:
            command = product_command(ports, folder, postgres="", profile=None, more=_SETTINGS)
            server = await Server.start(command, folder, mm7)
            attackers = await _attackers(mm7) if attacked else None
            try:
                figures = await neighbours.run(server.usage, lambda ended: say(f"hostile {attacked}: {ended}"))
                return figures, 0 if attackers is None else await _ended(attackers)
            finally:
                if attackers is not None and attackers.returncode is None:
                    attackers.kill()
                await server.stop()


async def _attackers(port: int) -> asyncio.subprocess.Process:
    """Started; returns when the first attack was answered."""
    command = [sys.executable, "-m", "benching.hostile", str(port)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def _ended(process: asyncio.subprocess.Process) -> int:
    """How many attacks there were. Raises OSError when one was not answered as it should be."""
    process.send_signal(signal.SIGTERM)
    said, _ = await process.communicate()
    last = said.decode().strip().rpartition("\n")[2]
    if process.returncode:
        raise OSError(f"an attack was answered otherwise: {last}")
    return int(last)


async def _attack(port: int) -> int:
    """Until SIGTERM: how many there were; prints a line when the first is over."""
    done: Counter[str] = Counter()
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)

    async def one(attack: Attack) -> None:
        outcome = await carry_out(attack, "127.0.0.1", port, _AUTHORIZATION)
        if outcome.http != attack.http:
            raise ValueError(f"{attack.name}: HTTP {outcome.http}, not {attack.http}")
        if not done:
            print("begun", flush=True)
        done[attack.name] += 1

    async def without_end(every: list[Attack]) -> None:
        for attack in itertools.cycle(every):
            await one(attack)

    quick = [*attacks(_HARM), *endless()]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(without_end(quick[number:] + quick[:number])) for number in range(ATTACKERS)]
        tasks += [group.create_task(without_end(slow(1.0)[number % 2 :])) for number in range(SLOW)]
        await over.wait()
        for task in tasks:
            task.cancel()
    return done.total()


def main() -> int:
    """The attackers' own process. They are on other machines in life: here they take what the server leaves."""
    os.nice(_NICE)
    try:
        print(asyncio.run(_attack(int(sys.argv[1]))), flush=True)
    except (ExceptionGroup, OSError) as error:
        print(repr(error), flush=True)
        return _ALARM
    return 0


if __name__ == "__main__":
    sys.exit(main())
