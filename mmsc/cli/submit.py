"""`mmsc submit`: an MM7 client from the shell, for any MMSC."""

from collections.abc import Mapping
from typing import Any, Final

import click

from mmsc.cli import mm7_fields
from mmsc.cli.group import examples
from mmsc.cli.mm7_addresses import AddressList
from mmsc.cli.mm7_fields import ChargedParty, MessageClass, Priority, content_from, content_options, href_of, one_of
from mmsc.cli.mm7_request import carry_out, check_text, request_of, shared_options, spoken_of
from mmsc.cli.mm7_times import Time
from mmsc.cli.option_groups import GroupedCommand, option, under
from protocols import mm7

_MAXIMUM_CONDITION: Final = 1_000_000

_recipients = under(
    "Recipients",
    option(
        "--to", type=AddressList(), multiple=True, metavar="ADDRESS", help="A recipient; again, or @FILE, for more."
    ),
    option("--cc", type=AddressList(), multiple=True, metavar="ADDRESS", help="A Cc recipient, likewise."),
    option("--bcc", type=AddressList(), multiple=True, metavar="ADDRESS", help="A Bcc recipient, likewise."),
)
_message = under(
    "Message",
    option("--subject", default="", help="Subject."),
    one_of(MessageClass, "--class", "message_class", about="MessageClass."),
    one_of(Priority, "--priority", about="Priority."),
    option("--linked-id", default="", help="LinkedID: of the DeliverReq, or the MessageID, that this answers."),
    mm7_fields.TIME_STAMP,
    mm7_fields.EARLIEST,
    mm7_fields.EXPIRY,
    mm7_fields.DISTRIBUTION,
    option(
        "--delivery-condition",
        "delivery_conditions",
        type=click.IntRange(1, _MAXIMUM_CONDITION),
        multiple=True,
        help="DeliveryCondition: 1 is MMS-capable terminals only, 2 the home network only; again for more.",
    ),
    mm7_fields.CONTENT_CLASS,
    mm7_fields.DRM,
    *mm7_fields.APPLICATION,
)
_reports = under(
    "Reports",
    option(
        "--delivery-report/--no-delivery-report",
        " /--no-report",
        default=True,
        help="DeliveryReport.  [default: asked for]",
    ),
    option(
        "--leave-report-out", is_flag=True, help="No DeliveryReport element: what the MMSC does without is its own."
    ),
    mm7_fields.READ_REPLY,
)
_charging = under(
    "Charging",
    mm7_fields.SERVICE_CODE,
    one_of(ChargedParty, "--charged-party", about="ChargedParty; ThirdParty since Rel-6."),
    option("--charged-party-id", default="", help="ChargedPartyID: the third party."),
    option("--reply-charging", is_flag=True, help="ReplyCharging: the VASP pays for a reply."),
    option(
        "--reply-charging-size", type=click.IntRange(1), help="replyChargingSize: octets of the reply that it pays for."
    ),
    option("--reply-deadline", type=Time(), default="", help="replyDeadline: until when, as --expiry."),
)


@click.command(
    "submit",
    cls=GroupedCommand,
    epilog=examples(
        'submit --to +15550000001 --text "Hello" photo.jpg',
        "submit --to +15550000001 --cc +15550000003 --text Hi --read-reply --expiry 'in 2h' --priority High",
        "submit --to @numbers.txt --from short:7255 --service-code gold --namespace REL-5-MM7-1-2 --text Hi",
        "submit --url https://mmsc.example/mm7 --ca ca.pem --cert vasp.pem --user @login --to 4488 'x;type=image/gif'",
        "submit --to +15550000001 --text Hi --show",
    ),
)
@_recipients
@_message
@content_options
@_reports
@_charging
@shared_options
def command(**given: Any) -> None:
    """Send an MM through MM7, as a VASP would: SubmitReq (TS 23.140 8.7.1), over http or https, to any MMSC.

    An ADDRESS is +NUMBER, MAIL@DOMAIN or a short code; number:, mail: or short: before it says which. Behind it may
    stand ,displayOnly (shown, not delivered to), ,coding=encrypted|obfuscated and ,id=KEY. A TIME is xs:dateTime,
    xs:duration, 'in 2h' or 'now+2h'.

    FILES are the parts; FILE;type=TYPE;id=CONTENT-ID;name=NAME says what the file does not. Elements are left out
    unless an option names them, but for DeliveryReport.

    The exit status is 0 when the MMSC took it (1xxx), 1 when it refused, 2 for wrong usage, 3 for no answer."""
    check_text(click.get_current_context())
    to, cc, bcc = (tuple(one for several in given[name] for one in several) for name in ("to", "cc", "bcc"))
    if not (to or cc or bcc):
        raise click.UsageError("name at least one recipient with --to, --cc or --bcc")
    content, remarks = content_from(given)
    message = mm7.SubmitReq(
        mm7_version=given["mm7_version"] or spoken_of(given).version,
        content_href=href_of(content),
        allow_adaptations=given["allow_adaptations"],
        to=to,
        cc=cc,
        bcc=bcc,
        **_fields(given),
    )
    carry_out(given, request_of(given, message, content, remarks))


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of SubmitReq, as the options say them."""
    size, deadline = given["reply_charging_size"], given["reply_deadline"]
    plain = (
        *("vas_id", "vasp_id", "sender_address", "read_reply"),
        *("service_code", "linked_id", "time_stamp", "earliest_delivery_time", "expiry_date", "subject"),
        *("charged_party_id", "applic_id", "reply_applic_id", "aux_applic_info"),
    )
    listed = ("message_class", "priority", "charged_party", "content_class")
    return {
        **{name: given[name] for name in plain},
        **{name: given[name] or "" for name in listed},
        "distribution_indicator": given["distribution"],
        "drm_content": given["drm"],
        "delivery_report": None if given["leave_report_out"] else given["delivery_report"],
        "delivery_conditions": tuple(map(str, given["delivery_conditions"])),
        "reply_charging": given["reply_charging"] or size is not None or bool(deadline),
        "reply_charging_size": "" if size is None else str(size),
        "reply_deadline": deadline,
    }
