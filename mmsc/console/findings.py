"""The findings' pages: what clients get wrong, by rule and client; one rule with samples and a text for the partner."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote, urlencode

from aiohttp import web

from mmsc.console.frame import has
from mmsc.console.live import Push, Shown, stream
from mmsc.console.page import control_of, markup, page
from mmsc.control import Control
from mmsc.control.findings import FindingRow, FindingsPage, RulePage, Sample
from mmsc.control.octets import Line
from protocols.records import record

MOST: Final = 100  # rows of the table
_EVERY_SECONDS: Final = 2.0
_SAMPLES: Final = 3


@record(frozen=True, slots=True)
class _Row:
    """One row of the table."""

    row: FindingRow
    path: str


@record(frozen=True, slots=True)
class _Run:
    """Octets of a line that are marked, or are not."""

    marked: bool
    hexed: str
    text: str


@record(frozen=True, slots=True)
class _Sample:
    """One time, with where it can be looked at whole."""

    sample: Sample
    path: str
    lines: list[tuple[str, list[_Run]]]


def routes() -> Iterator[web.RouteDef]:
    """/findings and /findings/RULE"""
    yield web.get("/findings", _findings)
    yield web.get("/findings/live", _findings_live)
    yield web.get("/findings/{rule}", _rule)


async def _findings(request: web.Request) -> web.Response:
    client = request.query.get("client", "")
    values = await _table(control_of(request), client)
    return page(request, "findings.html", title="Findings", live=f"/findings/live{_query(client)}", **values)


async def _findings_live(request: web.Request) -> web.StreamResponse:
    control, client, shown = control_of(request), request.query.get("client", ""), Shown()

    async def render(_: Sequence[object]) -> Iterable[Push]:
        return shown.fresh([Push("findings", markup("findings-rows.html", **await _table(control, client)))])

    return await stream(request, None, render, every_seconds=_EVERY_SECONDS)


async def _rule(request: web.Request) -> web.Response:
    name, client = request.match_info["rule"].upper(), request.query.get("client", "")
    found = await control_of(request).findings.rule(name, client, _SAMPLES)
    if found is None:
        return page(request, "findings-none.html", status=404, title="No such rule", rule=name)
    return page(request, "finding.html", title=f"{name} · Findings", **_one(request, found, client))


async def _table(control: Control, client: str) -> dict[str, Any]:
    found: FindingsPage = await control.findings.page(client)
    return {
        "found": found,
        "client": client,
        "rows": [_Row(row, f"/findings/{quote(row.rule)}{_query(row.client)}") for row in found.rows[:MOST]],
        "more": max(0, len(found.rows) - MOST),
    }


def _one(request: web.Request, found: RulePage, client: str) -> dict[str, Any]:
    whose = [row.client for row in found.rows]
    vasps = control_of(request).engine.neighbours.vasps
    one = client or (whose[0] if len(whose) == 1 else "")
    return {
        "found": found,
        "client": client,
        "count": sum(row.count for row in found.rows),
        "samples": [_sample(sample) for sample in found.samples],
        "setup": f"/setup/vasps/{quote(one)}" if one in vasps and has(request, "/setup") else "",
        "search": f"/messages?{urlencode({'q': _search(found.rule, client)})}",
    }


def _search(rule: str, client: str) -> str:
    return f"finding:{rule} vasp:{client}" if client and rule.startswith("MM7") else f"finding:{rule}"


def _sample(sample: Sample) -> _Sample:
    path = "" if sample.mm_id is None else f"/m/{sample.mm_id}"
    if path and sample.pdu:
        path += f"/pdu/{sample.pdu}" + (f"?o={sample.octets}" if sample.octets else "")
    return _Sample(sample, path, [(f"{line.offset:06x}", _runs(line)) for line in sample.lines])


def _runs(line: Line) -> list[_Run]:
    runs = []
    for marked, group in groupby(line.octets, lambda one: one.marked):
        octets = list(group)
        runs.append(_Run(marked, " ".join(one.hex for one in octets), "".join(one.text for one in octets)))
    return runs


def _query(client: str) -> str:
    return f"?{urlencode({'client': client})}" if client else ""
