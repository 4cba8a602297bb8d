"""`mmsc handset mbox`: the subscriber's store in the network (OMA-TS-MMS_ENC 6, of version 1.2)."""

import json
from typing import TYPE_CHECKING, Any, Final

import click

from mmsc.cli.group import examples
from mmsc.cli.handset_content import content_of, content_options
from mmsc.cli.handset_fields import member_of, one_of
from mmsc.cli.handset_options import Recipient, Url, ask, keyboard, shared_options, tell_conf
from mmsc.cli.option_groups import GroupedCommand, option, under
from mmsc.lab.mm7_words import printable
from protocols.mm1 import MmState

if TYPE_CHECKING:
    from mmsc.lab.mmbox_client import View
    from protocols.mm1 import MMboxDescr

_MAXIMUM_INTEGER: Final = 2**31 - 1
_STATE: Final = one_of(MmState, "--state", about="X-Mms-MM-State.")
_UNITS: Final = {0x80: "messages", 0x81: "octets"}  # of X-Mms-Mbox-Totals and -Quotas (7.3.25, 7.3.26)


@click.group(
    "mbox",
    short_help="The MMBox: view, store, upload, delete.",
    epilog=examples(
        "handset mbox view --number +15550000001 --state New",
        "handset mbox store --number +15550000001 http://mmsc.example/m/7f3a01 --add family",
        "handset mbox upload --number +15550000001 --to +15550000002 --text Draft",
        "handset mbox delete --number +15550000001 http://mmsc.example/b/1",
    ),
)
def command() -> None:
    """Look into the MMBox, keep MMs there, put some there, delete some."""


@command.command(
    "view",
    cls=GroupedCommand,
    short_help="Say what is in the MMBox (m-mbox-view-req).",
    epilog=examples("handset mbox view --number +15550000001 --limit 10"),
)
@click.argument("locations", nargs=-1, type=Url())
@under(
    "Selection",
    one_of(MmState, "--state", "states", about="MMs in this state; again for more.", multiple=True),
    option("--flag", "flags", multiple=True, help="MMs with this keyword; again for more."),
    option("--start", type=click.IntRange(0, _MAXIMUM_INTEGER), help="X-Mms-Start: leave out so many."),
    option("--limit", type=click.IntRange(0, _MAXIMUM_INTEGER), help="X-Mms-Limit: at most so many."),
)
@under(
    "Answer",
    option("--attribute", "attributes", multiple=True, help="A field that is wanted, such as Subject; again for more."),
    option("--content", is_flag=True, help="The MMs themselves, too."),
    option("--totals", is_flag=True, help="How much is there."),
    option("--quotas", is_flag=True, help="How much may be there."),
)
@shared_options
@keyboard
def view(**given: Any) -> None:
    """What is in the MMBox (m-mbox-view-req): the MMs at LOCATIONS, or those of the states and keywords."""
    attributes = [_attribute(one) for one in given["attributes"]] + ([0x2E] if given["content"] else [])
    shown = ask(
        given,
        lambda phone: phone.mmbox.view(
            *given["locations"],
            states=[member_of(MmState, one) for one in given["states"]],
            flags=given["flags"],
            start=given["start"],
            limit=given["limit"],
            attributes=attributes,
            totals=given["totals"] or None,
            quotas=given["quotas"] or None,
        ),
    )
    _tell_view(given, shown)


def _attribute(name: str) -> int:
    """The number of a field by its wire name. Raises UsageError."""
    from protocols.mm1.headers import HEADERS

    for row in HEADERS:
        if row.wire_name.lower() in (name.lower(), f"x-mms-{name.lower()}"):
            return row.number
    raise click.UsageError(f"--attribute {name!r} is no field of MM1, such as Subject or Message-ID")


def _tell_view(given: dict[str, Any], shown: "View") -> None:
    from mmsc.cli.handset_words import as_object, conf_line, is_success

    if not is_success(shown.conf):
        tell_conf(given, shown.conf)
    if given["as_json"]:
        found = [as_object(one) for one in shown.found]
        click.echo(json.dumps({"conf": as_object(shown.conf), "found": found}, ensure_ascii=False))
        return
    click.echo(conf_line(shown.conf))
    for one in shown.found:
        click.echo(printable(_description(one)))
    for label, listed in (("totals", shown.conf.mbox_totals), ("quotas", shown.conf.mbox_quotas)):
        if listed:
            click.echo(f"{label}: {', '.join(f'{one.value} {_UNITS.get(one.token, one.token)}' for one in listed)}")


def _description(one: "MMboxDescr") -> str:
    from protocols.mm1.enums import in_words

    states = " ".join(in_words(state) for state in one.mm_state)
    flags = " ".join(f"#{flag.value}" for flag in one.mm_flags)
    sender = f"from {one.from_}" if isinstance(one.from_, str) else ""
    to = f"to {', '.join(one.to)}" if one.to else ""
    size = f"{one.message_size:,} octets" if one.message_size is not None else ""
    subject = repr(one.subject) if one.subject else ""
    return "  ".join(filter(None, (one.content_location, states, flags, sender, to, subject, size)))


@command.command(
    "store",
    cls=GroupedCommand,
    short_help="Keep an MM that waits, or mark one (m-mbox-store-req).",
    epilog=examples("handset mbox store --number +15550000001 http://mmsc.example/m/7f3a01 --add family"),
)
@click.argument("location", type=Url())
@under(
    "Marks",
    _STATE,
    option("--add", multiple=True, help="A keyword that it gets; again for more."),
    option("--remove", multiple=True, help="A keyword that it loses; again for more."),
)
@shared_options
@keyboard
def store(**given: Any) -> None:
    """Keep an MM that waits, or change state and keywords of one that is kept (m-mbox-store-req)."""
    state = member_of(MmState, given["state"])
    conf = ask(
        given,
        lambda phone: phone.mmbox.store(given["location"], state=state, add=given["add"], remove=given["remove"]),
    )
    tell_conf(given, conf)


@command.command(
    "upload",
    cls=GroupedCommand,
    short_help="Put an MM into the MMBox (m-mbox-upload-req).",
    epilog=examples("handset mbox upload --number +15550000001 --to +15550000002 --text Draft photo.jpg"),
)
@under(
    "Message",
    option("--to", type=Recipient(), multiple=True, help="To; again for more."),
    option("--subject", default="", help="Subject."),
    _STATE,
    option("--flag", "flags", multiple=True, help="A keyword; again for more."),
)
@content_options
@shared_options
@keyboard
def upload(**given: Any) -> None:
    """Put an MM into the MMBox (m-mbox-upload-req), as a draft unless --state says otherwise."""
    parts, content_type = content_of(given)
    conf = ask(
        given,
        lambda phone: phone.mmbox.upload(
            parts,
            content_type=content_type,
            state=member_of(MmState, given["state"]),
            flags=given["flags"],
            to=given["to"],
            subject=given["subject"] or None,
        ),
    )
    tell_conf(given, conf)


@command.command(
    "delete",
    cls=GroupedCommand,
    epilog=examples("handset mbox delete --number +15550000001 http://mmsc.example/b/1"),
)
@click.argument("locations", nargs=-1, required=True, type=Url())
@shared_options
@keyboard
def delete(**given: Any) -> None:
    """Remove MMs from the MMBox (m-mbox-delete-req)."""
    tell_conf(given, ask(given, lambda phone: phone.mmbox.delete(*given["locations"])))
