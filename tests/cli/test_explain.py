"""`mmsc explain`: a rule by its name, as text and as JSON; all of them; a name that is none."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from mmsc.cli.explain import rules
from mmsc.cli.group import main
from protocols.mm7.rules import MISSPELT, RULES


def test_a_rule_tells_clause_reason_and_both_examples() -> None:
    told = CliRunner().invoke(main, ["explain", "mm7-r012"])
    assert told.exit_code == 0
    assert told.output.startswith("MM7-R012  TS 23.140 8.7.8\n")
    assert " ".join(MISSPELT.why.split()) in " ".join(told.output.split())
    assert f"Good, in a SubmitReq, behind Recipients:\n  {MISSPELT.good}\n" in told.output
    assert f"Bad, in a SubmitReq, behind Recipients:\n  {MISSPELT.bad}\n" in told.output


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule.name)
def test_json_has_all_that_is_known_of_a_rule(rule: object) -> None:
    name = getattr(rule, "name", "")
    told = json.loads(CliRunner().invoke(main, ["explain", "--json", name]).output)
    assert told.pop("rule") == name
    assert told == {key: getattr(rule, key) for key in told}
    assert set(told) == {"clause", "text", "why", "where", "good", "bad"}


def test_without_a_name_all_are_listed() -> None:
    lines = CliRunner().invoke(main, ["explain"]).output.splitlines()
    assert [line.split()[0] for line in lines] == [rule.name for rule in rules()]
    assert len(json.loads(CliRunner().invoke(main, ["explain", "--json"]).output)) == len(lines) >= len(RULES)


def test_an_unknown_name_is_told_with_its_neighbours() -> None:
    told = CliRunner().invoke(main, ["explain", "MM7-R12"])
    assert told.exit_code == 2
    assert "MM7-R012" in told.stderr


def test_only_what_it_needs_is_imported() -> None:
    code = "import sys, mmsc.cli.explain as one; one.command.main(['MM7-R012'], standalone_mode=False);"
    code += "print([name for name in sys.modules if name.startswith(('mmsc.engine', 'mmsc.app', 'mmsc.net'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
