"""`mmsc fixture FILE`: captured octets as a golden case: octets, meaning, origin."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmsc.cli import octets
from mmsc.cli.group import examples

if TYPE_CHECKING:
    from mmsc.trace.view import View

_NAME: Final = re.compile(r"[0-9]{2,3}-[a-z0-9][a-z0-9-]*")
_NUMBER: Final = re.compile(rb"\+?([0-9]{7,15})(?=/TYPE=PLMN|$)", re.IGNORECASE)
_ADDRESSES: Final = frozenset({"To", "Cc", "Bcc", "From", "X-Mms-Previously-Sent-By"})
_WIDTH: Final = 32  # octets a line
_FAKE: Final = b"1555"  # a country, and an area that nobody has


@click.command(
    "fixture",
    epilog=examples(
        "fixture request.http --name 91-m-send-req-some-phone --origin 'Some phone, firmware 1.2' --anonymise",
        "fixture - --name 92-m-notification-ind-odd --origin 'A gateway' --clause 'OMA-TS-MMS_ENC 7.3.20' < pdu.hex",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--name", required=True, help="The stem: a number and words, as 91-m-send-req-some-phone.")
@click.option("--origin", required=True, help="Where the octets come from, for people.")
@click.option("--clause", default="", help="The clause that it shows.  [default: that of the PDU]")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path("fixtures/mm1"),
    show_default=True,
    help="The folder.",
)
@click.option("--anonymise", is_flag=True, help="Other digits for the telephone numbers of its addresses, everywhere.")
def command(file: Path, name: str, origin: str, clause: str, into: Path, anonymise: bool) -> None:
    """Make a golden case of the MMS PDU in FILE (- is standard input): NAME.hex with a line for each field, NAME.json
    with its meaning or the reason why it must be refused, NAME.md with its origin.

    FILE holds the PDU, a WAP push, SMS TPDUs or an HTTP message with it: octets or hexadecimal text. The PDU alone is
    kept. --anonymise gives each telephone number of an address field as many other digits, the same ones wherever it
    stands as text, so that all lengths stay right; names, mail addresses, texts and pictures stay as they are."""
    if not _NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} is no stem: two or three digits, a hyphen, and small letters")
    stem = into / name
    there = list(into.glob(f"{name}.*"))
    if there:
        raise click.ClickException(f"{there[0]} is there already")
    pdu = _pdu(octets.from_hex(octets.read(file)), file)
    if anonymise:
        pdu = anonymised(pdu)
    written = {
        ".hex": hex_text(pdu),
        ".json": json.dumps(meaning(pdu), indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        ".md": _story(pdu, name, origin, clause),
    }
    try:
        for suffix, text in written.items():
            stem.with_name(name + suffix).write_text(text)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    click.echo(f"{stem}.hex, .json and .md: {len(pdu)} octets" + _told(pdu))


def _pdu(held: bytes, file: Path) -> bytes:
    """The first MMS PDU in whatever carries it."""
    from mmsc.trace.view import every, look

    found = [view for view in every(look(held)) if view.kind == "MMS PDU"]
    if not found:
        raise click.ClickException(f"{file}: no MMS PDU in it")
    return found[0].octets


def _view(pdu: bytes) -> "View":
    from mmsc.trace.view import Kind, look_as

    return look_as(pdu, Kind.MM1)


def anonymised(pdu: bytes) -> bytes:
    """The PDU with other digits for the numbers of its address fields, the same for the same, wherever they stand."""
    found: dict[bytes, None] = {}
    for row in _view(pdu).rows:
        if row.name in _ADDRESSES:
            field = pdu[row.start : row.end].rstrip(b"\0")
            found |= dict.fromkeys(match[1] for match in _NUMBER.finditer(field))
    fakes = {number: _fake(index, len(number)) for index, number in enumerate(found, 1)}
    if not fakes:
        return pdu
    longest_first = sorted(fakes, key=len, reverse=True)
    return re.sub(b"|".join(longest_first), lambda match: fakes[match[0]], pdu)


def _fake(index: int, length: int) -> bytes:
    digits = str(index).encode()
    return _FAKE + digits.rjust(length - len(_FAKE), b"0")[-(length - len(_FAKE)) :]


def hex_text(pdu: bytes) -> str:
    """Its octets, a line for each field with name and value as a remark."""
    lines: list[str] = []
    for row in _view(pdu).rows:
        pieces = octets.hex_lines(pdu[row.start : row.end], _WIDTH).splitlines() or [""]
        lines.append(f"{pieces[0]}  # {_remark(row.name, row.value)}")
        lines += [f"  {piece}" for piece in pieces[1:]]
    return "\n".join(lines) + "\n"


def _remark(name: str, value: str) -> str:
    if name == "body":
        return f"the body: {value}"
    if re.fullmatch("0x[0-9A-F]{2}", name):
        return f"field {name}, which nobody knows"
    shown = f"{name}: {value}"
    return "".join(char if char.isprintable() else " " for char in shown)


def meaning(pdu: bytes) -> dict[str, Any]:
    """What a golden's JSON says: the fields, `findings` by their rules, and `written` where we write other octets; or
    `refused` and why."""
    from mmsc.trace.plain import plain
    from protocols import mm1
    from protocols.errors import DecodeError, EncodeError

    try:
        read = mm1.decode(pdu)
    except DecodeError as error:
        return {"refused": error.why}
    found: dict[str, Any] = plain(read.message)
    if read.findings:
        found["findings"] = [one.rule for one in read.findings]
    try:
        ours = mm1.encode(read.message)
    except EncodeError as error:
        raise click.ClickException(f"it is read, but cannot be written again: {error.why}") from error
    return found if ours == pdu else found | {"written": ours.hex()}


def _story(pdu: bytes, name: str, origin: str, clause: str) -> str:
    from protocols import mm1
    from protocols.errors import DecodeError

    try:
        message = mm1.decode(pdu).message
        clause = clause or type(message).clause
        note = "" if mm1.encode(message) == pdu else "We write it in other octets.\n\n"
    except DecodeError as error:
        clause = clause or error.clause or "OMA-TS-MMS_ENC 6"
        note = "Refused.\n\n"
    title = name.partition("-")[2].replace("-", " ")
    return f"# {title}\n\nOrigin: {origin}\n\n{note}Clause: {clause}\n"


def _told(pdu: bytes) -> str:
    findings = _view(pdu).findings
    return "".join(f"\nfinding {one.rule}: {one.remark} ({one.clause})" for one in findings)
