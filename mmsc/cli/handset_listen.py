"""`mmsc handset listen`: a handset that is switched on, and tells what it gets and does."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmsc.cli.group import examples
from mmsc.cli.handset_options import Place, agent_options, handset_of, json_option
from mmsc.cli.handset_pushes import Pushed, arrivals
from mmsc.cli.handset_words import kind_of, line_of
from mmsc.cli.option_groups import GroupedCommand, option, under
from mmsc.cli.vasp import Listen
from mmsc.clock import host_now
from mmsc.domain.instant import to_datetime
from mmsc.lab.mm7_words import printable

if TYPE_CHECKING:
    from mmsc.cli.handset_words import Saved
    from mmsc.lab.handset import Handset
    from mmsc.lab.handset_behaviour import Behaviours
    from mmsc.lab.handset_inbox import Item, Message, News
    from protocols.mm1 import Pdu

_MMS_PDU: Final = b"\x8c"  # X-Mms-Message-Type stands first (OMA-TS-MMS_ENC 7); a push begins with its transaction


class BehaviourWords(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """What it does about MMs, one after the other."""

    name = "behaviour"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Behaviours":
        """See `handset_behaviour.behaviours_of`."""
        from mmsc.lab.handset_behaviour import Behaviours, behaviours_of

        if isinstance(value, Behaviours):
            return value
        try:
            return behaviours_of(str(value))
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error


@click.command(
    "listen",
    cls=GroupedCommand,
    short_help="Take what is pushed, and do what it is told about it.",
    epilog=examples(
        "handset listen --number +15550100123 --smpp-listen 2775 --save inbox",
        "handset listen --number +15550100123 --udp 2948 --behaviour 'deferred=30+read,reject,immediate'",
        "handset listen --number +15550100123 --smpp smsc.example:2775 --system-id phone --password secret",
        "handset listen --number +15550100123 --push notification.hex --profile aosp --json",
    ),
)
@under(
    "Pushes",
    option("--smpp-listen", type=Listen(), help="Be a small SMSC that the MMSC binds to (SMPP v3.4)."),
    option("--smpp", type=Place(), default="", help="Bind to an SMSC as a receiver."),
    option("--system-id", default="", help="The account: whom --smpp-listen lets in (empty: all), who --smpp is."),
    option("--password", default="", help="Its password."),
    option("--udp", type=Listen(), help="Take WAP pushes as datagrams; phones have port 2948."),
    option(
        "--push", "pushes", type=Pushed(), multiple=True, help="A push or its MMS PDU: a file or hex; again for more."
    ),
    option("--count", type=click.IntRange(1), help="End after so many pushes and texts."),
)
@under(
    "Behaviour",
    option(
        "--behaviour",
        "behaviours",
        type=BehaviourWords(),
        default="immediate",
        show_default=True,
        help="immediate, deferred, deferred=SECONDS, reject, never, silent, unrecognised, forward=NUMBER; behind it "
        "with + wait=SECONDS, slow=OCTETS (a second), cut=TIMES, retry=TIMES, read, deleted, reply=TEXT, no-report; "
        "one MM after the other with commas, the last one goes on; *N behind one is N times.",
    ),
)
@agent_options
@under(
    "Output",
    json_option,
    option("--save", type=click.Path(file_okay=False, path_type=Path), help="Save MMs there: the PDU and its parts."),
)
def command(**given: Any) -> None:
    """Be a handset that is switched on: take notifications and reports, fetch MMs, and do what --behaviour says.

    It ends when it is interrupted, with --count, or, where all pushes are given with --push, when it has done with
    them. The exit status is 1 when something failed."""
    from mmsc.cli.handset_words import Saved

    if not (given["smpp_listen"] or given["smpp"] or given["udp"] or given["pushes"]):
        raise click.UsageError(
            "say how pushes arrive: --smpp-listen PORT, --smpp HOST:PORT, --udp PORT, or --push FILE"
        )
    teller = Teller(None if given["save"] is None else Saved(given["save"]), as_json=given["as_json"])
    phone = handset_of(given, behaviours=given["behaviours"], heard=teller.heard, watch=teller.watched)
    asyncio.run(_listen(given, phone, teller))
    if teller.failed:
        raise SystemExit(1)


async def _listen(given: dict[str, Any], phone: "Handset", teller: "Teller") -> None:
    interrupted, enough = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    done = 0

    def counted() -> None:
        nonlocal done
        done += 1
        if given["count"] is not None and done >= given["count"]:
            enough.set()

    async def work() -> None:
        async with arrivals(given, phone, counted, enough.set) as places:
            for place in places:
                click.echo(f"{place}; interrupt to stop", err=True)
            for octets in given["pushes"]:
                await (phone.take(octets) if octets[:1] == _MMS_PDU else phone.on_push(octets))
                counted()
            if places:
                await enough.wait()
            await phone.idle()

    async with phone:
        await _until_interrupted(work(), interrupted)
    teller.sum_up()


async def _until_interrupted(work: Coroutine[Any, Any, None], interrupted: asyncio.Event) -> None:
    """The work to its end, or until a signal. What it raises goes on."""
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    with suppress(asyncio.CancelledError):
        await working


class Teller:
    """Writes what arrives and what the handset does."""

    def __init__(self, folder: "Saved | None", *, as_json: bool) -> None:
        self._folder = folder
        self._as_json = as_json
        self._counts: Counter[str] = Counter()
        self.failed = False

    def heard(self, news: "News", item: "Item") -> None:
        """Something arrived, or went wrong."""
        from mmsc.cli.handset_words import item_as_object, item_in_words
        from mmsc.lab.handset_inbox import Message, News

        self.failed |= news is News.FAILURE
        files = self._save(item) if news is News.MESSAGE and isinstance(item, Message) else ()
        if self._as_json:
            self._write_object(kind_of(news), {**item_as_object(item), **({"files": list(files)} if files else {})})
        else:
            self._write(news, item_in_words(item))
            for name in files:
                click.echo(f"  saved {printable(name)}")
        self._counts[kind_of(news)] += 1

    def watched(self, direction: str, pdu: "Pdu") -> None:
        """A PDU that goes through; those that go out are told here, the others when they have arrived."""
        from mmsc.cli.handset_words import SENT, as_object, sent_in_words

        if direction != "out":
            return
        if self._as_json:
            self._write_object(SENT, {"pdu": as_object(pdu)})
        else:
            self._write(SENT, sent_in_words(pdu))

    def _write(self, kind: "News | str", told: str) -> None:
        click.echo(line_of(host_now(), kind, told))
        sys.stdout.flush()

    def _write_object(self, kind: str, told: dict[str, object]) -> None:
        at = to_datetime(host_now()).isoformat()
        click.echo(json.dumps({"at": at, "event": kind, **told}, ensure_ascii=False))
        sys.stdout.flush()

    def _save(self, message: "Message") -> tuple[str, ...]:
        if self._folder is None:
            return ()
        try:
            return self._folder.save(message)
        except OSError as error:
            click.echo(f"not saved: {error.filename}: {error.strerror}", err=True)
            self.failed = True
            return ()

    def sum_up(self) -> None:
        """How much came."""
        told = ", ".join(f"{count} {name}" for name, count in sorted(self._counts.items()))
        click.echo(told or "nothing came", err=True)
