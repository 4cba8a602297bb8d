"""`mmsc demo`: the main job, scene by scene, over real sockets; the exit status says whether all of it worked."""

import asyncio
import re
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mmsc.cli.group import examples

if TYPE_CHECKING:
    from mmsc.cli.stage import Stage
    from mmsc.lab.handset import Handset
    from mmsc.lab.vasp import Answer

_SCENE_SECONDS: Final = 30.0
_URL: Final = re.compile(r"https?://\S+")


@click.command("demo", epilog=examples("demo", "demo --keep"))
@click.option("--keep", is_flag=True, help="Leave everything running at the end, and say how to send an MM yourself.")
def command(keep: bool) -> None:
    """Show everything at work: two MMSCs, an SMSC, a VASP and handsets, scene by scene."""
    try:
        failed = asyncio.run(_until_ended(keep=keep))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except asyncio.CancelledError:
        raise SystemExit(143) from None
    raise SystemExit(1 if failed else 0)


async def _until_ended(*, keep: bool) -> int:
    """Play, and clean up also when told to end (SIGTERM, a closed terminal)."""
    playing = asyncio.ensure_future(_play(keep=keep))
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    return await playing


async def _play(*, keep: bool) -> int:
    from mmsc.cli.stage import set_up

    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="mmsc-demo-") as folder:
        async with set_up(Path(folder), click.echo) as stage:
            click.echo("Two MMSCs, two SMSCs, a VASP and five handsets on loopback.\n")
            for title, scene in SCENES:
                click.secho(f"{title}", bold=True)
                why = await _run(scene, stage)
                click.echo(f"FAILED {title}: {why}\n" if why else f"ok {title}\n")
                passed, failed = (passed, failed + 1) if why else (passed + 1, failed)
            if keep:
                await _keep(stage)
            click.echo(f"demo: {passed} passed, {failed} failed")
    return failed


async def _run(scene: "Callable[[Stage], Awaitable[None]]", stage: "Stage") -> str:
    """Why a scene failed, "" when it did not."""
    try:
        async with asyncio.timeout(_SCENE_SECONDS):
            await scene(stage)
    except TimeoutError:
        return "something that should have come did not"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _program() -> str:
    """This program as a shell finds it: `scripts/demo` runs it from an environment that is not on PATH."""
    return "mmsc" if shutil.which("mmsc") else shlex.quote(str(Path(sys.executable).with_name("mmsc")))


async def _keep(stage: "Stage") -> None:
    click.echo("Everything keeps running; interrupt to stop. Send one yourself:")
    options = "--user demo:secret --vasp-id demo --to +15550100001 --text Hello"
    click.echo(f"  {_program()} submit --url {stage.vasp.url} {options}\n")
    click.echo(f"MM1 {stage.mm1_url}  MM7 {stage.vasp.url}")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return


# --- scenes ---


def _check(condition: bool, why: str) -> None:
    if not condition:
        raise AssertionError(why)


async def _submit(stage: "Stage", number: str, **fields: object) -> "Answer":
    from mmsc.cli.stage import content

    answer = await stage.vasp.submit([number], subject="A lake", content=content(), **fields)  # type: ignore[arg-type]
    _check(answer.status_code == 1000, f"SubmitRsp {answer.status_code} {answer.status_text} {answer.details}")
    return answer


async def _reported(stage: "Stage", answer: "Answer", status: str) -> None:
    report = await stage.vasp.report(lambda one: one.message_id == answer.message_id)
    _check(report.mm_status == status, f"the report says {report.mm_status}, not {status}")


async def _has_picture(phone: "Handset", count: int) -> None:
    from mmsc.lab.media import picture

    inbox = await phone.until(lambda inbox: len(inbox.messages) >= count)
    message = inbox.messages[count - 1]
    pictures = [part for part in message.parts if part.content_type.media_type == "image/jpeg"]
    _check(len(pictures) == 1 and message.octets_of(pictures[0]) == picture(), "the picture is not the same octets")


async def retrieved(stage: "Stage") -> None:
    """Immediate retrieval."""
    phone = stage.phones["+15550100001"]
    answer = await _submit(stage, phone.number)
    await _has_picture(phone, 1)
    await _reported(stage, answer, "Retrieved")


async def deferred(stage: "Stage") -> None:
    """The user downloads later."""
    from mmsc.lab.handset import Fetching

    phone = stage.phones["+15550100002"]
    phone.fetching = Fetching.DEFERRED
    answer = await _submit(stage, phone.number)
    inbox = await phone.until(lambda inbox: bool(inbox.notifications))
    stage.ladder.note("the user looks at it later")
    _check(await phone.fetch(inbox.notifications[-1]) is not None, "; ".join(inbox.failures))
    await _reported(stage, answer, "Retrieved")


async def rejected(stage: "Stage") -> None:
    """The user does not want it."""
    from mmsc.lab.handset import Fetching

    phone = stage.phones["+15550100003"]
    phone.fetching = Fetching.REJECT
    await _reported(stage, await _submit(stage, phone.number), "Rejected")


async def other_mmsc(stage: "Stage") -> None:
    """By MM4, and back with a report."""
    from mmsc.cli.stage import FAR_PHONE

    answer = await _submit(stage, FAR_PHONE)
    await _has_picture(stage.phones[FAR_PHONE], 1)
    await _reported(stage, answer, "Retrieved")


async def old_phone(stage: "Stage") -> None:
    """SMS with a link; the page shows the same octets."""
    from mmsc.lab.media import picture

    phone = stage.phones["+15550100009"]
    answer = await _submit(stage, phone.number)
    inbox = await phone.until(lambda inbox: bool(inbox.texts))
    found = _URL.search(inbox.texts[-1])
    _check(found is not None, f"no link in {inbox.texts[-1]!r}")
    assert found is not None
    stage.ladder.note(f"SMS: {inbox.texts[-1]}")
    status, page = await phone.open_link(found[0])
    _check(status == 200 and b"The lake, this evening." in page, f"the page says HTTP {status}")
    stage.ladder.arrow("+1555…0009", "web page", "GET", "200")
    pieces = [await phone.open_link(f"{found[0]}/part/{number}") for number in range(3)]
    _check((200, picture()) in pieces, "the page's picture is not the same octets")
    await _reported(stage, answer, "Retrieved")


async def handset_to_handset(stage: "Stage") -> None:
    """MM1 in, MM1 out, and a delivery report to the sender."""
    from mmsc.lab.handset import Fetching
    from mmsc.lab.media import picture
    from protocols.content_type import ContentType
    from protocols.wsp.multipart import Part

    sender, receiver = stage.phones["+15550100001"], stage.phones["+15550100002"]
    receiver.fetching = Fetching.IMMEDIATE
    count = len(receiver.inbox.messages)
    conf = await sender.send(
        [f"{receiver.number}/TYPE=PLMN"],
        [Part(ContentType("image/jpeg"), picture(), "lake", "lake.jpg")],
        subject="From me",
        delivery_report=True,
    )
    _check(conf.message_id is not None, f"m-send-conf {conf.response_status!r} {conf.response_text}")
    await _has_picture(receiver, count + 1)
    inbox = await sender.until(lambda inbox: any(one.message_id == conf.message_id for one in inbox.reports))
    _check(inbox.reports[-1].status is not None, "a report without a status")


async def expired(stage: "Stage") -> None:
    """Nobody fetches it in time."""
    from mmsc.lab.handset import Fetching

    phone = stage.phones["+15550100003"]
    phone.fetching = Fetching.NEVER
    count = len(phone.inbox.notifications)
    answer = await _submit(stage, phone.number, expiry="PT1H")
    await phone.until(lambda inbox: len(inbox.notifications) > count)
    stage.ladder.note("the lab turns the clock: an hour later")
    stage.home.clock.step(3601)
    await _reported(stage, answer, "Expired")


SCENES: "Final[tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...]]" = (
    ("An MMS handset retrieves, the VASP gets Retrieved", retrieved),
    ("Deferred, then retrieved", deferred),
    ("Rejected by the recipient", rejected),
    ("To a subscriber of the other MMSC by MM4, and back with a report", other_mmsc),
    ("A handset without MMS gets an SMS, and the page shows the same octets", old_phone),
    ("Handset to handset, with a delivery report", handset_to_handset),
    ("Nobody fetches it: Expired", expired),
)
