"""User agents of several versions, and who may answer for whom (OMA-TS-MMS_ENC 6, 7)."""

import pytest

from mmsc.domain.address import Address
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine.transitions import Circumstances
from mmsc.lab.handset import Fetching
from mmsc.settings.model import Mm1
from mmsc.store.core import Lost, Row, StoreUnavailable, Unit
from protocols import mm1
from protocols.mm1 import MNotifyRespInd, ResponseStatus, Status
from tests.scenarios.conftest import OTHER, PHONE, Lab, picture

STRANGER = "+15550100777"


async def notified(lab: Lab, **behaviour: object) -> mm1.MNotificationInd:
    phone = await lab.phone(PHONE, fetching=Fetching.NEVER, **behaviour)
    await lab.vasp.submit(PHONE, content=picture())
    return (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0]


async def test_who_sends_shows_a_handset_with_mms(lab: Lab) -> None:
    """Until then nothing was known of the number: its MMs would fall back to a link."""
    phone = await lab.phone(STRANGER, user_agent="Lab/7", version=mm1.VERSION_1_0)
    await phone.send([PHONE], [])
    known = lab.app.engine.neighbours.subscriber(Address.of(STRANGER))
    assert (known.user_agent, known.mms_version) == ("Lab/7", mm1.VERSION_1_0)


@pytest.mark.parametrize("status", [Status.REJECTED, Status.RETRIEVED, Status.DEFERRED])
async def test_nobody_answers_for_another_subscriber(lab: Lab, status: Status) -> None:
    notification = await notified(lab)
    other = await lab.phone(OTHER)
    answers = [
        await other._post(MNotifyRespInd(mms_version=0x12, transaction_id=one, status=status))
        for one in (notification.transaction_id, "unknown")
    ]
    assert answers == [(200, b"")] * 2
    assert await lab.app.store.fetch("SELECT state FROM recipient") == [(RecipientState.NOTIFIED.value,)]


async def test_a_handset_of_version_1_0_is_told_nothing_newer(lab: Lab) -> None:
    """OMA-TS-MMS_ENC 7.1: X-Mms-Retrieve-Status and all fields from 0x19 came with 1.1 and later."""
    notification = await notified(lab, version=mm1.VERSION_1_0)
    phone = lab.phones[PHONE]
    await phone.send([OTHER], [])
    message = await phone.get(notification)
    assert message is not None
    assert message.conf.mms_version == mm1.VERSION_1_0
    desk = lab.app.engine.desk
    record = await desk.recent.by_transaction_id(notification.transaction_id)
    assert record is not None
    assert await desk.transitions.apply(record.mm, record.recipient, Happening.EXPIRED, Circumstances())
    _, octets = await phone._request("GET", notification.content_location or "")
    conf = mm1.decode(octets).message
    assert isinstance(conf, mm1.MRetrieveConf)
    assert (conf.mms_version, conf.retrieve_status, conf.retrieve_text) == (mm1.VERSION_1_0, None, None)
    assert b"Message expired" in conf.body


async def test_while_the_store_is_away_a_get_is_for_later(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """An MM that is there is not said to be gone, and nothing fails inside."""
    notification = await notified(lab)

    async def away(*_: object) -> None:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(lab.app.engine.desk.recent, "by_token", away)
        patch.setattr(lab.app.engine.desk.recent, "by_link_token", away)
        assert (await lab.phones[PHONE]._request("GET", notification.content_location or ""))[0] == 503
        host, port = lab.app.listeners["weblink"]
        status, page = await lab.phones[PHONE].open_link(f"http://{host}:{port}/w/abcdefgh12345678")
        assert (status, b"Open the link again" in page) == (503, True)
    assert await lab.phones[PHONE].get(notification) is not None


async def test_while_the_store_is_away_an_answer_is_not_taken(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Semantics 4: 200 to m-notifyresp-ind promises that it is kept; 503 asks for it again."""
    notification = await notified(lab)
    phone = lab.phones[PHONE]
    pdu = MNotifyRespInd(mms_version=0x12, transaction_id=notification.transaction_id, status=Status.DEFERRED)

    commit, is_away = lab.app.store.commit, True

    async def perhaps(unit: Unit) -> list[Row] | Lost:
        if is_away:
            raise StoreUnavailable("disk full")
        return await commit(unit)

    monkeypatch.setattr(lab.app.store, "commit", perhaps)
    assert (await phone._post(pdu))[0] == 503
    is_away = False  # who tries again with what it was given comes through, too
    assert (await phone._post(pdu))[0] == 200
    assert await lab.app.store.fetch("SELECT state FROM recipient") == [(RecipientState.DEFERRED.value,)]


async def test_without_a_version_it_is_1_0_also_where_the_rest_cannot_be_read(lab: Lab) -> None:
    """OMA-TS-MMS_ENC 7.3.34: no version is 1.0, whose word for it is 0x83."""
    phone = await lab.phone(PHONE)
    _, octets = await phone._request("POST", phone.mmsc_url, bytes.fromhex("8c80985431008901"))
    conf = mm1.decode(octets).message
    assert isinstance(conf, mm1.MSendConf)
    assert conf.mms_version == mm1.VERSION_1_0
    assert conf.response_status is ResponseStatus.ERROR_MESSAGE_FORMAT_CORRUPT


@pytest.mark.parametrize("header", Mm1().identity_headers)
async def test_a_gateways_header_is_believed(lab: Lab, header: str) -> None:
    """X-WAP-Network-Client-MSISDN is what most WAP gateways write."""
    assert Mm1().identity_headers[0] == "X-WAP-Network-Client-MSISDN"
    phone = await lab.phone(PHONE, identity_header=header)
    conf = await phone.send([OTHER], [])
    assert conf.response_status is ResponseStatus.OK


@pytest.mark.parametrize("bad", ["+19990100123", "no body!"])
async def test_who_cannot_be_told_of_a_partial_success_gets_a_report(lab: Lab, bad: str) -> None:
    """OMA-TS-MMS_ENC 7.3.48: Error-transient-partial-success is of 1.2; before, the MM is accepted and m-delivery-ind
    tells of the recipient that cannot be served."""
    sender = await lab.phone(OTHER, version=mm1.VERSION_1_0)
    phone = await lab.phone(PHONE)
    conf = await sender.send([PHONE, bad], [], delivery_report=True)
    assert (conf.response_status, conf.response_text) == (ResponseStatus.OK, None)
    inbox = await sender.until(lambda inbox: len(inbox.reports) == 2)
    told = {one.to[0].partition("/")[0]: (one.status, one.mms_version) for one in inbox.reports}
    assert told == {PHONE: (Status.RETRIEVED, 0x10), bad: (Status.INDETERMINATE, 0x10)}
    assert len(phone.inbox.messages) == 1


async def test_who_can_be_told_of_a_partial_success_gets_no_report_of_it(lab: Lab) -> None:
    sender = await lab.phone(OTHER)
    await lab.phone(PHONE)
    conf = await sender.send([PHONE, "no body!"], [], delivery_report=True)
    assert conf.response_status is ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS
    assert "no body!" in (conf.response_text or "")
    inbox = await sender.until(lambda inbox: bool(inbox.reports))
    assert [one.to for one in inbox.reports] == [(f"{PHONE}/TYPE=PLMN",)]
    assert len(await lab.app.store.fetch("SELECT id FROM recipient")) == 1


async def test_a_pdu_without_a_version_shows_none(lab: Lab) -> None:
    """It is read as 1.0; the handset is not taken for one that speaks 1.0."""
    phone = await lab.phone(PHONE)
    await phone.send([OTHER], [])
    without = bytes.fromhex("8c85 98 5431 00".replace(" ", ""))  # m-acknowledge-ind
    read = bytes.fromhex("8c878b613100 97323200 890181 9b80".replace(" ", ""))  # m-read-rec-ind
    for octets in (without, read):
        assert (await phone._request("POST", phone.mmsc_url, octets))[0] == 200
    assert lab.app.engine.neighbours.subscriber(Address.of(PHONE)).mms_version == mm1.VERSION_1_2
