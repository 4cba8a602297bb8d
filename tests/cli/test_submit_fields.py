"""Every element of SubmitReq from the command line, as it goes out: `--show`, read back by the codec and the schema."""

import email.parser
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmsc.cli.mm7_request import readable
from mmsc.cli.submit import command
from protocols import mm7
from protocols.mm7 import Address, AddressForm

NUMBER = Address("+15550100123")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def shown(*arguments: str) -> tuple[mm7.Envelope, str]:
    """The request that would be sent, and its head."""
    result = run("--to", NUMBER.value, *arguments, "--show")
    assert (result.exit_code, result.stderr) == (0, "")
    head, _, body = result.stdout_bytes.partition(b"\r\n\r\n")
    lines = head.decode().partition("\r\n")
    headers = email.parser.Parser().parsestr(lines[2])
    assert int(headers["Content-Length"]) == len(body)
    decoded = mm7.decode(headers["Content-Type"], body)
    assert decoded.findings == ()
    return decoded.message, head.decode()


def request(*arguments: str) -> mm7.SubmitReq:
    message = shown(*arguments)[0].message
    assert isinstance(message, mm7.SubmitReq)
    return message


def test_nothing_is_said_that_was_not_asked_for() -> None:
    assert request() == mm7.SubmitReq(vasp_id="demo", to=(NUMBER,), delivery_report=True)
    assert request("--leave-report-out", "--vasp-id", "") == mm7.SubmitReq(to=(NUMBER,))
    assert request("--no-report").delivery_report is False


def test_every_element_of_the_schema_can_be_said() -> None:
    said = request(
        *(
            "--vasp-id",
            "news",
            "--vas-id",
            "weather",
            "--from",
            "7255",
            "--cc",
            "mail:a@b.example",
            "--bcc",
            "short:12",
        ),
        *(
            "--service-code",
            "gold",
            "--linked-id",
            "l-1",
            "--class",
            "auto",
            "--time-stamp",
            "2026-12-24T18:00:00+01:00",
        ),
        *("--reply-charging", "--reply-charging-size", "10000", "--reply-deadline", "in 3d", "--earliest", "PT30M"),
        *("--expiry", "in 1d 2h", "--delivery-report", "--no-read-reply", "--priority", "high", "--subject", "Grüße"),
        *("--charged-party", "thirdparty", "--charged-party-id", "bank", "--no-distribution", "--applic-id", "a"),
        *("--delivery-condition", "1", "--delivery-condition", "2", "--reply-applic-id", "r", "--aux-applic-info", "x"),
        *("--content-class", "IMAGE-RICH", "--drm", "--text", "Hi", "--no-adaptations", "--mm7-version", "6.6.0"),
    )
    assert said == mm7.SubmitReq(
        mm7_version="6.6.0",
        vasp_id="news",
        vas_id="weather",
        sender_address=Address("7255", AddressForm.SHORT_CODE),
        to=(NUMBER,),
        cc=(Address("a@b.example", AddressForm.RFC2822_ADDRESS),),
        bcc=(Address("12", AddressForm.SHORT_CODE),),
        service_code="gold",
        linked_id="l-1",
        message_class="Auto",
        time_stamp="2026-12-24T18:00:00+01:00",
        reply_charging=True,
        reply_charging_size="10000",
        reply_deadline="P3D",
        earliest_delivery_time="PT30M",
        expiry_date="P1DT2H",
        delivery_report=True,
        read_reply=False,
        priority="High",
        subject="Grüße",
        charged_party="ThirdParty",
        charged_party_id="bank",
        distribution_indicator=False,
        delivery_conditions=("1", "2"),
        applic_id="a",
        reply_applic_id="r",
        aux_applic_info="x",
        content_class="image-rich",
        drm_content=True,
        content_href="cid:content",
        allow_adaptations=False,
    )


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("+15550100123/TYPE=PLMN", Address("+15550100123/TYPE=PLMN")),
        ("number:4488", Address("4488")),
        ("short:5550100123", Address("5550100123", AddressForm.SHORT_CODE)),
        ("5550100123,displayOnly", Address("5550100123", display_only=True)),
        ("number:AbC,coding=encrypted,id=key1", Address("AbC", coding="encrypted", id="key1")),
    ],
)
def test_addresses_have_forms_and_attributes(typed: str, address: Address) -> None:
    assert request("--to", typed).to == (NUMBER, address)


def test_recipients_come_from_a_file(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("# ours\n+15550100124\n\na@b.example\n")
    assert [one.value for one in request("--bcc", f"@{numbers}").bcc] == ["+15550100124", "a@b.example"]
    numbers.write_text("+15550100124\n+15550100125,shown\n")
    assert f"{numbers}, line 2: 'shown' is none of displayOnly" in run("--to", f"@{numbers}").output


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("in 2h", "PT2H"),
        ("in 90 minutes", "PT1H30M"),
        ("in 1w", "P7D"),
        ("in 0s", "PT0S"),
        ("in -5m", "-PT5M"),
        ("P1Y2M3DT4H5M6.5S", "P1Y2M3DT4H5M6.5S"),
        ("2026-12-24T18:00:00.25Z", "2026-12-24T18:00:00.25Z"),
        ("", ""),
    ],
)
def test_times_are_typed_in_words_or_as_the_schema_has_them(typed: str, sent: str) -> None:
    assert request("--expiry", typed).expiry_date == sent


def test_a_moment_is_counted_from_now() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    sent = datetime.fromisoformat(request("--expiry", "now+2h").expiry_date)
    assert before + timedelta(hours=2) <= sent <= datetime.now(UTC) + timedelta(hours=2)


@pytest.mark.parametrize(
    ("option", "typed", "why"),
    [
        ("--expiry", "tomorrow", "'tomorrow' is no time; write 'in 2h', PT2H, 2026-12-24T18:00:00Z or 'now+2h'"),
        ("--expiry", "2026-02-30T00:00:00Z", "is no moment of the calendar"),
        ("--expiry", "in 2 fortnights", "is no time"),
        ("--expiry", "P", "is no time"),
        ("--time-stamp", "in 2h", "'in 2h' is relative"),
        ("--to", "mail:", "'mail:' is no address"),
        ("--to", "+1555,coding=rot13", "'coding=rot13' is none of displayOnly"),
        ("--priority", "urgent", "'urgent' is none of Low, Normal, High"),
        ("--namespace", "REL-9", "'REL-9' is no MM7 schema tag"),
        ("--header", "nonsense", "'nonsense' is no 'Name: value'"),
        ("--user", "@/nowhere", "/nowhere: No such file or directory"),
        ("--key", __file__, "--key is the key of a certificate"),
        ("--ca", __file__, "are for https, and --url is http"),
        ("--proxy", "socks://x", "'socks://x' is no http://HOST:PORT"),
        ("--smil", "nothing.smil", "is neither auto nor none nor a file"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(option: str, typed: str, why: str) -> None:
    result = run("--to", "4488", option, typed)
    assert result.exit_code == 2
    assert why in re.sub(r"\s+", " ", result.output)


def test_what_the_namespace_has_no_words_for_is_told() -> None:
    result = run("--to", "4488", "--namespace", "REL-5-MM7-1-0", "--content-class", "text", "--show")
    assert result.exit_code == 0
    assert "note: ContentClass is left out: REL-5-MM7-1-0 has no words for it" in result.stderr
    odd = run("--to", "4488", "--mm7-version", "six", "--show")
    assert "note: this request can hardly be read: SubmitReq/MM7Version: 'six' is no version" in odd.stderr


def test_the_head_is_what_the_options_say(tmp_path: Path) -> None:
    login = tmp_path / "login"
    login.write_text("news:geheim\n")
    envelope, head = shown(
        *("--url", "http://mmsc.example:99/a?b=c", "--user", f"@{login}", "--transaction-id", "t-1"),
        *("-H", "X-Mblox-Carrier-Id: 7", "-H", "soapaction: urn:x"),
    )
    assert envelope.transaction_id == "t-1"
    assert head.splitlines()[:2] == ["POST /a?b=c HTTP/1.1", "Host: mmsc.example:99"]
    assert "Authorization: Basic bmV3czpnZWhlaW0=" in head
    assert "X-Mblox-Carrier-Id: 7" in head
    assert "SOAPAction: urn:x" in head
    assert "Authorization" not in shown("--user", "")[1]
    assert "Authorization" not in shown("--auth", "digest")[1]
    assert "Authorization" not in shown("--auth", "digest", "--url", "http://news:geheim@mmsc.example/")[1]


def test_a_terminal_gets_the_text_of_a_request_and_the_size_of_the_rest() -> None:
    octets = b"POST / HTTP/1.1\r\n\r\n--b\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n--b\r\n\r\n\xff\xd8\nABC\n\x1b\r\n--b--\r\n"
    assert list(readable(octets)) == [
        *("POST / HTTP/1.1", "", "--b", "", "Grüße", "--b", ""),
        *("[10 octets that are no text]", "--b--", ""),
    ]
    assert list(readable(b"\x00\x01")) == ["[2 octets that are no text]"]


# --- content ---


def parts(*arguments: str) -> list[tuple[str, str, str, bytes]]:
    content = shown(*arguments)[0].content
    assert content is not None
    return [(str(p.content_type), p.content_id, p.content_location, p.data) for p in content.parts or (content,)]


def test_a_file_is_told_its_type_name_and_id(tmp_path: Path) -> None:
    file = tmp_path / "x.bin"
    file.write_bytes(b"GIF89a")
    sent = parts(f"{file};type=image/gif;id=pic;name=sun.gif")
    assert sent[1] == ("image/gif", "pic", "sun.gif", b"GIF89a")
    assert b'src="cid:pic"' in sent[0][3]
    (tmp_path / "a;b.txt").write_text("ü")
    assert parts(str(tmp_path / "a;b.txt"))[1][:3] == ("text/plain; charset=utf-8", "file1", "a;b.txt")


def test_a_part_alone_needs_no_presentation(tmp_path: Path) -> None:
    assert parts("--text", "Hi", "--smil", "none") == [("text/plain; charset=utf-8", "text", "text.txt", b"Hi")]
    content = shown("--text", "one", "--text", "two", "--smil", "none", "--base64")[0].content
    assert content is not None
    assert content.content_type.media_type == "multipart/mixed"
    assert [part.data for part in content.parts] == [b"one", b"two"]
    assert content.parts[0].header("content-transfer-encoding") == "base64"


def test_a_presentation_is_given_and_what_it_misses_is_told(tmp_path: Path) -> None:
    own = tmp_path / "own.smil"
    own.write_text('<smil><body><par><img src="sun.gif"/><text src="text.txt"/></par></body></smil>')
    (tmp_path / "sun.gif").write_bytes(b"GIF89a")
    sent = parts("--smil", str(own), "--text", "Hi", str(tmp_path / "sun.gif"))
    assert [one[2] for one in sent] == ["own.smil", "sun.gif", "text.txt"]
    result = run("--to", "4488", "--smil", str(own), "--text", "Hi", "--show")
    assert "note: own.smil shows 'sun.gif', which is no part of the MM" in result.stderr


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("gone.jpg", "there is no file 'gone.jpg'"),
        ("{here};size=3", "'size=3' is none of type=TYPE"),
        ("{here};type=picture", "'picture' is no media type"),
        ("{here};id=<a>", "Content-ID '<a>'"),
        ("{folder}", "is a folder"),
    ],
)
def test_a_file_that_is_none(typed: str, why: str, tmp_path: Path) -> None:
    here = tmp_path / "x.txt"
    here.write_text("x")
    result = run("--to", "4488", typed.format(here=here, folder=tmp_path))
    assert result.exit_code == 2
    assert why in result.output
