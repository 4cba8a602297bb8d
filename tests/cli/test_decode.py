"""`mmsc decode`: every protocol is recognised, whatever comes is answered, and nothing of the server is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from mmsc.cli.decode import command, from_hex
from mmsc.trace.view import View, look
from protocols import mm1, mm4, mm7, smpp
from protocols.content_type import ContentType
from protocols.mime import OutPart
from protocols.mm1.enums import in_words
from protocols.sms.push import push_segments
from protocols.wsp.multipart import Part, encode_multipart
from protocols.wsp.push import mms_push

FIXTURES = Path(__file__).parents[2] / "fixtures"
NOTIFICATION = mm1.encode(
    mm1.MNotificationInd(
        transaction_id="T1",
        from_="+15550000001/TYPE=PLMN",
        message_class=mm1.MessageClass.PERSONAL,
        message_size=30_000,
        expiry=mm1.Moment(86_400),
        content_location="http://127.0.0.1:8801/m/abc",
    )
)
DIALECT = mm7.dialect(mm7.BASE + mm7.LATEST)
assert DIALECT is not None
SUBMISSION = mm7.encode_with_content(
    mm7.Envelope(
        "42",
        DIALECT,
        mm7.SubmitReq(
            vasp_id="demo",
            to=(mm7.Address("+15550000001", mm7.AddressForm.NUMBER),),
            subject="Hello",
            content_href="cid:c",
        ),
    ),
    OutPart(ContentType("text/plain"), b"hello", content_id="c"),
    "seed",
)


def submit_sm(short_message: bytes, esm_class: int = 0x40) -> bytes:
    return smpp.encode(
        smpp.SubmitSm(
            sequence_number=7, destination_addr="15550000001", esm_class=esm_class, short_message=short_message
        )
    )


def run(tmp_path: Path, octets: bytes, *options: str) -> Result:
    file = tmp_path / "octets"
    file.write_bytes(octets)
    return CliRunner().invoke(command, [str(file), *options])


def chain(view: View) -> list[tuple[str, str]]:
    found = [(view.kind, view.title)]
    for inner in view.inside:
        found += chain(inner)
    return found


def test_an_mms_pdu_is_shown_field_by_field_with_octets(tmp_path: Path) -> None:
    result = run(tmp_path, NOTIFICATION)
    assert result.exit_code == 0
    assert "MMS PDU: m-notification-ind" in result.output
    assert "X-Mms-Transaction-ID" in result.output
    assert "[98 54 31 00]" in result.output


def test_a_push_in_a_short_message_is_opened_to_the_last_layer() -> None:
    small = mm1.encode(mm1.MDeliveryInd(message_id="a@b", to=("+15550000001",), date=1, status=mm1.Status.RETRIEVED))
    [whole] = push_segments(mms_push(1, small), 5)
    assert chain(look(submit_sm(whole.short_message))) == [
        ("SMPP", "submit_sm"),
        ("user data", "whole"),
        ("WAP push", "application/vnd.wap.mms-message"),
        ("MMS PDU", "m-delivery-ind"),
    ]
    large = mm1.encode(mm1.MDeliveryInd(message_id="a" * 200, to=("+1",), date=1, status=mm1.Status.RETRIEVED))
    first, _ = push_segments(mms_push(1, large), 5)
    assert chain(look(submit_sm(first.short_message))) == [
        ("SMPP", "submit_sm"),
        ("user data", "segment 1 of 2, reference 5"),
    ]


def test_a_stream_of_pdus_is_taken_apart() -> None:
    view = look(submit_sm(b"", 0) + smpp.encode(smpp.EnquireLink(sequence_number=8)))
    assert chain(view) == [("SMPP", "2 PDUs"), ("SMPP", "submit_sm"), ("SMPP", "enquire_link")]
    cut = look(submit_sm(b"", 0) + b"\0\0\0\x10\0\0")
    assert cut.inside[1].problem


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    bind = smpp.encode(smpp.BindTransceiver(sequence_number=1, system_id="esme", password="hidden"))
    for options in ((), ("--json",)):
        output = run(tmp_path, bind, *options).output
        assert "esme" in output
        assert "hidden" not in output
        assert b"hidden".hex() not in output
        assert b"hidden".hex(" ") not in output


@pytest.mark.parametrize("form", ["http", "bare", "mime"])
def test_mm7_is_recognised_with_and_without_its_envelope(form: str) -> None:
    content_type, body = SUBMISSION
    octets = {
        "http": f"POST /mm7 HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n\r\n".encode() + body,
        "bare": body,
        "mime": f"Content-Type: {content_type}\r\n\r\n".encode() + body,
    }[form]
    found = chain(look(octets))
    assert ("MM7", "SubmitReq") in found
    assert ("content", "text/plain") in found


def test_mm4_is_recognised_with_its_parts() -> None:
    text = OutPart(ContentType("text/plain"), b"hello", content_id="t")
    forward = mm4.ForwardReq(
        transaction_id="t1",
        message_id="m1",
        sender="+15550000001@mms.example",
        from_="+15550000001",
        to=("+16660000001@b.example",),
    )
    octets = mm4.encode(forward, (ContentType("multipart/mixed"), (text,)))
    view = look(octets)
    assert (view.kind, view.title) == ("MM4", "ForwardReq")
    assert ("X-Mms-Transaction-ID", "t1") in [(row.name, row.value) for row in view.rows]
    assert [part.title for part in view.inside[0].inside] == ["1, text/plain, <t>"]
    assert look(octets.replace(b"MM4_forward.REQ", b"MM4_nonsense")).problem


def test_http_around_an_mms_pdu_is_opened() -> None:
    octets = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.wap.mms-message\r\n\r\n" + NOTIFICATION
    assert chain(look(octets)) == [("HTTP", "HTTP/1.1 200 OK"), ("MMS PDU", "m-notification-ind")]


def test_the_parts_of_a_retrieved_mm_are_listed() -> None:
    body = encode_multipart([Part(ContentType("text/plain"), b"hello", "t", "t.txt")])
    conf = mm1.MRetrieveConf(date=1, content_type=ContentType("application/vnd.wap.multipart.mixed"), body=body)
    view = look(mm1.encode(conf))
    assert ("WSP multipart", "application/vnd.wap.multipart.mixed") in chain(view)
    [part] = view.inside[0].inside
    assert (part.title, part.text) == ("1, text/plain, t.txt", "hello")
    assert [row.name for row in part.rows] == [
        *("HeadersLen", "DataLen", "Content-Type", "Content-ID", "Content-Location", "data")
    ]
    assert part.octets[part.rows[-1].start : part.rows[-1].end] == b"hello"
    assert body[part.at :] == part.octets


def test_json_says_the_same(tmp_path: Path) -> None:
    result = run(tmp_path, NOTIFICATION, "--json")
    found = json.loads(result.output)
    assert found["title"] == "m-notification-ind"
    names = {one["name"]: one for one in found["fields"]}
    assert names["X-Mms-Transaction-ID"]["octets"] == "98543100"
    assert found["findings"] == []


def test_what_cannot_be_read_says_where_and_fails(tmp_path: Path) -> None:
    result = run(tmp_path, NOTIFICATION[:20])
    assert result.exit_code == 1
    assert "cannot be read: " in result.output


def test_hexadecimal_text_with_comments_is_octets() -> None:
    assert from_hex(b"# a case\n8c 82  # type\n98\n5431 00\n") == bytes.fromhex("8c8298543100")
    assert from_hex(b"<xml/>") == b"<xml/>"
    assert from_hex(b"\xff") == b"\xff"
    assert from_hex(b"") == b""
    assert from_hex(b"# only words\n") == b"# only words\n"


def test_standard_input_is_read(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["-"], input=NOTIFICATION.hex())
    assert "m-notification-ind" in result.output


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "No such file" in result.output


def test_nothing_a_terminal_would_obey_is_printed(tmp_path: Path) -> None:
    pdu = mm1.encode(mm1.MNotifyRespInd(transaction_id="a\x1b[2Jb", status=mm1.Status.RETRIEVED))
    assert "\x1b" not in run(tmp_path, pdu).output


@given(
    st.binary(max_size=300)
    | st.sampled_from([NOTIFICATION, submit_sm(b"\x06\x05\x04\x0b\x84")]).flatmap(
        lambda octets: st.integers(0, len(octets)).map(lambda end: octets[:end])
    )
)
def test_whatever_comes_is_answered(octets: bytes) -> None:
    view = look(octets)
    assert len(view.octets) == len(octets)
    for row in view.rows:
        assert -1 <= row.start <= row.end <= len(octets) or row.start == -1


@pytest.mark.parametrize("octets", [b"\t--", b"Content-Type: text/xml\r\n\r\n<a/>"])
def test_what_stands_before_a_body_is_looked_at_too(octets: bytes) -> None:
    assert look(octets).octets == octets


def test_help_and_decode_import_nothing_of_the_server(tmp_path: Path) -> None:
    file = tmp_path / "pdu"
    file.write_bytes(NOTIFICATION)
    heavy = ("aiohttp", "zeep", "asyncpg", "PIL", "aiosmtpd", "jinja2")
    for arguments in (["--help"], ["decode", str(file)]):
        code = (
            "import sys\nfrom mmsc.__main__ import main\n"
            f"try: main({arguments!r})\nexcept SystemExit as end: assert end.code == 0, end\n"
            f"loaded = sorted({heavy!r} & sys.modules.keys())\nassert not loaded, loaded\n"
        ).replace(repr(heavy), repr(set(heavy)))
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert told.returncode == 0, told.stderr


def test_values_are_spelt_as_the_specification_spells_them() -> None:
    """OMA-TS-MMS_ENC 7.3."""
    words = {
        mm1.MessageType.M_SEND_REQ: "m-send-req",
        mm1.Status.RETRIEVED: "Retrieved",
        mm1.ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED: "Error-permanent-service-denied",
        mm1.Status(0x99): "unknown (0x99)",
    }
    for value, text in words.items():
        assert in_words(value) == text


def test_octets_that_are_nothing_known_are_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(bytes(range(200, 255)))
    result = CliRunner().invoke(command, [str(file)])
    assert (result.exit_code, "nothing known" in result.output) == (1, True)


@pytest.mark.parametrize("stem", sorted((FIXTURES / "smpp").glob("2*-refused.hex")), ids=lambda one: one.stem)
def test_a_pdu_that_is_not_offered_is_named_all_the_same(stem: Path) -> None:
    view = look(from_hex(stem.read_bytes()))
    assert view.kind == "SMPP"
    assert [row.name for row in view.rows] == ["command_length", "command_id", "command_status", "sequence_number"]
    assert view.problem.partition(" ")[0] in view.rows[1].value


def test_a_finding_stands_beside_its_field(tmp_path: Path) -> None:
    twice = NOTIFICATION + b"\x96Hi\0\x96Ho\0"
    lines = run(tmp_path, twice).output.splitlines()
    [at] = [number for number, line in enumerate(lines) if "finding MM1-H003" in line]
    assert "Subject" in lines[at - 1]
    assert f"at octet {len(twice) - 4}" in lines[at]
    found = json.loads(run(tmp_path, twice, "--json").output)
    assert [one["name"] for one in found["fields"] if one["findings"] == ["MM1-H003"]] == ["Subject"]
    assert [one["rule"] for one in found["findings"]] == ["MM1-H003"]


def test_octets_are_counted_from_the_first_of_the_file(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, mms_push(1, NOTIFICATION), "--json").output)
    inner = found["inside"][0]
    assert (inner["start"], inner["fields"][0]["start"], inner["fields"][0]["end"]) == (6, 6, 8)
    assert inner["fields"][0]["value"] == "m-notification-ind"
    assert "    6-7     X-Mms-Message-Type" in run(tmp_path, mms_push(1, NOTIFICATION)).output


def test_json_tells_each_key_that_its_help_names(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, NOTIFICATION[:30], "--json").output)
    keys = {"kind", "title", "start", "octets", "fields", "findings", "problem", "inside"}
    assert found.keys() == keys
    assert json.loads(run(tmp_path, NOTIFICATION, "--json").output).keys() == (keys | {"written", "exact"}) - {
        "problem"
    }
    assert set(found["fields"][0]) == {"name", "value", "text", "start", "end", "octets", "clause", "findings"}


def test_several_files_are_told_apart(tmp_path: Path) -> None:
    files = [str(FIXTURES / "mm1" / "01-m-notification-ind.hex"), str(FIXTURES / "wsp" / "01-push.hex")]
    told = CliRunner().invoke(command, files).output
    assert told.index(f"== {files[0]}") < told.index("MMS PDU") < told.index(f"== {files[1]}") < told.index("WAP push")
    both = json.loads(CliRunner().invoke(command, [*files, "--json"]).output)
    assert [one["kind"] for one in both] == ["MMS PDU", "WAP push"]


@pytest.mark.parametrize(
    "stem", sorted(FIXTURES.glob("[mwt][mspd][1pd]*/*.hex")), ids=lambda one: f"{one.parent.name}/{one.stem}"
)
def test_a_dump_has_every_octet_once_and_in_order(stem: Path) -> None:
    octets = from_hex(stem.read_bytes())
    view = look(octets)
    if any(inner.at < 0 for inner in view.inside):
        pytest.skip("what is put together is dumped apart")
    shown = bytearray()
    for line in CliRunner().invoke(command, [str(stem), "--hex", "--whole"]).output.splitlines():
        if line[:6].strip():
            assert int(line[:6], 16) == len(shown)
            shown += bytes.fromhex(line[7:55])
    assert shown == octets


def test_a_dump_leaves_out_the_middle_of_large_parts(tmp_path: Path) -> None:
    body = encode_multipart([Part(ContentType("image/gif"), bytes(1000))])
    octets = mm1.encode(
        mm1.MRetrieveConf(date=1, content_type=ContentType("application/vnd.wap.multipart.mixed"), body=body)
    )
    assert "... 936 octets more" in run(tmp_path, octets, "--hex").output
    assert "more" not in run(tmp_path, octets, "--hex", "--whole").output


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    file = tmp_path / "octets"
    file.write_bytes(NOTIFICATION)
    assert "\x1b[" not in CliRunner().invoke(command, [str(file)]).output
    assert "\x1b[" in CliRunner().invoke(command, [str(file)], color=True, env={"NO_COLOR": ""}).output
    assert "\x1b[" not in CliRunner().invoke(command, [str(file)], color=True, env={"NO_COLOR": "1"}).output


def test_what_it_is_can_be_said_instead_of_guessed(tmp_path: Path) -> None:
    assert "SMPP: unreadable" in run(tmp_path, NOTIFICATION, "--as", "smpp").output
    assert "MMS PDU" in run(tmp_path, NOTIFICATION, "--as", "mm1").output
