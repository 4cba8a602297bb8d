"""`mmsc pcap`: captures of a running server as a pcapng file, or live."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import click

from mmsc.cli.group import examples

_SECONDS: Final = 3600.0  # a live stream may be silent for so long
_BLOCK: Final = 64 * 1024
_MOST_WORDS: Final = 300  # characters of what a server says


@click.command(
    "pcap",
    epilog=examples(
        "pcap --mm 1838888467750542337 -o one.pcapng",
        'pcap --query "state:expired since:1h" -o expired.pcapng',
        "pcap --interface mm4 --since 15m --partner -o for-peer-b.pcapng",
        "pcap --live | wireshark -k -i -",
    ),
)
@click.option("--mm", metavar="ID", help="All captures of this MM.")
@click.option("--query", "q", metavar="WORDS", help="Captures of the messages that the search box would find.")
@click.option(
    "--interface", type=click.Choice(["mm1", "mm3", "mm4", "mm7", "smpp", "weblink"]), help="Only this interface."
)
@click.option("--name", metavar="TEXT", help="Only exchanges with a PDU of such a name: SubmitReq, m-retrieve-conf.")
@click.option("--neighbour", metavar="TEXT", help="Only with this neighbour, or this address.")
@click.option("--since", metavar="TIME", help="From this time (UTC) on, or since so long ago: 90s, 15m, 2h, 1d.")
@click.option("--until", metavar="TIME", help="Before this time.")
@click.option("--partner", is_flag=True, help="Numbers consistently replaced, contents emptied.")
@click.option("--service-time", is_flag=True, help="Packets have the times of the service's clock, not real ones.")
@click.option("--live", is_flag=True, help="What happens from now on, until interrupted.")
@click.option("--url", default="http://127.0.0.1:8800", show_default=True, help="The server's console.")
@click.option("--token", default="", envvar="MMSC_TOKEN", help="The token of that console (MMSC_TOKEN).")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to write; - is standard output.  [default: -]")
def command(
    mm: str | None,
    q: str | None,
    *,
    partner: bool,
    service_time: bool,
    live: bool,
    url: str,
    token: str,
    output: str,
    **words: str | None,
) -> None:
    """Write captures so that Wireshark decodes them without being told anything: TCP connections written anew around
    the PDUs, neighbours by name, a comment on each.

    The exit status is 1 when the server cannot be asked, or has none of it."""
    if live and (mm or q or partner):
        raise click.UsageError("--live takes neither --mm nor --query nor --partner")
    if output == "-" and sys.stdout.isatty():
        raise click.UsageError("a pcapng file is nothing for a terminal: -o FILE, or a pipe")
    asked = {name: text for name, text in {**words, "mm": mm, "q": q}.items() if text}
    if partner:
        asked["partner"] = "1"
    if service_time:
        asked["clock"] = "service"
    path = "/captures/live.pcapng" if live else "/captures.pcapng"
    with _answer(f"{url.rstrip('/')}{path}?{urlencode(asked)}", token) as answer, click.open_file(output, "wb") as file:
        _copied(answer, file)


@contextmanager
def _answer(url: str, token: str) -> Iterator[HTTPResponse]:
    request = Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=_SECONDS) as answer:
            yield answer
    except HTTPError as error:
        said = error.read(_MOST_WORDS).decode("utf-8", "replace").strip()
        raise click.ClickException(said or f"HTTP {error.code}") from error
    except (URLError, HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        raise click.ClickException(f"{url.partition('?')[0]}: {error}") from error


def _copied(answer: HTTPResponse, file: IO[bytes]) -> None:
    """As it comes: a live stream is written at once."""
    with suppress(BrokenPipeError, KeyboardInterrupt):  # that is how a live stream ends
        while block := answer.read1(_BLOCK):
            file.write(block)
            file.flush()
