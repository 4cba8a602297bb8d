"""An MM with a large body to many: the ladder draws all PDUs, and does not hold the body once for each."""

import pytest

from mmsc.control import traffic as traffic_of
from mmsc.trace.ladder import reading
from tests.console.test_hostile_requests import got
from tests.gateways.rest.test_identities import asked
from tests.scenarios.conftest import OTHER, PHONE, Lab


async def _sent(lab: Lab) -> int:
    """One that two phones have fetched."""
    phones = [await lab.phone(number) for number in (PHONE, OTHER)]
    picture = {"name": "p.png", "content_type": "image/png", "content_base64": "AAAA" * 8000}
    body = {"sender": OTHER, "to": [PHONE, OTHER], "subject": "Hi", "attachments": [picture]}
    status, taken, _ = await asked(lab.app, "POST", "/api/v1/messages", body)
    assert status == 201
    for phone in phones:
        await phone.until(lambda inbox: bool(inbox.messages))
    return int(taken["mm_id"])


async def test_bodies_beyond_the_bound_are_left_out_and_put_back_for_who_looks(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    mm_id = await _sent(lab)
    monkeypatch.setattr(traffic_of, "MAXIMUM_BODY_OCTETS", 30_000)
    service = lab.app.operations.control.traffic
    found = await service.of(mm_id)
    fetched = [one for one in found.pdus if one.named.name == "m-retrieve-conf"]
    assert [len(one.octets) > 24_000 for one in fetched] == [True, False]
    assert not found.whole
    opened = await service.opened(fetched[1])
    assert len(opened.octets) > 24_000
    assert (opened.number, opened.named.name) == (fetched[1].number, "m-retrieve-conf")
    assert await service.opened(fetched[0]) is fetched[0]
    assert await got(lab.app, f"/m/{mm_id}/pdu/{fetched[1].number}") == 200
    assert reading._remembered.cache_info().currsize <= reading.REMEMBERED_VIEWS
