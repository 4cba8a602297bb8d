"""Magic numbers, each from its submission to its outcome, as a client meets them: no phone, no fault, no clock."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from mmsc.faults.magic import BY_STATUS, BY_TWO, MagicTable
from mmsc.faults.wrong_mm7 import OTHER_TRANSACTION
from mmsc.reloading import reload
from mmsc.settings.faults import Magic
from mmsc.settings.model import Fallback, Notification
from protocols.errors import DecodeError
from protocols.mm7 import SubmitRsp
from tests.faults.world import asked, faulty_lab, hits, in_state, one_hit, posted, said, states, until
from tests.operations.test_live_keys import changed
from tests.scenarios.conftest import Lab

PREFIX = "+15559"
TABLE = MagicTable(PREFIX)
ANSWERS = ("86", "87", "88", "89")  # what they show is the answer to the SubmitReq
QUICK = Notification(unacknowledged_after_seconds=0.3)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    magic, fallback = Magic(enabled=True, prefix=PREFIX), Fallback(enabled=True)
    async with faulty_lab(tmp_path, magic=magic, notification=QUICK, fallback=fallback) as lab:
        yield lab


def number(ending: str) -> str:
    return TABLE.example(BY_TWO.get(ending) or BY_STATUS[ending])


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_each_ending_of_two_digits_has_its_outcome(lab: Lab) -> None:
    """All at once, as a test suite would: nobody disturbs anybody else."""
    wanted = {number(one.ending): one.outcome for one in BY_TWO.values() if one.ending not in (*ANSWERS, "85")}
    wanted[number("94")] = "link_sent"  # the fallback is on; below it is off
    wanted[number("03")] = "retrieved"  # never acknowledged, and here not for long
    for one in wanted:
        rsp = await lab.vasp.submit(one)
        assert isinstance(rsp, SubmitRsp)
        assert rsp.status.code == 1000
    try:
        await until(lambda: _are(lab, wanted), 60)
    except TimeoutError:
        found = await states(lab)
        assert {one: found[one] for one in wanted} == wanted


async def _are(lab: Lab, wanted: dict[str, str]) -> bool:
    found = await states(lab)
    return all(found.get(one) == state for one, state in wanted.items())


async def test_unrecognised_where_there_is_no_link(tmp_path: Path) -> None:
    magic = Magic(enabled=True, prefix=PREFIX)
    async with faulty_lab(tmp_path, magic=magic, fallback=Fallback(enabled=False)) as lab:
        await lab.vasp.submit(number("94"))
        await in_state(lab, number("94"), "unrecognised")


@pytest.mark.parametrize("ending", [one for one in BY_STATUS if int(one) >= 2000])
def test_every_error_status_has_its_ending(ending: str) -> None:
    found = TABLE.of(f"{PREFIX}00{ending}")
    assert found is not None
    assert found.ending == ending


async def test_each_status_is_answered_and_only_success_is_taken(lab: Lab) -> None:
    for ending in BY_STATUS:
        answer = said(await posted(lab, number(ending), transaction_id=f"t{ending}"))
        assert answer.transaction_id == f"t{ending}"
        status = getattr(answer.message, "status")  # noqa: B009
        assert (status.code, status.text) == (int(ending), status.code.text)
    rows = await lab.app.store.fetch("SELECT address FROM recipient")
    assert rows == [(number("1100"),)]
    _, hit = await one_hit(lab, "mm7-submit-status")
    assert (hit.magic, hit.number) == ("1100", number("1100"))


async def test_a_national_number_is_as_magic(lab: Lab) -> None:
    message = said(await posted(lab, number("4006").removeprefix("+1"))).message
    assert isinstance(message, SubmitRsp)
    assert message.status.code == 4006


async def test_answers_that_are_none(lab: Lab) -> None:
    assert await posted(lab, number("86")) == (503, "", b"")
    assert await posted(lab, number("87")) == (200, "", b"")
    garbage = await posted(lab, number("88"))
    with pytest.raises(DecodeError):
        said(garbage)
    assert said(await posted(lab, number("89"))).transaction_id == OTHER_TRANSACTION.decode()


async def test_an_answer_is_lost_once_and_the_repeat_is_recognised(lab: Lab) -> None:
    for round_of_a_suite in ("first", "second"):  # every run begins anew
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await posted(lab, number("85"), transaction_id=round_of_a_suite)
        message = said(await posted(lab, number("85"), transaction_id=round_of_a_suite)).message
        assert isinstance(message, SubmitRsp)
        assert message.status.code == 1000
    assert await lab.app.store.fetch("SELECT COUNT(*) FROM mm") == [(2,)]


async def test_an_answer_comes_as_late_as_the_number_says(lab: Lab) -> None:
    host = lab.app.clock
    before = host.real_now()
    message = said(await posted(lab, f"{PREFIX}007001")).message
    assert isinstance(message, SubmitRsp)
    assert host.real_now() - before >= 1_000_000


async def test_reports_are_lost_doubled_and_tried_again(lab: Lab) -> None:
    await lab.vasp.submit(number("83"))
    await lab.vasp.report()
    await lab.vasp.report()
    assert len(lab.vasp.report_ids) == 2
    assert len(set(lab.vasp.report_ids)) == 1
    await lab.vasp.submit(number("84"))
    await lab.vasp.report()
    await lab.vasp.report()
    await lab.vasp.submit(number("82"))
    await one_hit(lab, "mm7-request-never")
    await in_state(lab, number("82"), "retrieved")
    assert lab.vasp.reports.empty()
    assert len(await hits(lab, "mm7-vasp-http")) == 1


async def test_off_by_default_and_switched_by_the_settings(tmp_path: Path) -> None:
    async with faulty_lab(tmp_path) as lab:
        app = lab.app
        assert not app.faults.on
        assert (await asked(app, "GET", "/magic-numbers"))[1] == {"prefix": "", "numbers": []}
        base = app.settings
        on = changed(changed(base, "magic.enabled", True), "magic.prefix", "+15557")
        assert await reload(app, lambda: on) == "applied"
        assert app.faults.outcome("+15557000091") is not None
        assert app.faults.outcome("+15559000091") is None
        told = (await asked(app, "GET", "/magic-numbers"))[1]
        assert told["prefix"] == "+15557"
        assert {"ending": "91", "number": "+15557000091"}.items() <= next(
            one for one in told["numbers"] if one["ending"] == "91"
        ).items()
        await lab.vasp.submit("+15557000091")
        await in_state(lab, "+15557000091", "rejected")
        assert await reload(app, lambda: base) == "applied"
        assert not app.faults.on
