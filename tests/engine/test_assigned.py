"""Addresses that are assigned on one node count on the others; what a reader finds is never older than what it did."""

import asyncio

import pytest

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.engine.address_ports import Assigning
from mmsc.engine.assigned import Assigned
from mmsc.store import neighbours as sql
from mmsc.store.core import Row, Store, StoreUnavailable
from tests.engine.conftest import OTHER, PHONE
from tests.engine.test_nodes import NewNode, Node, new_node
from tests.store.conftest import store

__all__ = ["new_node", "store"]  # fixtures
IP = "10.0.0.7"


async def whose(node: Node, expected: str | None, read: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        while True:
            read.clear()
            found = node.engine.neighbours.subscriber_at(IP)
            if (None if found is None else found.address.value) == expected:
                return
            await read.wait()


async def test_the_other_nodes_know_at_once(new_node: NewNode, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await new_node("a"), await new_node("b")
    second.run()
    read = asyncio.Event()
    load = second.engine.assigned.load

    async def and_tell() -> None:
        await load()
        read.set()

    monkeypatch.setattr(second.engine.assigned, "load", and_tell)
    assert await first.engine.assigned.assign(IP, Address.of(PHONE)) is Assigning.NEW
    await whose(second, PHONE, read)
    assert await first.engine.assigned.assign(IP, Address.of(OTHER)) is Assigning.CHANGED
    await whose(second, OTHER, read)
    assert await first.engine.assigned.release(IP) is Assigning.RELEASED
    await whose(second, None, read)
    assert sql.ASSIGNED not in [lane.name for lane in second.engine.lanes], "a wake was taken for a lane"
    await second.die()


async def test_it_is_kept_by_every_store(store: Store) -> None:
    book = Assigned(store, Clock())
    assert await book.assign(IP, Address.of(PHONE)) is Assigning.NEW
    assert await book.assign(IP, Address.of(OTHER)) is Assigning.CHANGED
    assert await book.release("10.0.0.8") is Assigning.UNKNOWN
    again = Assigned(store, Clock())
    await again.load()
    assert again.find(f"::ffff:{IP}") == (32, Address.of(OTHER))
    assert again.listed("", 9) == [(IP, Address.of(OTHER))]
    assert await again.release(IP) is Assigning.RELEASED
    assert again.find(IP) is None


async def test_a_change_during_a_reading_is_not_undone_by_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Assigned(store, Clock())
    reading = sql.all_of
    changed = False

    async def slowly(given: Store) -> list[Row]:
        nonlocal changed
        rows = await reading(given)
        if not changed:
            changed = True
            await book.assign(IP, Address.of(PHONE))
        return rows

    monkeypatch.setattr(sql, "all_of", slowly)
    await book.load()
    assert book.find(IP) == (32, Address.of(PHONE))


async def test_a_store_that_is_away_is_asked_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    book, writer = Assigned(store, Clock()), Assigned(store, Clock())
    await writer.assign(IP, Address.of(PHONE))
    monkeypatch.setattr("mmsc.engine.assigned._PATIENCE_SECONDS", 0)
    reading, failures = sql.all_of, iter((StoreUnavailable("gone"), None))

    async def at_second_try(given: Store) -> list[Row]:
        failure = next(failures)
        if failure is not None:
            raise failure
        return await reading(given)

    monkeypatch.setattr(sql, "all_of", at_second_try)
    load, read = book.load, asyncio.Event()

    async def and_tell() -> None:
        await load()
        read.set()

    monkeypatch.setattr(book, "load", and_tell)
    running = asyncio.create_task(book.run())
    book.changed_elsewhere()
    async with asyncio.timeout(20):
        await read.wait()
    assert book.find(IP) == (32, Address.of(PHONE))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
