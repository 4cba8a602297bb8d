"""Run tags: from the request, else from who submits; kept with the MM."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.runs import LONGEST, tag_of
from mmsc.settings.neighbours import Subscriber
from protocols import eaif, mm1, mm7
from protocols.content_type import ContentType
from protocols.mm1 import INSERT_ADDRESS, MSendReq
from tests.gateways.rest.test_identities import with_console
from tests.scenarios.conftest import LATEST, OTHER, PHONE, Lab, open_lab


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("ci-4711", "ci-4711"),
        ("  a b/c\n", "a-b-c"),
        ("état", "-tat"),
        ("x" * 100, "x" * LONGEST),
        ("", ""),
        ("   ", ""),
        ("<script>", "-script-"),
    ],
)
def test_a_tag_is_one_word(text: str, tag: str) -> None:
    assert tag_of(text) == tag


TEXT = ContentType("text/plain")


async def runs_of(lab: Lab) -> list[str | None]:
    rows = await lab.app.store.fetch("SELECT details FROM mm ORDER BY id")
    return [json.loads(str(details)).get("details", {}).get("run") for (details,) in rows]


async def submit(lab: Lab, number: int, **headers: str) -> None:
    assert LATEST is not None
    request = mm7.SubmitReq(vasp_id="news", to=(mm7.Address(PHONE),), subject="s")
    content_type, body = mm7.encode(mm7.Envelope(f"t{number}", LATEST, request))
    await lab.vasp.post(content_type, body, **headers)


async def test_the_header_of_a_submission_counts_before_what_is_set_for_its_vasp(tmp_path: Path) -> None:
    async with open_lab(tmp_path) as lab:
        await submit(lab, 1)
        await submit(lab, 2, **{"X-MMSC-Run": "ci-1"})
        known = lab.app.engine.neighbours
        known.vasps["news"] = replace(known.vasps["news"], run="nightly")
        await submit(lab, 3)
        await submit(lab, 4, **{"x-mmsc-run": "ci-2"})
        assert await runs_of(lab) == [None, "ci-1", "nightly", "ci-2"]


async def test_a_handset_is_tagged_by_header_or_subscriber(tmp_path: Path) -> None:
    there = {OTHER: Subscriber(mms="on", run="of-other"), PHONE: Subscriber(mms="on")}
    async with open_lab(tmp_path, subscriber=there, **with_console()) as lab:
        host, port = lab.app.listeners["mm1"]
        for number, headers in ((OTHER, {}), (OTHER, {"X-MMSC-Run": "ci-1"}), (PHONE, {})):
            pdu = MSendReq(
                transaction_id=f"{number}{headers}", from_=INSERT_ADDRESS, to=(PHONE,), content_type=TEXT, body=b"x"
            )
            sent = {"Content-Type": "application/vnd.wap.mms-message", "X-MSISDN": number, **headers}
            async with lab.vasp.session.post(f"http://{host}:{port}/", data=mm1.encode(pdu), headers=sent) as answer:
                assert answer.status == 200
        assert await runs_of(lab) == ["of-other", "ci-1", None]


async def test_an_application_on_eaif_is_tagged(tmp_path: Path) -> None:
    async with open_lab(tmp_path) as lab:
        known = lab.app.engine.neighbours
        known.vasps["app"] = Vasp(name="app", interface=VaspInterface.EAIF, run="eaif-run")
        pdu = MSendReq(transaction_id="e", from_="7255", to=(PHONE,), content_type=TEXT, body=b"x")
        headers = {"Content-Type": "application/vnd.wap.mms-message", **dict(eaif.write(eaif.Headers(version="3.0")))}
        async with lab.vasp.session.post(lab.vasp.url, data=mm1.encode(pdu), headers=headers) as answer:
            assert answer.status == 200, await answer.text()
        assert await runs_of(lab) == ["eaif-run"]
