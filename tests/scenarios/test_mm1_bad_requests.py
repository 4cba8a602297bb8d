"""The table of bad requests: whole HTTP requests of `fixtures/mm1/requests` against one running server. Each is
answered as its fixture says, in each version that it can be written in, and keeps nothing; a good one succeeds behind
it (OMA-TS-MMS_ENC 6, 7, 7.3.48; OMA-TS-MMS_CTR)."""

import itertools
import string
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from unittest.mock import patch

import pytest
import pytest_asyncio

from mmsc.settings.model import LimitSettings
from mmsc.store.sqlite import SqliteStore
from protocols import mm1
from tests.cases import Case, cases
from tests.scenarios.conftest import PHONE, Lab, open_lab
from tests.scenarios.raw_http import Told, exchange

REQUESTS = cases("mm1/requests")
(GOOD,) = (case for case in REQUESTS if case.stem.endswith("-send-good"))
TRANSACTIONS = map("".join, itertools.product("abcdefghijklmnopqrstuvwxyz", string.hexdigits))  # as long as T1
VERSIONS = {"1.0": 0x10, "1.1": 0x11, "1.2": 0x12, "1.3": 0x13}
WRITTEN = bytes.fromhex("8d92")  # X-Mms-MMS-Version 1.2, as the fixtures have it
MMS_MESSAGE = "application/vnd.wap.mms-message"


def _submit(lab: Lab) -> object:
    return lab.app.engine.submit


GIVEN: dict[str, Callable[[Lab], AbstractContextManager[object]]] = {
    "": lambda lab: nullcontext(),
    "it has just been sent": lambda lab: nullcontext(),
    "the store is away": lambda lab: patch.object(SqliteStore, "available", new=False),
    "the door is full": lambda lab: patch.object(lab.app.engine.submit._door, "enter", return_value=False),
    "the engine fails": lambda lab: patch.object(_submit(lab), "accept", side_effect=ZeroDivisionError("injected")),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """One server for the whole table."""
    limits = LimitSettings(maximum_octets=30_000, maximum_recipients=10, maximum_parts=5)
    async with open_lab(tmp_path_factory.mktemp("table"), limits=limits) as lab:
        await lab.phone(PHONE)
        yield lab


def asked(octets: bytes, sender: str, version: str, transaction_id: str) -> bytes:
    """The request by a subscriber, of this version ("": as written), with a transaction of its own: the same again
    would be a repeat."""
    if sender:
        line, _, rest = octets.partition(b"\r\n")
        octets = line + b"\r\nX-WAP-Network-Client-MSISDN: " + sender.encode() + b"\r\n" + rest
    if version:
        assert WRITTEN in octets
        octets = octets.replace(WRITTEN, bytes((0x8D, 0x80 | VERSIONS[version])), 1)
    return octets.replace(b"\x98T1\0", b"\x98" + transaction_id.encode() + b"\0", 1)


async def stored(lab: Lab) -> int:
    ((number,),) = await lab.app.store.fetch("SELECT count(*) FROM mm")
    assert isinstance(number, int)
    return number


def is_as_expected(told: Told, case: Case, transaction_id: str, status: str, version: str) -> None:
    meaning = case.meaning
    conf = mm1.decode(told.body).message
    assert type(conf).__name__ == meaning["answer"]
    own = "T1" if b"\x98T1\0" in case.octets else None
    assert getattr(conf, "transaction_id") == (transaction_id if own else meaning["transaction_id"])  # noqa: B009
    assert status_of(conf) == status
    assert conf.mms_version == max(VERSIONS[version], conf.since)
    text = next((value for name in TEXTS if (value := getattr(conf, name, None))), None)
    said = text if isinstance(text, str) else "" if text is None else str(text[0].value)
    assert meaning["text"] in said
    assert status == "OK" or said, "it does not say why"
    assert told.content_type == MMS_MESSAGE
    assert "content-encoding" not in told.headers


TEXTS = ("response_text", "store_status_text", "response_texts")


def status_of(conf: mm1.Pdu) -> str:
    """What a conf says, by name."""
    if isinstance(conf, mm1.MMboxStoreConf | mm1.MMboxUploadConf):
        status: mm1.StoreStatus | mm1.ResponseStatus | None = conf.store_status
    elif isinstance(conf, mm1.MMboxDeleteConf | mm1.MDeleteConf):
        (one,) = conf.response_statuses
        assert isinstance(one.value, mm1.ResponseStatus)
        status = one.value
    else:
        assert isinstance(conf, mm1.MSendConf | mm1.MForwardConf | mm1.MMboxViewConf)
        status = conf.response_status
    assert status is not None
    return status.name


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", REQUESTS, ids=str)
async def test_each_is_answered_by_the_table_and_a_good_one_succeeds_behind_it(lab: Lab, case: Case) -> None:
    meaning = case.meaning
    for key, status in meaning["statuses"].items():
        transaction_id = next(TRANSACTIONS)
        octets = asked(case.octets, meaning["sender"], "" if key.startswith("=") else key, transaction_id)
        if meaning["given"] == "it has just been sent":
            await exchange(lab, octets, "mm1")
        before = await stored(lab)
        with GIVEN[meaning["given"]](lab):
            told = await exchange(lab, octets, "mm1")
        assert told.http == meaning["http"], told.body
        assert told.headers.get("allow", "") == meaning["allow"]
        assert await stored(lab) - before == meaning["stored"]
        if meaning["answer"] is None:
            assert not told.content_type.startswith(MMS_MESSAGE)
            assert meaning["text"] in told.body.decode()
        else:
            is_as_expected(told, case, transaction_id, status, key.removeprefix("="))
    if case is not GOOD:
        told = await exchange(lab, asked(GOOD.octets, GOOD.meaning["sender"], "", next(TRANSACTIONS)), "mm1")
        assert (told.http, status_of(mm1.decode(told.body).message)) == (200, "OK")


def test_every_status_that_a_submission_can_get_has_a_case() -> None:
    assert len(REQUESTS) > 100
    found = {status for case in REQUESTS for status in case.meaning["statuses"].values()}
    assert {"OK", "ERROR_UNSPECIFIED", "ERROR_SERVICE_DENIED", "ERROR_MESSAGE_FORMAT_CORRUPT"} <= found
    assert {"ERROR_SENDING_ADDRESS_UNRESOLVED", "ERROR_CONTENT_NOT_ACCEPTED", "ERROR_TRANSIENT_FAILURE"} <= found
