"""The tables of records, their page, and the two formats, which say the same."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.cdr import page
from mmsc.cdr.forms import (
    ADDRESS,
    ADDRESSES,
    COMPONENTS,
    FLAG,
    INTEGER,
    PAIRS,
    FormError,
    address,
    form_of,
    read_time,
    timestamp,
)
from mmsc.cdr.happened import House
from mmsc.cdr.lines import COLUMNS, csv_header, csv_lines, from_cells, from_json, json_lines
from mmsc.cdr.making import records_of
from mmsc.cdr.records import BY_NAME, MM_STATUS, RECORD_TYPES
from mmsc.cdr.triggers import TRIGGERS, coverage
from mmsc.domain.instant import Instant

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1)
ADDRESSES_ = st.builds(address, TEXTS, st.sampled_from(["", "to", "cc", "bcc"]))
COMPONENTS_ = st.fixed_dictionaries(
    {"component": st.sampled_from(["subject", "media"]), "type": TEXTS, "size": st.integers(0, 1 << 40)}
)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    id(ADDRESS): ADDRESSES_,
    id(ADDRESSES): st.lists(ADDRESSES_, min_size=1, max_size=5),
    id(COMPONENTS): st.lists(COMPONENTS_, min_size=1, max_size=5),
    id(FLAG): st.booleans(),
    id(INTEGER): st.integers(-(1 << 60), 1 << 60),
    id(PAIRS): st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3),
}
RECORDS = st.fixed_dictionaries({}, optional={name: VALUES.get(id(form_of(name)), TEXTS) for name in COLUMNS}).map(
    lambda found: {"recordType": "7S", **found}
)


@given(st.lists(RECORDS, max_size=4))
def test_both_formats_say_the_same(records: list[dict[str, Any]]) -> None:
    lines = json_lines(records).decode().split("\n")[:-1]
    assert [from_json(line) for line in lines] == records
    header, *rows = csv.reader(io.StringIO((csv_header() + csv_lines(records)).decode(), newline=""))
    assert tuple(header) == COLUMNS
    assert [from_cells(header, row) for row in rows] == records


def test_the_table_is_that_of_the_specification() -> None:
    assert [one.number for one in RECORD_TYPES] == list(range(30, 63))
    assert len(BY_NAME) == 33
    for one in RECORD_TYPES:
        tags = [field.tag for field in one.fields]
        assert tags == sorted(set(tags)), one.name
    assert [field.name for field in BY_NAME["O4FRs"].fields if field.mandatory] == [
        "recipientMmsRSAddress",
        "messageID",
    ]
    assert len(COLUMNS) == len(set(COLUMNS))


def test_the_page_is_made_from_the_tables() -> None:
    assert (Path(page.__file__).parent / "RECORDS.md").read_text() == page.page()


def test_every_trigger_names_records_that_there_are() -> None:
    assert set(coverage()) <= set(BY_NAME)
    named = {name for trigger in TRIGGERS.values() for name in trigger.records}
    assert named == {
        *("F", "O1S", "7S", "R4F", "O4FRq", "O4FRs", "O4D", "R1NRq", "R1NRs", "R1Rt", "R1A", "R1RR"),
        *("7C", "7R", "7DRq", "7DRs", "7RRq", "7RRs"),
        *("O1D", "O1R", "R4DRq", "R4DRs", "7DRRq", "7DRRs", "OMD", "RMD"),
        *("7DRq", "7DRs", "7RRq", "7RRs"),
    }
    assert MM_STATUS["deletedWithoutBeingRead"] == 7
    assert callable(records_of)
    assert House("a", "b").peer("c") == "c"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("messageSize", "many"),
        ("messageSize", "9" * 30),
        ("deliveryReportRequested", "perhaps"),
        ("recipientAddresses", "whom:+1555"),
        ("mmComponentType", "media:image/jpeg"),
    ],
)
def test_a_cell_of_another_kind_is_refused_by_its_column(name: str, cell: str) -> None:
    with pytest.raises(FormError, match=f"{name}: "):
        from_cells([name], [cell])


@pytest.mark.parametrize("line", ["", "7", "{", '{"a":' * 100_000])
def test_a_line_that_is_no_object_is_refused(line: str) -> None:
    with pytest.raises(FormError, match="no JSON"):
        from_json(line)


def test_times_are_read_with_and_without_a_zone() -> None:
    at = Instant(1_700_000_000_123_456)
    assert timestamp(at) == "2023-11-14T22:13:20.123Z"
    assert (
        read_time(timestamp(at)) == read_time("2023-11-14T23:13:20.123+01:00") == read_time("2023-11-14T22:13:20.123")
    )
    with pytest.raises(FormError):
        read_time("yesterday")


def test_json_keeps_the_order_of_the_tags() -> None:
    line = json_lines([{"recordType": "O4FRs", "messageID": "m", "statusText": "x"}]).decode()
    assert list(json.loads(line)) == ["recordType", "messageID", "statusText"]
