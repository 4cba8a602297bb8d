"""A start that fails half-way leaves nothing behind that the next one would have to wait for."""

from pathlib import Path

import pytest

from mmsc.app import App
from mmsc.engine.directory import Neighbours
from mmsc.store import nodes
from tests import postgres
from tests.scenarios.conftest import settings


@pytest.mark.parametrize("shared", [False, True])
async def test_the_node_says_that_it_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool) -> None:
    given = settings(tmp_path, 1, "")
    if shared:
        store = type(given.store)(postgres=postgres.server(), schema=f"failed_{tmp_path.name.replace('-', '_')}")
        given = type(given)(store=store, trace=given.trace)

    async def fails(*_: object) -> None:
        raise RuntimeError("half-way")

    with monkeypatch.context() as patch:
        patch.setattr(Neighbours, "load", fails)
        with pytest.raises(RuntimeError, match="half-way"):
            async with App(given, synchronous="OFF"):
                pass
    app = App(given, synchronous="OFF")
    await app.store.open()
    (known,) = await nodes.known(app.store)
    await app.store.close()
    assert not known.is_up
