"""tshark as a judge: captures written for it, what it read from them, and whether it found fault."""

import json
import re
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.tools import needs

_SEVERITY = re.compile(r'"_ws.expert.severity": "([0-9]+)"')
_CHAT = 0x00200000  # what tshark says about every HTTP request line
_ETHERNET = bytes(12) + b"\x08\x00"
_MOST_OCTETS = 60_000  # of TCP payload in one packet
_MINE, _THEIRS = bytes((127, 0, 0, 2)), bytes((127, 0, 0, 1))


class Piece(NamedTuple):
    """Octets that went one way over one connection; `client_port` tells connections apart."""

    client_port: int
    server_port: int
    to_server: bool
    octets: bytes


def pcap(path: Path, pieces: Sequence[Piece], *, udp: bool = False) -> Path:
    """A capture of these pieces in their order, from 127.0.0.2 to 127.0.0.1 and back."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    sent: dict[tuple[int, bool], int] = {}
    for piece in pieces:
        for start in range(0, len(piece.octets), _MOST_OCTETS):
            octets = piece.octets[start : start + _MOST_OCTETS]
            frame = _udp(piece, octets) if udp else _tcp(piece, octets, sent)
            out.append(struct.pack("<IIII", 0, len(out), len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(out))
    return path


def _tcp(piece: Piece, octets: bytes, sent: dict[tuple[int, bool], int]) -> bytes:
    mine = (piece.client_port, piece.to_server)
    sequence = 1 + sent.get(mine, 0)
    seen = 1 + sent.get((piece.client_port, not piece.to_server), 0)
    sent[mine] = sent.get(mine, 0) + len(octets)
    return _ip(piece, 6, struct.pack(">HHIIBBHHH", *_ports(piece), sequence, seen, 0x50, 0x18, 8192, 0, 0) + octets)


def _udp(piece: Piece, octets: bytes) -> bytes:
    return _ip(piece, 17, struct.pack(">HHHH", *_ports(piece), 8 + len(octets), 0) + octets)


def _ports(piece: Piece) -> tuple[int, int]:
    there, here = piece.server_port, piece.client_port
    return (here, there) if piece.to_server else (there, here)


def _ip(piece: Piece, protocol: int, inner: bytes) -> bytes:
    addresses = _MINE + _THEIRS if piece.to_server else _THEIRS + _MINE
    return _ETHERNET + struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(inner), 1, 0, 64, protocol, 0) + addresses + inner


def read(path: Path, *options: str) -> list[dict[str, Any]]:
    """tshark's reading as JSON."""
    command = [str(needs("tshark")), "-r", str(path), "-T", "json", "-o", "tcp.check_checksum:FALSE", *options]
    run = subprocess.run(command, capture_output=True, timeout=60, check=True)
    packets: list[dict[str, Any]] = json.loads(run.stdout.decode("utf-8", "replace"))
    return packets


def fields(path: Path, *names: str) -> list[set[str]]:
    """Every value that tshark shows for each of these fields."""
    wanted = [option for name in names for option in ("-e", name)]
    command = [str(needs("tshark")), "-r", str(path), "-T", "fields", "-E", "aggregator=|", *wanted]
    run = subprocess.run(command, capture_output=True, timeout=60, check=True)
    found: list[set[str]] = [set() for _ in names]
    for line in run.stdout.decode("utf-8", "replace").splitlines():
        for values, column in zip(found, line.split("\t"), strict=False):
            values.update(value for value in column.split("|") if value)
    return found


def clean(packets: list[dict[str, Any]]) -> str:
    """What tshark read, as text; fails when it marked anything as malformed or worse than chat."""
    text = json.dumps(packets)
    assert "_ws.malformed" not in text, text
    worse = [int(one) for one in _SEVERITY.findall(text) if int(one) > _CHAT]
    assert worse == [], text
    return text
