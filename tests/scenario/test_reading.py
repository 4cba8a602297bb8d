"""Scenario files: what they say, and what is told of those that say it wrongly."""

import json
from pathlib import Path

import pytest

from mmsc.scenario.files import chosen, listed, read_all, ready
from mmsc.scenario.manual import manual
from mmsc.scenario.model import STEPS, ScenarioError
from mmsc.scenario.reading import read, read_text
from mmsc.scenario.schema import schema
from mmsc.scenario.words import words_of

WHOLE = """\
name: One
tags: [a, b]
setup:
  phones: {"+15550000001": reject}
  vasps: {demo: {answers: HTTP 503, delay: 1 s}}
  faults: {mm7-vasp-http: {times: 2, status: 503}}
steps:
  - submit: {to: +15550000001, subject: 007, delivery_report: false, priority: High, expiry: 1 h}
  - expect: {vasp_got: DeliveryReportReq, within: PT1H, fields: {MMStatus: Retrieved, Date: "*", n: 5, t: "5"}}
  - phone: {number: +15550000001, does: off}
  - clock: step 1 h
  - settle: 5 min
---
name: Two
steps:
  - note: nothing to do
"""


def test_a_file_is_read_as_its_keys_mean_it() -> None:
    one, two = read_text(WHOLE, "x.yaml")
    assert (one.name, one.tags, two.name) == ("One", ("a", "b"), "Two")
    assert one.setup["vasps"] == {"demo": {"answers": "HTTP 503", "delay": 1.0}}
    assert one.setup["faults"] == {"mm7-vasp-http": {"times": 2, "status": 503}}
    submit, expect, phone, clock, settle = one.steps
    assert submit.what == {
        "to": ["+15550000001"],
        "subject": "007",
        "delivery_report": False,
        "priority": "High",
        "expiry": 3600.0,
    }
    assert expect.what["within"] == 3600.0
    assert expect.what["fields"] == {"MMStatus": "Retrieved", "Date": "*", "n": 5, "t": "5"}
    assert phone.what == {"number": "+15550000001", "does": "off"}
    assert (clock.what, settle.what, submit.line) == ("step 1 h", 300.0, 8)
    assert words_of(phone) == "handset +15550000001: off"
    assert words_of(expect) == "expect vasp_got=DeliveryReportReq within 1 h MMStatus=Retrieved Date=* n=5 t=5"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: x\nsteps:\n  - submitt: {to: 1}\n", "x.yaml:3: submitt is no step; the nearest is submit"),
        ("name: x\nstep: []\n", "x.yaml:2: step is no key; the nearest is steps"),
        ("steps:\n  - note: a\n", "x.yaml:1: name is missing"),
        ("name: x\nsteps: []\n", "x.yaml:2: steps: there is none"),
        ("name: x\nsteps:\n  - expect: {evnt: a}\n", "x.yaml:3: expect.evnt is no key; the nearest is event"),
        ("name: x\nsteps:\n  - phone: {number: 1}\n", "x.yaml:3: phone.does is missing"),
        ("name: x\nsteps:\n  - settle: soon\n", "x.yaml:3: settle: 'soon' is no time such as"),
        ("name: x\nsteps:\n  - submit: {delivery_report: perhaps}\n", "'perhaps' is not true or false"),
        ("name: x\nsteps:\n  - note: a\n    clear: b\n", "x.yaml:4: clear: a step has one key; begin another"),
        ("name: x\nsteps: [1]\n", "x.yaml:2: a step is a mapping with one key"),
        ("name: [\n", "x.yaml:2: not YAML"),
        ("- a\n", "x.yaml:1: a scenario is a mapping"),
        ("", "x.yaml: no scenario in it"),
        ("name: x\nsteps:\n  - note: {a: 1}\n", "x.yaml:3: note is a text"),
        ("name: x\nsteps:\n  - expect: {fields: [1]}\n", "x.yaml:3: expect.fields is a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_nearest_name(text: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as error:
        read_text(text, "x.yaml")
    assert any(one.startswith(problem) or problem in one for one in error.value.problems), error.value.problems


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ScenarioError) as error:
        read_text("nam: x\nsteps:\n  - a: b\n  - c: d\n", "x.yaml")
    assert [one.partition(": ")[0] for one in error.value.problems] == ["x.yaml:3", "x.yaml:4", "x.yaml:1", "x.yaml:1"]


def test_anchors_cannot_make_much_of_little() -> None:
    bomb = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    for name, before in zip("bcdefgh", "abcdefg", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    text = f"name: x\nsteps:\n  - expect:\n      event: x\n      fields:\n        bomb:\n{_indented(bomb)}"
    with pytest.raises(ScenarioError, match="too much, or nested too deeply"):
        read_text(text, "x.yaml")


def _indented(text: str) -> str:
    return "".join(f"          {line}\n" for line in text.splitlines())


def test_a_key_that_holds_itself_ends() -> None:
    with pytest.raises(ScenarioError):
        read_text("name: x\nsteps:\n  - expect: {event: x, fields: &a {b: *a}}\n", "x.yaml")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff")
    with pytest.raises(ScenarioError) as error:
        read_all([tmp_path / "a.yaml", tmp_path / "none.yaml"])
    assert [one.partition(": ")[2] for one in error.value.problems] == [
        "not UTF-8 at octet 0",
        "No such file or directory",
    ]
    (tmp_path / "b.yaml").write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ScenarioError, match="larger than"):
        read(tmp_path / "b.yaml")


def test_few_octets_do_not_become_many_things() -> None:
    """Anchors multiply; what is wrong is told a hundred times, not a hundred thousand."""
    numbers = ",".join("a" * 2000)
    many = f"name: x\nsteps:\n- &s\n  submit: {{to: [{numbers}]}}\n" + "- *s\n" * 2000
    with pytest.raises(ScenarioError, match="too much"):
        read_text(many, "f")
    keys = "".join(f"k{number}: 1\n" for number in range(300))
    wrong = f"name: x\n{keys}steps:\n- note: a\n"
    with pytest.raises(ScenarioError, match="perhaps more") as error:
        read_text(wrong, "f")
    assert len(error.value.problems) == 101
    with pytest.raises(ScenarioError, match="more than"):
        read_text("name: x\nsteps: [{note: a}]\n---\n" * 201, "f")


def test_scenarios_are_chosen_by_words() -> None:
    found = read_text(WHOLE, "dir/first.yaml")
    assert [one.name for one in chosen(found, ["ONE"])] == ["One"]
    assert [one.name for one in chosen(found, ["first", "-one"])] == ["Two"]
    assert [one.name for one in chosen(found, ["b"])] == ["One"]


def test_the_ready_ones_are_there_and_each_says_why_it_matters() -> None:
    found = read_all(listed([ready()]))
    assert len(found) >= 10
    assert all(one.description and one.clause and one.steps for one in found)
    assert len({one.name for one in found}) == len(found)


def test_the_schema_knows_every_step() -> None:
    made = json.loads(json.dumps(schema()))
    assert made["required"] == ["name", "steps"]
    assert set(made["properties"]["steps"]["items"]["properties"]) == set(STEPS)
    assert made["properties"]["setup"]["additionalProperties"] is False


def test_the_manual_is_up_to_date() -> None:
    """`python -c "from mmsc.scenario.manual import manual; print(manual(), end='')" > docs/scenarios.md` makes it."""
    assert (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text() == manual()
