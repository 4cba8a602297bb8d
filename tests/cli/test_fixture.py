"""`mmsc fixture`: captured octets become a case as those of fixtures/mm1 are."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmsc.cli.fixture import anonymised, hex_text, meaning
from mmsc.cli.group import main
from mmsc.cli.octets import from_hex
from protocols import mm1
from protocols.wsp.push import mms_push
from tests.cases import Case, cases

ALL = cases("mm1")
NAME = "91-m-send-req-some-phone"
SEND = next(one for one in ALL if one.stem.startswith("02-"))


def run(folder: Path, given: bytes, *options: str, name: str = NAME) -> Result:
    fixed = ["fixture", "-", "--name", name, "--origin", "Some phone.", "--into", str(folder)]
    return CliRunner().invoke(main, [*fixed, *options], input=given)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_every_golden_would_be_made_again(case: Case) -> None:
    assert meaning(case.octets) == case.meaning
    assert from_hex(hex_text(case.octets).encode()) == case.octets


@pytest.mark.parametrize("carrier", ["hex", "octets", "push", "http"])
def test_a_case_is_made_of_whatever_carries_the_pdu(tmp_path: Path, carrier: str) -> None:
    octets = {
        "hex": SEND.octets.hex().encode(),
        "octets": SEND.octets,
        "push": mms_push(1, SEND.octets),
        "http": b"POST / HTTP/1.1\r\nContent-Type: application/vnd.wap.mms-message\r\n\r\n" + SEND.octets,
    }[carrier]
    told = run(tmp_path, octets)
    assert told.output == f"{tmp_path / NAME}.hex, .json and .md: 397 octets\n"
    lines = (tmp_path / f"{NAME}.hex").read_text().splitlines()
    assert lines[0] == "8c 80  # X-Mms-Message-Type: m-send-req"
    assert from_hex((tmp_path / f"{NAME}.hex").read_bytes()) == SEND.octets
    assert json.loads((tmp_path / f"{NAME}.json").read_text()) == SEND.meaning
    assert (tmp_path / f"{NAME}.md").read_text() == (
        "# m send req some phone\n\nOrigin: Some phone.\n\nClause: OMA-TS-MMS_ENC 6.1.1\n"
    )


def test_what_is_odd_is_told_and_kept(tmp_path: Path) -> None:
    octets = mm1.encode(mm1.MAcknowledgeInd(transaction_id="T")) + b"\x98T\0"
    told = run(tmp_path, octets, "--clause", "OMA-TS-MMS_ENC 7.3.63")
    assert "finding MM1-H003" in told.output
    assert "written" in json.loads((tmp_path / f"{NAME}.json").read_text())
    story = (tmp_path / f"{NAME}.md").read_text()
    assert "We write it in other octets." in story
    assert "Clause: OMA-TS-MMS_ENC 7.3.63" in story


def test_what_cannot_be_read_is_a_refusal(tmp_path: Path) -> None:
    assert run(tmp_path, SEND.octets[:40]).exit_code == 0
    assert json.loads((tmp_path / f"{NAME}.json").read_text()).keys() == {"refused"}


def test_numbers_become_others_of_the_same_length_everywhere() -> None:
    pdu = mm1.encode(
        mm1.MSendReq(
            transaction_id="T",
            from_="+441632960001/TYPE=PLMN",
            to=("+441632960002/TYPE=PLMN", "01632960003", "user@mail.example", "4488"),
            cc=("+441632960001/TYPE=PLMN",),
            subject="call 441632960002",
            content_type=mm1.decode(SEND.octets).message.content_type,  # type: ignore[attr-defined]
        )
    )
    ours = anonymised(pdu)
    assert len(ours) == len(pdu)
    assert not re.search(rb"1632960", ours)
    found = mm1.decode(ours).message
    assert isinstance(found, mm1.MSendReq)
    assert found.from_ == found.cc[0]
    assert found.to[0] != found.from_
    assert found.to[1].startswith("1555")
    assert found.to[2:] == ("user@mail.example", "4488")
    assert found.subject is not None
    assert found.subject.removeprefix("call ") in found.to[0]
    assert anonymised(mm1.encode(mm1.MAcknowledgeInd(transaction_id="T"))).endswith(b"\x8d\x92")


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("m-send-req", SEND.octets, "is no stem"),
        ("../91-x", SEND.octets, "is no stem"),
        (NAME, b"nothing", "no MMS PDU in it"),
    ],
)
def test_what_makes_no_case_is_told(tmp_path: Path, name: str, given: bytes, told: str) -> None:
    result = run(tmp_path, given, name=name)
    assert result.exit_code in (1, 2)
    assert told in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_case_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.md").write_text("mine")
    result = run(tmp_path, SEND.octets)
    assert (result.exit_code, "is there already" in result.stderr) == (1, True)
    assert [one.read_text() for one in tmp_path.iterdir()] == ["mine"]
