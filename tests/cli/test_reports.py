"""`mmsc reports` as a person meets it."""

import asyncio
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from mmsc.cli.group import main
from mmsc.cli.report_lines import COLUMNS, HEAD
from mmsc.clock import VirtualClock
from mmsc.domain.message import TaskKind
from mmsc.domain.states import Happening
from mmsc.engine.ports import Delivered, Evidence, Failed, Outcome
from mmsc.ids import to_text
from mmsc.store import messages
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests.cli.test_commands import written
from tests.engine.conftest import PHONE, Bench, benched

SAFARI: Final = Evidence(user_agent="Lab/1.0", mms_version=0x12)
ANSWERS: Final[tuple[Outcome | None, ...]] = (
    Delivered(note="1000 Success"),
    Failed("4004 Validation error, \x1b[31mred", refused=True),
    None,  # the recipient has not ended
)


async def lifecycles(bench: Bench) -> list[int]:
    """One MM for each answer to its report; their ids."""
    ids: list[int] = []
    for number, answer in enumerate(ANSWERS):
        accepted = await bench.submit(PHONE, details={"mm7_transaction_id": f"T-{number}"})
        ids.append(accepted.mm_id)
        await bench.at_rest()
        if answer is not None:
            bench.hands[TaskKind.REPORT_MM7].answers = [answer]
            found = await messages.with_recipients(bench.store, accepted.mm_id)
            assert found is not None
            tid = found[1][0].transaction_id
            await bench.engine.retrieval.answer(tid, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
            await bench.at_rest()
        bench.clock.advance(86_400)
    return ids


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[int]]:
    """The settings of a store with the three of them, and their ids."""
    folder = tmp_path_factory.mktemp("told")
    clock = VirtualClock()

    async def filled() -> list[int]:
        store = SqliteStore(str(folder / "mmsc.db"), SqliteOptions(synchronous="OFF"), clock.real_now)
        async with benched(store, clock) as bench:
            return await lifecycles(bench)

    ids = asyncio.run(filled())
    return written(folder, f"[store]\npath = '{folder / 'mmsc.db'}'\n"), ids


def run(config: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["reports", "--config", config, *arguments])


def rows(done: Result) -> list[dict[str, str]]:
    assert (done.exit_code, done.exception) == (0, None), done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_a_line_for_each_recipient_and_the_totals(told: tuple[str, list[int]]) -> None:
    config, ids = told
    done = run(config, "--vasp", "news")
    assert done.exit_code == 0, done.output
    head, *lines = done.output.splitlines()
    assert head == HEAD
    for number, (line, status) in enumerate(zip(lines, ("sent", "refused", "waiting"), strict=False)):
        assert all(part in line for part in (to_text(ids[number]), f"T-{number}", PHONE, status)), line
    assert "1000 Success" in lines[0]
    assert "\x1b" not in done.output, "a VASP's text is shown, not obeyed"
    assert lines[3] == "3 recipients: 1 waiting, 1 sent, 1 refused"
    assert lines[4:] == [
        "           1  refused: 4004 Validation error, \\x1b[31mred",
        "           1  waiting: notified",
    ]


def test_which_have_none(told: tuple[str, list[int]]) -> None:
    done = run(told[0], "--vasp", "news", "--missing")
    assert "2 of 3 recipients: 1 waiting, 1 refused" in done.output
    assert "T-0" not in done.output


def test_csv_is_for_programs(told: tuple[str, list[int]]) -> None:
    config, ids = told
    done = run(config, "--csv")
    found = rows(done)
    assert tuple(found[0]) == COLUMNS
    assert [one["report"] for one in found] == ["sent", "refused", "waiting"]
    assert found[1]["code"] == "4004"
    assert found[1]["why"] == "Validation error, \\x1b[31mred", "it may be shown on a terminal, too"
    assert (found[2]["mm_id"], found[2]["recipient_state"]) == (to_text(ids[2]), "notified")
    assert found[0]["submitted_at"].endswith("Z")
    assert int(found[0]["age_seconds"]) > 86_400
    assert "3 recipients" in done.stderr
    empty = run(config, "--csv", "--state", "given-up")
    assert empty.stdout.splitlines() == [",".join(COLUMNS)], "a head, though there is nothing under it"


def test_json_is_a_line_each_and_ends_with_the_totals(told: tuple[str, list[int]]) -> None:
    *lines, last = [json.loads(line) for line in run(told[0], "--json", "--missing").output.splitlines()]
    assert [one["report"] for one in lines] == ["refused", "waiting"]
    assert "next_attempt_at" not in lines[0]
    totals = last["totals"]
    assert (totals["recipients"], totals["listed"], totals["sent"], totals["refused"]) == (3, 2, 0, 1)
    assert {"report": "waiting", "why": "notified", "recipients": 1} in totals["reasons"]


def test_filters(told: tuple[str, list[int]]) -> None:
    config, ids = told

    def transactions(*arguments: str) -> Sequence[str]:
        return [one["mm7_transaction_id"] for one in rows(run(config, "--csv", *arguments))]

    assert transactions("--state", "sent", "--state", "WAITING") == ["T-0", "T-2"]
    assert transactions("--recipient-state", "notified") == ["T-2"]
    assert transactions("--since", "2023-11-15") == ["T-1", "T-2"]
    assert transactions("--until", "2023-11-15") == ["T-0"]
    assert transactions("--since", "24h") == []
    assert transactions("--since", "30000d", "--all") == ["T-0", "T-1", "T-2"]
    assert transactions("--mm", to_text(ids[1])) == ["T-1"]
    assert transactions("--mm", f"{to_text(ids[1])}@mms.example") == ["T-1"], "a MessageID as the VASP was told it"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--state", "delivered"), "'delivered' is none of waiting, owed, sent, refused, given_up, none"),
        (("--recipient-state", "gone"), "'gone' is none of scheduled, accepted"),
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--mm", "7"), "no such MM is in the store"),
        (("--mm", "9" * 19), "is no 63-bit id"),
        (("--vasp", "nws"), "no VASP nws is configured or has MMs here; there are: news"),
        (("--csv", "--json"), "--csv and --json exclude each other"),
    ],
)
def test_what_cannot_be_meant_is_told(told: tuple[str, list[int]], arguments: tuple[str, ...], why: str) -> None:
    done = run(told[0], *arguments)
    assert done.exit_code != 0
    assert why in " ".join(done.output.split())


def test_without_a_store_it_says_so(tmp_path: Path) -> None:
    done = run(written(tmp_path, f"[store]\npath = '{tmp_path / 'none.db'}'\n"))
    assert (done.exit_code, "there is no store" in done.output) == (1, True)
