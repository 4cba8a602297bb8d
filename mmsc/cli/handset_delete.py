"""`mmsc handset delete`: an m-delete-req (OMA-TS-MMS_ENC 6, of version 1.3)."""

from typing import Any

import click

from mmsc.cli.group import examples
from mmsc.cli.handset_options import Url, ask, keyboard, shared_options, tell_conf
from mmsc.cli.option_groups import GroupedCommand


@click.command(
    "delete",
    cls=GroupedCommand,
    short_help="Let MMs be forgotten that wait.",
    epilog=examples("handset delete --number +15550000001 http://mmsc.example/m/7f3a01"),
)
@click.argument("locations", nargs=-1, required=True, type=Url())
@shared_options
@keyboard
def command(**given: Any) -> None:
    """Let the MMSC forget MMs that wait for the handset, by the Content-Locations of their notifications
    (m-delete-req), and tell the m-delete-conf."""
    tell_conf(given, ask(given, lambda phone: phone.delete(*given["locations"])))
