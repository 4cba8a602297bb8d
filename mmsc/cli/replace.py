"""`mmsc replace`: an MM that was submitted is changed before it is delivered."""

from collections.abc import Mapping
from typing import Any, Final

import click

from mmsc.cli import mm7_fields
from mmsc.cli.group import examples
from mmsc.cli.mm7_extended import refuse_what_is_not_there
from mmsc.cli.mm7_fields import content_from, content_options, flag, href_of
from mmsc.cli.mm7_request import carry_out, check_text, request_of, shared_options, spoken_of
from mmsc.cli.option_groups import GroupedCommand, option, under
from protocols import mime, mm7

_SHARED: Final = (
    *("vasp_id", "vas_id", "service_code", "time_stamp", "read_reply", "earliest_delivery_time", "allow_adaptations"),
)
_APPLICATION: Final = ("applic_id", "reply_applic_id", "aux_applic_info")
_NOT_EXTENDED: Final = ("sender_address", "distribution", "content_class", "drm", *_APPLICATION)
_ONLY_EXTENDED: Final = ("expiry_date", "delivery_report")


@click.command(
    "replace",
    cls=GroupedCommand,
    epilog=examples(
        'replace 0ABCDEFGHJKMN@mms.example --text "It rains after all" rain.jpg',
        "replace 0ABCDEFGHJKMN@mms.example --earliest 'in 2h'",
        "replace --extended 0ABCDEFGHJKMN --expiry P1D --text Sorry",
    ),
)
@click.argument("message_id")
@under(
    "Message",
    option("--extended", is_flag=True, help="extendedReplaceReq: change it on the terminal that has it already."),
    mm7_fields.SERVICE_CODE,
    mm7_fields.TIME_STAMP,
    mm7_fields.EARLIEST,
    mm7_fields.READ_REPLY,
    mm7_fields.DISTRIBUTION,
    mm7_fields.CONTENT_CLASS,
    mm7_fields.DRM,
    *mm7_fields.APPLICATION,
)
@under("With --extended", mm7_fields.EXPIRY, flag("delivery-report", "DeliveryReport"))
@content_options
@shared_options
def command(message_id: str, **given: Any) -> None:
    """Change the MM with MESSAGE_ID through MM7, as the VASP that sent it: ReplaceReq (TS 23.140 8.7.3).

    Only what is named here changes; recipients stay. FILES are as in `mmsc submit`. With --extended, MESSAGE_ID goes
    out as ReplaceID, and an MM that was delivered is meant.

    The exit status is 0 when the MMSC did it (1xxx), 1 when it refused, 2 for wrong usage, 3 for no answer."""
    check_text(click.get_current_context())
    content, remarks = content_from(given)
    message = _extended(message_id, given, content) if given["extended"] else _plain(message_id, given, content)
    carry_out(given, request_of(given, message, content, remarks))


def _shared(given: Mapping[str, Any], content: mime.OutPart | None) -> dict[str, Any]:
    version = given["mm7_version"] or spoken_of(given).version
    return {
        "mm7_version": version,
        "content_href": href_of(content),
        **{name: given[name] for name in _SHARED},
    }


def _plain(message_id: str, given: Mapping[str, Any], content: mime.OutPart | None) -> mm7.ReplaceReq:
    refuse_what_is_not_there(given, _ONLY_EXTENDED, "ReplaceReq")
    return mm7.ReplaceReq(
        message_id=message_id,
        sender_address=given["sender_address"],
        distribution_indicator=given["distribution"],
        content_class=given["content_class"] or "",
        drm_content=given["drm"],
        **{name: given[name] for name in _APPLICATION},
        **_shared(given, content),
    )


def _extended(message_id: str, given: Mapping[str, Any], content: mime.OutPart | None) -> mm7.ExtendedReplaceReq:
    refuse_what_is_not_there(given, _NOT_EXTENDED, "extendedReplaceReq")
    return mm7.ExtendedReplaceReq(
        replace_id=message_id, **{name: given[name] for name in _ONLY_EXTENDED}, **_shared(given, content)
    )
