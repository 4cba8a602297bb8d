"""Every request of a user agent and its conf (OMA-TS-MMS_ENC 6), against an MMSC that answers as it is told."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mmsc.lab.handset import Handset
from mmsc.lab.handset_profiles import PROFILES
from mmsc.lab.mmbox_client import CONTENT
from mmsc.lab.user_agent import NoConf, unique_ids
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import (
    Flagged,
    Indexed,
    MDeleteConf,
    MDeleteReq,
    MForwardConf,
    MForwardReq,
    MMboxDeleteConf,
    MMboxDeleteReq,
    MMboxDescr,
    MMboxStoreConf,
    MMboxStoreReq,
    MMboxUploadConf,
    MMboxUploadReq,
    MMboxViewConf,
    MMboxViewReq,
    MmState,
    MSendConf,
    MSendReq,
    Pdu,
    ResponseStatus,
    StoreStatus,
)
from protocols.wsp.multipart import Part, encode_multipart
from protocols.wsp.push import MMS_MESSAGE
from tests.lab.conftest import MIXED, PARTS, FakeMmsc, MakeHandset

OK = ResponseStatus.OK
PLACE = "http://mmsc.example/b/1"
DESCRIPTION = MMboxDescr(content_location=PLACE, subject="Lake", mm_state=(MmState.SENT,))
VIEW = Part(ContentType(MMS_MESSAGE), mm1.encode(DESCRIPTION))

Ask = Callable[[Handset], Awaitable[Any]]
REQUESTS: list[tuple[type[Pdu], Ask, Callable[[str], Pdu]]] = [
    (
        MSendReq,
        lambda phone: phone.send(["+1/TYPE=PLMN"], PARTS),
        lambda tid: MSendConf(transaction_id=tid, response_status=OK, message_id="m"),
    ),
    (
        MForwardReq,
        lambda phone: phone.forward(PLACE, ["+1/TYPE=PLMN"]),
        lambda tid: MForwardConf(transaction_id=tid, response_status=OK),
    ),
    (
        MDeleteReq,
        lambda phone: phone.delete(PLACE),
        lambda tid: MDeleteConf(transaction_id=tid, response_statuses=(Indexed(0, OK),)),
    ),
    (
        MMboxStoreReq,
        lambda phone: phone.mmbox.store(PLACE, state=MmState.DRAFT, add=["a"], remove=["b"]),
        lambda tid: MMboxStoreConf(transaction_id=tid, store_status=StoreStatus.SUCCESS, content_location=PLACE),
    ),
    (
        MMboxViewReq,
        lambda phone: phone.mmbox.view(states=[MmState.SENT], flags=["a"], limit=5, attributes=[0x16, CONTENT]),
        lambda tid: MMboxViewConf(
            transaction_id=tid, response_status=OK, content_type=MIXED, body=encode_multipart([VIEW])
        ),
    ),
    (
        MMboxUploadReq,
        lambda phone: phone.mmbox.upload(PARTS, subject="Lake", flags=["a"]),
        lambda tid: MMboxUploadConf(transaction_id=tid, store_status=StoreStatus.SUCCESS, content_location=PLACE),
    ),
    (
        MMboxDeleteReq,
        lambda phone: phone.mmbox.delete(PLACE, PLACE + "2"),
        lambda tid: MMboxDeleteConf(transaction_id=tid, response_statuses=(Indexed(0, OK),)),
    ),
]
NAMES = [one[0].__name__ for one in REQUESTS]


@pytest.mark.parametrize(("request_type", "ask", "conf"), REQUESTS, ids=NAMES)
async def test_a_request_and_its_conf(
    mmsc: FakeMmsc, handset: MakeHandset, request_type: type[Pdu], ask: Ask, conf: Callable[[str], Pdu]
) -> None:
    mmsc.confs[request_type] = lambda pdu: conf(pdu.transaction_id)
    told = await ask(await handset())
    (sent,) = mmsc.pdus()
    assert type(sent) is request_type
    assert getattr(told, "conf", told) == conf(sent.transaction_id)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("request_type", "ask", "conf"), REQUESTS, ids=NAMES)
async def test_answers_that_are_none(
    mmsc: FakeMmsc, handset: MakeHandset, request_type: type[Pdu], ask: Ask, conf: Callable[[str], Pdu]
) -> None:
    phone = await handset()
    answers: list[Any] = [
        503,
        lambda pdu: b"<html>",
        lambda pdu: conf("another"),
        lambda pdu: mm1.MNotifyRespInd(transaction_id=pdu.transaction_id, status=mm1.Status.REJECTED),
    ]
    for answer, words in zip(
        answers, ("HTTP 503 .*: as told", r"\w", "transaction 'another'", "instead of"), strict=True
    ):
        mmsc.confs[request_type] = answer
        with pytest.raises(NoConf, match=words):
            await ask(phone)


async def test_what_a_view_shows(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    request_type, ask, conf = REQUESTS[4]
    mmsc.confs[request_type] = lambda pdu: conf(pdu.transaction_id)
    view = await ask(await handset())
    assert view.found == (DESCRIPTION,)
    (sent,) = mmsc.pdus()
    assert isinstance(sent, MMboxViewReq)
    assert (sent.attributes, sent.mm_flags, sent.limit) == ((0x16, 0x2E), (Flagged(0x82, "a"),), 5)


async def test_a_view_that_cannot_be_read(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    mmsc.confs[MMboxViewReq] = lambda pdu: MMboxViewConf(
        transaction_id=pdu.transaction_id, response_status=OK, content_type=MIXED, body=b"\x02"
    )
    with pytest.raises(NoConf, match="the body of the m-mbox-view-conf"):
        await (await handset()).mmbox.view()


async def test_an_upload_is_a_description_with_content(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    request_type, ask, conf = REQUESTS[5]
    mmsc.confs[request_type] = lambda pdu: conf(pdu.transaction_id)
    await ask(await handset())
    (sent,) = mmsc.pdus()
    assert isinstance(sent, MMboxUploadReq)
    description = mm1.decode(sent.body).message
    assert isinstance(description, MMboxDescr)
    assert (description.subject, description.body) == ("Lake", encode_multipart(PARTS))


async def test_a_family_that_knows_no_such_status_has_no_conf(mmsc: FakeMmsc, handset: MakeHandset) -> None:
    status = ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS
    mmsc.confs[MSendReq] = lambda pdu: MSendConf(transaction_id=pdu.transaction_id, response_status=status)
    assert (await (await handset()).send(["+1"], PARTS)).response_status is status
    strict = await handset(profile=PROFILES["mmsd"])
    with pytest.raises(NoConf, match="mmsd drops it: knows no Response-Status 0xc4"):
        await strict.send(["+1"], PARTS)


def test_ids_that_no_other_run_uses() -> None:
    ids = unique_ids()
    assert len({ids() for _ in range(100)}) == 100
    assert len(ids()) <= 40
