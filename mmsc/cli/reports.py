"""`mmsc reports`: the report ledger. Which recipients have a delivery report, which have none, and why."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mmsc.cli import report_lines
from mmsc.cli.group import examples
from mmsc.cli.loading import config_option
from mmsc.cli.looking import look
from mmsc.cli.progress import clear
from mmsc.cli.store_words import id_of, time_of

if TYPE_CHECKING:
    from mmsc.domain.instant import Instant
    from mmsc.domain.ledger import Entry
    from mmsc.engine.queries import ReportsWanted
    from mmsc.store.reading import Reader

_AGO: Final = re.compile(r"([0-9]{1,6})\s*(s|m|min|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


@click.command(
    "reports",
    epilog=examples(
        "reports --vasp news --missing",
        "reports --vasp news --since 24h --csv > today.csv",
        "reports --state owed --state refused --state given_up",
        "reports --missing --recipient-state retrieved --since 2026-11-01 --until 2026-11-02",
        "reports --mm 06Q3ZV9K1M0A0 --all --json",
    ),
)
@click.option("--vasp", default="", metavar="NAME", help="Only MMs that this VASP submitted.")
@click.option("--mm", "mm_id", metavar="ID", help="One MM: its id, as a number or in 13 letters, or its MessageID.")
@click.option("--missing", is_flag=True, help="Only recipients about whom no report was sent.")
@click.option(
    "--state",
    "statuses",
    multiple=True,
    metavar="STATE",
    help="Only reports in this state (again for more): waiting, owed, sent, refused, given_up, none.",
)
@click.option(
    "--recipient-state",
    "states",
    multiple=True,
    metavar="STATE",
    help="Only recipients in this state (again for more): retrieved, notified, expired ...",
)
@click.option(
    "--since", metavar="TIME", help="Submitted at this time (UTC) or later, or so long ago: 2026-11-01, 24h, 7d."
)
@click.option("--until", metavar="TIME", help="Submitted before this time.")
@click.option("--all", "unasked_too", is_flag=True, help="Also MMs that asked for no report.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a head; the totals go to standard error.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last one is the totals.")
@config_option
def command(
    vasp: str,
    mm_id: str | None,
    missing: bool,
    statuses: tuple[str, ...],
    states: tuple[str, ...],
    since: str | None,
    until: str | None,
    unasked_too: bool,
    as_csv: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """A line for each recipient of each MM that a VASP submitted with a delivery report asked for, in the order of
    submission: the state of the recipient, what became of the report, since when, and why.

    waiting: the recipient has not ended. owed: queued for the VASP. sent: the VASP answered 1xxx. refused: its answer
    was another final one. given_up: the report's lifetime is over. none: no report was ever owed.

    The server may run meanwhile; nothing is written to its store. With --state owed alone only what is queued is read.
    """
    from mmsc.domain.ledger import ReportStatus
    from mmsc.domain.states import RecipientState
    from mmsc.engine.queries import ReportsWanted

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    wanted = ReportsWanted(
        vasp=vasp,
        mm_id=None if mm_id is None else id_of(mm_id.partition("@")[0]),
        since=_moment("--since", since),
        until=_moment("--until", until),
        statuses=frozenset(ReportStatus(one) for one in _listed("--state", statuses, ReportStatus)),
        states=frozenset(RecipientState(one) for one in _listed("--recipient-state", states, RecipientState)),
        missing=missing,
        unasked_too=unasked_too,
    )
    _Printer(wanted, "csv" if as_csv else "json" if as_json else "table").run(config)


class _Printer:
    """Prints the lines as they are found, a page at once, and counts them."""

    def __init__(self, wanted: "ReportsWanted", form: str) -> None:
        from mmsc.domain.ledger import Totals

        self._wanted = wanted
        self._form = form
        self._totals: Totals = Totals()
        self._looked_at = 0
        self._recipients = 0

    def run(self, config: Path | None) -> None:
        """All of it."""
        look(config, self._print, lambda: f"{self._looked_at:,} recipients seen, {self._totals.recipients:,} listed")
        if self._form == "json":
            click.echo(report_lines.totals_json(self._totals, self._recipients))
            return
        for line in report_lines.totals_lines(self._totals, self._recipients):
            click.echo(line, err=self._form == "csv")

    async def _print(self, reader: "Reader") -> None:
        from mmsc.clock import host_now
        from mmsc.engine.queries import ReportLedger

        ledger = ReportLedger(reader)
        known = await ledger.vasps()
        begun = False
        async for page in ledger.pages(self._wanted):
            self._looked_at += page.looked_at
            self._recipients += page.recipients
            self._totals.add(page.entries)
            lines = list(_FORMS[self._form](page.entries, host_now()))
            if not begun and (lines or self._form == "csv"):
                lines[:0] = _HEADS[self._form]
                begun = True
            if lines:
                clear()
                click.echo("\n".join(lines))
        if not self._looked_at and self._wanted.mm_id is not None:
            raise click.ClickException("no such MM is in the store")
        if not self._recipients and self._wanted.vasp and self._wanted.vasp not in known:
            names = ", ".join(known) or "none"
            raise click.ClickException(f"no VASP {self._wanted.vasp} is configured or has MMs here; there are: {names}")


_FORMS: "Final[dict[str, Callable[[Iterable[Entry], Instant], Iterator[str]]]]" = {
    "table": report_lines.table,
    "csv": report_lines.csv_lines,
    "json": report_lines.json_lines,
}
_HEADS: Final = {
    "table": [report_lines.HEAD],
    "csv": [report_lines.csv_line(report_lines.COLUMNS)],
    "json": [],
}


def _listed(option: str, given: tuple[str, ...], names: Iterable[str]) -> tuple[str, ...]:
    """What was given, in the words of a closed list."""
    meant = tuple(one.lower().replace("-", "_").replace(" ", "_") for one in given)
    for one in meant:
        if one not in tuple(names):
            raise click.BadParameter(f"{one!r} is none of {', '.join(names)}", param_hint=option)
    return meant


def _moment(option: str, text: str | None) -> "Instant | None":
    """A time, or how long ago: 30min, 24h, 7d."""
    from mmsc.clock import host_now
    from mmsc.domain.instant import later

    ago = _AGO.fullmatch(text.strip().removesuffix("ago").rstrip()) if text else None
    return time_of(option, text) if ago is None else later(host_now(), -int(ago[1]) * _SECONDS[ago[2]])
