"""`mmsc reports` beside a running server, whose VASP answers reports as it likes."""

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner

from mmsc.cli.group import main
from mmsc.lab.handset import Fetching
from protocols import mm7
from tests.cli.test_commands import written
from tests.scenarios.conftest import OTHER, PHONE, Lab, picture
from tests.scenarios.test_mm7_to_handset import accepted


async def ledger(folder: Path, *arguments: str) -> list[dict[str, object]]:
    """The lines of the command, without its totals."""
    config = written(folder, f"[store]\npath = '{folder / 'mmsc.db'}'\n")
    done = await asyncio.to_thread(CliRunner().invoke, main, ["reports", "--config", config, "--json", *arguments])
    assert (done.exit_code, done.exception) == (0, None), done.output
    return [json.loads(line) for line in done.stdout.splitlines()][:-1]


async def test_each_answer_of_a_vasp_is_in_the_ledger(lab: Lab, tmp_path: Path) -> None:
    lab.vasp.statuses = [
        mm7.Status(mm7.StatusCode.SUCCESS, "Success"),
        mm7.Status(mm7.StatusCode.VALIDATION_ERROR, "who is that?"),
        mm7.Status(mm7.StatusCode.SERVICE_UNAVAILABLE, "later"),
    ]
    await lab.phone(PHONE)
    await lab.phone(OTHER, fetching=Fetching.NEVER)
    ids = []
    for number in range(3):
        ids.append(accepted(await lab.vasp.submit(PHONE, content=picture(), transaction_id=f"T-{number}")).message_id)
        await lab.vasp.report()
    accepted(await lab.vasp.submit(OTHER, content=picture()))
    expected = [("sent", "1000"), ("refused", "4004"), ("owed", None), ("waiting", None)]
    found: list[dict[str, object]] = []
    async with asyncio.timeout(20):  # the last answer is on its way to the store
        while [(one["report"], one.get("code")) for one in found] != expected or found[2]["why"] == "being sent":
            found = await ledger(tmp_path)
    assert [one["message_id"] for one in found[:3]] == ids
    assert [one["mm7_transaction_id"] for one in found[:3]] == ["T-0", "T-1", "T-2"]
    assert (found[0]["why"], found[1]["why"]) == ("Success", "who is that?")
    assert str(found[2]["why"]).startswith("4006 later")
    assert [one["report"] for one in await ledger(tmp_path, "--missing", "--vasp", "news")] == [
        "refused",
        "owed",
        "waiting",
    ]
