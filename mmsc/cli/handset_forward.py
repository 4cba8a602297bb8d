"""`mmsc handset forward`: an m-forward-req (OMA-TS-MMS_ENC 6, of version 1.1)."""

from typing import Any

import click

from mmsc.cli import handset_fields
from mmsc.cli.group import examples
from mmsc.cli.handset_fields import stored_of
from mmsc.cli.handset_options import Url, ask, keyboard, shared_options, tell_conf
from mmsc.cli.option_groups import GroupedCommand, option, under


@click.command(
    "forward",
    cls=GroupedCommand,
    short_help="Send an MM on that was not fetched.",
    epilog=examples("handset forward --number +15550000001 http://mmsc.example/m/7f3a01 --to +15550000002"),
)
@click.argument("location", type=Url())
@under("Recipients", *handset_fields.RECIPIENTS)
@under(
    "Message",
    handset_fields.FROM,
    handset_fields.EXPIRY,
    handset_fields.DELIVERY_TIME,
    option("--reply-to", metavar="MESSAGE-ID", help="X-Mms-Reply-Charging-ID."),
    handset_fields.TRANSACTION_ID,
)
@under("Reports", handset_fields.DELIVERY_REPORT, handset_fields.READ_REPORT, handset_fields.REPORT_ALLOWED)
@under("MMBox", *handset_fields.STORE)
@shared_options
@keyboard
def command(**given: Any) -> None:
    """Send an MM on without fetching it (m-forward-req), by the Content-Location of its notification, and tell the
    m-forward-conf."""
    if not (given["to"] or given["cc"] or given["bcc"]):
        raise click.UsageError("name at least one recipient with --to, --cc or --bcc")
    plain = ("cc", "bcc", "expiry", "delivery_time", "delivery_report", "read_report", "report_allowed")
    fields = {name: given[name] for name in plain} | stored_of(given) | {"reply_charging_id": given["reply_to"]}
    conf = ask(
        given, lambda phone: phone.forward(given["location"], given["to"], sender=given["sender"] or "", **fields)
    )
    tell_conf(given, conf)
