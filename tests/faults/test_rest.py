"""REST over faults and the clock, and what survives a restart."""

from pathlib import Path

import msgspec
import pytest

from mmsc.domain.instant import DAY, HOUR, SECOND
from mmsc.faults.catalogue import FAULTS
from mmsc.lab.handset_behaviour import behaviours_of
from mmsc.reloading import reload
from mmsc.settings.faults import Fault
from tests.faults.world import asked, faulty_lab, in_state, posted, said, until
from tests.operations.test_live_keys import changed
from tests.scenarios.conftest import PHONE


async def test_faults_are_listed_set_hit_and_cleared(tmp_path: Path) -> None:
    async with faulty_lab(tmp_path) as lab:
        app = lab.app
        status, told = await asked(app, "GET", "/faults")
        assert (status, len(told["faults"])) == (200, len(FAULTS))
        assert not any(one["on"] for one in told["faults"])
        body = {"status": 4006, "vasp": "news", "times": 2}
        status, told = await asked(app, "PUT", "/faults/mm7-submit-status", body)
        assert (status, told["on"], told["setting"]) == (200, True, {**body, "text": ""})
        await posted(lab, PHONE)
        status, told = await asked(app, "GET", "/faults?on=true&interface=mm7")
        assert [(one["name"], one["hits"]["count"]) for one in told["faults"]] == [("mm7-submit-status", 1)]
        assert told["faults"][0]["hits"]["last_exchange"]
        status, text = await asked(app, "GET", "/faults.toml")
        assert text.startswith("[faults.mm7-submit-status]\n")
        assert (await asked(app, "DELETE", "/faults/mm7-submit-status"))[0] == 204
        await asked(app, "PUT", "/faults/smsc-throttle", {})
        assert (await asked(app, "DELETE", "/faults"))[0] == 204
        assert not app.faults.active()
        kinds = await until(lambda: _kinds(lab.app.store, 6))
        assert kinds.count("fault.set") == kinds.count("fault.cleared") == 2


async def _kinds(store: object, least: int) -> list[str]:
    rows = await store.fetch("SELECT kind FROM event WHERE kind LIKE 'fault.%'")  # type: ignore[attr-defined]
    return [str(row[0]) for row in rows] if len(rows) >= least - 1 else []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/faults/no-such", None, 404),
        ("PUT", "/faults/no-such", {}, 404),
        ("DELETE", "/faults/no-such", None, 404),
        ("PUT", "/faults/mm7-submit-status", {"status": 1}, 400),
        ("PUT", "/faults/mm7-submit-status", {"octets": 1}, 400),
        ("PUT", "/faults/mm7-submit-status", {"rate": 2}, 400),
        ("PUT", "/faults/mm7-submit-status", {"more": 2}, 400),
        ("POST", "/clock", {"speed": 0}, 400),
        ("POST", "/clock", {"step_seconds": -5}, 400),
        ("POST", "/clock", {"to": 1}, 409),
        ("POST", "/clock", {"to_next": True}, 409),
        ("POST", "/clock", {"backwards": True}, 400),
    ],
)
async def test_what_is_refused(tmp_path: Path, method: str, path: str, body: object, status: int) -> None:
    async with faulty_lab(tmp_path) as lab:
        assert (await asked(lab.app, method, path, body))[0] == status


async def test_a_reload_brings_and_takes_faults(tmp_path: Path) -> None:
    async with faulty_lab(tmp_path) as lab:
        app, base = lab.app, lab.app.settings
        on = changed(base, "faults", {"mm7-submit-http": Fault(status=500)})
        assert await reload(app, lambda: on) == "applied"
        assert (await posted(lab, PHONE))[0] == 500
        assert await reload(app, lambda: changed(base, "faults", {"mm7-submit-http": Fault(octets=5)})) == "refused"
        assert await reload(app, lambda: base) == "applied"
        assert said(await posted(lab, PHONE)).transaction_id == "t1"


async def test_the_clock_is_paused_stepped_and_sped_up(tmp_path: Path) -> None:
    async with faulty_lab(tmp_path) as lab:
        app = lab.app
        _, told = await asked(app, "POST", "/clock", {"paused": True})
        assert told["paused"]
        before = told["service"]
        _, told = await asked(app, "POST", "/clock", {"step_seconds": 3600})
        assert told["service"] == before + HOUR
        _, told = await asked(app, "POST", "/clock", {"to": before + DAY})
        assert abs(told["service"] - (before + DAY)) <= 1
        _, told = await asked(app, "POST", "/clock", {"paused": False, "speed": 600})
        assert (told["speed"], told["paused"], told["stays"]) == (600, False, "")
        _, told = await asked(app, "POST", "/clock", {"real": True})
        assert abs(told["ahead_seconds"]) < 1
        rows = await app.store.fetch("SELECT data FROM event WHERE kind = 'clock.changed' ORDER BY id")
        how = [msgspec.json.decode(str(row[0]))["how"] for row in rows]
        assert how == ["paused", "+1 h", "jump", "resumed", "x600", "real time"]


async def test_what_is_due_next_is_told_and_jumped_to(tmp_path: Path) -> None:
    async with faulty_lab(tmp_path) as lab:
        app = lab.app
        await lab.phone(PHONE, behaviours=behaviours_of("never"))
        await lab.vasp.submit(PHONE, subject="Storm warning")
        await in_state(lab, PHONE, "notified")
        told = (await asked(app, "GET", "/clock/due"))[1]
        (due,) = told["due"]
        assert (due["what"], due["about"], told["timers"]) == ("Push again", f"4488 → {PHONE}, no GET yet", 1)
        assert due["mm_id"].isdecimal()
        status, clock = await asked(app, "POST", "/clock", {"to_next": True})
        assert status == 200
        assert due["at"] <= clock["service"] <= due["at"] + 5 * SECOND
        assert clock["stays"].startswith("The clock never runs back")
        assert (await asked(app, "POST", "/clock", {"real": True}))[0] == 409

        async def pushed_again() -> bool:
            rows = await app.store.fetch("SELECT 1 FROM event WHERE kind = 'notification.pushed'")
            return len(rows) == 2

        await until(pushed_again)
        for _ in range(8):
            await asked(app, "POST", "/clock", {"to_next": True})
        await asked(app, "POST", "/clock", {"step_seconds": 3 * 86_400})
        await in_state(lab, PHONE, "expired")


async def test_a_restart_goes_on_from_where_the_clock_was(tmp_path: Path) -> None:
    async with faulty_lab(tmp_path) as lab:
        _, told = await asked(lab.app, "POST", "/clock", {"step_seconds": 86_400, "paused": True})
        shown = told["service"]
    async with faulty_lab(tmp_path) as lab:
        _, told = await asked(lab.app, "GET", "/clock")
        assert (told["paused"], told["service"]) == (True, shown)


async def test_a_paused_clock_that_is_behind_stays_behind(tmp_path: Path) -> None:
    """A restart neither goes back nor jumps ahead."""
    async with faulty_lab(tmp_path) as lab:
        _, told = await asked(lab.app, "POST", "/clock", {"paused": True})
    async with faulty_lab(tmp_path) as lab:
        _, again = await asked(lab.app, "GET", "/clock")
    assert again["service"] == told["service"]
    assert again["ahead_seconds"] < 0
