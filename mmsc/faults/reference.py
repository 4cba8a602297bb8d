"""The reference pages `docs/faults.md` and `docs/magic-numbers.md`, made from the tables: `python -m
mmsc.faults.reference docs` writes them, and a test sees that they are as the tables are."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mmsc.faults import magic
from mmsc.faults.catalogue import FAULTS, MATCHED
from mmsc.faults.parameters import Kind, Parameter
from mmsc.faults.row import Fault

_EXAMPLE_PREFIX: Final = "+15559"
_SAID: Final = {
    "vasp, peer, smsc": "the neighbour's configured name",
    "number": "how the recipient's number begins (at MM1: the handset's own), `+` first",
    "run": "the run tag of the MM, or the header X-MMSC-Run",
    "transaction": "how the transaction id of that interface begins",
    "operation": "the PDU's name, as `DeliveryReportReq` or `m-send-req`",
    "rate": "which part of those that match, 0 to 1; drawn from `seed`: the same seed gives the same hits",
    "seed": "of the dice, 0 if nothing is said",
    "times": "off by itself after so many hits",
    "each": "at most so many hits for one transaction (one number where there is none)",
    "delay_seconds": "real time before it bites",
    "expires_after_seconds": "off by itself after so much real time, also while service time is paused",
}

_FAULTS_INTRODUCED: Final = """# Faults

What the server and its built-in SMSC do wrong on purpose. Switched on the console's page *Faults & clock*, by
`PUT /api/v1/faults/NAME`, or by a table `[faults.NAME]` in the settings file (read again on SIGHUP). Every hit is
marked on its PDU in the trace and is an event `fault.hit` of its MM. One fault bites at a time: the one that was set
first and matches. This page is made from `mmsc/faults`: `python -m mmsc.faults.reference docs`.

What can be said about any of them:

| key | means |
| --- | --- |"""
_MAGIC_INTRODUCED: Final = """# Magic numbers

Recipients whose last digits give a set outcome, for test suites: no phone to start, no fault to switch, no subscriber
to make. On with `[magic] enabled = true` in the settings file (`prefix` says what they begin with, `+15559` if nothing
is said), as in `mmsc serve` without a file and in `mmsc lab`; off otherwise. The outcome comes about as in the field:
the lab's own handset behind the number behaves so, or a fault of `docs/faults.md` bites for it. The last four digits
count where they are a StatusCode of MM7, or `70` and seconds, else the last two; any other ending is a phone that
fetches at once. This page is made from `mmsc/faults/magic.py`: `python -m mmsc.faults.reference docs`.

| ending | example | outcome | how |
| --- | --- | --- | --- |"""
_MAGIC_EXPLAINED: Final = """
*Expired* takes a second and no turning of the clock: the MM is taken with a validity of a second, whatever was asked
for. That is the MM's own validity, so put nobody else into it. *Unrecognised* ends as `link_sent` where the fallback is
on: the handset is told twice, then gets the link. `indeterminate` has no number: of a subscriber's MM that is the
outcome only where a VASP's `fallback_report` says so."""


def faults_page() -> str:
    """docs/faults.md."""
    return "\n".join(_faults()) + "\n"


def magic_page() -> str:
    """docs/magic-numbers.md."""
    return "\n".join(_magic()) + "\n"


def _faults() -> Iterator[str]:
    yield _FAULTS_INTRODUCED
    for key, text in _SAID.items():
        yield f"| `{key}` | {text} |"
    group = None
    for fault in FAULTS:
        if fault.group is not group:
            group = fault.group
            yield from (
                "",
                f"## {group.value}",
                "",
                "| name | what it does | of its own | clause |",
                "|" + " --- |" * 4,
            )
        yield _row(fault)
    yield from ("", "## Whom a fault can be told to meet", "", "| point | by |", "| --- | --- |")
    for point, names in MATCHED.items():
        yield f"| {point.value} | {', '.join(names) or 'everybody'} |"


def _row(fault: Fault) -> str:
    own = "<br>".join(map(_parameter, fault.parameters))
    only = f" Only {', '.join(fault.only)}." if fault.only and fault.only[0] not in ("reply", "taken") else ""
    return f"| `{fault.name}` | {fault.text}.{only} | {own} | {fault.clause} |"


def _parameter(one: Parameter) -> str:
    default = f" = {one.shown(one.default)}" if one.default != "" else ""
    bounds = f", {one.lowest:g} to {one.highest:g}" if 0 < one.highest < 1e9 else ""
    words = f": {', '.join(it.word for it in one.choices)}" if one.kind is Kind.CHOICE else ""
    named = ", by number or name" if one.kind is Kind.STATUS and one.choices else ""
    return f"`{one.name}`{default}: {one.text}{bounds}{named}{words}"


def _magic() -> Iterator[str]:
    yield _MAGIC_INTRODUCED
    table = magic.MagicTable(_EXAMPLE_PREFIX)
    for one in magic.ROWS:
        yield f"| `{one.ending}` | `{table.example(one)}` | {one.outcome} | {one.text} |"
    seconds = f"SubmitRsp comes after SS seconds, 01 to {magic.SLOWEST_SECONDS}"
    yield f"| `70SS` | `{_EXAMPLE_PREFIX}007005` | retrieved | {seconds} |"
    yield _MAGIC_EXPLAINED


def main() -> None:
    """Write both into a folder."""
    folder = Path(sys.argv[1])
    (folder / "faults.md").write_text(faults_page(), encoding="utf-8")
    (folder / "magic-numbers.md").write_text(magic_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
