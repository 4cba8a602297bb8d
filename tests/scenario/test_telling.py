"""What is told of results: text, JUnit, one HTML file."""

from xml.etree import ElementTree

from mmsc.scenario.junit import junit
from mmsc.scenario.page import page
from mmsc.scenario.text import failure, line, summary
from mmsc.scenario.verdicts import CaseResult, RunResult, StepResult, Told, Verdict, duration, plain

EVIL = "<script>alert(1)</script>\x00\x0b'\"&"
ROWS = {
    "columns": [{"key": "vasp:demo", "name": EVIL, "kind": "VASP"}, {"key": "mmsc", "name": "mmsc", "kind": ""}],
    "rows": [
        {"kind": "pdu", "source": 0, "target": 1, "name": "SubmitReq", "number": "1", "answer": {"text": "1000"}},
        {
            "kind": "pdu",
            "source": 1,
            "target": 0,
            "name": EVIL,
            "failed": True,
            "attempt": 1,
            "attempts": 2,
            "fault": "f",
        },
        {"kind": "gap", "text": "3 h"},
        {"kind": "note", "text": EVIL},
        {"kind": "end", "text": "Nothing more is due"},
    ],
}


def result() -> RunResult:
    passed = StepResult(number=1, line=3, verb="submit", words="submit to=+1555", verdict=Verdict.PASS)
    failed = StepResult(
        number=2,
        line=9,
        verb="expect",
        words=f"expect {EVIL}",
        verdict=Verdict.FAIL,
        at=3_600_000_000,
        expected="DeliveryReportReq  MMStatus=Retrieved",
        got="DeliveryReportReq  MMStatus=Expired",
        why="the nearest differs",
    )
    told = Told(mm_id="7", name="message 1", ladder="the ladder\n  as text", url="http://x/m/7")
    drawn = Told(
        mm_id="8", name="other", ladder="", rows=ROWS, pdu={"name": "x", "number": 2, "tree": [{"name": EVIL}]}
    )
    cases = (
        CaseResult(name="Good", file="a.yaml", verdict=Verdict.PASS, steps=(passed,), real=1_000_000),
        CaseResult(name="Bad", file="a.yaml", verdict=Verdict.FAIL, steps=(passed, failed), messages=(told, drawn)),
        CaseResult(name=EVIL, file="b.yaml", verdict=Verdict.INCONCLUSIVE, why="no lab"),
    )
    return RunResult(cases=cases, server="http://x", version="1", real=2_000_000, left_out=1)


def test_junit_is_xml_whatever_came_from_the_wire() -> None:
    suites = ElementTree.fromstring(junit(result()))
    assert suites.attrib["tests"] == "3"
    assert [suite.attrib["name"] for suite in suites] == ["a.yaml", "b.yaml"]
    failure_told = suites.find(".//failure")
    assert failure_told is not None
    assert failure_told.attrib["message"] == "the nearest differs"
    assert "expected  DeliveryReportReq  MMStatus=Retrieved" in (failure_told.text or "")
    assert suites.find(".//error") is not None


def test_the_page_is_one_file_and_nothing_in_it_runs() -> None:
    made = page(result())
    assert "<script" not in made
    assert "http-equiv" in made
    assert made.count("<section") == 3
    assert "&lt;script&gt;" in made
    assert "Nothing more is due" in made
    assert "src=" not in made
    assert "url(" not in made


def test_a_long_ladder_keeps_its_bound() -> None:
    rows = [{"kind": "note", "text": f"note {number}"} for number in range(1000)]
    told = Told(mm_id="1", name="m", ladder="", rows={"columns": ROWS["columns"], "rows": rows})
    case = CaseResult(name="x", file="x", verdict=Verdict.PASS, messages=(told,))
    made = page(RunResult(cases=(case,)))
    assert "700 rows more on the server" in made
    assert "note 299" in made
    assert "note 300" not in made


def test_text_tells_a_failure_in_aligned_lines_with_the_ladder() -> None:
    found = result()
    assert summary(found) == "1 pass, 1 fail, 1 inconclusive, 1 left out in 2.0 s"
    assert line(found.cases[0]) == "● pass         Good (1 steps, 1.00 s, 0 s of service time)"
    told = failure(found.cases[1]).splitlines()
    assert "  expected  DeliveryReportReq  MMStatus=Retrieved" in told
    assert "  got       DeliveryReportReq  MMStatus=Expired" in told
    assert "  the ladder" in told
    assert found.exit_status == 1
    assert RunResult(cases=found.cases[2:]).exit_status == 3
    assert RunResult(cases=found.cases[:1]).exit_status == 0
    assert plain(found)["cases"][0]["verdict"] == "pass"


def test_service_time_is_told_in_words() -> None:
    assert [duration(one) for one in (12_000, 61_000_000, 90_061_000_000)] == [
        "0.012 s",
        "1 min 1 s",
        "1 d 1 h 1 min 1 s",
    ]
