"""`mmsc load`: load on an MMSC's MM7 interface, and a report of how it bore that."""

import asyncio
import json
import math
import mimetypes
import shlex
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import click

from mmsc.cli.group import examples
from mmsc.cli.load_progress import Progress
from mmsc.cli.serve import fast_loop
from mmsc.clock import host_now
from mmsc.domain.instant import to_datetime
from mmsc.ids import Ids
from mmsc.load import mix as mixes
from mmsc.load.figures import Story, figures_of, is_bad
from mmsc.load.mix import Mix
from mmsc.load.octets import Content, picture
from mmsc.load.page import page_of
from mmsc.load.plan import MAXIMUM_CONNECTIONS, MAXIMUM_IN_FLIGHT, MAXIMUM_RATE, Plan, Until
from mmsc.load.session import BIND_SECONDS, Place, Session, Setup
from mmsc.load.stops import HELP, MAXIMUM_CONDITIONS, check, condition_of
from mmsc.load.target import Target, target_of
from mmsc.load.text import text_of
from mmsc.settings import is_loopback
from protocols import mm7

MAXIMUM_MESSAGES: Final = 1_000_000_000
MAXIMUM_SECONDS: Final = 7 * 86_400.0
INTERRUPTED: Final = 130  # exit status
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PORTS: Final = {"open": 64}  # connections of an open loop when nobody says how many


class Seconds(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """A time such as 30, 30s, 5m, 500ms."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        number = text.rstrip("msh")
        unit = text[len(number) :] or "s"
        try:
            seconds = float(number) * _UNITS[unit]
        except (ValueError, KeyError):
            self.fail(f"{text!r} is no time; write 30s, 5m, 500ms", param, ctx)
        if not 0 < seconds <= MAXIMUM_SECONDS:
            self.fail(f"{text!r} is not between 0 and {MAXIMUM_SECONDS:g} s", param, ctx)
        return seconds


class Listen(click.ParamType):  # type: ignore[type-arg] # as above
    """HOST:PORT."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """(host, port)."""
        host, colon, port = str(value).rpartition(":")
        if not colon or not host or not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is no HOST:PORT", param, ctx)
        return host.strip("[]"), int(port)


@click.command(
    "load",
    epilog=examples(
        "load http://127.0.0.1:8807/mm7 --to +15550000001 --in-flight 8 --messages 1000",
        "load http://127.0.0.1:8807/mm7 --to +15550000001..+15550000002 --rate 50 --duration 30s --html load.html",
        "load http://127.0.0.1:8807/mm7 --to @numbers.txt --size 5k:50,30k:40,300k:10 --recipients 1:90,10:10",
        'load http://127.0.0.1:8807/mm7 --to +15550000001 --rate 200 --stop-on "errors>1%" --stop-on "p99>500ms"',
        "load http://127.0.0.1:9007/mm7 --to @numbers.txt --reports --play --until reported --in-flight 64",
    ),
)
@click.argument("url", metavar="MM7-URL")
@click.option("--user", default="demo:secret", show_default=True, help="NAME:PASSWORD for HTTP Basic; empty for none.")
@click.option("--vasp-id", default="demo", show_default=True, help="VASPID.")
@click.option("--vas-id", default="", help="VASID.")
@click.option("--namespace", default=mm7.LATEST, show_default=True, help="The MM7 schema's tag.")
@click.option("--from", "sender", default="", help="SenderAddress: a short code or a number.")
@click.option("--subject", default="Load", show_default=True, help="Subject.")
@click.option("--to", multiple=True, required=True, help="NUMBER, FIRST..LAST or @FILE (one a line); again for more.")
@click.option("--recipients", default="1", show_default=True, help="Recipients of a message, as NUMBER:WEIGHT,...")
@click.option("--size", default="", help="Octets of the medium, as SIZE:WEIGHT,... such as 5k:50,300k:10.  [30k]")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A medium to send instead; again for more, in turn by chance.",
)
@click.option("--rate", type=click.FloatRange(0, MAXIMUM_RATE, min_open=True), help="Open loop: messages a second.")
@click.option("--in-flight", type=click.IntRange(1, MAXIMUM_IN_FLIGHT), help="Closed loop: messages in flight.  [8]")
@click.option(
    "--until",
    type=click.Choice([one.value for one in Until]),
    help="What ends a message of a closed loop.  [reported with --reports, else accepted]",
)
@click.option(
    "--connections", type=click.IntRange(1, MAXIMUM_CONNECTIONS), help="HTTP connections.  [in flight, or 64]"
)
@click.option("--duration", type=Seconds(), help="How long to send, after the warm-up.  [30s]")
@click.option("--messages", type=click.IntRange(1, MAXIMUM_MESSAGES), help="How many to send instead.")
@click.option("--warm-up", default="", help="What does not count: a time (5s), or a number of messages (200).")
@click.option("--timeout", type=Seconds(), default=30.0, help="For an answer.  [30s]")
@click.option("--reports", is_flag=True, help="Ask for delivery reports, listen for them, and wait for all.")
@click.option("--report-listen", type=Listen(), default="127.0.0.1:8900", show_default=True, help="Where they come.")
@click.option("--grace", type=Seconds(), default=30.0, help="For a report; later it is lost.  [30s]")
@click.option("--play", is_flag=True, help="Be the SMSC and the handsets, too: take the pushes, fetch, acknowledge.")
@click.option("--smsc-listen", type=Listen(), default="127.0.0.1:2775", show_default=True, help="Where the SMSC is.")
@click.option("--bind-timeout", type=Seconds(), default=BIND_SECONDS, help="For the MMSC's bind.  [90s]")
@click.option("--mm1-path", default="/mms", show_default=True, help="Where the MMSC takes m-notifyresp-ind.")
@click.option("--stop-on", multiple=True, help=f"End with status 1 when this holds, e.g. errors>1%, p99>500ms: {HELP}.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of sizes and recipients.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures.")
@click.option(
    "--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with plots there."
)
@click.option("--target-is-mine", is_flag=True, help="Allow a target that is not on this host.")
def command(url: str, json_file: Path | None, html_file: Path | None, target_is_mine: bool, **given: Any) -> None:
    """Put load on an MMSC through MM7, and tell how it bore that.

    With --rate, message n is due at n / rate whatever the MMSC does, and its latency counts from then. With
    --in-flight, each message that ends begins the next. Without --play, SMSC and handsets are somebody else's.

    The exit status is 0 when all went well, 1 when a stop condition held, a report was lost or nothing was accepted,
    2 for wrong usage, 130 after an interrupt (the report comes; a second interrupt does not wait for what is out)."""
    try:
        target = _target(url, given)
        _check(target, given, target_is_mine=target_is_mine)
        plan = plan_of(given)
        mix = _mix(target, plan, given)
        setup = _setup(given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for file in (json_file, html_file):
        _check_writable(file)  # rather now than after an hour of load
    story = Story(
        target=target,
        plan=plan,
        command=_command_line(sys.argv[1:]),
        started=to_datetime(host_now()).isoformat(timespec="seconds"),
        version=metadata.version("mmsc"),
    )
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        figures, interrupted = runner.run(_run(target, plan, mix, setup, story, foreign=target_is_mine))
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=1) + "\n")
    if html_file is not None:
        html_file.write_text(page_of(figures))
    click.echo(text_of(figures))
    if interrupted:
        sys.exit(INTERRUPTED)
    sys.exit(1 if is_bad(figures) else 0)


def _check_writable(file: Path | None) -> None:
    """Raises click.ClickException when a report cannot be written there. What is there stays until there is one."""
    if file is None:
        return
    is_new = not file.exists()
    try:
        file.open("ab").close()
        if is_new:
            file.unlink()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error


def _target(url: str, given: dict[str, Any]) -> Target:
    names = ("user", "vasp_id", "vas_id", "sender", "subject", "namespace")
    for name in names:
        if any(letter < " " for letter in given[name]) or not given[name].isprintable():
            raise ValueError(f"--{name.replace('_', '-')} has control characters")
    return target_of(url, **{name: given[name] for name in names})


def _check(target: Target, given: dict[str, Any], *, target_is_mine: bool) -> None:
    if not is_loopback(target.host) and not target_is_mine:
        raise ValueError(
            f"{target.host} is not on this host. Load on somebody else's MMSC is an attack:"
            " if it is yours to load, say so with --target-is-mine"
        )
    if given["rate"] is not None and math.isnan(given["rate"]):
        raise ValueError("--rate: nan is no number of messages")
    if given["rate"] and given["in_flight"]:
        raise ValueError("--rate (open loop) or --in-flight (closed loop), not both")
    if given["duration"] and given["messages"]:
        raise ValueError("--duration or --messages, not both")
    if given["until"] and given["rate"]:
        raise ValueError("--until is for a closed loop: with --rate the next message does not wait")
    if given["until"] == Until.REPORTED and not given["reports"]:
        raise ValueError("--until reported needs --reports")
    if given["files"] and given["size"]:
        raise ValueError("--file or --size, not both")
    path = given["mm1_path"]
    if not path.startswith("/") or any(letter <= " " or letter > "~" for letter in path):
        raise ValueError(f"--mm1-path: {path!r} is no path")


def plan_of(given: dict[str, Any]) -> Plan:
    """The plan that options ask for. Raises ValueError for a person."""
    in_flight = 0 if given["rate"] else given["in_flight"] or 8
    until = Until(given["until"] or (Until.REPORTED if given["reports"] and in_flight else Until.ACCEPTED))
    warm_up = given["warm_up"].strip()
    by_count = warm_up.isdecimal()
    if by_count and int(warm_up) > MAXIMUM_MESSAGES:
        raise ValueError(f"--warm-up: at most {MAXIMUM_MESSAGES} messages")
    try:
        warm_up_seconds = Seconds().convert(warm_up, None, None) if warm_up and not by_count else 0.0
    except click.BadParameter as error:
        raise ValueError(f"--warm-up: {error.message}") from error
    return Plan(
        in_flight=in_flight,
        rate=given["rate"] or 0.0,
        messages=given["messages"] or 0,
        seconds=0.0 if given["messages"] else given["duration"] or 30.0,
        warm_up_messages=int(warm_up) if by_count else 0,
        warm_up_seconds=warm_up_seconds,
        connections=given["connections"] or min(in_flight or _PORTS["open"], MAXIMUM_CONNECTIONS),
        until=until,
        reports=given["reports"],
        pushes=given["play"] and given["recipients"].strip() == "1",
        timeout_seconds=given["timeout"],
        grace_seconds=given["grace"],
    )


def _mix(target: Target, plan: Plan, given: dict[str, Any]) -> Mix:
    def read(name: str) -> str:
        try:
            return Path(name).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"--to @{name}: {getattr(error, 'strerror', None) or 'is no text'}") from error

    recipients = mixes.recipients_of(given["to"], read)
    if not recipients:
        raise ValueError("--to names nobody")
    counts = mixes.counts_of(given["recipients"])
    most = max(choice.value for choice in counts)
    if most > len(recipients):
        raise ValueError(f"--recipients asks for {most}, --to names {len(recipients)}")
    contents = [(_file(file), 1) for file in given["files"]] or [
        (picture(choice.value), choice.weight) for choice in mixes.sizes_of(given["size"] or "30k")
    ]
    prefix = Ids().transaction_id()[:12]  # of this run alone: an MMSC takes the same again for a repeat
    return Mix(target, contents, recipients, counts, reports=plan.reports, prefix=prefix, seed=given["seed"])


def _file(file: Path) -> Content:
    octets = file.read_bytes() if file.stat().st_size <= mixes.MAXIMUM_CONTENT_OCTETS else b""
    if not octets:
        raise ValueError(f"--file {file}: empty, or larger than {mixes.MAXIMUM_CONTENT_OCTETS} octets")
    name = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in file.name
    )
    return Content(octets, mimetypes.guess_type(file.name)[0] or "application/octet-stream", name)


def _setup(given: dict[str, Any]) -> Setup:
    if len(given["stop_on"]) > MAXIMUM_CONDITIONS:
        raise ValueError(f"at most {MAXIMUM_CONDITIONS} conditions")
    try:
        conditions = [condition_of(text) for text in given["stop_on"]]
    except ValueError as error:
        raise ValueError(f"--stop-on: {error} (known: {HELP})") from error
    pushes = given["play"] and given["recipients"].strip() == "1"
    check(conditions, reports=given["reports"], pushes=pushes, plays=given["play"])
    return Setup(
        report_listen=given["report_listen"] if given["reports"] else None,
        smsc_listen=given["smsc_listen"] if given["play"] else None,
        notify_path=given["mm1_path"],
        bind_seconds=given["bind_timeout"],
        conditions=conditions,
    )


async def _run(
    target: Target, plan: Plan, mix: Mix, setup: Setup, story: Story, *, foreign: bool
) -> tuple[dict[str, Any], bool]:
    progress = Progress(plan)
    interrupted: list[bool] = []
    session = Session(
        target,
        plan,
        mix,
        setup,
        may_fetch=lambda host: foreign or is_loopback(host),
        ticked=lambda: progress.tick(session),
    )

    def interrupt() -> None:
        interrupted.append(True)
        if len(interrupted) == 1:
            progress.say("ending; once more to end at once ...")
        session.driver.stop("interrupted")

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        async with session:
            if session.plays_smsc:
                progress.say("waiting until the MMSC binds to our SMSC on {} port {}".format(*setup.smsc_listen or ()))
            await session.run()
    except TimeoutError as error:
        raise click.ClickException(str(error) or f"no connection to {target.url} in time") from error
    except OSError as error:
        what = error.strerror or str(error)
        listening = f"{what}; choose another place with --report-listen or --smsc-listen"
        reason = listening if "cannot listen" in what else f"nobody takes connections at {target.url} ({what})"
        raise click.ClickException(reason) from error
    finally:
        progress.clear()
    return figures_of(session, story), bool(interrupted)


def _command_line(arguments: list[str]) -> str:
    """What was typed, without the password."""
    shown: list[str] = []
    for argument in arguments:
        if (shown and shown[-1] == "--user") or argument.startswith("--user="):
            argument = argument.partition(":")[0] + ":..."
        shown.append(argument)
    return "mmsc " + shlex.join(shown)
