"""Dialect profiles over sockets: a VASP that is written to in each of them gets its answer and its report, and so does
one after the settings were read again (TS 23.140 8.7.8)."""

import msgspec
import pytest

from mmsc.reloading import reload
from mmsc.settings.profiles import ready
from protocols import mm7
from tests.scenarios.conftest import PHONE, Lab, picture

WORDS = {"china-unicom": "Third:User Retrieved"}


async def speaking(lab: Lab, profile: str) -> None:
    vasp = msgspec.structs.replace(lab.app.settings.vasp["news"], profile=profile)
    settings = msgspec.structs.replace(lab.app.settings, vasp={"news": vasp})
    assert await reload(lab.app, lambda: settings) == "applied"


@pytest.mark.parametrize("profile", ready())
async def test_an_mm_and_its_report_in_each_dialect(lab: Lab, profile: str) -> None:
    await speaking(lab, profile)
    await lab.phone(PHONE)
    rsp = await lab.vasp.submit(PHONE, content=picture())
    assert isinstance(rsp, mm7.SubmitRsp)
    assert rsp.status.code == 1000
    report = await lab.vasp.report()
    assert report.message_id == rsp.message_id
    assert report.mm_status == WORDS.get(profile, "Retrieved")


@pytest.mark.parametrize(("profile", "code"), [("", 2002), ("openwave", 2002), ("odd-faults", 2002), ("sinch", 2002)])
async def test_a_refusal_in_several_dialects(lab: Lab, profile: str, code: int) -> None:
    if profile:
        await speaking(lab, profile)
    answer = await lab.vasp.submit("+19990000000", content=picture())
    assert isinstance(answer, mm7.Fault if profile == "sinch" else mm7.SubmitRsp)
    assert answer.status.code == code
