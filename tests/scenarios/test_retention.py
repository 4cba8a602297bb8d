"""What retention took is answered as the protocols say: over MM1, behind the link, and to whoever answers late."""

import asyncio

from mmsc.lab.handset import Fetching
from mmsc.store.core import Statement, Unit
from mmsc.trace.events import StoreTidied
from protocols import mm1
from protocols.mm1 import MNotifyRespInd, RetrieveStatus, Status
from tests.scenarios.conftest import PHONE, Lab, picture
from tests.scenarios.test_fallback import get, link_of

DAY = 86400.0


async def tidied(lab: Lab, seconds: float) -> StoreTidied:
    """Service time jumps; what the round of housekeeping that is due then did."""
    with lab.app.bus.watch() as watcher:
        lab.app.clock.step(seconds)
        async with asyncio.timeout(15):
            data = (await watcher.until(lambda event: isinstance(event.data, StoreTidied))).data
    assert isinstance(data, StoreTidied)
    return data


async def test_bodies_and_messages_go_and_everybody_is_answered(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    await lab.vasp.submit(PHONE, content=picture())
    notification = (await phone.until(lambda inbox: bool(inbox.messages))).notifications[0]
    url = await link_of(lab)
    assert (await get(url))[0] == 200
    for _ in range(2):
        await lab.vasp.report()
    async with asyncio.timeout(10):
        while await lab.app.store.fetch("SELECT 1 FROM task"):
            await lab.app.store.fetch("SELECT 1")

    address = notification.content_location or ""
    assert (await tidied(lab, 20 * DAY)).bodies == 2
    _, octets = await phone._request("GET", address)
    conf = mm1.decode(octets).message
    assert isinstance(conf, mm1.MRetrieveConf)
    assert conf.retrieve_status == RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    assert (await get(url))[0] == 410
    assert (await tidied(lab, 90 * DAY)).messages == 2
    assert await lab.app.store.fetch("SELECT 1 FROM recipient") == []
    lab.app.engine.recent._records.clear()  # as after a restart
    lab.app.engine.recent._by_token.clear()
    lab.app.engine.recent._by_transaction.clear()
    assert await phone._request("GET", address) == (404, b"Message not found\n")
    assert (await get(url))[0] == 404
    late = MNotifyRespInd(mms_version=0x12, transaction_id=notification.transaction_id or "", status=Status.RETRIEVED)
    assert await phone._post(late) == (200, b"")


async def test_a_body_that_went_early_is_not_found(lab: Lab) -> None:
    """As when somebody restored a store without its bodies: no exception, the protocols' own answers."""
    phone = await lab.phone(PHONE, fetching=Fetching.NEVER)
    await lab.vasp.submit(PHONE, content=picture())
    notification = (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0]
    url = await link_of(lab)
    lab.app.engine.recent._bodies.clear()
    await lab.app.store.commit(Unit(None, (Statement("DELETE FROM content WHERE id > $1", (0,)),)))
    _, octets = await phone._request("GET", notification.content_location or "")
    conf = mm1.decode(octets).message
    assert isinstance(conf, mm1.MRetrieveConf)
    assert conf.retrieve_status == RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
    status, page, _ = await get(url)
    assert (status, b"<html" in page) == (410, True)
