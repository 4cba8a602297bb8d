"""zeep, from the WSDL we publish, on the other side: we read its requests, it reads our answers and reports."""

from dataclasses import replace

import pytest

from mmsc.lab.vasp import VirtualVasp
from protocols import mm7
from tests.scenarios.conftest import PHONE, Lab, picture


@pytest.mark.parametrize("tag", mm7.TAGS)
async def test_a_vasp_speaks_every_namespace_and_hears_reports_in_it(lab: Lab, tag: str) -> None:
    """Both halves of the virtual VASP, from the WSDL alone."""
    async with VirtualVasp(lab.vasp.url, vasp_id="news", username="news", password="secret", wsdl_tag=tag) as vasp:
        known = lab.app.engine.neighbours.vasps
        known["news"] = replace(known["news"], report_url=vasp.report_url)
        await lab.phone(PHONE)
        rsp = await vasp.submit([PHONE], content=picture(), sender="4488")
        assert rsp.status_code == mm7.StatusCode.SUCCESS
        report = await vasp.report()
    assert (report.message_id, report.recipient, report.mm_status) == (rsp.message_id, PHONE, "Retrieved")
    assert report.date is not None


@pytest.mark.parametrize("tag", ["", "REL-5-MM7-1-2", "REL-6-MM7-1-0"])
async def test_a_vasp_on_zeep_submits_and_is_told(lab: Lab, tag: str) -> None:
    phone = await lab.phone(PHONE)
    async with VirtualVasp(lab.vasp.url, vasp_id="news", username="news", password="secret", wsdl_tag=tag) as vasp:
        rsp = await vasp.submit([PHONE], subject="Grüße", content=picture(), sender="4488")
        assert (rsp.status_code, rsp.status_text) == (1000, "Success")
        assert rsp.transaction_id == "news-1"
        inbox = await phone.until(lambda inbox: bool(inbox.messages))
        assert inbox.messages[0].octets_of(inbox.messages[0].parts[2]) == bytes(range(256)) * 20
        report = await lab.vasp.report()
        assert (report.message_id, report.mm_status) == (rsp.message_id, "Retrieved")
        refused = await vasp.submit(["+19990100123"], content=picture())
        assert refused.status_code == mm7.StatusCode.ADDRESS_ERROR


async def test_a_fault_is_read_as_one(lab: Lab) -> None:
    async with VirtualVasp(lab.vasp.url, vasp_id="stranger", username="news", password="secret") as vasp:
        answer = await vasp.submit([PHONE])
        assert answer.status_code == mm7.StatusCode.IMPROPER_IDENTIFICATION
        assert answer.fault.endswith("Client")
    async with VirtualVasp(lab.vasp.url, vasp_id="news", username="news", password="wrong") as vasp:
        assert (await vasp.submit([PHONE])).status_code == 401
