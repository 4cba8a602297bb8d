"""The capacity model keeps its own laws: what arrives is served, more serves more, and too much is told."""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from capacity import INSIDE, OUTSIDE, Costs, Deployment, most, needed, play

ONE = Deployment(nodes=1, shards=1)


def test_an_idle_deployment_adds_up_to_its_costs() -> None:
    found = play(INSIDE, ONE, 5.0, seconds=20)
    expected = INSIDE.node_cpu[0] + INSIDE.commit_cpu + INSIDE.database_cpu + INSIDE.commit_seconds
    assert expected * 1000 <= found.p50_ms < expected * 1000 * 1.2
    assert found.batch < 1.1
    assert found.sustained


def test_what_arrives_is_accepted_and_ends() -> None:
    found = play(INSIDE, replace(ONE, nodes=2), 400.0, seconds=10)
    assert abs(found.accepted_per_s - 400) < 40
    assert abs(found.ended_per_s - found.accepted_per_s) < 40
    assert abs(found.node - 400 * sum(INSIDE.node_cpu) / 2) < 0.05, "busy as the sum of its work says"


def test_too_much_is_not_sustained_and_shares_commits() -> None:
    found = play(INSIDE, ONE, 2.0 / sum(INSIDE.node_cpu), seconds=4)
    assert not found.sustained
    assert found.batch > 3


def test_more_nodes_do_more_until_the_log_is_full() -> None:
    slow_log = replace(ONE, log_rate=42e6)  # a thousand MMs/s
    one, four = (most(INSIDE, replace(slow_log, nodes=nodes), seconds=2) for nodes in (1, 4))
    assert 1.4 * one < four < 1050
    assert most(OUTSIDE, replace(slow_log, nodes=4), seconds=2) > 1.5 * four


def test_what_is_needed_is_enough() -> None:
    costs: Costs = INSIDE
    wanted = needed(costs, 1500.0)
    found = play(costs, wanted, 1500.0, seconds=3)
    assert found.sustained
    assert found.node < 0.75
