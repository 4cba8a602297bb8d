"""Many requests of one VASP, and one of another: who is read, and who waits."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.clock import VirtualClock
from mmsc.domain.message import MmId, Submission
from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.engine.ports import Accepted
from mmsc.gateways.eaif.server import EaifServer
from mmsc.gateways.mm7.passwords import hash_password
from mmsc.gateways.mm7.server import Mm7Server
from mmsc.gateways.mm7.vasp import AdmissionPolicy, Vasps
from mmsc.gateways.turns import Turns
from mmsc.net.forwarded import Proxies
from mmsc.net.http import HttpAnswer, HttpRequest
from protocols import mm7
from protocols.wsp.push import MMS_MESSAGE
from tests.gateways.eaif.test_server import SEND_REQ
from tests.gateways.mm7.test_mm7_gateway import basic

TO = "+15550100123"
DIALECT = mm7.dialect(mm7.BASE + "REL-6-MM7-1-0")
SECRET = hash_password("secret")
FLOOD = Vasp(name="flood", vasp_id="flood", username="flood", password_hash=SECRET)
CALM = replace(FLOOD, name="calm", vasp_id="calm", username="calm")
APPLICATION = replace(FLOOD, name="app", vasp_id="", username="app", interface=VaspInterface.EAIF)


class SlowEngine:
    """The engine's submit port: one MM after the other, and each when it is let."""

    def __init__(self) -> None:
        self.vasps = {one.name: one for one in (FLOOD, CALM, APPLICATION)}
        self.order: list[str] = []
        self.one_more = asyncio.Semaphore(0)

    async def accept(self, submission: Submission, *, res: object = None) -> Accepted:
        await self.one_more.acquire()
        self.order.append(submission.origin.neighbour)
        return Accepted(MmId(len(self.order)), "m")


def server_of(engine: Any, turns: Turns) -> Mm7Server:
    vasps = Vasps(engine)
    applications = EaifServer(engine, engine, engine, vasps, VirtualClock(), turns=turns)
    return Mm7Server(engine, engine, engine, vasps=vasps, other=applications.handle, turns=turns)


def request_of(vasp: Vasp) -> HttpRequest:
    if vasp.interface is VaspInterface.EAIF:
        path, media, body = "/eaif", MMS_MESSAGE, SEND_REQ
    else:
        assert DIALECT is not None
        submit = mm7.SubmitReq(vasp_id=vasp.vasp_id, vas_id="x", to=(mm7.Address(TO),), mm7_version="6.3.0")
        path = "/mm7"
        media, body = mm7.encode(mm7.Envelope("t-1", DIALECT, submit))
    headers = CIMultiDict({"Content-Type": media, "Authorization": basic(f"{vasp.username}:secret")})
    return HttpRequest("POST", path, "", CIMultiDictProxy(headers), body, "127.0.0.1", 1)


async def answers_to(server: Mm7Server, engine: SlowEngine, vasps: list[Vasp]) -> list[HttpAnswer]:
    """All ask at once, in this order; then the engine takes one after the other."""
    for vasp in {one.name: one for one in vasps}.values():  # known passwords are answered without a wait
        assert await server._vasps.by_credentials(basic(f"{vasp.username}:secret")) is vasp
    asked = [asyncio.create_task(server.handle(request_of(vasp))) for vasp in vasps]
    for _ in vasps:
        for _ in range(5):
            await asyncio.sleep(0)
        engine.one_more.release()
    return await asyncio.gather(*asked)


@pytest.mark.parametrize("beside", [CALM, APPLICATION])
async def test_who_comes_beside_a_flood_is_behind_a_handful_of_it(beside: Vasp) -> None:
    engine = SlowEngine()
    server = server_of(engine, Turns(at_once=2, beside=0))
    answers = await answers_to(server, engine, [FLOOD] * 20 + [beside])
    assert {one.status for one in answers} == {200}
    assert engine.order.index(beside.name) in (2, 3), "behind those that are read already, and at most one more"
    assert engine.order.count("flood") == 20


@pytest.mark.parametrize("beside", [CALM, APPLICATION])
async def test_who_has_none_under_way_waits_for_nobody(beside: Vasp) -> None:
    """However slow the store of the flood's bodies is."""
    engine = SlowEngine()
    turns = Turns(at_once=2, beside=1)
    server = server_of(engine, turns)
    flood = [asyncio.create_task(server.handle(request_of(FLOOD))) for _ in range(20)]
    await server._vasps.by_credentials(basic(f"{beside.username}:secret"))
    asked = asyncio.create_task(server.handle(request_of(beside)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert turns.looked_at == 3, "the engine has it beside the first two, and has answered none"
    for _ in range(21):
        engine.one_more.release()
    assert {one.status for one in await asyncio.gather(*flood, asked)} == {200}


async def test_a_request_that_cannot_be_read_gives_its_turn_back() -> None:
    engine = SlowEngine()
    turns = Turns(at_once=1)
    server = server_of(engine, turns)
    corrupt = request_of(FLOOD)._replace(body=b"hello")
    assert [(await server.handle(corrupt)).status for _ in range(3)] == [500] * 3
    assert turns.looked_at == 0
    [answer] = await answers_to(server, engine, [FLOOD])
    assert answer.status == 200


async def test_who_is_known_by_its_vaspid_alone_waits_with_all_from_its_address() -> None:
    """Also behind a proxy that tells the address."""
    engine: Any = SlowEngine()
    engine.vasps = {"open": Vasp(name="open", vasp_id="open")}
    owners: list[str] = []

    class Listed(Turns):
        async def enter(self, owner: str, octets: int = 0, gone: asyncio.Future[None] | None = None) -> bool:
            owners.append(owner)
            return await super().enter(owner, octets, gone)

    vasps = Vasps(engine, AdmissionPolicy(proxies=Proxies(("127.0.0.1/32",))))
    server = Mm7Server(engine, engine, engine, vasps=vasps, turns=Listed())
    plain = request_of(Vasp(name="open", vasp_id="open"))
    for number, remote in enumerate(("127.0.0.1", "127.0.0.1", "::1"), 1):
        sent = {"Content-Type": plain.content_type, "X-Forwarded-For": f"10.0.0.{number}"}
        engine.one_more.release()
        asked = plain._replace(headers=CIMultiDictProxy(CIMultiDict(sent)), remote=remote)
        assert (await server.handle(asked)).status == 200
    assert owners == ["10.0.0.1", "10.0.0.2", "::1"]
