"""`mmsc cancel`: an MM that was submitted shall not be delivered."""

from typing import Any, Final

import click

from mmsc.cli import mm7_fields
from mmsc.cli.group import examples
from mmsc.cli.mm7_extended import refuse_what_is_not_there
from mmsc.cli.mm7_request import carry_out, check_text, request_of, shared_options, spoken_of
from mmsc.cli.option_groups import GroupedCommand, option, under
from protocols import mm7

_NOT_EXTENDED: Final = ("applic_id", "reply_applic_id", "aux_applic_info")


@click.command(
    "cancel",
    cls=GroupedCommand,
    epilog=examples(
        "cancel 0ABCDEFGHJKMN@mms.example",
        "cancel --extended 0ABCDEFGHJKMN --vasp-id news --user news:secret --url https://mmsc.example/mm7",
    ),
)
@click.argument("message_id")
@under(
    "Message",
    option("--extended", is_flag=True, help="extendedCancelReq: remove it from the terminal that has it already."),
    *mm7_fields.APPLICATION,
)
@shared_options
def command(message_id: str, **given: Any) -> None:
    """Withdraw the MM with MESSAGE_ID through MM7, as the VASP that sent it: CancelReq (TS 23.140 8.7.3).

    With --extended, MESSAGE_ID goes out as CancelID, and an MM that was delivered is meant.

    The exit status is 0 when the MMSC did it (1xxx), 1 when it refused, 2 for wrong usage, 3 for no answer."""
    check_text(click.get_current_context())
    version = given["mm7_version"] or spoken_of(given).version
    sender = {name: given[name] for name in ("vasp_id", "vas_id", "sender_address")}
    message: mm7.Message
    if given["extended"]:
        refuse_what_is_not_there(given, _NOT_EXTENDED, "extendedCancelReq")
        message = mm7.ExtendedCancelReq(mm7_version=version, cancel_id=message_id, **sender)
    else:
        application = {name: given[name] for name in _NOT_EXTENDED}
        message = mm7.CancelReq(mm7_version=version, message_id=message_id, **sender, **application)
    carry_out(given, request_of(given, message))
