"""What we write of MM1, in tshark's eyes: no malformed mark, no expert warning, and the values that it should see.

What tshark 4.0 cannot judge is left to the second decoder (`test_second_decoder.py`) and to the octets of the goldens;
each with the clause by which we are right:

- fields from 0xB4 on, X-Mms-Store to -Limit: it names them at most, and passes over the value (OMA-TS-MMS_ENC 7.4)
- PDUs from m-delete-req (0x94) on: it reads the fields, and has no name for the type (7.3.30)
- Response-Status of the delete confs: it takes a Value-length for the status, what follows for fields (7.3.48)
- 0x84 (Status Unrecognised) as the last octet: it takes it for Content-Type, and misses the body (7.3.54)
- Message-Size as Short-integer, as others send it: it reads 0 and loses the rest; we write Long-integers (7.3.31)
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols import mm1
from tests.cases import Case, cases
from tests.interop.test_second_decoder import MADE_UP
from tests.interop.tshark import Piece, clean, pcap, read
from tests.protocols.mm1_strategies import PDUS, pdus

pytestmark = pytest.mark.interop

GOLDENS = [case for case in cases("mm1") if not case.is_refused]
EMPTY_MULTIPART = b"\0"
INDEXED = (mm1.MMboxDeleteConf, mm1.MDeleteConf)
# Attribute -> tshark's field: those whose values it shows as they are, the last one of several.
TEXTS = {
    **{name: f"mmse.{name}" for name in ("transaction_id", "message_id", "content_location", "reply_charging_id")},
    **{name: f"mmse.{name}" for name in ("to", "cc", "bcc", "subject", "response_text", "retrieve_text")},
    "from_": "mmse.from",
}
NUMBERS = {name: f"mmse.{name}" for name in ("message_size", "reply_charging_size")}
OCTETS = {
    **{name: f"mmse.{name}" for name in ("priority", "sender_visibility", "status", "read_status", "retrieve_status")},
    **{name: f"mmse.{name}" for name in ("response_status", "reply_charging", "delivery_report", "read_report")},
    **{name: f"mmse.{name}" for name in ("report_allowed",)},
    "message_class": "mmse.message_class.id",
}
UNJUDGED = {"39-m-notifyresp-ind-unrecognised": "its last octet is 0x84"}


def post(octets: bytes) -> bytes:
    """HTTP/1.1 with application/vnd.wap.mms-message."""
    head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.wap.mms-message\r\n"
    return f"{head}Content-Length: {len(octets)}\r\n\r\n".encode() + octets


def capture(path: Path, pdus: Iterable[mm1.Pdu]) -> list[dict[str, Any]]:
    """tshark's packets, one for each PDU, each over a connection of its own."""
    pieces = [Piece(10000 + number, 80, True, post(mm1.encode(pdu))) for number, pdu in enumerate(pdus)]
    packets = read(pcap(path, pieces))
    assert len(packets) == len(pieces)
    return packets


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every golden as tshark reads it."""
    pdus = [mm1.decode(case.octets).message for case in GOLDENS]
    packets = capture(tmp_path_factory.mktemp("mm1") / "goldens.pcap", pdus)
    return dict(zip((case.stem for case in GOLDENS), packets, strict=True))


def shown(value: Any) -> str:
    """A value of ours as tshark shows it."""
    if isinstance(value, bool):
        return "0x80" if value else "0x81"
    return f"0x{int(value):02x}"


@pytest.mark.parametrize("case", [case for case in GOLDENS if case.stem not in UNJUDGED], ids=str)
def test_it_reads_what_we_wrote(seen: dict[str, dict[str, Any]], case: Case) -> None:
    packet = seen[case.stem]
    clean([packet])
    layer = packet["_source"]["layers"]["mmse"]
    pdu = mm1.decode(case.octets).message
    assert layer["mmse.message_type"] == f"0x{int(pdu.message_type):02x}"
    assert layer["mmse.mms_version"] == f"{pdu.mms_version >> 4}.{pdu.mms_version & 15}"
    if isinstance(pdu, INDEXED):
        return
    for names, show in ((TEXTS, str), (NUMBERS, str), (OCTETS, shown)):
        for attribute, field in names.items():
            value = getattr(pdu, attribute, None)
            last = value[-1] if isinstance(value, tuple) and value else value
            if last in (None, ()) or last is mm1.INSERT_ADDRESS or (isinstance(last, str) and not last.isascii()):
                continue
            if not (attribute == "message_class" and isinstance(last, str)):
                assert layer[field] == show(last), attribute


@pytest.mark.parametrize("stem", UNJUDGED)
def test_what_it_cannot_judge_it_would_if_something_followed(tmp_path: Path, stem: str) -> None:
    """So that a tshark that can is noticed, and the rest of the PDU is judged all the same."""
    pdu = mm1.decode(next(case.octets for case in GOLDENS if case.stem == stem)).message
    assert isinstance(pdu, mm1.MNotifyRespInd)
    alone, followed = capture(tmp_path / "x.pcap", [pdu, replace(pdu, report_allowed=True)])
    assert "_ws.malformed" in json.dumps(alone)
    clean([followed])


JUDGED = st.one_of(*(pdus(cls, with_unknown=False) for cls in PDUS if cls not in INDEXED))


def with_sound_body(pdu: mm1.Pdu) -> mm1.Pdu:
    """A multipart has no part rather than noise."""
    content_type = getattr(pdu, "content_type", None)
    if content_type is None or not hasattr(pdu, "body"):
        return pdu
    inner = "multipart" in content_type.media_type or content_type.media_type.endswith("mms-message")
    changes: dict[str, Any] = {"body": EMPTY_MULTIPART if inner else b"text"}
    return replace(pdu, **changes)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [100, pytest.param(MADE_UP, marks=pytest.mark.slow)])
def test_made_up_pdus_are_clean(tmp_path: Path, count: int) -> None:
    made: list[mm1.Pdu] = []

    @given(JUDGED)
    @settings(max_examples=count, database=None, suppress_health_check=list(HealthCheck))
    def collect(pdu: mm1.Pdu) -> None:
        made.append(with_sound_body(pdu))

    collect()
    packets = capture(tmp_path / "x.pcap", made)
    for pdu, packet in zip(made, packets, strict=True):
        assert "_ws.malformed" not in json.dumps(packet) or mm1.encode(pdu)[-1] == 0x84, mm1.encode(pdu).hex()
