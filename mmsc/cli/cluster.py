"""`mmsc cluster`: nodes that share one PostgreSQL, their work in a table, and what follows when one is killed."""

import asyncio
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mmsc.cli.group import examples

if TYPE_CHECKING:
    from mmsc.cli.cluster_stage import ClusterStage

_IN_FLIGHT: Final = 8
_SHOWN_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 0.2
_SILENT_SECONDS: Final = 60.0  # without any progress: what is missing by then is lost
_ACCEPTED: Final = 1000
MAXIMUM_NODES: Final = 9


@dataclass
class Score:
    """What became of the messages: each is known by its subject, and by the Message-ID that it was accepted with."""

    wanted: int
    accepted: dict[str, str] = field(default_factory=dict)  # subject -> Message-ID
    delivered: Counter[str] = field(default_factory=Counter)
    reported: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Something happened to the nodes: said under the table."""
        self.notes.append(sentence)

    @property
    def progress(self) -> tuple[int, int, int]:
        """How many were accepted, delivered, reported."""
        return len(self.accepted), len(self.delivered), len(self.reported)

    @property
    def lost(self) -> int:
        """Messages that were accepted and did not arrive, or of which nothing was reported."""
        return sum(
            self.delivered[subject] == 0 or self.reported[message_id] == 0
            for subject, message_id in self.accepted.items()
        )

    @property
    def is_complete(self) -> bool:
        """Whether everything that was sent came to its end."""
        return len(self.accepted) == self.wanted and not self.lost


@click.command("cluster", epilog=examples("cluster", "cluster --nodes 3 --messages 1000", "cluster --keep"))
@click.option("--nodes", type=click.IntRange(2, MAXIMUM_NODES), default=2, show_default=True, help="Nodes to start.")
@click.option("--messages", type=click.IntRange(2, 1_000_000), default=200, show_default=True, help="Messages to send.")
@click.option("--keep", is_flag=True, help="Leave everything running at the end, and say where it is.")
def command(nodes: int, messages: int, keep: bool) -> None:
    """Show nodes that share the work of one PostgreSQL, and one that is killed in the middle.

    Starts a throwaway PostgreSQL, so many nodes on it, a balancer before them, an SMSC, handsets and a VASP, all on
    loopback. The exit status is 1 when a message was lost.
    """
    try:
        score = asyncio.run(_until_ended(nodes, messages, keep=keep))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except asyncio.CancelledError:
        raise SystemExit(143) from None
    raise SystemExit(0 if score.is_complete else 1)


async def _until_ended(nodes: int, messages: int, *, keep: bool) -> Score:
    """Play, and clean up also when told to end (SIGTERM, a closed terminal)."""
    from mmsc.cli.cluster_stage import NodeFailed
    from mmsc.lab.database import DatabaseError

    playing = asyncio.ensure_future(_play(nodes, messages, keep=keep))
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    try:
        return await playing
    except (DatabaseError, NodeFailed) as error:
        raise click.ClickException(str(error)) from error


async def _play(nodes: int, messages: int, *, keep: bool) -> Score:
    from mmsc.cli.cluster_stage import set_up

    with tempfile.TemporaryDirectory(prefix="mmsc-cluster-") as folder:
        click.echo(f"Starting PostgreSQL and {nodes} nodes ...")
        async with set_up(Path(folder), nodes) as stage:
            score = Score(messages)
            watching = asyncio.create_task(_show(stage, score))
            try:
                await _send_all(stage, score)
                await _settle(stage, score)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                if sys.stdout.isatty():
                    click.clear()
            click.echo(await _table(stage, score))
            click.echo(_summary(score))
            if keep:
                await _keep(stage)
    return score


def _summary(score: Score) -> str:
    accepted, delivered, reported = score.progress
    repeated = sum(count - 1 for counts in (score.delivered, score.reported) for count in counts.values())
    again = f" ({repeated} came again, as repeats)" if repeated else ""
    return f"cluster: {accepted} sent, {delivered} delivered, {reported} reported, {score.lost} lost{again}"


async def _send_all(stage: "ClusterStage", score: Score) -> None:
    """Each message through the balancer, with one TransactionID until it is accepted; the first node is killed when
    half of them are."""
    numbers = iter(range(1, score.wanted))
    victim = stage.nodes[0]
    score.accepted["message 0"] = await _accepted(stage, 0, "message 0")  # alone: it fetches the WSDL

    async def send() -> None:
        for number in numbers:
            subject = f"message {number}"
            score.accepted[subject] = await _accepted(stage, number, subject)
            if len(score.accepted) >= score.wanted // 2 and victim.alive:
                await victim.kill()
                score.note(f"node {victim.name} is killed (SIGKILL, process {victim.process.pid})")
            _look(stage, score)

    async with asyncio.TaskGroup() as group:
        for _ in range(_IN_FLIGHT):
            group.create_task(send())


async def _accepted(stage: "ClusterStage", number: int, subject: str) -> str:
    """Submit until it is accepted; its Message-ID."""
    import aiohttp

    from mmsc.cli.stage import content

    to = list(stage.handsets)[number % len(stage.handsets)]
    while True:
        try:
            answer = await stage.vasp.submit(
                [to], subject=subject, content=content(), transaction_id=f"cluster-{number}"
            )
        except (aiohttp.ClientError, OSError, TimeoutError):
            answer = None  # cut: nobody knows whether it was accepted, so it is said again
        if answer is not None and answer.status_code == _ACCEPTED:
            return answer.message_id
        await asyncio.sleep(_AGAIN_SECONDS)


def _look(stage: "ClusterStage", score: Score) -> None:
    """Count what handsets and VASP got, and forget it there."""
    for handset in stage.handsets.values():
        score.delivered.update(str(message.conf.subject) for message in handset.inbox.messages)
        for kept in (handset.inbox.messages, handset.inbox.notifications, handset.inbox.failures):
            kept.clear()
    score.reported.update(report.message_id for report in stage.vasp.reports)
    stage.vasp.reports.clear()


async def _settle(stage: "ClusterStage", score: Score) -> None:
    """Until everything came to its end and the dead node was noticed, or nothing moved for a minute."""
    loop = asyncio.get_running_loop()
    before, since = score.progress, loop.time()
    noticed: list[str] = []
    while not (score.is_complete and noticed) and loop.time() < since + _SILENT_SECONDS:
        await asyncio.sleep(_AGAIN_SECONDS)
        if not noticed:
            noticed = await stage.taken_over()
            score.notes += noticed
        _look(stage, score)
        if score.progress != before:
            before, since = score.progress, loop.time()


async def _show(stage: "ClusterStage", score: Score) -> None:
    """The table, again and again on a terminal; elsewhere only how things stand at the end."""
    while sys.stdout.isatty():
        table = await _table(stage, score)
        click.clear()
        click.echo(table)
        await asyncio.sleep(_SHOWN_SECONDS)


async def _table(stage: "ClusterStage", score: Score) -> str:
    counts = await stage.counts()
    columns = list(next(iter(counts.values())))
    rows = [["node", *columns]]
    for node in stage.nodes:
        name = node.name if node.alive else f"{node.name} (killed)"
        rows.append([name, *(str(counts[node.name][column]) for column in columns)])
    rows.append(["together", *(str(sum(one[column] for one in counts.values())) for column in columns)])
    return "\n".join((*map(_line, rows), *score.notes))


def _line(cells: Iterable[str]) -> str:
    first, *rest = cells
    return f"  {first:14}" + "".join(f"{cell:>10}" for cell in rest)


async def _keep(stage: "ClusterStage") -> None:
    click.echo(f"database  {stage.dsn}")
    click.echo(f"MM7       {stage.vasp.url} (VASP news, password secret)")
    click.echo(f"settings  {stage.config}; another node: mmsc serve --config {stage.config} --node NAME")
    click.echo("interrupt to stop")
    await asyncio.Event().wait()
