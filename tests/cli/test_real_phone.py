"""docs/real-phone.md: its settings are good, its commands do what it says; and the settings of a phone."""

import asyncio
import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mmsc.cli.group import main
from mmsc.cli.octets import from_hex
from mmsc.cli.push import _printed
from mmsc.cli.push_listen import listen
from mmsc.cli.push_out import Account, send_smpp
from mmsc.trace.view import every, look
from protocols import smpp
from protocols.sms.push import push_segments
from protocols.wsp.push import mms_push
from tests.cases import cases

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "real-phone.md").read_text()


def blocks(kind: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [text for language, text in fenced if language == kind]


SHOWN = [line for block in blocks("sh") for line in block.splitlines()]
TOLD = [line for block in blocks("") for line in block.splitlines()]
URL = "http://192.0.2.1:8801"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_of_the_page_works(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    program, *arguments = shlex.split(line)
    assert program == ".venv/bin/mmsc"
    told = run(*arguments)
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.output


@pytest.mark.parametrize("line", [one for one in TOLD if one.startswith("mmsc ")])
def test_a_command_that_needs_others_parses(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    command.make_parser(click.Context(command)).parse_args(arguments)


def test_the_settings_of_the_page_are_good(tmp_path: Path) -> None:
    [text] = blocks("toml")
    file = tmp_path / "phone.toml"
    file.write_text(text)
    told = run("check-config", str(file))
    assert told.exit_code == 0
    assert "remark: mm1.host: 0.0.0.0 is reachable from outside" in told.output
    assert "public_url" not in told.output
    assert "smsc:phones" in run("route", "+15550100123", "--config", str(file)).output
    smsc = tomllib.loads(text)["smsc"]["phones"]
    [listens] = [one for one in TOLD if "--listen" in one]
    assert f"--listen {smsc['host']}:{smsc['port']} --password {smsc['password']}" in listens


def test_settings_are_told_as_text_and_as_json() -> None:
    told = run("phone-settings", "--url", URL, "--apn", "lab", "--proxy", "192.0.2.2:8080")
    assert re.search(r"^MMSC +http://192.0.2.1:8801/$", told.output, re.MULTILINE)
    found = json.loads(run("phone-settings", "--url", URL, "--json").output)
    assert found["MMSC"] == f"{URL}/"
    assert found["APN type"] == "mms"
    assert found["MMS proxy"] == ""


def test_a_qr_code_is_drawn_and_saved(tmp_path: Path) -> None:
    for suffix, magic in ((".svg", b"<?xml"), (".png", b"\x89PNG")):
        file = tmp_path / f"code{suffix}"
        told = run("phone-settings", "--url", URL, "--qr", "--save", str(file))
        assert told.exit_code == 0
        lines = [line for line in told.output.splitlines() if set(line) & set("▀▄█")]
        assert len({len(line) for line in lines}) == 1
        assert len(lines) == (len(lines[0]) + 1) // 2
        assert file.read_bytes().startswith(magic)
    page = run("phone-settings", "--url", URL, "--qr", "--page", "http://a").output
    assert len(page) < len(told.output)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "no phone reaches 127.0.0.1"),
        (("--url", "ftp://x"), "is no address like"),
        (("--url", "http://192.0.2.1:99999"), "is no address like"),
        (("--url", f"{URL} x"), "is no address like"),
        (("--url", URL, "--proxy", "x"), "'x' is no HOST:PORT"),
        (("--url", URL, "--proxy", "x:99999"), "'x:99999' is no HOST:PORT"),
        (("--url", URL, "--save", "x.gif"), "is saved as .svg or .png"),
        (("--url", URL, "--save", "none/x.svg"), "No such file"),
        (("--url", URL, "--qr", "--page", "x" * 2000), "too many for a QR code"),
    ],
)
def test_what_is_wrong_is_told(arguments: tuple[str, ...], told: str) -> None:
    result = run("phone-settings", *arguments)
    assert result.exit_code in (1, 2)
    assert told in result.stderr


def test_an_https_address_is_remarked_and_a_wrong_file_told_before_the_settings() -> None:
    told = run("phone-settings", "--url", "https://192.0.2.1")
    assert (told.exit_code, "phones want http" in told.stderr) == (0, True)
    assert run("phone-settings", "--url", URL, "--save", "x.gif").stdout == ""


@pytest.mark.parametrize("submit", [False, True])
async def test_an_smsc_prints_each_push_that_it_takes(submit: bool, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"reference_8": 5, "reference_16": None, "dcs": "F5", "sc": "", "bare": False, "sms_from": "+1"}

    def printed(octets: bytes, number: str) -> list[str]:
        return _printed(octets, given | {"timestamp": None, "number": number}, submit=submit)

    account = Account("mmsc", "secret")
    [segment] = push_segments(mms_push(1, cases("mm1")[0].octets), 1)
    request = smpp.SubmitSm(
        sequence_number=2, destination_addr="15550100123", esm_class=0x40, short_message=segment.short_message
    )
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(listen("127.0.0.1", 0, account, printed, 1, ready.set_result))
        await send_smpp([request], f"127.0.0.1:{await ready}", account)
    told = capsys.readouterr().out
    assert told.startswith("# to +15550100123\n")
    views = list(every(look(from_hex(told.encode()))))
    assert views[0].title.startswith("SMS-SUBMIT, +15550100123" if submit else "SMS-DELIVER, +1")
    assert views[-1].title == "m-notification-ind"


def test_listening_needs_a_form() -> None:
    told = run("push", "--listen", "127.0.0.1:1")
    assert (told.exit_code, "goes with --tpdu or --submit" in told.stderr) == (2, True)
