"""`mmsc store stats|verify|export|backup`: looks into a store, also beside its running server, and changes nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from mmsc.cli.group import examples
from mmsc.cli.loading import config_option
from mmsc.cli.looking import file_option, look
from mmsc.cli.store_words import finding_line, id_of, stats_lines, time_of, whole

if TYPE_CHECKING:
    from mmsc.store.export import Wanted
    from mmsc.store.reading import Reader

MOST_FINDINGS: Final = 1000  # printed; the rest is counted


@click.group(
    "store",
    epilog=examples(
        "store stats",
        "store stats --json",
        "store verify --quick",
        "store export --since 2026-11-01 --out november.jsonl",
        "store backup mmsc-copy.db",
    ),
)
def command() -> None:
    """Look into the store of a settings file, or into a SQLite file: what it holds, whether it is sound, its MMs as
    JSON, a copy of it.

    The server may run meanwhile. Nothing is written to the store.
    """


@command.command(
    "stats",
    short_help="What the store holds, in numbers.",
    epilog=examples("store stats", "store stats --config mmsc.toml --json"),
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, times in microseconds UTC.")
@file_option
@config_option
def stats_command(as_json: bool, file: Path | None, config: Path | None) -> None:
    """Rows by table, recipients by state, tasks by lane, sizes, events by kind, nodes."""
    import msgspec

    from mmsc.store.stats import stats

    found = look(config, stats, "counting", file=file)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for line in stats_lines(found):
        click.echo(line)


@command.command(
    "verify",
    short_help="Whether the store is sound.",
    epilog=examples("store verify", "store verify --quick --config mmsc.toml", "store verify --store mmsc-copy.db"),
)
@click.option("--quick", is_flag=True, help="Leave out whether each index agrees with its table (SQLite).")
@file_option
@config_option
def verify_command(quick: bool, file: Path | None, config: Path | None) -> None:
    """Check that the store is sound: the file itself, every reference, work for whoever has not ended, reports and
    charging records that are owed, bodies and their parts. A finding is a line with table and id; exit status 1 when
    there is one."""
    at, count = ["file", 0], [0]

    async def work(reader: "Reader") -> None:
        from mmsc.store.verify import verify

        def told(table: str, done: int) -> None:
            at[:] = [table, done]

        async for finding in verify(reader, quick=quick, told=told):
            count[0] += 1
            if count[0] <= MOST_FINDINGS:
                click.echo(finding_line(finding))

    look(config, work, lambda: f"{at[0]}: {at[1]:,} rows, {count[0]:,} findings", file=file)
    if count[0]:
        click.echo(f"{count[0]:,} findings", err=True)
        raise SystemExit(1)
    click.echo("sound")


@command.command(
    "export",
    short_help="MMs with recipients and events as JSON lines.",
    epilog=examples(
        "store export --out all.jsonl",
        "store export --since 2026-11-01 --until 2026-12-01T12:00 --state retrieved --out november.jsonl",
        "store export --mm 06Q3ZV9K1M0A0 --base64",
        "store export --bodies bodies --out all.jsonl",
    ),
)
@click.option("--mm", "mm_id", metavar="ID", help="One MM: its id, as a number or in 13 letters.")
@click.option("--since", metavar="TIME", help="Submitted at this time or later: 2026-11-01 or 2026-11-01T12:00 (UTC).")
@click.option("--until", metavar="TIME", help="Submitted before this time.")
@click.option("--state", help="With a recipient in this state: retrieved, expired, notified ...")
@click.option("--bodies", type=click.Path(path_type=Path, file_okay=False), help="Write bodies as files to a folder.")
@click.option("--base64", "inline", is_flag=True, help="Write bodies into the lines.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file; it appears when it is whole.")
@file_option
@config_option
def export_command(
    mm_id: str | None,
    since: str | None,
    until: str | None,
    state: str | None,
    bodies: Path | None,
    inline: bool,
    out: Path | None,
    file: Path | None,
    config: Path | None,
) -> None:
    """MMs with their recipients and events as JSON, one MM a line; without --out to standard output.

    The first line names format and version; mmsc/store/export.py describes it. The links in it still open what they
    opened: keep it as you keep the store. Bodies are left out unless --bodies or --base64 is given.
    """
    from mmsc.domain.states import RecipientState
    from mmsc.ids import to_text
    from mmsc.store.export import Wanted

    if bodies is not None and inline:
        raise click.UsageError("--bodies and --base64 exclude each other")
    if state and state not in tuple(RecipientState):
        raise click.BadParameter(f"{state!r} is none of {', '.join(RecipientState)}", param_hint="--state")
    wanted = Wanted(
        id_text=to_text,
        mm_id=None if mm_id is None else id_of(mm_id),
        since=time_of("--since", since),
        until=time_of("--until", until),
        state=state or "",
        bodies=bodies,
        inline=inline,
    )
    if bodies is not None:
        bodies.mkdir(parents=True, exist_ok=True)
    progress = {"seen": 0, "written": 0}

    async def work(reader: "Reader") -> None:
        with whole(out) as stream:
            await _export(reader, wanted, stream, progress)

    look(config, work, lambda: f"{progress['seen']:,} MMs seen, {progress['written']:,} written", file=file)
    if mm_id is not None and not progress["written"]:
        raise click.ClickException(f"no MM {mm_id} is in the store")
    if out is not None:
        click.echo(f"{out}: {progress['written']:,} MMs", err=True)


@command.command(
    "backup",
    short_help="A copy of a SQLite store, checked.",
    epilog=examples("store backup mmsc-copy.db", "store backup /backup/mmsc.db --config mmsc.toml"),
)
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@file_option
@config_option
def backup_command(target: Path, file: Path | None, config: Path | None) -> None:
    """Copy a SQLite store to FILE: whole, compact, as of one moment, checked. The server may run; its log grows until
    the copy is done. FILE must not be there yet.

    A server starts on the copy when store.path names it. Bodies in object storage are not copied.
    """

    async def work(reader: "Reader") -> int:
        from mmsc.store.backup import back_up
        from mmsc.store.reading import SqliteReader

        if not isinstance(reader, SqliteReader):
            raise click.ClickException("the store is in PostgreSQL: use pg_dump --schema=NAME DATABASE")
        return await back_up(reader, target)

    octets = look(config, work, f"copying to {target}", file=file)
    click.echo(f"{target}: {octets:,} octets, checked")


# --- what they share ---


async def _export(reader: "Reader", wanted: "Wanted", file: BinaryIO, progress: dict[str, int]) -> None:
    from mmsc.store.export import header, lines

    file.write(header())
    async for seen, line in lines(reader, wanted):
        file.write(line)
        progress["seen"] = seen
        progress["written"] += 1
    file.flush()
