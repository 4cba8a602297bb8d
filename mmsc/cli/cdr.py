"""`mmsc cdr`: what one does with charging records."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mmsc.cli.group import examples
from mmsc.cli.loading import config_option, settings_of

if TYPE_CHECKING:
    from mmsc.cdr.lines import Record
    from mmsc.cdr.reconcile import Difference, Totals
    from mmsc.settings import Settings
    from mmsc.store.core import Store

_SHOWN: Final = 100
_DEAD_MICROS: Final = 10_000_000  # a node that gave no sign of life for so long
_SAID: Final = {"only_in_a": "only in A", "only_in_b": "only in B", "differs": "differs"}
_PLACE: Final = click.Path(path_type=Path)


@click.group(
    "cdr",
    epilog=examples(
        "cdr show a-00000001-20261126T193000Z.jsonl", "cdr reconcile ours/ theirs/", "cdr catch-up --node a"
    ),
)
def command() -> None:
    """Charging data records (TS 32.298): the files that a server with `cdr.enabled` writes, and those of others."""


@command.command(
    "reconcile",
    short_help="What one party's records have and the other's have not.",
    epilog=examples(
        "cdr reconcile cdr/ other.csv.gz",
        "cdr reconcile cdr/ theirs/ --ours mms.example --theirs mms.other.example --tolerance 5",
        "cdr reconcile cdr/ vasp.csv --json",
    ),
)
@click.argument("a", type=_PLACE)
@click.argument("b", type=_PLACE)
@click.option("--ours", default="", metavar="DOMAIN", help="Domain of A's MMSC; else as its records say.")
@click.option("--theirs", default="", metavar="DOMAIN", help="Domain of B's MMSC; else as its records say.")
@click.option(
    "--tolerance", type=click.FloatRange(0), default=60.0, show_default=True, help="Seconds that times may differ by."
)
@click.option("--bcd", is_flag=True, help="Bare numbers are BCD (TS 32.298 MSISDN), also those of an even length.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line: each difference, the totals at the end.")
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=_SHOWN,
    show_default=True,
    help="Differences shown; all of them with --json.",
)
def reconcile(a: Path, b: Path, ours: str, theirs: str, tolerance: float, bcd: bool, as_json: bool, limit: int) -> None:
    """Compare two parties' records, A and B: files or folders, JSON lines or CSV, also with .gz.

    MM4: what one forwarded or reported, the other received (O4FRq and R4F, R4DRq and O4D), by MessageID and recipient.
    A list without a column recordType (a VASP's own CSV of MessageIDs) is held against the 7S of the other.

    Exit status 0: they agree; 1: they do not; 2: a file cannot be read, or nothing in them can be compared.
    """
    from mmsc.cdr.reading import Unreadable
    from mmsc.cdr.reconcile import Asked, Totals, compare

    totals, number = Totals(), 0
    asked = Asked(ours=ours, theirs=theirs, tolerance=tolerance, bcd=bcd)
    try:
        for number, one in enumerate(compare(a, b, asked, totals), 1):
            if as_json:
                click.echo(json.dumps(_as_object(one), ensure_ascii=False))
            elif number <= limit:
                for line in _lines(one):
                    click.echo(line)
    except Unreadable as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from error
    if as_json:
        click.echo(json.dumps(_summary(totals)))
    else:
        if number > limit:
            click.echo(f"... and {number - limit} more (--limit)")
        _tell(totals)
    if totals.nothing:
        click.echo(f"Error: {_nothing_of(totals)}", err=True)
        raise SystemExit(2)
    raise SystemExit(0 if totals.equal else 1)


def _lines(one: "Difference") -> Sequence[str]:
    about = f"{one.message_id} to {one.recipient}" if one.recipient else one.message_id
    head = f"{_SAID[one.kind]}: {one.pair}: {_printable(about)} ({', '.join(one.places)})"
    return [head, *(f"  {name}: {_printable(first)} | {_printable(second)}" for name, first, second in one.fields)]


def _as_object(one: "Difference") -> dict[str, object]:
    fields = [{"name": name, "a": first, "b": second} for name, first, second in one.fields]
    return {
        "kind": one.kind,
        "pair": one.pair,
        "messageID": one.message_id,
        "recipient": one.recipient,
        "places": list(one.places),
        "fields": fields,
    }


def _summary(totals: "Totals") -> dict[str, object]:
    names = ("matched", "differing", "only_in_a", "only_in_b", "left_out", "records")
    return {"kind": "totals", "equal": totals.equal, **{name: dict(getattr(totals, name)) for name in names}}


def _tell(totals: "Totals") -> None:
    pairs = dict.fromkeys((*totals.matched, *totals.differing, *totals.only_in_a, *totals.only_in_b))
    for pair in pairs:
        click.echo(
            f"{pair}: {totals.matched[pair]} agree, {totals.differing[pair]} differ,"
            f" {totals.only_in_a[pair]} only in A, {totals.only_in_b[pair]} only in B"
        )
    left = ", ".join(f"{count} of {side}" for side, count in totals.left_out.items())
    if left:
        click.echo(f"left out, about others or of no pair: {left}")


def _nothing_of(totals: "Totals") -> str:
    sides = (f"{side} has {totals.records[side] or 'no'} records" for side in ("A", "B"))
    return f"nothing to compare: {', '.join(sides)}, none of a kind that both could have"


@command.command(
    "show",
    short_help="Records as a readable list.",
    epilog=examples("cdr show cdr/", "cdr show --type 7S --type O1S a.jsonl"),
)
@click.argument("file", type=_PLACE)
@click.option("--type", "types", multiple=True, metavar="NAME", help="Only records of this type (again for more).")
def show(file: Path, types: tuple[str, ...]) -> None:
    """Show the records in FILE (or a folder of files), one a line with its fields. Exit status 2 when unreadable."""
    from mmsc.cdr.reading import Unreadable, read
    from mmsc.cdr.records import BY_NAME

    unknown = [name for name in types if name not in BY_NAME]
    if unknown:
        raise click.UsageError(f"{unknown[0]} is no record type; there are {', '.join(BY_NAME)}")
    try:
        for one in read(file):
            if not types or one.fields.get("recordType") in types:
                click.echo(_shown(one.fields))
    except Unreadable as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from error


def _shown(fields: "Record") -> str:
    from mmsc.cdr.forms import form_of

    rest = {name: value for name, value in fields.items() if name not in ("recordType", "recordTimeStamp")}
    cells = []
    for name, value in rest.items():
        try:
            text = form_of(name).write(value)
        except (AttributeError, KeyError, TypeError):  # somebody else's idea of this field
            text = json.dumps(value, ensure_ascii=False)
        cells.append(f"{name}={_printable(text)}")
    return f"{fields.get('recordTimeStamp', ''):24} {fields.get('recordType', '-'):6} {'  '.join(cells)}"


def _printable(text: str) -> str:
    """On one line, and nothing that a terminal would obey."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


@command.command(
    "catch-up",
    short_help="Write what a node that is gone still owes.",
    epilog=examples("cdr catch-up --config mmsc.toml", "cdr catch-up --node old-name"),
)
@config_option
@click.option("--node", default="", help="The node whose records are owed; else node.name.")
@click.option(
    "--lost", is_flag=True, help="Go on though the node's open file is not in the folder: it is gone for good."
)
def catch_up(config: Path | None, node: str, lost: bool) -> None:
    """Write the records that a node owes which does not run, and will not: into `cdr.folder`, which must be its own.

    A node that starts again does this by itself. What was charged for but not written stands in the store until then.
    """
    from mmsc.store.core import StoreError

    settings = settings_of(config)
    name = node or settings.node.name
    try:
        count, others = asyncio.run(_catch_up(settings, name, lost=lost))
    except (OSError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} records of node {name} written")
    for other, events in others:
        click.echo(f"node {other} owes the records of {events} events")


async def _catch_up(settings: "Settings", node: str, *, lost: bool) -> tuple[int, list[tuple[str, int]]]:
    from msgspec.structs import replace

    from mmsc import configured
    from mmsc.app import App
    from mmsc.cdr.files import FolderInUse
    from mmsc.cdr.writer import Writer
    from mmsc.settings import store_path
    from mmsc.store import charging

    asked = replace(settings, node=replace(settings.node, name=node))
    policy = configured.charging(asked)
    if not settings.store.postgres and not store_path(settings).exists():
        raise click.ClickException(f"{store_path(settings)}: no such store")
    app = App(asked)
    await app.store.open()
    try:
        if settings.store.postgres:  # a SQLite file is nobody else's while it is open here
            await _refuse_alive(app.store, node)
        await _check(app.store, node, policy.folder, lost=lost)
        writer = Writer(app.store, app.clock, policy)
        try:
            return await writer.write(), await charging.nodes(app.store)
        except FolderInUse as error:
            raise click.ClickException(f"{error}; stop it first") from error
        finally:
            await writer.close()
    finally:
        await app.store.close()


async def _refuse_alive(store: "Store", node: str) -> None:
    """Its own writer would be taken over."""
    from mmsc.store import nodes

    silent = {name for name, *_ in await nodes.silent(store, _DEAD_MICROS)}
    if any(one.name == node and one.is_up and node not in silent for one in await nodes.known(store)):
        raise click.ClickException(f"node {node} is alive, and writes its records itself; stop it first")


async def _check(store: "Store", node: str, folder: Path, *, lost: bool) -> None:
    """Only who has the node's own folder can know what is in its files already."""
    from mmsc.cdr import position
    from mmsc.cdr.files import missing
    from mmsc.store import charging

    text = await charging.position(store, node)
    owing = [name for name, _ in await charging.nodes(store)]
    if text is None and node not in owing:
        known = f"; records are owed by {', '.join(owing)}" if owing else ""
        raise click.ClickException(f"no node {node} ever wrote CDRs of this store, and it owes none{known}")
    here = position.START if text is None else position.read(text)
    if not lost and (name := missing(folder, here)):
        raise click.ClickException(
            f"{folder} has no {name}, which node {node} was writing: set cdr.folder to that node's folder, or say"
            " --lost when it is gone for good"
        )
