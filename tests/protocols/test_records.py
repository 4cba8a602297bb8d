"""Records: values to the type checker always, and at run time in tests."""

import dataclasses
from pathlib import Path

import pytest
from mypy import api

from protocols.records import record

_SOURCE = """
from protocols.records import record

@record(frozen=True, slots=True)
class Sample:
    number: int

Sample(1).number = 2
"""


@record(frozen=True, slots=True)
class Sample:
    number: int
    text: str = ""


def test_records_are_values() -> None:
    assert Sample(1, "a") == Sample(1, text="a")
    assert len({Sample(1), Sample(1), Sample(2)}) == 2
    assert dataclasses.replace(Sample(1), text="b") == Sample(1, "b")


def test_in_tests_a_record_refuses_to_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sample(1).number = 2  # type: ignore[misc] # what is tested


@pytest.mark.slow
def test_the_type_checker_refuses_a_change(tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(_SOURCE)
    out, _, status = api.run([str(file)])
    assert status == 1
    assert 'Property "number" defined in "Sample" is read-only' in out
