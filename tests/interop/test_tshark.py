"""Everything we emit, in tshark's eyes: no malformed mark, no expert warning, and the fields it should see."""

import json
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from protocols import mm1, smpp
from protocols.sms.push import PushForm, push_segments
from protocols.wsp.push import mms_push
from tests.cases import Case, cases
from tests.tools import needs

pytestmark = pytest.mark.interop
_SEVERITY = re.compile(r'"_ws.expert.severity": "([0-9]+)"')
_CHAT = 0x00200000  # what tshark says about every HTTP request line
_ETHERNET = bytes(12) + b"\x08\x00"


def pcap(folder: Path, payloads: list[bytes], port: int, *, udp: bool = False) -> Path:
    """A capture of these payloads, one packet each, from 127.0.0.2 to 127.0.0.1:port."""
    path = folder / "x.pcap"
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    sequence = 1
    for payload in payloads:
        if udp:
            inner = struct.pack(">HHHH", 40000, port, 8 + len(payload), 0) + payload
        else:
            inner = struct.pack(">HHIIBBHHH", 40000, port, sequence, 1, 0x50, 0x18, 8192, 0, 0) + payload
            sequence += len(payload)
        proto = 17 if udp else 6
        addresses = bytes((127, 0, 0, 2, 127, 0, 0, 1))
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(inner), 1, 0, 64, proto, 0) + addresses
        frame = _ETHERNET + ip + inner
        out += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    path.write_bytes(out)
    return path


def read(path: Path, *options: str) -> list[dict[str, Any]]:
    """tshark's reading as JSON."""
    command = [str(needs("tshark")), "-r", str(path), "-T", "json", "-o", "tcp.check_checksum:FALSE", *options]
    run = subprocess.run(command, capture_output=True, timeout=60, check=True)
    packets: list[dict[str, Any]] = json.loads(run.stdout.decode("utf-8", "replace"))
    return packets


def clean(packets: list[dict[str, Any]]) -> str:
    text = json.dumps(packets)
    assert "_ws.malformed" not in text, text
    worse = [int(one) for one in _SEVERITY.findall(text) if int(one) > _CHAT]
    assert worse == [], text
    return text


@pytest.mark.parametrize("case", [one for one in cases("mm1") if not one.is_refused], ids=str)
def test_mm1_over_http(tmp_path: Path, case: Case) -> None:
    """HTTP/1.1 with application/vnd.wap.mms-message."""
    body = mm1.encode(mm1.decode(case.octets).message)
    head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.wap.mms-message\r\n"
    whole = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    text = clean(read(pcap(tmp_path, [whole], 80)))
    assert "mmse.message_type" in text


@pytest.mark.parametrize("case", [one for one in cases("mm1") if "notification" in one.stem], ids=str)
def test_the_push_over_udp(tmp_path: Path, case: Case) -> None:
    text = clean(read(pcap(tmp_path, [mms_push(0x25, case.octets)], 2948, udp=True), "-d", "udp.port==2948,wsp"))
    assert "mmse.content_location" in text


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
    text = clean(read(pcap(tmp_path, pdus, 2775)))
    assert "smpp.destination_addr" in text


@pytest.mark.parametrize("case", [one for one in cases("smpp") if not one.is_refused], ids=str)
def test_smpp(tmp_path: Path, case: Case) -> None:
    text = clean(read(pcap(tmp_path, [smpp.encode(smpp.decode(case.octets).message)], 2775)))
    assert "smpp.command_id" in text
