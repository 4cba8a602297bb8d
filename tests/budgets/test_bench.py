"""`scripts/bench`: its cases play against real servers, and its table judges honestly."""

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from benching import play
from benching.cases import ALONE, CASES, TABLE, Wanted
from benching.codec import codec
from benching.hostile import hostile
from benching.mm1 import compare, message, mm1_codec, ours_encode
from benching.overload import overload
from benching.servers import ServerFailed
from benching.soak import soak
from benching.table import print_table

from tests import postgres
from tests.budgets.test_driver import bench


def test_the_table_asks_only_for_what_a_case_measures() -> None:
    known = {(case.name, in_flight) for cases in CASES.values() for case in cases for in_flight in case.in_flight}
    assert {(row.case, row.in_flight) for row in TABLE if row.case not in ALONE} <= known
    for cases in CASES.values():
        for case in cases:
            assert len({side.name for side in case.sides}) == len(case.sides)


@pytest.mark.parametrize(
    ("row", "value", "met"),
    [
        (Wanted("x", 1, "y", least=0.9), 0.9, True),
        (Wanted("x", 1, "y", least=0.9), 0.899, False),
        (Wanted("x", 1, "y", most=1.15), 1.15, True),
        (Wanted("x", 1, "y", most=1.15), 1.16, False),
        (Wanted("x", 1, "y"), 5, None),
    ],
)
def test_what_is_wanted_is_met_or_not(row: Wanted, value: float, met: bool | None) -> None:
    assert row.met(value) is met


def test_what_was_not_measured_is_not_fine(capsys: pytest.CaptureFixture[str]) -> None:
    accepted = {"case": "accept", "in_flight": 32, "messages_per_s": 1200, "ratio": 0.75}
    assert print_table([accepted], ["accept"])
    assert not print_table([accepted | {"ratio": 0.5}], ["accept"])
    assert "MISSED" in capsys.readouterr().out
    assert not print_table([accepted], ["accept", "lifecycle"])
    assert "not measured" in capsys.readouterr().out


def test_a_full_store_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "ROOT", tmp_path)
    with pytest.raises(ServerFailed, match="fill_store"):
        play.fill(tmp_path)


@pytest.mark.parametrize("wrong", ["missing", "empty", "text"])
def test_a_file_that_is_no_store_is_told_and_left(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "stored.db"
    if wrong != "missing":
        file.write_bytes(b"" if wrong == "empty" else b"not a database" * 100)
    before = file.read_bytes() if file.exists() else None
    with pytest.raises(ServerFailed, match=r"stored\.db cannot be used"):
        play.drop_tasks(file)
    assert (file.read_bytes() if file.exists() else None) == before


@pytest.mark.slow
def test_a_store_with_messages_beside_an_empty_one(tmp_path: Path) -> None:
    """What a run of accepts leaves waiting is taken away: a later run would push it beside its own."""
    store = play.fill(tmp_path, messages=50, bodies=5)
    with contextlib.closing(sqlite3.connect(store)) as rows, rows:  # a message of somebody else, which waits
        values = "1, (SELECT min(id) FROM mm), 'notify', 'smsc:other', 'news', 'ready', 9000000000000000, 0, 0"
        rows.execute(
            f"INSERT INTO task (id, mm_id, kind, lane, owner, state, due_at, priority, attempt) VALUES ({values})"
        )
    done = bench("--case", "stored", "--rounds", "1", "--messages", "60", "--stored", str(store))
    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["case"], one["lost"]) for one in figures] == [
        ("stored", 0),
        ("stored-accept", 0),
        ("stored-first-push", 0),
    ]
    with contextlib.closing(sqlite3.connect(store)) as rows:
        assert rows.execute("SELECT lane FROM task").fetchall() == [("smsc:other",)]
        assert rows.execute("SELECT count(*) FROM recipient WHERE state = 'accepted'").fetchone()[0] >= 60
        assert rows.execute("SELECT count(*) FROM mm").fetchone()[0] >= 50 + 3 * 60


@pytest.mark.slow
def test_ten_recipients_an_mm_and_one_push_at_a_time() -> None:
    done = bench("--no-floor", "--rounds", "1", "--messages", "20", "--case", "recipients", "--case", "first-push")
    assert done.returncode == 0, done.stderr
    recipients, first_push = map(json.loads, done.stdout.splitlines())
    assert recipients["recipients_per_s"] == 10 * recipients["messages_per_s"] > 0
    assert 0 < first_push["push_p50_ms"] <= first_push["p99_ms"]
    assert recipients["lost"] == first_push["lost"] == 0


@pytest.mark.slow
def test_two_nodes_on_one_database_beside_one() -> None:
    done = bench("--case", "two-nodes", "--rounds", "1", "--messages", "60", "--postgres", postgres.server())
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["cpu_ratio"] > 0
    assert figures["one_node_messages_per_s"] > 0
    assert figures["lost"] == 0


@pytest.mark.slow
async def test_a_short_soak_says_nothing_about_memory() -> None:
    figures = await soak(0.02, [4], "", lambda text: None, warm_up=20)
    assert figures["messages"] > 0
    assert figures["samples"] >= 1
    assert figures["flat"] is None
    assert figures["lost"] == 0


def test_the_instructions_of_other_cases_are_not_counted() -> None:
    done = bench("--instructions", "--case", "large")
    assert done.returncode == 1
    assert "not large" in done.stderr


def test_the_codec_is_measured_on_what_is_usual(capsys: pytest.CaptureFixture[str]) -> None:
    result = codec(parses=50, rounds=1)
    assert result["binary_us"] > 0
    assert result["base64_us"] > 0
    assert result["binary_fresh_us"] > 0
    assert result["base64_fresh_us"] > 0
    print_table([result | {"binary_us": 119.9, "base64_us": 220.1}], ["codec"])
    rows = [row for row in capsys.readouterr().out.splitlines()[2:] if "fresh" not in row]
    assert [row.split()[-1] for row in rows] == ["ok", "MISSED"]


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
def test_mm1_is_measured_beside_another_codec(capsys: pytest.CaptureFixture[str]) -> None:
    result = mm1_codec(ours=20, theirs=1, rounds=1)
    assert result["octets"] > 30_000
    assert result["decode_ratio"] == pytest.approx(result["their_decode_us"] / result["decode_us"], rel=0.05)
    assert result["encode_ratio"] == pytest.approx(result["their_encode_us"] / result["encode_us"], rel=0.05)
    print_table([result | {"decode_ratio": 40.0, "encode_ratio": 59.9}], ["mm1"])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split()[-1] for row in rows[2:]] == ["ok", "MISSED"]


def test_mm1_alone_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benching.mm1.find_spec", lambda name: None)
    result = mm1_codec(ours=20, rounds=1)
    assert "pip install python-messaging" in result["missing"]
    assert result["decode_us"] > 0
    assert "decode_ratio" not in result


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
def test_times_of_other_messages_are_not_compared() -> None:
    conf, parts = message(1)
    with pytest.raises(ValueError, match="other parts"):
        compare(ours_encode(conf, parts), parts[:1])


@pytest.mark.slow
def test_hostile_requests_are_carried_out_beside_usual_ones() -> None:
    result = asyncio.run(hostile(lambda _: None, 2.0))
    assert result["attacks"] > 0
    assert result["lost"] == 0
    assert result["messages_per_s"] > 0


@pytest.mark.slow
def test_a_flood_waits_and_nothing_that_was_taken_is_lost() -> None:
    """On a slow disk, too, the one beside it gets more than its part of what is under way."""
    result = asyncio.run(overload(lambda _: None, 3.0, flood=600))
    assert result["messages_per_s"] > 0
    assert result["calm_share"] > 1.5
    assert result["other_answers"] == {}
    assert result["unharmed"]
    assert result["lost"] == 0
