"""A stop keeps to node.stop_seconds: with a VASP that never answers, and with a store that is away."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from mmsc.app import App
from mmsc.net import stopping
from mmsc.settings.model import Node, StoreSettings
from mmsc.store.core import Lost, Row, Unit
from protocols import mm7
from tests import postgres
from tests.relay import Relay
from tests.scenarios.conftest import OLD_PHONE, PHONE, Client, Lab, open_lab, picture

STOP_SECONDS = 1.0
_SLACK_SECONDS = 3.0  # steps that are late get LAST_SECONDS each, and the machine is shared; every time-out is longer


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "LAST_SECONDS", 0.1)


async def seconds_to_stop(app: App) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await app.__aexit__(None, None, None)
    return loop.time() - began


async def test_a_vasp_that_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its report is handed back, and goes out again after the restart with the same TransactionID."""
    heard, released = asyncio.Event(), asyncio.Event()

    async def silent(self: Client, request: web.BaseRequest) -> web.Response:
        self.report_ids.append(mm7.decode(request.headers["Content-Type"], await request.read()).message.transaction_id)
        heard.set()
        await released.wait()
        return web.Response(status=503)

    monkeypatch.setattr(Client, "take", silent)
    async with open_lab(tmp_path, node=Node(stop_seconds=STOP_SECONDS)) as lab:
        await lab.phone(PHONE)
        assert isinstance(await lab.vasp.submit(PHONE, content=picture()), mm7.SubmitRsp)
        async with asyncio.timeout(15):
            await heard.wait()
        settings = lab.app.settings
        assert await seconds_to_stop(lab.app) < STOP_SECONDS + _SLACK_SECONDS
        (first,) = lab.vasp.report_ids
        heard.clear()
        async with App(settings, synchronous="OFF"), asyncio.timeout(15):
            await heard.wait()
            assert lab.vasp.report_ids == [first, first]
            released.set()


@asynccontextmanager
async def _locked_file(folder: Path) -> AsyncIterator[Lab]:
    """Somebody else's program writes to our file for as long as it likes."""
    async with open_lab(folder, node=Node(stop_seconds=STOP_SECONDS)) as lab:
        stranger = sqlite3.connect(folder / "mmsc.db", isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        yield lab
        stranger.close()


@asynccontextmanager
async def _lost_database(folder: Path, *, mute: bool) -> AsyncIterator[Lab]:
    """PostgreSQL is gone, or (`mute`) takes octets and says nothing any more."""
    address = urlsplit(postgres.server())
    assert address.hostname is not None
    assert address.port is not None
    async with Relay(address.hostname, address.port) as relay:
        dsn = address._replace(netloc=f"{address.netloc.rpartition('@')[0]}@127.0.0.1:{relay.port}").geturl()
        store = StoreSettings(postgres=dsn, schema=f"stop{os.getpid()}_{'mute' if mute else 'gone'}")
        async with open_lab(folder, node=Node(stop_seconds=STOP_SECONDS), store=store) as lab:
            relay.refusing = not mute
            relay.decide = lambda octets: "swallow" if mute else "cut"
            yield lab
            relay.refusing, relay.decide = False, lambda octets: ""


@pytest.mark.parametrize("away", ["locked file", "gone database", "mute database"])
async def test_a_store_that_is_away_is_not_waited_for(
    tmp_path: Path, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who submits meanwhile is told to come again, or hears nothing: nothing is answered positively."""
    world = _locked_file(tmp_path) if away == "locked file" else _lost_database(tmp_path, mute=away.startswith("mute"))
    async with world as lab:
        under_way = asyncio.Event()
        take = lab.app.store.commit

        def commit(unit: Unit) -> Coroutine[Any, Any, list[Row] | Lost]:
            under_way.set()
            return take(unit)

        monkeypatch.setattr(lab.app.store, "commit", commit)
        submitting = asyncio.ensure_future(lab.vasp.submit(PHONE, OLD_PHONE, content=picture()))
        async with asyncio.timeout(15):
            await under_way.wait()
        assert await seconds_to_stop(lab.app) < STOP_SECONDS + _SLACK_SECONDS
        submitting.cancel()  # the process ends here
        (rsp,) = await asyncio.gather(submitting, return_exceptions=True)
        if not isinstance(rsp, BaseException):
            assert rsp.status is not None
            assert rsp.status.code == mm7.StatusCode.SERVICE_UNAVAILABLE
