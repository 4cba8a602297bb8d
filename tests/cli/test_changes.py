"""`mmsc cancel` and `mmsc replace`: against the server, and what they send in their extended forms."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmsc.cli import cancel, replace, submit
from mmsc.lab.handset import Fetching
from protocols import mm7
from tests.scenarios.conftest import PHONE, Lab, open_lab


async def run(lab: Lab, command: object, *arguments: str) -> Result:
    given = ["--url", lab.vasp.url, "--user", "news:secret", "--vasp-id", "news", *arguments]
    return await asyncio.to_thread(CliRunner().invoke, command, given)  # type: ignore[arg-type]


def sent(command: object, *arguments: str) -> mm7.Message:
    """What would be sent."""
    result = CliRunner().invoke(command, [*arguments, "--show"])  # type: ignore[arg-type]
    assert (result.exit_code, result.stderr) == (0, "")
    head, _, body = result.stdout_bytes.partition(b"\r\n\r\n")
    content_type = head.decode().partition("Content-Type: ")[2].partition("\r\n")[0]
    decoded = mm7.decode(content_type, body)
    assert decoded.findings == ()
    return decoded.message.message


async def test_replaced_then_fetched_then_too_late(tmp_path: Path) -> None:
    async with open_lab(tmp_path) as lab:
        phone = await lab.phone(PHONE, fetching=Fetching.DEFERRED)
        accepted = await run(lab, submit.command, "--to", PHONE, "--text", "sun")
        message_id = accepted.output.split()[-1]
        inbox = await phone.until(lambda inbox: bool(inbox.notifications))
        changed = await run(lab, replace.command, message_id, "--text", "rain", "--smil", "none")
        message = await phone.fetch(inbox.notifications[0])
        late = await run(lab, cancel.command, message_id)
    assert (changed.exit_code, changed.output) == (0, "1000 Success\n")
    assert message is not None
    assert [message.octets_of(part) for part in message.parts] == [b"rain"]
    assert late.exit_code == 1
    assert "refused (CancelRsp): 3001 Not Possible" in late.output


async def test_withdrawn_and_unknown(tmp_path: Path) -> None:
    async with open_lab(tmp_path) as lab:
        accepted = await run(lab, submit.command, "--to", PHONE, "--text", "sun", "--earliest", "in 2h")
        message_id = accepted.output.split()[-1]
        withdrawn = await run(lab, cancel.command, message_id)
        unknown = await run(lab, cancel.command, "0@mms.example")
    assert (withdrawn.exit_code, withdrawn.output) == (0, "1000 Success\n")
    assert unknown.exit_code == 1
    assert "2005 Message ID Not found" in unknown.output


def test_the_plain_forms_say_what_they_are_told() -> None:
    assert sent(cancel.command, "m-1", "--from", "4488", "--applic-id", "a") == mm7.CancelReq(
        vasp_id="demo",
        sender_address=mm7.Address("4488", mm7.AddressForm.SHORT_CODE),
        message_id="m-1",
        applic_id="a",
    )
    assert sent(
        replace.command,
        *("m-1", "--service-code", "gold", "--read-reply", "--earliest", "in 1h", "--no-distribution"),
        *("--content-class", "text", "--no-drm", "--aux-applic-info", "x", "--time-stamp", "2026-12-24T18:00:00Z"),
    ) == mm7.ReplaceReq(
        vasp_id="demo",
        message_id="m-1",
        service_code="gold",
        read_reply=True,
        earliest_delivery_time="PT1H",
        distribution_indicator=False,
        content_class="text",
        drm_content=False,
        aux_applic_info="x",
        time_stamp="2026-12-24T18:00:00Z",
    )


def test_the_extended_forms_are_about_what_was_delivered() -> None:
    assert sent(cancel.command, "m-1", "--extended", "--vas-id", "weather") == mm7.ExtendedCancelReq(
        vasp_id="demo", vas_id="weather", cancel_id="m-1"
    )
    assert sent(
        replace.command, "m-1", "--extended", "--expiry", "P1D", "--no-delivery-report", "--text", "Hi"
    ) == mm7.ExtendedReplaceReq(
        vasp_id="demo", replace_id="m-1", expiry_date="P1D", delivery_report=False, content_href="cid:content"
    )


@pytest.mark.parametrize(
    ("command", "arguments", "why"),
    [
        (cancel.command, ("--extended", "--applic-id", "a"), "extendedCancelReq has no element for --applic-id"),
        (
            replace.command,
            ("--extended", "--drm", "--from", "4488"),
            "extendedReplaceReq has no element for --drm, --from",
        ),
        (replace.command, ("--expiry", "P1D"), "ReplaceReq has no element for --expiry"),
        (cancel.command, ("--extended", "--namespace", "REL-5-MM7-1-3"), "REL-5-MM7-1-3 has no extendedCancelReq"),
    ],
)
def test_what_a_form_has_no_element_for_is_wrong_usage(command: object, arguments: tuple[str, ...], why: str) -> None:
    result = CliRunner().invoke(command, ["m-1", *arguments])  # type: ignore[arg-type]
    assert result.exit_code == 2
    assert why in " ".join(result.output.split())
