"""Nodes as processes on one PostgreSQL: one is killed, one is stopped for a while. Nothing is lost."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from mmsc.cli import cluster
from mmsc.cli.cluster_stage import ClusterStage, set_up
from mmsc.lab.balancer import Balancer
from tests import postgres

_RETRIEVED = "SELECT mm_id FROM event WHERE kind = 'recipient.moved' AND data LIKE '%\"retrieved\"%'"


@pytest.mark.slow
async def test_the_cluster_command_loses_nothing() -> None:
    postgres.needed()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mmsc", "cluster", "--nodes", "2", "--messages", "30"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    lines = said.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["node", "a", "b", "together"]
    assert lines[4].split()[1] == "30"
    assert "node a is killed" in lines[5]
    assert "node a is dead: node b freed" in lines[6]
    assert lines[7].startswith("cluster: 30 sent, 30 delivered, 30 reported, 0 lost")


async def taken_over(stage: ClusterStage) -> None:
    async with asyncio.timeout(40):
        while True:
            if await stage.taken_over():
                return
            await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_a_node_that_was_stopped_for_a_while_repeats_no_outcome(tmp_path: Path) -> None:
    """SIGSTOP under load until the other took over, then SIGCONT: it goes on as a node like any other."""
    postgres.needed()
    score = cluster.Score(40)
    async with set_up(tmp_path, 2) as stage:
        first = stage.nodes[0]
        for number in range(score.wanted):
            subject = f"message {number}"
            score.accepted[subject] = await cluster._accepted(stage, number, subject)
            if number == score.wanted // 2:
                os.kill(first.process.pid, signal.SIGSTOP)
                stage.mm7.targets[:] = [stage.nodes[1].mm7]  # a balancer that asks for health would do so
                stage.mm1.targets[:] = [stage.nodes[1].mm1]
                stage.mm7.cut()
                stage.mm1.cut()
        await taken_over(stage)
        os.kill(first.process.pid, signal.SIGCONT)
        stage.mm7.targets[:] = [first.mm7]
        stage.mm7.cut()
        score.wanted += 1
        score.accepted["afterwards"] = await cluster._accepted(stage, 1000, "afterwards")
        await cluster._settle(stage, score)
        assert (score.progress, score.lost) == ((41, 41, 41), 0)
        assert first.process.returncode is None
        reports = await stage.database.fetch(_RETRIEVED)
        assert len({row[0] for row in reports}) == len(reports) == 41, "each recipient ended once"


async def test_a_balancer_passes_over_who_is_gone(unused_tcp_port: int) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    balancer = Balancer([("127.0.0.1", unused_tcp_port), server.sockets[0].getsockname()])
    await balancer.start()
    try:
        for _ in range(4):
            reader, writer = await asyncio.open_connection("127.0.0.1", balancer.port)
            writer.write(b"hello")
            assert await reader.read() == b"hello"
            writer.close()
        balancer.targets[:] = [("127.0.0.1", unused_tcp_port)]
        reader, writer = await asyncio.open_connection("127.0.0.1", balancer.port)
        assert await reader.read() == b""
        writer.close()
    finally:
        await balancer.stop()
        server.close()
