"""Results as one HTML file: verdicts, the expectation table of each case, its ladders, the PDU that decided. No
scripts, nothing from elsewhere, for screen and paper; all text in it came from neighbours, and is escaped.
"""

import base64
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jinja2

from mmsc.scenario.verdicts import SIGNS, CaseResult, RunResult, Verdict, duration

MAXIMUM_ROWS: Final = 300  # of a ladder: ten scenarios stay below a megabyte
_OCTETS_A_LINE: Final = 16
_MAXIMUM_OCTETS: Final = 2048
_environment: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("mmsc.scenario"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(result: RunResult) -> str:
    """The document."""
    return _environment.get_template("report.html").render(
        result=result,
        began=utc(result.began_at),
        counts=[(SIGNS[one], one.value, result.count(one)) for one in Verdict],
        cases=[_case(number, case) for number, case in enumerate(result.cases, 1)],
        duration=duration,
        seconds=lambda microseconds: f"{microseconds / 1_000_000:.2f}",
        signs=SIGNS,
    )


def utc(microseconds: int) -> str:
    """A moment, for people."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(microseconds / 1_000_000))


def _case(number: int, case: CaseResult) -> dict[str, Any]:
    ladders = [
        {"name": one.name, "url": one.url, "text": one.ladder, "rows": _ladder(one.rows), "pdu": _pdu(one.pdu)}
        for one in case.messages
    ]
    return {"number": number, "case": case, "failed": case.failed, "ladders": ladders}


def _ladder(found: Any) -> dict[str, Any] | None:
    """A ladder of the server, ready to be drawn; None where there is none."""
    if not isinstance(found, Mapping) or not found.get("columns"):
        return None
    columns = found["columns"]
    rows = [_row(row, len(columns)) for row in found.get("rows", ())[:MAXIMUM_ROWS]]
    return {"columns": columns, "rows": rows, "left_out": max(0, len(found.get("rows", ())) - MAXIMUM_ROWS)}


def _row(row: Mapping[str, Any], count: int) -> dict[str, Any]:
    source, target = int(row.get("source", -1)), int(row.get("target", -1))
    arrow = 0 <= source < count and 0 <= target < count and source != target
    left, right = min(source, target), max(source, target)
    return {
        "kind": row.get("kind", "note"),
        "time": f"{int(row.get('offset', 0)) / 1_000_000:.3f}",
        "number": row.get("number", ""),
        "arrow": arrow,
        "begin": 3 + 2 * left + 1,  # lines of the grid: time, number, then two half-columns a party
        "end": 3 + 2 * right + 1,
        "back": target < source,
        "name": row.get("name", ""),
        "beneath": row.get("beneath", ""),
        "text": row.get("text", ""),
        "answer": (row.get("answer") or {}).get("text", ""),
        "failed": bool(row.get("failed") or (row.get("answer") or {}).get("failed")),
        "cut": bool(row.get("failed")),
        "attempt": f"attempt {row['attempt']} of {row['attempts']}" if int(row.get("attempts", 0)) > 1 else "",
        "repeat": row.get("repeat_of", ""),
        "fault": row.get("fault", ""),
        "findings": row.get("findings", ()),
    }


def _pdu(found: Any) -> dict[str, Any] | None:
    """The PDU that decided: its fields, its octets."""
    if not isinstance(found, Mapping):
        return None
    about = found.get("pdu") or {}
    octets = base64.b64decode((found.get("buffers") or [""])[0])
    return {
        "name": about.get("name", ""),
        "number": about.get("number", ""),
        "lines": list(_fields(found.get("tree"), 0)),
        "hex": list(_hex(octets[:_MAXIMUM_OCTETS])),
        "left_out": max(0, len(octets) - _MAXIMUM_OCTETS),
    }


def _fields(nodes: Any, depth: int) -> Iterator[tuple[int, str, str]]:
    for one in nodes or ():
        yield depth, str(one.get("name", "")), str(one.get("value") or "")
        yield from _fields(one.get("children"), depth + 1)


def _hex(octets: bytes) -> Iterator[str]:
    """Offset, sixteen octets, their text."""
    for at in range(0, len(octets), _OCTETS_A_LINE):
        line = octets[at : at + _OCTETS_A_LINE]
        text = "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in line)
        yield f"{at:04x}  {line[:8].hex(' '):23}  {line[8:].hex(' '):23}  {text}"
