"""The table of what is wanted, what was measured, and whether that is enough."""

from collections.abc import Sequence
from typing import Any

from benching.cases import ALONE, CASES, TABLE, Wanted


def print_table(results: Sequence[dict[str, Any]], names: Sequence[str]) -> bool:
    """Print a row for each wanted figure of these names of --case; whether all are as wanted."""
    titles = {**ALONE, **{case.name: case.title for cases in CASES.values() for case in cases}}
    played = {case.name for name in names for case in CASES.get(name, ())} | ALONE.keys() & set(names)
    by_case = {(result["case"], result["in_flight"]): result for result in results}
    well = True
    print(f"\n{'':46}{'in flight':>10}  {'figure':20}{'wanted':>12}{'measured':>12}")
    for row in TABLE:
        if row.case not in played:
            continue
        value = by_case.get((row.case, row.in_flight), {}).get(row.figure)
        met = None if value is None else row.met(value)
        verdict = "not measured" if value is None else {True: "ok", False: "MISSED", None: ""}[met]
        shown = "-" if value is None else f"{value:,}"
        told = f"{titles[row.case]:46}{row.in_flight:>10}  {row.figure:20}"
        print(f"{told}{_limits(row):>12}{shown:>12}  {verdict}".rstrip())
        well &= value is not None and met is not False
    return well


def _limits(row: Wanted) -> str:
    if row.least is not None:
        return f">= {row.least:g}"
    return f"<= {row.most:g}" if row.most is not None else ""
