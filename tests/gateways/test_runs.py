"""Run tags: from the request, else from who submits; kept with the MM."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmsc.control.runs import as_text
from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.runs import LONGEST, tag_of
from mmsc.gateways.runs import HEADER, in_mail
from mmsc.settings.neighbours import Subscriber
from protocols import eaif, mime, mm1, mm7
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


async def test_what_takes_an_mms_place_is_of_its_run_or_of_the_requests(tmp_path: Path) -> None:
    async with open_lab(tmp_path) as lab:
        await lab.phone(PHONE, version=mm1.VERSION_1_3)
        assert LATEST is not None
        for number, headers in ((1, {}), (2, {HEADER: "ci-2"})):
            request = mm7.SubmitReq(vasp_id="news", to=(mm7.Address(PHONE),), subject="s", delivery_report=True)
            content_type, body = mm7.encode(mm7.Envelope(f"t{number}", LATEST, request))
            _, answer = await lab.vasp.post(content_type, body, **{HEADER: "ci-1"})
            assert isinstance(answer, mm7.SubmitRsp)
            while (await lab.vasp.report()).message_id != answer.message_id:
                pass  # what took the first one's place is reported too, when it likes; this one is retrieved by its own
            change = mm7.ExtendedReplaceReq(vasp_id="news", replace_id=answer.message_id, content_href="cid:n")
            content = mime.OutPart(TEXT, f"again {number}".encode(), "n", "n.txt")
            content_type, body = mm7.encode_with_content(mm7.Envelope(f"r{number}", LATEST, change), content, "seed")
            _, changed = await lab.vasp.post(content_type, body, **headers)
            assert isinstance(changed, mm7.ExtendedReplaceRsp), changed
            assert changed.status.code == 1000, changed
        assert await runs_of(lab) == ["ci-1", "ci-1", "ci-1", "ci-2"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"From: a@b\r\nX-MMSC-Run: ci-1\r\nTo: c@d\r\n\r\nX-MMSC-Run: no\r\n", "ci-1"),
        (b"x-mmsc-run:ci 2 \r\n\r\n", "ci 2 "),
        (b"From: a@b\r\n\r\nX-MMSC-Run: no\r\n", ""),
        (b"", ""),
        (b"X-MMSC-Run: \xff\r\n\r\n", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_mail_says_its_run_in_its_head(head: bytes, said: str) -> None:
    assert in_mail(head) == said


async def test_a_refused_submission_is_in_the_report_of_its_run(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        await submit(lab, 1, **{"X-MMSC-Run": "ci-1"})
        assert LATEST is not None
        for number in (2, 3):
            request = mm7.SubmitReq(vasp_id="news", to=(mm7.Address("+999"),), subject="s")
            content_type, body = mm7.encode(mm7.Envelope(f"t{number}", LATEST, request))
            await lab.vasp.post(content_type, body, **{"X-MMSC-Run": f"ci-{number}"})
        reports = [await lab.app.control.runs.report(f"ci-{number}") for number in (1, 2)]
        assert reports[0] is not None
        assert reports[0].refused == []
        assert reports[1] is not None
        [refused] = reports[1].refused
        assert (refused.interface, refused.client, refused.count) == ("mm7", "news", 1)
        assert (reports[1].verdict, reports[1].run.messages) == ("failed", 0)
        assert "news: " in as_text(reports[1]).partition("Refused\n")[2]
        assert await lab.app.control.runs.report("ci-9") is None
