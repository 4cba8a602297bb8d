"""SMS TPDUs in tshark's eyes: down to the push that they carry, both ways."""

import struct
from pathlib import Path

import pytest

from protocols.sms import tpdu
from tests.cases import Case, cases
from tests.interop.tshark import clean, read

pytestmark = pytest.mark.interop

_USER_0 = 147  # a link type for tests of one's own
_AS_SMS = ("-o", 'uat:user_dlts:"User 0 (DLT=147)","gsm_sms","0","","0",""')
_INBOUND, _OUTBOUND = 1, 2  # the direction of a frame: tshark tells SMS-SUBMIT from a SUBMIT-REPORT by it


def pcapng(path: Path, octets: bytes, direction: int) -> Path:
    """A capture of one frame that has a direction."""
    frame = struct.pack("<IIIII", 0, 0, 0, len(octets), len(octets)) + octets + bytes(-len(octets) % 4)
    frame += struct.pack("<HHIHH", 2, 4, direction, 0, 0)
    section = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    path.write_bytes(section + _block(1, struct.pack("<HHI", _USER_0, 0, 262144)) + _block(6, frame))
    return path


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


@pytest.mark.parametrize("case", [one for one in cases("tpdu") if not one.is_refused], ids=str)
def test_a_tpdu(tmp_path: Path, case: Case) -> None:
    message = tpdu.decode(case.octets)
    submit = isinstance(message, tpdu.SmsSubmit)
    path = pcapng(tmp_path / "x.pcapng", tpdu.encode(message), _INBOUND if submit else _OUTBOUND)
    text = clean(read(path, *_AS_SMS))
    assert ("TP-Destination-Address" if submit else "TP-Originating-Address") in text
    if message.has_header and "of-two" not in case.stem:
        assert "mmse.content_location" in text
