"""What a client of a version can read (OMA-TS-MMS_ENC 7, 7.3.34, 7.3.48, 7.4)."""

from collections import Counter
from dataclasses import fields
from typing import Any

import pytest

from protocols import mm1
from protocols.content_type import ContentType
from protocols.forms import UnknownHeader
from protocols.mm1 import VERSION_1_0, VERSION_1_1, VERSION_1_2, VERSION_1_3, MRetrieveConf, ResponseStatus
from protocols.mm1.catalogue import PDUS
from protocols.mm1.headers import BY_ATTRIBUTE, BY_NUMBER, HEADERS
from protocols.mm1.versions import spoken, status_for

VERSIONS = (VERSION_1_0, VERSION_1_1, VERSION_1_2, VERSION_1_3)
FULL = MRetrieveConf(
    mms_version=VERSION_1_3,
    date=1,
    subject="s",
    retrieve_status=mm1.RetrieveStatus.OK,
    previously_sent_by=(mm1.Counted(1, "a@b"),),
    mm_flags=(mm1.Flagged(0x80, "x"),),
    applic_id="game",
    content_type=ContentType("application/vnd.wap.multipart.mixed"),
)


def test_every_field_and_pdu_has_the_version_that_brought_it() -> None:
    assert Counter(row.since for row in HEADERS) == {0x10: 0x18, 0x11: 9, 0x12: 18, 0x13: 12}
    assert Counter(cls.since for cls in PDUS) == {0x10: 7, 0x11: 4, 0x12: 9, 0x13: 4}


@pytest.mark.parametrize(
    ("version", "kept"),
    [
        (VERSION_1_0, ()),
        (VERSION_1_1, ("retrieve_status", "previously_sent_by")),
        (VERSION_1_2, ("retrieve_status", "previously_sent_by", "mm_flags")),
        (VERSION_1_3, ("retrieve_status", "previously_sent_by", "mm_flags", "applic_id")),
    ],
)
def test_newer_fields_go(version: int, kept: tuple[str, ...]) -> None:
    pdu = mm1.for_version(FULL, version)
    names = ("retrieve_status", "previously_sent_by", "mm_flags", "applic_id")
    assert tuple(name for name in names if getattr(pdu, name)) == kept
    assert (pdu.mms_version, pdu.subject) == (version, "s")
    numbers = [octets[0] & 0x7F for octets in _fields(mm1.encode(pdu))]
    assert all(BY_NUMBER[number].since <= version for number in numbers)


def _fields(octets: bytes) -> list[bytes]:
    return [octets[one.start : one.end] for one in mm1.describe(octets)]


@pytest.mark.parametrize("cls", PDUS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("version", VERSIONS)
def test_no_class_keeps_a_newer_field(cls: type[mm1.Pdu], version: int) -> None:
    """One that is newer itself keeps what its own version has."""
    names = [one.name for one in fields(cls) if one.name in BY_ATTRIBUTE and one.name != "mms_version"]
    values: dict[str, Any] = dict.fromkeys(names, ResponseStatus.OK)
    pdu = mm1.for_version(cls(mms_version=VERSION_1_3, **values), version)
    told = max(version, cls.since)
    assert pdu.mms_version == told
    assert [name for name in names if getattr(pdu, name) is ResponseStatus.OK] == [
        name for name in names if BY_ATTRIBUTE[name].since <= told
    ]


def test_nothing_is_made_anew_when_nothing_has_to_go() -> None:
    pdu = MRetrieveConf(mms_version=VERSION_1_0, date=1)
    assert mm1.for_version(pdu, VERSION_1_0) is pdu
    assert mm1.for_version(FULL, VERSION_1_3) is FULL
    assert mm1.for_version(FULL, 0x14) is FULL


def test_a_kept_field_goes_unless_it_has_a_name() -> None:
    """7.4, WAP-230-WSP 8.4.1.2: some readers do not step over the value of a number that they do not know."""
    named, unassigned, newer = UnknownHeader("X-Own", b"v"), UnknownHeader(0xD5, b"\x80"), UnknownHeader(0xB6, b"a\0")
    pdu = mm1.MAcknowledgeInd(transaction_id="t", unknown=(named, unassigned, newer))
    assert mm1.for_version(pdu, VERSION_1_2).unknown == (named,)
    assert mm1.for_version(pdu, VERSION_1_3).unknown == (named, newer)


@pytest.mark.parametrize(
    ("status", "to_1_0", "to_1_1", "to_1_2"),
    [
        ("OK", "OK", "OK", "OK"),
        ("ERROR_UNSUPPORTED_MESSAGE",) * 4,
        ("ERROR_CONTENT_NOT_ACCEPTED",) * 4,
        ("ERROR_TRANSIENT_FAILURE", "ERROR_UNSPECIFIED", "ERROR_TRANSIENT_FAILURE", "ERROR_TRANSIENT_FAILURE"),
        ("ERROR_TRANSIENT_NETWORK_PROBLEM", "ERROR_NETWORK_PROBLEM", *("ERROR_TRANSIENT_NETWORK_PROBLEM",) * 2),
        ("ERROR_TRANSIENT_PARTIAL_SUCCESS", "OK", "OK", "ERROR_TRANSIENT_PARTIAL_SUCCESS"),
        (
            "ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT",
            "ERROR_MESSAGE_FORMAT_CORRUPT",
            *("ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT",) * 2,
        ),
        ("ERROR_PERMANENT_LACK_OF_PREPAID", "ERROR_SERVICE_DENIED", *("ERROR_PERMANENT_SERVICE_DENIED",) * 2),
    ],
)
def test_a_status_is_told_in_the_words_of_the_version(status: str, to_1_0: str, to_1_1: str, to_1_2: str) -> None:
    found = [status_for(ResponseStatus[status], version).name for version in VERSIONS]
    assert found == [to_1_0, to_1_1, to_1_2, status]
    conf = mm1.MSendConf(transaction_id="t", response_status=ResponseStatus[status])
    assert mm1.for_version(conf, VERSION_1_0).response_status == ResponseStatus[to_1_0]


def test_every_status_has_a_word_that_1_0_knows() -> None:
    for status in ResponseStatus:
        assert status_for(status, VERSION_1_0) <= ResponseStatus.ERROR_UNSUPPORTED_MESSAGE


@pytest.mark.parametrize(
    ("last", "told"), [(0, VERSION_1_2), (0x10, VERSION_1_0), (0x13, VERSION_1_3), (0x14, VERSION_1_3), (0x20, 0x13)]
)
def test_a_client_is_spoken_to_as_it_spoke(last: int, told: int) -> None:
    assert spoken(last) == told
