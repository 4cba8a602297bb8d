"""`mmsc encode FILE.json`: the octets of an MMS PDU that is written as JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmsc.cli import octets
from mmsc.cli.group import examples

if TYPE_CHECKING:
    from mmsc.trace.json_form.content import FileReader


@click.command(
    "encode",
    epilog=examples(
        "encode send-req.json -o send-req.bin", "encode --hex notification.json", "encode --push - < n.json"
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), help="Write to a file."
)
@click.option("--hex", "as_hex", is_flag=True, help="Hexadecimal text instead of the octets.")
@click.option("--push", "pushed", is_flag=True, help="In a WAP push to the MMS user agent.")
@click.option(
    "--push-id", type=click.IntRange(0, 255), default=1, show_default=True, help="Transaction id of that push."
)
def command(file: Path, output: Path | None, as_hex: bool, pushed: bool, push_id: int) -> None:
    """Make the octets of the MMS PDU, or the WAP push, that FILE describes (- is standard input).

    FILE is what `mmsc decode --json` printed, or an object as a person writes it: {"pdu": "m-send-req",
    "X-Mms-Transaction-ID": "T1", "From": "insert-address", "To": ["+15550100123/TYPE=PLMN"], "parts": [{"text":
    "Hello"}, {"file": "photo.jpg"}]}.

    Names and words are those of OMA-TS-MMS_ENC 7; X-Mms-Expiry is {"relative": SECONDS} or {"absolute": SECONDS or
    moment}; a value that has no word is "0x99". A part has content_type, content_id, content_location, and one of text,
    base64, file, pdu or parts; files lie beside FILE. "unknown" is a list of {"field": "0xC5", "octets": "hex"} or
    {"name": "X-Own", "text": "value"}. A push is {"push": {"transaction_id": 1}, "body": {"pdu": {...}}}.

    All 24 PDUs of MM1, and WAP pushes, can be made; MM7, MM4 and SMPP cannot."""
    from protocols.wsp.push import PDU_TYPE_PUSH, mms_push

    made = made_of(octets.read(file), file)
    if pushed and made[1:2] == bytes((PDU_TYPE_PUSH,)):
        raise click.UsageError("it is a push already: leave --push out")
    octets.write(mms_push(push_id, made) if pushed else made, output, as_hex=as_hex)


def made_of(text: bytes, file: Path) -> bytes:
    """The octets that the JSON of a file describes. Raises ClickException."""
    from mmsc.trace import json_form
    from protocols.errors import EncodeError

    given = _parsed(text, file)
    try:
        made, way = json_form.read(given, _files(Path() if str(file) == "-" else file.parent))
    except json_form.JsonFormError as error:
        raise click.ClickException(f"{file}: {error}") from error
    except EncodeError as error:
        clause = f" ({error.clause})" if error.clause else ""
        raise click.ClickException(f"{file}: {error.why}{clause}") from error
    if way:
        click.echo(f"what was inside {way}, without it", err=True)
    return made


def _parsed(text: bytes, file: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise click.ClickException(f"{file}: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise click.ClickException(f"{file}: no JSON text") from error


def _files(folder: Path) -> "FileReader":
    from mmsc.cli.mm7_content import octets_of
    from mmsc.lab.composing import type_of

    def read(name: str) -> Any:
        held = octets_of(folder / name)
        return held, type_of(name, held)

    return read
