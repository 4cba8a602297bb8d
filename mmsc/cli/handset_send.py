"""`mmsc handset send`: an m-send-req (OMA-TS-MMS_ENC 6.1.1), each of its fields an option."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from mmsc.cli import handset_fields
from mmsc.cli.group import examples
from mmsc.cli.handset_content import content_of, content_options
from mmsc.cli.handset_fields import member_of, one_of, stored_of, yes_no
from mmsc.cli.handset_options import When, ask, keyboard, shared_options, tell_conf
from mmsc.cli.mm7_times import Time
from mmsc.cli.option_groups import GroupedCommand, option, under
from protocols.mm1 import ContentClass, MessageClass, Priority, ReplyCharging, SenderVisibility

_REQUESTED = {"any": ReplyCharging.REQUESTED, "text-only": ReplyCharging.REQUESTED_TEXT_ONLY}


@click.command(
    "send",
    cls=GroupedCommand,
    short_help="Send an MM.",
    epilog=examples(
        "handset send --number +15550000001 --to +15550000002 --text Hello photo.jpg --delivery-report",
        "handset send --number +15550000001 --to 4488 --text Vote --hide --expiry 'in 2h' --priority High",
        "handset send --number +15550000001 --to +15550000002 --text Hi --reply-charging any --reply-deadline 'in 1d'",
    ),
)
@under("Recipients", *handset_fields.RECIPIENTS)
@under(
    "Message",
    handset_fields.FROM,
    option("--subject", default="", help="Subject."),
    one_of(MessageClass, "--class", "message_class", about="X-Mms-Message-Class."),
    one_of(Priority, "--priority", about="X-Mms-Priority."),
    handset_fields.EXPIRY,
    handset_fields.DELIVERY_TIME,
    option("--date", type=Time(absolute=True), default="", help="Date: an xs:dateTime, 'now' or 'now-5m'."),
    yes_no("hide", "X-Mms-Sender-Visibility", "whether the sender is hidden", "show"),
    one_of(ContentClass, "--content-class", about="X-Mms-Content-Class (1.3)."),
    yes_no("drm", "X-Mms-DRM-Content"),
    yes_no("adaptation-allowed", "X-Mms-Adaptation-Allowed"),
    option("--applic-id", help="X-Mms-Applic-ID: the application that it is for (1.3)."),
    option("--reply-applic-id", help="X-Mms-Reply-Applic-ID."),
    option("--aux-applic-info", help="X-Mms-Aux-Applic-Info."),
    handset_fields.TRANSACTION_ID,
)
@content_options
@under("Reports", handset_fields.DELIVERY_REPORT, handset_fields.READ_REPORT)
@under(
    "Reply charging",
    option("--reply-charging", type=click.Choice(list(_REQUESTED)), help="X-Mms-Reply-Charging: the sender pays."),
    option("--reply-deadline", type=When(), help="X-Mms-Reply-Charging-Deadline: as --expiry."),
    option("--reply-size", type=click.IntRange(1), help="X-Mms-Reply-Charging-Size: octets."),
    option("--reply-to", metavar="MESSAGE-ID", help="X-Mms-Reply-Charging-ID: the MM that this one answers."),
)
@under("MMBox", *handset_fields.STORE)
@shared_options
@keyboard
def command(**given: Any) -> None:
    """Send an MM (m-send-req), and tell the m-send-conf.

    An ADDRESS is +NUMBER, MAIL@DOMAIN, a short code, or any with its type (2001:db8::7/TYPE=IPv6). FILES are the
    parts; FILE;type=TYPE;id=CONTENT-ID;name=NAME says what the file does not. Fields are left out unless an option
    names them."""
    if not (given["to"] or given["cc"] or given["bcc"]):
        raise click.UsageError("name at least one recipient with --to, --cc or --bcc")
    parts, content_type = content_of(given)
    fields = _fields(given)
    conf = ask(
        given,
        lambda phone: phone.send(
            given["to"],
            parts,
            subject=given["subject"],
            delivery_report=given["delivery_report"],
            content_type=content_type,
            cc=given["cc"],
            bcc=given["bcc"],
            sender=given["sender"] or "",
            **fields,
        ),
    )
    tell_conf(given, conf)


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    plain = (
        *("expiry", "delivery_time", "read_report", "adaptation_allowed"),
        *("applic_id", "reply_applic_id", "aux_applic_info"),
    )
    hide = given["hide"]
    visible = SenderVisibility.HIDE if hide else SenderVisibility.SHOW
    return {
        **{name: given[name] for name in plain},
        "date": int(datetime.fromisoformat(given["date"]).timestamp()) if given["date"] else None,
        "message_class": member_of(MessageClass, given["message_class"]),
        "priority": member_of(Priority, given["priority"]),
        "content_class": member_of(ContentClass, given["content_class"]),
        "sender_visibility": None if hide is None else visible,
        "drm_content": given["drm"],
        "reply_charging": _REQUESTED.get(given["reply_charging"] or ""),
        "reply_charging_deadline": given["reply_deadline"],
        "reply_charging_size": given["reply_size"],
        "reply_charging_id": given["reply_to"],
        **stored_of(given),
    }
