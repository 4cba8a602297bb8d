"""`scripts/crash`, short: SIGKILL under load at random moments, and nothing that was accepted is lost."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from mmsc.lab.reassembly import Reassembly
from protocols.smpp import EsmClass, SubmitSm
from protocols.sms.segment import Concatenation, UserDataHeader, encode_header
from tests.tools import needs

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "scripts"))  # the ledger belongs to scripts/crash

from crashing import run as crash_run  # noqa: E402
from crashing.ledger import Ledger, Sent  # noqa: E402


def crash(*arguments: str) -> dict[str, object]:
    """Run the harness with the Python that runs the tests; its figures."""
    command = [sys.executable, "-m", "crashing", *arguments]
    environment = {**os.environ, "PYTHONPATH": f"{TOP / 'scripts'}:{TOP}"}
    ran = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, f"{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}"
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert isinstance(figures, dict)
    return figures


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    "arguments",
    [
        ("--kills", "25"),
        ("--kills", "5", "--store", "postgres", "--target", "all"),
    ],
    ids=["server", "nodes and postgres"],
)
def test_nothing_accepted_is_lost(arguments: tuple[str, ...]) -> None:
    """The seed is another in each run; it stands in what the harness printed."""
    if "postgres" in arguments:
        needs("postgres")
    figures = crash(*arguments, "--seed", str(random.randrange(1_000_000)))
    assert (figures["lost"], figures["problems"]) == (0, 0)
    assert int(str(figures["kills"])) >= int(arguments[1])
    assert int(str(figures["accepted_mms"])) > 20


async def with_bug(bug: str, note: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, object], list[str]]:
    """Figures and problems of a short run against a server that has a bug (`buggy_server.py`)."""
    monkeypatch.setattr(crash_run, "_SETTLE_SECONDS", 12.0)  # what is forgotten never comes; the rest does, meanwhile
    program = (sys.executable, str(Path(__file__).with_name("buggy_server.py")), bug, str(note))
    options = crash_run.Options(kills=2, seed=7, target=crash_run.SERVER, store="sqlite", program=program)
    return await crash_run.Run(options).play()


@pytest.mark.slow
async def test_one_mm_that_was_promised_and_never_stored_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures, problems = await with_bug("forgets", tmp_path / "note", monkeypatch)
    forgotten = (tmp_path / "note").read_text()
    lost = [one for one in problems if one.startswith("lost: ") and "was never reported" in one]
    assert lost
    assert all(f"lost: {forgotten} " in one for one in lost), problems
    assert figures["lost"] == len(lost), "nobody else was"


@pytest.mark.slow
async def test_a_server_that_only_ever_says_later_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures, problems = await with_bug("later", tmp_path / "note", monkeypatch)
    assert (figures["accepted_mms"], figures["lost"]) == (0, 0)
    assert any(one.startswith("only 0 MMs were accepted in 3 lives") for one in problems)
    assert "an MM was not accepted 12 s after the last kill" in problems


@pytest.fixture
def ledger() -> Ledger:
    """One MM for two people, accepted."""
    ledger = Ledger()
    sent = Sent("crash-1", frozenset({"+1", "+2"}), b"octets")
    ledger.will_send(sent)
    ledger.accepted(sent, "id")
    return ledger


def kept(ledger: Ledger) -> Ledger:
    for one in ("+1", "+2"):
        ledger.pushed(one, f"t{one}", f"http://127.0.0.1:1/m/{one}")
        ledger.got(one, "crash-1", b"octets")
        ledger.acknowledged(one, "crash-1")
        ledger.reported("id", one, (f"r{one}", "date", "Retrieved"))
    return ledger


def test_a_kept_promise_is_no_problem(ledger: Ledger) -> None:
    assert (kept(ledger).judge(), ledger.problems) == (0, [])


def test_what_never_came_is_lost(ledger: Ledger) -> None:
    assert (ledger.judge(), ledger.problem_count) == (2, 4)


def test_lives_in_which_too_little_was_accepted_prove_nothing(ledger: Ledger) -> None:
    kept(ledger)
    for _ in range(2):
        ledger.life_ended()
    ledger.judge()
    assert (ledger.problems, ledger.counts["lives without an accepted MM"]) == ([], 1)
    ledger.life_ended()
    ledger.judge()
    (problem,) = ledger.problems
    assert "only 1 MMs were accepted in 3 lives" in problem


def break_ids(ledger: Ledger) -> None:
    ledger.accepted(ledger.sent["crash-1"], "other id")


def break_report(ledger: Ledger) -> None:
    ledger.reported("id", "+1", ("another", "date", "Retrieved"))


def break_state(ledger: Ledger) -> None:
    ledger.reported("id", "+1", ("r+1", "date", "Expired"))


def break_push(ledger: Ledger) -> None:
    ledger.pushed("+1", "t+1", "http://127.0.0.1:1/m/elsewhere")


def break_octets(ledger: Ledger) -> None:
    ledger.got("+1", "crash-1", b"octet")


def break_recipient(ledger: Ledger) -> None:
    ledger.got("+3", "crash-1", b"octets")


@pytest.mark.parametrize(
    "broken",
    [break_ids, break_report, break_state, break_push, break_octets, break_recipient],
    ids=lambda f: f.__name__,
)
def test_a_broken_promise_is_seen(ledger: Ledger, broken: object) -> None:
    kept(ledger)
    assert callable(broken)
    broken(ledger)
    ledger.judge()
    assert ledger.problems


def test_a_segment_that_a_dead_server_left_meets_no_later_message() -> None:
    """References have eight bits: in hundreds of kills two pushes to one handset have the same."""
    reassembly = Reassembly()

    def segment(number: int, text: bytes) -> SubmitSm:
        header = encode_header(UserDataHeader(None, Concatenation(7, 2, number)))
        return SubmitSm(sequence_number=1, esm_class=EsmClass.UDHI, destination_addr="1", short_message=header + text)

    reassembly.take(segment(2, b"old"))
    reassembly.forget()
    assert reassembly.take(segment(1, b"new ")) is None
    whole = reassembly.take(segment(2, b"one"))
    assert whole is not None
    assert whole.text == "new one"
