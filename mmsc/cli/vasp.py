"""`mmsc vasp`: a VASP that listens, tells what an MMSC sends it, and answers as told."""

import asyncio
import json
import signal
import ssl
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmsc.cli.group import examples
from mmsc.cli.option_groups import GroupedCommand, option, under

if TYPE_CHECKING:
    from mmsc.cli.vasp_words import Folder
    from mmsc.lab.vasp_answers import Script
    from mmsc.lab.vasp_listener import Arrived, Behaviour

_MAXIMUM_DELAY: Final = 3600.0
LAB_TLS: Final = (
    *("good", "expired", "not-yet-valid", "wrong-name", "missing-intermediate", "unknown-ca", "old-version"),
)
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


class Listen(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """PORT, or HOST:PORT."""

    name = "[host:]port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """(host, port)."""
        host, _, port = str(value).rpartition(":")
        if not port.isascii() or not port.isdecimal() or int(port) > 65535:
            raise click.BadParameter(f"{value!r} is no PORT or HOST:PORT", ctx, param)
        return host.strip("[]") or "127.0.0.1", int(port)


class Answers(click.ParamType):  # type: ignore[type-arg] # as above
    """A script of answers."""

    name = "answers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Script":
        """See `vasp_answers.script_of`."""
        from mmsc.lab.vasp_answers import script_of

        try:
            return script_of(str(value))
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error


@click.command(
    "vasp",
    cls=GroupedCommand,
    epilog=examples(
        "vasp --listen 8900",
        "vasp --listen 8900 --answer 3000,3000,1000 --delay 2",
        "vasp --listen 0.0.0.0:8443 --cert vasp.pem --user mmsc:secret --answer 'HTTP 503*5,1000'",
        "vasp --listen 8443 --tls expired",
        "vasp --listen 8900 --service-code gold --save inbox --json",
    ),
)
@under(
    "Listening",
    option("--listen", type=Listen(), default="8900", show_default=True, help="On 127.0.0.1 unless HOST is named."),
    option("--cert", type=_FILE, help="PEM of the VASP's certificate: https."),
    option("--key", type=_FILE, help="PEM of its key, unless --cert has it."),
    option("--client-ca", type=_FILE, help="PEM of the CA of the MMSC's client certificate, which is then needed."),
    option(
        "--tls",
        "lab_tls",
        type=click.Choice(LAB_TLS),
        help="https with a certificate of the lab's own, good or with a fault that the MMSC must notice.",
    ),
    option("--user", default="", help="NAME:PASSWORD that the MMSC must give with HTTP Basic."),
    option("--count", type=click.IntRange(1), help="End after so many requests."),
)
@under(
    "Answers",
    option(
        "--answer",
        "script",
        type=Answers(),
        default="1000",
        show_default=True,
        help="1000, 3000, 'HTTP 503', fault, fault:4001, empty, html, silent; several with commas, the last one goes"
        " on; *N behind one is N times.",
    ),
    option(
        "--delay",
        type=click.FloatRange(0, _MAXIMUM_DELAY),
        default=0.0,
        help="Seconds before each answer.",
    ),
    option("--service-code", default="", help="ServiceCode of each DeliverRsp: what the MM is charged by."),
)
@under(
    "Output",
    option("--json", "as_json", is_flag=True, help="A JSON object a line."),
    option("-v", "--verbose", is_flag=True, help="The whole XML, too, and what is odd in it."),
    option("--save", type=click.Path(file_okay=False, path_type=Path), help="Save XML and content parts there."),
)
def command(**given: Any) -> None:
    """Be a VASP: print what an MMSC sends (DeliverReq, DeliveryReportReq, ReadReplyReq), and answer as told.

    It ends when it is interrupted, or with --count. A request that came before is marked as a repeat. What cannot be
    read is answered with a Fault, whatever --answer says."""
    from mmsc.cli.vasp_words import Folder
    from mmsc.lab.vasp_listener import Behaviour

    username, _, password = given["user"].partition(":")
    behaviour = Behaviour(
        script=given["script"],
        delay_seconds=given["delay"],
        service_code=given["service_code"],
        username=username,
        password=password,
    )
    folder = None if given["save"] is None else Folder(given["save"])
    teller = _Teller(folder, as_json=given["as_json"], verbose=given["verbose"])
    asyncio.run(_listen(given, behaviour, teller, _context_of(given)))


def _context_of(given: dict[str, Any]) -> ssl.SSLContext | None:
    """Raises UsageError."""
    cert, key, client_ca, lab_tls = (given[name] for name in ("cert", "key", "client_ca", "lab_tls"))
    if cert is not None and lab_tls is not None:
        raise click.UsageError("--tls brings a certificate of its own: leave out --cert")
    if cert is None and (key is not None or (client_ca is not None and lab_tls is None)):
        raise click.UsageError("--key and --client-ca are for https: name the VASP's certificate with --cert")
    context = _of_the_lab(lab_tls) if lab_tls is not None else None if cert is None else _of_files(cert, key)
    if context is not None and client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(client_ca)
        except (OSError, ValueError) as error:
            raise click.UsageError(f"--client-ca {client_ca}: no certificate in PEM ({_reason(error)})") from error
    return context


def _of_files(cert: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # without a password of ours OpenSSL would ask the terminal for that of an encrypted key
        context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--cert {cert}: no certificate with its key in PEM ({_reason(error)})") from error
    return context


def _of_the_lab(how: str) -> ssl.SSLContext:
    from mmsc.lab.certificates import LabTls, server_context

    try:
        return server_context(LabTls(how))
    except ValueError as error:
        raise click.UsageError(f"--tls {how}: {error}") from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)


async def _listen(
    given: dict[str, Any], behaviour: "Behaviour", teller: "_Teller", context: ssl.SSLContext | None
) -> None:
    from mmsc.lab.vasp_listener import VaspListener

    host, port = given["listen"]
    ended = asyncio.Event()
    answered = 0

    async def done() -> None:
        nonlocal answered
        answered += 1
        if given["count"] is not None and answered >= given["count"]:
            ended.set()

    listener = VaspListener(behaviour, teller.heard, host=host, port=port, tls=context, done=done)
    try:
        await listener.start()
    except OSError as error:
        advice = "name another port with --listen, or 0 for any free one"
        raise click.ClickException(f"cannot listen on {host} port {port} ({error.strerror}): {advice}") from error
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    place = f"[{host}]" if ":" in host else host
    scheme = "http" if context is None else "https"
    click.echo(f"listening on {scheme}://{place}:{listener.port}/; interrupt to stop", err=True)
    if given["lab_tls"] is not None:
        from mmsc.lab.certificates import authority

        click.echo(f"{given['lab_tls']} certificate; tls_ca_file, for a lab alone: {authority()}", err=True)
    try:
        await ended.wait()
    finally:
        await listener.stop()
    teller.sum_up()


class _Teller:
    """Writes what arrives."""

    def __init__(self, folder: "Folder | None", *, as_json: bool, verbose: bool) -> None:
        self._folder = folder
        self._as_json = as_json
        self._verbose = verbose
        self._counts: Counter[str] = Counter()

    def heard(self, arrived: "Arrived") -> None:
        """A request."""
        from mmsc.cli.vasp_words import line_of, object_of, xml_of
        from mmsc.lab.mm7_words import element_name, printable

        envelope = arrived.envelope
        self._counts["unreadable" if envelope is None else element_name(envelope.message)] += 1
        files = self._save(arrived)
        if self._as_json:
            click.echo(json.dumps(object_of(arrived, files), ensure_ascii=False))
        else:
            click.echo(line_of(arrived))
            for name in files:
                click.echo(f"  saved {printable(name)}")
        if self._verbose:
            for one in arrived.findings:
                click.secho(f"  finding {one.rule}: {printable(one.remark)} ({one.clause})", fg="yellow", err=True)
            if envelope is not None:
                click.echo(xml_of(envelope), err=self._as_json)
        sys.stdout.flush()

    def _save(self, arrived: "Arrived") -> tuple[str, ...]:
        if self._folder is None or arrived.envelope is None:
            return ()
        try:
            return self._folder.save(arrived.envelope)
        except OSError as error:
            click.echo(f"not saved: {error.filename}: {error.strerror}", err=True)
            return ()

    def sum_up(self) -> None:
        """How many came."""
        told = ", ".join(f"{count} {name}" for name, count in sorted(self._counts.items()))
        total = sum(self._counts.values())
        click.echo(f"{total} request{'' if total == 1 else 's'}{': ' if told else ''}{told}", err=True)
