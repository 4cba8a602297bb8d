"""Which conf says no to which request, and in which words (OMA-TS-MMS_ENC 6, 7.3.48, 7.3.58)."""

import pytest

from mmsc.domain.refusal import RefusalReason
from mmsc.gateways.mm1.refusing import OF_A_SENDER, refusal, refused, store_status_of
from mmsc.gateways.pdus import STATUS_OF
from protocols import mm1
from protocols.mm1 import MessageType, ResponseStatus, StoreStatus
from protocols.mm1.versions import status_for

R = ResponseStatus
VERSIONS = (0x10, 0x11, 0x12, 0x13)
SINCE = {  # of the standard's statuses; those of 1.0 are 0x80 to 0x88
    **dict.fromkeys(range(0x80, 0x89), 0x10),
    **dict.fromkeys((*range(0xC0, 0xC4), *range(0xE0, 0xEA)), 0x11),
    **dict.fromkeys((0xC4, 0xEA), 0x12),
    0xEB: 0x13,
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", list(R))
def test_no_version_is_told_a_status_that_came_later(status: R, version: int) -> None:
    told = status_for(status, version)
    assert SINCE[int(told)] <= version
    assert status_for(told, version) is told
    assert told is status or version < SINCE[int(status)]
    assert (told is R.OK) is (status is R.OK or (status is R.ERROR_TRANSIENT_PARTIAL_SUCCESS and version < 0x12))


def test_who_has_no_credit_hears_so_in_1_3() -> None:
    """X-Mms-Response-Status Error-permanent-lack-of-prepaid is of 1.3; before, the service is denied."""
    status = STATUS_OF[RefusalReason.NO_CREDIT]
    told = [status_for(status, version).name for version in VERSIONS]
    denied = "ERROR_PERMANENT_SERVICE_DENIED"
    assert told == ["ERROR_SERVICE_DENIED", denied, denied, "ERROR_PERMANENT_LACK_OF_PREPAID"]


def test_every_reason_has_a_status_and_a_transient_one_may_come_again() -> None:
    assert set(STATUS_OF) == set(RefusalReason)
    for reason, status in STATUS_OF.items():
        assert reason.is_transient is (0xC0 <= status < 0xE0)


@pytest.mark.parametrize("kind", [one for one in MessageType if one.name.endswith("_REQ")])
@pytest.mark.parametrize("version", [0, *VERSIONS, 0x14, 0x20])
def test_each_request_is_refused_by_its_own_conf(kind: MessageType, version: int) -> None:
    conf = refusal(kind, "T1", version, R.ERROR_PERMANENT_FAILURE, "why\0not")
    assert conf is not None
    own = "M_SEND_CONF" if kind is MessageType.M_CANCEL_REQ else kind.name.replace("_REQ", "_CONF")
    assert conf.message_type.name == own
    assert mm1.decode(mm1.encode(conf)).findings == ()
    assert conf.mms_version == max(conf.since, {0: 0x10, 0x14: 0x13, 0x20: 0x12}.get(version, version))
    assert b"why?not" in mm1.encode(conf)


@pytest.mark.parametrize("kind", [*(one for one in MessageType if one.name.endswith("P_IND")), None])
def test_what_cannot_be_answered_by_a_pdu_is_refused_by_http(kind: MessageType | None) -> None:
    answer = refused(kind, "T1", 0x12, R.ERROR_PERMANENT_SERVICE_DENIED, "no\r\nidentity", http=403)
    assert (answer.status, answer.body) == (403, b"no??identity\n")
    assert refusal(MessageType.M_SEND_REQ, "", 0x12, R.ERROR_PERMANENT_FAILURE, "") is None


def test_store_statuses_have_words_of_their_own() -> None:
    assert store_status_of(R.ERROR_UNSUPPORTED_MESSAGE) is StoreStatus.ERROR_PERMANENT_SERVICE_DENIED
    assert store_status_of(R.ERROR_PERMANENT_MESSAGE_NOT_FOUND) is StoreStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    assert store_status_of(R.ERROR_PERMANENT_CONTENT_NOT_ACCEPTED) is StoreStatus.ERROR_PERMANENT_FAILURE
    assert len(OF_A_SENDER) == 8
