"""How commands reach an MMSC's MM7 interface: address, credentials, TLS, proxy; one request out, one answer back."""

import asyncio
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import click

from mmsc.cli.option_groups import option, under
from mmsc.cli.progress import telling
from mmsc.clock import Clock
from mmsc.ids import Ids
from mmsc.net import http_digest
from mmsc.net.http_calling import Way
from mmsc.net.http_client import ClientLimits, HttpClient, HttpReply, HttpUnavailable
from mmsc.net.http_target import request_head, target_of, without_credentials
from mmsc.net.tls import TlsOptions
from mmsc.trace.captures import WireTap
from protocols.records import record

DEMO_URL: Final = "http://127.0.0.1:8807/mm7"
DEMO_USER: Final = "demo:secret"
NO_ANSWER: Final = 3  # exit status
_MAXIMUM_ANSWER_OCTETS: Final = 1024 * 1024
_MAXIMUM_CREDENTIALS_OCTETS: Final = 4096
_MAXIMUM_SECONDS: Final = 86_400
_KEYS: Final = {  # the client's words come from the settings of a server
    "tls_ca_file": "--ca",
    "tls_certificate_file": "--cert",
    "tls_key_file": "--key",
    "proxy_url": "--proxy",
}
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_INSECURE: Final = (
    "WARNING: --insecure: the MMSC's certificate is not checked. Whoever is in between reads password and MM."
)


class Refused(click.ClickException):
    """The MMSC answered, and did not take it."""

    exit_code = 1


class NoAnswer(click.ClickException):
    """Nothing came, or nothing that is MM7."""

    exit_code = NO_ANSWER


@record(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a request goes, and how. `headers` are further ones of the user's."""

    url: str
    username: str
    password: str
    digest: bool
    way: Way
    headers: tuple[tuple[str, str], ...]
    seconds: float

    @property
    def shown_url(self) -> str:
        """Without the password in it."""
        return without_credentials(self.url)


def _seconds(context: click.Context, parameter: click.Parameter, seconds: float) -> float:
    if math.isnan(seconds):
        raise click.BadParameter("nan is no number of seconds", context, parameter)
    return seconds


connection_options = under(
    "Connection",
    option("--url", default=DEMO_URL, show_default=True, help="The MMSC's MM7 address, http or https."),
    option("--user", help=f"NAME:PASSWORD, or @FILE with it; empty for none.  [default: {DEMO_USER}]"),
    option(
        "--auth",
        type=click.Choice(("basic", "digest")),
        default="basic",
        show_default=True,
        help="HTTP Basic (RFC 7617), sent at once, or Digest (RFC 7616), sent when asked for.",
    ),
    option("--ca", type=_FILE, help="PEM of the CA that is trusted instead of the system's."),
    option("--cert", type=_FILE, help="PEM of our client certificate, with its intermediates."),
    option("--key", type=_FILE, help="PEM of its key, unless --cert has it."),
    option("--server-name", default="", help="The name in the MMSC's certificate, unless the URL's host."),
    option("--insecure", is_flag=True, help="Do not check the MMSC's certificate. For tests."),
    option("--proxy", default="", help="http://[USER:PASSWORD@]HOST[:PORT] of a proxy that knows CONNECT."),
    option("-H", "--header", "headers", multiple=True, help="A further HTTP header, 'Name: value'; again for more."),
    option(
        "--timeout",
        "timeout_seconds",
        type=click.FloatRange(min=0, min_open=True, max=_MAXIMUM_SECONDS),
        callback=_seconds,
        default=60.0,
        show_default=True,
        help="Seconds to wait for the answer.",
    ),
)


def connection_of(given: Mapping[str, Any]) -> Connection:
    """The connection that the options mean. Raises BadParameter."""
    url = given["url"]
    _check_url(url, "--url", ("http", "https"), "http://HOST:PORT/PATH")
    if given["proxy"]:
        _check_url(given["proxy"], "--proxy", ("http",), "http://HOST:PORT")
    if given["key"] is not None and given["cert"] is None:
        raise click.UsageError("--key is the key of a certificate: name that with --cert")
    if urlsplit(url).scheme == "http" and (given["ca"] or given["cert"] or given["insecure"]):
        raise click.UsageError("--ca, --cert and --insecure are for https, and --url is http")
    username, password = _login(given["user"], url)
    tls = TlsOptions(
        ca_file=str(given["ca"] or ""),
        certificate_file=str(given["cert"] or ""),
        key_file=str(given["key"] or ""),
        server_name=given["server_name"],
        verify=not given["insecure"],
    )
    return Connection(
        url=url,
        username=username,
        password=password,
        digest=given["auth"] == "digest",
        way=Way(tls=tls, proxy_url=given["proxy"]),
        headers=tuple(map(_header, given["headers"])),
        seconds=given["timeout_seconds"],
    )


def _check_url(url: str, name: str, schemes: tuple[str, ...], form: str) -> None:
    try:
        parts = urlsplit(url)
        right = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        right = right and not any(char.isspace() for char in url)
    except ValueError:
        right = False
    if not right:
        raise click.BadParameter(f"{without_credentials(url)!r} is no {form}", param_hint=f"'{name}'")


def _login(user: str | None, url: str) -> tuple[str, str]:
    """(username, password): what --user says, else the URL, else those of the demo VASP."""
    parts = urlsplit(url)
    if user is None and parts.username is not None:
        return unquote(parts.username), unquote(parts.password or "")
    told = DEMO_USER if user is None else user
    if told.startswith("@"):
        told = _credentials(Path(told[1:]))
    username, _, password = told.partition(":")
    return username, password


def _credentials(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            octets = opened.read(_MAXIMUM_CREDENTIALS_OCTETS)
        return octets.decode().partition("\n")[0].strip("\r")
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror}", param_hint="'--user'") from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{file}: not UTF-8", param_hint="'--user'") from error


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or "\n" in value or "\r" in value:
        raise click.BadParameter(f"{text!r} is no 'Name: value'", param_hint="'--header'")
    return name, value.strip()


def request_octets(connection: Connection, content_type: str, body: bytes) -> bytes:
    """The HTTP request as it would be sent first."""
    head = request_head("POST", target_of(_bare(connection.url)), _headers(connection, content_type), len(body))
    return head + body


def _headers(connection: Connection, content_type: str) -> dict[str, str]:
    """What the user names in another value is his."""
    found = {"Content-Type": content_type, "SOAPAction": '""'}
    if connection.username and not connection.digest:
        found["Authorization"] = http_digest.basic(connection.username, connection.password)
    for name, value in connection.headers:
        known = next((one for one in found if one.lower() == name.lower()), name)
        found[known] = value
    return found


async def post(connection: Connection, content_type: str, body: bytes, transaction_id: str) -> HttpReply:
    """Send a request and wait for its answer. Raises NoAnswer, or Refused where there is no way to log in."""
    if not connection.way.tls.verify:
        click.secho(_INSECURE, fg="red", bold=True, err=True)
    limits = ClientLimits(
        connections=1,
        connect_seconds=connection.seconds,
        total_seconds=connection.seconds,
        maximum_body_octets=_MAXIMUM_ANSWER_OCTETS,
    )
    client = HttpClient(limits, WireTap("mm7", None, Clock()), connection.way)

    def words(waited: int) -> str:
        return f"waiting for the answer of {connection.shown_url}: {waited} s of {connection.seconds:g}"

    async def send(headers: Mapping[str, str]) -> HttpReply:
        return await client.send("POST", url, headers=headers, body=body, transaction_id=transaction_id)

    url = _bare(connection.url)
    try:
        async with telling(words):
            headers = _headers(connection, content_type)
            reply = await send(headers)
            if reply.status == 401 and connection.digest and "Authorization" not in headers:
                reply = await send({**headers, "Authorization": _answer(connection, reply, body)})
            return reply
    except HttpUnavailable as error:
        raise NoAnswer(_why(connection, error)) from error
    finally:
        await client.close()


def _bare(url: str) -> str:
    """Without credentials: the client would send them as Basic, also to whom Digest is meant."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _answer(connection: Connection, reply: HttpReply, body: bytes) -> str:
    challenge = http_digest.challenge_of(reply.headers.getall("WWW-Authenticate", ()))
    if challenge is None:
        offered = ", ".join(http_digest.schemes(reply.headers.getall("WWW-Authenticate", ()))) or "nothing"
        raise Refused(f"HTTP 401: the MMSC asks for no Digest that is known here; it offers {offered} (--auth)")
    login = http_digest.Login(
        username=connection.username,
        password=connection.password,
        method="POST",
        target=target_of(connection.url).path,
        body=body,
    )
    return http_digest.answer(challenge, login, Ids().token())


def _why(connection: Connection, unavailable: HttpUnavailable) -> str:
    url, why = connection.shown_url, unavailable.why
    for key, name in _KEYS.items():
        why = why.replace(key, name)
    if why == "no answer in time":
        return f"no answer from {url} within {connection.seconds:g} s"
    if why.startswith("no HTTP answer"):
        return f"what listens at {url} does not speak HTTP"
    if not unavailable.connected and why.startswith("connect to "):
        return f"nobody takes connections at {url} ({why})"
    if not unavailable.connected:
        return f"no connection to {url}: {why}"
    return f"no answer from {url}: {why}"


def run(connection: Connection, content_type: str, body: bytes, transaction_id: str) -> HttpReply:
    """`post` from a command. Raises NoAnswer, Refused."""
    return asyncio.run(post(connection, content_type, body, transaction_id))
