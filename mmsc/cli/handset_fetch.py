"""`mmsc handset fetch`: a GET of a Content-Location, and the m-acknowledge-ind that the MM asks for (OMA-TS-MMS_ENC
6.3, 6.4)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmsc.cli.group import examples
from mmsc.cli.handset_options import Refused, Url, agent_options, ask, json_option, keyboard
from mmsc.cli.option_groups import GroupedCommand, option, under
from mmsc.lab.mm7_words import printable

if TYPE_CHECKING:
    from mmsc.lab.handset import Handset, Message


@click.command(
    "fetch",
    cls=GroupedCommand,
    short_help="Fetch an MM by its Content-Location.",
    epilog=examples(
        "handset fetch --number +15550000001 http://mmsc.example/m/7f3a01 --save inbox",
        "handset fetch --number +15550000001 http://mmsc.example/m/7f3a01 --notification N7f3a01",
    ),
)
@click.argument("location", type=Url())
@under(
    "Answers",
    option(
        "--notification",
        default="",
        metavar="TRANSACTION-ID",
        help="The notification's: answer it with m-notifyresp-ind Retrieved instead of m-acknowledge-ind.",
    ),
    option("--no-answer", is_flag=True, help="Fetch, and say nothing."),
)
@agent_options
@under(
    "Output",
    json_option,
    option("--save", type=click.Path(file_okay=False, path_type=Path), help="Save the PDU and its parts there."),
)
@keyboard
def command(**given: Any) -> None:
    """Fetch the MM behind a Content-Location, tell it, and acknowledge it where it asks for that."""
    from mmsc.cli.handset_words import Saved, item_as_object, item_in_words

    message = ask(given, lambda phone: _fetch(given, phone))
    if message is None:
        raise Refused("there is no MM")
    files = () if given["save"] is None else Saved(given["save"]).save(message)
    if given["as_json"]:
        click.echo(json.dumps({**item_as_object(message), "files": list(files)}, ensure_ascii=False))
        return
    click.echo(printable(item_in_words(message)))
    for name in files:
        click.echo(f"  saved {printable(name)}")


async def _fetch(given: dict[str, Any], phone: "Handset") -> "Message | None":
    from protocols.mm1 import MNotificationInd, Status

    notification = MNotificationInd(content_location=given["location"], transaction_id=given["notification"])
    if given["no_answer"]:
        phone.profile = replace(phone.profile, acknowledges=False)
    if not given["notification"]:
        return await phone.fetch(notification)
    message = await phone.get(notification)
    if message is not None and not given["no_answer"]:
        await phone.answer(given["notification"], Status.RETRIEVED, location=given["location"])
    return message
