"""`mmsc run` as people and continuous integration use it."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from mmsc.cli.group import main
from mmsc.client import Client, LabProcess

GOOD = "name: Good\nsteps:\n  - submit: {to: +15550000001, text: x}\n  - expect: {vasp_got: DeliveryReportReq}\n"
BAD = "name: Bad\nsteps:\n  - expect: {vasp_got: DeliveryReportReq, within: 1 s}\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments])


def written(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return str(folder)


def test_it_says_what_came_of_each_and_ends_with_its_status(running: LabProcess, lab: Client, tmp_path: Path) -> None:
    folder = written(tmp_path, a=GOOD, b=BAD)
    reports = {name: tmp_path / name for name in ("report.xml", "report.html")}
    told = run(
        folder, "--url", running.url, "--junit", str(reports["report.xml"]), "--html", str(reports["report.html"]), "-v"
    )
    assert told.exit_code == 1
    assert "● pass         Good (2 steps" in told.output
    assert "■ fail         Bad (1 steps" in told.output
    assert "1 pass, 1 fail in" in told.output
    suites = ElementTree.fromstring(reports["report.xml"].read_bytes())
    assert (suites.attrib["tests"], suites.attrib["failures"]) == ("2", "1")
    assert "Good" in reports["report.html"].read_text()
    assert run(folder, "--url", running.url, "--filter", "good").exit_code == 0


def test_the_first_failure_may_be_the_last(running: LabProcess, lab: Client, tmp_path: Path) -> None:
    told = run(written(tmp_path, a=BAD, b=GOOD), "--url", running.url, "--stop", "--json")
    result = json.loads(told.output)
    assert [case["verdict"] for case in result["cases"]] == ["fail"]
    assert result["left_out"] == 1


def test_a_file_that_is_none_is_told_before_anything_is_done(tmp_path: Path) -> None:
    told = run(written(tmp_path, a="name: x\nsteps:\n  - sumbit: {}\n"))
    assert told.exit_code == 2
    assert "a.yaml:3: sumbit is no step; the nearest is submit" in told.output
    assert run(written(tmp_path, a=GOOD), "--filter", "nothing").exit_code == 2


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = run(written(tmp_path, a=GOOD), "--url", "http://127.0.0.1:9")
    assert told.exit_code == 3
    assert "◇ inconclusive Good" in told.output
    assert run(written(tmp_path, a=GOOD), "--url", "ftp://x").exit_code == 3


def test_the_format_and_the_files_are_told() -> None:
    assert json.loads(run("--schema").output)["title"] == "A scenario of mmsc run"
    assert len(run("--list").output.splitlines()) >= 10


def test_what_happened_becomes_a_draft(running: LabProcess, lab: Client) -> None:
    sent = lab.submit(to=["+15550000001"], subject="Kept", text="x", delivery_report=True)
    lab.settle()
    told = run("--record", sent.mm_id, "--url", running.url)
    assert told.exit_code == 0
    assert "name: Kept, as it was" in told.output
    assert run("--record", "1", "--url", running.url).exit_code == 3
    assert run("--record", "1").exit_code == 2


@pytest.mark.slow
def test_without_a_server_one_is_started(checkout: None, tmp_path: Path) -> None:
    told = run(written(tmp_path, a=GOOD))
    assert told.exit_code == 0, told.output
    assert "1 pass in" in told.output
