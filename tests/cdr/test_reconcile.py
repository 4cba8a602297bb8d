"""Two parties' files: what agrees, what one has and the other has not, what differs; and files that are none."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from mmsc.cdr.forms import address
from mmsc.cdr.lines import csv_header, csv_lines, json_lines
from mmsc.cdr.parties import normalised
from mmsc.cli.group import main

HOME, OTHER = "mms.home.example", "mms.other.example"
AT = "2026-11-26T19:30:0{}.000Z"


def sent(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "recordType": "O4FRq",
        "originatorMmsRSAddress": HOME,
        "recipientMmsRSAddress": OTHER,
        "messageID": f"m{number}@{HOME}",
        "originatorAddress": address("+15550100123"),
        "recipientAddresses": [address("+16660100123"), address("+16660100124")],
        "messageSize": 30_000,
        "recordTimeStamp": AT.format(number % 10),
        **changes,
    }


def received(number: int, **changes: Any) -> dict[str, Any]:
    others = {"recordType": "R4F", "recipientAddresses": [address("+16660100123", "to"), address("+16660100124", "to")]}
    return {**sent(number), **others, **changes}


def report(number: int, kind: str, word: str) -> dict[str, Any]:
    return {
        "recordType": kind,
        "originatorMmsRSAddress": HOME,
        "recipientMmsRSAddress": OTHER,
        "messageID": f"m{number}@{HOME}",
        "recipientAddress": address("+16660100123"),
        "mmStatusCode": word,
        "recordTimeStamp": AT.format(9),
    }


def write(folder: Path, name: str, *found: dict[str, Any]) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    octets = csv_header() + csv_lines(found) if ".csv" in name else json_lines(found)
    path.write_bytes(gzip.compress(octets) if name.endswith(".gz") else octets)
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cdr", *arguments])


@pytest.mark.parametrize("names", [("a.jsonl", "b.csv"), ("a.csv.gz", "b.jsonl.gz")])
def test_parties_that_agree_whatever_their_formats(tmp_path: Path, names: tuple[str, str]) -> None:
    ours = [
        *(sent(number) for number in range(5)),
        report(1, "O4D", "retrieved"),
        {"recordType": "7S", "messageID": "x"},
    ]
    theirs = [*(received(number) for number in range(5)), report(1, "R4DRq", "retrieved")]
    done = run("reconcile", write(tmp_path, names[0], *ours), write(tmp_path, names[1], *theirs))
    assert done.exit_code == 0, done.output
    assert "A's O4FRq - B's R4F: 10 agree, 0 differ, 0 only in A, 0 only in B" in done.output
    assert "B's R4DRq - A's O4D: 1 agree" in done.output
    assert "left out, about others or of no pair: 1 of A" in done.output


def test_what_is_missing_doubled_and_different_is_told(tmp_path: Path) -> None:
    ours = write(tmp_path, "a/1.jsonl", sent(1), sent(2), sent(3), sent(3), report(1, "O4D", "expired"))
    theirs = write(tmp_path, "b.csv", received(1), received(3, messageSize=29_999), report(1, "R4DRq", "retrieved"))
    done = run("reconcile", str(Path(ours).parent), theirs, "--json")
    assert done.exit_code == 1
    *found, totals = map(json.loads, done.output.splitlines())
    by_kind = {(one["kind"], one["messageID"], one["recipient"]): one for one in found}
    assert set(by_kind) == {
        ("only_in_a", f"m2@{HOME}", "+16660100123"),
        ("only_in_a", f"m2@{HOME}", "+16660100124"),
        ("only_in_a", f"m3@{HOME}", "+16660100123"),
        ("only_in_a", f"m3@{HOME}", "+16660100124"),
        ("differs", f"m3@{HOME}", "+16660100123"),
        ("differs", f"m3@{HOME}", "+16660100124"),
        ("differs", f"m1@{HOME}", "+16660100123"),
    }
    differs = by_kind["differs", f"m1@{HOME}", "+16660100123"]
    assert differs["fields"] == [{"name": "mmStatusCode", "a": "expired", "b": "retrieved"}]
    assert differs["places"] == [f"{ours}:5", f"{theirs}:4"]
    assert totals["matched"] == {"A's O4FRq - B's R4F": 2}
    assert not totals["equal"]


def test_times_may_differ_by_the_tolerance(tmp_path: Path) -> None:
    ours = write(tmp_path, "a.jsonl", sent(1, recordTimeStamp="2026-11-26T19:30:00Z"))
    theirs = write(tmp_path, "b.jsonl", received(1, recordTimeStamp="2026-11-26T20:30:07.5+01:00"))
    assert run("reconcile", ours, theirs).exit_code == 0
    assert run("reconcile", ours, theirs, "--tolerance", "7").exit_code == 1


def test_traffic_with_others_is_left_out(tmp_path: Path) -> None:
    ours = write(tmp_path, "a.jsonl", sent(1), sent(2, recipientMmsRSAddress="mms.third.example"))
    theirs = write(tmp_path, "b.jsonl", received(1), received(7, originatorMmsRSAddress="mms.third.example"))
    assert run("reconcile", ours, theirs).exit_code == 0
    nothing = write(tmp_path, "none.jsonl")
    assert "2 only in A" in run("reconcile", ours, nothing, "--theirs", OTHER).output


def test_a_vasps_own_list_is_held_against_the_submissions(tmp_path: Path) -> None:
    submitted = [
        {"recordType": "7S", "messageID": f"m{number}", "recipientAddresses": [address("+1555010012" + str(number))]}
        for number in range(3)
    ]
    ours = write(tmp_path, "a.jsonl", *submitted, sent(1))
    vasp = tmp_path / "vasp.csv"
    vasp.write_text("Message-ID;To;campaign\nm0;15550100120;x\nm1;+15550100129;x\nm9;+15550100123;x\n")
    done = run("reconcile", ours, str(vasp))
    assert done.exit_code == 1
    assert "only in A: B's list - A's 7S: m2" in done.output
    assert "only in B: B's list - A's 7S: m9" in done.output
    assert "  recipients: +15550100121 | +15550100129" in done.output
    assert "1 agree, 1 differ, 1 only in A, 1 only in B" in done.output
    vasp.write_text("MessageID\nm0\nm1\nm2\n")
    assert run("reconcile", ours, str(vasp)).exit_code == 0


def submitted(*numbers: int) -> list[dict[str, Any]]:
    people = [address("+15550100120"), address("+15550100121")]
    return [{"recordType": "7S", "messageID": f"m{number}", "recipientAddresses": people} for number in numbers]


EMPTY = {
    "a header alone": ("vasp.csv", "MessageID,To\n"),
    "our header alone": ("b.csv", csv_header().decode()),
    "no octets": ("vasp.txt", ""),
    "blank lines": ("vasp.csv", "\n  \n\r\n"),
    "a header and blank lines": ("vasp.csv", "\n\nMessageID\n\n   \n"),
    "a folder": ("vasp/b.jsonl", ""),
}


@pytest.mark.parametrize("what", EMPTY)
def test_an_empty_side_has_nothing_of_what_the_other_has(tmp_path: Path, what: str) -> None:
    ours = write(tmp_path, "a.jsonl", *submitted(1, 2, 3))
    name, text = EMPTY[what]
    theirs = tmp_path / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text(text)
    place = str(theirs.parent if "/" in name else theirs)
    done = run("reconcile", ours, place)
    assert (done.exit_code, "3 only in A, 0 only in B" in done.output) == (1, True), done.output
    done = run("reconcile", place, ours)
    assert (done.exit_code, "0 only in A, 3 only in B" in done.output) == (1, True), done.output
    totals = json.loads(run("reconcile", ours, place, "--json").output.splitlines()[-1])
    assert (totals["equal"], totals["only_in_a"]) == (False, {"B's list - A's 7S": 3})
    assert totals["records"] == {"A": 3}


def test_dev_null_is_an_empty_list(tmp_path: Path) -> None:
    done = run("reconcile", write(tmp_path, "a.jsonl", *submitted(1, 2)), "/dev/null")
    assert (done.exit_code, "2 only in A" in done.output) == (1, True), done.output


def test_an_empty_list_says_nothing_about_mm4_and_other_empty_files_may_be_either(tmp_path: Path) -> None:
    ours = write(tmp_path, "a.jsonl", *submitted(1), sent(1))
    listed = tmp_path / "vasp.csv"
    listed.write_text("MessageID\n")
    done = run("reconcile", ours, str(listed))
    assert done.exit_code == 1
    assert "O4FRq" not in done.output
    assert "left out, about others or of no pair: 2 of A" in done.output
    done = run("reconcile", ours, write(tmp_path, "b.jsonl"))
    assert "B's list - A's 7S: 0 agree, 0 differ, 1 only in A" in done.output
    assert "A's O4FRq - B's R4F: 0 agree, 0 differ, 2 only in A" in done.output


def test_where_nothing_can_be_compared_nobody_agrees(tmp_path: Path) -> None:
    nothing, ours = write(tmp_path, "none.jsonl"), write(tmp_path, "a.jsonl", *submitted(1, 2))
    heard = write(tmp_path, "b.jsonl", {"recordType": "O1S", "messageID": "x"})
    for a, b, words in (
        (nothing, nothing, "A has no records, B has no records"),
        (ours, ours, "A has 2 records, B has 2 records"),
        (ours, heard, "A has 2 records, B has 1 records"),
        (heard, nothing, "A has 1 records, B has no records"),
    ):
        done = run("reconcile", a, b)
        assert (done.exit_code, f"Error: nothing to compare: {words}" in done.stderr) == (2, True), done.output
        done = run("reconcile", a, b, "--json")
        assert (done.exit_code, json.loads(done.stdout)["equal"]) == (2, False)


def test_who_is_twice_in_a_list_is_told(tmp_path: Path) -> None:
    ours = write(tmp_path, "a.jsonl", *submitted(1, 2))
    vasp = tmp_path / "vasp.csv"
    vasp.write_text("MessageID\nm1\nm2\n\n\n\n\n\n\nm1\nm2\n")
    done = run("reconcile", ours, str(vasp))
    assert done.exit_code == 1
    assert f"only in B: B's list - A's 7S: m1 ({vasp}:10)" in done.output
    assert "2 agree, 0 differ, 0 only in A, 2 only in B" in done.output
    vasp.write_text("MessageID,To\nm1,+15550100120\nm1,+15550100121\nm2,+15550100121\nm2,+15550100120\n")
    assert run("reconcile", str(vasp), ours).exit_code == 0
    vasp.write_text(vasp.read_text() + "m2,15550100121\n")
    done = run("reconcile", str(vasp), ours)
    assert done.exit_code == 1
    assert f"only in A: A's list - B's 7S: m2 ({vasp}:6)" in done.output
    assert "2 agree, 0 differ, 1 only in A, 0 only in B" in done.output


@pytest.mark.parametrize("wrong", ["ours", "theirs"])
def test_a_bad_time_is_told_with_the_file_it_stands_in(tmp_path: Path, wrong: str) -> None:
    bad = {"submissionTime": "soon"}
    good = {"submissionTime": "2026-11-26"}  # a day alone is a time, too
    a = write(tmp_path, "a.jsonl", sent(1), sent(2, **(bad if wrong == "ours" else good)))
    b = write(tmp_path, "b.jsonl", received(2, **(bad if wrong == "theirs" else good)), received(1))
    done = run("reconcile", a, b)
    place = f"{a}:2" if wrong == "ours" else f"{b}:1"
    assert (done.exit_code, done.stderr) == (2, f"Error: {place}: submissionTime: 'soon' is no time\n")


def test_lines_are_counted_from_the_top_and_a_pipe_is_refused(tmp_path: Path) -> None:
    ours = write(tmp_path, "a.jsonl", *submitted(1))
    for name, text in {
        "b.csv": "\n\nmessageID,size\nm1,\nm2,red\n",
        "b.jsonl": '\n\n\n{"messageID": "m1"}\n{\n',
    }.items():
        (tmp_path / name).write_text(text)
        assert f"{name}:5: " in run("reconcile", ours, str(tmp_path / name)).stderr
    os.mkfifo(tmp_path / "pipe")
    done = run("reconcile", ours, str(tmp_path / "pipe"))
    assert (done.exit_code, "a pipe" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "octets", "why"),
    [
        ("a.jsonl", b'{"recordType": "7S"\n', "a.jsonl:1: no JSON"),
        ("a.jsonl", b'{"recordType": "R4F"}\n', "a.jsonl:1: no messageID"),
        ("a.jsonl", b'{"recordType": "O4D", "messageID": "m", "recordTimeStamp": "soon"}\n', ""),
        ("a.csv", b"colour,size\nred,7\n", "a.csv:1: no column messageID; the header has colour, messageSize"),
        ("a.csv", b"messageID,messageSize\nm,red\n", "a.csv:2: messageSize: 'red' is no integer"),
        ("a.csv", b"messageID\nm,7\n", "a.csv:2: 2 cells under 1 columns"),
        ("a.csv", b"messageID\n\xff\xfe\n", "a.csv: not UTF-8"),
        ("a.csv.gz", gzip.compress(b"messageID\nm\n", mtime=0)[:-6], "a.csv.gz: "),
        ("a.csv.gz", b"messageID\nm\n", "a.csv.gz: "),
        ("sub/a.jsonl.open", b"", "what ends with .open is still being written"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, name: str, octets: bytes, why: str) -> None:
    folder = tmp_path / "in"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_bytes(octets)
    there = folder / name if why and not name.endswith(".open") else folder
    fine = write(tmp_path, "b.jsonl", report(1, "R4DRq", "expired") | {"messageID": "m"})
    done = run("reconcile", str(there), fine, "--json")
    assert done.exit_code == (2 if why else 1), done.output
    assert why in done.output
    assert run("reconcile", str(tmp_path / "nowhere"), fine).exit_code == 2


def test_a_folder_with_both_formats_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, "a/x.jsonl", sent(1))
    write(tmp_path, "a/x.csv", sent(1))
    assert run("reconcile", str(tmp_path / "a"), write(tmp_path, "b.csv", received(1))).exit_code == 0


def test_many_differences_are_counted_and_some_shown(tmp_path: Path) -> None:
    ours = write(tmp_path, "a.jsonl", *(sent(number) for number in range(20)))
    done = run("reconcile", ours, write(tmp_path, "b.jsonl"), "--limit", "3")
    assert done.output.count("only in A: ") == 3
    assert "... and 37 more (--limit)" in done.output


def test_show_is_readable_and_filtered(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", sent(1, statusText="a\x1b[31mb"), report(1, "O4D", "retrieved"))
    done = run("show", path)
    assert done.exit_code == 0
    assert "O4FRq  originatorMmsRSAddress=mms.home.example" in done.output
    assert "\x1b" not in done.output
    assert len(run("show", path, "--type", "O4D").output.splitlines()) == 1
    assert "is no record type" in run("show", path, "--type", "O4X").output
    assert run("show", str(tmp_path / "none")).exit_code == 2


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("+15550100123", "+15550100123"),
        ("15550100123", "+15550100123"),
        ("+1 (555) 010-0123", "+15550100123"),
        ("+15550100123/TYPE=PLMN", "+15550100123"),
        ("+15550100123/TYPE=PLMN@mms.example", "+15550100123"),
        ("tel:+15550100123", "+15550100123"),
        ("0015550100123", "+15550100123"),
        ("915155100021F3", "+15550100123"),
        ("4488", "4488"),
        ("Anna@Example.COM", "Anna@example.com"),
        ("News", "News"),
    ],
)
def test_a_number_is_the_same_in_every_spelling(text: str, meant: str) -> None:
    assert normalised(text) == meant


@given(st.from_regex(r"[1-9][0-9]{5,14}", fullmatch=True))
def test_bcd_is_the_number(digits: str) -> None:
    padded = digits + "F" * (len(digits) % 2)
    coded = "91" + "".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2))
    assert normalised(coded, bcd=True) == f"+{digits}"
    if len(digits) % 2:
        assert normalised(coded) == f"+{digits}"
