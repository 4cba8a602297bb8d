"""`mmsc push`: a notification, or any PDU, as a WAP push: printed for modems and emulators, or sent."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from mmsc.cli import octets
from mmsc.cli.group import examples
from mmsc.cli.option_groups import GroupedCommand, option, under
from mmsc.cli.push_out import Account, place, send_smpp, send_udp
from protocols import mm1, smpp
from protocols.errors import ProtocolError
from protocols.mm1.enums import in_words
from protocols.sms import tpdu
from protocols.sms.push import PORTS
from protocols.sms.segment import segment_octets
from protocols.wsp.push import PDU_TYPE_PUSH, mms_push

_CLASSES: Final = {in_words(one): one for one in mm1.MessageClass}
_DATA_CODINGS: Final = {"F5": 0xF5, "04": 0x04}
_UDHI: Final = 0x40
_TOKEN_BITS: Final = 40
_OF_A_NOTIFICATION: Final = (
    *("content_location", "sender", "subject", "size", "expiry", "message_class", "transaction_id"),
)
_WAYS: Final = ("as_hex", "as_tpdu", "as_submit", "udp", "smsc")

_notification = under(
    "Notification, where there is no FILE",
    option("--content-location", metavar="URL", help="Where the MM is fetched (X-Mms-Content-Location)."),
    option("--from", "sender", default="", help="From: +NUMBER, MAIL@DOMAIN; none hides the sender."),
    option("--subject", default="", help="Subject."),
    option("--size", type=click.IntRange(1), default=30_000, show_default=True, help="X-Mms-Message-Size, octets."),
    option("--expiry", type=click.IntRange(1), default=86_400, show_default=True, help="X-Mms-Expiry, seconds."),
    option("--class", "message_class", type=click.Choice(list(_CLASSES), case_sensitive=False), default="Personal"),
    option("--transaction-id", default="", help="X-Mms-Transaction-ID.  [default: one of its own]"),
)
_message = under(
    "Short message",
    option("--to", "number", default="", help="The handset, of --submit and --smpp."),
    option("--sms-from", default="+15550000000", show_default=True, help="The sender of --tpdu and --smpp."),
    option("--sc", default="", help="Address of the service centre before each TPDU.  [default: the modem's own]"),
    option("--bare", is_flag=True, help="TPDUs without a service centre before them."),
    option("--dcs", type=click.Choice(list(_DATA_CODINGS)), default="F5", show_default=True, help="TP-DCS."),
    option("--reference-8", type=click.IntRange(0, 0xFF), help="Concatenation reference of 8 bits.  [default: 1]"),
    option("--reference-16", type=click.IntRange(0, 0xFFFF), help="Concatenation reference of 16 bits."),
    option("--timestamp", type=click.DateTime(("%Y-%m-%dT%H:%M:%S",)), help="TP-SCTS, UTC.  [default: now]"),
    option("--push-id", type=click.IntRange(0, 255), default=1, show_default=True, help="Transaction id of the push."),
)
_ways = under(
    "Way out",
    option("--hex", "as_hex", is_flag=True, help="Print the push in hexadecimal.  [default]"),
    option("--tpdu", "as_tpdu", is_flag=True, help="Print an SMS-DELIVER for each segment, for emulators."),
    option("--submit", "as_submit", is_flag=True, help="Print an SMS-SUBMIT for each segment, for modems (AT+CMGS)."),
    option("--udp", metavar="HOST[:PORT]", help="Send it as a datagram, to port 2948 unless told."),
    option("--smpp", "smsc", metavar="HOST:PORT", help="Submit it to an SMSC, bound as a transmitter."),
    option(
        "--listen",
        metavar="HOST:PORT",
        help="With --tpdu or --submit: be an SMSC, and print each push that an MMSC submits, as it comes.",
    ),
    option("--count", type=click.IntRange(0), default=0, help="Of --listen: so many pushes.  [default: until stopped]"),
    option("--system-id", default="mmsc", show_default=True, help="Of --smpp and --listen."),
    option(
        "--password", default="", envvar="MMSC_PUSH_PASSWORD", help="Of --smpp and --listen; or MMSC_PUSH_PASSWORD."
    ),
    option("--system-type", default="", help="Of --smpp."),
)


@click.command(
    "push",
    cls=GroupedCommand,
    epilog=examples(
        "push --content-location http://192.0.2.1:8801/m/x --from +15550100123 --tpdu",
        "push --content-location http://192.0.2.1:8801/m/x --submit --to +15550100456",
        "push delivery-ind.bin --udp 192.0.2.7",
        "push --listen 127.0.0.1:2776 --password secret --tpdu",
        "push notification.json --smpp 127.0.0.1:2775 --to +15550000001",
    ),
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@_notification
@_message
@_ways
def command(file: Path | None, **given: Any) -> None:
    """Push a notification, or the PDU in FILE, to a handset.

    FILE holds an MMS PDU or a whole WAP push: octets, hexadecimal text, or the JSON that `mmsc encode` takes. Without
    it an m-notification-ind is made, which needs --content-location.

    --tpdu prints one TPDU a line in hexadecimal (3GPP TS 23.040 9.2.2.1), with a service centre's address before it, as
    the console of an emulator (sms pdu HEX) and modems want it. --submit prints the AT command with its length as a
    remark before each (3GPP TS 27.005 4.3)."""
    if file is not None:
        _refuse_beside_file(click.get_current_context())
    ways = [way for way in _WAYS if given[way]]
    if len(ways) > 1:
        raise click.UsageError("one way out at a time: --hex, --tpdu, --submit, --udp or --smpp")
    way = ways[0] if ways else "as_hex"
    if given["listen"]:
        _listen(file, way, given)
        return
    if way in ("as_submit", "smsc") and not given["number"]:
        raise click.UsageError("whose handset? name it with --to")
    try:
        push = _push(file, given)
        if way == "as_hex":
            click.echo(octets.hex_lines(push))
        elif way == "udp":
            click.echo(send_udp(push, given["udp"]))
        elif way == "smsc":
            _submit(push, given)
        else:
            for line in _printed(push, given, submit=way == "as_submit"):
                click.echo(line)
    except ProtocolError as error:
        raise click.ClickException(_said(error)) from error


def _refuse_beside_file(context: click.Context) -> None:
    """FILE says what is pushed: options of a notification would be passed over."""
    for option_ in context.command.params:
        told = context.get_parameter_source(option_.name or "") is ParameterSource.COMMANDLINE
        if told and option_.name in _OF_A_NOTIFICATION:
            raise click.UsageError(f"{option_.opts[0]} is for a notification that is made here; FILE says its own")


def _listen(file: Path | None, way: str, given: dict[str, Any]) -> None:
    from mmsc.cli.push_listen import listen

    if way not in ("as_tpdu", "as_submit") or file is not None:
        raise click.UsageError("--listen goes with --tpdu or --submit, and without FILE")
    host, port = place(given["listen"], None)
    account = Account(given["system_id"], given["password"])

    def printed(push: bytes, number: str) -> list[str]:
        return _printed(push, given | {"number": number}, submit=way == "as_submit")

    def ready(port: int) -> None:
        click.echo(f"# an SMSC for {account.system_id} at {host}:{port}", err=True)

    try:
        asyncio.run(listen(host, port, account, printed, given["count"], ready))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        why = f"cannot listen on {host} port {port} ({os.strerror(error.errno) if error.errno else error})"
        raise click.ClickException(f"{why}: name another port with --listen") from error


def _push(file: Path | None, given: dict[str, Any]) -> bytes:
    pdu = _notification_ind(given) if file is None else _octets_of(file)
    if pdu[1:2] == bytes((PDU_TYPE_PUSH,)):
        return pdu
    try:
        mm1.decode(pdu)  # what is no PDU is told here, not by a handset that is silent
    except ProtocolError as error:
        raise click.ClickException(f"{file or 'the notification'}: no MMS PDU, and no push: {_said(error)}") from error
    return mms_push(given["push_id"], pdu)


def _said(error: ProtocolError) -> str:
    return f"{error.why} ({error.clause})" if error.clause else error.why


def _octets_of(file: Path) -> bytes:
    held = octets.from_hex(octets.read(file))
    if not held.lstrip().startswith(b"{"):
        return held
    from mmsc.cli.encode import made_of

    return made_of(held, file)


def _notification_ind(given: dict[str, Any]) -> bytes:
    if not given["content_location"]:
        raise click.UsageError("a FILE, or --content-location for a notification")
    return mm1.encode(
        mm1.MNotificationInd(
            transaction_id=given["transaction_id"] or _new_id(),
            from_=_spelled(given["sender"]) or None,
            subject=given["subject"] or None,
            message_class=_CLASSES[given["message_class"]],
            message_size=given["size"],
            expiry=mm1.Moment(given["expiry"]),
            content_location=given["content_location"],
        )
    )


def _new_id() -> str:
    from mmsc.ids import Ids

    return Ids().token(_TOKEN_BITS)


def _spelled(address: str) -> str:
    """A number with its type, as OMA-TS-MMS_ENC 8 has it."""
    number = address.removeprefix("+").isdecimal()
    return f"{address}/TYPE=PLMN" if number else address


def _segments(push: bytes, given: dict[str, Any]) -> list[bytes]:
    wide = given["reference_16"] is not None
    if wide and given["reference_8"] is not None:
        raise click.UsageError("either --reference-8 or --reference-16")
    reference = given["reference_16"] if wide else given["reference_8"]
    return segment_octets(push, 1 if reference is None else reference, PORTS, wide=wide)


def _printed(push: bytes, given: dict[str, Any], *, submit: bool) -> list[str]:
    segments = _segments(push, given)
    dcs = _DATA_CODINGS[given["dcs"]]
    lines: list[str] = []
    for number, user_data in enumerate(segments, 1):
        if submit:
            to = tpdu.SmsAddress.parse(given["number"])
            message = tpdu.encode(tpdu.SmsSubmit(destination=to, user_data=user_data, dcs=dcs))
            lines.append(f"# AT+CMGS={len(message)}")
        else:
            moment = (given["timestamp"] or datetime.now(UTC)).replace(microsecond=0, tzinfo=UTC)
            sender = tpdu.SmsAddress.parse(given["sms_from"])
            more = number < len(segments)
            message = tpdu.encode(
                tpdu.SmsDeliver(originator=sender, timestamp=moment, user_data=user_data, dcs=dcs, more_messages=more)
            )
        whole = message if given["bare"] else tpdu.with_service_centre(message, given["sc"])
        lines.append(whole.hex().upper())
    return lines


def _submit(push: bytes, given: dict[str, Any]) -> None:
    source, destination = (tpdu.SmsAddress.parse(given[name]) for name in ("sms_from", "number"))
    requests = [
        smpp.SubmitSm(
            sequence_number=number,
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.digits,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            destination_addr=destination.digits,
            esm_class=_UDHI,
            data_coding=_DATA_CODINGS[given["dcs"]],
            short_message=user_data,
        )
        for number, user_data in enumerate(_segments(push, given), 2)
    ]
    account = Account(given["system_id"], given["password"], given["system_type"])
    ids = asyncio.run(send_smpp(requests, given["smsc"], account))
    many = f"{len(ids)} segment{'s' if len(ids) > 1 else ''}"
    click.echo(f"{given['smsc']} took {many}: message_id {', '.join(ids)}")
