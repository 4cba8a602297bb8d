"""The load tool's SMSC: pushes in segments, and PDUs that are none."""

import asyncio
import struct

import pytest

from mmsc.load.octets import notification
from mmsc.load.smsc import Smsc

BEFORE = bytes.fromhex("000101") + b"4488\0\1\1" + b"15550100001\0" + bytes.fromhex("40000000000000f500")


@pytest.mark.parametrize("concatenation", ["000342", "08044200"])
def test_a_push_in_two_segments_is_put_together_in_any_order(concatenation: str) -> None:
    """The user data header of TS 23.040 9.2.3.24, both widths of the reference."""
    pushes: list[tuple[bytes, bytes]] = []
    smsc = Smsc(lambda *push: pushes.append(push))
    for number, text in ((2, b"last"), (1, b"first ")):
        header = bytes.fromhex(f"05040b8423f0{concatenation}02{number:02x}")
        user_data = bytes((len(header),)) + header + text
        smsc.submit_sm(BEFORE + bytes((len(user_data),)) + user_data)
    smsc.hand_over()
    assert pushes == [(b"15550100001", b"first last")]
    assert smsc.segments == 2


def test_a_push_in_message_payload() -> None:
    pushes: list[tuple[bytes, bytes]] = []
    smsc = Smsc(lambda *push: pushes.append(push))
    user_data = bytes.fromhex("0605040b8423f0") + b"whole"
    smsc.submit_sm(BEFORE + b"\0" + struct.pack(">HH", 0x0424, len(user_data)) + user_data)
    smsc.hand_over()
    assert pushes == [(b"15550100001", b"whole")]


class Written(asyncio.Transport):
    """What the SMSC writes."""

    def __init__(self) -> None:
        super().__init__()
        self.octets = b""
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.octets += bytes(data)

    def close(self) -> None:
        self.ended = True


@pytest.mark.parametrize(
    ("command", "body", "answer"),
    [
        (4, b"", (0x80000004, 1)),
        (4, bytes(12), (0x80000004, 1)),
        (4, BEFORE + b"\x03\x00ab", (0x80000004, 0)),
        (0x99, b"", (0x80000000, 3)),
        (0x15, b"", (0x80000015, 0)),
        (9, b"x\0y\0\0\x34\0\0\0", (0x80000009, 0)),
    ],
)
async def test_every_request_gets_an_answer(command: int, body: bytes, answer: tuple[int, int]) -> None:
    connection = Smsc(lambda *push: None).connection()
    transport = Written()
    connection.connection_made(transport)
    connection.data_received(struct.pack(">IIII", 16 + len(body), command, 0, 7) + body)
    assert struct.unpack_from(">III", transport.octets, 4) == (*answer, 7)


@pytest.mark.parametrize("length", [0, 15, 10**8])
async def test_a_length_that_cannot_be_ends_the_connection(length: int) -> None:
    smsc = Smsc(lambda *push: None)
    connection, transport = smsc.connection(), Written()
    connection.connection_made(transport)
    connection.data_received(struct.pack(">IIII", length, 4, 0, 1))
    assert transport.ended
    assert smsc.unreadable == 1


@pytest.mark.parametrize("push", [b"", b"\x8c\x82\x98", b"\x8c\x82\x98t\0\x83http", b"\x8c\x86\x98t\0\x83http://x/\0"])
def test_what_is_no_notification(push: bytes) -> None:
    assert notification(push) is None
