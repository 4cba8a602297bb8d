"""protocols/COVERAGE.md says of MM1 what its tables and goldens say."""

import pytest

from protocols import mm1
from tests.protocols.mm1_strategies import PDUS, rows_of
from tests.tidy.mm1_coverage import BEGIN, COMMAND, END, GAPS, PATH, goldens, page, parts


def test_the_page_is_up_to_date() -> None:
    text = PATH.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert parts(text)[1].strip() == page(), f"run {COMMAND}"


def test_all_is_read_and_written() -> None:
    """But for what is told as a gap."""
    rows = [line for line in page().splitlines() if line.startswith("| `mm1.")]
    assert len(rows) == len(PDUS) == 24
    assert [row for row in rows if "| no |" in row] == []
    assert set(GAPS) <= set(PDUS)


@pytest.mark.parametrize("cls", PDUS, ids=lambda cls: cls.__name__)
def test_some_golden_of_a_pdu_has_each_of_its_fields(cls: type[mm1.Pdu]) -> None:
    """OMA-TS-MMS_ENC 6; among others one that has only what it must have."""
    assert {attribute for attribute in rows_of(cls) if (cls, attribute) not in goldens()} == set()
    must = {*cls.mandatory, "mms_version"}
    least = min(
        sum(case in goldens().get((cls, attribute), ()) for attribute in rows_of(cls)) for case in goldens()[cls, ""]
    )
    assert least <= len(must) + 1, "a recipient may be needed, and no single field of his"
