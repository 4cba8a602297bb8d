"""Two things at once, and half of a thing: each is told once, and none is lost."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mmsc.domain.message import TaskKind
from mmsc.domain.states import Happening
from mmsc.engine.ports import Evidence, Gone
from mmsc.store.core import StoreUnavailable
from mmsc.trace import events as trace
from tests.engine.conftest import PHONE, Bench

LAB = Evidence(user_agent="Lab/1.0", mms_version=0x12)


async def answer(bench: Bench, happening: Happening) -> bool | Gone:
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    return await bench.engine.retrieval.answer(tid, happening, report_allowed=True, evidence=LAB)


def away(bench: Bench, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """The store's verb says that the store is away, until the patch is undone."""

    async def refuse(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("database or disk is full")

    monkeypatch.setattr(bench.store, verb, refuse)


async def test_deferred_twice_in_one_batch_is_told_once(bench: Bench) -> None:
    """Semantics 1: a report tells of a state that was reached, not of each PDU that says so."""
    vasps = bench.engine.neighbours.vasps
    vasps["news"] = replace(vasps["news"], deferred_reports=True)
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    assert await asyncio.gather(*(answer(bench, Happening.DEFERRED) for _ in range(2))) == [True, True]
    assert await bench.state(PHONE) == "deferred"
    assert await answer(bench, Happening.RETRIEVED)
    for _ in range(3):
        bench.clock.advance(2)
        await bench.at_rest()
    assert [job.payload["state"] for job in bench.hands[TaskKind.REPORT_MM7].jobs] == ["deferred", "retrieved"]
