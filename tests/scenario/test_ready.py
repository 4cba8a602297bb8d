"""The ready scenarios, on a lab of their own: all pass, and in less than a minute of anybody's time."""

import pytest

from mmsc.client import Client
from mmsc.scenario.files import listed, read_all, ready
from mmsc.scenario.model import Scenario
from mmsc.scenario.page import page
from mmsc.scenario.runner import Runner
from mmsc.scenario.running import run_all
from mmsc.scenario.text import failure
from mmsc.scenario.verdicts import Verdict

SCENARIOS = read_all(listed([ready()]))
LARGEST_REPORT_OCTETS = 1024 * 1024


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.file.rpartition("/")[2])
def test_it_passes(lab: Client, scenario: Scenario) -> None:
    result = Runner(lab).run(scenario)
    assert result.verdict is Verdict.PASS, failure(result)


@pytest.mark.slow
def test_all_of_them_one_after_the_other_fit_one_report(lab: Client) -> None:
    result = run_all(lab, SCENARIOS)
    assert result.exit_status == 0, "\n".join(failure(case) for case in result.cases if case.failed)
    made = page(result)
    assert made.count('class="ladder"') >= len(SCENARIOS)
    assert len(made.encode()) < LARGEST_REPORT_OCTETS
    assert "<script" not in made
