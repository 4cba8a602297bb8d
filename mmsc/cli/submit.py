"""`mmsc submit`: an MM7 client from the shell, for any MMSC."""

import asyncio
import base64
import math
import mimetypes
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from mmsc.cli.group import examples
from mmsc.cli.progress import telling
from mmsc.ids import Ids
from protocols import mime, mm7, smil
from protocols.content_type import ContentType
from protocols.errors import DecodeError

_TYPES: Final = {".smil": "application/smil", ".amr": "audio/amr", ".3gp": "video/3gpp", ".vcf": "text/x-vcard"}
_MAXIMUM_ANSWER_OCTETS: Final = 1024 * 1024
_MAXIMUM_FILE_OCTETS: Final = 64 * 1024 * 1024
_PIECE_OCTETS: Final = 64 * 1024
_SLIDE_MS: Final = 5000
_KINDS: Final = ("image", "video", "audio")
_REFUSALS: Final = {  # what an HTTP status without SOAP means to whom it is told
    401: "the MMSC does not accept this user and password (--user)",
    404: "nothing takes MM7 there (--url)",
    413: "the request is too large for the MMSC",
}


@click.command(
    "submit",
    epilog=examples(
        'submit --to +15550000001 --text "Hello" photo.jpg',
        "submit --to +15550000001 --cc +15550000003 --text Hi",
    ),
)
@click.option("--url", default="http://127.0.0.1:8807/mm7", show_default=True, help="The MMSC's MM7 address.")
@click.option("--user", default="demo:secret", show_default=True, help="NAME:PASSWORD for HTTP Basic; empty for none.")
@click.option("--vasp-id", default="demo", show_default=True, help="VASPID.")
@click.option("--vas-id", default="", help="VASID.")
@click.option("--from", "sender", default="", help="SenderAddress: a short code or a number.")
@click.option("--to", multiple=True, help="A recipient; may be given again.")
@click.option("--cc", multiple=True, help="A Cc recipient; may be given again.")
@click.option("--bcc", multiple=True, help="A Bcc recipient; may be given again.")
@click.option("--subject", default="", help="Subject.")
@click.option("--text", default="", help="A text part.")
@click.option("--expiry", default="", help="ExpiryDate: xs:dateTime, or a duration such as PT1H.")
@click.option("--no-report", is_flag=True, help="Ask for no delivery report.")
@click.option("--base64", "as_base64", is_flag=True, help="Send the parts as base64 instead of binary.")
@click.option("--namespace", default=mm7.LATEST, show_default=True, help="The MM7 schema's tag.")
@click.option("--transaction-id", default="", help="TransactionID; the same again is a repeat.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    callback=lambda context, parameter, seconds: _number(context, parameter, seconds),
    default=60.0,
    show_default=True,
    help="Seconds to wait for the answer.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the SOAP that is sent and received.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(
    url: str,
    user: str,
    vasp_id: str,
    vas_id: str,
    sender: str,
    to: tuple[str, ...],
    cc: tuple[str, ...],
    bcc: tuple[str, ...],
    subject: str,
    text: str,
    expiry: str,
    no_report: bool,
    as_base64: bool,
    namespace: str,
    transaction_id: str,
    timeout_seconds: float,
    verbose: bool,
    files: tuple[Path, ...],
) -> None:
    """Send an MM through MM7, as a VASP would.

    The exit status is 0 when the MMSC took it (1xxx), 1 when it refused, 2 for wrong usage."""
    _check_usage(click.get_current_context(), url)
    if not (to or cc or bcc):
        raise click.UsageError("name at least one recipient with --to, --cc or --bcc")
    spoken = mm7.dialect(mm7.BASE + namespace)
    if spoken is None:
        raise click.UsageError(f"{namespace} is no MM7 schema tag; try {mm7.LATEST}")
    content = _content(text, files, encoding="base64" if as_base64 else "binary")
    request = mm7.SubmitReq(
        mm7_version=spoken.version,
        vasp_id=vasp_id,
        vas_id=vas_id,
        sender_address=_address(sender) if sender else None,
        to=tuple(map(_address, to)),
        cc=tuple(map(_address, cc)),
        bcc=tuple(map(_address, bcc)),
        expiry_date=expiry,
        delivery_report=not no_report,
        subject=subject,
        content_href="cid:content" if content is not None else "",
    )
    transaction_id = transaction_id or Ids().transaction_id()
    envelope = mm7.Envelope(transaction_id, spoken, request)
    if content is None:
        content_type, body = mm7.encode(envelope)
    else:
        content_type, body = mm7.encode_with_content(envelope, content, transaction_id)
    if verbose:
        click.echo(mm7.encode(envelope)[1].decode(), err=True)
    status, answer_type, answer = asyncio.run(_post(url, user, content_type, body, timeout_seconds))
    if verbose:
        click.echo(answer.decode("utf-8", "replace"), err=True)
    _tell(status, answer_type, answer)


def _check_usage(context: click.Context, url: str) -> None:
    """What click does not see: octets of the command line that are no text, and a URL that nobody can call."""
    for parameter in context.command.params:
        given = context.params.get(parameter.name or "")
        try:
            for text in given if isinstance(given, tuple) else (given,):
                str(text).encode()
        except UnicodeEncodeError as error:
            raise click.BadParameter("not UTF-8", context, parameter) from error
    try:
        parts = urlsplit(url)
        callable_ = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        callable_ = False
    if not callable_:
        raise click.BadParameter(f"{url!r} is no http://HOST:PORT/PATH", param_hint="'--url'")


def _address(text: str) -> mm7.Address:
    if "@" in text:
        return mm7.Address(text, mm7.AddressForm.RFC2822_ADDRESS)
    number = text.startswith("+") or (text.isdecimal() and len(text) > 6)
    return mm7.Address(text, mm7.AddressForm.NUMBER if number else mm7.AddressForm.SHORT_CODE)


def _number(context: click.Context, parameter: click.Parameter, seconds: float) -> float:
    if math.isnan(seconds):
        raise click.BadParameter("nan is no number of seconds", context, parameter)
    return seconds


def _octets_of(file: Path) -> bytes:
    """What a file holds, a pipe too (`<(...)` of a shell), but nothing endless."""
    with file.open("rb") as opened:
        octets = opened.read(_MAXIMUM_FILE_OCTETS + 1)
    if len(octets) > _MAXIMUM_FILE_OCTETS:
        raise click.ClickException(f"{file}: larger than {_MAXIMUM_FILE_OCTETS} octets")
    return octets


def _content(text: str, files: tuple[Path, ...], encoding: str) -> mime.OutPart | None:
    """One part as it is; several with a presentation that shows them in order."""
    parts: list[mime.OutPart] = []
    for number, file in enumerate(files, 1):
        guessed = _TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        parts.append(mime.OutPart(ContentType(guessed), _octets_of(file), f"file{number}", file.name, encoding))
    if text:
        plain = ContentType("text/plain", (("charset", "utf-8"),))
        parts.append(mime.OutPart(plain, text.encode(), "text", "text.txt", encoding))
    if not parts:
        return None
    if not any(part.content_type.media_type == "application/smil" for part in parts):
        parts.insert(0, _presentation(parts, encoding))
    boundary = mime.choose_boundary(parts, "mmsc-submit-content")
    root = next(part for part in parts if part.content_type.media_type == "application/smil")
    parameters = (("type", "application/smil"), ("start", f"<{root.content_id}>"), ("boundary", boundary))
    return mime.OutPart(ContentType("multipart/related", parameters), mime.write_parts(parts, boundary), "content")


def _presentation(parts: list[mime.OutPart], encoding: str) -> mime.OutPart:
    slides: list[smil.Slide] = []
    texts = [part for part in parts if part.content_type.media_type == "text/plain"]
    shown = [part for part in parts if part.content_type.media_type.partition("/")[0] in _KINDS]
    for number in range(max(len(shown), len(texts), 1)):
        media: list[smil.Medium] = []
        if number < len(shown):
            kind = shown[number].content_type.media_type.partition("/")[0]
            media.append(smil.Medium(kind, f"cid:{shown[number].content_id}", "" if kind == "audio" else "Image"))
        if number < len(texts):
            media.append(smil.Medium("text", f"cid:{texts[number].content_id}", "Text"))
        slides.append(smil.Slide(_SLIDE_MS, tuple(media)))
    return mime.OutPart(ContentType("application/smil"), smil.build(slides), "smil", "slides.smil", encoding)


async def _post(url: str, user: str, content_type: str, body: bytes, seconds: float) -> tuple[int, str, bytes]:
    import aiohttp

    headers = {"Content-Type": content_type, "SOAPAction": '""', "User-Agent": "mmsc", "Content-Length": str(len(body))}
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    timeout = aiohttp.ClientTimeout(total=seconds)
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < len(body):
            yield body[sent : sent + _PIECE_OCTETS]
            sent += _PIECE_OCTETS

    def words(waited: int) -> str:
        if sent < len(body):
            return f"sending to {url}: {sent:,} of {len(body):,} octets"
        return f"waiting for the answer of {url}: {waited} s of {seconds:g}"

    try:
        async with (
            telling(words),
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=pieces(), headers=headers, allow_redirects=False) as response,
        ):
            answer = bytearray()
            async for piece in response.content.iter_any():  # an answer may come in several pieces
                answer += piece
                if len(answer) > _MAXIMUM_ANSWER_OCTETS:
                    raise click.ClickException(f"an answer of more than {_MAXIMUM_ANSWER_OCTETS} octets from {url}")
            return response.status, response.headers.get("Content-Type", ""), bytes(answer)
    except aiohttp.ClientConnectorError as error:
        raise click.ClickException(f"nobody takes connections at {url} ({_os_error(error.os_error)})") from error
    except aiohttp.ClientResponseError as error:
        raise click.ClickException(f"what listens at {url} does not speak HTTP") from error
    except TimeoutError as error:
        raise click.ClickException(f"no answer from {url} within {seconds:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise click.ClickException(f"no answer from {url}: {str(error) or type(error).__name__}") from error


def _os_error(error: OSError) -> str:
    """What the system says of it: asyncio's own text is longer and says less."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def _tell(status: int, content_type: str, answer: bytes) -> None:
    try:
        message = mm7.decode(content_type, answer).message.message
    except DecodeError as error:
        if status in _REFUSALS:
            raise click.ClickException(f"HTTP {status}: {_REFUSALS[status]}") from error
        raise click.ClickException(f"HTTP {status} without an MM7 answer: {error}") from error
    if not isinstance(message, mm7.SubmitRsp | mm7.Fault):
        raise click.ClickException(f"HTTP {status} with a {type(message).__name__}")
    told = message.status
    text = f"{int(told.code)} {told.text}" + (f": {told.details}" if told.details else "")
    if not told.code.is_success:
        raise click.ClickException(f"refused ({'Fault' if isinstance(message, mm7.Fault) else 'SubmitRsp'}): {text}")
    click.echo(f"{text}\nMessageID {message.message_id if isinstance(message, mm7.SubmitRsp) else ''}")
