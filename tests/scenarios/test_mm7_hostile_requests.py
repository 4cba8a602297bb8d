"""VASPs that mean harm: each gets the right refusal, within bounded memory and octets, and what another VASP submits
meanwhile is taken (TS 23.140 8.7.8)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from mmsc.lab.hostile import MEGA, Attack, attacks, carry_out, endless, slow
from mmsc.settings.model import Mm7
from mmsc.settings.neighbours import Vasp
from mmsc.store.core import Unit
from protocols import mm7
from tests.scenarios.conftest import PHONE, Lab, open_lab

AT_ONCE = 3  # of each attack
MEANWHILE = 10  # good requests
MOST_MEMORY = 96 * MEGA  # octets: of three attackers with 4 MB each, twice (pieces and whole), and their trees
MOST_TAKEN = 16 * MEGA  # octets of what never ends: the limit, and what the sockets between hold
BAD = "Basic YmFkOnNlY3JldA=="  # bad:secret


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """One server for all of them."""
    vasps = {
        "news": Vasp(vasp_id="news", username="news", password="secret"),
        "bad": Vasp(vasp_id="bad", username="bad", password="secret"),
    }
    impatient = Mm7(port=0, request_seconds=0.5, idle_seconds=0.5)
    connector = aiohttp.TCPConnector(force_close=True)  # a kept connection may be idle for too long
    async with (
        open_lab(tmp_path_factory.mktemp("hostile"), vasp=vasps, mm7=impatient) as lab,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        lab.vasp.session = session
        yield lab


def memory(name: str) -> int:
    """VmRSS, or VmHWM (its peak), in octets (proc(5))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise AssertionError(name)


def peak_begins_at() -> int:
    """Above which VmHWM counts: VmRSS (proc(5), clear_refs), or what the peak was where nobody may forget it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return memory("VmHWM")
    return memory("VmRSS")


async def submitted(lab: Lab) -> None:
    """What another VASP does meanwhile."""
    for _ in range(MEANWHILE):
        rsp = await lab.vasp.submit(PHONE)
        assert isinstance(rsp, mm7.SubmitRsp)
        assert rsp.status.code == mm7.StatusCode.SUCCESS


async def attacked(lab: Lab, attack: Attack) -> None:
    outcome = await carry_out(attack, *lab.app.listeners["mm7"], BAD)
    assert outcome.http == attack.http, outcome.answer[:1000]
    assert outcome.written < MOST_TAKEN
    if attack.status:
        head, _, body = outcome.answer.partition(b"\r\n\r\n")
        envelope = mm7.decode("text/xml", body).message
        assert isinstance(envelope.message, mm7.Fault | mm7.SubmitRsp), head
        assert int(envelope.message.status.code) == attack.status


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured by Linux' /proc")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("attack", [*attacks("bad"), *endless(), *slow(0.02)], ids=lambda attack: attack.name)
async def test_it_is_refused_and_harms_nobody_else(lab: Lab, attack: Attack) -> None:
    before = peak_begins_at()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(attacked(lab, attack))
        group.create_task(submitted(lab))
    assert memory("VmHWM") - before < MOST_MEMORY
    assert lab.app._budget.held == 0


@pytest.mark.asyncio(loop_scope="module")
async def test_slow_senders_take_no_place_for_ever(lab: Lab) -> None:
    """200 connections that each send an octet now and then: the limits end them, not their patience."""
    listener = lab.app.operations.sources.http["mm7"]
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(attacked(lab, slow(0.1)[number % 2]))
        group.create_task(submitted(lab))
    async with asyncio.timeout(10):
        while listener.connections:
            await lab.app.engine.store.commit(Unit(None, ()))
    assert lab.app._budget.held == 0
