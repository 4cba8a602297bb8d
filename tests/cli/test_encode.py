"""`mmsc encode`: what `mmsc decode --json` prints gives the same octets again; mistakes are told in a line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmsc.cli.group import main
from protocols import mm1
from protocols.smpp import SubmitSm
from protocols.smpp import encode as encode_smpp
from protocols.sms.push import push_segments
from protocols.wsp.push import mms_push
from tests.cases import Case, cases

FIXTURES = Path(__file__).parents[2] / "fixtures"
VALID = [one for one in cases("mm1") if not one.is_refused]
NOTIFYRESP = {"pdu": "m-notifyresp-ind", "X-Mms-Transaction-ID": "T1", "X-Mms-Status": "Retrieved"}


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, list(arguments), input=given)


def written(folder: Path, form: object) -> str:
    path = folder / "form.json"
    path.write_text(json.dumps(form))
    return str(path)


@pytest.mark.parametrize("case", VALID, ids=str)
def test_decode_and_encode_are_a_pair(case: Case) -> None:
    told = run("decode", "--json", str(FIXTURES / "mm1" / f"{case.stem}.hex")).stdout_bytes
    assert json.loads(told)["exact"] is ("written" not in case.meaning)
    ours = case.meaning.get("written", case.octets.hex())
    assert run("encode", "-", given=told).stdout_bytes.hex() == ours


def test_a_push_is_made_around_it_or_comes_back_whole() -> None:
    octets = mms_push(7, VALID[0].octets)
    told = run("decode", "--json", "-", given=octets).stdout_bytes
    assert run("encode", "-", given=told).stdout_bytes == octets
    bare = run("decode", "--json", "-", given=VALID[0].octets).stdout_bytes
    assert run("encode", "--push", "--push-id", "7", "-", given=bare).stdout_bytes == octets
    twice = run("encode", "--push", "-", given=told)
    assert (twice.exit_code, "it is a push already" in twice.stderr) == (2, True)


def test_what_is_inside_other_protocols_is_taken_out_and_told() -> None:
    small = mm1.encode(mm1.MDeliveryInd(message_id="a@b", to=("+1",), date=1, status=mm1.Status.RETRIEVED))
    [segment] = push_segments(mms_push(1, small), 1)
    octets = encode_smpp(SubmitSm(sequence_number=1, esm_class=0x40, short_message=segment.short_message))
    told = run("encode", "-", given=run("decode", "--json", "-", given=octets).stdout_bytes)
    assert told.stdout_bytes == mms_push(1, small)
    assert told.stderr == "what was inside SMPP, user data, without it\n"


def test_hexadecimal_text_and_files(tmp_path: Path) -> None:
    form = written(tmp_path, NOTIFYRESP)
    octets = bytes.fromhex("8c839854310 08d92 9581".replace(" ", ""))
    told = run("encode", form, "--hex")
    assert bytes.fromhex(told.output) == octets
    assert run("decode", "-", given=told.stdout_bytes).exit_code == 0
    out = tmp_path / "pdu.bin"
    assert run("encode", form, "-o", str(out)).output == ""
    assert out.read_bytes() == octets
    lost = run("encode", form, "-o", str(tmp_path / "none" / "pdu.bin"))
    assert (lost.exit_code, "No such file" in lost.stderr) == (1, True)


def test_files_of_parts_lie_beside_the_form(tmp_path: Path) -> None:
    (tmp_path / "hill.gif").write_bytes(b"GIF89a")
    form = NOTIFYRESP | {"pdu": "m-send-req", "From": "insert-address", "To": "+1/TYPE=PLMN"}
    del form["X-Mms-Status"]
    told = run("encode", written(tmp_path, form | {"parts": [{"file": "hill.gif"}]}))
    assert b"\x9dhill.gif\0GIF89a".replace(b"\x9d", b"\x8e") in told.stdout_bytes
    lost = run("encode", written(tmp_path, form | {"parts": [{"file": "none.gif"}]}))
    assert (lost.exit_code, "none.gif: No such file" in lost.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"pdu": "m-send-reg"}', "'m-send-reg' is no PDU of MM1; the nearest is m-send-req (OMA-TS-MMS_ENC 6)"),
        ('{"pdu": }', "line 1, column 9: Expecting value"),
        ("\x80", "line 1, column 1"),
        ('{"pdu": "m-acknowledge-ind"}', "m-acknowledge-ind without X-Mms-Transaction-ID (OMA-TS-MMS_ENC 6.4)"),
        ("[" * 100_000, "no JSON text"),
    ],
    ids=["name", "syntax", "octet", "missing", "deep"],
)
def test_a_mistake_is_told_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "form.json"
    path.write_text(text)
    result = run("encode", str(path))
    assert result.exit_code == 1
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
def test_no_binary_comes_to_a_terminal(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mmsc", "encode", written(tmp_path, NOTIFYRESP)],
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 2
    assert "binary output to a terminal" in done.stderr
