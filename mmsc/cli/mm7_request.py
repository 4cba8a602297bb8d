"""What the commands that send MM7 requests share: who sends it, in which words, what is told of the answer."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final, NoReturn

import click

from mmsc.cli.mm7_addresses import AddressType
from mmsc.cli.mm7_connection import (
    Connection,
    NoAnswer,
    Refused,
    connection_of,
    connection_options,
    request_octets,
    run,
)
from mmsc.cli.option_groups import F, option, under
from mmsc.ids import Ids
from mmsc.lab.mm7_words import element_name, element_of, printable
from mmsc.net import http_digest
from mmsc.net.http_client import HttpReply
from protocols import mime, mm7
from protocols.errors import DecodeError, EncodeError, Finding
from protocols.mm7 import Dialect, Envelope, Message, Status
from protocols.records import record

_REFUSALS: Final = {  # what an HTTP status without SOAP means to whom it is told
    401: "the MMSC does not accept this user and password (--user)",
    403: "the MMSC lets nobody in from here, or not with these credentials",
    404: "nothing takes MM7 there (--url)",
    405: "nothing takes MM7 there (--url)",
    413: "the request is too large for the MMSC",
    503: "the MMSC takes nothing at the moment",
}


_identity_options = under(
    "Identity",
    option("--vasp-id", default="demo", show_default=True, help="VASPID; empty to leave it out."),
    option("--vas-id", default="", help="VASID."),
    option("--from", "sender_address", type=AddressType(), help="SenderAddress: a short code, number or mail address."),
)
_mm7_options = under(
    "MM7",
    option("--namespace", default=mm7.LATEST, show_default=True, help="The MM7 schema's tag, or the whole namespace."),
    option("--mm7-version", default="", help="MM7Version.  [default: the namespace's]"),
    option("--transaction-id", default="", help="TransactionID; the same again is a repeat.  [default: a new one]"),
)
_output_options = under(
    "Output",
    option("--show", is_flag=True, help="Print the octets of the HTTP request, and send nothing."),
    option("--json", "as_json", is_flag=True, help="Tell the answer as a JSON object."),
    option("-v", "--verbose", is_flag=True, help="Show the SOAP that is sent and received, and what is odd in it."),
)


def shared_options(command: F) -> F:
    """The options of every command that sends a request."""
    return _identity_options(_mm7_options(connection_options(_output_options(command))))


@record(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that is ready to be sent. `remarks` are for its sender."""

    connection: Connection
    envelope: Envelope
    content_type: str
    body: bytes
    remarks: tuple[str, ...] = ()

    @property
    def operation(self) -> str:
        """Its element."""
        return element_name(self.envelope.message)


def check_text(context: click.Context) -> None:
    """Octets of the command line that are no text are wrong usage. Raises BadParameter."""
    for parameter in context.command.params:
        for text in _texts(context.params.get(parameter.name or "")):
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise click.BadParameter("not UTF-8", context, parameter) from error


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, mm7.Address):
        yield from (value.value, value.id)
    elif isinstance(value, tuple):
        for one in value:
            yield from _texts(one)


def spoken_of(given: Mapping[str, Any]) -> Dialect:
    """The namespace. Raises BadParameter."""
    name = given["namespace"]
    spoken = mm7.dialect(name if name.startswith(mm7.BASE) else mm7.BASE + name)
    if spoken is None:
        raise click.BadParameter(f"{name!r} is no MM7 schema tag; try {mm7.LATEST}", param_hint="'--namespace'")
    return spoken


def request_of(
    given: Mapping[str, Any],
    message: Message,
    content: mime.OutPart | None = None,
    remarks: tuple[str, ...] = (),
) -> Request:
    """The request that the options and a message make. Raises UsageError for what its namespace has no words for."""
    connection = connection_of(given)
    transaction_id = given["transaction_id"] or Ids().transaction_id()
    envelope = Envelope(transaction_id, spoken_of(given), message)
    try:
        if content is None:
            content_type, body = mm7.encode(envelope)
        else:
            content_type, body = mm7.encode_with_content(envelope, content, transaction_id)
    except EncodeError as error:
        raise click.UsageError(str(error)) from error
    remarks = (*remarks, *_lost(envelope, content_type, body))
    return Request(connection=connection, envelope=envelope, content_type=content_type, body=body, remarks=remarks)


def _lost(envelope: Envelope, content_type: str, body: bytes) -> Iterator[str]:
    """What the namespace has no element for, and what its schema says of the rest: read back, as the MMSC will."""
    try:
        decoded = mm7.decode(content_type, body)
    except DecodeError as error:
        yield f"this request can hardly be read: {error}"
        return
    message, read = envelope.message, decoded.message.message
    for field in fields(message):
        said = getattr(message, field.name)
        heard = getattr(read, field.name, None)
        if said != heard and said not in (None, "", ()):
            how = "left out" if heard in (None, "", ()) else "not the same when it is read"
            yield f"{element_of(field.name)} is {how}: {envelope.dialect.tag} has no words for it"
    yield from (f"{finding.remark} ({finding.clause})" for finding in decoded.findings)


def carry_out(given: Mapping[str, Any], request: Request) -> NoReturn:
    """Show the request, or send it and tell the answer. Ends with the exit status."""
    for remark in request.remarks:
        note(remark)
    if given["show"]:
        show(request_octets(request.connection, request.content_type, request.body))
        raise SystemExit(0)
    as_json, verbose = given["as_json"], given["verbose"]
    if verbose:
        click.echo(mm7.encode(request.envelope)[1].decode(), err=True)
    told: dict[str, object] = {"transactionID": request.envelope.transaction_id}
    try:
        reply = run(request.connection, request.content_type, request.body, request.envelope.transaction_id)
        if verbose:
            click.echo(reply.body.decode("utf-8", "replace"), err=True)
        told |= {"httpStatus": reply.status}
        _tell(request, reply, told, verbose=verbose, as_json=as_json)
    except click.ClickException as error:
        if not as_json:
            raise
        click.echo(json.dumps({**told, "error": error.message}, ensure_ascii=False))
        raise SystemExit(error.exit_code) from error
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    raise SystemExit(0)


def _tell(request: Request, reply: HttpReply, told: dict[str, object], *, verbose: bool, as_json: bool) -> None:
    """Raises Refused, or NoAnswer."""
    try:
        decoded = mm7.decode(reply.content_type, reply.body)
    except DecodeError as error:
        raise _without_mm7(request, reply, error) from error
    answer = decoded.message.message
    status: Status | None = getattr(answer, "status", None)
    if status is None:
        raise NoAnswer(f"HTTP {reply.status} with a {element_name(answer)}")
    odd = tuple(_odd(request, decoded.message))
    told |= _as_object(decoded.message, status, odd, decoded.findings)
    for remark in (*odd, *(f"{one.remark} ({one.clause})" for one in decoded.findings if verbose)):
        note(remark)
    text = f"{int(status.code)} {status.text}" + (f": {status.details}" if status.details else "")
    if not status.code.is_success:
        raise Refused(f"refused ({element_name(answer)}): {printable(text)}")
    if as_json:
        return
    click.secho(printable(text), fg="green" if status.code == mm7.StatusCode.SUCCESS else "yellow")
    if message_id := getattr(answer, "message_id", ""):
        click.echo(f"MessageID {printable(message_id)}")


def _without_mm7(request: Request, reply: HttpReply, error: DecodeError) -> click.ClickException:
    if reply.status == 401 and not request.connection.digest:
        offered = http_digest.schemes(reply.headers.getall("WWW-Authenticate", ()))
        if offered and "basic" not in offered:
            return Refused(f"HTTP 401: the MMSC asks for {', '.join(offered)}, not for basic (--auth)")
    if reply.status in _REFUSALS:
        wait = reply.headers.get("Retry-After", "")
        return Refused(f"HTTP {reply.status}: {_REFUSALS[reply.status]}" + (f"; Retry-After {wait}" if wait else ""))
    if 300 <= reply.status < 400:
        place = printable(reply.headers.get("Location", "nowhere"))
        return Refused(f"HTTP {reply.status}: the MMSC points to {place}, and redirects are not followed (--url)")
    kind = Refused if reply.status >= 400 else NoAnswer
    return kind(f"HTTP {reply.status} without an MM7 answer: {printable(str(error))}")


def _odd(request: Request, answer: Envelope) -> Iterator[str]:
    """What an answer should have and has not (TS 23.140 8.7.8)."""
    name, wanted = element_name(answer.message), request.operation.removesuffix("Req") + "Rsp"
    if name not in (wanted, "Fault"):
        yield f"the answer to {request.operation} is a {name}"
    sent = request.envelope.transaction_id
    if answer.transaction_id != sent:
        yield f"the answer echoes TransactionID {answer.transaction_id!r}, not {sent!r}"
    if answer.dialect.namespace != request.envelope.dialect.namespace and name != "Fault":
        yield f"the answer is in {answer.dialect.tag}, the request in {request.envelope.dialect.tag}"
    status: Status | None = getattr(answer.message, "status", None)
    if status is not None and status.code.is_success and getattr(answer.message, "message_id", None) == "":
        yield f"the {name} has no MessageID"


def _as_object(
    answer: Envelope, status: Status, odd: tuple[str, ...], findings: tuple[Finding, ...]
) -> dict[str, object]:
    return {
        "answer": element_name(answer.message),
        "namespace": answer.dialect.namespace,
        "MM7Version": answer.message.mm7_version,
        "statusCode": int(status.code),
        "statusText": status.text,
        "details": status.details,
        "messageID": getattr(answer.message, "message_id", ""),
        "remarks": [*odd, *(f"{one.rule}: {one.remark}" for one in findings)],
    }


def note(text: str) -> None:
    """A remark, beside what a command tells."""
    click.secho(f"note: {printable(text)}", fg="yellow", err=True)


def show(octets: bytes) -> None:
    """Octets as they are; on a terminal, what of them is text, and how much is not."""
    if sys.stdout.isatty():
        for line in readable(octets):
            click.echo(line)
    else:
        click.echo(octets, nl=False)


def readable(octets: bytes) -> Iterator[str]:
    """The lines of a multipart. Where one is no text, the rest of its part is only counted."""
    hidden = 0
    for line in octets.split(b"\n"):
        text = _text_of(line)
        if text is None or (hidden and not text.startswith("--")):
            hidden += len(line) + 1
            continue
        if hidden:
            yield f"[{hidden:,} octets that are no text]"
            hidden = 0
        yield text
    if hidden:
        yield f"[{hidden - 1:,} octets that are no text]"  # no line break ends them


def _text_of(line: bytes) -> str | None:
    try:
        text = line.decode().removesuffix("\r")
    except UnicodeDecodeError:
        return None
    return text if text.replace("\t", " ").isprintable() else None
