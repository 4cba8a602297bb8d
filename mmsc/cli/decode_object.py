"""A view of octets as a JSON object. `mmsc decode --help` tells its keys."""

from typing import Any

from mmsc.cli.decode_lines import place_findings
from mmsc.trace import json_form
from mmsc.trace.view import View
from protocols.errors import Finding


def as_object(view: View, base: int | None = 0) -> dict[str, Any]:
    """`base` is where the view begins in the file, None where it does not lie there as it is."""
    by_row, _ = place_findings(view)
    start = base or 0
    return {
        "kind": view.kind,
        "title": view.title,
        "start": base,
        "octets": len(view.octets),
        "fields": [
            {
                "name": row.name,
                "value": row.value if row.typed is None else row.typed,
                "text": row.value,
                **(_place(view, row.start, row.end, start) if row.start >= 0 else {}),
                **({"clause": row.clause} if row.clause else {}),
                "findings": [one.rule for one in by_row.get(number, ())],
            }
            for number, row in enumerate(view.rows)
        ],
        "findings": [_finding(one, start) for one in view.findings],
        **({"problem": view.problem} if view.problem else {}),
        **({"text": view.text} if view.text else {}),
        **_written(view),
        "inside": [_inner(inner, start) for inner in view.inside],
    }


def _inner(inner: View, start: int) -> dict[str, Any]:
    if inner.at >= 0:
        return as_object(inner, start + inner.at)
    return as_object(inner, None)


def _place(view: View, start: int, end: int, base: int) -> dict[str, Any]:
    return {"start": base + start, "end": base + end, "octets": view.octets[start:end].hex()}


def _finding(finding: Finding, base: int) -> dict[str, Any]:
    offset = base + finding.offset if finding.offset >= 0 else -1
    return {"rule": finding.rule, "clause": finding.clause, "offset": offset, "remark": finding.remark}


def _written(view: View) -> dict[str, Any]:
    if view.message is None:
        return {}
    return {"written": json_form.written(view.message), "exact": json_form.is_exact(view.message, view.octets)}
