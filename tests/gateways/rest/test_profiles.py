"""Dialects of MM7 over REST: the ready ones and those of the settings."""

from pathlib import Path

from mmsc.settings.profiles import Mm7Profile, ready
from tests.gateways.rest.test_identities import with_console
from tests.gateways.rest.test_setup import delete, get, put
from tests.scenarios.conftest import open_lab

OWN = Mm7Profile(based_on="nokia", milliseconds=True, status_codes={"2007": 4000})


async def test_profiles_are_read_and_nothing_else(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console(), mm7_profile={"ours": OWN}) as lab:
        status, told = await get(lab, "profiles")
        assert status == 200
        assert [one["name"] for one in told["profiles"]] == ["ours", *sorted(ready())]
        status, one = await get(lab, "profiles/ours")
        assert (status, one) == (200, told["profiles"][0])
        assert (one["based_on"], one["values"]) == ("nokia", {"milliseconds": True, "status_codes": {"2007": 4000}})
        assert one["where"] != "ready"
        status, one = await get(lab, "profiles/nokia")
        assert (one["where"], one["values"]["namespace"]) == ("ready", "REL-6-MM7-1-4")
        assert (await get(lab, "profiles/none"))[0] == 404
        assert (await put(lab, "profiles/ours", {}))[0] == (await delete(lab, "profiles/ours"))[0] == 405
