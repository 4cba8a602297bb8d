"""`mmsc serve` with what it brings to play with: programs drive it as they drive a lab, and its scenarios leave what it
keeps alone."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from mmsc.client import Client, Json
from mmsc.client.waiting import until
from tests.scenario.test_pages import PATIENCE_MS, browsing, kept

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
NUMBER = "+15550000001"
CONFIG = """
[numbers]
own_prefixes = ["+1555"]
[console]
enabled = true
port = 0
[mm1]
port = 0
[mm4]
port = 0
[mm7]
port = 0
[weblink]
port = 0
[builtin_smsc]
enabled = true
port = 0
[smsc.builtin]
password = "secret"
[vasp.demo]
vasp_id = "demo"
username = "demo"
password = "secret"
short_codes = ["7255"]
report_url = "http://127.0.0.1:REPORTS/"
[subscriber."+15550000001"]
mms = "on"
"""
GOOD = f"""\
name: Good
steps:
  - submit: {{to: {NUMBER}, text: x, delivery_report: true}}
  - expect: {{vasp_got: DeliveryReportReq}}
"""


@contextmanager
def serving(folder: Path, report_port: int) -> Iterator[tuple[Client, list[str]]]:
    """A server, and what it has said until it was ready; the rest is in the file `said`."""
    config, said = folder / "mmsc.toml", folder / "said"
    config.write_text(CONFIG.replace("REPORTS", str(report_port)))
    command = (sys.executable, "-P", "-m", "mmsc", "serve", "--config", str(config))
    with said.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "XDG_STATE_HOME": str(folder)}
        )
    try:
        while "ready;" not in said.read_text():
            assert process.poll() is None, said.read_text()
        lines = said.read_text().splitlines()
        url = next(
            found[0]
            for line in lines
            if line.startswith("console") and (found := re.search(r"http://\S+?(?=/$)", line))
        )
        with Client(url) as client:
            yield client, lines
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def run_to_the_end(client: Client, text: str) -> Json:
    run = client.post("/scenarios/runs", {"text": text})["id"]
    while not (found := client.scenario_run(run))["done"]:
        pass
    return {**found, "id": run}


def test_its_vasp_and_phones_are_driven_and_its_scenarios_run_elsewhere(
    checkout: None, tmp_path: Path, unused_tcp_port: int
) -> None:
    with serving(tmp_path, unused_tcp_port) as (client, _):
        offered = client.get("/capabilities")["enabled"]
        assert all(offered[name] for name in ("phones", "lab", "scenarios"))
        sent = client.submit(to=[NUMBER], subject="Kept", text="x", delivery_report=True)
        assert sent.accepted
        (report,) = until(client, lambda: client.received() or None) or []
        assert report["message"]["MMStatus"] == "Retrieved"
        assert f"VASP demo: DeliveryReportReq Retrieved {NUMBER}" in (tmp_path / "said").read_text()

        ran = run_to_the_end(client, GOOD)
        assert [case["verdict"] for case in ran["cases"]] == ["pass"], ran
        assert client.get("/scenarios")["in_own_lab"] is True
        assert [row["subject"] for row in client.messages()["rows"]] == ["Kept"]  # nothing forgotten, nothing added
        report_page = client.request("GET", f"/scenarios/runs/{ran['id']}/report")
        assert "SubmitReq" in report_page
        assert "a lab started for this run" in report_page
        assert 'href="http' not in report_page  # where it ran is gone
        assert "subject: Kept" in client.request("GET", f"/scenarios/draft?mm_ids={sent.mm_id}")


def test_somebody_else_may_take_the_reports(checkout: None, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, serving(tmp_path, taken.getsockname()[1]) as (client, lines):
        (told,) = [line for line in lines if line.startswith("VASP demo: ")]
        assert told.startswith("VASP demo: somebody else listens for its reports")
        assert client.submit(to=[NUMBER], text="x").accepted


async def test_the_page_says_where_they_run_and_asks_nothing(
    checkout: None, tmp_path: Path, unused_tcp_port: int
) -> None:
    with serving(tmp_path, unused_tcp_port) as (client, _):
        async with browsing() as browser:
            page = await (await browser.new_context(viewport={"width": 1280, "height": 900})).new_page()
            await page.goto(f"{client.url}/scenarios")
            await expect(page.locator(".sc-files")).to_contain_text("Messages of this server stay as they are")
            await page.check('input[value="01-retrieved.yaml"]')
            await page.click('button[data-key="r"]')  # a question would be a dialog, and nobody answers one here
            await expect(page.locator("#sc-live")).to_contain_text("lab", timeout=PATIENCE_MS)
            await kept(page, "own-lab-runs")
            await expect(page.locator("h2", has_text="1 pass")).to_be_visible(timeout=PATIENCE_MS)
            await expect(page.locator("#sc-live")).to_contain_text("It ran in a lab of its own, which is gone")
            assert await page.locator('#sc-live a[href^="/m/"]').count() == 0
            await kept(page, "own-lab-ran")
            await page.get_by_role("link", name="Report", exact=True).click()
            await expect(page.locator(".ladder").first).to_be_visible()
