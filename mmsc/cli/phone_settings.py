"""`mmsc phone-settings`: what to type into a phone so that it uses this MMSC, as text and as a QR code."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from mmsc.cli.group import examples
from mmsc.cli.loading import config_option, settings_of
from mmsc.cli.push_out import place
from mmsc.settings import is_loopback

if TYPE_CHECKING:
    from mmsc.settings import Settings

_KINDS: Final = (".svg", ".png")
_SCALE: Final = 8  # pixels a module
_MOST_CHARACTERS: Final = 1000  # beyond that a camera has trouble


@click.command(
    "phone-settings",
    epilog=examples(
        "phone-settings --apn mms.lab",
        "phone-settings --url http://192.0.2.1:8801 --apn internet --qr",
        "phone-settings --url http://192.0.2.1:8801 --proxy 192.0.2.1:8080 --save settings.svg",
    ),
)
@click.option("--url", default="", metavar="URL", help="Where the phone reaches MM1.  [default: as the settings say]")
@click.option("--apn", default="mms", show_default=True, help="The access point that leads to this network.")
@click.option("--proxy", default="", metavar="HOST:PORT", help="An HTTP proxy between them, where there is one.")
@click.option("--user", default="", help="User of the access point.")
@click.option("--qr", is_flag=True, help="Also a QR code, on the terminal.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="The QR code in a file: .svg or .png.")
@click.option("--page", default="", metavar="URL", help="What the QR code says instead of the settings themselves.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@config_option
def command(**given: Any) -> None:
    """Say what to enter under Access Point Names of a phone, so that it sends to this MMSC and fetches from it.

    The QR code holds the lines as text, for which phones offer to copy it: none takes access points from a QR code by
    itself. Exit status 1 when the phone could not reach the address."""
    save: Path | None = given["save"]
    if save is not None and save.suffix.lower() not in _KINDS:
        raise click.UsageError(f"{save}: a QR code is saved as {' or '.join(_KINDS)}")
    where = given["url"] or _told(settings_of(given["config"]))
    rows = _rows(where, given["apn"], given["proxy"], given["user"])
    if given["as_json"]:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        width = max(map(len, rows))
        for name, value in rows.items():
            click.echo(f"{name:{width}}  {value or '(leave empty)'}")
    text = given["page"] or "\n".join(f"{name}: {value}" for name, value in rows.items() if value)
    if given["qr"] or save is not None:
        _draw(text, on_terminal=given["qr"], save=save)
    if urlsplit(where).scheme == "https":
        click.echo("remark: phones want http here; most send nothing to an https address", err=True)
    if why := _unreachable(where):
        click.echo(f"remark: {why}", err=True)
        raise SystemExit(1)


def _told(settings: "Settings") -> str:
    """As Content-Locations begin: what handsets are told to fetch from."""
    return settings.mm1.public_url or f"http://{settings.mm1.host}:{settings.mm1.port}"


def _rows(url: str, apn: str, proxy: str, user: str) -> dict[str, str]:
    if not _is_address(url):
        raise click.UsageError(f"{url!r} is no address like http://192.0.2.1:8801")
    host, port = place(proxy, None) if proxy else ("", "")
    return {
        "Name": "MMSC lab",
        "APN": apn,
        "User name": user,
        "MMSC": f"{url.rstrip('/')}/",
        "MMS proxy": host,
        "MMS port": str(port),
        "APN type": "mms",
    }


def _is_address(url: str) -> bool:
    """Whether it is http or https, with a host and a port that there can be."""
    try:
        address = urlsplit(url)
        good = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False
    return good and not any(one.isspace() for one in url)


def _unreachable(url: str) -> str:
    host = urlsplit(url).hostname or ""
    if is_loopback(host) or host in ("0.0.0.0", "::"):
        return f"no phone reaches {host}: name this host's address with --url, or with mm1.host and mm1.public_url"
    return ""


def _draw(text: str, *, on_terminal: bool, save: Path | None) -> None:
    import segno

    if len(text) > _MOST_CHARACTERS:
        raise click.UsageError(f"{len(text)} characters are too many for a QR code")
    code: Any = segno.make_qr(text, error="m")
    if save is not None:
        try:
            code.save(str(save), scale=_SCALE)
        except OSError as error:
            raise click.ClickException(f"{save}: {error.strerror}") from error
    if on_terminal:
        click.echo("\n".join(_modules(code)))


def _modules(code: Any) -> list[str]:
    """Two rows of modules a line, in half blocks; light is ink, for dark terminals."""
    matrix = [[bool(one) for one in row] for row in code.matrix_iter(border=2)]
    if len(matrix) % 2:
        matrix.append([False] * len(matrix[0]))
    blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    return [
        "".join(blocks[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(matrix[::2], matrix[1::2], strict=True)
    ]
