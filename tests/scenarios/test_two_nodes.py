"""Two whole nodes on one PostgreSQL that push to one number at the same time."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from mmsc.settings.model import Node, StoreSettings, Trace
from protocols import mm7
from protocols.smpp import SubmitSm
from protocols.sms.segment import split_header
from tests import postgres
from tests.scenarios.conftest import PHONE, Client, Lab, open_lab, picture

LONG = "more than one SMS holds " * 8  # the push of such a subject leaves in segments
EACH = 12  # MMs of a node


@asynccontextmanager
async def two_nodes(folder: Path) -> AsyncIterator[tuple[Lab, Lab]]:
    """Both push through the first one's SMSC, and report to its VASP."""
    store = StoreSettings(postgres=postgres.server(), schema=f"two{os.getpid()}")
    async with AsyncExitStack() as stack:
        labs: list[Lab] = []
        for number in range(2):
            changes: dict[str, object] = {
                "store": store,
                "node": Node(name=f"n{number}", number=number),
                "trace": Trace(captures_path=str(folder / f"captures-{number}")),
            }
            if labs:
                given = labs[0].app.settings
                changes |= {"smsc": given.smsc, "vasp": given.vasp}
            labs.append(await stack.enter_async_context(open_lab(folder, **changes)))
        yield labs[0], labs[1]


async def submit(vasp: Client, name: str) -> str:
    answer = await vasp.submit(PHONE, content=picture(), subject=f"{name} {LONG}")
    assert isinstance(answer, mm7.SubmitRsp)
    assert answer.status.code == mm7.StatusCode.SUCCESS
    return answer.message_id


async def test_a_handset_can_join_what_both_push_at_once(tmp_path: Path) -> None:
    """3GPP TS 23.040 9.2.3.24.1: segments with one reference are one message. Each MM is fetched and reported."""
    async with two_nodes(tmp_path) as (first, second):
        phone = await first.phone(PHONE)
        names = [f"{node}{index}" for index in range(EACH) for node in "ab"]
        vasps = {"a": first.vasp, "b": second.vasp}
        sent = await asyncio.gather(*(submit(vasps[name[0]], name) for name in names))
        async with asyncio.timeout(30):
            inbox = await phone.until(lambda inbox: len(inbox.messages) >= len(names))
            reports = await asyncio.gather(*(first.vasp.report() for _ in names))
        assert Counter(str(one.conf.subject).split()[0] for one in inbox.messages) == Counter(names)
        assert Counter(one.message_id for one in reports) == Counter(sent)
        assert {one.mm_status for one in reports} == {"Retrieved"}
    pushes = [one for one in first.smsc.submitted if isinstance(one, SubmitSm)]
    heads = [split_header(one.short_message)[0].concatenation for one in pushes]
    assert {head.reference % 4 for head in heads if head} == {0, 1}, "both nodes pushed"
