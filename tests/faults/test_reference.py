"""Pages and examples that are made from the tables are as the tables are."""

from pathlib import Path

import pytest

from mmsc import configured_faults
from mmsc.clock import Clock
from mmsc.configured import misread
from mmsc.faults import reference
from mmsc.faults.parameters import Setting
from mmsc.faults.plan import Plan
from mmsc.faults.toml import as_config
from mmsc.settings import load
from mmsc.settings.reading import SettingsError
from tests.tidy.project import TOP


@pytest.mark.parametrize(("name", "page"), [("faults", reference.faults_page), ("magic-numbers", reference.magic_page)])
def test_a_reference_page_is_as_the_table(name: str, page: object) -> None:
    assert callable(page)
    assert (TOP / "docs" / f"{name}.md").read_text() == page(), "write it anew: python -m mmsc.faults.reference docs"


def test_the_example_of_chaos_is_a_file_that_can_be_served() -> None:
    settings = load(TOP / "config" / "chaos.toml", {})
    assert list(misread(settings)) == []
    plan = Plan(Clock())
    configured_faults.take_over(plan, settings)
    assert len(plan.active()) == len(settings.faults) >= 5
    assert all(one.from_file for one in plan.active())


def test_what_is_on_can_be_put_into_a_file_as_it_is_told(tmp_path: Path) -> None:
    plan = Plan(Clock())
    plan.set("mm7-submit-status", Setting(status=4006, text='say "no"\\', vasp="news", rate=0.5, seed=3))
    plan.set("smsc-status", Setting(status="ESME_RSYSERR", expires_after_seconds=60))
    plan.set("store-slow", Setting(seconds=0.25))
    path = tmp_path / "faults.toml"
    path.write_text(as_config((one.fault.name, one.setting) for one in plan.active()))
    again = Plan(Clock())
    configured_faults.take_over(again, load(path, {}))
    assert {one.fault.name: one.setting for one in again.active()} == {
        one.fault.name: one.setting for one in plan.active()
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[faults.mm7-submit-state]\n", "did you mean mm7-submit-status"),
        ("[faults.mm7-submit-status]\noctets = 5\n", "has no octets"),
        ("[faults.mm7-submit-status]\nrates = 0.5\n", "rate"),
        ("[faults.mm7-submit-status]\nrate = 2.0\n", "rate"),
        ('[magic]\nprefix = "5559"\n', "prefix"),
    ],
)
def test_what_is_no_fault_is_told(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    try:
        told = " ".join(misread(load(path, {})))
    except SettingsError as error:
        told = str(error)
    assert why in told
