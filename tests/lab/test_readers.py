"""What two families of readers object to: the octets are written here by hand, the codec has no part in it."""

import pytest

from mmsc.lab.handset_profiles import PROFILES
from mmsc.lab.readers import Objection, Reading, objections
from tests.cases import Case, cases, prefixes
from tests.lab.conftest import FakeMmsc, MakeHandset, notification, pushed, retrieve_conf

CLASS, SIZE, EXPIRY = "8a80", "8e02 3039", "8805 8103 02a300"
PLACE = "83 687474703a2f2f6d2f3100"
FIRST = "8c82 984e3100 8d92"
GOOD_NOTIFICATION = f"{FIRST} {CLASS} {SIZE} {EXPIRY} {PLACE}"
DATE = "8504 6553f100"
MIXED = "84a3"
PART = "01 0105 83 68656c6c6f"
GOOD_RETRIEVE = f"8c84 8d92 {DATE} {MIXED} {PART}"
CONF = "8c81 98543100 8d92"
AOSP, MMSD = Reading.AOSP, Reading.MMSD


def drops(text: str, reading: Reading) -> list[str]:
    return [one.what for one in objections(bytes.fromhex(text), reading) if one.drops]


@pytest.mark.parametrize("reading", Reading)
@pytest.mark.parametrize("text", [GOOD_NOTIFICATION, GOOD_RETRIEVE, f"{CONF} 9280", f"{CONF} 92e2"])
def test_what_everybody_reads(reading: Reading, text: str) -> None:
    assert objections(bytes.fromhex(text), reading) == ()


@pytest.mark.parametrize("octets", [b"\x84\x05\x80", b"\x88\x1f\xff\xff\xff\xff\xff\xff", b"<html>", b"\x01\x00\x00"])
@pytest.mark.parametrize("reading", Reading)
def test_octets_that_are_no_pdu_hurt_nobody(octets: bytes, reading: Reading) -> None:
    assert objections(octets, reading) or reading is Reading.LENIENT


@pytest.mark.parametrize("case", cases("mm1"), ids=str)
def test_a_pdu_that_is_cut_hurts_nobody(case: Case) -> None:
    for prefix in prefixes(case.octets):
        for reading in Reading:
            objections(prefix, reading)


@pytest.mark.parametrize(
    ("text", "aosp", "mmsd"),
    [
        (f"8c82 8d92 984e3100 {CLASS} {SIZE} {EXPIRY} {PLACE}", "", "do not come first"),
        (f"8c82 984e3100 {CLASS} {SIZE} {EXPIRY} {PLACE}", "no MMS-Version", ""),
        (f"{FIRST} {CLASS} {SIZE} {PLACE}", "no Expiry", "no Expiry"),
        (f"{FIRST} {CLASS} {SIZE} 8802 81bc {PLACE}", "Expiry is no Long-integer", ""),
        (f"{FIRST} {CLASS} 8ebc {EXPIRY} {PLACE}", "Message-Size is no", "Message-Size is no Long-integer"),
        (f"{FIRST} {CLASS} {SIZE} {EXPIRY}", "no Content-Location", "no Content-Location"),
        (f"8c84 8d92 {MIXED} {PART}", "no Date", "no Date"),
        (f"8c84 8d92 {DATE} 8483 68656c6c6f", "none of the multiparts", "none of the multiparts"),
        (f"8c84 8d92 {DATE} 848c {PART}", "the body is multipart/mixed", ""),
        (f"8c84 8d92 {DATE} {MIXED} 02 0105 83 68656c6c6f", "the body ends before", "the body ends before"),
        (f"8c84 8d92 {DATE} {MIXED} 01 0109 83 68656c6c6f", "part 1 of 1", "part 1 of 1"),
        (f"{CONF} 92e6", "", "knows no Response-Status 0xe6"),
        (f"{CONF} 9283", "", "knows no Response-Status 0x83"),
        ("8c96 98433100 8d93 be6100", "knows no PDU of type 0x96", ""),
        ("8c86 8d92 8b6100 976200 9581", "no Date", "no Date"),
        (f"{FIRST} {CLASS} {SIZE} {EXPIRY} c080 {PLACE}", "is taken for the next field", "no Content-Location"),
        (f"{FIRST} {CLASS} {SIZE} {EXPIRY} 83 6874", "has no end", "has no end"),
    ],
)
def test_what_one_of_them_drops(text: str, aosp: str, mmsd: str) -> None:
    for reading, words in ((AOSP, aosp), (MMSD, mmsd)):
        found = drops(text, reading)
        assert (words in "; ".join(found)) if words else not found, (reading, found)
    assert drops(text, Reading.LENIENT) == []


@pytest.mark.parametrize(
    ("text", "reading", "words"),
    [
        (f"{FIRST} 890181 {CLASS} {SIZE} {EXPIRY} {PLACE}", AOSP, "insert-address"),
        (f"{GOOD_NOTIFICATION} c07800", AOSP, "is not assigned"),
        (f"{GOOD_NOTIFICATION} c07800", MMSD, "reads nothing behind field 0xc0"),
    ],
)
def test_what_does_no_more_harm_than_to_be_shown(text: str, reading: Reading, words: str) -> None:
    (found,) = objections(bytes.fromhex(text), reading)
    assert words in found.what
    assert found == Objection(found.what, drops=False)


async def test_a_strict_handset_says_what_it_dropped_and_is_silent(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(profile=PROFILES["aosp"])
    await phone.on_push(pushed(notification(f"{mmsc.url}m/m1"))[:-1] + b"x")
    assert phone.inbox.failures == ["push: aosp drops it: the field at octet 20 has no end"]
    assert mmsc.heard == []


async def test_a_strict_handset_does_not_acknowledge_what_it_dropped(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    phone = await handset(profile=PROFILES["mmsd"])
    notified = mmsc.offer()
    date = bytes.fromhex("8504 6553f100")
    octets = mmsc.files["/m/m1"]
    assert isinstance(octets, bytes)
    mmsc.files["/m/m1"] = octets.replace(date, b"")
    await phone.on_push(pushed(notified))
    assert phone.inbox.failures == ["m-retrieve-conf: mmsd drops it: no Date"]
    assert mmsc.pdus() == []


async def test_a_strict_handset_reads_what_we_write(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    for name in ("aosp", "mmsd"):
        phone = await handset(profile=PROFILES[name])
        await phone.on_push(pushed(mmsc.offer()))
        assert (phone.inbox.failures, len(phone.inbox.messages)) == ([], 1)
    assert retrieve_conf().date
