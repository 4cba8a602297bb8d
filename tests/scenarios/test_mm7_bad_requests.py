"""The table of bad requests: whole HTTP requests of `fixtures/mm7/requests` against one running server. Each is
answered as its fixture says, keeps nothing, and a good one succeeds behind it (TS 23.140 8.7.8.3)."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from unittest.mock import patch

import msgspec
import pytest
import pytest_asyncio

from mmsc.ids import id_in
from mmsc.reloading import reload
from mmsc.settings import Settings
from mmsc.settings.neighbours import Vasp
from mmsc.store.sqlite import SqliteStore
from mmsc.trace import events as trace
from protocols import mm7
from protocols.mm7 import StatusCode
from tests.cases import Case, cases
from tests.scenarios.conftest import PHONE, Lab, open_lab
from tests.scenarios.raw_http import exchange, filled, login, with_login

REQUESTS = cases("mm7/requests")
(GOOD,) = (case for case in REQUESTS if case.stem.endswith("-good"))
ANSWERS = (
    *(mm7.SubmitRsp, mm7.CancelRsp, mm7.ReplaceRsp, mm7.ExtendedCancelRsp, mm7.ExtendedReplaceRsp),
    mm7.Fault,
)
NUMBERS = itertools.count(1)
VASPS: dict[str, dict[str, object]] = {
    "news": {"short_codes": ("4488",), "applic_ids": ("news",)},
    "sorted": {"vas_ids": ("weather",)},
    "elsewhere": {"networks": ("192.0.2.0/24",)},
    "binary": {"interface": "eaif"},
    "finder": {"unknown_recipient_status": 2003},
    "modest": {"senders": ("4488",)},
    "few": {"maximum_recipients": 2},
    "single": {"maximum_recipients": 1},
    "images": {"content_types": ("image/*",)},
    "small": {"maximum_octets": 2000},
    "silent": {"report_without_url": "refuse"},
    "poor": {"credits": 0},
    "quick": {"messages_per_second": 0.001, "burst": 1},
    "hasty": {"messages_per_second": 0.001, "burst": 1, "over_rate": "503"},
    "stern": {"errors": "fault"},
    "gentle": {"errors": "rsp"},
    "browser": {"fault_http_status": 200},
    "games": {"applic_ids": ("ludo",)},
    "cards": {"applic_ids": ("tarot",)},
}


# --- the state that a server must be in


@dataclass
class Ground:
    """A server, and what a fixture needs of it."""

    lab: Lab
    octets: bytes
    case: Case
    undo: AsyncExitStack

    async def good(self, vasp: str) -> str:
        """A MessageID of this VASP."""
        octets = filled(GOOD.octets, b">t-1<", f">good-{next(NUMBERS)}<")
        told = await exchange(self.lab, with_login(filled(octets, b">news<", f">{vasp}<"), login(vasp)))
        assert isinstance(told.message, mm7.SubmitRsp)
        assert told.message.status.code == StatusCode.SUCCESS
        return told.message.message_id

    def name(self, hole: bytes, message_id: str) -> None:
        """Fill a MessageID in."""
        self.octets = filled(self.octets, hole, message_id)

    def engine_fails(self) -> None:
        """An error of our own."""
        broken = patch.object(self.lab.app.engine.submit, "accept", side_effect=ZeroDivisionError("injected"))
        self.undo.enter_context(broken)


async def just_submitted(ground: Ground) -> None:
    await exchange(ground.lab, with_login(ground.octets, login(ground.case.meaning["vasp"])))


async def store_away(ground: Ground) -> None:
    ground.undo.enter_context(patch.object(SqliteStore, "available", new=False))


async def door_full(ground: Ground) -> None:
    ground.undo.enter_context(patch.object(ground.lab.app.engine.submit._door, "enter", return_value=False))


async def engine_fails(ground: Ground) -> None:
    ground.engine_fails()


async def engine_failed(ground: Ground) -> None:
    ground.engine_fails()
    for _ in range(3):
        told = await exchange(ground.lab, with_login(ground.octets, login("news")))
        assert isinstance(told.message, mm7.Fault)
        assert told.message.status.code == StatusCode.SERVER_ERROR


async def another_submitted(ground: Ground) -> None:
    ground.name(b"@THEIRS@", await ground.good("cards"))


async def retrieved(ground: Ground) -> None:
    with ground.lab.app.bus.watch(capacity=10_000) as watcher:
        message_id = await ground.good("news")
        mm_id = id_in(message_id)
        async with asyncio.timeout(15):
            async for event in watcher:
                moved = event.data
                if event.mm_id == mm_id and isinstance(moved, trace.RecipientMoved) and moved.after == "retrieved":
                    break
    ground.name(b"@OURS@", message_id)


async def no_applications(ground: Ground) -> None:
    settings = ground.lab.app.settings
    without = msgspec.structs.replace(settings.mm7, application_addressing=False)
    await taken_over(ground.lab, msgspec.structs.replace(settings, mm7=without))
    ground.undo.push_async_callback(taken_over, ground.lab, settings)


async def taken_over(lab: Lab, settings: Settings) -> None:
    assert await reload(lab.app, lambda: settings) == "applied"


GIVEN: dict[str, Callable[[Ground], Awaitable[None]]] = {
    "it has just submitted": just_submitted,
    "the store is away": store_away,
    "the door is full": door_full,
    "the engine fails": engine_fails,
    "the engine failed three times at it": engine_failed,
    "another VASP has submitted": another_submitted,
    "the recipient has retrieved it": retrieved,
    "application addressing is off": no_applications,
}


# --- the table


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """One server for the whole table."""
    with_url = {"report_url": "http://127.0.0.1:9/"}
    vasps = {
        name: Vasp(vasp_id=name, username=name, password="secret", **({} if name == "silent" else with_url) | fields)  # type: ignore[arg-type]
        for name, fields in VASPS.items()
    }
    async with open_lab(tmp_path_factory.mktemp("table"), vasp=vasps) as lab:
        await lab.phone(PHONE)
        yield lab


def on_the_wire(message: mm7.Message) -> str:
    """The name of its element."""
    name = type(message).__name__
    return name.replace("E", "e", 1) if name.startswith("Extended") else name


async def stored(lab: Lab) -> int:
    ((number,),) = await lab.app.store.fetch("SELECT count(*) FROM mm")
    assert isinstance(number, int)
    return number


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", REQUESTS, ids=str)
async def test_each_is_answered_by_the_table_and_a_good_one_succeeds_behind_it(lab: Lab, case: Case) -> None:
    meaning = case.meaning
    async with AsyncExitStack() as undo:
        ground = Ground(lab, case.octets, case, undo)
        if meaning["given"]:
            await GIVEN[meaning["given"]](ground)
        before = await stored(lab)
        told = await exchange(lab, with_login(ground.octets, login(meaning["vasp"])))
        after = await stored(lab)
    assert told.http == meaning["http"], told.body
    message = told.message
    assert (None if message is None else on_the_wire(message)) == meaning["answer"], told.body
    assert (None if told.envelope is None else told.envelope.transaction_id) == meaning["transaction_id"]
    if message is not None:
        assert isinstance(message, ANSWERS)
        assert int(message.status.code) == meaning["status"], message.status
        assert message.status.text == StatusCode(meaning["status"]).text
        assert meaning["details"] in message.status.details
        assert isinstance(message, mm7.Fault) or message.status.code.is_success or message.status.details
    assert after - before == (meaning["status"] in (1000, 1100))
    if case is not GOOD:
        await ground.good("news")


def test_every_status_code_of_the_standard_has_a_real_cause() -> None:
    assert len(REQUESTS) > 60
    assert {case.meaning["status"] for case in REQUESTS} - {None} == {int(code) for code in StatusCode}
