"""Runs `mmsc serve` with meters under the driver of `scripts/bench`, and hands out what a message cost."""

import json
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.budgets.metered import MEMORY, METERS_FILE, WRITE_AHEAD_LOG

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "scripts"))  # the driver belongs to scripts/bench

from benching import octets  # noqa: E402
from benching.load import LIFECYCLE, Plan, Usage  # noqa: E402
from benching.neighbours import Neighbours  # noqa: E402
from benching.product import NOTIFY_PATH, store_path, write_configuration  # noqa: E402
from benching.servers import Ports, Server, free_ports  # noqa: E402


@dataclass(frozen=True, slots=True)
class Costs:
    """What `messages` lifecycles cost: the difference of all meters between the first and the last of them."""

    messages: int
    meters: dict[str, int]

    def each(self, meter: str) -> float:
        """One meter per message."""
        return self.meters[meter] / self.messages


Measure = Callable[..., Coroutine[Any, Any, Costs]]


@pytest.fixture
def measure(tmp_path: Path) -> Measure:
    """`await measure(in_flight=, messages=)` plays full lifecycles, after a warm-up, and returns their costs."""

    async def measured(
        *, in_flight: int, messages: int, memory: bool = False, picture_octets: int = octets.PICTURE_OCTETS
    ) -> Costs:
        mm1, mm7, smsc, report = free_ports(4)
        ports = Ports(mm1=mm1, mm7=mm7, smsc=smsc, report=report)
        meters = tmp_path / "meters.jsonl"
        environment = {METERS_FILE: str(meters), WRITE_AHEAD_LOG: f"{store_path(tmp_path)}-wal"}
        if memory:
            environment[MEMORY] = "1"
        command = [sys.executable, "-m", "tests.budgets.metered", "serve", "--config"]
        command.append(str(write_configuration(ports, tmp_path)))
        plan = Plan(
            case=LIFECYCLE,
            in_flight=in_flight,
            warm_up=2 * octets.SUBSCRIBERS,
            messages=messages,
            picture_octets=picture_octets,
        )
        connections: list[int] = []
        async with Neighbours(plan, ports, NOTIFY_PATH) as neighbours:
            server = await Server.start(command, tmp_path, ports.mm7, environment)

            def usage() -> Usage:
                server.signal(signal.SIGUSR1)
                connections.append(neighbours.connections)
                return server.usage()

            try:
                figures = await neighbours.run(usage, lambda ended: None)
            finally:
                await server.stop()
        assert figures.lost == 0
        first, last = (json.loads(line) for line in meters.read_text().splitlines())
        costs = {name: value - first.get(name, 0) for name, value in last.items()}
        costs |= {"new_connections": connections[1] - connections[0], "connections": connections[1]}
        if memory:
            costs["memory_peak_octets"] = last["memory_peak_octets"] - first["memory_octets"]
        return Costs(messages, costs)

    return measured
