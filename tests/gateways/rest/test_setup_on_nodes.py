"""What people make on one node of a database is in force on the others, too."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from mmsc.app import App
from mmsc.domain.address import Address
from mmsc.settings import Settings
from mmsc.settings.model import Console, Mm1, Mm4, Mm7, Node, NumberSettings, StoreSettings, Trace, WebLink
from mmsc.settings.neighbours import Vasp
from tests import postgres
from tests.gateways.rest.test_identities import asked

NUMBER = "+15550000042"


def settings(folder: Path, node: str) -> Settings:
    postgres.needed()
    schema = f"setup_{folder.name.replace('-', '_')}"
    return Settings(
        node=Node(name=node),
        store=StoreSettings(postgres=postgres.server(), schema=schema),
        trace=Trace(captures=False),
        numbers=NumberSettings(own_prefixes=("+1555",)),
        mm1=Mm1(port=0),
        mm4=Mm4(port=0),
        mm7=Mm7(port=0),
        weblink=WebLink(port=0),
        console=Console(enabled=True, port=0),
    )


async def until(app: App, so: Callable[[], bool]) -> None:
    """Looked at whenever the node has taken something from its wakes."""
    async with asyncio.timeout(20):
        while not so():
            turn = asyncio.Event()
            asyncio.get_running_loop().call_later(0.01, turn.set)
            await turn.wait()


@pytest.mark.slow
async def test_the_other_nodes_have_what_one_makes_and_lose_what_one_deletes(tmp_path: Path) -> None:
    async with App(settings(tmp_path, "a")) as one, App(settings(tmp_path, "b")) as other:
        known = other.engine.neighbours
        body = {"vasp_id": "w", "username": "w", "password": "sunny", "short_codes": ["4711"], "run": "ci"}
        assert (await asked(one, "PUT", "/api/v1/vasps/weather", body))[0] == 201
        await until(other, lambda: "weather" in known.vasps)
        assert known.vasps["weather"] == one.engine.neighbours.vasps["weather"]
        assert known.short_codes == {"4711": "weather"}
        assert (await asked(other, "GET", "/api/v1/vasps/weather"))[1]["origin"] == "console"
        assert (await asked(other, "PUT", "/api/v1/vasps/weather", {**body, "short_codes": []}))[0] == 200
        await until(one, lambda: not one.engine.neighbours.short_codes)
        assert (await asked(one, "PUT", f"/api/v1/subscribers/{NUMBER}", {"mms": "on", "ip": "10.9.0.1"}))[0] == 201
        await until(other, lambda: known.is_made(Address.of(NUMBER)))
        found = known.subscriber_at("10.9.0.1")
        assert found is not None
        assert (await asked(other, "DELETE", f"/api/v1/subscribers/{NUMBER}"))[0] == 204
        await until(one, lambda: not one.engine.neighbours.is_known(Address.of(NUMBER)))
        assert (await asked(one, "DELETE", "/api/v1/vasps/weather"))[0] == 204
        await until(other, lambda: "weather" not in known.vasps)
        assert not [lane.name for lane in other.engine.lanes if lane.name.startswith("setup")]


@pytest.mark.slow
async def test_what_one_node_has_in_its_file_is_locked_on_the_others(tmp_path: Path) -> None:
    own = msgspec.structs.replace(settings(tmp_path, "a"), vasp={"own": Vasp()})
    async with App(settings(tmp_path, "b")) as other, App(own):
        status, told, _ = await asked(other, "PUT", "/api/v1/vasps/own", {})
        assert (status, told["detail"]) == (409, "vasp.own is in the settings file of another node")
