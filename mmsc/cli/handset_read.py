"""`mmsc handset read`: an m-read-rec-ind (OMA-TS-MMS_ENC 6.6.1, of version 1.1)."""

from typing import Any

import click

from mmsc.cli.group import examples
from mmsc.cli.handset_options import Recipient, Refused, agent_options, ask, keyboard
from mmsc.cli.option_groups import GroupedCommand, option, under


@click.command(
    "read",
    cls=GroupedCommand,
    short_help="Say that an MM was read, or deleted unread.",
    epilog=examples("handset read --number +15550000001 ab12@mmsc.example --to +15550000002"),
)
@click.argument("message_id")
@under(
    "Report",
    option("--to", type=Recipient(), required=True, help="The MM's sender."),
    option("--deleted", is_flag=True, help="It was deleted without being read."),
)
@agent_options
@keyboard
def command(**given: Any) -> None:
    """Tell the sender of the MM with this Message-ID that it was read (m-read-rec-ind)."""
    status = ask(given, lambda phone: phone.tell_read(given["message_id"], given["to"], read=not given["deleted"]))
    if not 200 <= status < 300:
        raise Refused(f"HTTP {status}")
    click.echo("taken")
