"""The store gone wrong on purpose: the accept door closes as for a full disk, and opens again."""

from pathlib import Path

from mmsc.faults.parameters import Setting
from protocols.mm7 import Fault, SubmitRsp
from tests.faults.world import faulty_lab, in_state, posted, said, until
from tests.scenarios.conftest import PHONE


async def test_commits_are_refused_and_taken_again(tmp_path: Path) -> None:
    """Nothing is answered positively that is not durable; who repeats is served."""
    async with faulty_lab(tmp_path) as lab:
        await lab.phone(PHONE)
        lab.app.faults.set("store-refused")
        message = said(await posted(lab, PHONE)).message
        assert isinstance(message, SubmitRsp | Fault)
        assert message.status is not None
        assert message.status.code == 4006
        assert not lab.app.store.available
        assert lab.app.faults.bitten("store-refused").hits >= 1
        lab.app.faults.clear("store-refused")
        await until(lambda: lab.app.store.available)
        message = said(await posted(lab, PHONE)).message
        assert isinstance(message, SubmitRsp)
        assert message.status.code == 1000
        await in_state(lab, PHONE, "retrieved")


async def test_slow_commits_are_commits(tmp_path: Path) -> None:
    async with faulty_lab(tmp_path) as lab:
        await lab.phone(PHONE)
        lab.app.faults.set("store-slow", Setting(seconds=0.02))
        await lab.vasp.submit(PHONE)
        await in_state(lab, PHONE, "retrieved")
        assert lab.app.faults.bitten("store-slow").hits >= 3
