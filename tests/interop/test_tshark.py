"""What we emit over SMS, in tshark's eyes: no malformed mark, no expert warning, and the fields it should see."""

from pathlib import Path

import pytest

from protocols import mm1, smpp
from protocols.sms.push import PushForm, push_segments
from protocols.wsp.push import mms_push
from tests.cases import Case, cases
from tests.interop.tshark import Piece, clean, pcap, read

pytestmark = pytest.mark.interop


def requests(folder: Path, payloads: list[bytes], port: int, *, udp: bool = False) -> Path:
    """A capture of what a client sent, one packet each."""
    return pcap(folder / "x.pcap", [Piece(40000, port, True, one) for one in payloads], udp=udp)


def test_the_pushes_over_udp(tmp_path: Path) -> None:
    """Every m-notification-ind of the goldens, as we write it."""
    pdus = [mm1.encode(mm1.decode(case.octets).message) for case in cases("mm1") if "m-notification-ind" in case.stem]
    pushes = [mms_push(0x25, pdu) for pdu in pdus]
    packets = read(requests(tmp_path, pushes, 2948, udp=True), "-d", "udp.port==2948,wsp")
    clean(packets)
    assert all("mmse.content_location" in packet["_source"]["layers"]["mmse"] for packet in packets)
    assert len(packets) == len(pushes) > 5


@pytest.mark.parametrize("form", PushForm)
def test_every_push_form_over_smpp(tmp_path: Path, form: PushForm) -> None:
    notification = next(one for one in cases("mm1") if "notification" in one.stem)
    segments = push_segments(mms_push(1, notification.octets), 7, form)
    pdus = [
        smpp.encode(
            smpp.SubmitSm(
                sequence_number=number,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr="15550100123",
                esm_class=one.esm_class,
                data_coding=0xF5,
                short_message=one.short_message,
                tlvs=one.tlvs,
            )
        )
        for number, one in enumerate(segments, 1)
    ]
    text = clean(read(requests(tmp_path, pdus, 2775)))
    assert "smpp.destination_addr" in text


@pytest.mark.parametrize("case", [one for one in cases("smpp") if not one.is_refused], ids=str)
def test_smpp(tmp_path: Path, case: Case) -> None:
    text = clean(read(requests(tmp_path, [smpp.encode(smpp.decode(case.octets).message)], 2775)))
    assert "smpp.command_id" in text
