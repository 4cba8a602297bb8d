"""`mmsc push`: TPDUs that a reader puts together again, a datagram, and an SMSC that takes it or does not."""

import asyncio
import json
import socket
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mmsc.cli.group import main
from mmsc.cli.octets import from_hex
from mmsc.cli.push_out import place
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.wap_udp import UdpPushes
from mmsc.trace.view import every, look
from protocols import mm1
from protocols.sms import tpdu
from protocols.sms.segment import split_header
from protocols.wsp.push import decode_push, mms_push

URL = "http://127.0.0.1:8801/m/x"
LONG = (
    "--content-location",
    f"{URL}?{'y' * 100}",
    "--from",
    "+15550100123",
    "--subject",
    "Héllo",
    "--transaction-id",
    "T",
)
DELIVERY = mm1.encode(mm1.MDeliveryInd(message_id="a@b", to=("+1",), date=1, status=mm1.Status.RETRIEVED))


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["push", *arguments], input=given)


async def ran(*arguments: str) -> Result:
    """Beside a server in this loop."""
    return await asyncio.to_thread(run, *arguments)


def test_a_notification_is_printed_as_a_push() -> None:
    told = run(*LONG, "--size", "5", "--expiry", "60", "--class", "auto", "--push-id", "9")
    push = decode_push(from_hex(told.stdout_bytes))
    assert push.transaction_id == 9
    assert mm1.decode(push.data).message == mm1.MNotificationInd(
        transaction_id="T",
        from_="+15550100123/TYPE=PLMN",
        subject="Héllo",
        message_class=mm1.MessageClass.AUTO,
        message_size=5,
        expiry=mm1.Moment(60),
        content_location=LONG[1],
    )


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = run("--listen", f"127.0.0.1:{port}", "--tpdu")
    why = "Address already in use): name another port with --listen"
    assert (told.exit_code, told.stderr) == (1, f"Error: cannot listen on 127.0.0.1 port {port} ({why}\n")


def test_each_notification_has_an_id_of_its_own_unless_told() -> None:
    one, other = (run("--content-location", URL).output for _ in range(2))
    assert one != other


@pytest.mark.parametrize("options", [(), ("--bare",), ("--sc", "+15550000009"), ("--reference-16", "700")])
def test_delivers_are_put_together_by_who_reads_them(options: tuple[str, ...]) -> None:
    told = run(*LONG, "--tpdu", "--timestamp", "2023-11-14T22:13:20", *options)
    assert len(told.output.splitlines()) == 2
    views = list(every(look(from_hex(told.stdout_bytes))))
    assert [one.title for one in views][-1] == "m-notification-ind"
    rows = {row.name: row.value for one in views for row in one.rows}
    assert rows["TP-SCTS"] == "2023-11-14T22:13:20+00:00"
    assert rows.get("Service centre") == {(): "not told", ("--bare",): None}.get(options, rows.get("Service centre"))


def test_a_submit_has_its_length_and_its_handset() -> None:
    told = run(*LONG, "--submit", "--to", "+15550100456", "--dcs", "04", "--reference-8", "66")
    lines = told.output.splitlines()
    assert len(lines) == 4
    for at, (remark, line) in enumerate(zip(lines[::2], lines[1::2], strict=True), 1):
        octets = bytes.fromhex(line)
        assert octets[0] == 0  # the modem's own service centre: not counted (3GPP TS 27.005 4.3)
        assert remark == f"# AT+CMGS={len(octets) - 1}"
        message = tpdu.decode(octets[1:])
        assert isinstance(message, tpdu.SmsSubmit)
        assert (str(message.destination), message.dcs) == ("+15550100456", 0x04)
        part = split_header(message.user_data)[0].concatenation
        assert part is not None
        assert (part.reference, part.number, part.total, part.wide) == (66, at, 2, False)


@pytest.mark.parametrize("form", ["octets", "hex", "push", "json"])
def test_a_pdu_comes_from_a_file_of_any_kind(tmp_path: Path, form: str) -> None:
    written = {"pdu": "m-delivery-ind", "Message-ID": "a@b", "To": "+1", "Date": 1, "X-Mms-Status": "Retrieved"}
    file = tmp_path / "pdu"
    file.write_bytes(
        {
            "octets": DELIVERY,
            "hex": DELIVERY.hex().encode(),
            "push": mms_push(1, DELIVERY),
            "json": json.dumps(written).encode(),
        }[form]
    )
    assert from_hex(run(str(file)).stdout_bytes) == mms_push(1, DELIVERY)


async def test_a_datagram_arrives() -> None:
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    listener = UdpPushes(arrived.put)
    await listener.start(port=0)
    try:
        told = await ran("--content-location", URL, "--udp", f"127.0.0.1:{listener.port}")
        assert f"port {listener.port} over UDP" in told.output
        push = decode_push(await arrived.get())
    finally:
        await listener.stop()
    assert isinstance(mm1.decode(push.data).message, mm1.MNotificationInd)


async def test_an_smsc_takes_each_segment() -> None:
    smsc = VirtualSmsc({"mmsc": "secret"})
    await smsc.start()
    try:
        told = await ran(*LONG, "--smpp", f"127.0.0.1:{smsc.port}", "--password", "secret", "--to", "+15550000001")
        assert "took 2 segments: message_id " in told.output
        received = await smsc.expect()
    finally:
        await smsc.stop()
    assert [one.destination_addr for one in smsc.submitted] == ["15550000001"] * 2
    assert received.push is not None
    assert isinstance(mm1.decode(decode_push(received.push).data).message, mm1.MNotificationInd)


async def test_an_smsc_that_refuses_is_told() -> None:
    smsc = VirtualSmsc({"mmsc": "secret"})
    await smsc.start()
    try:
        told = await ran(*LONG, "--smpp", f"127.0.0.1:{smsc.port}", "--password", "wrong", "--to", "+15550000001")
    finally:
        await smsc.stop()
    assert told.exit_code == 1
    assert "bind_transmitter was answered ESME_R" in told.stderr
    assert "wrong" not in told.stderr


def test_nobody_at_the_smsc_is_told(unused_tcp_port: int) -> None:
    told = run(*LONG, "--smpp", f"127.0.0.1:{unused_tcp_port}", "--to", "+1")
    assert told.exit_code == 1
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--content-location for a notification"),
        ((*LONG, "--submit"), "name it with --to"),
        ((*LONG, "--tpdu", "--hex"), "one way out at a time"),
        ((*LONG, "--reference-8", "1", "--reference-16", "1", "--tpdu"), "either --reference-8 or --reference-16"),
        ((*LONG, "--udp", "127.0.0.1:x"), "is no HOST:PORT"),
        ((*LONG, "--smpp", "127.0.0.1", "--to", "+1"), "is no HOST:PORT"),
        ((*LONG, "--tpdu", "--sms-from", "1" * 21), "longer than 20 semi-octets (3GPP TS 23.040 9.1.2.5)"),
        (("-",), "Error: -: no MMS PDU, and no push: no X-Mms-Message-Type"),
        (("-", "--expiry", "9"), "--expiry is for a notification that is made here; FILE says its own"),
        ((*LONG, "--smpp", "127.0.0.1:1", "--to", "+1"), "127.0.0.1:1: nobody takes connections there"),
    ],
)
def test_what_is_wrong_is_told(arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments, given=b"\x96Hi\0")
    assert result.exit_code in (1, 2)
    assert told in result.stderr


@pytest.mark.parametrize(
    ("text", "found"), [("a", ("a", 5)), ("a:7", ("a", 7)), ("[::1]:7", ("::1", 7)), ("[::1]", ("::1", 5))]
)
def test_places(text: str, found: tuple[str, int]) -> None:
    assert place(text, 5) == found
    with pytest.raises(click.UsageError):
        place(f"{text}/x", 5)
