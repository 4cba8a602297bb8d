"""Results as JUnit XML, as continuous integration reads it: a suite a file, a case a scenario."""

import re
from itertools import groupby
from typing import Final
from xml.etree import ElementTree

from mmsc.scenario.text import failure
from mmsc.scenario.verdicts import CaseResult, RunResult, Verdict

_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 2.2
_MICROSECONDS: Final = 1_000_000


def junit(result: RunResult) -> bytes:
    """The document."""
    suites = ElementTree.Element("testsuites", {"name": "mmsc run", **_counts(result.cases)})
    for file, cases in groupby(result.cases, lambda case: case.file):
        listed = tuple(cases)
        suite = ElementTree.SubElement(suites, "testsuite", {"name": _text(file), **_counts(listed)})
        for case in listed:
            suite.append(_case(case))
    ElementTree.indent(suites)
    made: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _case(case: CaseResult) -> ElementTree.Element:
    made = ElementTree.Element(
        "testcase", name=_text(case.name), classname=_text(case.file), time=f"{case.real / _MICROSECONDS:.3f}"
    )
    step = case.failed
    if case.verdict is Verdict.FAIL and step is not None:
        if step.line:
            made.set("line", str(step.line))
        told = ElementTree.SubElement(made, "failure", message=_text(step.why), type=step.verb)
        told.text = _text(failure(case))
    elif case.verdict is Verdict.INCONCLUSIVE:
        why = case.why or (step.why if step else "")
        told = ElementTree.SubElement(made, "error", message=_text(why), type="inconclusive")
        told.text = _text(failure(case))
    return made


def _counts(cases: tuple[CaseResult, ...]) -> dict[str, str]:
    failures = sum(case.verdict is Verdict.FAIL for case in cases)
    errors = sum(case.verdict is Verdict.INCONCLUSIVE for case in cases)
    seconds = sum(case.real for case in cases) / _MICROSECONDS
    return {"tests": str(len(cases)), "failures": str(failures), "errors": str(errors), "time": f"{seconds:.3f}"}


def _text(text: str) -> str:
    return _NO_XML.sub("?", text)
